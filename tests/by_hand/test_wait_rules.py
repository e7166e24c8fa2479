"""Wait rules that watch the clock, and combinations of rules, on schedules that can be checked on paper."""

import math
from fractions import Fraction as Exactly
from unittest import mock

import numpy as np
import pytest
from agreement import demand_same, differences, in_both_engines, outcome, short_patience
from hypothesis import given, settings
from hypothesis import strategies as st
from planning import plans_agree, unplanned
from spaces import Case, cases

import clustersim as cs
from clustersim.conformance import check_run
from clustersim.ticks import Ticks
from clustersim.waits import (
    All,
    Covered,
    Deadline,
    Earliest,
    Fastest,
    Fraction,
    GracePeriod,
    Latest,
    Look,
    MedianDeadline,
    RelativeDeadline,
    Schedule,
    WaitState,
    WarmUp,
)
from clustersim.waits.round_clock import RoundClock

PROBLEM = cs.LeastSquares.synthetic(rows=60, features=2, seed=1)
FOUR = [[1, 1.5, 1.9, 9], [0.5, 3, 3, 3], [1, 1, 1, 1]]
SILENT = [[5, 5], [1.5, 3], [1, 1], [1, 1]]
LATE = 1234567.891  # seconds; a float this large is a whole number of tenths of nanoseconds


def rounds(rule, times, updates=None, silence="count", *, workers=None, uplink=0.0, tick=1e-9):
    """Seconds and messages used of each round, the same in both engines; worker i's q-th task takes times[q][i]."""
    found = []
    for engine in ("cohort", "process"):
        link = cs.Link(latency=uplink)
        cluster = cs.Cluster(workers or len(times[0]), cs.Replay(times), scaling="none", uplink=link, tick=tick)
        run = cs.simulate(
            PROBLEM, cluster, cs.Synchronous(rule, silence=silence), optimizer=cs.SGD(1e-5), engine=engine,
            until=cs.Until(updates=updates or len(times)), evaluate_every=1, messages=True,
        )  # fmt: skip
        check_run(run, cluster)
        ticks = np.rint(run.history["time"].to_numpy() / 1e-9).astype(int)
        used = run.messages.query("status == 'used'")["version"].value_counts()
        found.append(((np.diff(ticks) / 1e9).tolist(), [int(used.get(v, 0)) for v in range(len(ticks) - 1)]))
    assert found[0] == found[1]
    return found[0]


# ---------------------------------------------------------------------- one rule


@pytest.mark.parametrize(
    ("rule", "seconds", "messages"),
    [
        (RelativeDeadline(mu=1), [2.0, 1.0, 1.0], [3, 1, 4]),
        (RelativeDeadline(mu=0), [1.0, 0.5, 1.0], [1, 1, 4]),
        (RelativeDeadline(mu=100), [9.0, 3.0, 1.0], [4, 4, 4]),  # every worker has answered long before
        (GracePeriod(k=2, seconds=0.4), [1.9, 3.0, 1.0], [3, 4, 4]),  # until 1.5 + 0.4; three arrive at 3
        (GracePeriod(k=1, seconds=0.6), [1.6, 1.1, 1.0], [2, 1, 4]),
        (GracePeriod(k=1, seconds=0), [1.0, 0.5, 1.0], [1, 1, 4]),
        (GracePeriod(k=4, seconds=5), [9.0, 3.0, 1.0], [4, 4, 4]),
        # Median of four: the second. At 1.5 the second smallest deviation is 0.5, at 1.9 it is 0.4.
        (MedianDeadline(multiple=0), [1.5, 3.0, 1.0], [2, 4, 4]),
        (MedianDeadline(multiple=0.5), [1.75, 3.0, 1.0], [2, 4, 4]),
        (MedianDeadline(multiple=1), [1.9, 3.0, 1.0], [3, 4, 4]),
        (MedianDeadline(multiple=3), [2.7, 3.0, 1.0], [3, 4, 4]),
        (MedianDeadline(multiple=100), [9.0, 3.0, 1.0], [4, 4, 4]),
    ],
)
def test_deadlines_that_follow_from_arrivals(rule, seconds, messages):
    assert rounds(rule, FOUR) == (seconds, messages)


def test_a_median_deadline_may_fall_behind_the_present():
    """At 3 the deviation is 2, and the deadline 3.6. At 3.5 the deviation is 1, and the deadline 3.3: act at once."""
    assert rounds(MedianDeadline(multiple=0.3), [[1, 2, 3, 3.5, 9]]) == ([3.5], [4])
    assert rounds(MedianDeadline(multiple=0.3), [[1, 2, 3, 3.7, 9]]) == ([3.6], [3])


TIES = [(GracePeriod(k=1, seconds=0.2), 0.1, 0.3), (RelativeDeadline(mu=2), 0.1, 0.3)]
TIES += [(RelativeDeadline(mu=0.1), 0.7, 0.77), (Earliest(GracePeriod(1, 0.2), All()), 0.1, 0.3)]


@pytest.mark.parametrize(("rule", "first", "deadline"), TIES, ids=repr)
@pytest.mark.parametrize("begin", [None, LATE])
def test_what_arrives_exactly_at_the_deadline_counts(rule, first, deadline, begin):
    """Seconds do not add up in floats (0.1 + 0.2 > 0.3 and 3 * 0.1 > 0.3), ticks do, and after 1e6 s as well."""
    before = [] if begin is None else [[begin] * 3]
    seconds, messages = ([] if begin is None else [begin]), ([] if begin is None else [3])
    assert rounds(rule, [*before, [first, deadline, 9]]) == ([*seconds, deadline], [*messages, 2])
    later = deadline + 1e-9
    assert rounds(rule, [*before, [first, later, 9]]) == ([*seconds, deadline], [*messages, 1])


def test_deadlines_are_rounded_to_the_ticks_of_the_cluster():
    assert rounds(GracePeriod(k=1, seconds=0.2004), [[1, 1.2, 9]], tick=1e-3) == ([1.2], [2])
    assert rounds(GracePeriod(k=1, seconds=0.2006), [[1, 1.201, 9]], tick=1e-3) == ([1.201], [2])


@pytest.mark.parametrize(
    ("rule", "seconds", "messages"),
    [
        (RelativeDeadline(mu=1), [2.0, 1.0, 1.0], [3, 1, 4]),
        (GracePeriod(k=1, seconds=0.6), [1.6, 1.1, 1.0], [2, 1, 4]),
        (MedianDeadline(multiple=3), [2.7, 3.0, 1.0], [3, 4, 4]),
        (Latest(Deadline(1.7), Fastest(4)), [9.0, 3.0, 1.0], [4, 4, 4]),
        (Latest(Deadline(1.9), GracePeriod(1, 0.1)), [1.9, 1.9, 1.0], [3, 1, 4]),
    ],
)
def test_a_run_that_has_gone_on_for_long(rule, seconds, messages):
    assert rounds(rule, [[LATE] * 4, *FOUR]) == ([LATE, *seconds], [4, *messages])


# ---------------------------------------------------------------------- several rules


@pytest.mark.parametrize(
    ("rule", "times", "seconds", "messages"),
    [
        (Latest(Deadline(1.5), Fastest(2)), [[1, 2, 9]] * 3, [2.0] * 3, [2] * 3),
        (Latest(Deadline(1.5), Fastest(2)), [[0.5, 1, 1.2, 9]], [1.5], [3]),  # the third is in time as well
        (Latest(Deadline(0.1 + 0.2), Fastest(2)), [[0.1, 0.5, 9]], [0.5], [2]),  # 0.3 s, in ticks
        (Latest(Deadline(1.5), Fastest(2)), [[1, 2, 2, 9]], [2.0], [2]),  # the tie at 2 s goes to the lower number
        (Latest(Deadline(2), Fastest(2)), [[1, 2, 2, 9]], [2.0], [3]),  # both are in time
        (Latest(Deadline(5), Fastest(2)), [[1, 2, 3]], [3.0], [3]),  # everybody has answered
        (Latest(Deadline(1), Deadline(2)), [[0.5, 1.5, 9]], [2.0], [2]),
        (Latest(GracePeriod(1, 0.2), RelativeDeadline(2)), [[0.1, 0.3, 0.31]], [0.3], [2]),
        (Latest(RelativeDeadline(1), Fastest(2)), FOUR, [2.0, 3.0, 1.0], [3, 2, 4]),
        (Latest(Latest(Deadline(1), Deadline(2)), Fastest(2)), [[0.5, 3, 3, 9]], [3.0], [2]),
        (Latest(Earliest(Fastest(1), Deadline(2)), Deadline(1)), [[0.5, 0.9, 9], [3, 4, 9]], [1.0, 2.0], [2, 0]),
        (Earliest(RelativeDeadline(1), Fastest(2)), FOUR, [1.5, 1.0, 1.0], [2, 1, 2]),
        (Earliest(GracePeriod(3, 5.0), Deadline(1.6)), FOUR, [1.6, 1.6, 1.0], [2, 1, 4]),
        (Earliest(Latest(Deadline(1.7), Fastest(3)), Deadline(2.5)), FOUR, [1.9, 2.5, 1.0], [3, 1, 4]),
        (WarmUp(RelativeDeadline(1), epochs=1), FOUR, [9.0, 1.0, 1.0], [4, 1, 4]),
        (WarmUp(Latest(Deadline(1.5), Fastest(2)), epochs=2), FOUR, [9.0, 3.0, 1.0], [4, 4, 4]),
        (Earliest(WarmUp(Fastest(1), 1), GracePeriod(3, 0.5)), FOUR, [2.4, 0.5, 1.0], [3, 1, 1]),
        (Latest(WarmUp(Fastest(1), 1), Deadline(0.75)), FOUR, [9.0, 0.75, 1.0], [4, 1, 1]),
    ],
    ids=repr,
)
def test_combined_rules(rule, times, seconds, messages):
    assert rounds(rule, times) == (seconds, messages)


@pytest.mark.parametrize(
    ("rule", "seconds", "messages"),
    [
        # Nobody within 2 s; from 2 worker 0 takes 1.5 s, and the deadline is 4; from 4 both take 1 s.
        (Latest(Deadline(1), Deadline(2)), [4.0, 1.0], [1, 2]),
        # Nobody within 1 s, twice; from 2 both take 1 s, which is in time.
        (Earliest(GracePeriod(1, 0.5), Deadline(1)), [3.0, 1.0], [2, 2]),
        (Earliest(RelativeDeadline(0.5), Deadline(1.75)), [3.5, 1.0], [1, 2]),
    ],
)
def test_a_silent_round_is_sent_again(rule, seconds, messages):
    assert rounds(rule, SILENT, updates=2, silence="redraw") == (seconds, messages)


def test_a_silent_round_counts():
    assert rounds(Latest(Deadline(1), Deadline(2)), SILENT, updates=2) == ([2.0, 2.0], [0, 1])
    assert rounds(Earliest(GracePeriod(1, 0.5), Deadline(1)), SILENT, updates=3) == ([1.0] * 3, [0, 0, 2])


def test_arrivals_are_timed_from_the_latest_dispatch():
    """Sent at 0.8 and 0.9, the messages arrive 0.3 and 0.4 s after the second dispatch at 1.5; the limit is 0.36 s."""
    rule = Earliest(RelativeDeadline(0.2), Deadline(1.5))
    times = [[0.8, 0.9], [9, 9], [0.1, 0.1]]  # the last is never begun, but it makes the deadline possible
    assert rounds(rule, times, updates=1, silence="redraw", uplink=1.0) == ([1.86], [1])


def test_a_cluster_that_never_answers_is_given_up():
    cluster = cs.Cluster(2, cs.Constant(5.0), scaling="none")
    policy = cs.Synchronous(Latest(Deadline(1), Deadline(2)), silence="redraw")
    words = "no worker answered before the deadline, 30 times in a row"
    with (
        mock.patch("clustersim.policies.synchronous._PATIENCE", 30),
        pytest.raises(cs.StalledError, match=words),
    ):
        cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-5), until=cs.Until(updates=1))


# ---------------------------------------------------------------------- in general

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
    rules = [Schedule([2.0, 5.0]), cs.waits.Pflug(2, 2, 3), Covered(), WarmUp(Fastest(2), 4.0)]
    for one in rules:
        for other in (Fastest(3), *rules):
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


# ---------------------------------------------------------------------- the clock


class _Recorder(WaitState):
    """Notes what it is asked, and waits for a tenth of a second more each time."""

    k, watches = 3, True

    def __init__(self):
        self.asked = []

    def opened(self, updated):
        raise NotImplementedError

    def look(self, elapsed, workers, times):
        self.asked.append((elapsed, workers.tolist(), times.tolist()))
        return Look(3 - len(workers), elapsed + 0.1)


@pytest.mark.parametrize("begin", [0.0, 0.7, LATE])
def test_the_clock_of_a_round_counts_from_the_dispatch(begin):
    """Times are rounded to ticks, so that 0.7 + 0.1 - 0.7 is 0.1, and messages that come together share their time."""
    clock, rule = RoundClock(Ticks(1e-9)), _Recorder()
    for _ in range(2):  # a second round forgets the first one
        clock.begin(begin)
        for seconds, workers in [(0.0, []), (0.1, [2]), (0.3, [2, 0, 1])]:
            assert clock.look(rule, begin + seconds, np.array(workers, dtype=np.int64)) == Look(3 - len(workers), 0.1)
    asked = [(0.0, [], []), (0.1, [2], [0.1]), (0.3, [2, 0, 1], [0.1, 0.3, 0.3])]
    assert rule.asked == asked * 2


def test_an_endless_wait_stays_endless():
    class Forever(_Recorder):
        def look(self, elapsed, workers, times):
            return Look(1, math.inf)

    clock = RoundClock(Ticks(1e-9))
    clock.begin(5.0)
    assert clock.look(Forever(), 7.0, np.array([0])).until == math.inf


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GracePeriod(0, 1.0), "k = 0"),
        (lambda: GracePeriod(1, -1.0), "seconds = -1"),
        (lambda: GracePeriod(1, math.inf), "seconds = inf"),
        (lambda: RelativeDeadline(-0.1), "mu = -0.1"),
        (lambda: RelativeDeadline(math.nan), "mu = nan"),
        (lambda: MedianDeadline(-1), "multiple = -1"),
        (Latest, "at least one wait rule"),
        (lambda: Latest(Fastest(1), 2), "rules = 2: expected wait rules"),
        (lambda: rounds(GracePeriod(5, 1.0), FOUR), "k = 5.*4 workers"),
        (lambda: rounds(Latest(Fastest(5), All()), FOUR), "k = 5.*4 workers"),
    ],
)
def test_bad_parameters_are_named(make, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        make()
