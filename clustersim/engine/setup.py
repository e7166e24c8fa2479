"""What a policy is told before a run: who holds which rows, and how soon an answer can come.

Problem, cluster and policy flow in; a `Setting` flows out, to the engine and to studies, which look whether policies
fit before anything is run.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import LONGEST, complaint, integer
from clustersim.cluster import Cluster
from clustersim.errors import ConfigurationError
from clustersim.latency import LatencyModel, shortest_times
from clustersim.placements import Assignment, MiniBatches
from clustersim.placements.soundness import check_assignment
from clustersim.problems import Problem
from clustersim.protocol import Policy, Setting
from clustersim.streams import Streams
from clustersim.ticks import FEWEST, Ticks

__all__ = ["make_setting"]


def make_setting(problem: Problem, cluster: Cluster, policy: Policy, streams: Streams) -> Setting:
    """Carry out the policy's placement on the cluster.

    Raises
    ------
    ConfigurationError
        If the work does not fit the problem and the cluster, or leaves a worker without rows.
    """
    work = policy.work
    assignment = work.placement.assign(problem, cluster.workers, streams.generator("placement"))
    check_assignment(work.placement, assignment, problem.rows, cluster.workers)
    if (idle := np.flatnonzero(assignment.sizes == 0)).size:
        raise ConfigurationError(
            f"workers = {cluster.workers}: {work.placement!r} leaves worker {idle[0]} without rows, so that it would "
            "answer at once with nothing; use fewer workers, more rows or more redundancy"
        )
    if work.blocks > 1:
        assignment = replace(assignment, blocks=_checked_blocks(work.blocks, assignment, whole=work.batch is None))
    if work.batch is not None:
        assignment = MiniBatches.of(assignment, work.batch, streams.uniforms("batch"))
    _check_times(cluster, assignment)
    vector_bytes = problem.dimension * cluster.bytes_per_entry
    return Setting(cluster.workers, assignment, cluster.busy, _soonest(cluster, assignment, vector_bytes), cluster.tick)


def _check_times(cluster: Cluster, assignment: Assignment) -> None:
    """Refuse models of times that may be too long to be added up, or too short for the clock, before one is drawn."""
    ticks = Ticks(cluster.tick)
    models = {"compute": cluster.compute, "downlink": cluster.downlink.latency, "uplink": cluster.uplink.latency}
    for name, model in models.items():
        if isinstance(model, LatencyModel):
            share = _least_share(cluster, assignment) if name == "compute" else 1.0
            ticks.check_mean(name, share * _mean_at_least(model, FEWEST * cluster.tick / share))
        if isinstance(model, LatencyModel) and LONGEST < (longest := model.longest) < math.inf:
            raise complaint(
                name, model, f"times of at most {LONGEST:g} s, for sums of longer ones cannot be represented",
                f"it draws times of up to {longest:g} s; infinity stands for a worker that never answers",
            )  # fmt: skip


def _least_share(cluster: Cluster, assignment: Assignment) -> float:
    """What part of the time of a share a task takes at least, of those that take any time."""
    loads = assignment.loads[assignment.loads > 0.0]
    scales = cluster.scaling in ("proportional", "additive") and len(loads) > 0
    return min(1.0, float(loads.min())) if scales else 1.0


def _mean_at_least(model: LatencyModel, enough: float) -> float:
    """The mean time, or a part of it that is enough: half the median, which any model can tell at once."""
    half = float(model.quantile(0.5)) / 2.0 if model.homogeneous else 0.0
    if half >= enough:
        return half
    mean = model.expected_time
    return mean if mean < math.inf else 2.0 * half  # of a worker that may never answer, what it takes if it does


def _checked_blocks(blocks: int, assignment: Assignment, *, whole: bool) -> int:
    """Refuse blocks without rows, where a task is about all rows of a worker, and blocks of rows sent one by one."""
    if whole:
        fewest = int(assignment.sizes.argmin())
        held = int(assignment.sizes[fewest])
        rows = f"{held} row{'s' * (held > 1)}"
        remedy = f"worker {fewest} holds only {rows}; use fewer blocks, fewer workers or more data"
        integer("blocks", blocks, low=1, high=held, remedy=remedy)
    if not assignment.combined:
        raise ConfigurationError(
            f"blocks = {blocks}: blocks of rows that are sent one by one are not defined; use one block, or a "
            "placement whose workers send one vector"
        )
    return blocks


def _soonest(cluster: Cluster, assignment: Assignment, vector_bytes: int) -> NDArray[np.float64]:
    """Seconds from a dispatch before which no answer of each worker can arrive."""
    workers, ticks = cluster.workers, Ticks(cluster.tick)
    down = cluster.downlink.shortest(workers, vector_bytes)
    compute = shortest_times(cluster.compute, cluster.scaling, assignment.loads, workers)
    up = cluster.uplink.shortest(workers, assignment.vectors * vector_bytes)
    soonest: NDArray[np.float64] = sum((ticks.of_all(part) for part in (down, compute, up)), np.zeros(workers))
    return ticks.seconds(soonest)
