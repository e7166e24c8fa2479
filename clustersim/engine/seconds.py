"""Sums of durations that do not depend on the order in which they are added up.

The process engine books seconds event by event, the cohort engine whole arrays of them, in another order. Sums of
floats would differ in their last digits. Here every duration is rounded once, to a multiple of ``2**-64`` seconds (only
durations below a quarter of a millisecond are touched by that), and integers are added, so that both come to the same
number, bit for bit.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["Seconds"]

_UNIT = 2**64  # units in a second
_COARSE, _FINE = 16, 48  # a duration is split into multiples of 2**-16 s and a rest, in units of 2**-48 of those
_CHUNK = 1 << 14  # durations split at once: so many rests add up to less than 2**63, and they fit into the cache
_OUTSIZED = 2.0 ** (62 - 14 - _COARSE)  # so many multiples of 2**-16 s do so as well, if durations are below this
_BUFFERED = 4096  # durations kept until they are folded: enough to make calls into NumPy cheap
_SMALL = 256  # arrays that are shorter wait in the buffer


def _units(seconds: float) -> int:
    """A duration as the nearest multiple of the unit; ties go to the even one."""
    return round(seconds * _UNIT) if abs(seconds) < _OUTSIZED else round(Fraction(seconds) * _UNIT)


def _sum(values: NDArray[np.float64]) -> int:
    """The sum of durations, each rounded as `_units` does it."""
    if not max(float(values.max()), -float(values.min())) < _OUTSIZED:
        return sum(map(_units, values.tolist()))
    total = 0
    for first in range(0, len(values), _CHUNK):
        scaled = values[first : first + _CHUNK] * 2.0**_COARSE
        coarse = np.trunc(scaled)
        scaled -= coarse
        scaled *= 2.0**_FINE
        fine = np.rint(scaled, out=scaled)
        total += (int(coarse.astype(np.int64).sum()) << _FINE) + int(fine.astype(np.int64).sum())
    return total


class Seconds:
    """An exact sum of durations: any order, grouping or method of adding gives the same total.

    Attributes
    ----------
    total : float
        The sum in seconds, rounded once.

    Examples
    --------
    >>> spent = Seconds()
    >>> for _ in range(10):
    ...     spent.add(0.1)
    >>> spent.add(2.0, times=3)
    >>> spent.add_all(np.array([0.5, 1e9, 0.25]))
    >>> spent.total
    1000000007.75
    """

    __slots__ = ("_buffer", "_units")

    def __init__(self) -> None:
        self._units = 0
        self._buffer: list[float] = []

    def add(self, seconds: float, times: int = 1) -> None:
        """Add a duration, or so many equal ones."""
        if times == 1:
            buffer = self._buffer
            buffer.append(seconds)
            if len(buffer) >= _BUFFERED:
                self._fold()
        else:
            self._units += times * _units(seconds)

    def add_all(self, values: NDArray[np.float64]) -> None:
        """Add each of the durations, shape (a,); the array is not kept."""
        if len(values) < _SMALL:
            self._buffer += values.tolist()
            if len(self._buffer) >= _BUFFERED:
                self._fold()
        else:
            self._units += _sum(values)

    def _fold(self) -> None:
        """Empty the buffer into the sum."""
        self._units += _sum(np.array(self._buffer))
        self._buffer.clear()

    @property
    def total(self) -> float:
        """The sum in seconds, rounded once."""
        if self._buffer:
            self._fold()
        return self._units / _UNIT
