"""Which workers the cohort engine replays one by one: those whose tasks mix rules or overtake, as long as they do."""

import numpy as np
import pytest
from agreement import demand_same, in_both_engines
from scripted import Scripted
from spaces import Case

import clustersim as cs
from clustersim.engine.cohort import fleet as cohort
from clustersim.protocol import Arrivals, Decision, Dispatch, Update, Updated, Wants

N = 6


@pytest.fixture
def replays(monkeypatch):
    """The workers that were replayed, call by call, with the time of each."""
    calls, replay = [], cohort.replay

    def noted(tasks, rows, shares, now, first_wave, *, instant):
        calls.append((now / 1e9, np.unique(tasks.worker[rows]).tolist()))
        return replay(tasks, rows, shares, now, first_wave, instant=instant)

    monkeypatch.setattr(cohort, "replay", noted)
    return calls


def rounds(*dispatches):
    """A policy that dispatches so, then so, after each time that one answer has come, and uses each answer at once."""

    def answer(event):
        if isinstance(event, Arrivals):
            return Decision((Update(event.messages, 0.0),), Wants(1))
        if isinstance(event, Updated) and event.version < len(dispatches):
            return Decision((dispatches[event.version],), Wants(1))
        return Decision((), Wants(1))

    return Scripted(answer)


def case_of(policy, times, updates, link=None):
    link = link or cs.Link()
    cluster = cs.Cluster(N, cs.Replay(times), downlink=link, scaling="none")
    return Case(policy, cluster, cs.Until(updates=updates))


def engines_agree(case):
    process, light = in_both_engines(case)
    demand_same(process, light, "processes (one) and cohort (two) differ")
    assert light.run is not None


def test_only_workers_with_work_of_another_rule_are_replayed(replays):
    """At 1 s worker 0 answers; "finish" goes to 0 and 1, and 1 is at work on a "restart"; likewise 2 later.

    At 2 s workers 0 and 1 answer: 1 begins the waiting task, which is the only unfinished one that it has. When a third
    model comes for both, nothing mixes any more.
    """
    first, both = [1.0, 2.0, 20.0, 20.0, 20.0, 20.0], np.array([0, 1])
    times = [first, [2.0, 2.0, *[20.0] * 4], [1.0] * N, [1.0] * N]
    policy = rounds(Dispatch(busy="restart"), Dispatch(both, busy="finish"), Dispatch(both, busy="finish"))
    engines_agree(case_of(policy, times, 4))
    assert replays == [(1.0, [1])]


@pytest.mark.parametrize("link", [cs.Link(), cs.Link(latency=cs.Constant(0.25))], ids=["at once", "on the way"])
def test_a_change_of_rule_is_forgotten_when_the_work_before_it_is_done(replays, link):
    """All answer, one after another, to a "finish", then to a "queue"; ten more rounds of it with work unfinished.

    The first "queue" finds five workers at work on a "finish", the second one some of them still, and then no more.
    """
    times = [np.linspace(1.0, 1.5, N)] * 16
    policy = rounds(Dispatch(busy="finish"), *[Dispatch(busy="queue")] * 12)
    engines_agree(case_of(policy, times, 20, link))
    assert replays
    assert replays[0][1] == [1, 2, 3, 4, 5]
    assert max(now for now, _ in replays) < 2.0
    assert len(replays) < 8


def test_unclear_workers_of_a_dispatch_are_replayed_in_one_call(replays):
    """Models overtake one another on a rough link, and all are queued."""
    link = cs.Link(latency=cs.Exponential(1.0))
    cluster = cs.Cluster(300, cs.Exponential(1.0), downlink=link, uplink=link, busy="queue")
    problem = cs.LeastSquares(np.ones((300, 1)), np.zeros(300))
    policy = cs.policies.Asynchronous(50, to_all=True)
    engines_agree(Case(policy, cluster, cs.Until(updates=10), optimizer=cs.SGD(1e-6), problem=problem))
    assert 0 < len(replays) <= 10
    assert max(len(workers) for _, workers in replays) > 50
