"""Answers that floats can represent: what the functions of theory promise for constants of any size.

Each formula multiplies and divides constants that are checked one by one. Together they may still overflow, or leave
nothing to divide by; then there is no answer, and the caller is told so instead of being handed a NaN.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from clustersim.errors import ClusterSimError, ConfigurationError

__all__ = ["represented"]

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def represented(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Let a function raise `ConfigurationError` where its answer would be a NaN or rounding leaves it none.

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
    def checked(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        try:
            with np.errstate(all="ignore"):
                answer = function(*arguments, **named)
        except ClusterSimError:
            raise
        except (ArithmeticError, ValueError) as error:
            raise _unrepresented(function.__name__) from error
        if _holds_nan(answer):
            raise _unrepresented(function.__name__)
        return answer

    return checked


def _holds_nan(answer: Any) -> bool:
    """Whether a number, an array or a tuple of them holds a NaN."""
    return bool(np.isnan(np.asarray(answer, dtype=np.float64)).any())


def _unrepresented(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name}: with these arguments it has no value that a float can represent; choose units in which they are "
        "neither huge nor tiny"
    )
