"""`represented`: a decorator that raises an error if floats cannot represent the result of a function of theory.

Each formula multiplies and divides constants that are checked one by one. In combination they may still overflow, or
lead to a division by zero. The decorator then raises `ConfigurationError`, so that no function returns a NaN.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from clustersim.errors import ClusterSimError, ConfigurationError

__all__ = ["represented"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def represented(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function raise `ConfigurationError` if its result contains a NaN or its arithmetic fails.

    Examples
    --------
    >>> @represented
    ... def share(part, whole):
    ...     return part / whole
    >>> share(1.0, 0.0)
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: share: with these arguments it has no value that a float can represent; \
choose units in which they are neither huge nor tiny
    """

    @wraps(function)
    def checked(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        try:
            with np.errstate(all="ignore"):
                result = function(*arguments, **named)
        except ClusterSimError:
            raise
        except (ArithmeticError, ValueError) as error:
            raise _unrepresented(function.__name__) from error
        if _contains_nan(result):
            raise _unrepresented(function.__name__)
        return result

    return checked


def _contains_nan(result: Any) -> bool:
    """Return whether a number, an array or a tuple of them contains a NaN."""
    return bool(np.isnan(np.asarray(result, dtype=np.float64)).any())


def _unrepresented(name: str) -> ConfigurationError:
    """Return the error for a function whose result cannot be represented."""
    return ConfigurationError(
        f"{name}: with these arguments it has no value that a float can represent; choose units in which they are "
        "neither huge nor tiny"
    )
