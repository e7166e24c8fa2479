"""Signal handlers that end the program at once, without a traceback, while no study runs.

By default Python raises an exception on Ctrl-C wherever the program is, such as in the middle of an import. Before a
study begins there is nothing to save, so these handlers print one word and end the process. While a study runs,
`clustersim.studies.signals` handles signals. Signals flow in from the operating system; an exit code flows out.
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

    A signal that has another handler, or is ignored, is not changed. Outside of the main thread no signal is changed.

    Returns
    -------
    dict
        The earlier handlers of the signals that were changed, for `restore`.
    """
    before: dict[signal.Signals, Handler] = {}
    for number, usual in _USUAL.items():
        if signal.getsignal(number) == usual:
            with suppress(ValueError):  # only the main thread may set a handler
                signal.signal(number, _end)
                before[number] = usual
    return before


def restore(before: dict[signal.Signals, Handler]) -> None:
    """Restore the handlers that `end_on_signals` has replaced, except where the handler has changed since."""
    for number, handler in before.items():
        if signal.getsignal(number) is _end:
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    """Print a word and end the process at once."""
    with suppress(OSError):
        os.write(2, b"Interrupted.\n")
    os._exit(128 + number)
