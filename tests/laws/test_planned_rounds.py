"""Rounds that are planned ahead give the same bytes as rounds in which the policy is asked, whatever the policy.

For a soak run set CLUSTERSIM_EXAMPLES to some thousands; ``--hypothesis-show-statistics`` tells how many rounds were
computed ahead.
"""

import math
import re
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import pytest
from agreement import ENGINES, outcome
from hypothesis import event, given
from hypothesis import strategies as st
from planning import counted, plans_agree, unlike, unplanned
from scripted import Scripted
from soak import TIMEOUT, WAYS, many
from spaces import Case, cases, honest_schemes
from synchronous_policies import synchronous_policies

import clustersim as cs
from clustersim.protocol import (
    Arrivals,
    Decision,
    Dispatch,
    LatePlan,
    Plan,
    Policy,
    Stop,
    Update,
    Updated,
    Wants,
)

pytestmark = [pytest.mark.timeout(TIMEOUT), pytest.mark.usefixtures("short_patience")]


# ---------------------------------------------------------------------- equality


HORIZONS = st.one_of(
    st.builds(cs.Until, updates=st.integers(1, 70)),
    st.builds(cs.Until, time=st.sampled_from([1.0, 7.5, 30.0]), updates=st.sampled_from([40, None])),
    st.builds(cs.Until, error=st.sampled_from([0.2, 0.35, 1.0]), updates=st.integers(1, 60)),
    st.builds(cs.Until, epochs=st.sampled_from([0.5, 9.0])),
)


@st.composite
def plain_cases(draw):
    """Policies on clusters without links, whose workers drop what they are at, so that rounds can be planned."""
    case = draw(cases(honest_schemes))
    busy = draw(st.sampled_from(["restart", "restart", "restart", "finish"]))
    cluster = replace(case.cluster, downlink=cs.Link(), uplink=cs.Link(), busy=busy)
    return replace(case, cluster=cluster, until=draw(HORIZONS), evaluate_every=draw(st.integers(1, 12)))


@pytest.mark.parametrize("ways", WAYS)
@many
@given(case=plain_cases())
def test_planned_rounds_are_those_of_the_conversation(ways, case):
    with ways():
        planned = plans_agree(case)
    event(f"planned rounds: {'none' if not planned else 'few' if planned < 10 else 'many'}")


@pytest.mark.parametrize("ways", WAYS)
@many
@given(case=cases())
def test_a_plan_does_no_harm_where_it_cannot_be_used(ways, case):
    """Any policy, on any cluster."""
    with ways():
        plans_agree(case)


ALWAYS = [
    *synchronous_policies(deadline=1.0, threshold=4, burn_in=9),
    cs.FullSync(),
    cs.FastestK(3, batch=3),
    cs.LiveGradientCompensation(8, 2, batch=4, warm_up=0.5),
    cs.LiveGradientCompensation(3, 3, scaled=False),
    cs.Synchronous(cs.waits.Deadline(1.0), blocks=4, late=cs.policies.Compensate()),
]
COMPUTE = [cs.Exponential(1.0), cs.ShiftedExponential(0.5, 1.5), cs.Constant(1.0), cs.Empirical([0.5, 0.75, 1.5])]
COMPUTE += [cs.BernoulliStraggler(0.2), cs.Persistent(cs.Exponential(1.0), 3), cs.Weibull(1.0, 0.7)]


@pytest.mark.parametrize("ways", WAYS)
@pytest.mark.parametrize("policy", ALWAYS, ids=repr)
def test_every_synchronous_policy_plans(ways, policy):
    """Most of the rounds of each are computed ahead, and none of them differs.

    Each policy meets two of the laws of times, in turn, so that several policies meet each law.
    """
    first = ALWAYS.index(policy)
    turned = COMPUTE[first % len(COMPUTE) :] + COMPUTE[: first % len(COMPUTE)]
    for workers in (12, 204) if ways is nullcontext else (12,):
        planned, rounds = 0, 0
        until = cs.Until(updates=40, time=500.0)
        for compute in turned[::3][:2] if workers < 100 else COMPUTE[first % 3 : first % 3 + 1]:
            cluster = cs.Cluster(workers, compute, scaling="none")
            problem = cs.LeastSquares.synthetic(rows=5 * workers, features=2, seed=1)
            case = Case(policy, cluster, until, evaluate_every=7, optimizer=cs.SGD(1e-4), problem=problem)
            with ways():
                planned += plans_agree(case)
            rounds += 40
        assert planned > 0.3 * rounds


def test_ties_among_many_workers():
    """Where the first k are looked for among uniform draws, draws that are next to each other may be equal in ticks."""
    problem = cs.LeastSquares.synthetic(rows=3000, features=2, seed=1)
    for tick in (1e-9, 1e-5, 1e-3):  # many ties, of the thousand ticks that a mean must have
        cluster = cs.Cluster(3000, cs.ShiftedExponential(1.0, 1.0), tick=tick)
        for k in (1, 40, 2999, 3000):
            case = Case(cs.FastestK(k), cluster, cs.Until(updates=30), optimizer=cs.SGD(1e-5), problem=problem)
            assert plans_agree(case) == 29


# ---------------------------------------------------------------------- promises


@dataclass(frozen=True)
class Planner(Policy):
    """The first k, with a plan that may be anything."""

    k: int
    plan: object
    commands: tuple = (Dispatch(busy="restart"),)
    deadline: float = math.inf

    def begin(self, setting):
        return _PlannerState(self)


class _PlannerState:
    def __init__(self, policy):
        self.k, self._policy, self.followed = policy.k, policy, []

    def react(self, event):
        if isinstance(event, Updated):
            return Decision(self._policy.commands, Wants(self.k, event.time + self._policy.deadline), self._policy.plan)
        if isinstance(event, Arrivals):
            return Decision((Update(event.messages[: self.k], 0.01),), Wants())
        return Decision((), Wants())


def run(policy, updates=20):
    case = Case(policy, cs.Cluster(5, cs.Exponential(1.0)), cs.Until(updates=updates))
    with counted() as done:
        return outcome(case, engine="cohort"), done[0], case


@pytest.mark.parametrize(
    "plan",
    [
        Plan(7, 2, 0.01),
        Plan(1, 2, 0.01),
        Plan(10**9, 2, 0.01, until=4.0),
        Plan(np.int64(5), lambda workers: 2, 0.01),
        Plan(5, 2, lambda workers: 0.01),
        Plan(np.int64(6), np.int64(2), np.float64(0.01), np.inf, np.float64(1e9)),
        Plan(5, 2, np.float64(0.01)),
        Plan(5, 2, 0.01, patience=math.inf, until=math.inf, follow=None),
    ],
)
def test_a_policys_own_plan(plan):
    planned, done, case = run(Planner(2, plan))
    assert planned.error is None
    assert not unlike(planned, unplanned(case))
    assert done >= 4


@pytest.mark.parametrize(
    ("planner", "words"),
    [
        (Planner(2, Plan(7, 3, 0.01)), "plans to wait for 3 messages, and updates with 2"),
        (Planner(2, Plan(7, 2, 0.02)), r"at weights 0.02, and updates with \[0 1\] at 0.01"),
        (Planner(2, Plan(7, lambda workers: 1, 0.01)), "plans to update with messages"),
        (Planner(2, Plan(7, lambda workers: "two", 0.01)), "its plan says that 'two' messages are enough"),
        (Planner(2, Plan(7, 2, lambda workers: np.array([0.01, 0.0]))), "plans to update with messages"),
        (Planner(3, Plan(7, 2, 0.01)), "plans to act on 2 messages, and wants 3"),
        (
            Planner(2, Plan(7, 2, lambda workers: ["half"])),
            "are .'half'.; give numbers",
        ),
        (Planner(2, Plan(True, 2, 0.01)), "its plan has rounds = True"),
        (Planner(2, "plan"), "its plan is 'plan'; give Plan"),
        (Planner(2, Plan(0, 2, 0.01)), "its plan has rounds = 0: expected a whole number"),
        (Planner(2, Plan(2.5, 2, 0.01)), "its plan has rounds = 2.5"),
        (Planner(2, Plan(7, 6, 0.01)), "its plan has enough = 6: expected a whole number, 1 to 5"),
        (Planner(2, Plan(7, 0, 0.01)), "its plan has enough = 0"),
        (Planner(2, Plan(7, 2, math.nan)), "its plan has weights = nan"),
        (Planner(2, Plan(7, 2, "half")), "its plan has weights = 'half'"),
        (Planner(2, Plan(7, 2, 0.01, patience=-1.0)), "its plan has patience = -1.0"),
        (Planner(2, Plan(7, 2, 0.01, until=math.nan)), "its plan has until = nan"),
        (Planner(2, Plan(7, 2, 0.01, follow=3)), "its plan has follow = 3"),
        (Planner(2, Plan(7, 2, 0.01, patience=1.0)), "plans to wait for 1.0 s at time 0, and returns Wants"),
        (Planner(2, Plan(7, 2, 0.01), commands=()), "a plan belongs to one Dispatch"),
        (Planner(2, Plan(7, 2, 0.01), commands=(Dispatch(np.arange(3), "restart"),)), "a plan belongs to one Dispatch"),
        (Planner(2, Plan(7, 2, 0.01), commands=(Dispatch(),)), r"a plan belongs to one Dispatch\(busy=...\) to all"),
        (Planner(2, Plan(7, 2, 0.01, late=LatePlan(None, None, None))), "its plan has late = LatePlan"),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_plan_that_contradicts_the_answers_is_refused(planner, words, engine):
    case = Case(planner, cs.Cluster(5, cs.Exponential(1.0)), cs.Until(updates=20))
    error = outcome(case, engine=engine).error
    assert isinstance(error, cs.ProtocolError)
    assert re.search(words, str(error)), error
    assert "Last events:" in str(error)


def test_each_update_of_a_plan_but_the_last_is_followed():
    followed = []
    plan = Plan(6, 2, 0.01, follow=followed.append)
    planned, done, _ = run(Planner(2, plan), updates=14)
    assert planned.error is None
    # version 1 is told; a plan of 6 rounds ends with version 7, which is told; the next one with 13
    assert [each.version for each in followed] == [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    assert done == 13


# ---------------------------------------------------------------------- parts of one's own


@dataclass(frozen=True)
class NoFive(cs.decoders.Mean):
    """Nothing for round in which worker 5 comes first; half of the mean otherwise."""

    def weights(self, assignment, workers):
        return 0.0 if workers[0] == 5 else super().weights(assignment, workers) / 2


@dataclass(frozen=True)
class Alternating(cs.waits.Fastest):
    """Two or three, in turns of ten updates: its state inherits from that of a rule that never changes."""

    def begin(self, setting):
        state = super().begin(setting)

        class State(type(state)):
            def opened(self, updated):
                self.k = 2 + updated.version // 10 % 2

        return State(state.k)


@dataclass(frozen=True)
class AllButTheFirst(cs.waits.Fastest):
    """Needs one more answer than it says."""

    def begin(self, setting):
        state = super().begin(setting)

        class State(type(state)):
            def needs(self, workers):
                return super().needs(workers) + 1

        return State(state.k)


@dataclass(frozen=True)
class NaNOnce(cs.policies.Compensate):
    """Late weights that are no numbers when worker 3 came first."""

    def weights(self, decoder, assignment, last):
        weights = super().weights(decoder, assignment, last)
        return weights * np.nan if last.workers[:1].tolist() == [3] else weights


class Singles(cs.LeastSquares):
    """Gradients of single precision, and always in the same array."""

    def gradient(self, w, rows, weights):
        self.latest = getattr(self, "latest", np.empty(len(w), dtype=np.float32))
        self.latest[:] = super().gradient(w, rows, weights)
        return self.latest


OWN = [
    cs.Synchronous(cs.waits.Fastest(3), NoFive()),
    cs.Synchronous(Alternating(2)),
    cs.Synchronous(AllButTheFirst(2)),
    cs.Synchronous(cs.waits.Fastest(3), blocks=2, late=NaNOnce()),
    cs.LiveGradientCompensation(3, 4),
]


@pytest.mark.parametrize("policy", OWN, ids=repr)
def test_parts_of_ones_own_do_not_inherit_promises(policy):
    random = np.random.default_rng(1)
    X, y = random.normal(size=(24, 2)), random.normal(size=24)
    for problem in (cs.LeastSquares(X, y), Singles(X, y)):
        plans_agree(Case(policy, cs.Cluster(6, cs.Exponential(1.0)), cs.Until(updates=40), problem=problem))


def test_a_plan_needs_no_draws_beyond_its_end():
    """Times are recorded for seven tasks; the policy plans as many rounds, and stops."""

    def react(event):
        if isinstance(event, Updated):
            last = event.version == 7
            commands = (Stop("done"),) if last else (Dispatch(busy="restart"),)
            return Decision(commands, Wants(2), None if last else Plan(7 - event.version, 2, 0.01))
        return Decision((Update(event.messages[:2], 0.01),), Wants())

    times = np.random.default_rng(1).random((7, 5)) + 0.5
    case = Case(Scripted(react), cs.Cluster(5, cs.Replay(times)), cs.Until(updates=50))
    assert plans_agree(case) == 6


def test_what_the_master_holds_is_not_forgotten_by_a_plan():
    """An answer that an update keeps is thrown away by the next one, and not later."""

    def react(event):
        if isinstance(event, Updated):
            return Decision(
                (Dispatch(busy="restart"),), Wants(2 if event.version != 3 else 4), plans.get(event.version)
            )
        count = len(event.messages)
        kept = event.messages[2:] if count > 2 else None
        return Decision((Update(event.messages[:2], 0.01, keep=kept),), Wants())

    plans = {version: Plan(3 - version if version < 3 else 50, 2, 0.01) for version in range(60) if version != 3}
    case = Case(Scripted(react), cs.Cluster(5, cs.Exponential(1.0)), cs.Until(updates=30))
    assert plans_agree(case) > 20
