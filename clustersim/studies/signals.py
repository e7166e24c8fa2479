"""Signals that ask a study to stop: Ctrl-C (SIGINT) and SIGTERM.

A program that wraps another often forwards a signal that the other has received too, so that it comes twice within
milliseconds. The second one must not interrupt what the first has set in motion, and is ignored: for two seconds in
any case, lest a signal be lost whose exception somebody has swallowed, and for good once the work has been left.

Data flows in from the operating system, and out as `Stopped` to the command line, which says what is stored.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stopped", "stoppable"]


_PATIENCE = 2.0  # seconds after a signal for which others are ignored


class Stopped(KeyboardInterrupt):
    """Somebody has asked from outside that the work stop; a script's own KeyboardInterrupt is none of these.

    Attributes
    ----------
    code : int
        The exit code that tells of the signal: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)  # just what it is made from: SimPy makes an exception anew from its args
        self.code = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Let both signals raise `Stopped` in the block; one that the process was started to ignore stays ignored.

    Once the block has been left because of a signal, both are ignored, for this process is about to end. Only a main
    thread can set this; in another thread nothing is changed.
    """
    last = -_PATIENCE

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        nonlocal last
        now = time.monotonic()
        if now - last >= _PATIENCE:
            last = now
            raise Stopped(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    here = threading.current_thread() is threading.main_thread()
    ours = [number for number, handler in before.items() if here and handler not in (signal.SIG_IGN, None)]
    try:
        for number in ours:
            signal.signal(number, stop)
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number] if last < 0.0 else signal.SIG_IGN)
