"""Latency models with heavy tails: Pareto, Weibull and log-normal.

`mean` is always a mean in seconds, never a rate. Each time is drawn by inverse transform of one uniform draw.
`clustersim.latency.parametric` contains the models with lighter tails.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtri, ndtri_exp

from clustersim.checks import scale, store
from clustersim.latency.parametric import HazardFamily

__all__ = ["LogNormal", "Pareto", "Weibull"]

Floats = NDArray[np.float64]

_LEAST_SHAPE = 0.01  # of a Weibull law; below it the gamma function overflows
_MAX_SIGMA = 26.0  # the variance of a log-normal law with a larger sigma may overflow


@dataclass(frozen=True)
class Pareto(HazardFamily):
    """Pareto times, with a heavy tail: P(X > t) = (t0 / t)^shape for t >= t0 = mean (shape - 1) / shape.

    This is the classical Pareto law (type I): no time is shorter than t0. The law of the same name that starts at 0
    (type II, Lomax), P(X > t) = (1 + t / s)^-shape, is a different one; ``numpy.random.Generator.pareto`` draws it.

    The mean of the k-th of n order statistics is t0 times the product of i / (i - 1/shape) over i = n-k+1 .. n.

    Parameters
    ----------
    mean : float
        Mean time, seconds, greater than 0.
    shape : float
        Tail exponent, greater than 1, so that the mean exists. The variance exists if it is greater than 2.

    Examples
    --------
    >>> model = Pareto(mean=3.0, shape=1.5)
    >>> round(float(model.quantile(0.0)), 9), round(model.order_statistic_mean(1, 2), 9), model.variance
    (1.0, 1.5, inf)
    """

    mean: float
    shape: float

    def __post_init__(self) -> None:
        shape = scale("shape", self.shape, above=1.0, remedy="the mean of a Pareto law exists only above 1")
        store(self, mean=scale("mean", self.mean), shape=shape)

    @property
    def _smallest(self) -> float:
        return self.mean * (self.shape - 1.0) / self.shape

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e); see `LatencyModel.inverse_hazard`."""
        return self._smallest * np.exp(np.asarray(e, dtype=np.float64) / self.shape)

    def _hazard(self, t: Floats) -> Floats:
        return self.shape * np.log(np.maximum(t, self._smallest) / self._smallest)

    @property
    def expected_time(self) -> float:
        """E[X], in seconds."""
        return self.mean

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        if self.shape <= 2.0:
            return math.inf
        return float(self._smallest**2 * self.shape / ((self.shape - 1.0) ** 2 * (self.shape - 2.0)))

    def order_statistic_mean(self, k: int, n: int) -> float:
        """Return E[X_(k)], a product of k factors, in seconds."""
        k, n = self._checked_rank(k, n)
        return float(self._smallest * np.exp(-np.log1p(-1.0 / (self.shape * np.arange(n - k + 1, n + 1))).sum()))


@dataclass(frozen=True)
class Weibull(HazardFamily):
    """Weibull times: P(X > t) = exp(-(t / scale)^shape), scale = mean / Gamma(1 + 1/shape).

    Parameters
    ----------
    mean : float
        Mean time, seconds, greater than 0.
    shape : float
        At least 0.01, because floats cannot represent heavier tails. Below 1, the tail is heavier than that of an
        exponential law.

    Examples
    --------
    The time of the fastest of 4 workers is again Weibull, with 4^(-1/shape) times the mean:

    >>> round(Weibull(mean=1.0, shape=0.5).order_statistic_mean(1, 4), 9) == 1 / 16
    True
    """

    mean: float
    shape: float

    def __post_init__(self) -> None:
        store(self, mean=scale("mean", self.mean), shape=scale("shape", self.shape, low=_LEAST_SHAPE))

    @property
    def _scale(self) -> float:
        return self.mean / math.gamma(1.0 + 1.0 / self.shape)

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e); see `LatencyModel.inverse_hazard`."""
        return self._scale * np.asarray(e, dtype=np.float64) ** (1.0 / self.shape)

    def _hazard(self, t: Floats) -> Floats:
        with np.errstate(over="ignore"):  # the hazard of very long times is infinite
            return (t / self._scale) ** self.shape

    @property
    def expected_time(self) -> float:
        """E[X], in seconds."""
        return self.mean

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        return self.mean**2 * math.expm1(
            math.lgamma(1.0 + 2.0 / self.shape) - 2.0 * math.lgamma(1.0 + 1.0 / self.shape)
        )


@dataclass(frozen=True)
class LogNormal(HazardFamily):
    """Log-normal times: the logarithm is normal with standard deviation `sigma` and mean ln(mean) - sigma^2 / 2.

    Parameters
    ----------
    mean : float
        Mean of the time itself, seconds, greater than 0.
    sigma : float
        Standard deviation of the logarithm, greater than 0.

    Examples
    --------
    >>> round(float(LogNormal(mean=1.0, sigma=0.5).quantile(0.5)), 6) == round(math.exp(-0.125), 6)
    True
    """

    mean: float
    sigma: float

    def __post_init__(self) -> None:
        store(self, mean=scale("mean", self.mean), sigma=scale("sigma", self.sigma))

    @property
    def _location(self) -> float:
        return math.log(self.mean) - self.sigma**2 / 2.0

    def quantile(self, u: ArrayLike) -> Floats:
        """Return the inverse of the distribution function; see `LatencyModel.quantile`."""
        deviations: Floats = ndtri(np.asarray(u, dtype=np.float64))
        return np.exp(self._location + self.sigma * deviations)

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e); see `LatencyModel.inverse_hazard`."""
        deviations: Floats = ndtri_exp(-np.asarray(e, dtype=np.float64))
        return np.exp(self._location - self.sigma * deviations)

    def _hazard(self, t: Floats) -> Floats:
        with np.errstate(divide="ignore"):  # log(0) = -inf gives hazard 0
            return -log_ndtr((self._location - np.log(t)) / self.sigma)

    @property
    def expected_time(self) -> float:
        """E[X], in seconds."""
        return self.mean

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        return self.mean**2 * math.expm1(self.sigma**2) if self.sigma < _MAX_SIGMA else math.inf
