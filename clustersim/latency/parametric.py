"""Latency models with light tails: constant, exponential, shifted exponential and gamma.

`mean` is always a mean in seconds, never a rate. Each time is drawn by inverse transform of one uniform draw from
`clustersim.streams.Uniforms`. Where both tails must be exact, the cumulative hazard e = -ln P(X > t) replaces the
probability. See `clustersim.latency.base` for the interface.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv

from clustersim.checks import scale, seconds, store
from clustersim.latency.base import LatencyModel
from clustersim.streams import Uniforms

__all__ = ["Constant", "Exponential", "Gamma", "HazardFamily", "ShiftedExponential"]

Floats = NDArray[np.float64]


class HazardFamily(LatencyModel):
    """Base class of models defined by their cumulative hazard and its inverse."""

    def quantile(self, u: ArrayLike) -> Floats:
        """Return the inverse of the distribution function; see `LatencyModel.quantile`."""
        with np.errstate(divide="ignore"):  # the hazard at u = 1 is infinite
            return self.inverse_hazard(-np.log1p(-np.asarray(u, dtype=np.float64)))

    def cdf(self, t: ArrayLike) -> Floats:
        """Return P(X <= t) = 1 - exp(-hazard)."""
        with np.errstate(over="ignore"):  # a hazard that overflows gives probability 1
            return -np.expm1(-self._hazard(np.maximum(t, 0.0)))

    def survival(self, t: ArrayLike) -> Floats:
        """Return P(X > t) = exp(-hazard)."""
        with np.errstate(over="ignore"):
            return np.exp(-self._hazard(np.maximum(t, 0.0)))

    @abstractmethod
    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e); see `LatencyModel.inverse_hazard`."""

    @abstractmethod
    def _hazard(self, t: Floats) -> Floats:
        """Return the cumulative hazard at times t >= 0."""


@dataclass(frozen=True)
class Constant(LatencyModel):
    """A constant time: every task takes the same time.

    Parameters
    ----------
    time : float
        Time of a task, seconds, at least 0.

    Examples
    --------
    >>> Constant(2.0).order_statistic_mean(3, 5)
    2.0
    """

    time: float

    def __post_init__(self) -> None:
        store(self, time=seconds("time", self.time))

    def quantile(self, u: ArrayLike) -> Floats:
        """Return the inverse of the distribution function; see `LatencyModel.quantile`."""
        return np.full(np.shape(u), self.time)

    def times(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int, lane: int = 0) -> Floats:
        """Return `time` for every task; see `LatencyModel.times`."""
        del uniforms, first_task, lane  # nothing is random
        return np.full((tasks, workers), self.time)

    def times_at(
        self, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0
    ) -> Floats:
        """Return `time` for every task; see `LatencyModel.times_at`."""
        del uniforms, workers, lane
        return np.full(len(tasks), self.time)

    def cdf(self, t: ArrayLike) -> Floats:
        """Return P(X <= t)."""
        return np.where(np.asarray(t) >= self.time, 1.0, 0.0)

    @property
    def expected_time(self) -> float:
        """E[X], in seconds."""
        return self.time

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        return 0.0

    def order_statistic_mean(self, k: int, n: int) -> float:
        """Return E[X_(k)] = time, in seconds."""
        self._checked_rank(k, n)
        return self.time


@dataclass(frozen=True)
class ShiftedExponential(HazardFamily):
    """Shifted exponential times, constant plus exponential: P(X > t) = exp(-(t - shift) / mean) for t >= shift.

    The mean of the k-th of n order statistics is shift + mean (H_n - H_(n-k)), where H_i is the i-th harmonic number.

    Parameters
    ----------
    shift : float
        The constant part, seconds, at least 0.
    mean : float
        Mean of the exponential part alone, seconds, greater than 0. The mean of the whole time is shift + mean.

    Examples
    --------
    The times of live gradient compensation (Xu et al., 2021), 0.05 s plus 0.02 s on average:

    >>> model = ShiftedExponential(shift=0.05, mean=0.02)
    >>> round(model.expected_time, 6), round(model.order_statistic_mean(2, 2), 6)
    (0.07, 0.08)
    """

    increasing: ClassVar[bool] = True

    shift: float
    mean: float

    def __post_init__(self) -> None:
        store(self, shift=seconds("shift", self.shift), mean=scale("mean", self.mean))

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e); see `LatencyModel.inverse_hazard`."""
        return self.shift + self.mean * np.asarray(e, dtype=np.float64)

    def _hazard(self, t: Floats) -> Floats:
        return np.maximum(t - self.shift, 0.0) / self.mean

    @property
    def expected_time(self) -> float:
        """E[X], in seconds."""
        return self.shift + self.mean

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        return self.mean**2

    def order_statistic_mean(self, k: int, n: int) -> float:
        """Return E[X_(k)] = shift + mean (1/(n-k+1) + ... + 1/n), in seconds."""
        k, n = self._checked_rank(k, n)
        return float(self.shift + self.mean * (1.0 / np.arange(n - k + 1, n + 1)).sum())


@dataclass(frozen=True)
class Exponential(HazardFamily):
    """Exponential times: P(X > t) = exp(-t / mean).

    The mean of the k-th of n order statistics is mean (H_n - H_(n-k)), where H_i is the i-th harmonic number (eq. 7 of
    the adaptive-k paper, whose lambda is the rate 1 / mean).

    Parameters
    ----------
    mean : float
        Mean time, seconds, greater than 0.

    Examples
    --------
    >>> round(Exponential(mean=0.2).order_statistic_mean(2, 5), 6) == round(0.2 * (1 / 4 + 1 / 5), 6)
    True
    """

    increasing: ClassVar[bool] = True

    mean: float

    def __post_init__(self) -> None:
        store(self, mean=scale("mean", self.mean))

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e); see `LatencyModel.inverse_hazard`."""
        return self.mean * np.asarray(e, dtype=np.float64)

    def _hazard(self, t: Floats) -> Floats:
        return t / self.mean

    @property
    def expected_time(self) -> float:
        """E[X], in seconds."""
        return self.mean

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        return self.mean**2

    def order_statistic_mean(self, k: int, n: int) -> float:
        """Return E[X_(k)] = mean (1/(n-k+1) + ... + 1/n), in seconds."""
        return ShiftedExponential(0.0, self.mean).order_statistic_mean(k, n)


@dataclass(frozen=True)
class Gamma(LatencyModel):
    """Gamma times; if `shape` is a whole number, the sum of `shape` independent exponential times.

    Parameters
    ----------
    mean : float
        Mean of the whole time, seconds, greater than 0.
    shape : float
        Shape parameter, greater than 0.

    Examples
    --------
    >>> model = Gamma(mean=3.0, shape=2.0)
    >>> model.variance, round(model.order_statistic_mean(1, 2), 6)
    (4.5, 1.875)
    """

    mean: float
    shape: float

    def __post_init__(self) -> None:
        store(self, mean=scale("mean", self.mean), shape=scale("shape", self.shape))

    @property
    def _scale(self) -> float:
        return self.mean / self.shape

    def quantile(self, u: ArrayLike) -> Floats:
        """Return the inverse of the distribution function; see `LatencyModel.quantile`."""
        return self._scale * np.asarray(gammaincinv(self.shape, np.asarray(u)), dtype=np.float64)

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e); see `LatencyModel.inverse_hazard`."""
        hazard = np.asarray(e, dtype=np.float64)
        below = gammaincinv(self.shape, -np.expm1(-hazard))
        return self._scale * np.where(hazard < 0.5, below, gammainccinv(self.shape, np.exp(-hazard)))

    def cdf(self, t: ArrayLike) -> Floats:
        """Return P(X <= t)."""
        with np.errstate(over="ignore"):
            return np.asarray(gammainc(self.shape, np.maximum(t, 0.0) / self._scale), dtype=np.float64)

    def survival(self, t: ArrayLike) -> Floats:
        """Return P(X > t)."""
        with np.errstate(over="ignore"):
            return np.asarray(gammaincc(self.shape, np.maximum(t, 0.0) / self._scale), dtype=np.float64)

    @property
    def expected_time(self) -> float:
        """E[X], in seconds."""
        return self.mean

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        return self.mean**2 / self.shape
