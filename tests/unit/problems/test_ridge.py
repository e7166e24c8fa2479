"""Least squares with ridge against normal equations and extended precision, and the distance to the optimum."""

import numpy as np
import pytest
from scipy import sparse

from clustersim.problems import LeastSquares, spectrum


@pytest.mark.parametrize("ridge", [1e-6, 0.1, 10.0])
@pytest.mark.parametrize(("m", "features"), [(30, 4), (5, 5), (4, 9)])
@pytest.mark.parametrize("thin", [False, True])
def test_ridge_regression_is_its_normal_equations_and_formulas(m: int, features: int, thin: bool, ridge: float) -> None:
    draw = np.random.default_rng(6)
    X, y = np.column_stack([np.ones(m), draw.normal(size=(m, features - 1))]), draw.normal(size=m)
    problem = LeastSquares(sparse.csr_matrix(X) if thin else X, y, ridge=ridge)

    def objective(v: np.ndarray) -> float:
        return float(np.mean((X @ v - y) ** 2) + ridge * np.sum(v**2)) / 2  # the column of ones pays too

    best = np.linalg.solve(X.T @ X / m + ridge * np.eye(features), X.T @ y / m)
    np.testing.assert_allclose(problem.optimum().w, best, rtol=1e-7, atol=1e-10)
    assert problem.optimum().objective == pytest.approx(objective(best), rel=1e-9)
    w = problem.optimum().w
    assert np.abs(problem.gradient(w, None, 1 / m) + problem.penalty_gradient(w)).max() < 1e-14 * max(1.0, ridge)
    v = draw.normal(size=features)
    assert problem.objective(v) == pytest.approx(objective(v), rel=1e-12)
    assert problem.loss(v) == pytest.approx(np.mean((X @ v - y) ** 2) / 2, rel=1e-9)
    assert problem.penalty(v) == pytest.approx(ridge / 2 * np.sum(v**2), rel=1e-12)
    np.testing.assert_allclose(problem.penalty_gradient(v), ridge * v)
    assert problem.error(v) == pytest.approx(objective(v) - objective(best), rel=1e-9)
    assert problem.metrics(v)["distance"] == pytest.approx(np.linalg.norm(v - best), rel=1e-7)


def test_without_ridge_least_squares_has_no_penalty() -> None:
    problem = LeastSquares([[1.0], [2.0]], [1.0, 2.0])
    assert problem.penalty_gradient(np.ones(1)) is None
    assert problem.penalty(np.ones(1)) == 0.0


@pytest.mark.parametrize("wide", [False, True])
def test_ridge_regression_errors_are_accurate_near_the_optimum(wide: bool) -> None:
    rows, features = (20, 50) if wide else (200, 5)
    draw = np.random.default_rng(1)
    X, y = draw.normal(size=(rows, features)), 1e3 * draw.normal(size=rows)
    problem = LeastSquares(X, y, ridge=0.3)
    for size in (1e-3, 1e-7, 1e-9):
        off = size * draw.normal(size=features)
        moved = X.astype(np.longdouble) @ off
        exact = float(moved @ moved / rows + 0.3 * (off.astype(np.longdouble) @ off)) / 2
        where = problem.optimum().w + off
        assert problem.error(where) == pytest.approx(exact, rel=1e-3, abs=0.0)
        assert problem.evaluate(where) == (problem.error(where), problem.loss(where))
    assert exact < 1e-16 * problem.optimum().objective  # so the difference of objectives would be 0 or noise
    assert problem.error(problem.optimum().w) == 0.0


def test_the_loss_of_ridge_regression_is_exact_far_from_its_optimum_and_never_negative() -> None:
    draw = np.random.default_rng(2)
    X, true = draw.normal(size=(300, 6)), draw.normal(size=6)
    problem = LeastSquares(X, X @ true, ridge=5.0)  # the optimum is far from the true model, whose loss is 0
    scale = problem.loss(np.zeros(6))
    for size in (0.0, 1e-9, 1e-4, 1.0, 1e4):
        w = true + size * draw.normal(size=(20, 6))
        direct = [np.mean((X @ (v - true)) ** 2) / 2 for v in w]
        losses = [problem.loss(v) for v in w]
        np.testing.assert_allclose(losses, direct, rtol=1e-12, atol=1e-14 * scale)
        assert min(losses) >= 0.0


def test_a_tiny_ridge_on_collinear_columns_finds_the_shortest_solution() -> None:
    draw = np.random.default_rng(3)
    half, y = draw.normal(size=(40, 3)), draw.normal(size=40)
    X = np.column_stack([half, half @ draw.normal(size=(3, 3))])
    best = np.linalg.lstsq(half, y, rcond=None)[0]
    for ridge in (1e-13, 1e-25, 1e-300):
        w = LeastSquares(X, y, ridge=ridge).optimum().w
        np.testing.assert_allclose(X @ w, half @ best, atol=1e-9)
        np.testing.assert_allclose(w, np.linalg.pinv(X, rcond=1e-12) @ y, atol=1e-9)


def test_rounding_makes_no_error_negative_along_flat_directions() -> None:
    draw = np.random.default_rng(3)
    half, mixture = draw.normal(size=(40, 3)), draw.normal(size=(3, 3))
    problem = LeastSquares(np.column_stack([half, half @ mixture]), draw.normal(size=40))
    flat = (np.vstack([mixture, -np.eye(3)]) @ draw.normal(size=(3, 300))).T
    assert min(off @ problem._gram @ off for off in flat) < 0.0
    errors = [problem.error(problem.optimum().w + off) for off in flat]
    assert 0.0 <= min(errors) <= max(errors) < 1e-13


def test_the_distance_is_to_the_shortest_optimum_where_there_are_several() -> None:
    X, y = np.random.default_rng(4).normal(size=(4, 9)), np.arange(4.0)
    for rows in (X, sparse.csr_array(X)):
        problem = LeastSquares(rows, y)
        shortest = X.T @ np.linalg.solve(X @ X.T, y)
        assert problem.metrics(np.zeros(9))["distance"] == pytest.approx(np.linalg.norm(shortest), rel=1e-9)
        w = problem.initial_model()
        for _ in range(3000):
            w = w - problem.gradient(w, None, 1 / 4) / problem.smoothness()
        assert problem.metrics(w)["distance"] < 1e-9


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("lanczos", [False, True])
def test_the_ridge_adds_to_both_constants_of_least_squares(
    monkeypatch: pytest.MonkeyPatch, lanczos: bool, thin: bool
) -> None:
    if lanczos:
        monkeypatch.setattr(spectrum, "DENSE_FEATURES", 0)
    X = np.random.default_rng(8).normal(size=(60, 30))
    for rows in (X, X[:20]):  # tall and wide
        values = np.linalg.eigvalsh(rows.T @ rows / len(rows) + 0.7 * np.eye(30))
        problem = LeastSquares(sparse.csr_array(rows) if thin else rows, rows[:, 0], ridge=0.7)
        assert problem.smoothness() == pytest.approx(values[-1], rel=1e-9)
        assert problem.strong_convexity() == pytest.approx(values[0], rel=1e-7)
        assert problem.strong_convexity() >= 0.7
    tiny = LeastSquares(sparse.csr_array(X[:20]) if thin else X[:20], X[:20, 0], ridge=1e-30)
    assert tiny.strong_convexity() == 1e-30  # known, though far below the rounding of eigenvalues


@pytest.mark.parametrize("ridge", [0.0, 1e-30, 0.25])
@pytest.mark.parametrize("lanczos", [False, True])
def test_one_hot_columns_are_collinear_and_the_constants_say_so(
    monkeypatch: pytest.MonkeyPatch, lanczos: bool, ridge: float
) -> None:
    if lanczos:
        monkeypatch.setattr(spectrum, "DENSE_FEATURES", 0)
    codes = np.random.default_rng(9).integers([0, 150], [150, 300], size=(2000, 2))
    X = np.zeros((2000, 300))
    np.put_along_axis(X, codes, 1.0, axis=1)
    problem = LeastSquares(sparse.csr_array(X), X[:, 0], ridge=ridge)
    assert problem.strong_convexity() == ridge
    assert problem.smoothness() == pytest.approx(np.linalg.eigvalsh(X.T @ X)[-1] / 2000 + ridge, rel=1e-12)
