"""Signals that ask a study to stop: Ctrl-C (SIGINT) and SIGTERM.

Data flows in from the operating system, and out as `Stopped` to the command line, which says what is stored.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stopped", "stoppable"]


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

    Only a main thread can set this; in another thread nothing is changed.
    """

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
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
            signal.signal(number, before[number])
