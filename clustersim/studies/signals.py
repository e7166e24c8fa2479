"""Handling of the signals that stop a study: Ctrl-C (SIGINT) and SIGTERM.

A program that wraps another one often forwards a signal that the other has received too. The signal then comes twice
within milliseconds. The second one must not interrupt the reaction to the first, so it is ignored. For two seconds all
signals are ignored; after that, a new one has an effect, in case the exception of the first was swallowed. Once the
block has been left because of a signal, signals are ignored for good.

A signal raises `Stopped`; the command line catches it and prints what is stored. Python and libraries may raise another
exception because of it. For example, Python 3.11 raises a RuntimeError if a signal comes during `__set_name__`, which
many imports call. Such an exception leaves the block as the `Stopped` behind it.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stopped", "stoppable"]


_PATIENCE = 2.0  # seconds after a signal in which others are ignored


class Stopped(KeyboardInterrupt):
    """A signal from outside has stopped the work; a KeyboardInterrupt raised by a script is not a `Stopped`.

    Attributes
    ----------
    code : int
        The exit code for the signal: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)  # args must suffice to construct it: SimPy constructs exceptions again from their args
        self.code = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Make both signals raise `Stopped` in the block; a signal that was ignored from the start stays ignored.

    Once the block has been left because of a signal, both signals are ignored, because the process is about to end.
    Only the main thread can change this; in another thread nothing happens.
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
    handled = [number for number, handler in before.items() if here and handler not in (signal.SIG_IGN, None)]
    try:
        for number in handled:
            signal.signal(number, stop)
        yield
    except Exception as error:
        if behind := _stop_behind(error):
            raise behind from None
        raise
    finally:
        for number in handled:
            signal.signal(number, before[number] if last < 0.0 else signal.SIG_IGN)


def _stop_behind(error: BaseException | None) -> Stopped | None:
    """Return the `Stopped` that an exception was raised from, as a traceback would show it, or None."""
    while error is not None and not isinstance(error, Stopped):
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return error
