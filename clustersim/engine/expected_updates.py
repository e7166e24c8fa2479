"""The check of a time horizon before the run: an estimate of the number of updates that it takes.

Some laws draw times that are nearly all zero, so that a run would take years. Cluster, setting and the policy's first k
flow in; an error flows out if there would be too many updates.
"""

import math

import numpy as np
from scipy.special import betaincinv

from clustersim.cluster import Cluster
from clustersim.errors import ConfigurationError
from clustersim.latency import Constant, compute_times
from clustersim.links import Link
from clustersim.protocol import Setting
from clustersim.streams import Streams
from clustersim.until import Until

__all__ = ["MOST_UPDATES", "check_updates", "too_many_updates"]

MOST_UPDATES = 1e8  # hours of computing, even for the smallest problem
_ROUNDS, _DRAWS = 300, 10**6  # the greatest number of rounds, and of draws, for an estimate


def check_updates(
    until: Until, cluster: Cluster, setting: Setting, k: int, vector_bytes: int, streams: Streams
) -> None:
    """Refuse a time horizon, without a number of updates, that takes too many updates.

    The estimate is the horizon divided by the mean time until the fastest k of all workers have answered, with the k of
    the first round. It only gives the order of magnitude: rounds that end at a deadline take longer or shorter,
    asynchronous schemes are up to n times as fast, and k may change. What it misses is found during the run, see
    `StoppingRule`.

    Parameters
    ----------
    until : Until
    cluster : Cluster
    setting : Setting
    k : int
        The number of messages that the policy waits for in the first round.
    vector_bytes : int
        Size of a vector of R^d on the wire.
    streams : Streams
        The random draws, from streams that the run does not use.

    Raises
    ------
    ConfigurationError
        If there are more than a hundred million updates. An `Until` with a number of updates is never refused.
    """
    if until.time is None or until.updates is not None or cluster.compute.recorded_tasks is not None:
        return
    k = min(k, cluster.workers)
    if until.time <= MOST_UPDATES * _shortest_round(cluster, setting, k):
        return  # the usual case, decided by one quantile
    round_time = _mean_round(cluster, setting, k, vector_bytes, streams)
    if until.time > MOST_UPDATES * round_time > 0.0:  # rounds of zero time are noticed as a standstill
        raise too_many_updates(until.time, round_time)


def too_many_updates(time: float, round_time: float) -> ConfigurationError:
    """Return the error that says how many updates there would be, and what to do."""
    count = min(time / round_time, 1e300)
    return ConfigurationError(
        f"until.time = {time:g}: that is about {count:.0e} updates, one every {round_time:.1g} s, and would not end; "
        "give Until(updates=...) as well, a shorter time, or a latency model with a shift"
    )


def _shortest_round(cluster: Cluster, setting: Setting, k: int) -> float:
    """Return a lower bound on the mean time of a round: the least time of a message, or half the median of X_(k)."""
    assert setting.soonest is not None  # noqa: S101 - for the type checker; the engine always sets it
    soonest, model = float(setting.soonest.min()), cluster.compute
    if not model.homogeneous:
        return soonest
    median = float(model.quantile(betaincinv(k, cluster.workers - k + 1, 0.5)))
    return max(soonest, _least_share(cluster, setting) * median / 2.0)


def _least_share(cluster: Cluster, setting: Setting) -> float:
    """Return the least share of the time of an even share that a task takes, a lower bound for every scaling."""
    return 1.0 if cluster.scaling == "none" else min(1.0, float(setting.assignment.loads.min()))


def _mean_round(cluster: Cluster, setting: Setting, k: int, vector_bytes: int, streams: Streams) -> float:
    """Return the mean time of the fastest k round trips: in closed form if only computing is random, else by draws."""
    loads, steady = setting.assignment.loads, all(_is_steady(link) for link in (cluster.downlink, cluster.uplink))
    alike = cluster.scaling == "none" or bool((loads == loads[0]).all() and cluster.scaling == "proportional")
    if cluster.compute.homogeneous and steady and alike:
        try:
            mean = cluster.compute.order_statistic_mean(k, cluster.workers)
        except ConfigurationError:  # the tail is too heavy for a mean
            return _drawn_round(cluster, setting, k, vector_bytes, streams)
        share = 1.0 if cluster.scaling == "none" else float(loads[0])
        links = cluster.downlink.shortest(1, vector_bytes) + cluster.uplink.shortest(1, vector_bytes)
        return share * mean + float(links[0])
    return _drawn_round(cluster, setting, k, vector_bytes, streams)


def _is_steady(link: Link) -> bool:
    """Whether all messages of one size take the same time."""
    return link.latency is None or isinstance(link.latency, Constant)


def _drawn_round(cluster: Cluster, setting: Setting, k: int, vector_bytes: int, streams: Streams) -> float:
    """Return the mean time of a few hundred drawn rounds; rounds in which fewer than k workers answer do not count."""
    workers = cluster.workers
    rounds = max(1, min(_ROUNDS, _DRAWS // workers))
    loads, sizes = setting.assignment.loads, setting.assignment.vectors * vector_bytes
    uniforms = {name: streams.uniforms(f"foresight {name}") for name in ("compute", "downlink", "uplink")}
    trips = compute_times(cluster.compute, cluster.scaling, loads, uniforms["compute"], 0, rounds, workers)
    trips = trips + cluster.downlink.delays(uniforms["downlink"], 0, rounds, workers, vector_bytes)
    trips = trips + cluster.uplink.delays(uniforms["uplink"], 0, rounds, workers, sizes)
    times = np.partition(trips, k - 1, axis=1)[:, k - 1]
    finite = times[np.isfinite(times)]
    return float(finite.mean()) if len(finite) else math.inf
