"""Which updates are evaluated, and runs that end at the value of a metric."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clustersim as cs
from clustersim.engine.evaluations import Evaluations
from clustersim.evaluations import Every
from clustersim.ticks import Ticks

PROBLEM = cs.LeastSquares.synthetic(rows=60, features=2, seed=1)
TICK = 1e-9


def evaluated(times, rule, last_time=math.inf):
    """The versions that are evaluated if update v ends at times[v - 1] seconds."""
    ticks = Ticks(TICK)
    evaluations = Evaluations(rule, ticks, last_time / TICK)
    found = []
    for version, now in enumerate(np.rint(np.array([0.0, *times]) / TICK).tolist()):
        if evaluations.due(now, version):
            evaluations.advance(now, version)
            found.append(version)
    return found


def history(rule, engine="auto", policy=None, until=None, compute=None):
    cluster = cs.Cluster(6, compute or cs.Exponential(1.0))
    return cs.simulate(
        PROBLEM, cluster, policy or cs.FastestK(2), optimizer=cs.SGD(1e-6), until=until or cs.Until(updates=400),
        evaluate_every=rule, engine=engine, seed=2,
    ).history  # fmt: skip


def test_the_first_fifty_and_then_every_fiftieth_part():
    found = evaluated(np.arange(1.0, 1001.0), None)
    assert found[:101] == [*range(101)]
    assert found[101:106] == [102, 104, 106, 108, 110]
    assert found[-2:] == [983, 1000] or np.diff(found).max() <= 20


@given(st.integers(1, 30_000))
def test_an_update_is_never_told_more_than_two_percent_late(version):
    found = evaluated(np.arange(1.0, 31_000.0), None)
    assert next(v for v in found if v >= version) <= 1.02 * version + 1


def test_half_a_percent_of_the_time_horizon_is_never_passed_unseen():
    times = 1000.0 * np.sort(np.random.default_rng(3).random(5000))
    found = evaluated(times, None, last_time=1000.0)
    stamps = np.array([0.0, *times])[found]
    steps = np.diff(times).max()
    assert np.diff(stamps).max() <= 5.0 + steps


def test_even_distances_of_updates():
    assert evaluated(np.arange(1.0, 36.0), Every(updates=10)) == [0, 10, 20, 30]


def test_even_distances_of_time_are_seen_by_the_first_update_at_or_after_them():
    # updates end at 0.4, 0.8, ..., 4 s; the multiples of a second fall on updates 3 (1.2 s), 5 (2 s), 8 (3.2 s), 10
    assert evaluated(0.4 * np.arange(1, 11), Every(seconds=1.0)) == [0, 3, 5, 8, 10]


@pytest.mark.parametrize("rule", [None, 7, Every(seconds=3.7), Every(updates=7)])
@pytest.mark.parametrize("policy", [cs.FastestK(2), cs.KAsync(1), cs.LiveGradientCompensation(k=3, blocks=2)])
def test_both_engines_and_planned_rounds_evaluate_the_same_updates(rule, policy):
    until = cs.Until(time=100.0)
    by_rounds = history(rule, "cohort", policy, until)
    by_processes = history(rule, "process", policy, until)
    assert by_rounds.equals(by_processes)
    updates = history(1, "cohort", policy, until).drop_duplicates("update")  # without the row of the end
    times = updates["time"].to_numpy()[1:]
    whole = Every(updates=rule) if isinstance(rule, int) else rule
    expected = evaluated(times, whole, last_time=100.0)
    assert by_rounds["update"].tolist()[: len(expected)] == expected
    assert len(by_rounds) <= len(expected) + 1, "and the end of the run"


@pytest.mark.parametrize("rule", [None, Every(seconds=1.0)])
def test_an_update_at_the_very_instant_counts_in_planned_rounds_too(rule):
    until, compute = cs.Until(time=200.0), cs.Constant(0.5)
    by_rounds, by_processes = (history(rule, engine, None, until, compute) for engine in ("cohort", "process"))
    assert by_rounds.equals(by_processes)
    every = [*range(101), *range(102, 401, 2)] if rule is None else [*range(0, 401, 2)]
    assert by_rounds["update"].unique().tolist() == every


def test_evaluations_do_not_change_the_run():
    runs = [history(rule) for rule in (None, 1, 50, Every(seconds=2.0))]
    assert len({run.iloc[-1].to_json() for run in runs}) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Every, "expected either updates or seconds"),
        (lambda: Every(updates=1, seconds=1.0), "expected either updates or seconds"),
        (lambda: Every(updates=0), "updates = 0: expected"),
        (lambda: Every(seconds=0.0), "seconds = 0.0: expected"),
        (lambda: history(0), "evaluate_every = 0: expected"),
        (lambda: history("often"), "evaluate_every = 'often': expected"),
    ],
)
def test_unusable_rules_are_refused(make, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        make()


def classifier():
    generator = np.random.default_rng(5)
    X = generator.normal(size=(80, 2))
    y = (X.sum(axis=1) > 0).astype(int)
    return cs.LogisticRegression(X[:60], y[:60], test=(X[60:], y[60:]))


@pytest.mark.parametrize("engine", ["cohort", "process"])
def test_a_run_ends_at_the_first_evaluation_that_meets_the_metric(engine):
    problem, cluster = classifier(), cs.Cluster(4, cs.Constant(1.0))
    how = {"optimizer": cs.SGD(0.2), "evaluate_every": 1, "engine": engine}
    free = cs.simulate(problem, cluster, cs.FullSync(), until=cs.Until(updates=75), **how).history
    for metric, bound, wanted in [("test_accuracy", "at_least", 0.8), ("loss", "at_most", 0.6)]:
        ended = cs.simulate(
            problem, cluster, cs.FullSync(), until=cs.Until(updates=75, metric=metric, **{bound: wanted}), **how
        )
        met = free[metric] >= wanted if bound == "at_least" else free[metric] <= wanted
        assert ended.history["update"].iloc[-1] == free["update"][met.idxmax()] > 0
        assert ended.totals["reason"] == f"{metric} {'>=' if bound == 'at_least' else '<='} {wanted} reached"


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ({"metric": "loss"}, "one of the two bounds"),
        ({"metric": "loss", "at_least": 1.0, "at_most": 2.0}, "one of the two bounds"),
        ({"at_least": 1.0}, "expected at least one of|expected the name of a metric"),
        ({"updates": 5, "at_least": 1.0}, "expected the name of a metric"),
        ({"metric": 3, "at_least": 1.0}, "expected the name of a metric"),
        ({"metric": "loss", "at_most": math.nan}, "at_most = nan"),
        ({"metric": "loss", "at_most": 1.0, "error": 0.1}, "expected only one of them"),
    ],
)
def test_unusable_horizons_are_refused(until, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        cs.Until(**until)


def test_a_metric_that_nobody_measures_is_refused_before_the_run():
    until = cs.Until(metric="test_accuracy", at_least=0.8)
    with pytest.raises(cs.ConfigurationError, match="metric = 'test_accuracy': expected one of loss, distance"):
        history(None, until=until)


def test_a_metric_that_is_never_reached_is_told(monkeypatch):
    monkeypatch.setattr("clustersim.engine.stopping._PATIENCE", 200)
    with pytest.raises(cs.StalledError, match=r"200 updates have not reached loss <= 0; it is "):
        history(None, until=cs.Until(metric="loss", at_most=0.0))
