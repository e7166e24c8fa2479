"""Signals that end the program while it loads, and after its work: at once, with one word, without a traceback.

Python's own answer to Ctrl-C is an exception wherever it happens to be, such as half-way through the import of a
library. Nothing is lost before a study begins, so here the process just ends. While a study runs,
`clustersim.studies.signals` takes over. Data flows in from the operating system, and out as an exit code.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

__all__ = ["end_on_signals", "restore"]

Handler = Callable[[int, FrameType | None], object] | int | None
_USUAL = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


def end_on_signals() -> dict[signal.Signals, Handler]:
    """Let Ctrl-C end this process at once with exit code 130, and SIGTERM with 143.

    A signal that somebody else handles or ignores is left alone, and so are all outside of the main thread.

    Returns
    -------
    dict
        What was in force for the signals that were changed, for `restore`.
    """
    before: dict[signal.Signals, Handler] = {}
    for number, usual in _USUAL.items():
        if signal.getsignal(number) == usual:
            with suppress(ValueError):  # only the main thread may set it
                signal.signal(number, _end)
                before[number] = usual
    return before


def restore(before: dict[signal.Signals, Handler]) -> None:
    """Put back what `end_on_signals` has replaced, unless somebody has taken over since, perhaps to ignore signals."""
    for number, handler in before.items():
        if signal.getsignal(number) is _end:
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    """Say so and end, whatever Python is at."""
    with suppress(OSError):
        os.write(2, b"Interrupted.\n")
    os._exit(128 + number)
