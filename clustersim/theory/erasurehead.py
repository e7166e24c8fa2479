"""ErasureHead: the probabilities of missing groups, and bounds on its error.

H. Wang, Z. Charles, D. Papailiopoulos, "ErasureHead: Distributed Gradient Descent without Delays Using Approximate
Gradient Coding", 2019, section 3. `clustersim.theory.erasurehead_times` contains its times. The paper distributes n
tasks to k workers, c tasks each. Only l = k c / n matters: it is the load in even shares, and the number of workers
that hold each row. The functions take these parameters:

===============  ===========================================================================================
workers          k, the number of workers
load             l, in even shares; each of the k / l groups of l workers holds the same rows
messages         r, the number of messages that the master waits for
beta, mu         smoothness of the objective f and its constant of the Polyak-Lojasiewicz condition,
                 |grad f|^2 / 2 >= mu (f - f*); for a strongly convex problem, L and c are valid values
sigma            bound on the norm of the gradient of the mean over any group's rows, at any model
initial_error    f(x_0) - f*
===============  ===========================================================================================
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import COUNT, choice, integer, number, numbers
from clustersim.errors import ConfigurationError
from clustersim.theory.float_range import represented

__all__ = [
    "MissingProbabilities",
    "checked_groups",
    "erasurehead_error_bound",
    "erasurehead_exponential_error_bound",
    "exponent",
    "missing_probabilities",
]

Floats = NDArray[np.float64]
Step = Literal["1/beta", "(1-p)/beta"]
STEPS = ("1/beta", "(1-p)/beta")


class MissingProbabilities(NamedTuple):
    """Probabilities that no message of a group is among r random ones.

    Parameters
    ----------
    p : float
        The probability for one given group.
    q : float
        The probability for at least one of two given groups.

    Examples
    --------
    >>> missing = missing_probabilities(workers=4, load=2, messages=2)
    >>> round(missing.p, 6), round(missing.q, 6)
    (0.166667, 0.333333)
    """

    p: float
    q: float


@represented
def missing_probabilities(workers: int, load: int, messages: int) -> MissingProbabilities:
    """Return the probabilities that groups of workers are missing from r random messages.

    p = C(k - l, r) / C(k, r) for one group and q = (2 C(k - l, r) - C(k - 2 l, r)) / C(k, r) for at least one of two
    (Lemma 2). A binomial coefficient of fewer than r objects is 0. A master may stop early because every group has
    responded. Then no group is missing, and none would be missing at the r-th message. So p and q are also valid for
    this rule.

    Parameters
    ----------
    workers : int
        k, the number of workers.
    load : int
        l, in even shares; must divide the number of workers.
    messages : int
        r, the number of messages that the master waits for, 1 to k.

    Returns
    -------
    MissingProbabilities
        A named tuple (p, q), computed from logarithms, so that it is accurate for millions of workers.

    Raises
    ------
    ConfigurationError
        If the load does not divide the number of workers, or if there are more messages than workers.

    Examples
    --------
    Two messages of four workers in two groups: in 2 of 6 cases, the two workers that are missing form a group.

    >>> p, q = missing_probabilities(workers=4, load=2, messages=2)
    >>> round(p, 6), round(q, 6)
    (0.166667, 0.333333)
    """
    workers, load = checked_groups(workers, load)
    messages = integer("messages", messages, low=1, high=workers, remedy="each worker sends one message per update")
    one = _all_outside(workers, load, messages)
    both = _all_outside(workers, 2 * load, messages)
    return MissingProbabilities(p=one, q=2.0 * one - both)


@represented
def erasurehead_error_bound(
    updates: ArrayLike,
    workers: int,
    load: int,
    messages: int,
    *,
    beta: float,
    mu: float,
    sigma: float,
    initial_error: float,
    step: Step = "(1-p)/beta",
) -> Floats:
    """Return a bound on the expected error of ErasureHead after a number of updates (Theorem 1).

    With step 1/beta: (1 - mu/beta)^T e_0 + sigma^2 / (2 (1-p) mu) (p + (q-p) l / ((1-p) k)); with step (1-p)/beta:
    (1 - (1-p) mu/beta)^T e_0 + (q-p) l sigma^2 / (2 (1-p) mu k).

    The paper multiplies these steps by the gradient over the groups that responded, divided by 1 - p. The policy
    `ErasureHead` does not divide by 1 - p. So give its optimiser the step 1/((1-p) beta) for the first bound and 1/beta
    for the second. (Eq. 5 of the paper contains a superfluous factor 1/n^2; the theorem follows without it.)

    Parameters
    ----------
    updates : array_like
        T, numbers of updates, at least 0.
    workers, load, messages, beta, mu, sigma, initial_error
        See the head of this module.
    step : {"(1-p)/beta", "1/beta"}, default "(1-p)/beta"
        The step size in the paper.

    Returns
    -------
    float64 or ndarray of float64, same shape as `updates`

    Raises
    ------
    ConfigurationError
        If an argument is out of range; beta must be at least mu.

    Examples
    --------
    >>> floor = dict(updates=1e6, workers=30, load=3, messages=11, beta=1.0, mu=0.1, sigma=1.0, initial_error=1.0)
    >>> [round(float(erasurehead_error_bound(**floor, step=step)), 4) for step in ("(1-p)/beta", "1/beta")]
    [0.1267, 1.7339]
    """
    mu, kappa = _condition(beta, mu)
    workers, load = checked_groups(workers, load)
    p, q = missing_probabilities(workers, load, messages)
    noise = number("sigma", sigma, low=0.0) ** 2 / (2.0 * (1.0 - p) * mu)
    covariance = (q - p) * load / workers
    if choice("step", step, STEPS) == "1/beta":
        return _geometric(updates, kappa, initial_error, noise * (p + covariance / (1.0 - p)))
    return _geometric(updates, (1.0 - p) * kappa, initial_error, noise * covariance)


@represented
def erasurehead_exponential_error_bound(
    updates: ArrayLike,
    workers: int,
    load: int,
    messages: int,
    *,
    beta: float,
    mu: float,
    sigma: float,
    initial_error: float,
    step: Step = "(1-p)/beta",
) -> Floats:
    """Return a weaker bound on the expected error of ErasureHead, in terms of e = exp(-l r / k) >= p (Theorem 2).

    With step 1/beta: (1 - mu/beta)^T e_0 + e sigma^2 / mu + 4 l e sigma^2 / (mu k); with step (1-p)/beta:
    (1 - (1-e) mu/beta)^T e_0 + 2 l e sigma^2 / (mu k). The paper writes c / n for l / k. The proof uses q - p <= 2 p.
    Since even q - p <= p, the bound remains valid if the terms with l / k are halved.

    Parameters
    ----------
    updates : array_like
        T, numbers of updates, at least 0.
    workers, load, messages, beta, mu, sigma, initial_error
        See the head of this module.
    step : {"(1-p)/beta", "1/beta"}, default "(1-p)/beta"
        The step size in the paper.

    Returns
    -------
    float64 or ndarray of float64, same shape as `updates`

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or if load * messages / workers is less than ln 2, so that p may exceed 1/2.

    Examples
    --------
    >>> floor = dict(updates=1e6, workers=30, load=3, messages=11, beta=1.0, mu=0.1, sigma=1.0, initial_error=1.0)
    >>> [round(float(erasurehead_exponential_error_bound(**floor, step=step)), 4) for step in ("(1-p)/beta", "1/beta")]
    [0.6657, 4.6602]
    """
    mu, kappa = _condition(beta, mu)
    workers, load = checked_groups(workers, load)
    e = math.exp(-exponent(workers, load, messages))
    noise = e * number("sigma", sigma, low=0.0) ** 2 / mu
    if choice("step", step, STEPS) == "1/beta":
        return _geometric(updates, kappa, initial_error, noise * (1.0 + 4.0 * load / workers))
    return _geometric(updates, (1.0 - e) * kappa, initial_error, noise * 2.0 * load / workers)


def checked_groups(workers: int, load: int) -> tuple[int, int]:
    """Return the checked number of workers and the load, which must divide it."""
    workers = integer("workers", workers, low=1, high=COUNT)
    load = integer("load", load, low=1, high=workers, remedy="with this load every worker holds all rows")
    if workers % load:
        raise ConfigurationError(
            f"load = {load}: expected a divisor of workers = {workers}; fractional repetition forms groups of {load}"
        )
    return workers, load


def exponent(workers: int, load: int, messages: int) -> float:
    """Return l r / k after checking that it is at least ln 2, as Theorems 2 and 3 require."""
    workers, load = checked_groups(workers, load)
    messages = integer("messages", messages, low=1, high=workers, remedy="each worker sends one message per update")
    ratio = load * messages / workers
    if ratio < math.log(2.0):
        raise ConfigurationError(
            f"load * messages / workers = {ratio:.4g}: expected at least ln 2 = 0.6931; raise the load, or raise "
            f"messages to {math.ceil(math.log(2.0) * workers / load)}, or use erasurehead_error_bound"
        )
    return ratio


def _all_outside(workers: int, group: int, messages: int) -> float:
    """Return C(k - g, r) / C(k, r), the probability that none of r random messages is from g given workers."""
    if messages > workers - group:
        return 0.0
    larger, smaller = max(group, messages), min(group, messages)  # the ratio is symmetric in both
    return math.exp(float(np.log1p(-larger / (workers - np.arange(smaller))).sum()))


def _condition(beta: float, mu: float) -> tuple[float, float]:
    """Return mu and mu / beta after checking both."""
    mu = number("mu", mu, above=0.0)
    return mu, mu / number("beta", beta, low=mu, remedy="the smoothness beta of a function is at least mu")


def _geometric(updates: ArrayLike, rate: float, initial_error: float, floor: float) -> Floats:
    """Return (1 - rate)^T e_0 + floor."""
    counts = numbers("updates", updates, "numbers of updates, at least 0", low=0.0, finite=False)
    bound: Floats = ((1.0 - rate) ** counts * number("initial_error", initial_error, low=0.0) + floor)[()]
    return bound
