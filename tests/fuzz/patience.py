"""How long a fuzzer waits for an answer."""

import signal
import time
from contextlib import contextmanager

SECONDS = 60.0


class Hang(BaseException):
    """Something does not come back; no handler of ordinary errors stops it."""


@contextmanager
def limited():
    """Interrupt what takes too long, by a `Hang`; another timer, such as that of the tests, goes on afterwards."""

    def ring(number, frame):
        raise Hang(f"no answer after {SECONDS:g} s")

    before, begun = signal.signal(signal.SIGALRM, ring), time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - begun), 0.001) if left else 0.0)
        signal.signal(signal.SIGALRM, before)
