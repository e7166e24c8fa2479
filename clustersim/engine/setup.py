"""The function `make_setting`: what a policy knows before a run, such as which worker holds which rows.

Problem, cluster and policy flow in. A `Setting` flows out to the engine, and to studies, which check before any run
that the policies fit.
"""

import math
import reprlib
from dataclasses import replace
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import LONGEST, complaint, instance, integer
from clustersim.cluster import Cluster
from clustersim.engine.problem_checks import check_sizes
from clustersim.errors import ConfigurationError
from clustersim.latency import LatencyModel, shortest_times
from clustersim.placements import Assignment, MiniBatches
from clustersim.placements.soundness import check_assignment
from clustersim.problems import Problem
from clustersim.protocol import Policy, Setting, Work
from clustersim.streams import Streams
from clustersim.ticks import FEWEST, Ticks
from clustersim.until import Until

__all__ = ["check_watched", "make_setting"]


def make_setting(problem: Problem, cluster: Cluster, policy: Policy, streams: Streams) -> Setting:
    """Assign the rows to the workers by the policy's placement, and return the setting of the run.

    Parameters
    ----------
    problem : Problem
    cluster : Cluster
    policy : Policy
    streams : Streams
        The random draws of placement and mini-batches.

    Returns
    -------
    Setting

    Raises
    ------
    ConfigurationError
        If the work does not fit the problem and the cluster, or leaves a worker without rows, or if times may be too
        long to be represented or too short for the tick.

    Examples
    --------
    >>> import clustersim as cs
    >>> problem = cs.LeastSquares.synthetic(rows=60, features=3, seed=1)
    >>> cluster = cs.Cluster(workers=3, compute=cs.ShiftedExponential(shift=0.5, mean=1.5))
    >>> setting = make_setting(problem, cluster, cs.FastestK(2), Streams(0))
    >>> setting.assignment.sizes.tolist(), setting.soonest.tolist()
    ([20, 20, 20], [0.5, 0.5, 0.5])
    """
    check_sizes(problem)
    work = policy.work
    instance("work", work, Work, f"{policy!r} to return Work(...) from its property `work`")
    assignment = work.placement.assign(problem, cluster.workers, streams.generator("placement"))
    check_assignment(work.placement, assignment, problem.rows, cluster.workers)
    if (idle := np.flatnonzero(assignment.sizes == 0)).size:
        raise ConfigurationError(
            f"workers = {cluster.workers}: {work.placement!r} leaves worker {idle[0]} without rows, so that its "
            "messages would be empty; use fewer workers, more rows or more redundancy"
        )
    if work.blocks > 1:
        assignment = replace(assignment, blocks=_checked_blocks(work.blocks, assignment, whole=work.batch is None))
    if work.batch is not None:
        assignment = MiniBatches.of(assignment, work.batch, streams.uniforms("batch"))
    _check_times(cluster, assignment)
    vector_bytes = problem.vector_entries * cluster.bytes_per_entry
    soonest = _least_times(cluster, assignment, vector_bytes)
    return Setting(cluster.workers, assignment, cluster.busy, soonest, cluster.tick)


def _check_times(cluster: Cluster, assignment: Assignment) -> None:
    """Refuse latency models whose times may be too long to be added up, or too short for the tick."""
    ticks = Ticks(cluster.tick)
    models = {"compute": cluster.compute, "downlink": cluster.downlink.latency, "uplink": cluster.uplink.latency}
    for name, model in models.items():
        if not isinstance(model, LatencyModel):
            continue
        _check_quantile(model)
        share = _least_share(cluster, assignment) if name == "compute" else 1.0
        ticks.check_mean(name, share * _mean_at_least(model, FEWEST * cluster.tick / share))
        longest = model.longest
        if not isinstance(longest, Real) or math.isnan(longest):
            raise ConfigurationError(f"{model!r}: longest = {longest!r}: expected seconds, at least 0, or infinity")
        if LONGEST < longest < math.inf:
            raise complaint(
                name, model, f"times of at most {LONGEST:g} s, since sums of longer ones cannot be represented",
                f"it draws times of up to {longest:g} s; infinity stands for a worker that never answers",
            )  # fmt: skip


def _check_quantile(model: LatencyModel) -> None:
    """Refuse a model of the user's own whose quantile function does not work element by element."""
    if not model.homogeneous:
        return
    for levels, shape in ((np.array([0.25, 0.5]), (2,)), (0.5, ())):
        times: object
        try:
            times = model.quantile(levels)
            fits = isinstance(times, np.ndarray) and times.shape == shape if shape else np.shape(float(times)) == shape
        except (TypeError, ValueError) as error:
            times, fits = error, False
        if not fits:
            raise ConfigurationError(
                f"{model!r}: quantile({levels}) gives {reprlib.repr(times)}: expected "
                f"{'an array of the same shape' if shape else 'a number'}; use NumPy functions, which work element by "
                "element"
            )


def _least_share(cluster: Cluster, assignment: Assignment) -> float:
    """Return the least share of the time of an even share that any task with a load takes, at most 1."""
    loads = assignment.loads[assignment.loads > 0.0]
    scales = cluster.scaling in ("proportional", "additive") and len(loads) > 0
    return min(1.0, float(loads.min())) if scales else 1.0


def _mean_at_least(model: LatencyModel, enough: float) -> float:
    """Return the mean time; or half the median, a cheap lower bound of the mean, if that is at least `enough`."""
    half = float(model.quantile(0.5)) / 2.0 if model.homogeneous else 0.0
    if half >= enough:
        return half
    mean = model.expected_time
    return mean if mean < math.inf else 2.0 * half  # the worker may never answer: the median


def _checked_blocks(blocks: int, assignment: Assignment, *, whole: bool) -> int:
    """Refuse more blocks than rows, where a task covers all rows of a worker, and blocks of rows sent one by one."""
    if whole:
        fewest = int(assignment.sizes.argmin())
        count = int(assignment.sizes[fewest])
        rows = f"{count} row{'s' * (count > 1)}"
        remedy = f"worker {fewest} holds only {rows}; use fewer blocks, fewer workers or more data"
        integer("blocks", blocks, low=1, high=count, remedy=remedy)
    if not assignment.combined:
        raise ConfigurationError(
            f"blocks = {blocks}: blocks of rows that are sent one by one are not defined; use one block, or a "
            "placement whose workers send one vector"
        )
    return blocks


def _least_times(cluster: Cluster, assignment: Assignment, vector_bytes: int) -> NDArray[np.float64]:
    """Return the least time from a dispatch to the arrival of each worker's message, in seconds."""
    workers, ticks = cluster.workers, Ticks(cluster.tick)
    down = cluster.downlink.shortest(workers, vector_bytes)
    compute = shortest_times(cluster.compute, cluster.scaling, assignment.loads, workers)
    up = cluster.uplink.shortest(workers, assignment.vectors * vector_bytes)
    soonest: NDArray[np.float64] = sum((ticks.of_all(part) for part in (down, compute, up)), np.zeros(workers))
    return ticks.seconds(soonest)


def check_watched(until: Until, problem: Problem) -> None:
    """Refuse a horizon on an error or a metric that the problem does not measure.

    Raises
    ------
    ConfigurationError
        If the optimum is not known, or the problem has no such metric.
    """
    if until.watched == "error" and not problem.has_optimum:
        raise ConfigurationError(f"until: {until!r}: the optimum of {problem!r} is not known; use time or updates")
    if until.watched in ("", "error", "loss"):
        return
    known = ("loss", *problem.metrics(problem.initial_model()))
    if until.watched not in known:
        raise ConfigurationError(f"until: metric = {until.watched!r}: expected one of {', '.join(known)}")
