"""Laws that hold for any policy on any cluster: conservation, determinism, honesty of wants."""

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
from conforming import half_of_the_clusters
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_spaces import latencies, links, positive
from scripted import AtRandom, ByDeadline, Leaky

import clustersim as cs
from clustersim.conformance import ConformanceError, check_policy, check_run
from clustersim.protocol import Decision, Dispatch, Plan, Update, Updated, Wants

clusters = st.builds(
    cs.Cluster,
    workers=st.integers(1, 7),
    compute=latencies,
    downlink=links,
    uplink=links,
    scaling=st.sampled_from(["proportional", "server-dependent", "data-dependent", "additive", "none"]),
    busy=st.sampled_from(["restart", "finish", "queue", "send"]),
)


def simulate(cluster, policy, seed=0, **options):
    options.setdefault("until", cs.Until(time=30.0, updates=40))
    problem = cs.LeastSquares.synthetic(rows=23, features=2, seed=1)
    return cs.simulate(
        problem, cluster, policy, optimizer=cs.SGD(1e-3), seed=seed, evaluate_every=3, messages=True, **options
    )


@settings(max_examples=30, deadline=None)
@given(cluster=clusters, policy=st.builds(AtRandom, st.integers(0, 10**6)), seed=st.integers(0, 10**6))
def test_everything_adds_up_whatever_the_policy_does(cluster, policy, seed):
    check_run(simulate(cluster, policy, seed), cluster)


@settings(max_examples=20, deadline=None)
@given(cluster=clusters, policy=st.builds(AtRandom, st.integers(0, 10**6)), seed=st.integers(0, 10**6))
def test_same_seed_same_run(cluster, policy, seed):
    one, two = simulate(cluster, policy, seed), simulate(cluster, policy, seed)
    assert one.history.equals(two.history)
    assert one.messages.equals(two.messages)
    assert one.totals == two.totals
    assert one.w.tobytes() == two.w.tobytes()


@settings(max_examples=20, deadline=None)
@given(k=st.integers(1, 5), seed=st.integers(0, 10**6), extra=st.integers(1, 4), mean=positive)
def test_common_random_numbers(k, seed, extra, mean):
    """The q-th task of a worker takes the same draw under another policy, and beside more workers."""
    draws = []
    for workers, policy in ((5, cs.FastestK(k)), (5, cs.FullSync()), (5 + extra, cs.FastestK(1))):
        run = simulate(cs.Cluster(workers, cs.Exponential(mean), scaling="none"), policy, seed)
        draws.append(run.messages.query("worker < 5").set_index(["worker", "task"])["compute"])
    for other in draws[1:]:
        common = draws[0].index.intersection(other.index)
        assert len(common) > 5
        assert (draws[0].loc[common] == other.loc[common]).all()


def test_other_seeds_and_replications_differ():
    cluster = cs.Cluster(4, cs.Exponential(1.0))
    runs = [simulate(cluster, cs.FastestK(2), seed=seed) for seed in (0, 1)]
    runs.append(simulate(cluster, cs.FastestK(2), replication=1))
    ends = {run.history["time"].iloc[1] for run in runs}
    assert len(ends) == 3


POLICIES = [
    cs.FullSync(),
    cs.FastestK(7),
    cs.AdaptiveK(start=2, threshold=0, burn_in=2, step=3),
    cs.AdaptiveK(start=1, threshold=1, burn_in=0, factor=2, max_k=8),
    cs.SwitchingTimes([1.0, 1.0, 6.0], start=2),
    cs.Synchronous(wait=cs.waits.Pflug(start=1, threshold=0, burn_in=1), decoder=cs.decoders.Mean()),
]


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_conformance_of_the_policies(policy):
    with half_of_the_clusters(POLICIES.index(policy)):
        check_policy(policy, updates=8)


def test_a_deadline_policy_of_ones_own_conforms():
    check_policy(ByDeadline(wait=2.5), updates=12)


def test_the_suite_refuses_a_policy_that_remembers_between_runs():
    with pytest.raises(ConformanceError, match="leaks"):
        check_policy(Leaky())


def test_the_suite_accepts_a_policy_whose_class_is_hidden_in_a_function():
    """A study can send it to another process, so it is no fault."""

    class Hidden(cs.FastestK):
        pass

    cs.conformance.check_policy(Hidden(2), updates=3)


@dataclass(frozen=True)
class Locked(cs.FastestK):
    """Holds what no other process can have."""

    lock: object = field(default_factory=threading.Lock)


def test_the_suite_names_a_policy_that_cannot_be_sent_to_another_process():
    with pytest.raises(ConformanceError, match=r"cannot be sent to another process .*lock.*plain values"):
        check_policy(Locked(2))


def test_the_suite_refuses_a_policy_that_acts_early():
    with pytest.raises(ConformanceError, match="said that it would not"):
        check_policy(AtRandom(3))  # answers every event, whatever it said that it wants


@dataclass(frozen=True)
class Fickle(cs.Policy):
    """Plans a hundred rounds with the first two answers, and from the fifth on it would take three."""

    def begin(self, setting):
        return _FickleState()


class _FickleState:
    k, version = 2, 0

    def react(self, event):
        if isinstance(event, Updated):
            self.version, self.heard = event.version, []
            self.k = 2 if self.version < 5 else 3
            return Decision((Dispatch(busy="restart"),), Wants(self.k), Plan(100, self.k, 0.01))
        self.heard += event.messages.tolist()
        if len(self.heard) < self.k:
            return Decision((), Wants(self.k - len(self.heard)))
        return Decision((Update(np.array(self.heard[: self.k]), 0.01),), Wants())


def test_the_suite_refuses_a_policy_that_does_not_keep_its_plans():
    with pytest.raises(ConformanceError, match="does otherwise than it plans"):
        check_policy(Fickle())


def test_the_suite_refuses_cooked_books():
    cluster = cs.Cluster(3, cs.Exponential(1.0))
    for name in ("used", "cancelled", "in_flight", "uplink_messages", "compute_wasted", "downlink_messages"):
        run = simulate(cluster, cs.FastestK(2))
        run.totals[name] += 1
        with pytest.raises(ConformanceError):
            check_run(run, cluster)
