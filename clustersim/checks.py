"""Checks of arguments, with error messages that name the value, what was expected and what to do.

Each function returns the checked value in its plain type (``int``, ``float``, ``bool``, ``str``, ``tuple``, an array of
float64) or raises `ConfigurationError`. Callers must keep the returned value, not the original one; a frozen dataclass
does so with `store`. Then equal arguments make equal objects, even if they were given as types of NumPy or
`fractions`, and no small integer type of NumPy overflows later.
"""

import math
import operator
from collections.abc import Iterable, Mapping, Set, Sized
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.complaints import complaint, shown

__all__ = [
    "COUNT",
    "LONGEST",
    "SEED",
    "choice",
    "complaint",
    "flag",
    "fraction",
    "instance",
    "integer",
    "number",
    "numbers",
    "scale",
    "seconds",
    "several",
    "shown",
    "store",
]

COUNT = 10**8
"""The largest number of workers, rows or features: each needs an entry in an array."""
SEED = 2**128 - 1
"""The largest seed, and the largest replication number."""
LONGEST = 1e100
"""The longest time in seconds, small enough that no sum of times in a run overflows."""

_FAR = 10**6  # a message mentions an upper limit beyond this only if the value exceeds it
_MOST = 2**53  # floats represent all whole numbers up to here exactly, so products with times lose nothing


def store(instance: object, **checked: Any) -> None:
    """Replace fields of a frozen dataclass by their checked values.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Team:
    ...     size: int
    ...     def __post_init__(self):
    ...         store(self, size=integer("size", self.size, low=1))
    >>> Team(np.int8(5))
    Team(size=5)
    """
    for name, value in checked.items():
        object.__setattr__(instance, name, value)


def integer(name: str, value: Any, *, low: int, high: int = _MOST, remedy: str = "") -> int:
    """Return `value` as an int in low..high, both included.

    Raises
    ------
    ConfigurationError
        If `value` is not a whole number or is out of range.

    Examples
    --------
    >>> integer("workers", 5, low=1)
    5
    >>> integer("k", 9, low=1, high=5, remedy="choose a smaller k or more workers")
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: k = 9: expected a whole number from 1 to 5; choose a smaller k or more workers
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        whole = operator.index(value)
    except TypeError:
        whole = low - 1
    if not low <= whole <= high:
        upper = f"2**{high.bit_length()} - 1" if high == SEED else f"{high}"
        show_upper = high < _FAR or whole > high
        expected = f"a whole number from {low} to {upper}" if show_upper else f"a whole number, at least {low}"
        raise complaint(name, value, expected, remedy)
    return whole


def number(
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    above: float | None = None,
    high: float = math.inf,
    finite: bool = True,
    remedy: str = "",
) -> float:
    """Return `value` as a float that is in range and not NaN: at least `low`, greater than `above`, at most `high`.

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
    real = _real(value)
    in_range = low <= real <= high and (above is None or real > above)  # false for NaN
    if not in_range or (finite and math.isinf(real)):
        raise complaint(name, value, _limits(real, low, above, high, finite), remedy)
    return real


def _limits(real: float, low: float, above: float | None, high: float, finite: bool) -> str:
    """Describe the expected number; mention the upper limit only if the value exceeds it."""
    kind = "a finite number" if finite else "a number"
    least = f", at least {low:g}" if low > -math.inf else ""
    if above is not None and not above < real < low:
        least = f" greater than {above:g}"
    if not real > high:
        return kind + least
    return f"{kind}{least}{' and' if least else ','} at most {high:g}"


def seconds(name: str, value: Any, *, low: float = 0.0, above: float | None = None, remedy: str = "") -> float:
    """Return a time as a float of at most `LONGEST` seconds, so that sums of times do not overflow.

    Raises
    ------
    ConfigurationError
        As for `number`.

    Examples
    --------
    >>> seconds("time", 1e308)
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: time = 1e+308: expected a finite number, at least 0 and at most 1e+100
    """
    return number(name, value, low=low, above=above, high=LONGEST, remedy=remedy)


def scale(name: str, value: Any, *, low: float = 1 / LONGEST, above: float = 0.0, remedy: str = "") -> float:
    """Return a mean or a shape that is neither too large nor too small for later computations to overflow.

    Raises
    ------
    ConfigurationError
        As for `number`.

    Examples
    --------
    >>> scale("mean", 1e-300)
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: mean = 1e-300: expected a finite number, at least 1e-100
    """
    return number(name, value, low=low, above=above, high=LONGEST, remedy=remedy)


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
    real = _real(value)
    if not 0.0 <= real <= 1.0 or (below_one and real == 1.0):
        raise complaint(name, value, f"a number in {'[0, 1)' if below_one else '[0, 1]'}", remedy)
    return real


def numbers(
    name: str,
    values: Any,
    expected: str,
    *,
    low: float = -math.inf,
    above: float = -math.inf,
    finite: bool = True,
    dimensions: int | None = None,
) -> NDArray[np.float64]:
    """Return real numbers as an array of float64. Text is not accepted as a number.

    Parameters
    ----------
    name : str
        The name of the argument, for the message.
    values : array_like
        A number, or anything that NumPy can turn into an array.
    expected : str
        What the argument should be, in words, for the message.
    low, above, finite
        As for `number`; each value must be in range.
    dimensions : int, optional
        The number of dimensions that the array must have; any number if not given.

    Raises
    ------
    ConfigurationError
        If the values are not such numbers; the message names the first bad one.

    Examples
    --------
    >>> numbers("t", [1, 2.5], "times, at least 0", low=0.0).tolist()
    [1.0, 2.5]
    >>> numbers("t", "12", "times, at least 0", low=0.0)
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: t = '12': expected times, at least 0
    """
    try:
        array = np.asarray(None if isinstance(values, bytes | bytearray | memoryview) else values)
    except (TypeError, ValueError, OverflowError):  # ragged rows, among others
        raise complaint(name, values, expected) from None
    if array.dtype.kind == "O":
        array = np.array([_real(value) for value in array.ravel().tolist()], dtype=np.float64).reshape(array.shape)
    if array.dtype.kind not in "iuf" or dimensions not in (None, array.ndim):
        raise complaint(name, values, expected)
    with np.errstate(over="ignore"):  # longer floats may overflow here
        reals = np.array(array, dtype=np.float64)
    reals += 0.0  # turns -0.0 into 0.0
    good = (reals >= low) & ((reals > above) if above > -math.inf else True) & (np.isfinite(reals) | (not finite))
    if not good.all():
        where = np.unravel_index(int(np.argmin(good)), reals.shape)
        place = f"[{', '.join(str(int(i)) for i in where)}]" if reals.ndim else ""
        raise complaint(name, values, expected, f"look at {name}{place} = {reals[where]}" if place else "")
    return reals


def several(name: str, values: Any, expected: str) -> tuple[Any, ...]:
    """Return the items of a list, tuple, array or similar as a tuple.

    Text, sets, mappings and iterators without a length are refused.

    Raises
    ------
    ConfigurationError
        If `values` is not such a sequence.

    Examples
    --------
    >>> several("hidden", range(1, 4), "widths")
    (1, 2, 3)
    """
    listed = isinstance(values, Iterable) and isinstance(values, Sized)
    if isinstance(values, np.ndarray):
        listed = values.ndim > 0
    if not listed or isinstance(values, str | bytes | bytearray | memoryview | Mapping | Set):
        raise complaint(name, values, expected)
    return tuple(values.tolist() if isinstance(values, np.ndarray) else values)


def flag(name: str, value: Any) -> bool:
    """Return `value` as a bool; numbers and words are refused.

    Raises
    ------
    ConfigurationError
        If `value` is neither True nor False.

    Examples
    --------
    >>> flag("bias", np.True_)
    True
    """
    if not isinstance(value, bool | np.bool_):
        raise complaint(name, value, "True or False")
    return bool(value)


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is one of `allowed`.

    Raises
    ------
    ConfigurationError
        If `value` is not one of them.

    Examples
    --------
    >>> choice("busy", "restart", ("restart", "finish", "queue"))
    'restart'
    """
    if not isinstance(value, str) or value not in allowed:
        raise complaint(name, value, "one of " + ", ".join(repr(word) for word in allowed))
    return str(value)


def instance(name: str, value: Any, kind: type[Any] | tuple[type[Any], ...], expected: str) -> None:
    """Check that a value is an instance of a class; `expected` describes it in the message, with an example.

    Raises
    ------
    ConfigurationError
        If `value` is not an instance of `kind`.

    Examples
    --------
    >>> instance("matrix", None, np.ndarray, "an array")
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: matrix = None: expected an array
    """
    if not isinstance(value, kind):
        raise complaint(name, value, expected)


def _real(value: Any) -> float:
    """Return the value as a float: NaN if it is not a real number or too large for a float, and 0.0 for -0.0."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value) + 0.0
    except OverflowError:
        return math.nan
