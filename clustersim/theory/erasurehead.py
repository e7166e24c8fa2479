"""What ErasureHead gives up by not waiting: probabilities of missing groups, and the bounds on its error.

H. Wang, Z. Charles, D. Papailiopoulos, "ErasureHead: Distributed Gradient Descent without Delays Using Approximate
Gradient Coding", 2019, section 3. Its times are in `clustersim.theory.erasurehead_times`. The paper spreads n tasks
over k workers, c tasks each. Only l = k c / n matters, which is the load in even shares and the number of workers that
hold each row, so that every function here takes

===============  ===========================================================================================
workers          k, the number of workers
load             l, in even shares; each of the k / l groups of l workers holds the same rows
answers          r, the number of answers after which the master stops waiting
beta, mu         smoothness of the objective f and its constant of the Polyak-Lojasiewicz condition,
                 |grad f|^2 / 2 >= mu (f - f*); L and c of a strongly convex problem will do
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
    """Chances that groups have no answer among r random ones: `p` for one group, `q` for at least one of two."""

    p: float
    q: float


@represented
def missing_probabilities(workers: int, load: int, messages: int) -> MissingProbabilities:
    """How likely groups of workers are to be missing from r random answers.

    p = C(k - l, r) / C(k, r) for one group and q = (2 C(k - l, r) - C(k - 2 l, r)) / C(k, r) for at least one of two
    (Lemma 2), a binomial of fewer than r things being 0. A master that stops early because every group has answered
    misses none, and would not have missed any at the r-th answer: p and q hold for its rule as well.

    Parameters
    ----------
    workers, load, answers
        See the head of this module; the load must divide the number of workers.

    Returns
    -------
    MissingProbabilities
        A named tuple (p, q), computed from logarithms: accurate for millions of workers.

    Raises
    ------
    ConfigurationError
        If the load does not divide the number of workers or there are more answers than workers.

    Examples
    --------
    Two of four workers in two groups: the two that are missing are one group in 2 of 6 cases.

    >>> p, q = missing_probabilities(workers=4, load=2, answers=2)
    >>> round(p, 6), round(q, 6)
    (0.166667, 0.333333)
    """
    workers, load = checked_groups(workers, load)
    messages = integer("answers", messages, low=1, high=workers, remedy="a worker answers once an update")
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
    """Bound on the expected error of ErasureHead after a number of updates (Theorem 1).

    With step 1/beta: (1 - mu/beta)^T e_0 + sigma^2 / (2 (1-p) mu) (p + (q-p) l / ((1-p) k)); with step (1-p)/beta:
    (1 - (1-p) mu/beta)^T e_0 + (q-p) l sigma^2 / (2 (1-p) mu k).

    The paper multiplies these steps with the gradient over the groups that answered, divided by 1 - p. `ErasureHead`
    does not divide, so give its optimizer the step 1/((1-p) beta) for the first bound and 1/beta for the second.
    (Eq. 5 of the paper has a factor 1/n^2 too many; the theorem follows without it.)

    Parameters
    ----------
    updates : array_like
        T, numbers of updates, at least 0.
    workers, load, answers, beta, mu, sigma, initial_error
        See the head of this module.
    step : {"(1-p)/beta", "1/beta"}
        The step size, in the paper's terms.

    Returns
    -------
    float64 or ndarray of float64, the shape of `updates`

    Raises
    ------
    ConfigurationError
        If an argument is out of range; beta must be at least mu.

    Examples
    --------
    >>> floor = dict(updates=1e6, workers=30, load=3, answers=11, beta=1.0, mu=0.1, sigma=1.0, initial_error=1.0)
    >>> [round(float(erasurehead_error_bound(**floor, step=step)), 4) for step in ("(1-p)/beta", "1/beta")]
    [0.1267, 1.7339]
    """
    mu, kappa = _condition(beta, mu)
    workers, load = checked_groups(workers, load)
    p, q = missing_probabilities(workers, load, messages)
    noise = number("sigma", sigma, low=0.0) ** 2 / (2.0 * (1.0 - p) * mu)
    share = (q - p) * load / workers
    if choice("step", step, STEPS) == "1/beta":
        return _geometric(updates, kappa, initial_error, noise * (p + share / (1.0 - p)))
    return _geometric(updates, (1.0 - p) * kappa, initial_error, noise * share)


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
    """A weaker bound on the expected error of ErasureHead, in terms of e = exp(-l r / k) >= p (Theorem 2).

    With step 1/beta: (1 - mu/beta)^T e_0 + e sigma^2 / mu + 4 l e sigma^2 / (mu k); with step (1-p)/beta:
    (1 - (1-e) mu/beta)^T e_0 + 2 l e sigma^2 / (mu k). Printed with c / n = l / k. It rests on q - p <= 2 p; since
    q - p <= p, the terms with l / k hold halved as well.

    Parameters
    ----------
    updates, workers, load, answers, beta, mu, sigma, initial_error, step
        As for `erasurehead_error_bound`.

    Returns
    -------
    float64 or ndarray of float64, the shape of `updates`

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or load * answers / workers is less than ln 2, so that p may exceed 1/2.

    Examples
    --------
    >>> floor = dict(updates=1e6, workers=30, load=3, answers=11, beta=1.0, mu=0.1, sigma=1.0, initial_error=1.0)
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
    """Number of workers and load, if the workers can be told into groups of that size."""
    workers = integer("workers", workers, low=1, high=COUNT)
    load = integer("load", load, low=1, high=workers, remedy="no worker can hold more than all rows")
    if workers % load:
        raise ConfigurationError(
            f"load = {load}: expected a divisor of workers = {workers}; fractional repetition makes groups of {load}"
        )
    return workers, load


def exponent(workers: int, load: int, messages: int) -> float:
    """Return l r / k, checked to be at least ln 2 as Theorems 2 and 3 need it."""
    workers, load = checked_groups(workers, load)
    messages = integer("answers", messages, low=1, high=workers, remedy="a worker answers once an update")
    covered = load * messages / workers
    if covered < math.log(2.0):
        raise ConfigurationError(
            f"load * answers / workers = {covered:.4g}: expected at least ln 2 = 0.6931; raise the load or the "
            f"answers to {math.ceil(math.log(2.0) * workers / load)}, or use erasurehead_error_bound"
        )
    return covered


def _all_outside(workers: int, group: int, messages: int) -> float:
    """C(k - g, r) / C(k, r), the chance that all r answers come from outside g given workers."""
    if messages > workers - group:
        return 0.0
    larger, smaller = max(group, messages), min(group, messages)  # the ratio is the same with both exchanged
    return math.exp(float(np.log1p(-larger / (workers - np.arange(smaller))).sum()))


def _condition(beta: float, mu: float) -> tuple[float, float]:
    """Return mu and mu / beta, both checked."""
    mu = number("mu", mu, above=0.0)
    return mu, mu / number("beta", beta, low=mu, remedy="no function is less smooth than beta = mu allows")


def _geometric(updates: ArrayLike, rate: float, initial_error: float, floor: float) -> Floats:
    """(1 - rate)^T e_0 + floor."""
    counts = numbers("updates", updates, "numbers of updates, at least 0", low=0.0, finite=False)
    bound: Floats = ((1.0 - rate) ** counts * number("initial_error", initial_error, low=0.0) + floor)[()]
    return bound
