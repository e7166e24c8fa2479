"""How many updates a horizon in time asks for, told before the run: some laws draw times that are nearly all zero.

Cluster, setting and the policy's first k flow in; an error flows out where a run would not end in anybody's lifetime.
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
_ROUNDS, _DRAWS = 300, 10**6  # rounds that are drawn at most, and draws


def check_updates(
    until: Until, cluster: Cluster, setting: Setting, k: int, vector_bytes: int, streams: Streams
) -> None:
    """Refuse a horizon in time, without one in updates, that asks for more updates than anybody can wait for.

    The estimate is the horizon over the mean time until the fastest k of all workers have answered a model, with the k
    of the first round. So it is one of magnitude: rounds that end at a deadline take longer or shorter, asynchronous
    schemes are up to n times as fast, and k may change. What it misses is noticed during the run, see `StoppingRule`.

    Raises
    ------
    ConfigurationError
        If there are more than a hundred million; `Until` with a number of updates is never refused.
    """
    if until.time is None or until.updates is not None or cluster.compute.recorded_tasks is not None:
        return
    k = min(max(k, 1), cluster.workers) if isinstance(k, int | np.integer) else 1  # it may be the user's
    if until.time <= MOST_UPDATES * _shortest_round(cluster, setting, k):
        return  # the usual case, told by one quantile
    round_time = _mean_round(cluster, setting, k, vector_bytes, streams)
    if until.time > MOST_UPDATES * round_time > 0.0:  # what takes no time at all is noticed where time stands still
        raise too_many_updates(until.time, round_time)


def too_many_updates(time: float, round_time: float) -> ConfigurationError:
    """Say how many updates there would be, and what to do."""
    count = min(time / round_time, 1e300)
    return ConfigurationError(
        f"until.time = {time:g}: that is about {count:.0e} updates, one every {round_time:.1g} s, and would not end; "
        "give Until(updates=...) as well, a shorter time, or a latency model with a shift"
    )


def _shortest_round(cluster: Cluster, setting: Setting, k: int) -> float:
    """A time below which the mean of a round cannot lie: that of the soonest answer, or half the median of X_(k)."""
    assert setting.soonest is not None  # noqa: S101 - for the type checker; the engine knows
    soonest, model = float(setting.soonest.min()), cluster.compute
    if not model.homogeneous:
        return soonest
    median = float(model.quantile(betaincinv(k, cluster.workers - k + 1, 0.5)))
    return max(soonest, _least_share(cluster, setting) * median / 2.0)


def _least_share(cluster: Cluster, setting: Setting) -> float:
    """What part of the time of a share a task takes at least, under any scaling."""
    return 1.0 if cluster.scaling == "none" else min(1.0, float(setting.assignment.loads.min()))


def _mean_round(cluster: Cluster, setting: Setting, k: int, vector_bytes: int, streams: Streams) -> float:
    """The mean time of the fastest k round trips: in closed form where only computing takes time, else by drawing."""
    loads, steady = setting.assignment.loads, all(_is_steady(link) for link in (cluster.downlink, cluster.uplink))
    alike = cluster.scaling == "none" or bool((loads == loads[0]).all() and cluster.scaling == "proportional")
    if cluster.compute.homogeneous and steady and alike:
        try:
            mean = cluster.compute.order_statistic_mean(k, cluster.workers)
        except ConfigurationError:  # the tail is too heavy
            return _drawn_round(cluster, setting, k, vector_bytes, streams)
        share = 1.0 if cluster.scaling == "none" else float(loads[0])
        links = cluster.downlink.shortest(1, vector_bytes) + cluster.uplink.shortest(1, vector_bytes)
        return share * mean + float(links[0])
    return _drawn_round(cluster, setting, k, vector_bytes, streams)


def _is_steady(link: Link) -> bool:
    """Whether all messages of one size take the same time."""
    return link.latency is None or isinstance(link.latency, Constant)


def _drawn_round(cluster: Cluster, setting: Setting, k: int, vector_bytes: int, streams: Streams) -> float:
    """The mean of a few hundred rounds from streams of their own; rounds in which fewer than k answer do not count."""
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
