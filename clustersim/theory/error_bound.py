"""The bound on the error of fastest-k SGD at which the adaptive-k paper's theory starts, with its constants checked.

In the paper's symbols, with mu_k the mean of the k-th of n response times, alpha = -ln(1 - eta c), and
f_k = eta L sigma^2 / (2 c k s) the floor of the error,

    e(t) = f_k + exp(-alpha (t - t') / mu_k) (e(t') - f_k)

bounds the error at time t if k has been constant since t' (eq. 19). `clustersim.theory.adaptive_k` builds on it.
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
    """What the bound needs to know.

    Parameters
    ----------
    mu : ndarray, shape (n,)
        Mean of the k-th order statistic at k - 1, seconds.
    floors : ndarray, shape (n,)
        Floor of the error at k - 1.
    alpha : float
        Rate of the fall of the error per update.
    e0 : float
        Error of the first model.
    noise, gain : float
        eta L sigma^2 and 2 c s, of which floors are made.
    """

    mu: Floats
    floors: Floats
    alpha: float
    e0: float
    noise: float
    gain: float

    @classmethod
    def checked(cls, mu: ArrayLike, eta: float, L: float, c: float, sigma2: float, s: float, e0: float) -> "ErrorBound":
        """Derive the floors and the rate from the paper's constants, or raise `ConfigurationError`."""
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
        """The bound `elapsed` seconds after it was `error`, with constant k (eq. 19)."""
        floor = self.floors[k - 1]
        bound: Floats = floor + np.exp(-self.alpha * elapsed / self.mu[k - 1]) * (error - floor)
        return bound

    def after(self, elapsed: float, k: int, error: float) -> float:
        """The same for one number."""
        return float(self.at(np.asarray(elapsed), k, error))


def checked_means(mu: ArrayLike) -> Floats:
    """The means of the order statistics, positive and in order."""
    expected = "the n finite means of the order statistics in ascending order, seconds; "
    expected += "order_statistic_means(model, n) computes them"
    means = numbers("mu", mu, expected, above=0.0, dimensions=1)
    if not means.size or (np.diff(means) < 0.0).any():
        raise complaint("mu", mu, expected)
    return means


def checked_times(name: str, t: ArrayLike, *, positive: bool = False) -> Floats:
    """Times, at least 0 or greater than 0; infinite ones are the end of all times."""
    if positive:
        return numbers(name, t, "times greater than 0", above=0.0, finite=False)
    return numbers(name, t, "times in seconds, at least 0", low=0.0, finite=False)
