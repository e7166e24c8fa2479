"""Run one policy on one cluster: the function that puts policy, fleet, model and clock together."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
import simpy
from numpy.typing import NDArray

from clustersim.checks import choice, complaint, flag, instance, integer
from clustersim.cluster import Cluster
from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.accounting.messages import message_table
from clustersim.engine.cohort.fleet import CohortFleet
from clustersim.engine.delays import Delays
from clustersim.engine.foresight import check_updates
from clustersim.engine.history import Observer, Progress
from clustersim.engine.master import Master
from clustersim.engine.model import Model
from clustersim.engine.process.fleet import ProcessFleet
from clustersim.engine.setup import settle
from clustersim.engine.stopping import Horizon
from clustersim.errors import ConfigurationError
from clustersim.optimizers import Optimizer
from clustersim.problems import Problem
from clustersim.protocol import Policy
from clustersim.streams import Streams
from clustersim.threads import one_blas_thread, seldom_collected
from clustersim.ticks import Ticks
from clustersim.until import Until

__all__ = ["Run", "simulate"]

Engine = Literal["auto", "process", "cohort"]

_FLEETS: dict[str, type[ProcessFleet] | type[CohortFleet]] = {
    "auto": CohortFleet,
    "cohort": CohortFleet,
    "process": ProcessFleet,
}


@dataclass(frozen=True, eq=False)
class Run:
    """What came of one run.

    Attributes
    ----------
    history : DataFrame
        One row an evaluation: time (s), update, error, loss, k; messages, vectors of R^d and bytes both ways
        (uplink_messages, uplink_vectors, uplink_bytes, ...); compute_wasted (s); mean_staleness of the answers used so
        far (updates); and the problem's own metrics. The first row is the first model, the last one the end of the run.
    totals : dict
        ``time``, ``updates``, ``reason`` (why the run ended), and the ledger by name: the counts of history; the fates
        of messages (used, used_late, discarded, cancelled, lost, in_flight); partial and used_partial, the answers that
        were sent, and used, with fewer than all blocks; mean_staleness and max_staleness; worker seconds compute_used,
        compute_wasted, compute_pending and idle. What waits at the master when the run ends is discarded.
    messages : DataFrame or None
        One row a message, if asked for: worker, task (of the worker, from 0), version; dispatched, received, started,
        finished, arrived (times; NaN where it never came to that); compute, worked and dropped (seconds that the task
        takes, that were spent on it, and of these on a block cut short); blocks (that the answer brings), bytes,
        staleness (NaN if not used) and status.
    w : ndarray of float, shape (d,)
        The last model.
    """

    history: pd.DataFrame
    totals: dict[str, int | float | str]
    messages: pd.DataFrame | None
    w: NDArray[np.float64]


@one_blas_thread
def simulate(
    problem: Problem,
    cluster: Cluster,
    policy: Policy,
    *,
    optimizer: Optimizer,
    until: Until,
    seed: int = 0,
    replication: int = 0,
    evaluate_every: int = 10,
    messages: bool = False,
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> Run:
    """Train `problem` on `cluster` under `policy` until the horizon.

    Parameters
    ----------
    problem : Problem
        What is minimised.
    cluster : Cluster
        Workers and links.
    policy : Policy
        Who gets the model, how long the master waits, what it does with the answers.
    optimizer : Optimizer
        How the model moves, such as ``SGD(0.01)``.
    until : Until
        When the run ends.
    seed : int
        The same seed gives the same run, bit for bit. Under every policy the q-th task of a worker takes the same draw.
    replication : int
        Another replication takes other draws.
    evaluate_every : int
        Updates between two rows of history. Evaluation costs no simulated time.
    messages : bool
        Keep a record of every message; memory then grows with updates times workers.
    engine : {"auto", "process", "cohort"}
        How workers are simulated: as one SimPy process each, or as arrays, a dispatch at a time ("cohort"). Both give
        the same run, bit for bit. The cohort engine covers all that clusters and policies can ask for, since workers do
        not depend on one another, and "auto" takes it: it is much faster for rounds of many workers, and costs about as
        much as the processes where the master acts at every single answer. The processes are what it is held against.
    progress : callable, optional
        Called with the fraction done at every evaluation.

    Returns
    -------
    Run

    Raises
    ------
    ConfigurationError
        If an argument is unusable or does not fit the others.
    StalledError
        If nothing can happen any more before the horizon.
    DivergenceError
        If the model runs away.
    ProtocolError
        If the policy asks for what makes no sense.

    Notes
    -----
    BLAS is held to one thread, so that results do not depend on the number of cores; studies use the cores for
    replications.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=200, features=5, seed=7),
    ...     cs.Cluster(workers=10, compute=cs.Exponential(mean=1.0)),
    ...     cs.FastestK(3),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=100),
    ... )
    >>> run.totals["used"], run.totals["downlink_messages"]
    (300, 1000)
    """
    _check_kinds(problem, cluster, policy, optimizer, until)
    evaluate_every = integer("evaluate_every", evaluate_every, low=1)
    messages = flag("messages", messages)
    fleet = _FLEETS[choice("engine", engine, get_args(Engine))]
    if progress is not None and not callable(progress):
        raise complaint("progress", progress, "a function of the fraction done, such as print")
    if until.error is not None and not problem.has_optimum:
        raise ConfigurationError(
            f"until.error = {until.error}: the optimum of {problem!r} is not known; use time or updates"
        )
    streams = Streams(seed, replication)
    return _run(problem, cluster, policy, optimizer, until, streams, evaluate_every, messages, progress, fleet)


def _run(
    problem: Problem,
    cluster: Cluster,
    policy: Policy,
    optimizer: Optimizer,
    until: Until,
    streams: Streams,
    evaluate_every: int,
    trace: bool,
    progress: Progress | None,
    fleet_kind: type[ProcessFleet] | type[CohortFleet],
) -> Run:
    """Build the parts, let the clock run, and gather what came of it."""
    setting = settle(problem, cluster, policy, streams)
    assignment, state = setting.assignment, policy.begin(setting)
    until = until.in_updates(assignment.updates_per_epoch(policy.work.answers or cluster.workers))
    vector_bytes = problem.dimension * cluster.bytes_per_entry
    check_updates(until, cluster, setting, state.k, vector_bytes, streams)
    env, ledger, ticks = simpy.Environment(0.0), Ledger(), Ticks(cluster.tick)
    model = Model(problem, optimizer, assignment)
    delays = Delays(cluster, assignment, vector_bytes, streams)
    fleet = fleet_kind(env, assignment, delays, ledger, trace=trace)
    observer = Observer(
        problem,
        model,
        ledger,
        vector_bytes=vector_bytes,
        every=evaluate_every,
        until=until,
        ticks=ticks,
        progress=progress,
    )
    master = Master(env, ticks, policy, state, fleet, model, ledger, Horizon(until, observer, state, ticks))
    # a model that overflows is for its own watch to report, not for NumPy
    with seldom_collected(), np.errstate(over="ignore", invalid="ignore"):
        env.run(until=env.process(master.life()))
        master.close()
        fleet.close()
        time = ticks.seconds(env.now)
        observer.evaluate(time, state.k)
    totals = ledger.totals(vector_bytes, fleet.expecting, cluster.workers * int(env.now), ticks)
    return Run(
        history=observer.history(),
        totals={"time": time, "updates": model.version, "reason": master.reason, **totals},
        messages=message_table(fleet.records(), assignment.vectors * vector_bytes, env.now, ticks) if trace else None,
        w=model.w,
    )


def _check_kinds(problem: object, cluster: object, policy: object, optimizer: object, until: object) -> None:
    """Say which argument is of the wrong kind."""
    expected = (
        ("problem", problem, Problem, "LeastSquares(X, y)"),
        ("cluster", cluster, Cluster, "Cluster(workers=10, compute=Exponential(mean=1.0))"),
        ("policy", policy, Policy, "FastestK(5)"),
        ("optimizer", optimizer, Optimizer, "SGD(0.01)"),
        ("until", until, Until, "Until(time=100.0)"),
    )
    for name, value, kind, example in expected:
        article = "an" if kind.__name__[0] in "OU" else "a"
        instance(name, value, kind, f"{article} {kind.__name__}, such as {example}")
