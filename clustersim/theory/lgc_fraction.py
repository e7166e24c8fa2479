"""The fraction of workers that Live Gradient Compensation should wait for, in the approximation of its paper.

J. Xu, S.-L. Huang, L. Song, T. Lan, "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021,
section IV-C. The paper approximates the means of the order statistics of shifted exponential times by
`lgc_approximate_means` and derives the fraction p = K/N from them. `clustersim.theory.lgc_threshold` uses exact means.
See there for the parameters, and `clustersim.theory.lgc` for N, K, L, e0, beta2, sigma2, batch and the step size eta.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import COUNT, integer, number
from clustersim.theory.error_bound import checked_times
from clustersim.theory.float_range import represented
from clustersim.theory.lgc import lgc_error_bound

__all__ = ["FractionLimits", "lgc_approximate_means", "lgc_fraction_limits", "lgc_optimal_fraction"]

Floats = NDArray[np.float64]


class FractionLimits(NamedTuple):
    """Limits of p = K/N; if low > high, no K satisfies both.

    Parameters
    ----------
    low : float
        The smallest fraction, at least 1/2.
    high : float
        The largest fraction.

    Examples
    --------
    >>> limits = lgc_fraction_limits(10, blocks=4, slack=0.5)
    >>> round(limits.low, 4), round(limits.high, 4)
    (0.5, 0.7769)
    """

    low: float
    high: float


@represented
def lgc_approximate_means(workers: int, *, shift: float, mean: float) -> Floats:
    """Return the paper's approximate means of order statistics of shift + Exp(mean), shift + mean ln(N/(N-K)).

    These are eq. 21 and 22; for K = N the mean is shift + mean ln N. For K < N, the approximation is too large, by less
    than mean / (2 (N-K)). For K = N it is too small, by more than 0.577 mean for every N, because H_N - ln N decreases
    to Euler's constant.

    Parameters
    ----------
    workers : int
        N, the number of workers.
    shift : float
        Delta, the constant part of a time, seconds.
    mean : float
        mu, the mean of the random part alone, seconds.

    Returns
    -------
    ndarray of float64, shape (N,), seconds

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> from clustersim.latency import ShiftedExponential
    >>> from clustersim.theory import order_statistic_means
    >>> order_statistic_means(ShiftedExponential(shift=0.05, mean=0.02), 4).round(4)
    array([0.055 , 0.0617, 0.0717, 0.0917])
    >>> lgc_approximate_means(4, shift=0.05, mean=0.02).round(4)
    array([0.0558, 0.0639, 0.0777, 0.0777])
    """
    workers = integer("workers", workers, low=1, high=COUNT)
    shift, mean = number("shift", shift, low=0.0), number("mean", mean, above=0.0)
    left = np.maximum(np.arange(workers - 1.0, -1.0, -1.0), 1.0)
    means: Floats = shift + mean * np.log(workers / left)
    return means


@represented
def lgc_optimal_fraction(
    t: ArrayLike,
    step_size: float,
    *,
    workers: int,
    mean: float,
    L: float,
    e0: float,
    beta2: float,
    sigma2: float,
    batch: int = 1,
) -> Floats:
    """Return the fraction p = K/N that minimises B(K) of eq. 18, for times shift + Exp(mean) (eq. 25).

    (1 - p) / p^2 = a = mean e0 / (L^2 eta^3 t (beta^2 + sigma^2 / (N m))), hence p = 2 / (1 + sqrt(1 + 4 a)). This uses
    mu_K = shift + mean ln(N/(N-K)) and a real K, and ignores the limits of `lgc_fraction_limits`.

    Parameters
    ----------
    t : array_like
        Budgets of time, seconds, greater than 0.
    mean : float
        mu, the mean of the random part of a time alone, seconds. The result does not depend on the shift or on tau.
    step_size, workers, L, e0, beta2, sigma2, batch
        See `clustersim.theory.lgc`.

    Returns
    -------
    float64 or ndarray of float64, same shape as `t`
        0 if beta2 and sigma2 are 0, because then all gradients are equal.

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or if the step size is larger than 1/(2L).

    Notes
    -----
    p increases with t, beta^2 and sigma^2, and decreases with e0. The paper's sentence on N and IID data is not
    correct. For a given step size, p decreases with N if sigma^2 > 0, but not if N m is constant, as in the paper's own
    experiment. IID data (beta^2 = 0) need fewer workers, not more. With a step size proportional to sqrt(N), as in
    Corollary 1, p for IID data increases with N. If p > 2/3, the relaxation of eq. 18 has increased it.

    Examples
    --------
    >>> known = dict(mean=0.02, L=1.0, e0=1.0, sigma2=1.0)
    >>> lgc_optimal_fraction([10.0, 1000.0], 0.1, workers=10, beta2=2.0, **known).round(4)
    array([0.6264, 0.9907])
    >>> float(lgc_optimal_fraction(10.0, 0.1, workers=10, beta2=0.0, **known).round(4))
    0.2
    """
    lgc_error_bound(  # for its checks
        1, step_size, workers=workers, k=workers, L=L, e0=e0, beta2=beta2, sigma2=sigma2, batch=batch
    )
    step_size, L, e0, beta2, sigma2 = (float(constant) for constant in (step_size, L, e0, beta2, sigma2))
    workers, batch = int(workers), int(batch)
    budgets = checked_times("t", t, positive=True)
    spread = beta2 + sigma2 / (workers * batch)
    if spread == 0.0:
        return np.zeros(budgets.shape)[()]
    a = number("mean", mean, above=0.0) * e0 / (L**2 * step_size**3 * budgets * spread)
    fractions: Floats = (2.0 / (1.0 + np.sqrt(1.0 + 4.0 * a)))[()]
    return fractions


@represented
def lgc_fraction_limits(
    workers: int, blocks: int, slack: float, *, shift: float = 0.0, mean: float = 1.0, latency: float = 0.0
) -> FractionLimits:
    """Return limits of p = K/N from the constraints of `lgc_feasible_k`, with the approximation of eq. 21 and 22.

    max{1/2, 1 - exp(-(ln N) / s + (1 - 1/s) Delta/mu + tau/mu)} <= p <= 1 - exp(-(1 + lambda) - lambda Delta/mu). With
    the default shift and latency of 0, these are the limits of eq. 23. They lie between the limits for any other shift
    and latency.

    Parameters
    ----------
    workers : int
        N, the number of workers.
    blocks, slack, latency
        See `clustersim.theory.lgc_threshold`; the slack is less than 1 in the paper.
    shift : float, default 0.0
        Delta, the constant part of a time, seconds.
    mean : float, default 1.0
        mu, the mean of the random part alone, seconds.

    Returns
    -------
    FractionLimits

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Notes
    -----
    If s (1 + lambda) < ln N, eq. 23 has no solution: for s = 2 and every lambda < 1, this is the case from N = 55 on.
    Eq. 22 omits Euler's constant. So if shift and latency are 0, the lower limit allows about exp(0.577 / s) times too
    many stragglers; `lgc_feasible_k` uses exact means. The limit 1/2 is a recommendation (Remark 1), not a constraint.

    Examples
    --------
    >>> low, high = lgc_fraction_limits(10, blocks=4, slack=0.5)
    >>> round(low, 4), round(high, 4)
    (0.5, 0.7769)
    >>> low, high = lgc_fraction_limits(100, blocks=2, slack=0.5)
    >>> low > high
    True
    """
    workers, blocks = integer("workers", workers, low=1), integer("blocks", blocks, low=1)
    slack, mean = number("slack", slack, low=0.0), number("mean", mean, above=0.0)
    shifts = number("shift", shift, low=0.0) / mean
    waits = math.log(workers) / blocks - (1.0 - 1.0 / blocks) * shifts - number("latency", latency, low=0.0) / mean
    return FractionLimits(max(0.5, -math.expm1(-waits)), -math.expm1(-(1.0 + slack) - slack * shifts))
