"""Settings of the process while a run is computed: one BLAS thread, and less frequent garbage collection.

A BLAS library adds numbers in another order when it shares work among threads. The last bits of a result would then
depend on the number of cores. Everything that computes stored numbers therefore runs under `one_blas_thread`. Studies
use the cores for replications.

Python's garbage collector runs less often while a clock runs. A run of the process engine makes and drops millions of
tasks, events and entries of the event heap. None of them is part of a reference cycle, so reference counts free them
all. By default, the collector runs after every few hundred new objects and searches all objects again; with 10,000
workers this takes more than half of the time.
"""

import gc
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import ParamSpec, TypeVar, cast

import scipy.linalg  # noqa: F401 - threadpoolctl only finds BLAS libraries that are loaded
from threadpoolctl import ThreadpoolController

__all__ = ["limit_blas_threads", "one_blas_thread", "seldom_collected"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_libraries = ThreadpoolController()

_OBJECTS = 50_000  # new objects after which the collector runs; Python's default is 700

_lock = Lock()
_before: list[tuple[int, int, int]] = []  # saved by each run under way; the last one to end restores the first


def one_blas_thread(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Decorate a function so that BLAS uses one thread while it runs; then restore the number of threads."""
    limited = _libraries.wrap(limits=1, user_api="blas")(function)
    return cast("Callable[_Arguments, _Result]", limited)


def limit_blas_threads() -> None:
    """Let BLAS use one thread from now on. Libraries that are loaded later are limited by the next call."""
    _controller(len(sys.modules)).limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _controller(modules: int) -> ThreadpoolController:  # noqa: ARG001 - a search takes milliseconds
    """Find the BLAS libraries that this number of modules has loaded."""
    return ThreadpoolController()


@contextmanager
def seldom_collected() -> Generator[None]:
    """Let the garbage collector run rarely, and restore its threshold at the end; it stays off if it is off."""
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
