"""What a comparison adds to medians: verdicts, the Pareto front, shares of time, remarks, and the summary of a grid."""

import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from small import made_up, small_study

import clustersim as cs
from clustersim.studies.dominance import dominators
from clustersim.studies.paired import holm
from clustersim.tables import print_comparison


def reaching(times, variant=""):
    """Runs that reach the error 1 at these times, by policy."""
    return {
        (variant, policy, r): [(0, 8.0, 0), (time, 1.0, r + 1), (time + 1, 1.0, r + 2)]
        for policy, row in times.items()
        for r, time in enumerate(row)
    }


def printed(results, width=160, **how):
    console = Console(width=width, file=io.StringIO())
    print_comparison(console, results, **how)
    return console.file.getvalue()


DRAWS = np.random.default_rng(4).lognormal(size=10)
TIMES = {"base": 10.0 + DRAWS, "much": 30.0 + DRAWS, "less": 5.0 + DRAWS, "same": 10.0 + DRAWS[::-1]}


def test_verdicts_follow_from_holms_correction_over_the_whole_table():
    runs = reaching(TIMES, "a") | reaching({k: v for k, v in TIMES.items() if k != "less"}, "b")
    table = cs.compare(made_up(runs), target=1.0).table
    assert np.isnan(table["p"]).tolist() == [policy == "base" for policy in table["policy"]]
    np.testing.assert_array_equal(table["p_holm"], holm(table["p"]))
    assert table["p"].count() == 5
    assert table["verdict"].tolist() == ["baseline", "slower", "faster", "undecided", "baseline", "slower", "undecided"]


def test_what_is_significant_alone_may_be_none_among_many():
    d = np.array([0.02, 0.30, 0.11, 0.25, -0.06, 0.21, 0.04, 0.17, -0.03, 0.09])
    alone = {"base": np.full(10, 8.0), "other": 8.0 * np.exp(d)}
    alone["base"] = alone["base"] + 1e-6 * DRAWS
    assert cs.compare(made_up(reaching(alone)), target=1.0).table["verdict"].tolist() == ["baseline", "slower"]
    many = alone | {f"same {i}": np.roll(alone["base"], i) for i in range(1, 9)}
    assert "slower" not in cs.compare(made_up(reaching(many)), target=1.0).table["verdict"].tolist()


costs = st.lists(st.tuples(*[st.sampled_from([1.0, 2.0, 3.0, math.inf, math.nan])] * 3), min_size=1, max_size=7)


@settings(deadline=None)
@given(costs)
def test_the_front_against_its_definition(rows):
    values = [[math.inf if math.isnan(x) else x for x in row] for row in rows]
    for row, found in zip(values, dominators(rows), strict=True):
        better = [i for i, other in enumerate(values) if other != row and all(map(lambda a, b: a <= b, other, row))]
        assert found == (better[0] if better else None)


def test_the_front_of_error_time_and_bytes():
    runs = {
        ("", "fast", 0): [(0, 8.0, 0), (2, 1.0, 9), (20, 0.9, 99)],
        ("", "good", 0): [(0, 8.0, 0), (4, 1.0, 9), (20, 0.1, 99)],
        ("", "bad", 0): [(0, 8.0, 0), (5, 1.0, 10), (20, 0.9, 99)],
        ("", "never", 0): [(0, 8.0, 0), (20, 0.95 + 2, 1)],
    }
    front = cs.pareto_front(made_up(runs), target=1.0)
    assert front["front"].tolist() == [True, True, False, False]
    assert front["dominated_by"].tolist() == ["", "", "fast", "fast"]
    assert front["settled"].tolist() == [0.9, 0.1, 0.9, 2.95]
    assert cs.compare(made_up(runs), target=1.0).table["front"].tolist() == [True, True, False, False]
    assert "Pareto front of error at the end, time and bytes: 'fast' and 'good'." in printed(made_up(runs), target=1.0)
    assert cs.pareto_front(made_up(runs), target=1.0, by=["time"])["front"].tolist() == [True, False, False, False]
    accuracies = made_up({key: [(t, -e, u) for t, e, u in rows] for key, rows in runs.items()}, "test_accuracy")
    assert cs.pareto_front(accuracies, target=-1.0)["front"].tolist() == [True, True, False, False]
    assert cs.compare(accuracies, target=-1.0).table["front"].tolist() == [True, True, False, False]
    with pytest.raises(cs.ConfigurationError, match="by: 'policy': expected columns of numbers, such as settled, time"):
        cs.pareto_front(made_up(runs), target=1.0, by=["policy"])


def test_workers_that_are_always_too_late_are_counted():
    speeds = cs.PerWorker([cs.Constant(seconds) for seconds in (1.0, 1.5, 2.0, 2.5, 20.0, 40.0)])
    policies = {"fastest": cs.FastestK(4), "in turn": cs.KAsync(1), "late": cs.LiveGradientCompensation(4, blocks=10)}
    results = small_study(policies=policies, cluster=cs.Cluster(6, speeds), until=cs.Until(updates=120)).run()
    table = cs.compare(results, target=1.0).table.set_index("policy")
    assert table["unheard"].to_dict() == {"fastest": 2.0, "in turn": 0.0, "late": 1.0}  # 4 s a block, 2.5 a round
    assert "unheard" in printed(results, target=1.0)


def test_shares_are_those_of_all_seconds():
    results = small_study(policies={"k = 1": cs.FastestK(1), "k = 6": cs.FastestK(6)}).run()
    table = cs.compare(results, target=1.0).table.set_index("policy")
    runs = results.totals[results.totals["policy"] == "k = 1"]
    seconds = 6.0 * runs["time"].sum() if "time" in runs else None
    work = runs[["compute_used", "compute_wasted", "compute_pending"]].sum().sum()
    assert table.loc["k = 1", "wasted_share"] == pytest.approx(runs["compute_wasted"].sum() / work)
    assert table.loc["k = 6", "wasted_share"] == 0.0
    assert table["unheard"].eq(0.0).all()
    ends = results.frame.groupby(["policy", "replication"])["time"].last().groupby("policy").sum()
    assert table.loc["k = 6", "idle_share"] == pytest.approx(
        results.totals["idle"][results.totals["policy"] == "k = 6"].sum() / (6.0 * ends["k = 6"])
    )
    assert seconds is None or seconds > 0.0


def test_remarks_on_what_cannot_be_decided():
    censored = {
        key: [(t, 2.0 if key[1] == "late" and t else e, u) for t, e, u in rows]
        for key, rows in reaching({"base": range(1, 5), "late": range(1, 5)}).items()
    }
    remarks = " ".join(cs.compare(made_up(censored), target=1.0).remarks)
    assert "no difference from the baseline can be claimed with so few replications: 1 comparison needs" in remarks
    assert "at least 6." in remarks
    many = reaching({"base": [*range(1, 10), 900.0]})
    assert "One run of 'base' took longer than all the others together" in " ".join(
        cs.compare(made_up(many), target=1.0).remarks
    )
    assert not cs.compare(made_up(reaching(TIMES)), target=1.0).remarks


def test_nobody_says_that_nothing_can_be_claimed_beside_a_claim():
    """Six pairs decide one comparison, but not two; another one that Student's test has decided does not count."""
    fast = {"base": 10.0 + DRAWS[:6], "fast": 5.0 + DRAWS[:6] / 2.0, "late": 20.0 + DRAWS[:6]}
    for others, verdict, remark in (
        ({}, "slower", ""),
        ({"same": 10.0 + DRAWS[5::-1]}, "undecided", "2 comparisons need"),
    ):
        runs = {
            key: [(time, 2.0 if key[1] == "late" and time else error, sent) for time, error, sent in rows]
            for key, rows in reaching(fast | others).items()
        }
        comparison = cs.compare(made_up(runs), target=1.0)
        assert comparison.table.set_index("policy")["verdict"][["fast", "late"]].tolist() == ["faster", verdict]
        remarks = " ".join(comparison.remarks)
        assert ("can be claimed with so few replications" in remarks) == bool(remark)
        assert remark in remarks


def test_replications_for_a_precision():
    comparison = cs.compare(made_up(reaching(TIMES)), target=1.0)
    needed = comparison.replications_for(0.1).set_index("policy")
    assert needed["ratio"].isna().tolist() == [True, False, False, False]
    finer = comparison.replications_for(0.05).set_index("policy")
    assert (finer["ratio"].dropna() > 2 * needed["ratio"].dropna()).all()
    assert re.search(r"For a ratio to within 5 %, about \d+ replications are needed \(for 'same'", printed(
        made_up(reaching(TIMES)), target=1.0
    ))  # fmt: skip
    with pytest.raises(cs.ConfigurationError, match="precision = 0"):
        comparison.replications_for(0)


def test_many_variants_are_counted_and_not_listed():
    base = TIMES["base"][:3]
    times = {"base": base, "much": 3.0 * base, "less": base / 2.0}
    runs = {key: rows for v in range(13) for key, rows in reaching(times, f"p = {v}").items()}
    text = printed(made_up(runs), target=1.0)
    assert len(text.splitlines()) < 20
    counts = {line.split("│")[1].strip(): line.split("│")[2:-1] for line in text.splitlines() if line.startswith("│")}
    assert [int(cell) for cell in counts["much"]] == [13, 0, 0, 13, 0, 0]
    assert [int(cell) for cell in counts["less"]] == [13, 13, 13, 0, 0, 0]
    assert [int(cell) for cell in counts["base"]] == [13, 0, 0, 0, 0, 13]
    assert "compare DIR --format csv" in text
    twelve = made_up({key: rows for key, rows in runs.items() if key[0] != "p = 12" and key[1:] == ("base", 0)})
    assert "made up, p = 11: what each policy needs" in printed(twelve, target=1.0)


def test_other_quantiles():
    table = cs.compare(made_up(reaching({"a": range(1, 21)})), target=1.0, quantile=0.9).table
    assert table["time"].tolist() == [18.5]
    assert 15.0 < table["time_low"].item() < 16.0, "P(fewer than 15 of 20 below) = 1.1 %, P(fewer than 16) = 4.3 %"
    assert math.isnan(table["ratio_low"].item())


def test_a_table_is_tidy():
    table = cs.compare(made_up(reaching(TIMES)), target=1.0).table
    assert table.columns.is_unique
    assert isinstance(table.index, pd.RangeIndex)
    assert not {"greater"} & {*table.columns}
