"""Sweeps: variants over a grid, their values as columns, and one number laid out over them."""

import numpy as np
import pandas as pd
import pytest
from small import small_study

import clustersim as cs
from clustersim.studies.summaries import summary

GRID = {"p": [0.5, 2.0], "workers": [4, 8]}


def build(p, workers):
    """Constant times, so that every duration is known."""
    return {"cluster": cs.Cluster(workers, cs.Constant(p))}


def swept_study(**changes):
    settings = {
        "name": "swept",
        "problem": cs.TimingOnly(rows=80, dimension=10),
        "cluster": cs.Cluster(4, cs.Constant(1.0)),
        "policies": {"all": cs.FullSync(), "one": cs.KAsync(1)},
        "optimizer": cs.SGD(1.0),
        "until": cs.Until(updates=8),
        "metric": "update",
        "replications": 2,
        "variants": cs.grid(build, **GRID),
    }
    return cs.Study(**settings | changes)


def test_every_combination_is_a_variant_and_the_last_parameter_varies_fastest():
    assert [*cs.grid(build, **GRID)] == [f"p = {p}, workers = {n}" for p in (0.5, 2.0) for n in (4, 8)]


def test_swept_values_are_columns_of_frame_totals_and_stored_runs(tmp_path):
    results = swept_study().run(tmp_path / "out", seed=3)
    for table in (results.frame, results.totals):
        for row in table.to_dict("records"):
            assert row["variant"] == f"p = {row['p']}, workers = {row['workers']}"
    for path in (tmp_path / "out" / "runs").iterdir():
        stored = pd.read_parquet(path)
        assert stored["variant"].iloc[0] == f"p = {stored['p'].iloc[0]}, workers = {stored['workers'].iloc[0]}"
    loaded = cs.load_results(tmp_path / "out")
    pd.testing.assert_frame_equal(loaded.frame, results.frame)
    assert loaded.swept == results.swept
    assert loaded.sweep == ("p", "workers")


def test_a_swept_k_keeps_clear_of_the_k_that_a_policy_waits_for():
    variants = cs.grid(lambda k: {"policies": {"all": cs.FastestK(k)}}, k=[1, 3])
    results = swept_study(policies={"all": cs.FullSync()}, variants=variants).run()
    assert (results.frame["k"] == results.frame["swept_k"]).all()
    assert sorted(results.totals["k"].unique()) == [1, 3]
    assert "swept_k" not in results.metrics


def test_a_variant_without_swept_values_may_stand_beside_a_sweep():
    results = swept_study(variants={"plain": {}, **cs.grid(build, p=[2.0], workers=[4])}).run()
    by_variant = results.totals.groupby("variant")["p"].first()
    assert np.isnan(by_variant["plain"])
    assert by_variant["p = 2.0, workers = 4"] == 2.0


def test_pivot_on_a_schedule_known_by_hand():
    table = swept_study().run().pivot("p", "workers", "time", where={"policy": "all"})
    # a round takes p seconds whatever the number of workers, and there are eight
    assert table.to_dict() == {4: {0.5: 4.0, 2.0: 16.0}, 8: {0.5: 4.0, 2.0: 16.0}}
    one = swept_study().run().pivot("p", "workers", "time", where={"policy": "one"})
    # n workers answer together every p seconds, and each answer is an update
    assert one.to_dict() == {4: {0.5: 1.0, 2.0: 4.0}, 8: {0.5: 0.5, 2.0: 2.0}}


def test_a_summary_with_a_target_is_what_compare_says():
    results = swept_study().run()
    table = summary(results, "time", target=6.0, where={"policy": "all"})
    assert table["value"].tolist() == [3.0, 3.0, 12.0, 12.0]


def test_objects_are_swept_by_their_labels():
    laws = {"constant": cs.Constant(1.0), "exponential": cs.Exponential(1.0)}
    variants = cs.grid(lambda law: {"cluster": cs.Cluster(4, law)}, law=laws)
    assert variants["law = exponential"]["cluster"].compute == laws["exponential"]
    assert variants["law = exponential"].swept == {"law": "exponential"}


def test_a_quick_look_keeps_the_swept_values():
    assert swept_study().quick().run().sweep == ("p", "workers")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "at least one parameter"),
        ({"p": []}, "expected at least one value"),
        ({"p": 0.5}, r"expected a list of values, such as p=\[0.5\]"),
        ({"p": "ab"}, "expected a list of values"),
        ({"p": [0.5, 0.5]}, "0.5 occurs twice"),
        ({"p": [object()]}, "expected a finite number or one line of text"),
        ({"p": [float("nan")]}, "expected a finite number"),
        ({"time": [1.0]}, "already; choose another name"),
        ({"policy": ["a"]}, "already; choose another name"),
    ],
)
def test_unusable_values_are_refused(values, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        cs.grid(lambda **point: {}, **values)


def test_a_build_that_fails_or_returns_nonsense_is_named_with_its_place():
    with pytest.raises(cs.ConfigurationError, match=r"p = 0.*division by zero"):
        cs.grid(lambda p: {"until": cs.Until(time=1 / p)}, p=[1, 0])
    with pytest.raises(cs.ConfigurationError, match="build returned None for p = 1"):
        cs.grid(lambda p: None, p=[1])
    with pytest.raises(cs.ConfigurationError, match="a variant can override only"):
        small_study(variants=cs.grid(lambda p: {"speed": p}, p=[1]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"index": "q"}, "'q': expected one of policy, p, workers, variant"),
        ({"index": "p"}, r"several results have the same p and policy: workers is one of \[4, 8\]; choose with where="),
        ({"index": "p", "value": "speed"}, "value = 'speed': expected one of update, loss"),
        ({"index": "p", "where": {"workers": 5}}, r"where: workers = 5: expected one of \[4, 8\]"),
        ({"index": "p", "where": {"q": 5}}, "where: 'q': expected one of"),
        ({"index": "p", "value": "idle", "target": 3.0}, "with a target, expected one of time"),
    ],
)
def test_a_pivot_that_cannot_be_is_refused(arguments, words):
    results = swept_study(replications=1).run()
    with pytest.raises(cs.ConfigurationError, match=words):
        results.pivot(**arguments)


def test_other_values_under_an_old_label_are_refused(tmp_path):
    swept_study().run(tmp_path / "out")
    label = "p = 0.5, workers = 4"
    renamed = {label: cs.Variant(build(0.5, 4), {"p": 0.25, "workers": 4})}
    with pytest.raises(cs.ResultsError, match=r"swept: p is 0\.5 in the folder, 0\.25 now"):
        swept_study(variants=renamed).run(tmp_path / "out")


def test_a_policy_with_an_optimiser_of_its_own_takes_its_steps():
    own = {"study's": cs.FastestK(2), "own": cs.With(cs.FastestK(2), optimizer=cs.SGD(2e-6))}
    both = small_study(policies=own).run(seed=4)
    alone = small_study(policies={"own": cs.FastestK(2)}, optimizer=cs.SGD(2e-6)).run(seed=4)
    mine = both.frame[both.frame["policy"] == "own"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone.frame)
    assert not mine["error"].equals(both.frame.loc[both.frame["policy"] == "study's", "error"].reset_index(drop=True))


@pytest.mark.parametrize(("policy", "optimizer"), [(3, cs.SGD(0.1)), (cs.FastestK(1), 0.1)])
def test_with_takes_a_policy_and_an_optimiser(policy, optimizer):
    with pytest.raises(cs.ConfigurationError, match=r"With: .* expected a"):
        cs.With(policy, optimizer=optimizer)


def test_whole_columns_are_looked_at_once_whatever_the_number_of_variants(monkeypatch):
    """Otherwise the time of a summary grows with the square of the number of runs."""
    looks, average = [], cs.Results.average
    monkeypatch.setattr(cs.Results, "average", lambda *args: looks.append(args) or average(*args))
    for workers in ([4], [4, 5, 6, 7]):
        results = swept_study(variants=cs.grid(build, p=[0.5], workers=workers)).run()
        before = len(looks)
        assert len(summary(results, "update")) == 2 * len(workers)
        assert len(looks) == before + 1
