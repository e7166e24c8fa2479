"""Expected time of an update for ErasureHead, an exact repetition code and no code.

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

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import flag, integer, number
from clustersim.theory.erasurehead import checked_groups
from clustersim.theory.float_range import represented
from clustersim.theory.order_statistics import harmonic_numbers

__all__ = [
    "erasurehead_update_time",
    "erasurehead_update_time_bound",
    "exact_code_update_time",
    "uncoded_update_time",
    "uncovered_probabilities",
]

Floats = NDArray[np.float64]


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


def _stopped(workers: int, load: int, messages: int, straggling_rate: float, waiting: Floats) -> float:
    """Return the expected time of an update; waiting[s] is the probability to wait for another message after s."""
    workers, load = checked_groups(workers, load)
    messages = integer("messages", messages, low=1, high=workers, remedy="each worker sends one message per update")
    rate = number("straggling_rate", straggling_rate, above=0.0)
    gaps = waiting[:messages] / np.arange(workers, workers - messages, -1)
    return load * (1.0 + math.fsum(gaps) / rate) / workers
