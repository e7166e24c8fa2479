"""Problems against per-row Python loops, finite differences, other solvers and brute-force curvature."""

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog, minimize

from clustersim.errors import ConfigurationError
from clustersim.problems import LeastSquares, LogisticRegression, Optimum, Problem, SoftmaxRegression, spectrum
from clustersim.problems.newton import newton_step

CLASSIFIERS = (LogisticRegression, SoftmaxRegression)


def row_gradient(problem: Any, x: list[float], target: float, w: np.ndarray) -> np.ndarray:
    """Gradient of f_i by plain Python, entry by entry; `target` is y_i or the class number."""
    if isinstance(problem, LeastSquares):
        slope = [sum(a * b for a, b in zip(x, w.tolist(), strict=True)) - target]
    else:
        x = [*x, 1.0] if problem.bias else x
        columns = len(w) // len(x)
        scores = [sum(x[j] * float(w[j * columns + u]) for j in range(len(x))) for u in range(columns)]
        if isinstance(problem, SoftmaxRegression):
            total = sum(math.exp(score) for score in scores)
            slope = [math.exp(scores[u]) / total - (u == target) for u in range(columns)]
        elif columns == 1:
            slope = [1 / (1 + math.exp(-scores[0])) - target]
        else:
            slope = [(1 / (1 + math.exp(-scores[u])) - (u == target)) / columns for u in range(columns)]
    return np.array([entry * s for entry in x for s in slope])


def objective(problem: Any, X: np.ndarray, codes: np.ndarray, w: np.ndarray) -> float:
    """F(w) of a classifier in plain numpy, from the formulas of the docstrings."""
    full = np.column_stack([X, np.ones(len(X))]) if problem.bias else X
    W = w.reshape(full.shape[1], -1)
    scores, columns, m = full @ W, W.shape[1], len(X)
    weights = W[:-1] if problem.bias else W
    ridge = problem.ridge / 2 * np.sum(weights**2)
    if isinstance(problem, SoftmaxRegression):
        return float(np.mean(np.log(np.sum(np.exp(scores), axis=1)) - scores[np.arange(m), codes]) + ridge)
    hits = codes[:, None] == (np.arange(columns) if columns > 1 else np.array([1]))
    p = 1 / (1 + np.exp(-scores))
    return float((-np.sum(np.where(hits, np.log(p), np.log(1 - p))) / m + ridge) / columns)


def rows_of(seed: int, m: int, features: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(m, features)), draw.permutation(np.arange(m) % classes)


def make(kind: type, X: Any, labels: np.ndarray, **options: Any) -> Any:
    if kind is LeastSquares:
        return kind(X, labels.astype(float), **{name: value for name, value in options.items() if name != "bias"})
    return kind(X, labels, **options)


def slope_of(problem: Problem, w: np.ndarray) -> np.ndarray:
    extra = problem.penalty_gradient(w)
    return problem.gradient(w, None, 1 / problem.rows) + (0.0 if extra is None else extra)


def hessian(problem: Problem, w: np.ndarray, h: float = 1e-5) -> np.ndarray:
    steps = h * np.eye(problem.dimension)
    return np.array([(slope_of(problem, w + e) - slope_of(problem, w - e)) / (2 * h) for e in steps])


@settings(max_examples=75, deadline=None)
@given(
    kind=st.sampled_from([LeastSquares, *CLASSIFIERS]),
    seed=st.integers(0, 2**32),
    m=st.integers(4, 9),
    features=st.integers(1, 4),
    classes=st.integers(2, 4),
    bias=st.booleans(),
    data=st.data(),
)
def test_gradients_are_the_weighted_sum_of_a_python_loop_dense_and_sparse(
    kind: type, seed: int, m: int, features: int, classes: int, bias: bool, data: st.DataObject
) -> None:
    X, labels = rows_of(seed, m, features, classes)
    X[np.random.default_rng(seed).random(X.shape) < 0.4] = 0.0
    options = {"bias": bias, "ridge": 0.5}
    problem, thin = make(kind, X, labels, **options), make(kind, sparse.coo_matrix(X), labels, **options)
    rows = data.draw(st.none() | st.lists(st.integers(0, m - 1), max_size=12).map(lambda r: np.array(r, dtype=np.intp)))
    taken = list(range(m)) if rows is None else rows.tolist()
    few = st.floats(-3.0, 3.0)
    weights = data.draw(
        few | st.lists(few, min_size=len(taken), max_size=len(taken)).map(lambda v: np.array(v, dtype=float))
    )
    w = np.random.default_rng(seed + 1).normal(size=problem.dimension)
    expected = np.zeros(problem.dimension)
    for row, weight in zip(taken, np.broadcast_to(weights, len(taken)), strict=True):
        expected += weight * row_gradient(problem, X[row].tolist(), float(labels[row]), w)
    before = w.copy()
    for each in (problem, thin):
        got = each.gradient(w, rows, weights)
        assert got.shape == (problem.dimension,)
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(w, before)
    assert thin.loss(w) == pytest.approx(problem.loss(w), rel=1e-9)
    np.testing.assert_allclose(thin.row_norms_squared(), problem.row_norms_squared())


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", [LeastSquares, *CLASSIFIERS])
def test_gradients_are_the_finite_differences_of_the_objective(kind: type, classes: int) -> None:
    X, labels = rows_of(1, 12, 3, classes)
    problem = make(kind, X, labels, ridge=0.3)
    w = np.random.default_rng(2).normal(size=problem.dimension)
    steps = 1e-6 * np.eye(problem.dimension)
    numeric = [(problem.objective(w + e) - problem.objective(w - e)) / 2e-6 for e in steps]
    np.testing.assert_allclose(slope_of(problem, w), numeric, rtol=1e-7, atol=1e-8)
    assert problem.objective(w) == problem.loss(w) + problem.penalty(w)


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("kind", [LeastSquares, *CLASSIFIERS])
def test_a_weight_for_every_row_takes_all_rows_and_copies_none(kind: type, thin: bool) -> None:
    X, labels = rows_of(2, 2000, 60, 3)
    problem = make(kind, sparse.csr_array(X) if thin else X, labels)
    weights = np.random.default_rng(3).normal(size=2000)
    weights[::3] = 0.0
    weights.setflags(write=False)
    w = np.random.default_rng(4).normal(size=problem.dimension)
    some = np.random.default_rng(5).permutation(2000)
    one_by_one = sum(weights[r] * problem.gradient(w, np.array([r]), 1.0) for r in range(2000))
    tracemalloc.start()
    got = problem.gradient(w, rows=None, weights=weights)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(got, one_by_one, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(got, problem.gradient(w, some, weights[some]), rtol=1e-9, atol=1e-9)
    assert most < X.nbytes / 2


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_objectives_are_the_formulas_and_another_solver_finds_no_better_model(
    kind: type, classes: int, bias: bool
) -> None:
    X, labels = rows_of(3, 40, 3, classes)
    problem = make(kind, X, labels, ridge=0.05, bias=bias)
    w = np.random.default_rng(4).normal(size=problem.dimension)
    assert problem.objective(w) == pytest.approx(objective(problem, X, labels, w), rel=1e-12)
    best = minimize(lambda v: objective(problem, X, labels, v), np.zeros(problem.dimension), method="BFGS")
    assert problem.optimum().objective == pytest.approx(best.fun, abs=1e-8)
    assert problem.optimum().objective <= best.fun + 1e-14
    np.testing.assert_allclose(problem.optimum().w, best.x, atol=2e-4)
    assert np.abs(slope_of(problem, problem.optimum().w)).max() < 1e-12
    assert problem.error(w) == problem.objective(w) - problem.optimum().objective


@pytest.mark.parametrize("kind", [LeastSquares, *CLASSIFIERS])
def test_one_evaluation_is_the_error_and_the_loss(kind: type) -> None:
    X, labels = rows_of(3, 30, 4, 3)
    problem = make(kind, X, labels, ridge=0.2)
    w = np.random.default_rng(4).normal(size=problem.dimension)
    error, loss = problem.evaluate(w)
    assert error == pytest.approx(problem.error(w), rel=1e-12)
    assert loss == problem.loss(w)
    separable = LogisticRegression(np.array([[1.0], [-1.0]]), np.array([1, 0]))
    assert math.isnan(separable.evaluate(np.zeros(2))[0])


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("above", [1.0, 4.0, 100.0])
def test_rounding_makes_no_error_negative(kind: type, above: float) -> None:
    """An optimum that is stored some last digits too high: the objective lies below it, whatever the platform."""
    X, labels = rows_of(5, 40, 3, 2)
    problem = make(kind, X, labels, ridge=0.1)
    best = problem.optimum()
    high = best.objective * (1.0 + above * np.finfo(np.float64).eps)
    vars(problem)["_solution"] = Optimum(best.w, high)
    assert problem.objective(best.w) < high
    assert problem.evaluate(best.w) == (0.0, problem.loss(best.w))
    assert problem.error(best.w) == 0.0


def test_an_optimum_that_is_wrong_shows() -> None:
    X, labels = rows_of(5, 40, 3, 2)
    problem = LogisticRegression(X, labels, ridge=0.1)
    best = problem.optimum()
    vars(problem)["_solution"] = Optimum(best.w, best.objective * (1.0 + 1e-10))
    assert problem.error(best.w) < 0.0


def test_the_ridge_spares_the_biases_and_is_shared_by_one_vs_rest_classes() -> None:
    X, labels = rows_of(5, 9, 2, 3)
    w = np.arange(9.0)  # weights 0..5, biases 6..8
    for kind, share in ((LogisticRegression, 3), (SoftmaxRegression, 1)):
        problem = kind(X, labels, ridge=0.6)
        assert problem.penalty(w) == pytest.approx(0.3 * 55.0 / share)
        np.testing.assert_allclose(problem.penalty_gradient(w), [*(0.6 / share * w[:6]), 0.0, 0.0, 0.0])
        assert kind(X, labels).penalty_gradient(w) is None
        assert kind(X, labels).penalty(w) == 0.0


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_scores_in_the_thousands_neither_overflow_nor_lose_the_loss(kind: type) -> None:
    problem = kind([[-1.0], [1.0], [2.0]], [0, 1, 1], bias=False)
    w = np.array([-2000.0]) if kind is LogisticRegression else np.array([1000.0, -1000.0])
    assert problem.loss(w) == pytest.approx(2000.0 * (1 + 1 + 2) / 3)  # each row's margin is -2000 |x|
    np.testing.assert_allclose(np.abs(problem.gradient(w, None, 1.0)), 4.0)
    assert problem.loss(-w) == 0.0


@pytest.mark.parametrize(("m", "features"), [(30, 4), (5, 5), (4, 9)])
@pytest.mark.parametrize("thin", [False, True])
def test_least_squares_optimum_solves_the_normal_equations(m: int, features: int, thin: bool) -> None:
    draw = np.random.default_rng(6)
    X, y = draw.normal(size=(m, features)), draw.normal(size=m)
    problem = LeastSquares(sparse.csr_matrix(X) if thin else X, y)
    w = problem.optimum().w
    expected = np.linalg.solve(X.T @ X, X.T @ y) if m >= features else X.T @ np.linalg.solve(X @ X.T, y)
    np.testing.assert_allclose(w, expected, rtol=1e-7, atol=1e-9)
    assert problem.optimum().objective == pytest.approx(np.mean((X @ expected - y) ** 2) / 2, abs=1e-14)
    v = draw.normal(size=features)
    assert problem.loss(v) == pytest.approx(np.mean((X @ v - y) ** 2) / 2, rel=1e-12)
    assert problem.error(v) == pytest.approx(problem.loss(v) - problem.optimum().objective, rel=1e-10)


def test_least_squares_error_is_accurate_where_the_difference_of_losses_cancels() -> None:
    problem = LeastSquares.synthetic(rows=200, features=5, seed=1)
    X, y = problem.X.astype(np.longdouble), problem.y.astype(np.longdouble)
    best = problem.optimum().w
    off = 1e-9 * np.random.default_rng(7).normal(size=5)
    moved, residual = X @ off, X @ best - y
    exact = float(moved @ (2 * residual + moved)) / (2 * 200)
    assert exact < 1e-14 < problem.optimum().objective * 1e-13
    assert problem.error(best + off) == pytest.approx(exact, rel=1e-3, abs=0.0)
    assert problem.error(best) == 0.0


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("lanczos", [False, True])
def test_least_squares_constants_are_the_extreme_eigenvalues(
    monkeypatch: pytest.MonkeyPatch, lanczos: bool, thin: bool
) -> None:
    if lanczos:
        monkeypatch.setattr(spectrum, "DENSE_FEATURES", 0)
    X = np.random.default_rng(8).normal(size=(60, 30))
    hessian = sum(np.outer(x, x) for x in X) / 60
    values = np.linalg.eigvalsh(hessian)
    problem = LeastSquares(sparse.csr_array(X) if thin else X, X[:, 0])
    assert problem.smoothness() == pytest.approx(values[-1], rel=1e-9)
    assert problem.strong_convexity() == pytest.approx(values[0], rel=1e-7)


def test_strong_convexity_is_exactly_zero_where_columns_are_collinear_or_too_many() -> None:
    X = np.random.default_rng(9).normal(size=(20, 4))
    assert LeastSquares(np.column_stack([X, X.sum(axis=1)]), X[:, 0]).strong_convexity() == 0.0
    assert LeastSquares(X[:3], X[:3, 0]).strong_convexity() == 0.0


@pytest.mark.parametrize("ridge", [0.0, 0.2])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classifier_constants_bound_the_curvature_and_the_upper_one_is_reached(
    kind: type, classes: int, bias: bool, ridge: float
) -> None:
    X, labels = rows_of(10, 15, 2, classes)
    problem = make(kind, X, labels, bias=bias, ridge=ridge)
    L, c = problem.smoothness(), problem.strong_convexity()
    draw = np.random.default_rng(11)
    for scale in (0.1, 1.0, 10.0):
        values = np.linalg.eigvalsh(hessian(problem, scale * draw.normal(size=problem.dimension)))
        assert values[-1] <= L + 1e-8
        assert values[0] >= c - 1e-8
    steepest = problem.initial_model()
    if kind is SoftmaxRegression and bias:
        steepest[-problem._columns + 2 :] = -50.0  # two classes share every row: curvature 1/2 in the scores
    top = np.linalg.eigvalsh(hessian(problem, steepest))[-1]
    if kind is LogisticRegression or bias or classes == 2:
        assert top == pytest.approx(L, rel=1e-7)
    expected = 0.0 if bias else ridge / (classes if kind is LogisticRegression and classes > 2 else 1)
    assert c == pytest.approx(expected)
    far = np.linalg.eigvalsh(hessian(problem, 1e5 * draw.normal(size=problem.dimension)))[0]
    assert far == pytest.approx(c, abs=1e-6)  # where the loss is straight, only the ridge bends


SEPARATED = ([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])
TOUCHING = ([[0.0, 1.0], [0.0, 1.0], [0.0, -1.0], [0.0, -1.0], [1.0, 0.0]], [1, 0, 1, 0, 1])  # one column separates
OVERLAPPING = ([[-2.0], [1.0], [-1.0], [2.0]], [0, 0, 1, 1])


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("rows", [SEPARATED, TOUCHING])
@pytest.mark.parametrize("size", [1.0, 1000.0])
def test_without_ridge_separable_rows_have_no_optimum_and_say_so(kind: type, rows: Any, size: float) -> None:
    X = size * np.array(rows[0])
    problem = kind(X, rows[1])
    assert not problem.has_optimum
    assert math.isnan(problem.error(problem.initial_model()))
    with pytest.raises(ConfigurationError, match=r"separated.*ridge"):
        problem.optimum()
    assert kind(X, rows[1], ridge=1e-3).has_optimum
    assert kind(size * np.array(OVERLAPPING[0]), OVERLAPPING[1]).has_optimum


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), m=st.integers(3, 9), classes=st.integers(2, 3), power=st.integers(-3, 3))
def test_an_optimum_is_found_exactly_where_a_linear_program_finds_no_separating_direction(
    seed: int, m: int, classes: int, power: int
) -> None:
    draw = np.random.default_rng(seed)
    X = draw.integers(-2, 3, size=(m, 2)).astype(float)
    labels = draw.permutation(np.arange(m) % classes)
    full = np.column_stack([X, np.ones(m)])
    # a model separates if no row's margin shrinks along it and one grows; margins are linear: A d >= 0
    one_vs_rest = [np.where(labels == u, 1.0, -1.0)[:, None] * full for u in range(classes)]
    pairs = [
        np.kron(np.eye(classes)[labels[i]] - np.eye(classes)[u], full[i])
        for i in range(m)
        for u in range(classes)
        if u != labels[i]
    ]
    for kind, systems in ((LogisticRegression, one_vs_rest), (SoftmaxRegression, [np.array(pairs)])):
        gains = [
            -linprog(-A.sum(0), np.vstack([A, -A]), np.repeat([1.0, 0.0], len(A)), bounds=(None, None)).fun
            for A in systems
        ]
        assert kind(10.0**power * X, labels).has_optimum == (max(gains) < 1e-9)
        assert kind(10.0**power * X, labels, ridge=1e-3).has_optimum


def test_newton_steps_leave_flat_directions_alone() -> None:
    H = np.diag([2.0, 0.0])
    step = newton_step(lambda v: H @ v, np.array([2.0, 1.0]), np.array([-2.0, 1e-17]), tolerance=0.0, noise=0.0)
    np.testing.assert_allclose(step, [1.0, 0.0], atol=1e-15)
