"""A suite of laws that every policy keeps, a user's own included; call `check_policy` from a test.

Any run of any policy must add up (`check_run`): every message has one fate, every worker second one use. Any policy
must be a value, serve any number of runs, behave the same twice, and be honest about what it wants: told of every
single arrival, it must do just what it does when it is told of whole batches.
"""

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from clustersim.cluster import Cluster
from clustersim.engine import Run, simulate
from clustersim.errors import ClusterSimError, StalledError
from clustersim.latency import BernoulliStraggler, Constant, Exponential, LatencyModel
from clustersim.links import Link
from clustersim.optimizers import SGD
from clustersim.problems import LeastSquares, Problem
from clustersim.protocol import Busy, Decision, Event, Policy, PolicyState, Setting, Work
from clustersim.until import Until

__all__ = ["ConformanceError", "check_policy", "check_run"]

_TOLERANCE = 1e-9  # relative error of a sum of durations
_SECONDS = {
    "compute_used": ["used", "used late"],
    "compute_wasted": ["discarded", "cancelled", "lost"],
    "compute_pending": ["in flight"],
}  # of the seconds worked; those spent on a block that was cut short are wasted whatever becomes of the answer


_LOSSY = BernoulliStraggler(0.3, time=1.0)  # here a policy may come to a clear end instead of its horizon


class ConformanceError(ClusterSimError, AssertionError):
    """A policy or a run breaks a law; the message says which."""


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
    >>> cs.conformance.check_policy(cs.FastestK(3))
    """
    _check_value(policy)
    printed = repr(policy)
    problem = LeastSquares.synthetic(rows=10 * workers, features=3, seed=seed)
    for cluster in _clusters(workers):
        where = f"{policy!r} on {cluster!r}"
        try:
            run, again, impatient = (
                _run(problem, cluster, candidate, updates, seed) for candidate in (policy, policy, _Impatient(policy))
            )
        except StalledError:
            _demand(cluster.compute == _LOSSY, f"{where} waits for ever though every worker answers")
            continue
        check_run(run, cluster)
        _demand(_same(run, again), f"{where} behaves differently the second time: state leaks between runs")
        _demand(_same(run, impatient), f"{where} acts on arrivals before which it said that it would not")
        ahead = _run(problem, cluster, policy, updates, seed, messages=False)  # its plans are used where nobody looks
        _demand(
            _same(run, ahead, messages=False), f"{where} does otherwise than it plans, see clustersim.protocol.Plan"
        )
        _demand(bool(run.history["k"].between(1, workers).all()), f"{where} reports k outside 1 .. {workers}")
    _demand(repr(policy) == printed, f"{policy!r} changed during a run; it was {printed}")


def check_run(run: Run, cluster: Cluster) -> None:
    """Hold the accounts of a run that kept its messages against the messages themselves.

    Parameters
    ----------
    run : Run
        Made with ``simulate(..., messages=True)``.
    cluster : Cluster
        The one it ran on.

    Raises
    ------
    ConformanceError
        If something does not add up.
    """
    totals, messages = run.totals, run.messages
    if messages is None:
        raise ConformanceError("the run kept no messages; use simulate(..., messages=True)")
    fates = messages["status"].value_counts()
    for name in ("used", "used_late", "discarded", "cancelled", "lost", "in_flight"):
        counted = int(fates.get(name.replace("_", " "), 0))
        _demand(counted == totals[name], f"the ledger has {name} = {totals[name]}, the messages say {counted}")
    _demand(len(messages) == totals["downlink_messages"], "the fates of messages do not add up to the dispatches")
    arrived = messages["arrived"].notna()
    came = messages["status"].isin(["used", "used late", "discarded"])
    _demand(bool((arrived == came).all()), "a message was used or discarded without arriving, or the other way round")
    finished = int(messages["finished"].notna().sum())
    _demand(finished == totals["uplink_messages"], f"{finished} answers finished, not {totals['uplink_messages']}")
    sent = int(messages.loc[messages["finished"].notna(), "bytes"].sum())
    _demand(sent == totals["uplink_bytes"], f"the answers sent hold {sent} bytes, not {totals['uplink_bytes']}")
    figures = {name: float(value) for name, value in totals.items() if not isinstance(value, str)}
    _check_order(messages)
    _check_staleness(figures, messages)
    _check_seconds(figures, messages, cluster)


def _check_staleness(totals: Mapping[str, float], messages: pd.DataFrame) -> None:
    """What is used has an age, and the ledger knows their mean."""
    ages = messages["staleness"]
    _demand(bool((ages.notna() == messages["status"].isin(["used", "used late"])).all()), "an answer has a wrong age")
    _demand(bool(((ages > 0) == (messages["status"] == "used late")).all()), "an answer is late by its age or its fate")
    mean = float(ages.mean()) if ages.notna().any() else 0.0
    told = totals["mean_staleness"]
    _demand(abs(mean - told) <= _TOLERANCE * max(1.0, mean), f"the mean staleness is {mean}, the ledger says {told}")


def _check_order(messages: pd.DataFrame) -> None:
    """What happens to a message happens in order."""
    stages = ["dispatched", "received", "started", "finished", "arrived"]
    times = messages[stages].to_numpy()
    for earlier, later in zip(range(4), range(1, 5), strict=True):
        wrong = times[:, later] < times[:, earlier]
        _demand(not wrong.any(), f"{stages[later]} before {stages[earlier]}: {messages[wrong].head(1).to_dict()}")


def _check_seconds(totals: Mapping[str, float], messages: pd.DataFrame, cluster: Cluster) -> None:
    """Every worker second is used, wasted, pending or idle, and no worker does two things at once."""
    whole = cluster.workers * totals["time"]
    slack = _TOLERANCE * max(1.0, whole)
    spent = (messages["worked"] - messages["dropped"]).groupby(messages["status"]).sum()
    dropped = {"compute_wasted": float(messages["dropped"].sum())}
    for name, fates in _SECONDS.items():
        counted = float(spent.reindex(fates, fill_value=0.0).sum()) + dropped.get(name, 0.0)
        _demand(
            abs(counted - totals[name]) <= slack, f"the ledger has {name} = {totals[name]}, the messages say {counted}"
        )
    work = messages[messages["worked"] > 0].sort_values(["worker", "started"])
    overlap = (work["started"] + work["worked"]).shift() - work["started"] > slack
    _demand(not (overlap & (work["worker"] == work["worker"].shift())).any(), "a worker does two things at once")
    idle = whole - float(messages["worked"].sum())
    _demand(abs(idle - totals["idle"]) <= slack, f"the ledger has idle = {totals['idle']}, the messages leave {idle}")


def _check_value(policy: Policy) -> None:
    """A policy is a frozen dataclass that compares, hashes and pickles by its hyper-parameters."""
    if not is_dataclass(policy):
        raise ConformanceError(f"{policy!r} is not a dataclass")
    frozen = type(policy).__dataclass_params__.frozen
    _demand(frozen, f"{policy!r} is not frozen: use @dataclass(frozen=True)")
    copy = replace(policy)
    _demand(copy == policy, f"{policy!r} does not equal its copy")
    _demand(hash(copy) == hash(policy), f"{policy!r} hashes unlike its copy")
    try:
        thawed = pickle.loads(pickle.dumps(policy))  # noqa: S301 - our own bytes
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        remedy = "define its class, and those of its parts, at the top level of a module"
        raise ConformanceError(f"{policy!r} cannot be pickled ({error}); {remedy}") from error
    _demand(thawed == policy, f"{policy!r} does not survive pickling")
    _demand(type(policy).__name__ in repr(policy), f"{policy!r} does not print its name")


def _clusters(workers: int) -> Iterator[Cluster]:
    """Small clusters that differ in what can go wrong: ties, late messages, overtaking models, backlogs, silence."""
    computes: tuple[LatencyModel, ...] = (Constant(1.0), Exponential(1.0), _LOSSY)
    links = (Link(), Link(latency=Exponential(0.3)))
    busy: tuple[Busy, ...] = ("restart", "finish", "queue", "send")
    for compute, link, habit in product(computes, links, busy):
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


def _demand(law: bool, complaint: str) -> None:
    if not law:
        raise ConformanceError(complaint)


@dataclass(frozen=True)
class _Impatient(Policy):
    """The same policy, but told of every single arrival, and without its plans."""

    inner: Policy

    @property
    def work(self) -> Work:
        return self.inner.work

    def begin(self, setting: Setting) -> PolicyState:
        return _ImpatientState(self.inner.begin(setting))


class _ImpatientState:
    def __init__(self, inner: PolicyState) -> None:
        self._inner = inner

    @property
    def k(self) -> int:
        return self._inner.k

    def react(self, event: Event) -> Decision:
        answer = self._inner.react(event)
        return answer._replace(wants=answer.wants._replace(arrivals=1), plan=None)
