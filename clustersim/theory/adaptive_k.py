"""Bounds on the error of fastest-k SGD over wall-clock time, and optimal times to increase k.

S. Kas Hanna, R. Bitar, P. Parag, V. Dasari, S. El Rouayheb, "Adaptive Stochastic Gradient Descent for Fast and
Communication-Efficient Distributed Learning", 2022. The functions take the constants of its error bound, see
`clustersim.theory.error_bound`:

==========  ==============================================================================================
mu          array (n,): mean of the k-th order statistic for k = 1 .. n, seconds; `order_statistic_means`
eta         step size
L, c        Lipschitz constant of the gradient and strong convexity of the objective
sigma2      bound on the variance of the gradient of one row
s           rows per worker
e0          error F(w_0) - F* of the initial model
==========  ==============================================================================================
"""

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from clustersim.checks import complaint, integer, number, numbers
from clustersim.theory.error_bound import ErrorBound, checked_means, checked_times
from clustersim.theory.float_range import represented

__all__ = [
    "adaptive_error_bound",
    "bound_optimal_switching_times",
    "fastest_k_error_bound",
    "fixed_k_crossings",
    "lemma_1_probability",
]

Floats = NDArray[np.float64]


@represented
def fastest_k_error_bound(
    t: ArrayLike, k: int, mu: ArrayLike, eta: float, L: float, c: float, sigma2: float, s: float, e0: float
) -> Floats:
    """Return a bound on the error of fastest-k SGD after wall-clock time t, for a fixed k.

    The bound is e(t) = f_k + (1 - eta c)^(t / mu_k) (e0 - f_k), that of Lemma 1 without its epsilon (eq. 17). The bound
    with epsilon (eq. 6) is the value at t (1 - epsilon). `lemma_1_probability` is a lower bound on its probability.

    Parameters
    ----------
    t : array_like
        Wall-clock times, seconds, at least 0.
    k : int
        Number of workers to wait for, 1 to n.
    mu, eta, L, c, sigma2, s, e0
        See the head of this module.

    Returns
    -------
    float64 or ndarray of float64, same shape as `t`

    Raises
    ------
    ConfigurationError
        If a constant is out of range; eta c must be less than 1, and mu must not decrease.

    Examples
    --------
    The floor of the error in Example 1 of the paper, for k = 1 and for k = 5:

    >>> from clustersim.latency import Exponential
    >>> from clustersim.theory import order_statistic_means
    >>> mu = order_statistic_means(Exponential(mean=1 / 5), 5)
    >>> example = dict(mu=mu, eta=0.001, L=2.0, c=1.0, sigma2=10.0, s=10.0, e0=100.0)
    >>> [round(float(fastest_k_error_bound(1e6, k, **example)), 9) for k in (1, 5)]
    [0.001, 0.0002]
    """
    bound = ErrorBound.checked(mu, eta, L, c, sigma2, s, e0)
    k = integer("k", k, low=1, high=len(bound.mu), remedy="mu must contain a mean for every k")
    errors: Floats = bound.at(checked_times("t", t), k, bound.e0)[()]
    return errors


@represented
def lemma_1_probability(t: ArrayLike, k: int, mu: ArrayLike, variances: ArrayLike, epsilon: float) -> Floats:
    """Return a lower bound on the probability that the error bound of Lemma 1 is valid at time t.

    The result is 1 - (sigma_k^2 / epsilon^2) (2 / (t mu_k) + 1 / t^2), or 0 if this is negative (Lemma 1, eq. 16). With
    at least this probability, (1 - epsilon) t / mu_k updates have been made by time t.

    Parameters
    ----------
    t : array_like
        Wall-clock times, seconds, greater than 0.
    k : int
        Number of workers to wait for, 1 to n.
    mu : array_like, shape (n,)
        Means of the order statistics, seconds; see `order_statistic_means`.
    variances : array_like, shape (n,)
        Variances of the order statistics, seconds squared; see `order_statistic_variances`.
    epsilon : float
        Slack of the bound, greater than 0.

    Returns
    -------
    float64 or ndarray of float64, same shape as `t`

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> round(float(lemma_1_probability(1000.0, 1, mu=[1.0], variances=[1.0], epsilon=0.1)), 4)
    0.7999
    """
    means = checked_means(mu)
    k = integer("k", k, low=1, high=len(means), remedy="mu must contain a mean for every k")
    times = checked_times("t", t, positive=True)
    expected = f"{len(means)} finite numbers, at least 0, one for each in mu"
    spread = numbers("variances", variances, expected, low=0.0)
    if spread.shape != means.shape:
        raise complaint("variances", variances, expected)
    slack = number("epsilon", epsilon, above=0.0)
    failure = spread[k - 1] / slack**2 * (2.0 / (times * means[k - 1]) + 1.0 / times**2)
    probability: Floats = np.maximum(1.0 - failure, 0.0)[()]
    return probability


@represented
def bound_optimal_switching_times(
    mu: ArrayLike, eta: float, L: float, c: float, sigma2: float, s: float, e0: float
) -> Floats:
    """Return the times at which to increase k by 1 so that the error bound decreases fastest at every instant.

    t_k = t_(k-1) + (mu_k / alpha) [ln(mu_(k+1) - mu_k) + ln(2 c s k (k+1) e(t_(k-1)) - eta L (k+1) sigma^2)
    - ln(eta L sigma^2 mu_k)] with t_0 = 0 (Theorem 1, eq. 26), and e(t_k) by eq. 24. If the argument of a logarithm is
    not positive, or if t_k would be less than t_(k-1), k + 1 is better than k from the start. Then the switch is
    immediate, at t_(k-1). (The inequality in eq. 25 is printed in the wrong direction; eq. 26 is correct.)

    Parameters
    ----------
    mu, eta, L, c, sigma2, s, e0
        See the head of this module.

    Returns
    -------
    ndarray of float64, shape (n - 1,), seconds
        Entry k - 1 is the time t_k of the switch from k to k + 1.

    Raises
    ------
    ConfigurationError
        If a constant is out of range; eta c must be less than 1, and mu must not decrease.

    Examples
    --------
    Example 1 of the paper. In Fig. 2b, the first switch is at 589, which contradicts the theorem:

    >>> from clustersim.latency import Exponential
    >>> from clustersim.theory import order_statistic_means
    >>> mu = order_statistic_means(Exponential(mean=1 / 5), 5)
    >>> bound_optimal_switching_times(mu, eta=0.001, L=2.0, c=1.0, sigma2=10.0, s=10.0, e0=100.0).round(1)
    array([ 496.9,  621.6,  793.7, 1102.5])
    """
    bound = ErrorBound.checked(mu, eta, L, c, sigma2, s, e0)
    times = np.zeros(len(bound.mu) - 1)
    now, error = 0.0, bound.e0
    for k, (mean, longer) in enumerate(itertools.pairwise(bound.mu), start=1):
        pull = bound.gain * k * (k + 1) * error - bound.noise * (k + 1)
        argument = (longer - mean) * pull / (bound.noise * mean)
        wait = mean / bound.alpha * math.log(argument) if argument > 1.0 else 0.0
        now, error = now + wait, bound.after(wait, k, error)
        times[k - 1] = now
    return times


@represented
def adaptive_error_bound(
    t: ArrayLike,
    times: ArrayLike,
    mu: ArrayLike,
    eta: float,
    L: float,
    c: float,
    sigma2: float,
    s: float,
    e0: float,
) -> Floats:
    """Return a bound on the error at wall-clock time t of a policy that starts with k = 1 and adds 1 at given times.

    Each interval of constant k starts at the bound at which the previous interval ended (eq. 19).

    Parameters
    ----------
    t : array_like
        Wall-clock times, seconds, at least 0.
    times : array_like, shape (at most n - 1,)
        Times of the switches from k = 1 to 2, from 2 to 3 and so on; seconds, in ascending order.
    mu, eta, L, c, sigma2, s, e0
        See the head of this module.

    Returns
    -------
    float64 or ndarray of float64, same shape as `t`

    Raises
    ------
    ConfigurationError
        If the switching times are not in ascending order, if there are too many, or if a constant is out of range.

    Examples
    --------
    >>> example = dict(mu=[1.0, 2.0], eta=0.01, L=1.0, c=1.0, sigma2=20.0, s=1.0, e0=1.0)
    >>> adaptive_error_bound([0.0, 1000.0], [300.0], **example).round(3)
    array([1.   , 0.053])
    """
    bound = ErrorBound.checked(mu, eta, L, c, sigma2, s, e0)
    switches = checked_times("times", times)
    if switches.ndim != 1 or len(switches) >= len(bound.mu) or (np.diff(switches) < 0.0).any():
        raise complaint("times", times, f"at most {len(bound.mu) - 1} switching times in ascending order")
    moments = checked_times("t", t)
    errors = np.full(moments.shape, bound.e0)
    start, error = 0.0, bound.e0
    for k, end in enumerate([*switches, math.inf], start=1):
        errors = np.where(moments >= start, bound.at(np.maximum(moments - start, 0.0), k, error), errors)
        if math.isinf(end):
            break
        start, error = float(end), bound.after(float(end) - start, k, error)
    result: Floats = errors[()]
    return result


@represented
def fixed_k_crossings(mu: ArrayLike, eta: float, L: float, c: float, sigma2: float, s: float, e0: float) -> Floats:
    """Return the times at which the bound of a fixed k + 1 falls below that of a fixed k.

    Before this time, the bound of a run with constant k is lower than with k + 1 (Fig. 1 and 2a of the paper).

    Parameters
    ----------
    mu, eta, L, c, sigma2, s, e0
        See the head of this module.

    Returns
    -------
    ndarray of float64, shape (n - 1,), seconds
        Entry k - 1 compares k + 1 with k; 0 if k + 1 is better from the start.

    Raises
    ------
    ConfigurationError
        If a constant is out of range; eta c must be less than 1, and mu must not decrease.

    Examples
    --------
    Example 1 of the paper (Fig. 1 and 2a show the first and the last):

    >>> from clustersim.latency import Exponential
    >>> from clustersim.theory import order_statistic_means
    >>> mu = order_statistic_means(Exponential(mean=1 / 5), 5)
    >>> fixed_k_crossings(mu, eta=0.001, L=2.0, c=1.0, sigma2=10.0, s=10.0, e0=100.0).round()
    array([1098., 2083., 3591., 6622.])
    """
    bound = ErrorBound.checked(mu, eta, L, c, sigma2, s, e0)
    return np.array([_crossing(bound, k) for k in range(1, len(bound.mu))])


def _crossing(bound: ErrorBound, k: int) -> float:
    """Return the time at which the bound of k + 1 falls below that of k.

    Their difference starts at 0 and ends below 0. It increases at first only if the bound of k decreases faster. Then
    it has one maximum, where both bounds decrease at the same rate; the crossing is after this maximum.
    """
    speed = (bound.e0 - bound.floors[k - 1 : k + 1]) / bound.mu[k - 1 : k + 1]
    if speed[0] <= max(speed[1], 0.0) or bound.mu[k - 1] == bound.mu[k]:
        return 0.0

    def difference(t: float) -> float:
        return bound.after(t, k + 1, bound.e0) - bound.after(t, k, bound.e0)

    early = math.log(speed[0] / speed[1]) / (bound.alpha * (1.0 / bound.mu[k - 1] - 1.0 / bound.mu[k]))
    if difference(early) <= 0.0:  # they differ by less than rounding
        return float(early)
    late = 2.0 * early
    while difference(late) > 0.0:
        early, late = late, 2.0 * late
    return float(brentq(difference, early, late, xtol=1e-12 * late, rtol=1e-14))
