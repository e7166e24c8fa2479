"""Expected time of an update in synchronous and asynchronous SGD that waits for k messages.

S. Dutta, G. Joshi, S. Ghosh, P. Dube, P. Nagpurkar, "Slow and Stale Gradients Can Win the Race", 2018. Each of n
workers computes the gradient of one mini-batch at a time. The times are independent with the same law X; links take no
time.

=============  ==========================================================================================
K-sync         an update waits for the fastest k workers; then all workers restart with the new model
K-batch-sync   an update waits for k mini-batches: a worker that has responded takes another one with the
               same model; after the update, all workers restart with the new model
K-async        an update takes the next k messages, of any versions; only their workers get the new model
K-batch-async  the same, but a worker gets the current model immediately after each message, and the worker
               of the last of the k messages gets the new one
=============  ==========================================================================================

For k = 1 the last two are the same: plain asynchronous SGD. `clustersim.theory.staleness` computes the staleness of
their gradients.
"""

from clustersim.checks import COUNT, instance, integer
from clustersim.errors import ConfigurationError
from clustersim.latency import Exponential, LatencyModel, ShiftedExponential
from clustersim.theory.float_range import represented

__all__ = [
    "checked_batch_sizes",
    "checked_sizes",
    "k_async_update_time",
    "k_batch_async_update_time",
    "k_batch_sync_update_time",
    "k_sync_update_time",
]


@represented
def k_sync_update_time(model: LatencyModel, workers: int, k: int) -> float:
    """Return the expected time of an update of K-sync, E[X_(k)] of n workers, for any law.

    Parameters
    ----------
    model : LatencyModel
        The law of X, the time of one mini-batch.
    workers : int
        n, the number of workers.
    k : int
        Number of messages of an update, 1 to n.

    Returns
    -------
    float, seconds

    Raises
    ------
    ConfigurationError
        If an argument is out of range or the workers' laws differ.

    Examples
    --------
    >>> round(k_sync_update_time(Exponential(mean=1.0), 8, 4), 4)
    0.6345
    """
    instance("model", model, LatencyModel, "a latency model, such as Exponential(mean=1.0)")
    workers, k = checked_sizes(workers, k)
    return model.order_statistic_mean(k, workers)


@represented
def k_batch_sync_update_time(model: LatencyModel, workers: int, k: int) -> float:
    """Return the expected time of an update of K-batch-sync: k mean / n for exponential times, E[X_(1)] for k = 1.

    The formula for k = 1 is valid for any law. n workers that never pause respond at the rate n / mean. Exponential
    times are memoryless, so it does not matter that all workers start together.

    Parameters
    ----------
    model : LatencyModel
        The law of X, the time of one mini-batch; it must be exponential unless k = 1.
    workers : int
        n, the number of workers.
    k : int
        Number of messages of an update, at least 1. It may be greater than n, for a worker may send several of them.

    Returns
    -------
    float, seconds

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or if the law is not exponential and k > 1.

    Examples
    --------
    >>> k_batch_sync_update_time(Exponential(mean=1.0), 8, 4), k_batch_sync_update_time(Exponential(mean=1.0), 8, 24)
    (0.5, 3.0)
    """
    instance("model", model, LatencyModel, "a latency model, such as Exponential(mean=1.0)")
    workers, k = checked_batch_sizes(workers, k)
    if k == 1:
        return model.order_statistic_mean(1, workers)
    return k * _exponential_mean(model, "k = 1") / workers


@represented
def k_async_update_time(model: LatencyModel, workers: int, k: int) -> float:
    """Return the expected time of an update of K-async in the long run: mean (H_n - H_{n-k}) for exponential times.

    For any law, it is E[X] / n for k = 1, and E[X_(n)] for k = n, where every update waits for all workers.

    Parameters
    ----------
    model : LatencyModel
        The law of X, the time of one mini-batch; it must be exponential unless k is 1 or n.
    workers : int
        n, the number of workers.
    k : int
        Number of messages of an update, 1 to n.

    Returns
    -------
    float, seconds

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or if the law is not exponential and 1 < k < n.

    Notes
    -----
    For every law, the time is at least k E[X] / n, because a worker that waits does not respond more often than one
    that never waits. For some laws, a new mini-batch takes longer than the rest of one in progress:
    P(X > u + v) <= P(X > u) P(X > v). Shifted exponential and constant times are examples, and Gamma and Weibull times
    with a shape of at least 1. For them, the mean time of every update is at most `k_sync_update_time`. If the
    inequality is reversed, it is at least `k_sync_update_time`.

    Examples
    --------
    >>> round(k_async_update_time(Exponential(mean=1.0), 8, 4), 4)
    0.6345
    >>> k_async_update_time(ShiftedExponential(shift=1.0, mean=1.0), 8, 1)
    0.25
    """
    instance("model", model, LatencyModel, "a latency model, such as Exponential(mean=1.0)")
    workers, k = checked_sizes(workers, k)
    if k == workers:
        return model.order_statistic_mean(workers, workers)
    if k == 1:
        return k_batch_async_update_time(model, workers, 1)
    return Exponential(_exponential_mean(model, "k = 1 or k = workers")).order_statistic_mean(k, workers)


@represented
def k_batch_async_update_time(model: LatencyModel, workers: int, k: int) -> float:
    """Return the expected time of an update of K-batch-async in the long run, k E[X] / n, for any law.

    Workers never pause, so by the renewal theorem each responds every E[X] seconds on average. For exponential times,
    the formula is exact from the first update on.

    Parameters
    ----------
    model : LatencyModel
        The law of X, the time of one mini-batch.
    workers : int
        n, the number of workers.
    k : int
        Number of messages of an update, at least 1. It may be greater than n, for a worker may send several of them.

    Returns
    -------
    float, seconds

    Raises
    ------
    ConfigurationError
        If an argument is out of range or the workers' laws differ.

    Examples
    --------
    >>> k_batch_async_update_time(Exponential(mean=1.0), 8, 4)
    0.5
    >>> k_batch_async_update_time(ShiftedExponential(shift=1.0, mean=1.0), 8, 24)  # each worker answers three times
    6.0
    """
    instance("model", model, LatencyModel, "a latency model, such as Exponential(mean=1.0)")
    workers, k = checked_batch_sizes(workers, k)
    if not model.homogeneous:
        raise ConfigurationError(f"model = {model!r}: expected workers that all follow the same law; simulate others")
    return k * model.expected_time / workers


def checked_batch_sizes(workers: int, k: int) -> tuple[int, int]:
    """Return n and k, where a worker may send several of the k messages of an update."""
    return integer("workers", workers, low=1, high=COUNT), integer("k", k, low=1)


def checked_sizes(workers: int, k: int) -> tuple[int, int]:
    """Return n and k, where k is at most n."""
    workers = integer("workers", workers, low=1, high=COUNT)
    remedy = "wait for at most as many messages as there are workers"
    return workers, integer("k", k, low=1, high=workers, remedy=remedy)


def _exponential_mean(model: LatencyModel, otherwise: str) -> float:
    """Return the mean of an exponential law; refuse other laws."""
    if isinstance(model, Exponential):
        return model.mean
    if isinstance(model, ShiftedExponential) and model.shift == 0.0:
        return model.mean
    raise ConfigurationError(f"model = {model!r}: expected Exponential(mean), or {otherwise}; simulate other laws")
