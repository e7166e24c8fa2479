"""Simulated time in whole ticks: all conversions between seconds and ticks.

Most decimal fractions of a second have no exact float: three times 0.1 is not 0.3, and a sum depends on the order of
its terms. The engine therefore counts whole ticks, a nanosecond each by default, as network simulators do. Every draw,
delay, deadline and horizon is rounded to ticks once; from then on times are added and compared exactly.

Ticks are whole numbers stored as floats, so that infinity can stand for "never". Floats are exact up to 2**53. If a
clock would pass this limit, an error suggests a coarser tick. Seconds flow in from `clustersim.engine.delays` (draws),
the master (deadlines) and the stopping rule (the horizon). They flow out to events, history, totals and message table.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import complaint, number
from clustersim.errors import ConfigurationError

__all__ = ["FEWEST", "LAST", "SHORTEST", "Ticks", "checked_tick", "total", "totals"]

LAST = 2.0**53
"""The last tick to which a clock can count exactly."""

FEWEST = 1000
"""The least mean of a time in ticks; for shorter times rounding would change the law of the draws."""

SHORTEST = 1e-15
"""The shortest tick in seconds."""

Floats = NDArray[np.float64]
Time = TypeVar("Time", float, Floats)


def checked_tick(tick: object) -> float:
    """Check the length of a tick: a whole number of seconds, or a whole number of ticks in a second.

    Parameters
    ----------
    tick : float
        The length in seconds.

    Returns
    -------
    float
        The length in seconds.

    Raises
    ------
    ConfigurationError
        If it is out of range, or neither a whole number of seconds nor a whole-number part of a second.

    Examples
    --------
    >>> checked_tick(1e-6)
    1e-06
    """
    seconds = number("tick", tick, above=0.0)
    if not (SHORTEST <= seconds <= 1e15 and 1 in Fraction(repr(seconds)).as_integer_ratio()):
        raise complaint(
            "tick",
            tick,
            f"from {SHORTEST:g} to 1e15 seconds: whole seconds, or the whole-number part of a second, such as "
            "1e-9 (a nanosecond) or 0.001",
        )
    return seconds


class Ticks:
    """Converter between seconds and ticks of one length.

    Parameters
    ----------
    tick : float
        The length of a tick in seconds, see `checked_tick`.

    Examples
    --------
    >>> nano = Ticks(1e-9)
    >>> nano.of(0.1) + nano.of(0.1) + nano.of(0.1) == nano.of(0.3)
    True
    >>> nano.seconds(3 * nano.of(0.1)), nano.of_all(np.array([0.25, 1e308, np.inf]))
    (0.3, array([2.5e+08,     inf,     inf]))
    """

    def __init__(self, tick: float) -> None:
        self.tick = tick
        seconds, self._per_second = Fraction(repr(tick)).as_integer_ratio()
        self._seconds = seconds

    def of(self, seconds: float) -> float:
        """Return a time in ticks, rounded to the nearest; infinity stays infinite."""
        ticks = seconds * self._per_second / self._seconds
        return float(round(ticks)) if math.isfinite(ticks) else ticks

    def of_all(self, seconds: Floats) -> Floats:
        """Return an array of times in ticks, rounded to the nearest; times beyond all floats become infinite."""
        with np.errstate(over="ignore"):
            ticks = seconds * float(self._per_second)
        if self._seconds != 1:
            ticks /= self._seconds
        rounded: Floats = np.rint(ticks, out=ticks)
        return rounded

    def wait(self, now: float, deadline: float) -> float:
        """Return the ticks from the time `now` to a deadline, both in seconds.

        The result is exact to the tick for times up to 2**52 ticks, like the sum of a time and a wait.
        """
        return self.of(deadline - now)

    def seconds(self, ticks: Time) -> Time:
        """Return ticks in seconds, as the nearest float or floats."""
        if self._seconds == 1:
            return ticks / self._per_second
        return ticks * self._seconds

    def horizon(self, seconds: float) -> float:
        """Return the horizon of a run in ticks.

        Raises
        ------
        ConfigurationError
            If it has too many ticks to be counted exactly, or is less than half a tick.
        """
        ticks = self.of(seconds)
        if ticks == 0.0 < seconds:
            raise ConfigurationError(f"until.time = {seconds:g}: {self._too_short(seconds)}")
        if LAST < ticks < math.inf:
            raise ConfigurationError(f"until.time = {seconds:g}: {self._too_long(seconds)}")
        return ticks

    def passed(self, ticks: float) -> ConfigurationError:
        """Return the error that a clock has passed the last tick that it can count exactly."""
        seconds = self.seconds(ticks)
        return ConfigurationError(f"the clock has reached {seconds:g} s: {self._too_long(seconds)}")

    def _too_long(self, seconds: float) -> str:
        return (
            f"ticks of {self.tick:g} s are exact up to 2**53 ticks, which are {self.seconds(LAST):.3g} s; give the "
            f"cluster a coarser tick, such as Cluster(..., tick={self._coarser(seconds):g})"
        )

    def _coarser(self, seconds: float) -> float:
        """Return a tick, longer than this one, with which this number of seconds can be counted."""
        fits = _power_of_ten(seconds / LAST, math.ceil)
        return fits if fits > self.tick else 10.0 * fits

    def _too_short(self, seconds: float) -> str:
        """Say what to do about a time that is less than half a tick."""
        return f"that is less than half a tick of {self.tick:g} s; {self._finer(seconds)}"

    def _finer(self, seconds: float) -> str:
        """Say what to do about times for which this tick is too long."""
        fits = _power_of_ten(seconds / FEWEST, math.floor)
        if fits < SHORTEST:
            return f"the shortest tick is {SHORTEST:g} s; give times in another unit, so that the numbers are larger"
        return f"give the cluster a finer tick, such as Cluster(..., tick={fits:g})"

    def check_wait(self, name: str, seconds: float) -> None:
        """Check that a wait is at least half a tick, so that it does not round to zero.

        Raises
        ------
        ConfigurationError
            If it is less than half a tick.
        """
        if self.of(seconds) == 0.0:
            raise ConfigurationError(f"{name} = {seconds:g}: {self._too_short(seconds)}")

    def check_mean(self, name: str, mean: float) -> None:
        """Check that times are long enough for rounding to ticks.

        Parameters
        ----------
        name : str
            The name of the argument, for the error message.
        mean : float
            The mean of the times in seconds; 0 if they are all zero.

        Raises
        ------
        ConfigurationError
            If the mean is positive and less than a thousand ticks.
        """
        if 0.0 < mean < FEWEST * self.tick * (1.0 - 1e-12):
            raise ConfigurationError(
                f"{name}: its mean, {mean:g} s, is less than {FEWEST} ticks of {self.tick:g} s, so that rounding to "
                f"ticks would change it; {self._finer(mean)}"
            )


def _power_of_ten(seconds: float, towards: Callable[[float], int]) -> float:
    """Return the power of ten above or below a time, as `towards` rounds."""
    return float(f"1e{towards(math.log10(seconds))}")


def total(durations: Floats) -> int:
    """Return the exact sum of durations in ticks, which must be finite and not negative.

    If the float sum is below 2**53, all partial sums are as well, so the sum is exact.

    Examples
    --------
    >>> total(np.array([2.0**53, 1.0, 1.0]))
    9007199254740994
    """
    added = float(durations.sum())
    return int(added) if added < LAST else sum(map(int, durations.tolist()))


def totals(rows: Floats) -> list[int]:
    """Return the exact sum of each row of durations, see `total`.

    Examples
    --------
    >>> totals(np.array([[1.0, 2.0], [2.0**53, 1.0]]))
    [3, 9007199254740993]
    """
    added = rows.sum(axis=1)
    if (added < LAST).all():
        return [int(each) for each in added.tolist()]
    return [total(row) for row in rows]
