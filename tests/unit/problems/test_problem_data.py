"""Problems as objects: synthetic rows, test rows, labels, descriptions, and what they refuse."""

import json
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from clustersim.errors import ConfigurationError
from clustersim.problems import LeastSquares, LogisticRegression, Problem, SoftmaxRegression

Z = stats.norm.isf(0.5e-6)  # two-sided, one false alarm in a million
CLASSIFIERS = (LogisticRegression, SoftmaxRegression)


@pytest.mark.parametrize(("design", "top"), [("integers", 100), ("gaussian", 10)])
def test_generators_have_the_moments_of_the_papers(design: str, top: int) -> None:
    m, d = 2000, 100
    problem = LeastSquares.synthetic(rows=m, features=d, design=design, seed=3)
    mean, variance, kurtosis = (5.5, 8.25, 72.7325 / 8.25**2) if design == "integers" else (0.0, 1e4, 3.0)
    if design == "integers":
        values = np.arange(1, 11)
        kurtosis = np.mean((values - 5.5) ** 4) / 8.25**2
        assert np.unique(problem.X).tolist() == values.tolist()
    n = m * d
    assert abs(problem.X.mean() - mean) < Z * math.sqrt(variance / n)
    assert abs(np.mean((problem.X - mean) ** 2) - variance) < Z * variance * math.sqrt((kurtosis - 1) / n)
    true = np.rint(problem.optimum().w)
    assert true.min() >= 1
    assert true.max() <= top
    assert abs(true.mean() - (top + 1) / 2) < Z * math.sqrt((top**2 - 1) / 12 / d)
    residual = problem.y - problem.X @ true
    low, high = stats.chi2.ppf([0.5e-6, 1 - 0.5e-6], m)
    assert low < residual @ residual < high
    assert abs(residual.mean()) < Z / math.sqrt(m)
    assert problem.optimum().objective == pytest.approx((m - d) / m / 2, abs=Z * math.sqrt(2 * (m - d)) / m / 2)


def test_generators_repeat_by_seed_and_change_one_thing_at_a_time() -> None:
    first, again = (LeastSquares.synthetic(rows=20, features=3, seed=5) for _ in range(2))
    assert first.describe() == again.describe() != LeastSquares.synthetic(rows=20, features=3, seed=6).describe()
    quiet = LeastSquares.synthetic(rows=20, features=3, seed=5, noise=0.0)
    np.testing.assert_array_equal(quiet.X, first.X)
    assert quiet.optimum().objective < 1e-20
    np.testing.assert_allclose(quiet.optimum().w, np.rint(quiet.optimum().w), atol=1e-9)


def test_metrics_are_taken_on_the_test_rows() -> None:
    fit = LeastSquares([[1.0], [2.0]], [1.0, 2.0], test=([[1.0], [3.0]], [3.0, 3.0]))
    assert fit.metrics(np.array([4.0])) == pytest.approx({"test_loss": (1.0 + 81.0) / 2 / 2, "distance": 3.0})
    assert set(LeastSquares([[1.0], [2.0]], [1.0, 2.0]).metrics(np.zeros(1))) == {"distance"}
    X, y = [[-1.0], [1.0]], ["no", "yes"]
    test = ([[-2.0], [3.0], [4.0], [-5.0]], ["no", "no", "yes", "no"])
    for kind, w in ((LogisticRegression, [1.0, 0.0]), (SoftmaxRegression, [-1.0, 1.0, 0.0, 0.0])):
        assert kind(X, y, test=test).metrics(np.array(w))["test_accuracy"] == 0.75
        assert kind(X, y).metrics(np.array(w)) == {}
    three = LogisticRegression([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [7, 8, 9], test=([[0, 2, 1]], [8.0]), bias=False)
    assert three.metrics(np.eye(3).ravel()) == {"test_accuracy": 1.0}


@settings(max_examples=50, deadline=None)
@given(
    scores=st.lists(st.integers(-3, 3), min_size=2, max_size=12),
    labels=st.lists(st.booleans(), min_size=12, max_size=12),
    thin=st.booleans(),
)
def test_the_auc_is_the_chance_that_a_positive_row_scores_above_a_negative_one(
    scores: list[int], labels: list[bool], thin: bool
) -> None:
    rows = np.array(scores, dtype=float)[:, None]
    test = (sparse.csr_array(rows) if thin else rows, np.where(labels[: len(scores)], "yes", "no"))
    got = LogisticRegression([[-1.0], [1.0]], ["no", "yes"], test=test).metrics(np.array([2.0, -0.5]))
    wins = [  # the later label in sorted order is the positive one; a tie is half a win
        (up > down) + (up == down) / 2
        for up, yes in zip(scores, labels, strict=False)
        for down, also in zip(scores, labels, strict=False)
        if yes and not also
    ]
    assert ("test_auc" in got) == bool(wins)
    if wins:
        assert got["test_auc"] == pytest.approx(sum(wins) / len(wins), abs=1e-12)


def test_only_binary_logistic_regression_has_an_auc_and_a_model_that_ran_away_has_none() -> None:
    X, y = [[-1.0], [0.5], [1.0]], [0, 1, 2]
    assert set(LogisticRegression(X, y, test=(X, y)).metrics(np.zeros(6))) == {"test_accuracy"}
    two = [0, 1, 1]
    assert set(SoftmaxRegression(X, two, test=(X, two)).metrics(np.zeros(4))) == {"test_accuracy"}
    binary = LogisticRegression(X, two, test=(X, two))
    assert binary.metrics(np.array([1.0, 0.0])) == {"test_accuracy": 1.0, "test_auc": 1.0}
    assert math.isnan(binary.metrics(np.array([math.inf, 0.0]))["test_auc"])


def test_labels_are_class_numbers_in_sorted_order() -> None:
    problem = SoftmaxRegression(np.eye(4), ["dog", "cat", "emu", "cat"])
    assert problem.labels.tolist() == [1, 0, 2, 0]
    assert problem.classes.tolist() == ["cat", "dog", "emu"]
    assert LeastSquares(np.eye(2), [0, 1]).labels is None
    assert problem.row_norms_squared().tolist() == [2.0] * 4  # a one, and the bias column


@pytest.mark.parametrize("wrap", [np.array, sparse.csr_matrix])
@pytest.mark.parametrize("kind", [LeastSquares, *CLASSIFIERS])
def test_a_problem_pickles_describes_itself_and_does_not_follow_its_source(
    kind: type, wrap: Callable[..., Any]
) -> None:
    X, y = wrap([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]), np.array([0, 1, 0])
    problem = kind(X, y, test=(X, y))
    told = problem.describe()
    w = np.linspace(1.0, 2.0, problem.dimension)
    slope = problem.gradient(w, None, 1.0)
    assert json.loads(json.dumps(told)) == told
    copy = pickle.loads(pickle.dumps(problem))  # noqa: S301 - our own bytes
    assert copy.describe() == told
    np.testing.assert_array_equal(copy.gradient(w, None, 1.0), slope)
    X[0, 0], y[0] = 5.0, 1
    np.testing.assert_array_equal(problem.gradient(w, None, 1.0), slope)
    entries = problem.X if isinstance(problem.X, np.ndarray) else problem.X.data
    assert not entries.flags.writeable
    assert kind(X, np.array([0, 1, 0])).describe()["X_sha256"] != told["X_sha256"]
    assert len(repr(problem)) < 90
    assert kind(X, [0, 1, 0], ridge=1.0).describe() != kind(X, [0, 1, 0]).describe()
    assert "ridge=0.5" in repr(kind(X, [0, 1, 0], ridge=0.5))


ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]
BAD = [
    ([], [], "empty|two dimensions"),
    (np.zeros((0, 2)), [], "empty"),
    (np.zeros((2, 0)), [0, 1], "empty"),
    ([1.0, 2.0, 3.0], [0, 1, 0], r"reshape\(-1, 1\)"),
    ([[1.0, 2.0], [3.0]], [0, 1], r"ragged.*row 0 has 2.*row 1 has 1"),
    ([[1.0, 2.0], [3.0, math.nan]], [0, 1], "nan in row 1"),
    (sparse.csr_array([[1.0, 0.0], [math.inf, 0.0]]), [0, 1], "inf in row 1"),
    ([["a", "b"], ["c", "d"]], [0, 1], "encode"),
    ([[1.0, None], [2.0, 3.0]], [0, 1], "real numbers|nan"),
    (np.array([[1j], [2j]]), [0, 1], "complex128.*real numbers"),
    (ROWS, [0, 1], r"y: expected 3 values.*got 2"),
    (ROWS, [[0], [1], [0]], r"y\.ravel\(\)"),
    (ROWS, [0, 1, math.nan], "nan|not whole"),
    (ROWS, [0, [1, 2], 0], "ragged|nested"),
]


@pytest.mark.parametrize("kind", [LeastSquares, *CLASSIFIERS])
@pytest.mark.parametrize(("X", "y", "message"), BAD)
def test_bad_data_is_refused_with_the_reason(kind: type, X: Any, y: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        kind(X, y)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_labels_that_do_not_fit_are_refused(kind: type) -> None:
    for y, message in (
        ([0.5, 1.0, 0.0], "LeastSquares"),
        ([1, 1, 1], "2 or more distinct labels"),
        ([1j, 0, 1], "labels"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            kind(ROWS, y)
    for test, message in (
        ((ROWS, [0, 1, 2]), "test y.*got 2"),
        ((ROWS, ["0", "1", "0"]), "test y"),
        (([[1.0]], [0]), "test X.*expected 2 features"),
        (ROWS, "pair"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            kind(ROWS, [0, 1, 0], test=test)


@pytest.mark.parametrize("kind", [LeastSquares, *CLASSIFIERS])
@pytest.mark.parametrize("ridge", [-0.1, math.nan, math.inf, "0.1", True])
def test_a_ridge_that_is_no_number_from_zero_on_is_refused(kind: type, ridge: Any) -> None:
    with pytest.raises(ConfigurationError, match="ridge = "):
        kind(ROWS, [0, 1, 0], ridge=ridge)


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"features": 0}, {"design": "uniform"}, {"noise": -1.0}, {"seed": -1}])
def test_generators_refuse_what_they_cannot_draw(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} = "):
        LeastSquares.synthetic(**({"rows": 5, "features": 2, "seed": 1} | wrong))


class Bowl(Problem):
    """The least that a problem of one's own must give."""

    rows, dimension = 3, 2

    def loss(self, w: np.ndarray) -> float:
        return float(w @ w)

    def gradient(self, w: np.ndarray, rows: Any, weights: Any) -> np.ndarray:
        return 2 * w * np.broadcast_to(weights, 3 if rows is None else len(rows)).sum()

    def row_norms_squared(self) -> np.ndarray:
        return np.ones(3)

    def describe(self) -> dict[str, Any]:
        return {"class": "Bowl"}


def test_a_problem_of_ones_own_gets_safe_defaults() -> None:
    bowl, w = Bowl(), np.array([1.0, 2.0])
    assert bowl.initial_model().tolist() == [0.0, 0.0]
    assert (bowl.objective(w), bowl.penalty(w), bowl.penalty_gradient(w)) == (5.0, 0.0, None)
    assert (bowl.metrics(w), bowl.labels, bowl.has_optimum) == ({}, None, False)
    assert math.isnan(bowl.error(w))
    for unknown in (bowl.optimum, bowl.smoothness, bowl.strong_convexity):
        with pytest.raises(ConfigurationError, match="known"):
            unknown()


def test_values_whose_squares_overflow_are_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"X: expected numbers up to 1e\+100.*got 1e\+200 in row 1.*scale them"
    ):
        LeastSquares([[1.0], [1e200]], [0.0, 1.0])


def test_labels_with_nan_are_told_where_it_is() -> None:
    with pytest.raises(ConfigurationError, match=r"y: expected finite numbers, got nan in row 1 .*fill or drop them"):
        LogisticRegression([[1.0], [2.0], [3.0]], [0.0, float("nan"), 1.0])
