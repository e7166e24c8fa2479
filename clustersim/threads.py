"""What holds for a whole process while something is computed: BLAS has one thread, and garbage is collected seldom.

A BLAS library adds up in another order when it shares work among threads, so the last bits of a result would tell the
number of cores. Whatever ends in a stored number runs under `one_blas_thread`; studies use the cores for replications.

Python's garbage collector is held back while a clock runs. A run of the worker processes makes and drops tasks, events
and entries of the event heap by the million. None of them is part of a cycle, so counting references frees them all;
but the collector, called every few hundred of them, looks through everything that there is again and again, for more
than half of the time with 10,000 workers.
"""

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock
from typing import ParamSpec, TypeVar, cast

import scipy.linalg  # noqa: F401 - a BLAS library can only be held once it has been loaded
from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread", "seldom_collected"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_libraries = ThreadpoolController()

_OBJECTS = 50_000  # made and not yet dropped before the collector looks for cycles among them; Python's default is 700

_lock = Lock()
_before: list[tuple[int, int, int]] = []  # of every run under way, so that the last one to end restores the first


def one_blas_thread(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Decorate a function so that BLAS uses one thread while it runs, and as many as before afterwards."""
    held = _libraries.wrap(limits=1, user_api="blas")(function)
    return cast("Callable[_Arguments, _Result]", held)


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
