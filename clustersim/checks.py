"""Checks of arguments, so that every message names the value, what was expected and what to do.

Each function returns the checked value in its plain type (``int``, ``float``) or raises `ConfigurationError`.
"""

import math
import operator
from numbers import Real
from typing import Any

from clustersim.errors import ConfigurationError

__all__ = ["choice", "fraction", "integer", "number"]


def integer(name: str, value: Any, *, low: int, high: int | None = None, remedy: str = "") -> int:
    """Return `value` as an int in low..high (both included), or say what is wrong with it.

    Raises
    ------
    ConfigurationError
        If `value` is not a whole number or out of range.

    Examples
    --------
    >>> integer("workers", 5, low=1)
    5
    >>> integer("k", 9, low=1, high=5, remedy="choose a smaller k or more workers")
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: k = 9: expected a whole number from 1 to 5; choose a smaller k or more workers
    """
    expected = f"a whole number from {low} to {high}" if high is not None else f"a whole number, at least {low}"
    try:
        if isinstance(value, bool):
            raise TypeError
        whole = operator.index(value)
    except TypeError:
        raise _complaint(name, value, expected, remedy) from None
    if whole < low or (high is not None and whole > high):
        raise _complaint(name, value, expected, remedy)
    return whole


def number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    above: float | None = None,
    finite: bool = True,
    remedy: str = "",
) -> float:
    """Return `value` as a float that is at least `low`, or greater than `above`, and not NaN.

    Raises
    ------
    ConfigurationError
        If `value` is not a real number, is NaN, is infinite though `finite` is set, or is out of range.

    Examples
    --------
    >>> number("mean", 2, above=0.0)
    2.0
    >>> number("mean", -1.0, above=0.0)
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: mean = -1.0: expected a finite number greater than 0
    """
    kind = "a finite number" if finite else "a number"
    if above is not None:
        expected = f"{kind} greater than {above:g}"
    else:
        expected = f"{kind}, at least {low:g}" if low > -math.inf else kind
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _complaint(name, value, expected, remedy)
    real = float(value)
    out_of_range = real < low or (above is not None and real <= above)
    if math.isnan(real) or out_of_range or (finite and math.isinf(real)):
        raise _complaint(name, value, expected, remedy)
    return real


def fraction(name: str, value: Any, *, below_one: bool = False, remedy: str = "") -> float:
    """Return `value` as a float in [0, 1], or in [0, 1) if `below_one`.

    Raises
    ------
    ConfigurationError
        If `value` is not a real number in the interval.

    Examples
    --------
    >>> fraction("probability", 0.25)
    0.25
    """
    interval = "[0, 1)" if below_one else "[0, 1]"
    expected = f"a number in {interval}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _complaint(name, value, expected, remedy)
    real = float(value)
    if not 0.0 <= real <= 1.0 or (below_one and real == 1.0):
        raise _complaint(name, value, expected, remedy)
    return real


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is one of `allowed`.

    Raises
    ------
    ConfigurationError
        If it is not.

    Examples
    --------
    >>> choice("busy", "restart", ("restart", "finish", "queue"))
    'restart'
    """
    if not isinstance(value, str) or value not in allowed:
        raise _complaint(name, value, "one of " + ", ".join(repr(word) for word in allowed), "")
    return value


def _complaint(name: str, value: Any, expected: str, remedy: str) -> ConfigurationError:
    """Word the error in the one form that all checks share."""
    advice = f"; {remedy}" if remedy else ""
    return ConfigurationError(f"{name} = {value!r}: expected {expected}{advice}")
