"""The number of workers that Live Gradient Compensation should wait for in a budget of wall-clock time.

J. Xu, S.-L. Huang, L. Song, T. Lan, "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021,
section IV-C. Waiting for fewer workers gives more updates by time t; waiting for more workers gives a smaller error of
each update. For some K in between, the bound `clustersim.theory.lgc.lgc_error_bound` at t / (tau + mu_K) updates is
minimal. See there for N, K, L, e0, beta2, sigma2, batch and the step size eta. Further parameters:

==========  ==============================================================================================
mu          array (N,): means of the K-th smallest of N times, seconds, entry K - 1 for K; computed by
            `order_statistic_means`, or by `lgc_approximate_means` as in the paper
t           budget of wall-clock time, seconds
latency     tau, the time that communication adds to an update, seconds
blocks      s, the number of blocks of a mini-batch
slack       lambda: an update may take (1 + lambda) times the mean time of one worker
==========  ==============================================================================================
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import flag, integer, number
from clustersim.errors import ConfigurationError
from clustersim.theory.error_bound import checked_means
from clustersim.theory.float_range import represented
from clustersim.theory.lgc import lgc_error_bound, lgc_gradient_bias_bound

__all__ = [
    "lgc_feasible_k",
    "lgc_time_error_bounds",
]

Floats = NDArray[np.float64]


@represented
def lgc_time_error_bounds(
    t: float,
    step_size: float,
    mu: ArrayLike,
    *,
    L: float,
    e0: float,
    beta2: float,
    sigma2: float,
    batch: int = 1,
    latency: float = 0.0,
    relaxed: bool = False,
) -> Floats:
    """Return the bound of Theorem 2 after t / (tau + mu_K) updates, for every K (eq. 16), or B(K) of eq. 18 if relaxed.

    B(K) = (2 e0 / (eta t)) mu_K + 2 L^2 eta^2 (N beta^2 + sigma^2 / m) / K + const. It replaces
    min{1, (N-K)^2 / K^2} in delta^2 by (N-K) / K, which is never less. So eq. 18 is valid for K <= N/2, too. The paper
    does not give the constant: it is
    2 e0 tau / (eta t) + L eta sigma^2 / (N m) - 2 L^2 eta^2 (beta^2 + sigma^2 / (N m)).

    Parameters
    ----------
    t : float
        Budget of time, seconds; at least tau + mu_N, so that there is time for an update of fully synchronous SGD.
    step_size, L, e0, beta2, sigma2, batch
        See `clustersim.theory.lgc`.
    mu, latency
        See the head of this module.
    relaxed : bool, default False
        Return eq. 18, constant included.

    Returns
    -------
    ndarray of float64, shape (N,)
        Bounds in squared gradients; entry K - 1 belongs to K.

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or if the step size is larger than 1/(2L).

    Notes
    -----
    B(K) is convex, but eq. 16 is not: delta^2 is constant for K <= N/2, so there may be one local minimum below N/2 and
    one above. The number of updates by time t is random; as in the paper, its mean is used instead.

    Examples
    --------
    The best K for 10 s and for 100 s, without and with the paper's relaxation:

    >>> from clustersim.latency import ShiftedExponential
    >>> from clustersim.theory import order_statistic_means
    >>> mu = order_statistic_means(ShiftedExponential(shift=0.05, mean=0.02), 10)
    >>> known = dict(L=1.0, e0=1.0, beta2=1.0, sigma2=1.0)
    >>> [int(lgc_time_error_bounds(t, 0.1, mu, **known).argmin()) + 1 for t in (10, 100)]
    [2, 8]
    >>> [int(lgc_time_error_bounds(t, 0.1, mu, **known, relaxed=True).argmin()) + 1 for t in (10, 100)]
    [5, 9]
    """
    means = checked_means(mu)
    t, latency = number("t", t, above=0.0), number("latency", latency, low=0.0)
    if t < latency + means[-1]:
        raise ConfigurationError(
            f"t = {t:g}: expected at least latency + mu_N = {latency + means[-1]:g} s, the mean time of an update that "
            "waits for all workers"
        )
    workers, relaxed = len(means), flag("relaxed", relaxed)
    bounds = np.empty(workers)
    for k in range(1, workers + 1):
        updates = t / (latency + means[k - 1])
        bounds[k - 1] = lgc_error_bound(
            updates, step_size, workers=workers, k=k, L=L, e0=e0, beta2=beta2, sigma2=sigma2, batch=batch
        )
        if relaxed:
            delta2 = lgc_gradient_bias_bound(workers, k, beta2=beta2).delta2
            excess = (workers - k) / k * number("beta2", beta2, low=0.0) - delta2
            bounds[k - 1] += 2.0 * (float(L) * float(step_size)) ** 2 * excess  # lgc_error_bound checked both
    return bounds


@represented
def lgc_feasible_k(mu: ArrayLike, *, blocks: int, slack: float, latency: float = 0.0) -> NDArray[np.int64]:
    """Return all K with mu_K <= (1 + lambda) E[X] (eq. 19) and mu_N / s <= mu_K + tau (eq. 20), for any law.

    The first constraint limits the time of an update relative to that of one worker. The second ensures that the
    slowest worker has finished a block before the update, if all times equal their means.

    Parameters
    ----------
    mu, blocks, slack, latency
        See the head of this module. E[X] is the mean of mu.

    Returns
    -------
    ndarray of int64
        The values of K in ascending order; empty if the constraints exclude each other.

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> from clustersim.latency import ShiftedExponential
    >>> from clustersim.theory import order_statistic_means
    >>> mu = order_statistic_means(ShiftedExponential(shift=0.05, mean=0.02), 10)
    >>> lgc_feasible_k(mu, blocks=4, slack=0.1)
    array([1, 2, 3, 4, 5, 6, 7])
    >>> lgc_feasible_k(mu, blocks=2, slack=0.1)
    array([3, 4, 5, 6, 7])
    """
    means = checked_means(mu)
    blocks, latency = integer("blocks", blocks, low=1), number("latency", latency, low=0.0)
    slack = number("slack", slack, low=0.0)
    feasible = (means <= (1.0 + slack) * means.mean()) & (means[-1] / blocks <= means + latency)
    return np.flatnonzero(feasible) + 1
