"""Wait rules and combinations of them, against their definitions and against one another, on random cases."""

from fractions import Fraction as Exactly

import pytest
from agreement import demand_same, differences, in_both_engines, outcome, short_patience
from hypothesis import given, settings
from hypothesis import strategies as st
from planning import plans_agree, unplanned
from spaces import Case, cases
from timed_rounds import PROBLEM, rounds

import clustersim as cs
from clustersim.waits import (
    All,
    Covered,
    Deadline,
    Earliest,
    Fastest,
    Fraction,
    GracePeriod,
    Latest,
    MedianDeadline,
    RelativeDeadline,
    Schedule,
    WarmUp,
)

TENTHS = st.integers(1, 60).map(lambda tenths: Exactly(tenths, 10))
PRIMITIVE = st.one_of(
    st.builds(lambda k: (Fastest(k), lambda t: t[k - 1]), st.integers(1, 4)),
    st.builds(lambda s: (Deadline(float(s)), lambda t: min(s, t[-1])), TENTHS),
    st.builds(lambda k, s: (GracePeriod(k, float(s)), lambda t: min(t[k - 1] + s, t[-1])), st.integers(1, 4), TENTHS),
    st.builds(
        lambda mu: (RelativeDeadline(float(mu)), lambda t: min((1 + mu) * t[0], t[-1])),
        st.sampled_from([Exactly(0), Exactly(1, 10), Exactly(1, 2), Exactly(2)]),
    ),
)


def together(parts):
    """Earliest and Latest of some rules, with the function that says when they end a round."""
    rules, ends = [rule for rule, _ in parts], [end for _, end in parts]
    return st.sampled_from([
        (Earliest(*rules), lambda t: min(end(t) for end in ends)),
        (Latest(*rules), lambda t: max(end(t) for end in ends)),
    ])  # fmt: skip


RULES = st.recursive(PRIMITIVE, lambda rules: st.lists(rules, min_size=1, max_size=3).flatmap(together), max_leaves=5)


@settings(max_examples=40, deadline=None)
@given(RULES, st.lists(st.lists(TENTHS, min_size=4, max_size=4, unique=True), min_size=1, max_size=4))
def test_a_round_ends_when_its_rules_say_so(given_rule, rows):
    """Against the definition, in exact fractions; no two messages arrive at one instant."""
    rule, ends = given_rule
    never = [[0.01, 0.02, 0.03, 0.04]]  # never begun, but it makes every deadline possible
    seconds, messages = rounds(rule, [[float(t) for t in row] for row in rows] + never, updates=len(rows))
    expected = [ends(sorted(row)) for row in rows]
    assert seconds == [float(end) for end in expected]
    assert messages == [sum(t <= end for t in row) for row, end in zip(rows, expected, strict=True)]


WORKERS = 6
COUNTS = st.one_of(
    st.integers(1, WORKERS).map(lambda k: (Fastest(k), k)),
    st.floats(0.01, 1.0).map(lambda delta: (Fraction(delta), max(1, Fraction(delta).of(WORKERS)))),
    st.just((All(), WORKERS)),
    st.just((Covered(), WORKERS)),  # without redundancy
)
COUNTED = st.recursive(
    COUNTS,
    lambda rules: st.builds(
        lambda parts, kind: (kind(*(r for r, _ in parts)), (max if kind is Latest else min)(k for _, k in parts)),
        st.lists(rules, min_size=1, max_size=3),
        st.sampled_from([Latest, Earliest]),
    ),
    max_leaves=4,
)
COMPUTE = [cs.Exponential(1.0), cs.Constant(1.0), cs.Empirical([0.5, 0.75, 1.5])]  # without ties, and with many


def case_of(rule, compute, seed=0):
    cluster = cs.Cluster(WORKERS, compute, scaling="none")
    return Case(cs.Synchronous(rule), cluster, cs.Until(updates=12), seed=seed, problem=PROBLEM)


@settings(max_examples=25, deadline=None)
@given(COUNTED, st.sampled_from(COMPUTE), st.integers(0, 9))
def test_several_counts_are_one_count(combined, compute, seed):
    """`Latest` waits for the largest number, `Earliest` for the smallest; planned, unplanned and in both engines."""
    rule, k = combined
    case, plain = case_of(rule, compute, seed), case_of(Fastest(k), compute, seed)
    assert plans_agree(case) == 11  # all but the first round are planned
    assert not differences(outcome(case, engine="cohort"), outcome(plain, engine="cohort"))
    assert not differences(unplanned(case), unplanned(plain))
    assert not differences(outcome(case, engine="process"), outcome(plain, engine="process"))


@pytest.mark.parametrize("kind", [Earliest, Latest])
@pytest.mark.parametrize("compute", COMPUTE, ids=repr)
def test_rules_that_change_are_planned_together(kind, compute):
    """k follows the clock, the gradients, the groups that have answered, or the epochs."""
    groups = cs.placements.FractionalRepetition(2)
    rules = [Schedule([2.0, 5.0]), cs.waits.Pflug(2, 2, 3), Covered(), WarmUp(Fastest(2), 4.0), Fastest(3)]
    for place, one in enumerate(rules):
        for other in rules[place:] if kind is Earliest else rules[: place + 1]:  # every pair, in either order
            policy = cs.Synchronous(kind(one, other), placement=groups)
            case = Case(policy, cs.Cluster(6, compute, scaling="none"), cs.Until(updates=30), problem=PROBLEM)
            assert plans_agree(case) > 0


@st.composite
def clocked_schemes(draw, workers):
    """Rules that watch the clock, alone or with others, with or without late messages and blocks."""
    clocked = st.one_of(
        st.builds(GracePeriod, st.integers(1, workers), st.sampled_from([0, 0.5, 2.0])),
        st.builds(RelativeDeadline, st.sampled_from([0, 0.5, 3.0])),
        st.builds(MedianDeadline, st.sampled_from([0, 1.0, 3.0])),
        st.builds(lambda s, k: Latest(Deadline(s), Fastest(k)), st.floats(0.5, 9.0), st.integers(1, workers)),
        st.just(Latest(Deadline(1.0), Deadline(2.5))),
    )
    other = st.one_of(clocked, st.builds(Fastest, st.integers(1, workers)), st.just(All()))
    rule = draw(st.one_of(
        clocked,
        st.builds(Earliest, clocked, other),
        st.builds(Latest, clocked, other),
        st.builds(WarmUp, clocked, st.sampled_from([0, 1.0, 3.0])),
    ))  # fmt: skip
    late = draw(
        st.sampled_from([cs.policies.Discard(), cs.policies.Compensate(), cs.policies.Compensate(scaled=False)])
    )
    silence = draw(st.sampled_from(["count", "redraw"]))
    return cs.Synchronous(rule, blocks=draw(st.integers(1, 3)), silence=silence, late=late)


@settings(max_examples=25, deadline=None)
@given(cases(clocked_schemes))
def test_both_engines_agree_on_any_cluster(case):
    """With links, lost messages and busy workers; what is discarded, cancelled and in flight is compared as well."""
    with short_patience():
        process, cohort = in_both_engines(case, messages=True)
    demand_same(process, cohort, "processes (one) and cohort (two) differ")
