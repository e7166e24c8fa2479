"""The perceptron against loops over rows and units, finite differences, softmax regression and closed forms."""

import json
import math
import pickle
import tracemalloc
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.problems import MultilayerPerceptron, SoftmaxRegression


def rows_of(seed: int, m: int, features: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of which some entries are 0, and labels of which every class has some."""
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(m, features)) * (draw.random((m, features)) < 0.6)
    return X, draw.permutation(np.arange(m) % classes)


def random_model(problem: MultilayerPerceptron, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=problem.dimension)


def unit_by_unit(w: list[float], widths: list[int], x: list[float], target: int) -> tuple[float, np.ndarray]:
    """Loss and gradient of one row, one number at a time, from the layout that the docstring promises."""
    starts = [0, *accumulate((inputs + 1) * outputs for inputs, outputs in pairwise(widths))]
    signals, sums = [x], []
    for start, inputs, outputs in zip(starts, widths, widths[1:], strict=False):
        bias = start + inputs * outputs
        sums.append(
            [
                w[bias + u] + sum(signals[-1][j] * w[start + j * outputs + u] for j in range(inputs))
                for u in range(outputs)
            ]
        )
        signals.append([z if z > 0 else 0.0 for z in sums[-1]])
    total = math.log(sum(math.exp(z) for z in sums[-1]))
    slopes = [math.exp(z - total) - (u == target) for u, z in enumerate(sums[-1])]
    gradient = np.zeros(len(w))
    for layer in reversed(range(len(sums))):
        start, inputs, outputs = starts[layer], widths[layer], widths[layer + 1]
        for u in range(outputs):
            gradient[start + inputs * outputs + u] = slopes[u]
            for j in range(inputs):
                gradient[start + j * outputs + u] = slopes[u] * signals[layer][j]
        if layer:
            passed = [sum(slopes[u] * w[start + j * outputs + u] for u in range(outputs)) for j in range(inputs)]
            slopes = [p if z > 0 else 0.0 for p, z in zip(passed, sums[layer - 1], strict=True)]
    return total - sums[-1][target], gradient


@settings(max_examples=75, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    m=st.integers(4, 9),
    features=st.integers(1, 4),
    classes=st.integers(2, 4),
    hidden=st.lists(st.integers(1, 4), max_size=3),
    data=st.data(),
)
def test_gradients_and_losses_are_those_of_loops_over_rows_and_units_dense_and_sparse(
    seed: int, m: int, features: int, classes: int, hidden: list[int], data: st.DataObject
) -> None:
    X, labels = rows_of(seed, m, features, classes)
    dense = MultilayerPerceptron(X, labels, hidden=hidden, ridge=0.5)
    thin = MultilayerPerceptron(sparse.coo_matrix(X), labels, hidden=tuple(hidden), ridge=0.5)
    rows = data.draw(st.none() | st.lists(st.integers(0, m - 1), max_size=12).map(lambda r: np.array(r, dtype=np.intp)))
    taken = list(range(m)) if rows is None else rows.tolist()  # repetitions and no rows at all among them
    few = st.floats(-3.0, 3.0)
    weights = data.draw(
        few | st.lists(few, min_size=len(taken), max_size=len(taken)).map(lambda v: np.array(v, dtype=float))
    )
    w = random_model(dense, seed + 1)
    each = [
        unit_by_unit(w.tolist(), [features, *hidden, classes], X[row].tolist(), int(labels[row])) for row in range(m)
    ]
    expected = np.zeros(dense.dimension)
    for row, weight in zip(taken, np.broadcast_to(weights, len(taken)), strict=True):
        expected += weight * each[row][1]
    before, kept = w.copy(), np.copy(weights)
    for problem in (dense, thin):
        got = problem.gradient(w, rows, weights)
        assert got.shape == (problem.dimension,)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-10)
        assert problem.loss(w) == pytest.approx(np.mean([loss for loss, _ in each]), rel=1e-9, abs=1e-12)
    np.testing.assert_array_equal(w, before)
    np.testing.assert_array_equal(weights, kept)


@pytest.mark.parametrize("hidden", [(), (5,), (4, 3), (3, 4, 2)])
def test_gradients_are_the_central_differences_of_the_objective(hidden: tuple[int, ...]) -> None:
    X, labels = rows_of(1, 12, 3, 3)
    problem = MultilayerPerceptron(X, labels, hidden=hidden, ridge=0.3)
    w = random_model(problem, 2)
    extra = problem.penalty_gradient(w)
    assert extra is not None
    numeric = [
        (problem.objective(w + step) - problem.objective(w - step)) / 2e-6 for step in 1e-6 * np.eye(problem.dimension)
    ]
    np.testing.assert_allclose(problem.gradient(w, None, 1 / 12) + extra, numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("thin", [False, True])
def test_none_weights_and_rows_agree_and_all_rows_are_not_copied(thin: bool) -> None:
    X, labels = rows_of(2, 2000, 60, 3)
    problem = MultilayerPerceptron(sparse.csr_array(X) if thin else X, labels, hidden=(4,))
    draw = np.random.default_rng(3)
    weights, w, some = draw.normal(size=2000), random_model(problem, 4), draw.permutation(2000)
    weights[::3] = 0.0
    weights.setflags(write=False)
    tracemalloc.start()
    got = problem.gradient(w, None, weights)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one_by_one = sum(weights[row] * problem.gradient(w, np.array([row]), 1.0) for row in range(2000))
    np.testing.assert_allclose(got, one_by_one, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(got, problem.gradient(w, some, weights[some]), rtol=1e-9, atol=1e-9)
    assert most < X.nbytes / 2
    twice = problem.gradient(w, np.array([7, 8, 7]), np.array([1.0, 2.0, 0.5]))
    np.testing.assert_allclose(twice, problem.gradient(w, np.array([8, 7]), np.array([2.0, 1.5])), atol=1e-12)
    np.testing.assert_allclose(
        problem.gradient(w, some, 0.25), problem.gradient(w, None, np.full(2000, 0.25)), atol=1e-9
    )


@pytest.mark.parametrize("thin", [False, True])
def test_without_hidden_layers_it_is_softmax_regression(thin: bool) -> None:
    X, labels = rows_of(3, 40, 5, 4)
    source = sparse.csr_array(X) if thin else X
    flat = MultilayerPerceptron(source, labels, hidden=(), ridge=0.2, test=(X, labels))
    softmax = SoftmaxRegression(source, labels, ridge=0.2, test=(X, labels))
    rows, weights = np.array([3, 3, 9, 0]), np.array([1.0, -2.0, 0.5, 3.0])
    assert (flat.rows, flat.dimension) == (softmax.rows, softmax.dimension)
    for seed in range(5):
        w = random_model(flat, seed)
        assert flat.loss(w) == pytest.approx(softmax.loss(w), rel=1e-13)
        assert flat.penalty(w) == pytest.approx(softmax.penalty(w), rel=1e-13)
        assert flat.metrics(w) == softmax.metrics(w)
        np.testing.assert_array_equal(flat.penalty_gradient(w), softmax.penalty_gradient(w))
        for some, each in ((None, 0.1), (rows, weights)):
            np.testing.assert_allclose(flat.gradient(w, some, each), softmax.gradient(w, some, each), rtol=1e-12)


def test_the_ridge_is_on_the_weights_and_spares_the_biases_of_every_layer() -> None:
    problem = MultilayerPerceptron([[1.0], [2.0]], ["a", "b"], hidden=(2,), ridge=0.6)
    w = np.arange(1.0, 11.0)  # weights 1 2, biases 3 4; weights 5 6, 7 8, biases 9 10
    assert problem.penalty(w) == pytest.approx(0.3 * (1 + 4 + 25 + 36 + 49 + 64))
    np.testing.assert_allclose(problem.penalty_gradient(w), 0.6 * np.array([1, 2, 0, 0, 5, 6, 7, 8, 0, 0]))
    np.testing.assert_array_equal(w, np.arange(1.0, 11.0))
    bare = MultilayerPerceptron([[1.0], [2.0]], ["a", "b"], hidden=(2,))
    assert (bare.penalty(w), bare.penalty_gradient(w)) == (0.0, None)


def test_the_initial_model_is_he_normal_with_zero_biases_and_a_function_of_the_seed() -> None:
    X, labels = rows_of(5, 20, 300, 10)
    problem = MultilayerPerceptron(X, labels, hidden=(80, 40), seed=3)
    w, start = problem.initial_model(), 0
    low, high = stats.norm.cdf(-5.0), stats.norm.cdf(5.0)  # three layers, two figures each: about 3e-6 in all
    for inputs, outputs in ((300, 80), (80, 40), (40, 10)):
        n = inputs * outputs
        weights, biases = w[start : start + n], w[start + n : start + n + outputs]
        assert stats.chi2.ppf(low, n) < np.sum(weights**2) * inputs / 2 < stats.chi2.ppf(high, n)
        assert abs(weights.sum()) < 5.0 * math.sqrt(n * 2 / inputs)
        assert not biases.any()
        start += n + outputs
    assert start == problem.dimension == len(w)
    w[:] = 1.0  # whoever writes into a model does not write into the next one
    again = MultilayerPerceptron(-X, labels, hidden=(80, 40), seed=3).initial_model()
    np.testing.assert_array_equal(problem.initial_model(), again)
    other = MultilayerPerceptron(X, labels, hidden=(80, 40), seed=4).initial_model()
    assert np.mean(other == again) < 0.01  # the zero biases


def test_zeros_are_a_saddle_at_which_only_the_last_biases_have_a_slope() -> None:
    X, labels = rows_of(6, 11, 3, 2)  # classes of unequal size
    problem = MultilayerPerceptron(X, labels, hidden=(4, 3))
    stuck = problem.gradient(np.zeros(problem.dimension), None, 1.0)
    assert not stuck[:-2].any()
    assert stuck[-2:].all()
    moving = problem.gradient(problem.initial_model(), None, 1.0)
    assert np.count_nonzero(moving[:-2]) > 10


@pytest.mark.parametrize("size", [1e4, 1e150])
def test_huge_scores_neither_overflow_nor_lose_the_loss(size: float) -> None:
    problem = MultilayerPerceptron([[1.0], [2.0]], [0, 1], hidden=(1,))
    w = np.array([size, 0.0, 1.0, -1.0, 0.0, 0.0])  # h = size x; scores h and -h: right for row 0, wrong for row 1
    assert problem.loss(w) == pytest.approx(4.0 * size / 2)
    expected = [2.0 * 2.0, 2.0, 2.0 * size, -2.0 * size, 1.0, -1.0]  # row 1 alone: slopes 1 and -1, 2 at the unit
    np.testing.assert_allclose(problem.gradient(w, None, 1.0), expected)


@pytest.mark.parametrize("ran_away", [[1e200, 0.0, 1e200, -1e200, 0.0, 0.0], [math.nan, 0.0, 1.0, -1.0, 0.0, 0.0]])
def test_a_model_that_ran_away_has_no_loss_that_would_hide_it(ran_away: list[float]) -> None:
    problem = MultilayerPerceptron([[1.0], [2.0]], [0, 1], hidden=(1,))
    with np.errstate(over="ignore", invalid="ignore"):
        assert math.isnan(problem.loss(np.array(ran_away)))


@pytest.mark.parametrize("wrap", [np.array, sparse.csr_matrix])
def test_a_perceptron_pickles_and_describes_all_that_tells_it_from_others(wrap: Any) -> None:
    X, y = wrap([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]), ["a", "b", "a"]
    options: dict[str, Any] = {"hidden": np.array([3, 2]), "test": (X, y)}
    problem = MultilayerPerceptron(X, y, **options)
    told, w = problem.describe(), problem.initial_model()
    assert json.loads(json.dumps(told)) == told
    assert (told["hidden"], told["seed"], told["ridge"], told["dimension"]) == ([3, 2], 0, 0.0, 9 + 8 + 6)
    copy = pickle.loads(pickle.dumps(problem))  # noqa: S301 - our own bytes
    assert copy.describe() == told
    np.testing.assert_array_equal(copy.gradient(w, None, 1.0), problem.gradient(w, None, 1.0))
    for change in ({"hidden": (2, 3)}, {"seed": 1}, {"ridge": 0.1}, {"test": (2 * X, y)}, {"test": None}):
        assert MultilayerPerceptron(X, y, **(options | change)).describe() != told
    assert MultilayerPerceptron(X, ["a", "b", "b"], **options).describe() != told
    assert repr(problem) == "MultilayerPerceptron(3 rows, 2 features, 2 classes, hidden=(3, 2), ridge=0, seed=0)"
    assert problem.labels.tolist() == [0, 1, 0]
    assert problem.classes.tolist() == ["a", "b"]


ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hidden": 64}, r"hidden = 64: expected a sequence of whole numbers.*\(64,\)"),
        ({"hidden": "64"}, "hidden = '64': expected a sequence"),
        ({"hidden": {64, 32}}, "hidden = .*expected a sequence"),
        ({"hidden": np.array(64)}, "expected a sequence"),
        ({"hidden": None}, "hidden = None: expected a sequence"),
        ({"hidden": (8, 0)}, r"hidden\[1\] = 0: expected a whole number, at least 1"),
        ({"hidden": (8, 4.0)}, r"hidden\[1\] = 4.0: expected a whole number"),
        ({"hidden": (True,)}, r"hidden\[0\] = True"),
        ({"hidden": [[8]]}, r"hidden\[0\] = \[8\]"),
        ({"seed": -1}, "seed = -1: expected a whole number, at least 0"),
        ({"seed": 0.5}, "seed = 0.5"),
        ({"ridge": -0.1}, "ridge = -0.1"),
        ({"test": (ROWS, [0, 1, 2])}, "test y.*got 2"),
        ({"test": ([[1.0]], [0])}, "test X.*expected 2 features"),
        ({"X": [[1.0, 2.0], [3.0, math.nan], [0.0, 0.0]]}, "nan in row 1"),
        ({"y": [1, 1, 1]}, "2 or more distinct labels"),
        ({"y": [0, 1]}, "y: expected 3 values"),
    ],
)
def test_bad_arguments_are_refused_with_the_reason(wrong: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"X": ROWS, "y": [0, 1, 0]} | wrong
    with pytest.raises(ConfigurationError, match=message):
        MultilayerPerceptron(arguments.pop("X"), arguments.pop("y"), **arguments)


def quarters(seed: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows in the plane, labelled by whether their two signs agree, which no line tells well."""
    X = np.random.default_rng(seed).uniform(-1.0, 1.0, size=(m, 2))
    return X, np.where(X[:, 0] * X[:, 1] > 0, "same", "other")


def test_no_optimum_is_claimed() -> None:
    problem = MultilayerPerceptron(ROWS, [0, 1, 0])
    w = problem.initial_model()
    assert not problem.has_optimum
    assert math.isnan(problem.error(w))
    assert problem.evaluate(w)[1] == problem.loss(w)
    for unknown in (problem.optimum, problem.smoothness, problem.strong_convexity):
        with pytest.raises(ConfigurationError, match="known"):
            unknown()
    with pytest.raises(ConfigurationError, match=r"optimum.*use time or updates"):
        cs.simulate(
            problem,
            cs.Cluster(workers=3, compute=cs.Constant(1.0)),
            cs.FullSync(),
            optimizer=cs.SGD(0.1),
            until=cs.Until(error=0.1),
        )


def test_a_study_compares_policies_by_accuracy_where_no_linear_model_succeeds(tmp_path: Path) -> None:
    X, y = quarters(1, 200)
    test = quarters(2, 1000)
    linear = SoftmaxRegression(X, y, ridge=1e-3, test=test)
    assert linear.metrics(linear.optimum().w)["test_accuracy"] < 0.75
    study = cs.Study(
        name="quarters",
        problem=MultilayerPerceptron(X, y, hidden=(16,), test=test),
        cluster=cs.Cluster(workers=5, compute=cs.Exponential(mean=1.0)),
        policies={"all": cs.FullSync(), "k = 4": cs.FastestK(4)},
        optimizer=cs.SGD(0.5),
        until=cs.Until(updates=500),
        replications=2,
        evaluate_every=50,
        metric="test_accuracy",
    )
    results = study.run(out=tmp_path / "quarters", seed=0)
    assert results.frame["error"].isna().all()
    last = results.frame.groupby(["policy", "replication"])[["loss", "test_accuracy"]].last()
    assert (last["test_accuracy"] > 0.9).all()
    assert (last["loss"] < 0.3).all()
    table = cs.compare(results, target=0.85).table.set_index("policy")
    assert (table["reached"] == 2).all()
    assert table["time"]["k = 4"] < table["time"]["all"]
