"""The bound on the error of fastest-k SGD on which the adaptive-k paper's theory builds, and checks of its constants.

The symbols are those of the paper: mu_k is the mean of the k-th smallest of n times, alpha = -ln(1 - eta c), and
f_k = eta L sigma^2 / (2 c k s) is the floor of the error. Then

    e(t) = f_k + exp(-alpha (t - t') / mu_k) (e(t') - f_k)

bounds the error at time t if k has been constant since t' (eq. 19). `clustersim.theory.adaptive_k` uses this bound.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import complaint, number, numbers
from clustersim.errors import ConfigurationError

__all__ = ["ErrorBound", "checked_means", "checked_times"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ErrorBound:
    """The derived constants of the bound.

    Parameters
    ----------
    mu : ndarray, shape (n,)
        Means of the order statistics, seconds; entry k - 1 belongs to k.
    floors : ndarray, shape (n,)
        Floors of the error; entry k - 1 belongs to k.
    alpha : float
        Decay rate of the error per update.
    e0 : float
        Error of the initial model.
    noise : float
        eta L sigma^2; floors are noise / (gain k).
    gain : float
        2 c s.
    """

    mu: Floats
    floors: Floats
    alpha: float
    e0: float
    noise: float
    gain: float

    @classmethod
    def checked(cls, mu: ArrayLike, eta: float, L: float, c: float, sigma2: float, s: float, e0: float) -> "ErrorBound":
        """Check the paper's constants, and derive the floors and the rate from them.

        Parameters
        ----------
        mu, eta, L, c, sigma2, s, e0
            See `clustersim.theory.adaptive_k`.

        Raises
        ------
        ConfigurationError
            If a constant is out of range.
        """
        means = checked_means(mu)
        eta, L, c = number("eta", eta, above=0.0), number("L", L, above=0.0), number("c", c, above=0.0)
        sigma2, s = number("sigma2", sigma2, above=0.0), number("s", s, above=0.0)
        if eta * c >= 1.0:
            raise ConfigurationError(
                f"eta c = {eta * c:g}: expected less than 1; choose a step size eta below {1.0 / c:g}"
            )
        noise, gain = eta * L * sigma2, 2.0 * c * s
        floors = noise / gain / np.arange(1.0, len(means) + 1.0)
        return cls(means, floors, -math.log1p(-eta * c), number("e0", e0, low=0.0), noise, gain)

    def at(self, elapsed: Floats, k: int, error: float) -> Floats:
        """Return the bound `elapsed` seconds after it had the value `error`, for constant k (eq. 19)."""
        floor = self.floors[k - 1]
        bound: Floats = floor + np.exp(-self.alpha * elapsed / self.mu[k - 1]) * (error - floor)
        return bound

    def after(self, elapsed: float, k: int, error: float) -> float:
        """Return the same as `at` for one number."""
        return float(self.at(np.asarray(elapsed), k, error))


def checked_means(mu: ArrayLike) -> Floats:
    """Return the means of the order statistics after checking that they are positive and in ascending order."""
    expected = "the n finite means of the order statistics in ascending order, seconds; "
    expected += "order_statistic_means(model, n) computes them"
    means = numbers("mu", mu, expected, above=0.0, dimensions=1)
    if not means.size or (np.diff(means) < 0.0).any():
        raise complaint("mu", mu, expected)
    return means


def checked_times(name: str, t: ArrayLike, *, positive: bool = False) -> Floats:
    """Return times after checking that they are at least 0, or greater than 0; they may be infinite."""
    if positive:
        return numbers(name, t, "times greater than 0", above=0.0, finite=False)
    return numbers(name, t, "times in seconds, at least 0", low=0.0, finite=False)
