"""Staleness of the gradients of K-async and K-batch-async, and a bound on the error with stale gradients.

The staleness of a gradient is the number of updates between the version with which it was computed and the version to
which it is applied. `clustersim.theory.asynchronous` defines the methods and cites their paper. The times of the n
workers are independent with the same law, links take no time, and an update applies k gradients.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import COUNT, fraction, integer, number, numbers
from clustersim.errors import ConfigurationError
from clustersim.theory.asynchronous import checked_batch_sizes, checked_sizes
from clustersim.theory.float_range import represented

__all__ = [
    "async_error_bound",
    "k_async_mean_staleness",
    "k_async_staleness_probabilities",
    "k_batch_async_mean_staleness",
    "k_batch_async_staleness_probabilities",
]

Floats = NDArray[np.float64]


@represented
def k_async_mean_staleness(workers: int, k: int) -> float:
    """Return the mean staleness of the gradients of K-async in the long run, (n - k) / k, for any law of finite mean.

    Proof by counting: for each worker, count the updates since the version with which it computes, and let S be the sum
    over the workers. An update removes from S the staleness of the k gradients that it uses, and adds 1 for each of the
    n - k other workers. S stays bounded on average, so the total staleness of the gradients of an update is n - k on
    average.

    Parameters
    ----------
    workers : int
        n, the number of workers.
    k : int
        Number of gradients of an update, 1 to n.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> k_async_mean_staleness(8, 1), k_async_mean_staleness(8, 4)
    (7.0, 1.0)
    """
    workers, k = checked_sizes(workers, k)
    return (workers - k) / k


@represented
def k_batch_async_mean_staleness(workers: int, k: int) -> float:
    """Return the mean staleness of the gradients of K-batch-async in the long run, (n - 1) / k.

    The law of the times may be any of finite mean. The proof is that of `k_async_mean_staleness`, but an update adds 1
    for each worker except the one whose message completes the update. The other workers received their models before
    the update.

    Parameters
    ----------
    workers : int
        n, the number of workers.
    k : int
        Number of gradients of an update, at least 1. It may be greater than n, for a worker may send several of them.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> k_batch_async_mean_staleness(8, 1), k_batch_async_mean_staleness(8, 4)
    (7.0, 1.75)
    """
    workers, k = checked_batch_sizes(workers, k)
    return (workers - 1) / k


@represented
def k_async_staleness_probabilities(workers: int, k: int, most: int) -> Floats:
    """Return P(staleness = j) for j = 0 .. most of K-async in the long run, (k/n) (1 - k/n)^j, for exponential times.

    Exponential times are memoryless. So all sets of k workers are equally likely to send the messages of an update,
    independently of the versions that they use.

    Parameters
    ----------
    workers : int
        n, the number of workers.
    k : int
        Number of gradients of an update, 1 to n.
    most : int
        The largest staleness j.

    Returns
    -------
    ndarray of float64, shape (most + 1,)
        Entry 0 is the p0 of `async_error_bound`.

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> k_async_staleness_probabilities(8, 4, 3)
    array([0.5   , 0.25  , 0.125 , 0.0625])
    """
    workers, k = checked_sizes(workers, k)
    stays: Floats = (1.0 - k / workers) ** np.arange(integer("most", most, low=0, high=COUNT) + 1.0)
    return k / workers * stays


@represented
def k_batch_async_staleness_probabilities(workers: int, k: int, most: int) -> Floats:
    """Return P(staleness = j) for j = 0 .. most of K-batch-async in the long run, for exponential times.

    Every message is equally likely to be from any worker. Number the messages after an update i = 0 .. k-1. Message i
    starts a new task, whose own message arrives G messages later, where P(G > g) = q^g with q = 1 - 1/n. The staleness
    of this message is floor((i + G - 1) / k). Hence P(staleness >= j) = q^(j k) (q^(1-k) + ... + q^-1 + 1) / k for
    j >= 1.

    Parameters
    ----------
    workers : int
        n, the number of workers.
    k : int
        Number of gradients of an update, at least 1. It may be greater than n, for a worker may send several of them.
    most : int
        The largest staleness j.

    Returns
    -------
    ndarray of float64, shape (most + 1,)
        Entry 0 is the p0 of `async_error_bound`.

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> k_batch_async_staleness_probabilities(8, 4, 3).round(4)
    array([0.2758, 0.2997, 0.1757, 0.103 ])
    """
    workers, k = checked_batch_sizes(workers, k)
    steps = np.arange(1.0, integer("most", most, low=0, high=COUNT) + 2.0)[:, None] * k
    at_least = ((1.0 - 1.0 / workers) ** (steps - np.arange(k))).mean(axis=1)
    probabilities: Floats = -np.diff(at_least, prepend=1.0)
    return probabilities


@represented
def async_error_bound(
    updates: ArrayLike,
    step_size: float,
    *,
    k: int,
    L: float,
    c: float,
    e0: float,
    sigma2: float,
    gamma: float,
    p0: float,
    batch: int = 1,
) -> Floats:
    """Return a bound on E[F(w_J)] - F* after J updates with stale gradients of IID data, for a constant step size.

    The bound is f + (1 - eta c gamma')^J (e0 - f), with gamma' = 1 - gamma + p0 / 2 and
    f = eta L sigma^2 / (2 c gamma' k m). The step size must be at most 1/(2L).

    Parameters
    ----------
    updates : array_like
        J, numbers of updates, at least 0.
    step_size : float
        eta, the step size.
    k : int
        Number of gradients of an update.
    batch : int, default 1
        m, the number of samples of a gradient.
    L : float
        Lipschitz constant of the gradient of F.
    c : float
        Strong convexity of F.
    e0 : float
        F(w_0) - F*, the initial error.
    sigma2 : float
        Bound on the variance of the gradient of one sample.
    gamma : float
        The assumption on staleness: E|grad F(w_j) - grad F(w)|^2 <= gamma E|grad F(w_j)|^2 for every update j, on
        average over the versions w of its gradients. 0 for K-sync and K-batch-sync.
    p0 : float
        Lower bound on the expected fraction of fresh gradients in an update, given everything before it. For
        exponential times, entry 0 of `k_async_staleness_probabilities` or `k_batch_async_staleness_probabilities`; 1
        for K-sync and K-batch-sync.

    Returns
    -------
    float64 or ndarray of float64, same shape as `updates`

    Raises
    ------
    ConfigurationError
        If an argument is out of range, the step is longer than 1/(2L), or gamma' is not greater than 0.

    Notes
    -----
    The bound has the form of Dutta et al.'s result for K-async, with a variance that does not grow with the gradient.
    Proof: let v be the mean of the k gradients, G = E|grad F(w_j)|^2, and S >= p0 G the mean of E|grad F(w)|^2 over
    their versions. By smoothness, E[F(w_(j+1))] <= E[F(w_j)] - eta E<grad F(w_j), v> + (eta^2 L / 2) E|v|^2. Here
    2 E<grad F(w_j), v> is at least (1 - gamma) G + S. E|v|^2 is at most S + sigma^2 / (k m), because the noise of these
    gradients has not affected any model yet. Since eta L <= 1/2, the decrease without noise is at least
    (eta / 2) gamma' G, and G >= 2 c (E[F(w_j)] - F*).

    Examples
    --------
    >>> bound = async_error_bound([0, 100, 10_000], 0.05, k=4, L=1.0, c=0.5, e0=1.0, sigma2=0.4, gamma=0.5, p0=0.5)
    >>> bound.round(4)
    array([1.    , 0.1563, 0.0067])
    """
    counts = numbers("updates", updates, "numbers of updates, at least 0", low=0.0, finite=False)
    eta, c = number("step_size", step_size, above=0.0), number("c", c, above=0.0)
    L = number("L", L, low=c, remedy="the smoothness L is at least c")
    if 2.0 * L * eta > 1.0 + 1e-12:
        raise ConfigurationError(
            f"step_size = {eta:g}: expected at most 1/(2 L) = {0.5 / L:g}, a condition of the bound"
        )
    gain = 1.0 - number("gamma", gamma, low=0.0) + fraction("p0", p0) / 2.0
    if gain <= 0.0:
        raise ConfigurationError(
            f"gamma = {gamma:g}: expected less than 1 + p0 / 2 = {1.0 + p0 / 2.0:g}; a smaller step size reduces gamma"
        )
    noise = number("sigma2", sigma2, low=0.0) / (integer("k", k, low=1) * integer("batch", batch, low=1))
    floor = eta * L * noise / (2.0 * c * gain)
    bound: Floats = (floor + (1.0 - eta * c * gain) ** counts * (number("e0", e0, low=0.0) - floor))[()]
    return bound
