"""Python's garbage collector, held back while a clock runs.

A run of the worker processes makes and drops tasks, events and entries of the event heap by the million. None of them
is part of a cycle, so counting references frees them all; but the collector, called every few hundred of them, looks
through everything that there is again and again, for more than half of the time with 10,000 workers.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock

__all__ = ["seldom_collected"]

_OBJECTS = 50_000  # made and not yet dropped before the collector looks for cycles among them; Python's default is 700

_lock = Lock()
_before: list[tuple[int, int, int]] = []  # of every run under way, so that the last one to end restores the first


@contextmanager
def seldom_collected() -> Generator[None]:
    """Let the garbage collector come seldom, and as often as before afterwards; a collector that is off stays off."""
    with _lock:
        first, *rest = before = gc.get_threshold()
        _before.append(before)
        if 0 < first < _OBJECTS:
            gc.set_threshold(_OBJECTS, *rest)
    try:
        yield
    finally:
        with _lock:
            gc.set_threshold(*_before.pop())
