"""Tuning: the step size of each policy, from runs that the comparison never uses."""

import math

import numpy as np
import pandas as pd
import pytest

import clustersim as cs
from clustersim.studies.tuning import _median, tuned_study, tuning_seed


def study_on_a_parabola(**changes):
    """F(w) = w^2 / 2 - w + 1/2: with all rows, a step of size s multiplies the distance to the optimum by 1 - s."""
    parts = {
        "name": "parabola",
        "problem": cs.LeastSquares([[1.0], [1.0]], [1.0, 1.0]),
        "cluster": cs.Cluster(2, cs.Constant(1.0)),
        "policies": {"all": cs.FullSync(), "own": cs.With(cs.FullSync(), optimizer=cs.Momentum(0.1, momentum=0.5))},
        "optimizer": cs.SGD(0.1),
        "until": cs.Until(updates=12),
        "replications": 2,
        "evaluate_every": 1,
    }
    return cs.Study(**parts | changes)


def test_the_best_step_on_a_parabola_is_found_and_diverging_ones_are_told():
    tuning = study_on_a_parabola(policies={"all": cs.FullSync()}).tune([0.25, 0.9, 1.5, 1e200], target=1e-4)
    table = tuning.table.set_index("step_size")
    # the error is (1 - s)^(2 t) / 2: below 1e-4 from t = 15 on for s = 1/4 (never here), t = 2 for 9/10, t = 7 for 3/2
    assert table["time"].tolist() == [math.inf, 2.0, 7.0, math.inf]
    assert table["reached"].tolist() == [0, 3, 3, 0]
    assert table["failed"].tolist() == [0, 0, 0, 3]
    assert tuning.step_sizes == {"all": 0.9}
    assert tuning.study.policies == {"all": cs.With(cs.FullSync(), optimizer=cs.SGD(0.9))}


def test_without_a_target_the_best_value_counts():
    tuning = study_on_a_parabola(policies={"all": cs.FullSync()}).tune([0.25, 0.5])
    assert tuning.step_sizes == {"all": 0.5}
    # the median over the last tenth of 12 s, which holds the errors after 11 and 12 updates
    expected = [np.median([(1 - s) ** (2 * t) / 2 for t in (11, 12)]) for s in (0.25, 0.5)]
    np.testing.assert_allclose(tuning.table["value"], expected, rtol=1e-9)
    assert np.isinf(tuning.table["time"]).all()


def test_the_first_at_the_target_is_picked_even_if_another_settles_lower():
    # one of two rows at a time: with step s the error settles around s / (2 - s) * 9/8, and s = 1/2 gets there first
    noisy = study_on_a_parabola(
        problem=cs.LeastSquares([[1.0], [1.0]], [0.0, 3.0]), policies={"one": cs.FastestK(1)},
        cluster=cs.Cluster(2, cs.Exponential(1.0)), until=cs.Until(updates=400),
    )  # fmt: skip
    quick = noisy.tune([0.01, 0.5], target=0.8)
    table = quick.table.set_index("step_size")
    assert table["value"][0.01] < table["value"][0.5]
    assert quick.step_sizes == {"one": 0.5}
    assert noisy.tune([0.01, 0.5]).step_sizes == {"one": 0.01}


def test_a_policy_keeps_the_rest_of_its_own_optimiser():
    tuning = study_on_a_parabola().tune([0.25, 0.5])
    assert tuning.study.policies["own"].optimizer == cs.Momentum(tuning.step_sizes["own"], momentum=0.5)
    assert isinstance(tuning.study.policies["all"].optimizer, cs.SGD)


def test_variants_keep_what_is_their_own_and_get_the_step_sizes():
    slow = cs.FastestK(1)
    study = study_on_a_parabola(
        variants={
            "plain": {},
            "other policy": {"policies": {"all": slow}},
            "other optimiser": {"optimizer": cs.Momentum(0.3, momentum=0.9)},
            "both": cs.studies.Variant(
                {"optimizer": cs.Momentum(0.3, momentum=0.9), "policies": {"all": slow}}, {"p": 1}
            ),
        }
    )
    tuned = tuned_study(study, {"all": 0.25, "own": 0.5})
    own = cs.With(cs.FullSync(), optimizer=cs.Momentum(0.5, momentum=0.5))
    momentum = cs.Momentum(0.25, momentum=0.9)
    assert {label: tuned.policies_of(label) for label in tuned.variants} == {
        "plain": {"all": cs.With(cs.FullSync(), optimizer=cs.SGD(0.25)), "own": own},
        "other policy": {"all": cs.With(slow, optimizer=cs.SGD(0.25)), "own": own},
        "other optimiser": {"all": cs.With(cs.FullSync(), optimizer=momentum), "own": own},
        "both": {"all": cs.With(slow, optimizer=momentum), "own": own},
    }
    assert tuned.variants["both"].swept == {"p": 1}
    assert study.variants["both"]["policies"] == {"all": slow}


def test_step_sizes_that_look_alike_are_told_apart():
    close = [0.25, 0.25 + 1e-9]
    table = study_on_a_parabola(policies={"all": cs.FullSync()}).tune(close).table
    assert table["step_size"].tolist() == close
    assert table["replications"].tolist() == [3, 3]
    assert table["value"][0] != table["value"][1]


def test_a_step_size_with_which_half_of_the_runs_fail_is_not_picked_for_its_other_half():
    assert (_median([1.0, 2.0, 3.0, math.inf], math.inf), _median([0.9, 0.8, 0.1, -math.inf], -math.inf)) == (3.0, 0.1)
    assert (_median([1.0, math.inf], math.inf), _median([0.9, -math.inf], -math.inf)) == (math.inf, -math.inf)
    assert _median([3.0, 1.0, 2.0], math.inf) == _median([3.0, 1.0, 2.0], -math.inf) == 2.0


def test_the_comparison_never_sees_the_random_numbers_of_the_tuning():
    study = study_on_a_parabola(cluster=cs.Cluster(2, cs.Exponential(1.0)), policies={"all": cs.FullSync()})
    tuning = study.tune([0.5], seed=3)
    compared = tuning.study.run(seed=3)
    assert not set(tuning.results.totals["time"]) & set(compared.totals["time"])
    again = study.tune([0.5], seed=3)
    pd.testing.assert_frame_equal(tuning.results.frame, again.results.frame)


def test_tuning_seeds_differ_from_one_another_and_are_usable():
    seeds = [tuning_seed(seed) for seed in range(200)]
    assert len({*seeds, *range(200)}) == 400
    assert all(0 <= seed < 2**53 for seed in seeds)


def test_a_pick_at_the_end_of_the_range_is_remarked():
    tuning = study_on_a_parabola(policies={"all": cs.FullSync()}).tune([0.25, 0.5])
    assert tuning.remarks() == ["all: the picked step size, 0.5, is the largest one tried; try others beyond it."]
    assert study_on_a_parabola(policies={"all": cs.FullSync()}).tune([0.25, 0.9, 1.5]).remarks() == []


def test_tuning_goes_on_where_it_stopped(tmp_path):
    study_on_a_parabola().tune([0.25], out=tmp_path / "out")
    tuning = study_on_a_parabola().tune([0.25, 0.5], out=tmp_path / "out")
    assert tuning.results.reused == 6


@pytest.mark.parametrize(
    ("step_size", "words"),
    [
        ([], r"expected a list of step sizes"),
        (0.1, "expected a list of step sizes"),
        ([0.1, 0.1], "expected each step size once"),
        ([-0.1], r"step_size = -0.1: expected"),
        (["a"], "step_size = 'a': expected"),
    ],
)
def test_unusable_step_sizes_are_refused(step_size, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        study_on_a_parabola().tune(step_size)


def test_an_optimiser_without_a_step_size_is_named():
    class Sign(cs.Optimizer):
        """No step size."""

        def begin(self, w):
            return self

        def step(self, w, gradient, update_number):
            return w - 0.1 * np.sign(gradient)

        def __repr__(self):
            return "Sign()"

    with pytest.raises(cs.ConfigurationError, match=r"Sign\(\): it has no step_size to tune"):
        study_on_a_parabola(policies={"all": cs.FullSync()}, optimizer=Sign()).tune([0.1])


def test_a_folder_tells_step_sizes_of_a_policy_apart(tmp_path):
    def study(size):
        return study_on_a_parabola(policies={"own": cs.With(cs.FullSync(), optimizer=cs.SGD(size))})

    study(0.1).run(tmp_path)
    assert study(0.1).run(tmp_path).reused == 2
    with pytest.raises(cs.ResultsError, match=r"policy 'own': optimizer.step_size is 0\.1 in the folder, 0\.9 now"):
        study(0.9).run(tmp_path)
