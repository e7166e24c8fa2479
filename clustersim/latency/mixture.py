"""The law of a time that comes from one of several models: the base class of `Markov` and `PerWorker`."""

import math
from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.latency.base import LatencyModel

__all__ = ["Mixture"]

Floats = NDArray[np.float64]


class Mixture(LatencyModel):
    """A time that follows model j with probability p_j: P(X <= t) = sum_j p_j P(X_j <= t)."""

    @abstractmethod
    def parts(self) -> list[tuple[float, LatencyModel]]:
        """Return the pairs (p_j, model j); the probabilities are positive and sum to 1."""

    @property
    def expected_time(self) -> float:
        """E[X] = sum_j p_j E[X_j], in seconds."""
        return math.fsum(p * model.expected_time for p, model in self.parts())

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared: the mean of the variances plus the variance of the means."""
        mean = self.expected_time
        if math.isinf(mean):
            return math.inf
        return math.fsum(p * (model.variance + (model.expected_time - mean) ** 2) for p, model in self.parts())

    @property
    def measured(self) -> bool:
        """Whether any of the models contains measured times."""
        return any(model.measured for _, model in self.parts())

    @property
    def longest(self) -> float:
        """The longest time of the models that always respond, in seconds; `math.inf` if there is none."""
        longest = [model.longest for _, model in self.parts()]
        return max((time for time in longest if math.isfinite(time)), default=math.inf)

    def cdf(self, t: ArrayLike) -> Floats:
        """Return P(X <= t) = sum_j p_j P(X_j <= t)."""
        return np.asarray(sum(p * model.cdf(t) for p, model in self.parts()))

    def survival(self, t: ArrayLike) -> Floats:
        """Return P(X > t) = sum_j p_j P(X_j > t)."""
        return np.asarray(sum(p * model.survival(t) for p, model in self.parts()))

    def quantile(self, u: ArrayLike) -> Floats:
        """Return the inverse of `cdf`, exact to the last bit."""
        probability = np.asarray(u, dtype=np.float64)
        return _first(lambda t: self.cdf(t) >= probability, [m.quantile(probability) for _, m in self.parts()])

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e), exact to the last bit."""
        hazard = np.asarray(e, dtype=np.float64)
        probability = np.exp(-hazard)
        return _first(lambda t: self.survival(t) <= probability, [m.inverse_hazard(hazard) for _, m in self.parts()])


def _first(reached: Callable[[Floats], NDArray[np.bool_]], candidates: list[Floats]) -> Floats:
    """Return the smallest time at which `reached` is true, between the smallest and the largest candidate.

    Non-negative floats have the same order as their bits, so bisection on the bits finds the exact float, also inf.
    """
    low = np.abs(np.min(candidates, axis=0)).reshape(-1).view(np.int64)  # abs turns -0.0 into 0.0
    high = np.abs(np.max(candidates, axis=0)).reshape(-1).view(np.int64)
    shape = np.shape(candidates[0])
    while (low < high).any():
        middle = low + (high - low) // 2
        done = reached(middle.view(np.float64).reshape(shape)).reshape(-1)
        low, high = np.where(done | (low == high), low, middle + 1), np.where(done, middle, high)
    times: Floats = high.view(np.float64).reshape(shape)
    return times
