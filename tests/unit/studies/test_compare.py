"""Bands, costs to a target, comparisons and claims, against numbers computed on paper or by plain NumPy and SciPy."""

import dataclasses
import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats
from small import made_up

import clustersim as cs
from clustersim.studies import Claim, compare
from clustersim.studies.results import FAILURE_COLUMNS, lower_is_better
from clustersim.studies.statistics import geometric_interval, mean_interval, median_interval
from clustersim.studies.targets import first_that_lasts
from clustersim.tables import print_comparison

# times, errors and uplink messages of two policies in three replications, and the row at which the target 1 is reached
RUNS = {
    ("", "fast", 0): [(0, 8.0, 0), (2, 1.0, 4), (4, 0.5, 8)],  # < row 1
    ("", "fast", 1): [(0, 8.0, 0), (3, 0.9, 6), (4, 0.6, 8)],  # < row 1
    ("", "fast", 2): [(0, 8.0, 0), (4, 1.0, 8), (5, 2.0, 9)],  # < row 1
    ("", "slow", 0): [(0, 8.0, 0), (4, 2.0, 2), (8, 1.0, 4)],  # < row 2
    ("", "slow", 1): [(0, 8.0, 0), (6, 1.0, 3), (8, 0.2, 5)],  # < row 1
    ("", "slow", 2): [(0, 8.0, 0), (6, 4.0, 3), (8, 3.0, 4)],  # never
}
# 97.5 % points of Student's t with 2 and 1 degrees of freedom, in closed form
# SciPy before 1.17 knows ten digits of Student's t
T2, T1 = 0.95 / math.sqrt(2 * 0.975 * 0.025), math.tan(0.475 * math.pi)


def row(comparison, policy):
    return comparison.table.set_index("policy").loc[policy]


def test_costs_to_a_target_computed_on_paper():
    comparison = compare(made_up(RUNS), target=1.0)
    fast, slow = row(comparison, "fast"), row(comparison, "slow")
    assert (fast["replications"], fast["reached"]) == (3, 3)
    assert (slow["replications"], slow["reached"]) == (3, 2)
    # fast: times 2, 3, 4: median 3, mean 3, deviation 1
    assert fast["time"] == fast["time_mean"] == 3.0
    assert fast["time_mean_high"] == pytest.approx(3.0 + T2 / math.sqrt(3), rel=1e-9)
    assert fast["time_mean_low"] == pytest.approx(3.0 - T2 / math.sqrt(3), rel=1e-9)
    # uplink 4, 6, 8; both ways three times that; a vector has 8 bytes
    costs = ["uplink_vectors", "vectors", "uplink_bytes", "bytes"]
    assert fast[costs].tolist() == [6.0, 18.0, 48.0, 144.0]
    assert fast["vectors_mean_high"] == pytest.approx(18.0 + T2 * 6 / math.sqrt(3), rel=1e-9)
    # slow: 8 and 6, and a run that ended at 8: the curve is 2/3 after 6 and 1/3 after 8
    assert slow[["time", "time_end"]].tolist() == [8.0, 8.0]
    assert math.isnan(slow["time_mean"]), "the mean of those that got there would be biased"
    # pairs: 8 / 2 = 4 and 6 / 3 = 2 and at least 8 / 4 = 2: the median is 2 or more, and less than infinite
    assert (fast["verdict"], fast["ratio"]) == ("baseline", 1.0)
    assert math.isnan(slow["ratio"])
    assert slow[["p", "p_holm", "method", "verdict"]].tolist() == [0.25, 0.25, "sign", "undecided"]
    assert comparison.why == "as given"
    assert "There are only 3 replications" in " ".join(comparison.remarks)


def test_a_ratio_and_its_interval_computed_on_paper():
    complete = {key: rows for key, rows in RUNS.items() if key[2] < 2}
    slow = row(compare(made_up(complete), target=1.0), "slow")
    # pairs: 8 / 2 = 4 and 6 / 3 = 2: geometric mean sqrt 8, log deviation ln 2 / sqrt 2
    assert slow["ratio"] == pytest.approx(math.sqrt(8.0))
    assert slow["ratio_high"] == pytest.approx(math.sqrt(8.0) * math.exp(T1 * math.log(2.0) / 2.0), rel=1e-9)
    # t = mean / (deviation / sqrt 2) = 1.5 ln 2 / (ln 2 / 2) = 3; one degree of freedom: p = 1 - 2 arctan(3) / pi
    assert slow["p"] == pytest.approx(1.0 - 2.0 * math.atan(3.0) / math.pi, rel=1e-9)
    fast = row(compare(made_up(complete), target=1.0, baseline="slow"), "fast")
    assert fast["ratio"] == pytest.approx(1.0 / math.sqrt(8.0))
    assert fast["baseline"] == "slow"


def test_default_target_is_the_lowest_at_which_some_policy_settles():
    comparison = compare(made_up(RUNS))
    # in the last tenth of each replication: fast 0.5, 0.6, 2.0 (so 2.0 always); slow 1.0, 0.2, 3.0 (so 3.0)
    assert comparison.targets == {"": 2.0}
    assert comparison.why.startswith("the lowest error at which some policy settles in every replication")
    assert row(comparison, "fast")["reached"] == 3


def test_each_variant_has_its_own_target_and_baseline():
    runs = {("a", *key[1:]): rows for key, rows in RUNS.items()}
    runs |= {("b", *key[1:]): [(10 * t, 100 * e, u) for t, e, u in rows] for key, rows in RUNS.items()}
    comparison = compare(made_up(runs))
    assert comparison.targets == {"a": 2.0, "b": 200.0}
    table = comparison.table.set_index(["variant", "policy"])
    assert table.loc[("b", "fast"), "time"] == pytest.approx(30.0)
    assert table["p"].count() == 2
    without = {key: rows for key, rows in runs.items() if key[:2] != ("b", "fast")}
    comparison = compare(made_up(without), target=200.0, baseline="fast")
    assert "There are no runs of the baseline 'fast' in variant 'b', so there are no ratios." in comparison.remarks
    only_slow = compare(made_up(without), target=200.0).table
    assert only_slow["baseline"].tolist() == ["fast", "fast", "slow"], "the first policy that has runs"


def test_higher_is_better_for_accuracies():
    runs = {("", "a", 0): [(0, 0.1, 0), (1, 0.7, 1), (2, 0.6, 2)], ("", "a", 1): [(0, 0.1, 0), (2, 0.9, 2)]}
    comparison = compare(made_up(runs, metric="test_accuracy"))
    assert comparison.targets == {"": 0.6}
    assert row(comparison, "a")["time"] == pytest.approx(1.5)
    assert lower_is_better("loss")
    assert not lower_is_better("test_auc")


def test_a_lucky_dip_is_no_target():
    runs = {("", "a", 0): [(0, 9.0, 0), (50, 0.1, 1), *((t, 2.0 + t % 2, t) for t in range(90, 101))]}
    assert compare(made_up(runs)).targets == {"": 2.0}


def test_a_policy_that_never_arrives_and_single_replications():
    runs = {("", "a", 0): [(0, 4.0, 0), (1, 3.0, 1)], ("", "b", 0): [(0, 4.0, 0), (1, 1.0, 1)]}
    comparison = compare(made_up(runs), target=2.0)
    assert row(comparison, "a")["reached"] == 0
    assert row(comparison, "a")[["time", "time_end", "bytes"]].tolist() == [math.inf, 1.0, math.inf]
    assert np.isnan(row(comparison, "a")[["ratio", "time_low", "share"]].astype(float)).tolist() == [True, True, False]
    assert row(comparison, "b")["time"] == 1.0
    assert np.isnan(row(comparison, "b")["time_low"])
    assert comparison.remarks == (
        "The baseline 'a' never reaches the target; choose another one.",
        "There is only one replication, so there are no intervals.",
    )
    nobody = compare(made_up(runs), target=0.5)
    assert nobody.table["reached"].sum() == 0


def test_targets_and_columns_that_make_no_sense_are_named():
    results = made_up(RUNS)
    with pytest.raises(cs.ConfigurationError, match="target = nan"):
        compare(results, target=math.nan)
    with pytest.raises(cs.ConfigurationError, match=r"metric = 'accuracy': expected one of error$"):
        compare(results, metric="accuracy")
    for column in ("time", "k", "update", "uplink_bytes", "policy"):
        with pytest.raises(cs.ConfigurationError, match=f"metric = '{column}': expected one of error$"):
            compare(results, metric=column)
    for target in (0.0, -1.0):
        with pytest.raises(cs.ConfigurationError, match=f"target = {target}: expected a finite number greater than 0"):
            compare(results, target=target)
    with pytest.raises(cs.ConfigurationError, match="results = 3: expected a Results"):
        compare(3)
    with pytest.raises(cs.ConfigurationError, match="baseline = 'none': expected the label of a policy, one of 'fast'"):
        compare(results, baseline="none")
    for quantile in (0.0, 1.0, math.nan):
        with pytest.raises(cs.ConfigurationError, match=f"quantile = {quantile}"):
            compare(results, quantile=quantile)
    unknown = made_up({("", "a", 0): [(0, math.nan, 0)]})
    unknown.frame["loss"] = 1.0
    with pytest.raises(cs.ConfigurationError, match=r"metric = 'error': expected one of loss \(.*optimum"):
        compare(unknown)


histories = st.lists(
    st.lists(st.tuples(st.floats(0.01, 5.0), st.floats(1e-6, 1e6)), min_size=1, max_size=8), min_size=2, max_size=5
)


@settings(deadline=None)
@given(histories, st.sampled_from(["error", "distance", "test_accuracy"]))
def test_bands_against_plain_scipy(runs, metric):
    data = {}
    for replication, steps in enumerate(runs):
        times = np.cumsum([0.0, *(gap for gap, _ in steps)])
        values = [10.0, *(value for _, value in steps)]
        data["", "a", replication] = [(t, v, i) for i, (t, v) in enumerate(zip(times, values, strict=True))]
    band = made_up(data, metric=metric).on_grid(grid=np.linspace(0.0, 12.0, 7))
    for _, point in band.iterrows():
        states = [[v for t, v, _ in history if t <= point["time"]][-1] for history in data.values()]
        sample = np.log(states) if metric != "test_accuracy" else np.array(states)
        low, high = sample.mean(), sample.mean()
        if sample.std() > 0:
            low, high = stats.t.interval(0.95, len(sample) - 1, loc=sample.mean(), scale=stats.sem(sample))
        expected = np.array([sample.mean(), low, high])
        expected = np.exp(expected) if metric != "test_accuracy" else expected
        if all(history == data["", "a", 0] for history in data.values()):
            expected[1:] = np.nan
        np.testing.assert_allclose(point[["mean", "low", "high"]].astype(float), expected, rtol=1e-6, atol=1e-9)


def test_a_band_covers_the_truth_as_often_as_it_says():
    # 20000 studies of 5 log-normal replications: how many cover the true geometric mean is binomial(20000, 0.95)
    draws = np.exp(np.random.default_rng(11).normal(1.0, 0.7, size=(5, 20_000)))
    interval = geometric_interval(draws)
    covered = int(((interval.low <= math.e) & (math.e <= interval.high)).sum())
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], 20_000, 0.95)
    assert low <= covered <= high


def test_curves_end_where_their_policy_ends_and_zero_errors_count_as_the_smallest():
    runs = {
        ("", "a", 0): [(0, 4.0, 0), (2, 0.0, 2)],
        ("", "a", 1): [(0, 4.0, 0), (3, 0.25, 2)],
        ("", "b", 0): [(0, 4.0, 0), (9, 1.0, 2)],
    }
    band = made_up(runs).on_grid(points=10)
    a = band[band["policy"] == "a"]
    assert a["time"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert a["mean"].tolist() == pytest.approx([4.0, 4.0, 1.0, 0.25])
    assert band[band["policy"] == "b"]["time"].max() == 9.0
    assert band[band["policy"] == "b"]["low"].isna().all(), "one replication has no interval"
    over_uplink = made_up(runs).on_grid(over="vectors", points=7)
    assert over_uplink["vectors"].max() == 6.0, "uplink and downlink"


def test_a_short_variant_has_as_many_points_as_a_long_one():
    runs = {("long", "a", r): [(0, 8.0, 0), (400, 1.0, 1)] for r in range(2)}
    runs |= {("short", "a", r): [(0, 8.0, 0), (1, 1.0, 1)] for r in range(2)}
    results = dataclasses.replace(made_up(runs), variants=("long", "short"))
    band = results.on_grid(points=9)
    assert band["variant"].value_counts().to_dict() == {"long": 9, "short": 9}
    assert band[band["variant"] == "short"]["time"].tolist() == np.linspace(0.0, 1.0, 9).tolist()


def test_over_messages_a_curve_ends_where_the_first_replication_ends():
    runs = {
        ("", "a", 0): [(0, 4.0, 0), (3, 1.0, 2)],
        ("", "a", 1): [(0, 4.0, 0), (3, 1.0, 4)],
        ("", "b", 0): [(0, 4.0, 0), (3, 1.0, 8)],
    }
    band = made_up(runs).on_grid(over="uplink_vectors", points=9)
    a = band[band["policy"] == "a"]
    assert a["uplink_vectors"].tolist() == [0.0, 1.0, 2.0]
    assert a["mean"].tolist() == pytest.approx([4.0, 4.0, 2.0])
    assert band["uplink_vectors"].max() == 8.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"over": "policy"}, "over = 'policy': expected a column that grows"),
        ({"over": "replication"}, "over = 'replication'"),
        ({"over": "error"}, "over = 'error': it does not grow"),
        ({"over": "speed"}, "'speed'"),
        ({"grid": "abc"}, "grid = 'abc': expected a row of numbers"),
        ({"grid": [0.0, math.nan]}, r"grid = \[0.0, nan\]"),
        ({"grid": 3.0}, "grid = 3.0"),
        ({"points": 1}, "points = 1"),
    ],
)
def test_grids_that_make_no_sense_are_named(arguments, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        made_up(RUNS).on_grid(**arguments)


@pytest.mark.parametrize(("width", "shown"), [(185, 11), (80, 5), (60, 4), (30, 3)])
def test_a_narrow_terminal_gets_the_most_important_columns_with_whole_words(width, shown):
    runs = {("", p, r): [(0, 8.0, 0), (1234 + 7 * r * (1 + (p == "b")), 1.0, 40 + r)] for p in "ab" for r in range(8)}
    text = printed(made_up(runs), width, target=1.0)
    heading = text.split("┡")[0].split("┏")[1]
    words = re.sub(r"[^\w()/]+", " ", heading).split()
    assert ("verdict" in words, "baseline" in words, "uplink" in words) == (shown >= 4, shown >= 5, shown == 11)
    assert {"policy", "reached", "time"} <= set(words) or width == 30
    assert heading.splitlines()[0].count("┳") == shown - 1
    assert ("Left out, because the lines are too short:" in text.replace("\n", " ").replace("  ", " ")) == (shown < 11)
    assert "…" not in text
    assert re.search(r"a +│ +8 of 8 │.* 1258 \(1241 - 1276\) │", text) or width == 30
    assert max(map(len, text.splitlines())) <= width


def test_claims():
    results = made_up(RUNS)
    verdict = Claim("reached", lambda r: r.time_to_target(1.0)["reached"].sum(), low=5, high=5).check(results)
    assert verdict.holds
    assert str(verdict) == "holds: reached (measured 5, expected 5)"
    assert not Claim("too low", lambda r: 1.0, low=1.5).check(results).holds
    assert not Claim("too high", lambda r: 2.0, high=1.5).check(results).holds
    nan = Claim("nan", lambda r: math.nan).check(results)
    assert not nan.holds
    assert "does not hold" in str(nan)
    with pytest.raises(cs.ConfigurationError, match=r"claim 'odd' failed: its measure returned \[1\]"):
        Claim("odd", lambda r: [1]).check(results)
    with pytest.raises(cs.ConfigurationError, match="claim 'root' failed: TypeError: must be real number"):
        Claim("root", math.sqrt).check(results)
    for bad in ({"statement": ""}, {"measure": 3}, {"low": math.nan}, {"low": 2.0, "high": 1.0}):
        with pytest.raises(cs.ConfigurationError):
            Claim(**{"statement": "s", "measure": len, **bad})


def test_real_runs_agree_with_a_search_by_hand(tmp_path):
    study = cs.Study(
        name="real",
        problem=cs.LeastSquares.synthetic(rows=60, features=3, design="gaussian", seed=7),
        cluster=cs.Cluster(workers=6, compute=cs.Exponential(mean=1.0)),
        policies={"k = 2": cs.FastestK(2)},
        optimizer=cs.SGD(1e-5),
        until=cs.Until(updates=200),
        replications=4,
    )
    results = study.run(tmp_path / "out")
    target = float(results.frame["error"].iloc[0]) / 2
    times = []
    for replication in range(4):
        history = cs.simulate(
            study.problem, study.cluster, cs.FastestK(2), optimizer=study.optimizer, until=study.until,
            replication=replication,
        ).history  # fmt: skip
        times.append(next(t for t, e in zip(history["time"], history["error"], strict=True) if e <= target))
    assert compare(results, target=target).table["time"].item() == pytest.approx(np.median(times), rel=1e-12)
    assert pd.api.types.is_integer_dtype(results.frame["update"])


def test_touching_a_target_is_not_reaching_it():
    """Noise about a floor of 2 dips to 0.5 at 30; from 61 on the error is 0.9."""
    noisy = [(t, 0.5 if t == 30 else 2.0, t) for t in range(60)]
    later = [(t, 0.9, t) for t in range(61, 101)]
    comparison = compare(made_up({("", "a", 0): [(0, 9.0, 0), *noisy[1:], *later]}), target=1.0)
    assert row(comparison, "a")["time"] == 61.0
    lucky_end = compare(made_up({("", "a", 0): [*noisy, (100, 0.9, 100)]}), target=1.0)
    assert row(lucky_end, "a")["reached"] == 0
    best_at_the_end = compare(made_up({("", "a", 0): [*noisy, (100, 0.4, 100)]}), target=1.0)
    assert row(best_at_the_end, "a")["time"] == 100.0


def grown(*factors, steps=40):
    """An error that a policy multiplies by a factor each second."""
    runs = {
        ("", f"x {f:g}", r): [(t, 1e7 * f**t * (1 + r * (t > 0)), t) for t in range(steps)]
        for f in factors
        for r in (0, 1)
    }
    return made_up(runs)


def test_a_growing_error_has_not_reached_the_target_that_it_started_at():
    results = grown(1.3, 1.05)
    for target in (1e7, 2e7, 1e8):
        comparison = compare(results, target=target)
        row_of = comparison.table.set_index("policy")
        assert row_of.loc["x 1.3", ["reached", "at_start"]].tolist() == [0, 0]
        assert math.isinf(row_of.loc["x 1.3", "time"])
        assert any("runs of 'x 1.3'" in text and "move away from it" in text for text in comparison.remarks)
    assert compare(results, target=2e8).table["reached"].tolist() == [0, 2], "the slow one is still there at its end"


def test_the_default_target_is_never_one_that_the_first_model_meets():
    for results in (grown(1.3, 1.05), grown(1.0), made_up({("", "a", 0): [(0, 5.0, 0)]})):
        comparison = compare(results)
        assert math.isnan(comparison.targets[""])
        assert comparison.table["reached"].sum() == 0
        assert comparison.remarks[0].startswith("No policy improves on the first model, so there is no target: ")
    both = compare(grown(1.3, 0.5))
    assert 0.0 < both.targets[""] < 1e7
    assert both.table["reached"].tolist() == [0, 2]
    accuracies = {("", "a", 0): [(0, 0.9, 0), (1, 0.7, 1), (2, 0.6, 2)]}
    assert math.isnan(compare(made_up(accuracies, metric="test_accuracy")).targets[""])


def test_a_target_that_a_run_starts_at_and_keeps_is_told_to_be_trivial():
    comparison = compare(made_up(RUNS), target=9.0)
    assert comparison.table["time"].tolist() == [0.0, 0.0]
    assert comparison.table["at_start"].tolist() == [3, 3]
    assert "The first model already meets the target in 3 of 3 runs of 'fast': a time of 0" in comparison.remarks[0]
    back = [(0, 1.0, 0), *((t, 5.0, t) for t in range(1, 50)), *((t, 0.5, t) for t in range(50, 101))]
    spent = made_up({("", "a", 0): back}).time_to_target(1.0)
    assert spent[["time", "at_start"]].values.tolist() == [[50.0, False]], "noise at the start is no arrival"


def test_each_variant_says_for_itself_that_nothing_improves():
    runs = {("up", *key[1:]): [(t, e * 9 if t else 1.0, u) for t, e, u in rows] for key, rows in RUNS.items()}
    runs |= {("down", *key[1:]): rows for key, rows in RUNS.items()}
    comparison = compare(made_up(runs))
    assert comparison.targets["down"] == 2.0
    assert math.isnan(comparison.targets["up"])
    text = printed(made_up(runs))
    assert "made up, up: there is no target" in text
    assert "No policy improves on the first model in variant 'up'" in text
    assert "nan" not in text


def printed(results, width=160, **how):
    console = Console(width=width, file=io.StringIO())
    print_comparison(console, results, **how)
    return console.file.getvalue()


def with_failures(results, *failures, policies=()):
    frame = pd.DataFrame([(*key, 7, "it ran away.\nat once") for key in failures], columns=FAILURE_COLUMNS)
    return dataclasses.replace(results, failures=frame, policies=results.policies + tuple(policies))


def test_failed_runs_count_among_the_replications():
    results = with_failures(made_up(RUNS), ("", "fast", 3), ("", "dead", 0), ("", "dead", 1), policies=["dead"])
    comparison = compare(results, target=1.0)
    fast, slow, dead = (row(comparison, label) for label in ("fast", "slow", "dead"))
    assert (fast["replications"], fast["reached"], fast["failed"]) == (4, 3, 1)
    assert (dead["replications"], dead["reached"], dead["failed"]) == (2, 0, 2)
    assert fast["time"] == 3.5, "of 2, 3, 4 and never"
    assert math.isinf(dead["time"])
    assert dead["ratio"] == math.inf, "in both pairs the baseline reached the target, and this never does"
    assert slow["p"] == 0.25, "three pairs: the fourth run of slow is missing"
    assert "1 of 4 runs of 'fast' failed: it ran away." in comparison.remarks
    text = printed(results, target=1.0)
    assert re.search(r"fast +│ +3 of 4 │ +30 - 95 % │ +3.50 │", text)
    assert re.search(r"dead +│ +0 of 2 │ +0 - 66 % │ +> 0 │", text)
    assert "2 of 2 runs of 'dead' failed: it ran away." in text
    assert results.time_to_target(1.0).groupby("policy")["reached"].sum().to_dict() == {"fast": 3, "slow": 2, "dead": 0}


def test_survivors_choose_the_target_only_if_there_are_no_others():
    good = compare(with_failures(made_up(RUNS), ("", "fast", 3)))
    assert good.targets == {"": 3.0}, "that of slow, of which no run failed"
    bad = compare(with_failures(made_up(RUNS), ("", "fast", 3), ("", "slow", 3)))
    assert bad.targets == {"": 2.0}
    assert bad.remarks[0] == "Every policy has failed runs; the target is chosen from the finished runs."


def test_a_study_of_which_all_runs_failed_has_a_table():
    results = with_failures(cs.Results("dead", pd.DataFrame(), pd.DataFrame(), ("a",)), ("", "a", 0))
    text = printed(results)
    assert re.search(r"a +│ +- │ +- │ +- │", text)
    assert "1 of 1 runs of 'a' failed: it ran away." in text
    assert results.on_grid().empty
    with pytest.raises(cs.ConfigurationError, match="there are no runs to compare"):
        compare(cs.Results("nothing", pd.DataFrame(), pd.DataFrame(), ("a",)))


def test_replications_that_are_copies_have_no_interval():
    runs = {("", "copied", r): [(0, 8.0, 0), (3, 1.0, 4)] for r in range(3)} | RUNS
    results = made_up(runs)
    band = results.on_grid().set_index("policy")
    assert band.loc["copied", ["low", "high"]].isna().all(axis=None)
    assert band.loc["fast", "low"].notna().all()
    comparison = compare(results, target=1.0)
    copied = row(comparison, "copied")
    assert copied["time"] == 3.0
    assert np.isnan(copied[["time_low", "time_high", "bytes_mean_low", "share_low", "p"]].astype(float)).all()
    assert "'copied' are identical" in comparison.remarks[-1]
    assert re.search(r"copied +│ +3 of 3 │ +- │ +3.00 │", printed(results, target=1.0))
    alike = compare(made_up({("", p, r): [(0, 8.0, 0), (3 + (p == "b"), 1.0, 4)] for p in "ab" for r in range(3)}))
    assert math.isnan(row(alike, "b")["ratio_low"])
    single = compare(made_up({("", "a", 0): RUNS["", "fast", 0]}))
    assert not any("identical" in text for text in single.remarks), "one replication is no copy"


def test_intervals_of_means_end_at_0():
    runs = {("", "a", 0): [(0, 8.0, 0), (1, 1.0, 1)], ("", "a", 1): [(0, 8.0, 0), (9, 1.0, 2)]}
    a = row(compare(made_up(runs), target=1.0), "a")
    high = 5.0 + T1 * math.sqrt(32.0) / math.sqrt(2.0)
    assert a[["time_mean", "time_mean_low", "time_mean_high"]].tolist() == pytest.approx([5.0, 0.0, high])
    times = made_up(runs).on_grid("time", over="update", grid=[1.0])
    assert times["low"].tolist() == [0.0]


def test_averages_on_a_grid_are_chosen_and_told():
    values = [1.0, 2.0, 4.0, 8.0, 16.0, 1024.0, 3.0]
    results = made_up({("", "a", r): [(0, v, r)] for r, v in enumerate(values)})
    expected = {
        "auto": geometric_interval(values), "geometric": geometric_interval(values),
        "arithmetic": mean_interval(values).at_least(0.0), "median": median_interval(values),
    }  # fmt: skip
    for average, interval in expected.items():
        band = results.on_grid(grid=[0.0], average=average)
        assert band[["mean", "low", "high"]].values[0].tolist() == pytest.approx([float(part) for part in interval])
        assert band["average"].tolist() == ["geometric" if average == "auto" else average]
    with pytest.raises(cs.ConfigurationError, match="average = 'mode': expected one of 'auto', 'arithmetic'"):
        results.on_grid(average="mode")
    below = made_up({("", "a", 0): [(0, -1.0, 0)]}, metric="loss")
    with pytest.raises(cs.ConfigurationError, match="average = 'geometric': the values of 'loss' are not all positive"):
        below.on_grid(average="geometric")
    assert below.on_grid()["average"].unique().tolist() == ["arithmetic"]


@pytest.mark.parametrize("count", [6, 9, 10, 20])
def test_the_interval_of_a_median_covers_it_about_as_often_as_it_says(count):
    rng = np.random.default_rng(5)
    for draws, truth in ((rng.exponential(size=(count, 20_000)), math.log(2.0)), (rng.normal(size=(count, 20_000)), 0)):
        interval = median_interval(draws)
        covered = int(((interval.low <= truth) & (truth <= interval.high)).sum())
        assert stats.binom.ppf(5e-7, 20_000, 0.94) <= covered <= stats.binom.ppf(1 - 5e-7, 20_000, 0.96)
    assert np.isnan(median_interval(draws[:5]).low).all(), "five replications are too few"


@pytest.mark.parametrize("count", range(6, 40))
def test_the_interval_of_a_median_as_hettmansperger_and_sheather_write_it(count):
    gamma = {d: 1.0 - 2.0 * stats.binom.cdf(d - 1, count, 0.5) for d in range(1, count // 2 + 1)}
    d = max(d for d, level in gamma.items() if level >= 0.95)
    share = (gamma[d] - 0.95) / (gamma[d] - gamma[d + 1])
    weight = (count - d) * share / (d + (count - 2 * d) * share)
    _, low, high = median_interval(np.arange(1.0, count + 1.0))
    assert [float(low), float(high)] == pytest.approx([d + weight, count + 1 - d - weight])


def test_metrics_that_some_runs_lack_are_told():
    runs = {("has", "a", r): [(0, 0.1, 0), (9, 0.9 - r / 10, 3)] for r in range(2)}
    runs |= {("lacks", "a", r): [(0, math.nan, 0), (9, math.nan, 3)] for r in range(2)}
    comparison = compare(made_up(runs, metric="test_accuracy"))
    assert comparison.targets["has"] == 0.8
    assert math.isnan(comparison.targets["lacks"])
    told = "No policy ends with finite values of test_accuracy in every replication in variant 'lacks'."
    assert told in comparison.remarks
    assert "nan" not in printed(made_up(runs, metric="test_accuracy"))


noisy_runs = st.lists(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, math.inf]), min_size=1, max_size=80)


@given(noisy_runs, st.booleans())
@settings(deadline=None)
def test_reaching_a_target_follows_from_its_definition(values, uneven):
    excess = np.array(values)
    times = np.cumsum(1.0 + 9.0 * (np.arange(len(values)) % 3 == 0) * uneven) - 1.0

    def median(part):
        return float(np.median(part))

    def lasts(row):
        return median(excess[row:][times[row:] <= times[row] + times[-1] / 20.0]) <= 0.0

    def counts(row):
        return times[row] <= 0.95 * times[-1] or excess[row] <= min(excess[: row + 1])

    left = excess[0] <= 0.0 and median(excess[times >= 0.95 * times[-1]]) > 0.0
    rows = [row for row in range(len(values)) if excess[row] <= 0.0 and counts(row) and lasts(row)]
    assert first_that_lasts(excess, times) == (None if left else next(iter(rows), None))
