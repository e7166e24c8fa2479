"""Adaptive-k schemes: wait for few workers while the error falls fast, for more when it has reached its floor.

Both are compositions; their wait rules combine with any other placement and decoder through `Synchronous`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import store
from clustersim.policies.composition import Composition
from clustersim.policies.synchronous import Synchronous
from clustersim.waits import Pflug, Schedule

__all__ = ["AdaptiveK", "SwitchingTimes"]


@dataclass(frozen=True)
class AdaptiveK(Composition):
    """Fastest-k SGD that raises k when Pflug's test detects the error floor of the present k.

    Parameters
    ----------
    start : int
        The first k.
    threshold : int
        Surplus of opposed over aligned consecutive gradients that must be exceeded (the paper's ``thresh``).
    burn_in : int
        Updates since the last switch that must be exceeded (the paper's ``burnin``).
    step : int, optional
        Added to k at a switch; 1 if neither `step` nor `factor` is given.
    factor : int, optional
        Multiplies k at a switch.
    max_k : int, optional
        k is not raised beyond it; n if not given.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) `start` or `max_k` is beyond the number of workers.

    Notes
    -----
    Source: Kas Hanna et al. 2022, Algorithm 1; `clustersim.waits.Pflug` says where it departs from the printed form.

    Examples
    --------
    The setting of the paper's Fig. 3:

    >>> AdaptiveK(start=10, threshold=10, burn_in=200, step=10, max_k=40)
    AdaptiveK(start=10, threshold=10, burn_in=200, step=10, factor=None, max_k=40)
    """

    start: int
    threshold: int
    burn_in: int
    step: int | None = None
    factor: int | None = None
    max_k: int | None = None

    def compose(self) -> Synchronous:
        """An even partition, Pflug's test, the mean."""
        return Synchronous(wait=Pflug(self.start, self.threshold, self.burn_in, self.step, self.factor, self.max_k))


@dataclass(frozen=True)
class SwitchingTimes(Composition):
    """Fastest-k SGD that raises k by one at each of the given times.

    Parameters
    ----------
    times : sequence of float
        Simulated times in seconds, not falling.
    start : int, default 1
        The first k.

    Raises
    ------
    ConfigurationError
        If the times fall, are negative or NaN, or (at the start of a run) lead beyond the number of workers.

    Notes
    -----
    Source: Kas Hanna et al. 2022, Theorem 1, whose times `clustersim.theory.bound_optimal_switching_times` computes.

    Examples
    --------
    >>> SwitchingTimes([496.9, 621.6])
    SwitchingTimes(times=(496.9, 621.6), start=1)
    """

    times: Sequence[float] | NDArray[np.float64]
    start: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        store(self, times=Schedule(self.times, self.start).times)

    def compose(self) -> Synchronous:
        """An even partition, switches at the given times, the mean."""
        return Synchronous(wait=Schedule(self.times, self.start))
