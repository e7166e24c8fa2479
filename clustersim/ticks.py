"""Simulated time in whole ticks: the one place where seconds become ticks, and ticks become seconds again.

Decimal fractions of a second have no exact floats: three times 0.1 is not 0.3, and sums depend on the order in which
they are added. So the engine counts whole ticks, a nanosecond each by default, as network simulators do. Every draw,
delay, deadline and horizon is rounded to ticks once; from then on times are added and compared exactly.

Ticks are floats that hold whole numbers, so that infinity can stand for "never". Floats do that exactly up to 2**53; a
clock that passes this is refused, with a coarser tick as the remedy. Seconds flow in from `clustersim.engine.delays`
(draws), the master (deadlines) and `simulate` (the horizon), and out to events, history, totals and message table.
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
"""Ticks that a time must have on average, lest rounding change the law of its draws."""

SHORTEST = 1e-15
"""Seconds in a tick, at least."""

Floats = NDArray[np.float64]
Time = TypeVar("Time", float, Floats)


def checked_tick(tick: object) -> float:
    """Check the length of a tick: whole seconds, or a whole number of ticks a second.

    Parameters
    ----------
    tick : float
        Seconds.

    Raises
    ------
    ConfigurationError
        If it is not positive, or neither divides a second nor is divided by it.

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
            f"from {SHORTEST:g} to 1e15 seconds, either whole seconds or a part of which a whole number "
            "make a second, such as 1e-9 (a nanosecond) or 0.001",
        )
    return seconds


class Ticks:
    """Converts between seconds and ticks of one length.

    Parameters
    ----------
    tick : float
        Seconds, see `checked_tick`.

    Examples
    --------
    >>> nano = Ticks(1e-9)
    >>> nano.of(0.1) + nano.of(0.1) + nano.of(0.1) == nano.of(0.3)
    True
    >>> nano.seconds(3 * nano.of(0.1)), nano.of_all(np.array([0.25, np.inf]))
    (0.3, array([2.5e+08,     inf]))
    """

    def __init__(self, tick: float) -> None:
        self.tick = tick
        seconds, self._per_second = Fraction(repr(tick)).as_integer_ratio()
        self._seconds = seconds

    def of(self, seconds: float) -> float:
        """The ticks in a time, rounded to the nearest; infinity stays."""
        ticks = seconds * self._per_second / self._seconds
        return float(round(ticks)) if math.isfinite(ticks) else ticks

    def of_all(self, seconds: Floats) -> Floats:
        """The ticks in many times."""
        ticks = seconds * float(self._per_second)
        if self._seconds != 1:
            ticks /= self._seconds
        rounded: Floats = np.rint(ticks, out=ticks)
        return rounded

    def wait(self, now: float, deadline: float) -> float:
        """The ticks from an instant to a deadline, both in seconds.

        That is as exact as the sum of an instant and a wait: to the tick, up to an instant of 2**52 ticks.
        """
        return self.of(deadline - now)

    def seconds(self, ticks: Time) -> Time:
        """The seconds in some ticks: the nearest floats."""
        if self._seconds == 1:
            return ticks / self._per_second
        return ticks * self._seconds

    def horizon(self, seconds: float) -> float:
        """The ticks in the time at which a run ends.

        Raises
        ------
        ConfigurationError
            If there are too many to be counted exactly.
        """
        ticks = self.of(seconds)
        if ticks == 0.0 < seconds:
            raise ConfigurationError(f"until.time = {seconds:g}: {self._too_short(seconds)}")
        if LAST < ticks < math.inf:
            raise ConfigurationError(f"until.time = {seconds:g}: {self._too_long(seconds)}")
        return ticks

    def passed(self, ticks: float) -> ConfigurationError:
        """Say that a clock has come to where it cannot count any further."""
        seconds = self.seconds(ticks)
        return ConfigurationError(f"the clock has come to {seconds:g} s: {self._too_long(seconds)}")

    def _too_long(self, seconds: float) -> str:
        return (
            f"ticks of {self.tick:g} s are counted up to 2**53, which is {self.seconds(LAST):.3g} s; give the cluster "
            f"a coarser tick, such as Cluster(..., tick={self._coarser(seconds):g})"
        )

    def _coarser(self, seconds: float) -> float:
        """A tick with which so many seconds can be counted; not this one."""
        fits = _power_of_ten(seconds / LAST, math.ceil)
        return fits if fits > self.tick else 10.0 * fits

    def _too_short(self, seconds: float) -> str:
        """What to do about a time that is less than half a tick."""
        return f"that is no time at all in ticks of {self.tick:g} s; {self._finer(seconds)}"

    def _finer(self, seconds: float) -> str:
        """What to do about times that this tick cannot tell."""
        fits = _power_of_ten(seconds / FEWEST, math.floor)
        if fits < SHORTEST:
            return f"ticks are not shorter than {SHORTEST:g} s; tell times in another unit, so that they are longer"
        return f"give the cluster a finer tick, such as Cluster(..., tick={fits:g})"

    def check_wait(self, name: str, seconds: float) -> None:
        """Refuse a wait that is over before a tick has passed.

        Raises
        ------
        ConfigurationError
            If it is less than half a tick.
        """
        if self.of(seconds) == 0.0:
            raise ConfigurationError(f"{name} = {seconds:g}: {self._too_short(seconds)}")

    def check_mean(self, name: str, mean: float) -> None:
        """Refuse times that are too short to be told in ticks.

        Parameters
        ----------
        name : str
            Of the argument that draws them.
        mean : float
            Their mean in seconds; 0 for what takes no time.

        Raises
        ------
        ConfigurationError
            If it is less than a thousand ticks.
        """
        if 0.0 < mean < FEWEST * self.tick * (1.0 - 1e-12):
            raise ConfigurationError(
                f"{name}: its mean, {mean:g} s, is less than {FEWEST} ticks of {self.tick:g} s, so that rounding to "
                f"ticks would change it; {self._finer(mean)}"
            )


def _power_of_ten(seconds: float, towards: Callable[[float], int]) -> float:
    """The power of ten next to a time."""
    return float(f"1e{towards(math.log10(seconds))}")


def total(durations: Floats) -> int:
    """The exact sum of durations in ticks, none of which is negative or infinite.

    A float sum below 2**53 has met no larger one on the way, so it is exact.

    Examples
    --------
    >>> total(np.array([2.0**53, 1.0, 1.0]))
    9007199254740994
    """
    added = float(durations.sum())
    return int(added) if added < LAST else sum(map(int, durations.tolist()))


def totals(rows: Floats) -> list[int]:
    """The exact sum of each row of durations, see `total`.

    Examples
    --------
    >>> totals(np.array([[1.0, 2.0], [2.0**53, 1.0]]))
    [3, 9007199254740993]
    """
    added = rows.sum(axis=1)
    if (added < LAST).all():
        return [int(each) for each in added.tolist()]
    return [total(row) for row in rows]
