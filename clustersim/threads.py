"""One thread for linear algebra: sums must not depend on how many cores a machine has.

A BLAS library adds up in another order when it shares work among threads, so the last bits of a result would tell the
number of cores. Whatever ends in a stored number runs under `one_blas_thread`; studies use the cores for replications.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import scipy.linalg  # noqa: F401 - a BLAS library can only be held once it has been loaded
from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_libraries = ThreadpoolController()


def one_blas_thread(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Decorate a function so that BLAS uses one thread while it runs, and as many as before afterwards."""
    held = _libraries.wrap(limits=1, user_api="blas")(function)
    return cast("Callable[_Arguments, _Result]", held)
