"""How long an update takes in synchronous and asynchronous SGD that waits for k answers.

S. Dutta, G. Joshi, S. Ghosh, P. Dube, P. Nagpurkar, "Slow and Stale Gradients Can Win the Race", 2018. Each of n
workers computes the gradient of one mini-batch at a time, in times that are independent and of one law X; links take no
time.

=============  ==========================================================================================
K-sync         an update waits for the fastest k workers; all start again on the new model
K-batch-sync   it waits for k mini-batches: who has answered takes another one on the same model, and after
               the update all start again
K-async        it takes the next k answers, of whatever versions; only their workers get the new model
K-batch-async  the same, but a worker gets the present model at once after each answer, and the last of the
               k the new one
=============  ==========================================================================================

For k = 1 the last two are the same: plain asynchronous SGD. `clustersim.theory.staleness` says how old their gradients
are.
"""

from clustersim.checks import COUNT, instance, integer
from clustersim.errors import ConfigurationError
from clustersim.latency import Exponential, LatencyModel, ShiftedExponential
from clustersim.theory.float_range import represented

__all__ = [
    "checked_sizes",
    "k_async_update_time",
    "k_batch_async_update_time",
    "k_batch_sync_update_time",
    "k_sync_update_time",
]


@represented
def k_sync_update_time(model: LatencyModel, workers: int, k: int) -> float:
    """Expected time of an update of K-sync, E[X_(k)] of n workers, for any law.

    Parameters
    ----------
    model : LatencyModel
        Time X of one mini-batch.
    workers, k : int
        n and k.

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
    """Expected time of an update of K-batch-sync, k mean / n, for exponential times; E[X_(1)] for k = 1 and any law.

    n workers that never pause answer at the rate n / mean, and exponential times do not remember that all were started
    together.

    Parameters
    ----------
    model : LatencyModel
        Time X of one mini-batch, exponential unless k = 1.
    workers, k : int
        n and k, each at least 1; k may be greater than n, for a worker may send several of the k messages.

    Returns
    -------
    float, seconds

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or the law is another one and k > 1.

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
    """Expected time of an update of K-async, in the long run: mean (H_n - H_{n-k}) for exponential times.

    For k = 1 it is E[X] / n, and for k = n, where all wait for all, E[X_(n)], for any law.

    Parameters
    ----------
    model : LatencyModel
        Time X of one mini-batch, exponential unless k is 1 or n.
    workers, k : int
        n and k.

    Returns
    -------
    float, seconds

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or the law is another one and 1 < k < n.

    Notes
    -----
    For every law it is at least k E[X] / n, as no worker answers faster than if it never waited. Where a new mini-batch
    takes longer than what is left of a used one (P(X > u + v) <= P(X > u) P(X > v): shifted exponential times, constant
    times, Gamma and Weibull times of shape at least 1), every update takes at most `k_sync_update_time` on average;
    where it takes shorter, at least that.

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
    """Expected time of an update of K-batch-async in the long run, k E[X] / n, for any law.

    Workers never pause: each answers every E[X] seconds by the renewal theorem. For exponential times it holds from the
    first update on.

    Parameters
    ----------
    model : LatencyModel
        Time X of one mini-batch.
    workers, k : int
        n and k, each at least 1; k may be greater than n, for a worker may send several of the k messages.

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
    return workers, integer("k", k, low=1, high=workers, remedy="wait for no more answers than there are workers")


def _exponential_mean(model: LatencyModel, otherwise: str) -> float:
    """Mean of an exponential law."""
    if isinstance(model, Exponential):
        return model.mean
    if isinstance(model, ShiftedExponential) and model.shift == 0.0:
        return model.mean
    raise ConfigurationError(f"model = {model!r}: expected Exponential(mean), or {otherwise}; simulate other laws")
