"""Step sizes that change with the update number t = 1, 2, ...

A schedule is a frozen dataclass that is called with t and returns the step size. Unlike a lambda it prints, compares,
pickles, and is told in a study's manifest by its numbers. Any optimiser takes one as its ``step_size``.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

from clustersim.checks import fraction, number
from clustersim.errors import ConfigurationError

__all__ = ["Capped", "ExponentialDecay", "PowerDecay"]


@dataclass(frozen=True)
class PowerDecay:
    r"""A step size that falls with a power of t: :math:`\eta_t = \mathrm{initial} / t^{\mathrm{power}}`.

    Parameters
    ----------
    initial : float
        The step size of update 1.
    power : float
        0 keeps it constant.

    Raises
    ------
    ConfigurationError
        If `initial` is not positive, or `power` is negative.

    References
    ----------
    Bitar, Wootters and El Rouayheb, "Stochastic gradient coding for straggler mitigation in distributed learning",
    2020, eq. 11: power 0.7 and initial 7 ln(10^100), which for the mean gradient is to be divided by the largest
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
        object.__setattr__(self, "initial", number("initial", self.initial, above=0.0))
        object.__setattr__(self, "power", number("power", self.power, low=0.0))

    def __call__(self, t: int) -> float:
        """Return the step size of update t = 1, 2, ..."""
        return self.initial / math.pow(t, self.power)


@dataclass(frozen=True)
class ExponentialDecay:
    r"""A step size that falls by the same factor at every update: :math:`\eta_t = \mathrm{initial} \cdot r^t`.

    The count is that of the updates, from t = 1, so the first step already is `initial` times the factor.

    Parameters
    ----------
    initial : float
        The step size before the first update.
    factor : float
        r, in (0, 1].

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
        object.__setattr__(self, "initial", number("initial", self.initial, above=0.0))
        number("factor", self.factor, above=0.0, remedy="give a factor in (0, 1]")
        object.__setattr__(self, "factor", fraction("factor", self.factor, remedy="give a factor in (0, 1]"))

    def __call__(self, t: int) -> float:
        """Return the step size of update t = 1, 2, ..."""
        return max(self.initial * self.factor**t, sys.float_info.min)  # a step that underflows to 0 would be refused


@dataclass(frozen=True)
class Capped:
    r"""Another schedule, held below a bound: :math:`\eta_t = \min\{\mathrm{highest}, \mathrm{schedule}(t)\}`.

    Parameters
    ----------
    schedule : callable
        Maps the update number t = 1, 2, ... to a step size.
    highest : float
        The bound.

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
            raise ConfigurationError(
                f"schedule = {self.schedule!r}: expected a function of the update number t, such as PowerDecay(...)"
            )
        object.__setattr__(self, "highest", number("highest", self.highest, above=0.0))

    def __call__(self, t: int) -> float:
        """Return the step size of update t = 1, 2, ..."""
        return min(self.schedule(t), self.highest)  # in this order a NaN stays one, and is refused
