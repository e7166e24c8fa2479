"""The words of a report: which policy is ahead and how sure that is, and settings in readable form."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clustersim as cs
from clustersim.reports.sentences import outcome
from clustersim.reports.settings import varied, worded
from clustersim.studies.configuration import describe

COSTS = ("time", "uplink_vectors", "vectors", "uplink_bytes", "bytes", "ratio")


def rows_of(*policies, target=0.5):
    """Rows of a comparison: the label, the median time and the verdict of each policy."""
    ends = {f"{cost}{end}": math.nan for cost in COSTS for end in ("", "_low", "_high", "_end")} | {"ratio": 0.5}
    more = {
        "idle_share": math.nan,
        "wasted_share": math.nan,
        "unheard": math.nan,
        "baseline": policies[0][0],
        "variant": "",
    }
    rows = [
        {**ends, **more, "policy": label, "target": target, "time": time, "verdict": verdict}
        for label, time, verdict in policies
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("policies", "words"),
    [
        ([("a", 3.0, "baseline"), ("b", 5.0, "slower")], "'a' comes first, with 3.00 s. It is the baseline, and every"),
        ([("a", 3.0, "baseline"), ("b", 5.0, "undecided")], "That is undecided: beyond chance, no other policy"),
        (
            [("a", 3.0, "baseline"), ("b", 5.0, "slower"), ("c", 4.0, "undecided")],
            "Beyond chance it is ahead of 'b'; against 'c' that is undecided.",
        ),
        ([("a", 6.0, "baseline"), ("b", 3.0, "faster")], "than the baseline, 'a', beyond chance: it takes 0.50"),
        (
            [("a", 6.0, "baseline"), ("b", 3.0, "faster"), ("c", 4.0, "faster")],
            "Its lead over the other policies was not tested.",
        ),
        ([("a", 6.0, "baseline"), ("b", 3.0, "undecided")], "a difference from the baseline, 'a', could be chance"),
        ([("a", math.inf, "baseline"), ("b", 3.0, "")], "with so few runs no difference from the baseline, 'a', can"),
        ([("a", math.inf, "baseline"), ("b", math.inf, "")], "No policy reaches error = 0.5 in more than half"),
    ],
)  # fmt: skip
def test_the_outcome_is_as_sure_as_the_verdicts(policies, words):
    assert words in outcome(rows_of(*policies), "", "error")


def test_without_a_target_no_policy_is_ahead():
    words = outcome(rows_of(("a", math.nan, "baseline"), ("b", math.nan, ""), target=math.nan), "v", "error")
    assert words == "No policy improves on the first model in variant 'v', so no policy is ahead."


def test_settings_are_texts_without_hashes_and_defaults():
    cluster = cs.Cluster(3, cs.PerWorker([cs.Exponential(1.0)] * 2 + [cs.Pareto(mean=2.0, shape=3.0)]))
    text = worded(describe(cluster))
    assert "models = [2 times Exponential(mean = 1), Pareto(" in text
    assert "uplink = no delay" in text
    problem = cs.LeastSquares.synthetic(rows=60, features=3, seed=7)
    assert worded(describe(problem)) == "LeastSquares(rows = 60, dimension = 3, ridge = 0)"
    assert worded(describe(cs.SGD(lambda t: 0.1))) == "SGD(step_size = a function, weight_decay = 0)"
    assert worded(list(range(50))) == "[0, 1, 2, …, 49]"


@given(st.lists(st.sampled_from([1, 2, 3]), min_size=2, max_size=4))
def test_only_what_differs_between_variants_is_listed(workers):
    settings = {
        f"v{n}": {"problem": {"rows": 5}, "cluster": {"workers": w, "tick": 1}, "optimizer": None, "until": None}
        for n, w in enumerate(workers)
    }
    expected = {("cluster", "workers")} if len(set(workers)) > 1 else set()
    assert varied(settings).keys() == expected
