"""Step-size schedules, which depend on the update number t = 1, 2, ..., and the conversion of epochs to updates.

A schedule is a frozen dataclass that is called with t and returns the step size. Pass it to any optimiser as
``step_size``. Unlike a lambda, it can be printed, compared and pickled, and a study's manifest records its numbers.
"""

import math
import sys
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from clustersim.checks import complaint, integer, number, several, store

__all__ = ["Capped", "ExponentialDecay", "PowerDecay", "StepDecay", "epochs_of", "updates_in", "whole_updates"]


@dataclass(frozen=True)
class PowerDecay:
    r"""A step size that falls with a power of t: :math:`\eta_t = \mathrm{initial} / t^{\mathrm{power}}`.

    Parameters
    ----------
    initial : float
        The step size of update 1, above 0.
    power : float
        Exponent of t, at least 0; with 0 the step size is constant.

    Raises
    ------
    ConfigurationError
        If `initial` is not positive, or `power` is negative.

    References
    ----------
    Bitar, Wootters and El Rouayheb, "Stochastic gradient coding for straggler mitigation in distributed learning",
    2020, eq. 11: power 0.7 and initial 7 ln(10^100). For the mean gradient, as here, divide the latter by the largest
    eigenvalue of X^T X.

    Examples
    --------
    >>> schedule = PowerDecay(initial=2.0, power=0.5)
    >>> [schedule(t) for t in (1, 4, 16)]
    [2.0, 1.0, 0.5]
    """

    initial: float
    power: float

    def __post_init__(self) -> None:
        store(self, initial=number("initial", self.initial, above=0.0), power=number("power", self.power, low=0.0))

    def __call__(self, t: int) -> float:
        """Return the step size of update t = 1, 2, ..."""
        return self.initial / math.pow(t, self.power)


@dataclass(frozen=True)
class ExponentialDecay:
    r"""A step size that falls by the same factor at every update: :math:`\eta_t = \mathrm{initial} \cdot r^t`.

    Updates are counted from t = 1, so the step size of the first update is `initial` times the factor.

    Parameters
    ----------
    initial : float
        The step size before the first update, above 0.
    factor : float
        r in (0, 1].

    Raises
    ------
    ConfigurationError
        If `initial` is not positive, or `factor` is not in (0, 1].

    References
    ----------
    Wang et al., "ErasureHead: distributed gradient descent without delays using approximate gradient coding", 2019,
    Table 1: 0.1 x 0.99^t on KC Housing.

    Examples
    --------
    >>> schedule = ExponentialDecay(initial=0.1, factor=0.99)
    >>> [round(schedule(t), 6) for t in (1, 2, 100)]
    [0.099, 0.09801, 0.036603]
    """

    initial: float
    factor: float

    def __post_init__(self) -> None:
        store(self, initial=number("initial", self.initial, above=0.0), factor=_factor(self.factor))

    def __call__(self, t: int) -> float:
        """Return the step size of update t = 1, 2, ..."""
        return max(self.initial * self.factor**t, sys.float_info.min)  # a step size of 0 would be refused


@dataclass(frozen=True)
class Capped:
    r"""Another schedule with an upper bound: :math:`\eta_t = \min\{\mathrm{highest}, \mathrm{schedule}(t)\}`.

    Parameters
    ----------
    schedule : callable
        Maps the update number t = 1, 2, ... to a step size.
    highest : float
        The upper bound, above 0.

    Raises
    ------
    ConfigurationError
        If `schedule` cannot be called, or `highest` is not positive.

    References
    ----------
    Bitar, Wootters and El Rouayheb, 2020, Theorem 3: min{1/2, log(1/epsilon^2) / t}, both divided by the largest
    eigenvalue of X^T X for the gradient of the sum over the rows, by L for that of the mean.

    Examples
    --------
    >>> import math
    >>> schedule = Capped(PowerDecay(initial=math.log(1 / 0.01**2), power=1.0), highest=0.5)
    >>> [round(schedule(t), 6) for t in (1, 18, 19, 100)]
    [0.5, 0.5, 0.484755, 0.092103]
    """

    schedule: Callable[[int], float]
    highest: float

    def __post_init__(self) -> None:
        if not callable(self.schedule):
            raise complaint("schedule", self.schedule, "a function of the update number t, such as PowerDecay(...)")
        store(self, highest=number("highest", self.highest, above=0.0))

    def __call__(self, t: int) -> float:
        """Return the step size of update t = 1, 2, ..."""
        return min(self.schedule(t), self.highest)  # in this order a NaN stays NaN, and is refused later


@dataclass(frozen=True)
class StepDecay:
    r"""A step size that is multiplied by a factor after each of some updates.

    .. math:: \eta_t = \mathrm{initial} \cdot \mathrm{factor}^{\#\{a \in \mathrm{at}: a < t\}}

    Update a is the last one with the larger step size, and update a + 1 the first one with the smaller step size.

    Parameters
    ----------
    initial : float
        The step size of update 1, above 0.
    at : sequence of int
        Update numbers, at least 1 and strictly increasing; `updates_in` converts epochs to update numbers.
    factor : float, default 0.1
        Factor in (0, 1] that multiplies the step size.

    Raises
    ------
    ConfigurationError
        If `initial` is not positive, `factor` is not in (0, 1], or `at` is not such a sequence.

    References
    ----------
    Xu, Huang, Song and Lan, "Live gradient compensation for evading stragglers in distributed learning", 2021, section
    V-A: 0.1, divided by 10 after 30 of 60 epochs; 10 workers, batches of 32, 50,000 rows.

    Examples
    --------
    >>> schedule = StepDecay(0.1, at=[updates_in(30, rows=50_000, workers=10, batch=32)])
    >>> schedule
    StepDecay(initial=0.1, at=(4688,), factor=0.1)
    >>> [round(schedule(t), 12) for t in (1, 4688, 4689)]
    [0.1, 0.1, 0.01]
    """

    initial: float
    at: Sequence[int]
    factor: float = 0.1

    def __post_init__(self) -> None:
        initial = number("initial", self.initial, above=0.0)
        store(self, initial=initial, factor=_factor(self.factor), at=_rising(self.at))

    def __call__(self, t: int) -> float:
        """Return the step size of update t = 1, 2, ..."""
        drops = bisect_left(self.at, t)
        return max(self.initial * self.factor**drops, sys.float_info.min)  # a step size of 0 would be refused


def updates_in(epochs: float, rows: int, workers: int, batch: int) -> int:
    r"""Return the number of updates in some epochs, if every update uses one mini-batch of each worker.

    .. math:: \lceil \mathrm{epochs} \cdot \max\{1, m / (n \cdot \mathrm{batch})\} \rceil

    In an epoch, n workers together compute m rows; it is at least one update. Under a policy that discards messages an
    epoch is the same number of updates, although these use fewer rows.

    Parameters
    ----------
    epochs : float
        Number of epochs, at least 0.
    rows : int
        m, the rows of the problem, at least 1.
    workers : int
        n, the number of workers, at least 1.
    batch : int
        Rows of a worker's mini-batch, at least 1.

    Returns
    -------
    int

    Raises
    ------
    ConfigurationError
        If an argument is not a number of the right kind, or is out of range.

    Examples
    --------
    >>> updates_in(30, rows=50_000, workers=10, batch=32)  # 4687.5, rounded up
    4688
    >>> updates_in(60, rows=50_000, workers=10, batch=32)
    9375
    """
    together = integer("workers", workers, low=1) * integer("batch", batch, low=1)
    per_epoch = max(1.0, integer("rows", rows, low=1) / together)
    return whole_updates(epochs_of("epochs", epochs), per_epoch)


def whole_updates(epochs: float, updates_per_epoch: float) -> int:
    """Return the number of updates in some epochs, rounded up, but not because of rounding errors (as in 0.1).

    Examples
    --------
    >>> whole_updates(0.1, 10.0), whole_updates(1.1, 50.0), whole_updates(0.01, 2.0)
    (1, 55, 1)
    """
    return math.ceil(round(epochs * updates_per_epoch, 9))


def epochs_of(name: str, value: float, above: float | None = None) -> float:
    """Check a number of epochs, at most 1e9 so that it can be converted to updates.

    Examples
    --------
    >>> epochs_of("warm_up", 2)
    2.0
    >>> epochs_of("warm_up", -1)
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: warm_up = -1: expected a finite number, at least 0
    """
    return number(name, value, low=0.0, above=above, high=1e9)


def _factor(value: float) -> float:
    """Check a factor in (0, 1]."""
    return number("factor", value, above=0.0, high=1.0, remedy="give a factor in (0, 1]")


def _rising(numbers: Sequence[int]) -> tuple[int, ...]:
    """Check that update numbers are strictly increasing."""
    expected = "strictly increasing update numbers, such as (4688, 7032)"
    given = several("at", numbers, expected)
    checked = tuple(integer("at", t, low=1, remedy="give strictly increasing update numbers") for t in given)
    if any(later <= earlier for earlier, later in pairwise(checked)):
        raise complaint("at", checked, expected)
    return checked
