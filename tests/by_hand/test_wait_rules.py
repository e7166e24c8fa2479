"""Wait rules that watch the clock, and combinations of rules, on schedules that can be checked on paper."""

from unittest import mock

import pytest
from timed_rounds import PROBLEM, rounds

import clustersim as cs
from clustersim.waits import (
    All,
    Deadline,
    Earliest,
    Fastest,
    GracePeriod,
    Latest,
    MedianDeadline,
    RelativeDeadline,
    WarmUp,
)

FOUR = [[1, 1.5, 1.9, 9], [0.5, 3, 3, 3], [1, 1, 1, 1]]
SILENT = [[5, 5], [1.5, 3], [1, 1], [1, 1]]
LATE = 1234567.891  # seconds; a float this large is a whole number of tenths of nanoseconds


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
