"""How long an update takes with ErasureHead, an exact repetition code and no code, and how long a given error takes.

H. Wang, Z. Charles, D. Papailiopoulos, "ErasureHead", 2019, section 4. There are as many tasks as workers, n, so that
the load c counts both tasks and even shares. The time of the full gradient on one worker is 1 + a time that is
exponential with *rate* lambda, the paper's straggling parameter: mean 1/lambda; the unit of time is the least that the
full gradient takes on one worker. With a load of c a worker takes c/n + an exponential time of mean c/(lambda n), which
is `Cluster(workers=n, compute=ShiftedExponential(shift=1/n, mean=1/(lambda * n)), scaling="proportional")`.

===================  ====================================================================
workers              n
load                 c, must divide n; each of the n/c groups of c workers holds the same rows
answers              r, the number of answers after which ErasureHead stops waiting
straggling_rate      lambda; the smaller, the slower and the more erratic the workers
===================  ====================================================================
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import flag, integer, number
from clustersim.theory.erasurehead import checked_groups, exponent
from clustersim.theory.float_range import represented
from clustersim.theory.order_statistics import harmonic_numbers

__all__ = [
    "TimesToError",
    "erasurehead_noise_level",
    "erasurehead_update_time",
    "erasurehead_update_time_bound",
    "exact_code_update_time",
    "times_to_error_bound",
    "uncoded_update_time",
    "uncovered_probabilities",
]

Floats = NDArray[np.float64]


class TimesToError(NamedTuple):
    """Bounds on the expected wall-clock time to an error, for three schemes."""

    uncoded: float
    exact_code: float
    erasurehead: float


@represented
def uncoded_update_time(workers: int, straggling_rate: float) -> float:
    """Expected time of an update of uncoded gradient descent, 1/n + H_n / (lambda n) (Lemma 8, eq. 12).

    Parameters
    ----------
    workers, straggling_rate
        See the head of this module.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> round(uncoded_update_time(30, straggling_rate=1.0), 4)
    0.1665
    """
    return exact_code_update_time(workers, 1, straggling_rate)


@represented
def exact_code_update_time(workers: int, load: int, straggling_rate: float, *, printed: bool = False) -> float:
    """Expected time of an update with exact fractional repetition, c/n + H_{n/c} / (lambda n) (Lemma 8, eq. 13 mended).

    The fastest of the c workers of a group takes c/n + an exponential time of mean 1/(lambda n), and the slowest of
    n/c such groups adds up H_{n/c} of these means. The paper prints H_n - H_c for H_{n/c}, which for c = 1 contradicts
    its own eq. 12. The mended form has its minimum at ceil(lambda n) groups (and at one more, if lambda n is whole),
    at n of them if lambda > 1: c = 1/lambda is best where it divides n, as the paper says.

    Parameters
    ----------
    workers, load, straggling_rate
        See the head of this module.
    printed : bool
        Give eq. 13 as it is printed, for comparison.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If an argument is out of range or the load does not divide the number of workers.

    Examples
    --------
    >>> round(exact_code_update_time(30, 3, 1.0), 4), round(exact_code_update_time(30, 3, 1.0, printed=True), 4)
    (0.1976, 0.1721)
    """
    workers, load = checked_groups(workers, load)
    rate = number("straggling_rate", straggling_rate, above=0.0)
    harmonic = harmonic_numbers(workers)
    groups = harmonic[workers] - harmonic[load] if flag("printed", printed) else harmonic[workers // load]
    return float(load + groups / rate) / workers


@represented
def erasurehead_update_time_bound(workers: int, load: int, messages: int, straggling_rate: float) -> float:
    """Expected time of the r-th answer, c/n + (c / (lambda n)) (H_n - H_{n-r}) (Lemma 8, eq. 14).

    An update of ErasureHead takes at most this, since it ends earlier where all groups have answered;
    `erasurehead_update_time` is exact.

    Parameters
    ----------
    workers, load, answers, straggling_rate
        See the head of this module.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If an argument is out of range or the load does not divide the number of workers.

    Examples
    --------
    >>> [round(erasurehead_update_time_bound(30, 3, answers, 1.0), 4) for answers in (11, 20, 28)]
    [0.1447, 0.2066, 0.3495]
    """
    workers, load = checked_groups(workers, load)
    return _stopped(workers, load, messages, straggling_rate, np.ones(workers))


@represented
def erasurehead_update_time(workers: int, load: int, messages: int, straggling_rate: float) -> float:
    """Expected time of an update of ErasureHead: the r-th answer or a full set of groups, whichever comes first.

    c/n + (c / (lambda n)) sum_{s=0}^{r-1} U_s / (n - s), where U_s is the probability that some group is missing from
    the first s answers (`uncovered_probabilities`): while s workers have finished, the next one takes an exponential
    time of mean c / (lambda n (n - s)), and who it is does not depend on when. For r = n this is the exact code's time.
    For any latency model the time is the sum of U_s (E[X_(s+1)] - E[X_(s)]) over s < r, with E[X_(0)] = 0.

    Parameters
    ----------
    workers, load, answers, straggling_rate
        See the head of this module.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If an argument is out of range or the load does not divide the number of workers.

    Examples
    --------
    >>> [round(erasurehead_update_time(30, 3, answers, 1.0), 4) for answers in (11, 20, 28)]
    [0.1447, 0.188, 0.1976]
    """
    return _stopped(workers, load, messages, straggling_rate, uncovered_probabilities(workers, load))


@represented
def uncovered_probabilities(workers: int, load: int) -> Floats:
    """The probability that some group has not answered yet, after s = 0 .. n answers in random order.

    After s answers a number u of groups is missing; the next answer comes from one of their u c workers with
    probability u c / (n - s). This chain is followed from u = n/c on, without cancellation.

    Parameters
    ----------
    workers, load
        See the head of this module.

    Returns
    -------
    ndarray of float64, shape (n + 1,)

    Raises
    ------
    ConfigurationError
        If the load does not divide the number of workers.

    Examples
    --------
    >>> uncovered_probabilities(4, 2).round(4)
    array([1.    , 1.    , 0.3333, 0.    , 0.    ])
    """
    workers, load = checked_groups(workers, load)
    missing = np.arange(workers // load + 1)
    chances = np.zeros(len(missing))
    chances[-1] = 1.0
    uncovered = np.ones(workers + 1)
    for messages in range(workers):
        moving = chances * np.minimum(missing * load / (workers - messages), 1.0)  # > 1 only where chances are 0
        chances -= moving
        chances[:-1] += moving[1:]
        uncovered[messages + 1] = chances[1:].sum()
    return uncovered


@represented
def erasurehead_noise_level(workers: int, load: int, messages: int, *, mu: float, sigma: float) -> float:
    """The least error for which Theorem 3 is stated, epsilon_0 = 3 c exp(-c r / n) sigma^2 / (mu n).

    It leaves a third of the error to the first model and two thirds to the noise of Theorem 2 with step (1-p)/beta.
    (The paper's proof drops the factor c of that noise; its epsilon_0 has it.)

    Parameters
    ----------
    workers, load, answers
        See the head of this module; c r / n must be at least ln 2.
    mu, sigma : float
        See `clustersim.theory.erasurehead`.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> round(erasurehead_noise_level(30, 3, 11, mu=0.1, sigma=1.0), 4)
    0.9986
    """
    workers, load = checked_groups(workers, load)
    noise = 3.0 * load * math.exp(-exponent(workers, load, messages)) / workers
    return noise * number("sigma", sigma, low=0.0) ** 2 / number("mu", mu, above=0.0)


@represented
def times_to_error_bound(
    error: float,
    workers: int,
    load: int,
    messages: int,
    *,
    beta: float,
    mu: float,
    sigma: float,
    initial_error: float,
    printed: bool = False,
) -> TimesToError:
    """Bounds on the expected time to an error: uncoded, exact code and ErasureHead, if lambda = 1/c (Theorem 3 mended).

    The number of updates times a bound on the time of each. Updates: N = ln(e_0 / e) / ln(1 / (1 - kappa)), kappa =
    mu / beta, for the first two with step 1/beta; ln(3 e_0 / e) / ln(1 / (1 - (1 - exp(-c r / n)) kappa)) for
    ErasureHead with step (1-p)/beta; both rounded up. Times: (c ln n + c + 1) / n; (c ln(n/c) + 2 c) / n;
    (c^2 ln(n / (n-r)) + c^2 + c) / n. The paper does not round and prints (c ln(n/c) + c + 1) / n for the exact code,
    which is less than its expected time for every c > 1. The times of Lemma 8 are sharper than all three.

    Parameters
    ----------
    error : float
        e, less than the initial error and at least `erasurehead_noise_level`.
    workers, load, answers
        See the head of this module; fewer answers than workers, c r / n at least ln 2.
    beta, mu, sigma, initial_error
        See `clustersim.theory.erasurehead`.
    printed : bool
        Give the theorem as it is printed, for comparison.

    Returns
    -------
    TimesToError

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> setting = dict(workers=30, load=3, answers=11, beta=1.0, mu=0.1, sigma=0.1, initial_error=1.0)
    >>> [round(time, 2) for time in times_to_error_bound(0.05, **setting)]
    [13.73, 12.48, 32.22]
    """
    workers, load = checked_groups(workers, load)
    remedy = "Theorem 3 is about fewer answers than workers"
    messages, printed = integer("answers", messages, low=1, high=workers - 1, remedy=remedy), flag("printed", printed)
    error = number("error", error, low=erasurehead_noise_level(workers, load, messages, mu=mu, sigma=sigma))
    start = number("initial_error", initial_error, above=error, remedy="the first model has that error already")
    mu = number("mu", mu, above=0.0)
    kappa = mu / number("beta", beta, low=mu, remedy="no function is less smooth than beta = mu allows")
    covered = -math.expm1(-exponent(workers, load, messages))
    full = _updates(start / error, kappa, printed)
    partial = _updates(3.0 * start / error, covered * kappa, printed)
    groups = load * math.log(workers / load) + load + (1 if printed else load)
    stopped = load**2 * (math.log(workers / (workers - messages)) + 1.0) + load
    return TimesToError(
        uncoded=full * (load * math.log(workers) + load + 1) / workers,
        exact_code=full * groups / workers,
        erasurehead=partial * stopped / workers,
    )


def _stopped(workers: int, load: int, messages: int, straggling_rate: float, waiting: Floats) -> float:
    """Expected time of stopping, if the master still waits after s answers with probability waiting[s], s < r."""
    workers, load = checked_groups(workers, load)
    messages = integer("answers", messages, low=1, high=workers, remedy="a worker answers once an update")
    rate = number("straggling_rate", straggling_rate, above=0.0)
    gaps = waiting[:messages] / np.arange(workers, workers - messages, -1)
    return load * (1.0 + math.fsum(gaps) / rate) / workers


def _updates(ratio: float, rate: float, printed: bool) -> float:
    """How many factors of 1 - rate make up for the ratio."""
    count = math.log(ratio) / -math.log1p(-rate) if rate < 1.0 else 0.0
    return count if printed else max(math.ceil(count), 1)
