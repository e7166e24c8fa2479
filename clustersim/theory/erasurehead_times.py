"""Expected time of an update, and time to an error, for ErasureHead, an exact repetition code and no code.

H. Wang, Z. Charles, D. Papailiopoulos, "ErasureHead", 2019, section 4. There are n workers and n tasks, so the load c
is both a number of tasks and a number of even shares. The unit of time is the shortest time of the full gradient on one
worker. This full gradient takes 1 plus an exponential time with *rate* lambda, that is, with mean 1/lambda. The paper
calls lambda the straggling parameter. With load c, a worker takes c/n plus an exponential time with mean
c/(lambda n). The corresponding cluster is
`Cluster(workers=n, compute=ShiftedExponential(shift=1/n, mean=1/(lambda * n)), scaling="proportional")`.

===================  ====================================================================
workers              n, the number of workers
load                 c, must divide n; each of the n/c groups of c workers holds the same rows
messages             r, the number of messages that ErasureHead waits for
straggling_rate      lambda; the smaller it is, the slower and the more variable the workers are
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
    """Bounds on the expected wall-clock time to an error, for three schemes; see `times_to_error_bound`.

    Parameters
    ----------
    uncoded : float
        Bound for uncoded gradient descent.
    exact_code : float
        Bound for exact fractional repetition.
    erasurehead : float
        Bound for ErasureHead.

    Examples
    --------
    >>> setting = dict(workers=30, load=3, messages=11, beta=1.0, mu=0.1, sigma=0.1, initial_error=1.0)
    >>> times_to_error_bound(0.05, **setting)._fields
    ('uncoded', 'exact_code', 'erasurehead')
    """

    uncoded: float
    exact_code: float
    erasurehead: float


@represented
def uncoded_update_time(workers: int, straggling_rate: float) -> float:
    """Return the expected time of an update of uncoded gradient descent, 1/n + H_n / (lambda n) (Lemma 8, eq. 12).

    Parameters
    ----------
    workers : int
        n, the number of workers.
    straggling_rate : float
        lambda, see the head of this module.

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
    """Return the expected time of an update with exact repetition, c/n + H_{n/c} / (lambda n) (corrected eq. 13).

    The fastest of the c workers of a group takes c/n plus an exponential time with mean 1/(lambda n). The mean for the
    slowest of n/c such groups is c/n plus H_{n/c} of these means. Eq. 13 of Lemma 8 has H_n - H_c in place of H_{n/c},
    which contradicts eq. 12 for c = 1. The corrected time is minimal for ceil(lambda n) groups (and for one more, if
    lambda n is a whole number), but for n groups if lambda > 1. So c = 1/lambda is optimal if it divides n, as the
    paper states.

    Parameters
    ----------
    workers, load, straggling_rate
        See the head of this module.
    printed : bool, default False
        Return eq. 13 as printed in the paper, for comparison.

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
    """Return the expected time of the r-th message, c/n + (c / (lambda n)) (H_n - H_{n-r}) (Lemma 8, eq. 14).

    This is an upper bound on the time of an update of ErasureHead, which ends earlier if all groups have responded.
    `erasurehead_update_time` is exact.

    Parameters
    ----------
    workers, load, messages, straggling_rate
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
    >>> [round(erasurehead_update_time_bound(30, 3, messages, 1.0), 4) for messages in (11, 20, 28)]
    [0.1447, 0.2066, 0.3495]
    """
    workers, load = checked_groups(workers, load)
    return _stopped(workers, load, messages, straggling_rate, np.ones(workers))


@represented
def erasurehead_update_time(workers: int, load: int, messages: int, straggling_rate: float) -> float:
    """Return the expected time of an update of ErasureHead: until r messages, or one from every group, have arrived.

    The time is c/n + (c / (lambda n)) sum_{s=0}^{r-1} U_s / (n - s). U_s is the probability that some group is missing
    from the first s messages (`uncovered_probabilities`). After s messages, the next one takes an exponential time with
    mean c / (lambda n (n - s)), and its worker does not depend on this time. For r = n this is the time of the exact
    code. For any latency model, the time is the sum of U_s (E[X_(s+1)] - E[X_(s)]) over s < r, with E[X_(0)] = 0.

    Parameters
    ----------
    workers, load, messages, straggling_rate
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
    >>> [round(erasurehead_update_time(30, 3, messages, 1.0), 4) for messages in (11, 20, 28)]
    [0.1447, 0.188, 0.1976]
    """
    return _stopped(workers, load, messages, straggling_rate, uncovered_probabilities(workers, load))


@represented
def uncovered_probabilities(workers: int, load: int) -> Floats:
    """Return the probability that some group is still missing, after s = 0 .. n messages in random order.

    If u groups are missing after s messages, the next message is from one of their u c workers with probability
    u c / (n - s). The function follows this Markov chain from u = n/c on, which avoids cancellation.

    Parameters
    ----------
    workers : int
        n, the number of workers.
    load : int
        c, must divide n.

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
    probabilities = np.zeros(len(missing))  # of each number of missing groups
    probabilities[-1] = 1.0
    uncovered = np.ones(workers + 1)
    for messages in range(workers):
        moving = probabilities * np.minimum(missing * load / (workers - messages), 1.0)  # > 1 only if probability is 0
        probabilities -= moving
        probabilities[:-1] += moving[1:]
        uncovered[messages + 1] = probabilities[1:].sum()
    return uncovered


@represented
def erasurehead_noise_level(workers: int, load: int, messages: int, *, mu: float, sigma: float) -> float:
    """Return the smallest error to which Theorem 3 applies, epsilon_0 = 3 c exp(-c r / n) sigma^2 / (mu n).

    At this error, the noise of Theorem 2 with step (1-p)/beta is two thirds of the error; the rest is for the initial
    error. (The paper's proof omits the factor c of the noise, but its epsilon_0 includes it.)

    Parameters
    ----------
    workers, load, messages
        See the head of this module; c r / n must be at least ln 2.
    mu : float
        Constant of the Polyak-Lojasiewicz condition, see `clustersim.theory.erasurehead`.
    sigma : float
        Bound on the norm of gradients, see `clustersim.theory.erasurehead`.

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
    """Return bounds on the expected time to an error for three schemes, if lambda = 1/c (corrected Theorem 3).

    Each bound is a number of updates times a bound on the time of an update. With kappa = mu / beta, the number of
    updates of the first two schemes with step 1/beta is ln(e_0 / e) / ln(1 / (1 - kappa)). For ErasureHead with step
    (1-p)/beta it is ln(3 e_0 / e) / ln(1 / (1 - (1 - exp(-c r / n)) kappa)). Both are rounded up. The times of an
    update are (c ln n + c + 1) / n without code, (c ln(n/c) + 2 c) / n with the exact code, and
    (c^2 ln(n / (n-r)) + c^2 + c) / n with ErasureHead. The paper does not round. For the exact code, it prints
    (c ln(n/c) + c + 1) / n, which is less than the expected time for every c > 1. The times of Lemma 8 are sharper than
    all three.

    Parameters
    ----------
    error : float
        e, less than the initial error and at least `erasurehead_noise_level`.
    workers, load, messages
        See the head of this module; there must be fewer messages than workers, and c r / n must be at least ln 2.
    beta, mu, sigma, initial_error
        See `clustersim.theory.erasurehead`.
    printed : bool, default False
        Return the theorem as printed in the paper, for comparison.

    Returns
    -------
    TimesToError

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> setting = dict(workers=30, load=3, messages=11, beta=1.0, mu=0.1, sigma=0.1, initial_error=1.0)
    >>> [round(time, 2) for time in times_to_error_bound(0.05, **setting)]
    [13.73, 12.48, 32.22]
    """
    workers, load = checked_groups(workers, load)
    remedy = "Theorem 3 assumes fewer messages than workers"
    messages, printed = integer("messages", messages, low=1, high=workers - 1, remedy=remedy), flag("printed", printed)
    error = number("error", error, low=erasurehead_noise_level(workers, load, messages, mu=mu, sigma=sigma))
    start = number("initial_error", initial_error, above=error, remedy="the initial model already has this error")
    mu = number("mu", mu, above=0.0)
    kappa = mu / number("beta", beta, low=mu, remedy="the smoothness beta of a function is at least mu")
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
    """Return the expected time of an update; waiting[s] is the probability to wait for another message after s."""
    workers, load = checked_groups(workers, load)
    messages = integer("messages", messages, low=1, high=workers, remedy="each worker sends one message per update")
    rate = number("straggling_rate", straggling_rate, above=0.0)
    gaps = waiting[:messages] / np.arange(workers, workers - messages, -1)
    return load * (1.0 + math.fsum(gaps) / rate) / workers


def _updates(ratio: float, rate: float, printed: bool) -> float:
    """Return the number of updates, each with the factor 1 - rate, that reduce the error by the given ratio."""
    count = math.log(ratio) / -math.log1p(-rate) if rate < 1.0 else 0.0
    return count if printed else max(math.ceil(count), 1)
