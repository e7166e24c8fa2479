"""Any frozen distribution of `scipy.stats` as a latency model."""

import hashlib
import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import complaint
from clustersim.errors import ConfigurationError
from clustersim.latency.base import LatencyModel

__all__ = ["FromScipy"]

Floats = NDArray[np.float64]

_LEAST_HAZARD = 2.0**-53  # the smallest draw above 0; the ppf of some distributions fails at smaller probabilities


@dataclass(frozen=True, eq=False, repr=False)
class FromScipy(LatencyModel):
    """Times in seconds that follow a frozen distribution of `scipy.stats`, continuous or discrete.

    Parameters
    ----------
    distribution : frozen scipy.stats distribution
        The law of the times, with scalar parameters and no negative values.

    Raises
    ------
    ConfigurationError
        If it is not a frozen distribution with scalar parameters, or if its values can be negative.

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
            expected = "a frozen distribution of scipy.stats, such as scipy.stats.invgauss(0.5)"
            raise complaint("distribution", self.distribution, expected)
        smallest = self.distribution.support()[0]
        if np.ndim(smallest) != 0:
            raise ConfigurationError(f"{self!r}: expected scalar parameters; use PerWorker for workers that differ")
        if not smallest >= 0.0:
            raise ConfigurationError(
                f"{self!r}: expected a distribution without negative times, but its support begins at {smallest}; "
                "shift it with loc=, or truncate it"
            )

    @cached_property
    def _name(self) -> str:
        # Compared by class name, because importing the class takes half a second. Its parameters are arrays, which
        # scipy does not store in `args`.
        if type(self.distribution.dist).__name__ == "rv_histogram":
            heights = np.asarray(self.distribution.ppf(np.linspace(0.0, 1.0, 101)))
            return f"rv_histogram(<{hashlib.sha256(heights.tobytes()).hexdigest()[:8]}>)"
        arguments = [repr(value) for value in self.distribution.args]
        arguments += [f"{key}={value!r}" for key, value in sorted(self.distribution.kwds.items())]
        return f"{self.distribution.dist.name}({', '.join(arguments)})"

    def __repr__(self) -> str:
        return f"FromScipy({self._name})"

    @property
    def _key(self) -> tuple[object, ...]:
        return type(self.distribution.dist), self._name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FromScipy) and other._key == self._key

    def __hash__(self) -> int:
        return hash(self._key)

    def quantile(self, u: ArrayLike) -> Floats:
        """Return the inverse of the distribution function; see `LatencyModel.quantile`."""
        # scipy returns one less than the support for quantile 0 of a discrete law
        times = np.asarray(self.distribution.ppf(u), dtype=np.float64)
        smallest = float(self.distribution.support()[0])
        return np.maximum(times, smallest)

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e); it stays constant where the tails of scipy are not accurate."""
        hazard = np.clip(np.asarray(e, dtype=np.float64), _LEAST_HAZARD, self._most_hazard)
        below = self.quantile(-np.expm1(-np.minimum(hazard, 0.5)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy warns of inaccurate digits that do not matter so far out
            above = np.asarray(self.distribution.isf(np.exp(-np.maximum(hazard, 0.5))), dtype=np.float64)
        return np.where(hazard < 0.5, below, above)

    @cached_property
    def _most_hazard(self) -> float:
        """The hazard up to which `isf` is accurate; for many distributions of scipy it fails at tiny probabilities.

        The limit is at least 36, unless `isf` is not finite there. It extends further while `sf` inverts `isf`, which
        matters for heavy tails. Beyond exp(-36), a light tail is negligible.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            first = next((h for h in range(36, 0, -4) if math.isfinite(self.distribution.isf(math.exp(-h)))), 4)
            for hazard in range(first, 700, 4):
                back = float(self.distribution.sf(self.distribution.isf(math.exp(-hazard - 4))))
                if not abs(math.log(max(back, 1e-320)) + hazard + 4) < 1e-6:
                    return float(hazard)
        return 700.0

    def cdf(self, t: ArrayLike) -> Floats:
        """Return P(X <= t)."""
        with np.errstate(over="ignore"):  # very large times may overflow
            return np.asarray(self.distribution.cdf(t), dtype=np.float64)

    def survival(self, t: ArrayLike) -> Floats:
        """Return P(X > t)."""
        with np.errstate(over="ignore"):
            return np.asarray(self.distribution.sf(t), dtype=np.float64)

    @property
    def expected_time(self) -> float:
        """E[X], in seconds."""
        return float(self.distribution.mean())

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        variance = float(self.distribution.var())
        return math.inf if math.isnan(variance) else variance
