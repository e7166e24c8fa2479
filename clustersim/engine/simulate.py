"""The function `simulate`: run one policy on one cluster.

It checks the arguments, builds policy state, fleet, model and clock, and returns a `Run`.
"""

from typing import Literal, get_args

import numpy as np
import simpy

from clustersim.checks import choice, complaint, flag, instance
from clustersim.cluster import Cluster
from clustersim.engine.cohort.fleet import CohortFleet
from clustersim.engine.delays import Delays
from clustersim.engine.expected_updates import check_updates
from clustersim.engine.history import Progress
from clustersim.engine.process.fleet import ProcessFleet
from clustersim.engine.run import Run, Training
from clustersim.engine.setup import check_watched, make_setting
from clustersim.evaluations import Every, evaluation_rule
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
    evaluate_every: int | Every | None = None,
    messages: bool = False,
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> Run:
    """Train the model of `problem` on `cluster` under `policy` until the horizon.

    Parameters
    ----------
    problem : Problem
        The objective to minimise, and its data.
    cluster : Cluster
        The workers and the links.
    policy : Policy
        Which workers get the model, how long the master waits, and how it uses the messages.
    optimizer : Optimizer
        The rule of a step of the model, such as ``SGD(0.01)``.
    until : Until
        The horizon, at which the run ends.
    seed : int
        The same seed gives the same run, bit for bit. Under every policy the q-th task of a worker takes the same draw.
    replication : int
        The number of the replication. Replications take independent draws.
    evaluate_every : int or Every, optional
        Updates between two rows of history, or ``cs.Every(seconds=...)`` for even distances of simulated time. By
        default the first fifty updates are evaluated, then those that make the number of updates grow by 2 %, and the
        first one after every 0.5 % of the time horizon. Evaluation costs no simulated time.
    messages : bool
        Whether to record every message in ``Run.messages`` and the time of every update in ``Run.updates``. Memory then
        grows with updates times workers.
    engine : {"auto", "process", "cohort"}
        How the workers are simulated: "process" runs each worker as a SimPy process; "cohort" computes whole
        dispatches, or many rounds at once, as arrays. Both give the same run, bit for bit. The cohort engine supports
        every cluster and every policy, since workers do not depend on one another, and "auto" selects it. It is much
        faster for rounds of many workers, and about as fast as the processes where the master acts on every single
        message. The process engine serves as the reference for tests.
    progress : callable, optional
        Called at every evaluation with the fraction of the run that is done.

    Returns
    -------
    Run
        History, totals, messages on request, and the last model.

    Raises
    ------
    ConfigurationError
        If an argument is invalid or does not fit the others.
    StalledError
        If the run can make no further progress towards its horizon.
    DivergenceError
        If the model diverges.
    ProtocolError
        If the policy returns an invalid decision.

    Notes
    -----
    BLAS uses one thread, so that results do not depend on the number of cores. Studies use the cores for replications.

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
    rule = evaluation_rule("evaluate_every", evaluate_every)
    messages = flag("messages", messages)
    fleet = _FLEETS[choice("engine", engine, get_args(Engine))]
    if progress is not None and not callable(progress):
        raise complaint("progress", progress, "a function of the fraction done, such as print")
    check_watched(until, problem)
    streams = Streams(seed, replication)
    return _run(problem, cluster, policy, optimizer, until, streams, rule, messages, progress, fleet)


def _run(
    problem: Problem,
    cluster: Cluster,
    policy: Policy,
    optimizer: Optimizer,
    until: Until,
    streams: Streams,
    evaluate_every: Every | None,
    recording: bool,
    progress: Progress | None,
    fleet_kind: type[ProcessFleet] | type[CohortFleet],
) -> Run:
    """Build the parts, run the clock until the master ends the run, and collect the outcome."""
    setting, ticks = make_setting(problem, cluster, policy, streams), Ticks(cluster.tick)
    training = Training(
        problem,
        policy,
        setting,
        optimizer,
        until,
        ticks=ticks,
        bytes_per_entry=cluster.bytes_per_entry,
        evaluate_every=evaluate_every,
        progress=progress,
    )
    check_updates(training.until, cluster, setting, training.k(), training.vector_bytes, streams)
    env = simpy.Environment(0.0)
    delays = Delays(cluster, setting.assignment, training.vector_bytes, streams)
    fleet = fleet_kind(env, setting.assignment, delays, training.ledger, recording=recording)
    master = training.master(env, fleet)
    # the watch on divergence reports a model that overflows, so NumPy need not warn
    with seldom_collected(), np.errstate(over="ignore", invalid="ignore"):
        env.run(until=env.process(master.run()))
        return training.outcome(master, env, fleet)


def _check_kinds(problem: object, cluster: object, policy: object, optimizer: object, until: object) -> None:
    """Check the type of each argument."""
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
