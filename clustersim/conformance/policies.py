"""The laws of policies.

Every run of a policy must add up: each message has one fate, and each second of a worker has one use. A policy is a
value, serves any number of runs, and behaves the same each time. It is honest about what it wants: if it is woken at
every single arrival, it does just what it does when it is woken for whole batches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from clustersim.cluster import Cluster
from clustersim.conformance.demands import check_value, demand
from clustersim.conformance.runs import check_run
from clustersim.engine import Run, simulate
from clustersim.errors import StalledError
from clustersim.latency import BernoulliStraggler, Constant, Exponential, LatencyModel
from clustersim.links import Link
from clustersim.optimizers import SGD
from clustersim.problems import LeastSquares, Problem
from clustersim.protocol import BUSY, Decision, Event, Policy, PolicyState, Setting, Work
from clustersim.until import Until

__all__ = ["check_policy"]

_LOSSY = BernoulliStraggler(0.3, time=1.0)  # here a policy may come to a clear end instead of its horizon


def check_policy(policy: Policy, *, workers: int = 12, updates: int = 25, seed: int = 0) -> None:
    """Put a policy through the suite.

    Parameters
    ----------
    policy : Policy
    workers : int, default 12
        Workers in the clusters that the policy is tried on; it must be able to run with this number.
    updates : int, default 25
        Length of each run.
    seed : int, default 0

    Raises
    ------
    ConformanceError
        If the policy breaks a law.

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.conformance.check_policy(cs.FastestK(3), workers=6, updates=10)
    """
    check_value(policy)
    printed = repr(policy)
    problem = LeastSquares.synthetic(rows=10 * workers, features=3, seed=seed)
    for cluster in _clusters(workers):
        where = f"{policy!r} on {cluster!r}"
        try:
            run, impatient = (
                _run(problem, cluster, candidate, updates, seed) for candidate in (policy, _Impatient(policy))
            )
        except StalledError:
            demand(cluster.compute == _LOSSY, f"{where} waits for ever though every worker answers")
            continue
        check_run(run, cluster)
        ahead = _run(problem, cluster, policy, updates, seed, messages=False)  # its plans are used where nobody looks
        honest, as_planned = _same(run, impatient), _same(run, ahead, messages=False)
        if not (honest and as_planned):
            same = all(_same(run, _run(problem, cluster, policy, updates, seed)) for _ in range(2))
            demand(same, f"{where} behaves differently the second time: state leaks between runs")
        demand(honest, f"{where} acts on arrivals before which it said that it would not")
        demand(as_planned, f"{where} does otherwise than it plans, see clustersim.protocol.Plan")
        demand(bool(run.history["k"].between(1, workers).all()), f"{where} reports k outside 1 .. {workers}")
    demand(repr(policy) == printed, f"{policy!r} changed during a run; it was {printed}")


def _clusters(workers: int) -> Iterator[Cluster]:
    """Small clusters that differ in what can go wrong: ties, late messages, overtaking models, backlogs, silence."""
    computes: tuple[LatencyModel, ...] = (Constant(1.0), Exponential(1.0), _LOSSY)
    links = (Link(), Link(latency=Exponential(0.3)))
    for compute, link, habit in product(computes, links, BUSY):
        yield Cluster(workers, compute, downlink=link, uplink=link, busy=habit, scaling="none")


def _run(problem: Problem, cluster: Cluster, policy: Policy, updates: int, seed: int, *, messages: bool = True) -> Run:
    return simulate(
        problem,
        cluster,
        policy,
        optimizer=SGD(1e-5),
        until=Until(updates=updates),
        seed=seed,
        evaluate_every=1,
        messages=messages,
    )


def _same(a: Run, b: Run, *, messages: bool = True) -> bool:
    """Whether two runs agree in every figure, and in their messages unless that is not asked for."""
    if messages and (a.messages is None or b.messages is None or not a.messages.equals(b.messages)):
        return False
    return a.history.equals(b.history) and a.totals == b.totals and bool(np.array_equal(a.w, b.w))


@dataclass(frozen=True)
class _Impatient(Policy):
    """The same policy, but notified of every single arrival, and without its plans."""

    inner: Policy

    @property
    def work(self) -> Work:
        return self.inner.work

    def begin(self, setting: Setting) -> PolicyState:
        return _ImpatientState(self.inner.begin(setting))


class _ImpatientState(PolicyState):
    def __init__(self, inner: PolicyState) -> None:
        self._inner, self.k = inner, inner.k

    def react(self, event: Event) -> Decision:
        decision = self._inner.react(event)
        self.k = self._inner.k
        return decision._replace(wants=decision.wants._replace(arrivals=1), plan=None)
