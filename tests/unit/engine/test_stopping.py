"""What counts as progress towards a horizon, and after how many events without any a run is given up."""

import math

import pytest

import clustersim as cs
from clustersim.engine.evaluations import Evaluations
from clustersim.engine.stopping import StoppingRule
from clustersim.ticks import Ticks

COUNTING = [cs.Until(updates=100), cs.Until(updates=100, time=50.0)]
NOT_COUNTING = [cs.Until(time=50.0), cs.Until(error=1e-3)]
GIVEN_UP_AT_THE_FIFTH = [False, False, False, False, True]  # the first event brings the run to its instant


def rule_of(until):
    """A rule that gives a run up after three events without progress."""
    rule = StoppingRule(until, recorder=None, evaluations=Evaluations(None, Ticks(1e-9), math.inf), ticks=Ticks(1e-9))
    rule.standstill = 3
    return rule


@pytest.mark.parametrize("until", COUNTING, ids=repr)
def test_updates_at_one_instant_are_progress_if_the_horizon_counts_them(until):
    rule = rule_of(until)
    assert not any(rule.stuck(1.0, version) for version in range(1, 20))


@pytest.mark.parametrize("until", NOT_COUNTING, ids=repr)
def test_updates_at_one_instant_are_no_progress_towards_a_time_or_an_error(until):
    rule = rule_of(until)
    assert [rule.stuck(1.0, version) for version in range(1, 6)] == GIVEN_UP_AT_THE_FIFTH


@pytest.mark.parametrize("until", COUNTING + NOT_COUNTING, ids=repr)
def test_events_at_one_instant_without_updates_are_no_progress(until):
    rule = rule_of(until)
    assert [rule.stuck(1.0, 7) for _ in range(5)] == GIVEN_UP_AT_THE_FIFTH


@pytest.mark.parametrize("until", COUNTING + NOT_COUNTING, ids=repr)
def test_time_that_passes_is_progress_and_the_count_begins_anew(until):
    rule = rule_of(until)
    assert not any(rule.stuck(float(second), 0) for second in range(1, 20))
    for instant in (20.0, 21.0):
        assert [rule.stuck(instant, 0) for _ in range(4)] == GIVEN_UP_AT_THE_FIFTH[:4]


def test_several_events_are_counted_at_once():
    rule = rule_of(cs.Until(updates=100))
    assert [rule.stuck(0.0, 0, events) for events in (2, 1, 1)] == [False, False, True]


@pytest.mark.parametrize("until", [cs.Until(updates=100), cs.Until(error=1e-3)], ids=repr)
def test_a_run_in_which_time_passes_without_an_update_is_given_up(until, monkeypatch):
    monkeypatch.setattr("clustersim.engine.stopping._EVENTS", 50)
    rule = rule_of(until)
    with pytest.raises(cs.StalledError, match=r"50 events have happened since update 3, .* no further one"):
        any(rule.stuck(float(event), 3) for event in range(60))
    busy, timed = rule_of(until), rule_of(cs.Until(time=1000.0))
    assert not any(busy.stuck(float(event), event // 40) for event in range(500)), "every fortieth event is an update"
    assert not any(timed.stuck(float(event), 3) for event in range(500)), "the time ends the run"
