"""Any frozen distribution of `scipy.stats` as a latency model."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.errors import ConfigurationError
from clustersim.latency.base import LatencyModel

__all__ = ["FromScipy"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class FromScipy(LatencyModel):
    """Response times that follow a frozen distribution of `scipy.stats`, continuous or discrete, in seconds.

    Parameters
    ----------
    distribution : frozen scipy.stats distribution
        With scalar parameters and no negative values.

    Raises
    ------
    ConfigurationError
        If it is no such distribution, or if it can be negative.

    Examples
    --------
    >>> from scipy import stats
    >>> model = FromScipy(stats.uniform(loc=1.0, scale=2.0))
    >>> model, model.expected_time, round(model.order_statistic_mean(3, 3), 9)
    (FromScipy(uniform(loc=1.0, scale=2.0)), 2.0, 2.5)
    """

    distribution: Any

    def __post_init__(self) -> None:
        needed = ("dist", "args", "kwds", "ppf", "isf", "cdf", "sf", "support")
        if not all(hasattr(self.distribution, name) for name in needed):
            raise ConfigurationError(
                f"distribution = {self.distribution!r}: expected a frozen distribution of scipy.stats, "
                "such as scipy.stats.invgauss(0.5)"
            )
        smallest = self.distribution.support()[0]
        if np.ndim(smallest) != 0:
            raise ConfigurationError(f"{self!r}: expected scalar parameters; use PerWorker for workers that differ")
        if not smallest >= 0.0:
            raise ConfigurationError(
                f"{self!r}: expected a distribution without negative times, but its support begins at {smallest}; "
                "shift it with loc=, or truncate it"
            )

    @property
    def _name(self) -> str:
        words = [repr(value) for value in self.distribution.args]
        words += [f"{key}={value!r}" for key, value in sorted(self.distribution.kwds.items())]
        return f"{self.distribution.dist.name}({', '.join(words)})"

    def __repr__(self) -> str:
        return f"FromScipy({self._name})"

    @property
    def _key(self) -> tuple[object, ...]:
        # The quantiles tell apart distributions whose parameters do not say it all, such as rv_histogram's.
        return type(self.distribution.dist), self._name, *map(float, self.distribution.ppf([0.1, 0.3, 0.5, 0.9]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FromScipy) and other._key == self._key

    def __hash__(self) -> int:
        return hash(self._key)

    def quantile(self, u: ArrayLike) -> Floats:
        """The inverse distribution function; see `LatencyModel.quantile`."""
        # scipy puts the quantile 0 of a discrete law one below its support
        return np.maximum(np.asarray(self.distribution.ppf(u), dtype=np.float64), self.distribution.support()[0])

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """The time t with P(X > t) = exp(-e); see `LatencyModel.inverse_hazard`."""
        hazard = np.asarray(e, dtype=np.float64)
        far = np.maximum(self.distribution.isf(np.exp(-hazard)), self.distribution.support()[0])
        return np.where(hazard < 0.5, self.quantile(-np.expm1(-hazard)), far)

    def cdf(self, t: ArrayLike) -> Floats:
        """P(X <= t)."""
        return np.asarray(self.distribution.cdf(t), dtype=np.float64)

    def survival(self, t: ArrayLike) -> Floats:
        """P(X > t)."""
        return np.asarray(self.distribution.sf(t), dtype=np.float64)

    @property
    def expected_time(self) -> float:
        """E[X], seconds."""
        return float(self.distribution.mean())

    @property
    def variance(self) -> float:
        """Var[X], seconds squared."""
        variance = float(self.distribution.var())
        return math.inf if math.isnan(variance) else variance
