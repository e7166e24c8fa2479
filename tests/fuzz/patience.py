"""How long a fuzzer waits for an answer."""

import signal
from contextlib import contextmanager

SECONDS = 60


class Hang(BaseException):
    """Something does not come back; no handler of ordinary errors stops it."""


@contextmanager
def limited():
    """Interrupt what takes too long, by a `Hang`."""

    def ring(number, frame):
        raise Hang(f"no answer after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
