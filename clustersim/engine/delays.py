"""The delays of one run in ticks, each a function of task number and worker.

Seconds flow in from latency models and links. They are rounded to ticks here, once, and flow out to the fleets.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import shown
from clustersim.cluster import Cluster
from clustersim.draw_cache import DrawCache
from clustersim.errors import ConfigurationError
from clustersim.latency import ComputeTimes, representable
from clustersim.links import Link
from clustersim.placements import Assignment
from clustersim.streams import Streams
from clustersim.ticks import Ticks

__all__ = ["Delays", "Keys"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_KEYS = 1 << 17  # the greatest number of uniform draws that are searched at once


def _in_ticks(
    times: Callable[[int, int], Floats],
    times_at: Callable[[Integers, Integers], Floats | None],
    workers: int,
    recorded: int | None,
    ticks: Ticks,
) -> DrawCache:
    """Return a cache of delays, drawn in seconds and rounded to ticks."""

    def rows(first: int, tasks: int) -> Floats:
        return ticks.of_all(_checked(times(first, tasks), (tasks, workers)))

    def single(tasks: Integers, of: Integers) -> Floats | None:
        drawn = times_at(tasks, of)
        return None if drawn is None else ticks.of_all(_checked(drawn, (len(tasks),)))

    return DrawCache(rows, workers, recorded, single)


def _checked(draws: Floats, shape: tuple[int, ...]) -> Floats:
    """Check shape and range of the times that a latency model, perhaps the user's own, has drawn."""
    try:
        seconds = np.asarray(draws, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"the latency model drew {shown(draws)}: expected an array of seconds of shape {shape}"
        ) from None
    if seconds.shape != shape:
        raise ConfigurationError(f"the latency model drew times of shape {seconds.shape}: expected {shape}")
    if not seconds.min(initial=math.inf) >= 0.0:
        wrong = float(seconds[~(seconds >= 0.0)][0])
        raise ConfigurationError(
            f"the latency model drew a time of {wrong} s: expected seconds, at least 0, or infinity for a worker that "
            "never answers; correct its quantile()"
        )
    return representable(seconds)


class Keys(NamedTuple):
    """The uniform draws that compute times are functions of, where a larger draw always means a longer time.

    Attributes
    ----------
    draws : DrawCache
        Uniform draws.
    timed : callable
        An increasing function that turns draws, of any shape, into ticks; the same for all workers.
    """

    draws: DrawCache
    timed: Callable[[Floats], Floats]


class Delays:
    """Downlink, compute and uplink delays of every task of every worker.

    Attributes
    ----------
    keys : Keys or None
        The uniform draws of `compute`; None if compute times are not an increasing function of one draw, the same for
        all workers.
    downlink, uplink : DrawCache or None
        Delays of models and messages in ticks; None if the link has no delay.
    ticks : Ticks
        Converts seconds to ticks.
    compute : DrawCache
        Compute times of the worker's load, in ticks.
    """

    def __init__(self, cluster: Cluster, assignment: Assignment, vector_bytes: int, streams: Streams) -> None:
        workers, uniforms = cluster.workers, streams.uniforms("compute")
        self.ticks = ticks = Ticks(cluster.tick)
        compute = ComputeTimes(cluster.compute, cluster.scaling, assignment.loads, workers)
        self.compute = _in_ticks(
            partial(compute.times, uniforms),
            partial(compute.times_at, uniforms),
            workers,
            cluster.compute.recorded_tasks,
            ticks,
        )
        self.keys: Keys | None = None
        if (timed := compute.increasing) is not None:
            self.keys = Keys(
                DrawCache(lambda first, tasks: uniforms.block(first, tasks, workers), workers, most=_KEYS),
                lambda draws: ticks.of_all(timed(draws)),
            )
        message_bytes = assignment.vectors * vector_bytes
        self.downlink = _link_draws(cluster.downlink, "downlink", np.full(workers, vector_bytes), streams, ticks)
        self.uplink = _link_draws(cluster.uplink, "uplink", message_bytes, streams, ticks)


def _link_draws(link: Link, name: str, sizes: Integers, streams: Streams, ticks: Ticks) -> DrawCache | None:
    """Return the delays over a link of messages of `sizes` bytes, one size for each worker; None without delay."""
    if link.is_instant:
        return None
    uniforms, workers = streams.uniforms(name), len(sizes)
    return _in_ticks(
        lambda first, tasks: link.delays(uniforms, first, tasks, workers, sizes),
        lambda tasks, of: link.delays_at(uniforms, tasks, of, sizes[of]),
        workers,
        link.recorded_tasks,
        ticks,
    )
