"""SGC's theory, against exact expectations over all straggler sets on a pairwise-balanced placement, and simulation.

Rows on exactly d_r workers of which any two rows share d_q d_r / n exist where a Hadamard matrix does: its rows of +1
and -1 are orthogonal, so the workers of +1 are n/2, and n/4 are common to any two. Rows that all workers hold may join.
"""

import itertools
import math

import numpy as np
import pytest
from scipy import linalg, sparse, stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.theory import (
    sgc_distance_bound,
    sgc_general_distance_bound,
    sgc_incoherence,
    sgc_redundancies,
    sgc_redundancy,
    sgc_step_size,
    sgc_whole_redundancies,
)

WORKERS = 8
PLACEMENT = np.vstack([linalg.hadamard(WORKERS)[1:] > 0, np.ones((2, WORKERS))]).astype(float)  # (rows, workers)
D = PLACEMENT.sum(axis=1)  # 4 seven times, 8 twice


class Data:
    """Nine rows in R^3 whose squared norms are as 1 to 2, as their redundancies; noise is the label noise."""

    def __init__(self, stretch=1.0, noise=1.0, seed=3):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((len(D), 3)) * [1.0, 1.0, stretch]
        self.X = X / np.linalg.norm(X, axis=1, keepdims=True) * np.sqrt(D / 4.0)[:, None]
        self.y = self.X @ [1.0, 2.0, 3.0] + noise * rng.standard_normal(len(D))
        self.best = np.linalg.lstsq(self.X, self.y, rcond=None)[0]
        self.residual = self.X @ self.best - self.y
        self.eigenvalues = np.linalg.eigvalsh(self.X.T @ self.X)

    def constants(self, p):
        """What the bounds ask, worked out from the paper's definitions for the sum of half squares."""
        m, largest = len(D), self.eigenvalues[-1]
        return {
            "workers": WORKERS,
            "redundancy": D.mean(),
            "straggler_probability": p,
            "incoherence": (self.X**2).sum() / m / largest,
            "L": largest / m,
            "c": self.eigenvalues[0] / m,
            "optimal_loss": self.residual @ self.residual / (2.0 * m),
            "initial_squared_distance": self.best @ self.best,
        }


def answering(p):
    """Every set of answering workers and its probability."""
    up = np.array(list(itertools.product([0.0, 1.0], repeat=WORKERS)))
    return up, p ** (WORKERS - up.sum(axis=1)) * (1.0 - p) ** up.sum(axis=1)


def alphas(p):
    """alpha of each row for every set of answering workers, shape (256, rows), and the probabilities."""
    up, chances = answering(p)
    return up @ PLACEMENT.T / (D * (1.0 - p)), chances


def expected_squared_distances(data, p, steps, start=(0.0, 0.0, 0.0)):
    """E|w_t - w*|^2, exactly: E[z z^T] of z = (w - w*, 1) follows a linear recursion."""
    alpha, chances = alphas(p)
    outer = data.X[:, :, None] * np.hstack([data.X, data.residual[:, None]])[:, None, :]  # x_r (x_r, residual_r)^T
    pulls = np.zeros((len(chances), 4, 4))
    pulls[:, :3] = np.tensordot(alpha, outer, axes=1) / len(D)
    mean = np.tensordot(chances, pulls, axes=1)
    twice = np.einsum("s,sij,skl->ikjl", chances, pulls, pulls).reshape(16, 16)
    state = np.append(np.asarray(start) - data.best, 1.0)
    moment, distances = np.outer(state, state), [state[:3] @ state[:3]]
    for step in steps:
        moment = moment - step * (mean @ moment + moment @ mean.T) + step**2 * (twice @ moment.ravel()).reshape(4, 4)
        distances.append(np.trace(moment[:3, :3]))
    return np.array(distances)


def simulated(data, p, steps, runs, seed):
    """|w_T - w*|^2 of independent runs, plainly: draw who straggles, add up what the others send."""
    rng = np.random.default_rng(seed)
    w = np.zeros((runs, 3))
    for step in steps:
        up = rng.random((runs, WORKERS)) >= p
        sent = ((w @ data.X.T - data.y) * (up @ PLACEMENT.T)) / (D * (1.0 - p))
        w = w - step * (sent @ data.X) / len(D)
    return ((w - data.best) ** 2).sum(axis=1)


def test_the_placement_is_pairwise_balanced_and_the_redundancies_are_the_papers():
    shared = PLACEMENT @ PLACEMENT.T
    off = ~np.eye(len(D), dtype=bool)
    np.testing.assert_array_equal(shared[off], (np.outer(D, D) / WORKERS)[off])
    np.testing.assert_allclose(sgc_redundancies(Data().X, D.mean()), D)
    np.testing.assert_array_equal(sgc_whole_redundancies(Data().X, D.mean(), WORKERS), D)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_one_step_is_as_the_proof_says_with_the_cross_term_twice(p):
    """(12) + (13) + 2 (14) is the expected squared distance after a step; the paper prints (14) once."""
    data, gamma = Data(), 0.1
    X, r, b, sigma = data.X, data.residual, 0.5 * data.best, 4.0
    own = np.diag(D**2 * (1.0 - D / WORKERS)) / sigma
    middle = p * (1.0 - p) * (np.diag(D) @ X @ X.T @ np.diag(D) / WORKERS + own)  # E[D_Z X X^T D_Z]
    scale = np.diag(gamma / (D * (1.0 - p)))
    moved = b - gamma * X.T @ X @ b
    first = moved @ moved + b @ X.T @ scale @ middle @ scale @ X @ b
    second = r @ scale @ middle @ scale @ r
    cross = r @ scale @ middle @ scale @ X @ b
    alpha, chances = alphas(p)
    after = b - gamma * (alpha * (X @ b + r)) @ X
    expected = chances @ (after**2).sum(axis=1)
    assert expected == pytest.approx(first + second + 2.0 * cross, rel=1e-12)
    assert abs(cross) > 1e-9 * expected


@pytest.mark.parametrize("stretch", [1.0, 0.3, 0.1])
@pytest.mark.parametrize("p", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("epsilon", [math.exp(-1.0), 0.1, 1e-3])
def test_exact_distances_stay_below_theorem_3_mended(stretch, p, epsilon):
    data = Data(stretch)
    known = data.constants(p) | {"epsilon": epsilon}
    least = math.ceil(2.0 * math.log(1.0 / epsilon**2) * known["L"] / known["c"])
    T = np.arange(least, least + 1500)
    steps = sgc_step_size(np.arange(1, T[-1] + 1), epsilon=epsilon, L=known["L"], c=known["c"])
    assert (expected_squared_distances(data, p, steps)[T] <= sgc_distance_bound(T, **known)).all()
    noise = expected_squared_distances(data, p, steps, start=data.best)[T]
    bound = sgc_distance_bound(T, **(known | {"initial_squared_distance": 0.0}))
    assert (noise <= bound + 1e-20).all()  # rounding, where p is 0
    assert noise[-1] >= 1e-4 * bound[-1]  # loose by less than 10,000


@pytest.mark.parametrize("p", [0.0, 0.2])
def test_theorem_3_as_printed_fails_where_eigenvalues_differ(p):
    data, epsilon = Data(stretch=0.1, noise=0.0), 0.01
    known = data.constants(p) | {"epsilon": epsilon}
    T = math.ceil(2.0 * math.log(1.0 / epsilon**2))
    steps = sgc_step_size(np.arange(1, T + 1), epsilon=epsilon, L=known["L"], c=known["c"], printed=True)
    assert expected_squared_distances(data, p, steps)[T] > 100.0 * sgc_distance_bound(T, **known, printed=True)
    with pytest.raises(ConfigurationError, match=rf"updates = {T}: expected .* at least"):
        sgc_distance_bound(T, **known)


def test_simulated_distances_agree_with_the_expectation_and_stay_below_the_bound():
    data, p, epsilon, runs = Data(), 0.5, 0.1, 6_000
    known = data.constants(p) | {"epsilon": epsilon}
    steps = sgc_step_size(np.arange(1, 201), epsilon=epsilon, L=known["L"], c=known["c"])
    distances = simulated(data, p, steps, runs, seed=9)
    half = stats.norm.isf(0.5e-6) * distances.std() / math.sqrt(runs)
    assert abs(distances.mean() - expected_squared_distances(data, p, steps)[-1]) < half
    assert distances.mean() + half < sgc_distance_bound(200, **known)


def test_random_placements_stay_below_the_bound_too():
    """Not proved: 60 Gaussian rows on two of ten workers each, a new placement for every run."""
    rng, m, n, p, epsilon, runs, T = np.random.default_rng(4), 60, 10, 0.5, 0.1, 300, 300
    X = rng.standard_normal((m, 4))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y = X @ [1.0, 2.0, 3.0, 4.0] + rng.standard_normal(m)
    problem = cs.LeastSquares(X, y)
    L, c, best = problem.smoothness(), problem.strong_convexity(), problem.optimum()
    steps = sgc_step_size(np.arange(1, T + 1), epsilon=epsilon, L=L, c=c)
    held = np.argsort(rng.random((runs, m, n)), axis=2) < 2
    w = np.zeros((runs, 4))
    for step in steps:
        up = rng.random((runs, n)) >= p
        alpha = np.einsum("krn,kn->kr", held, up, dtype=float) / (2.0 * (1.0 - p))
        w = w - step * (alpha * (w @ X.T - y)) @ X / m
    distances = ((w - best.w) ** 2).sum(axis=1)
    bound = sgc_distance_bound(
        T,
        epsilon=epsilon,
        workers=n,
        redundancy=2,
        straggler_probability=p,
        incoherence=sgc_incoherence(X),
        L=L,
        c=c,
        optimal_loss=best.objective,
        initial_squared_distance=best.w @ best.w,
    )
    assert distances.mean() + stats.norm.isf(1e-6) * distances.std() / math.sqrt(runs) < bound


@pytest.mark.parametrize("printed", [False, True])
def test_theorem_3_by_hand(printed):
    data, p, epsilon, T = Data(), 0.25, 0.1, 5000
    spectral, m = np.linalg.norm(data.X, 2) ** 2, len(D)
    a, kappa = math.log(100.0), 1.0 if printed else data.eigenvalues[0] / spectral
    mu = np.linalg.norm(data.X, "fro") ** 2 / m / spectral
    noise = (a / kappa) ** 2 / T * (1.0 / 3.0) * mu / D.mean() * (data.residual @ data.residual) / spectral
    expected = 0.01 * (data.best @ data.best) + (1.0 if printed else 2.0) * noise
    assert sgc_distance_bound(T, epsilon=epsilon, printed=printed, **data.constants(p)) == pytest.approx(expected)
    known = {"epsilon": epsilon, "L": spectral / m, "c": data.eigenvalues[0] / m, "printed": printed}
    gammas = np.minimum(0.5, a / (kappa * np.array([1.0, 30.0, 900.0]))) / spectral  # of the sum, as in the appendix
    np.testing.assert_allclose(sgc_step_size([1, 30, 900], **known), m * gammas)


def test_the_bound_has_the_units_of_a_squared_model():
    """Labels b times as large make the model b times as large; this is how r~ must enter (ITW prints its square)."""
    p, epsilon, T, data, scaled = 0.5, 0.1, 1000, Data(), Data()
    scaled.residual, scaled.best = 10.0 * data.residual, 10.0 * data.best
    for printed in (False, True):
        small = sgc_distance_bound(T, epsilon=epsilon, printed=printed, **data.constants(p))
        large = sgc_distance_bound(T, epsilon=epsilon, printed=printed, **scaled.constants(p))
        assert large == pytest.approx(100.0 * small)


# --- Theorem 4 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9])
def test_theorem_4_holds_the_second_moment_of_the_estimate(p):
    alpha, chances = alphas(p)
    rng = np.random.default_rng(8)
    rows = {"workers": WORKERS, "rows": len(D), "least_redundancy": 4, "straggler_probability": p}
    moment = sgc_general_distance_bound(1, gradient_bound=2.0, c=1.0, **rows) / 4.0
    for _ in range(20):
        gradients = rng.standard_normal((len(D), 3))
        gradients *= 2.0 / np.linalg.norm(gradients, axis=1, keepdims=True)
        assert chances @ ((alpha @ gradients / len(D)) ** 2).sum(axis=1) <= moment
    # seven equal rows of least redundancy and equal gradients: nothing is lost
    rows = rows | {"rows": 7}
    exact = chances @ (2.0 * alpha[:, :7].mean(axis=1)) ** 2
    assert sgc_general_distance_bound(1, gradient_bound=2.0, c=1.0, **rows) / 4.0 == pytest.approx(exact)


def test_simulated_projected_descent_stays_below_theorem_4():
    """The mean of seven labels 1 and -1, kept within [-1, 1]: gradients of norm at most 2, c = 1."""
    labels, p, runs, T = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0]), 0.9, 2000, 500
    rng, w = np.random.default_rng(10), np.zeros((runs, 1))
    for t in range(1, T + 1):
        alpha = (rng.random((runs, WORKERS)) >= p) @ PLACEMENT[:7].T / (4.0 * (1.0 - p))
        w = np.clip(w - (alpha * (w - labels)).mean(axis=1, keepdims=True) / t, -1.0, 1.0)
    distances = ((w - labels.mean()) ** 2)[:, 0]
    bound = sgc_general_distance_bound(
        T, workers=WORKERS, rows=7, least_redundancy=4, straggler_probability=p, gradient_bound=2.0, c=1.0
    )
    assert distances.mean() + stats.norm.isf(1e-6) * distances.std() / math.sqrt(runs) < bound
    assert bound < 1000.0 * distances.mean()


def test_theorem_4_in_the_papers_terms():
    m, n, p, d, C, lam, T = 100, 10, 0.75, 2, 3.0, 50.0, 400  # lam of the sum
    odds = p / (1.0 - p)
    phi = m * C**2 * (odds / d + (m - 1) * odds / n + m)
    found = sgc_general_distance_bound(
        [T, 2 * T], workers=n, rows=m, least_redundancy=d, straggler_probability=p, gradient_bound=C, c=lam / m
    )
    np.testing.assert_allclose(found, [4.0 * phi / (lam**2 * T), 2.0 * phi / (lam**2 * T)])


# --- rows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(30, 4), (4, 30), (6, 6)])
def test_incoherence_by_its_definition(shape):
    X = np.random.default_rng(2).standard_normal(shape)
    expected = (X**2).sum() / len(X) / np.linalg.norm(X.T @ X, 2)
    assert sgc_incoherence(X) == pytest.approx(expected, rel=1e-12)
    assert sgc_incoherence(sparse.csr_array(X)) == pytest.approx(expected, rel=1e-12)
    assert 1.0 / len(X) <= expected <= min(shape) / len(X)


def test_incoherence_of_many_sparse_rows(monkeypatch):
    draw = np.random.default_rng(5)
    X = sparse.csr_array(draw.random((300, 200)) * (draw.random((300, 200)) < 0.1))
    dense = sgc_incoherence(X)
    monkeypatch.setattr(sgc_redundancy, "_DENSE", 10)
    assert sgc_incoherence(X) == pytest.approx(dense, rel=1e-10)
    assert sgc_incoherence(X) == sgc_incoherence(X)
    assert sgc_incoherence(sparse.diags_array([1.0] * 40 + [3.0], format="csr")) == pytest.approx(49.0 / 41.0 / 9.0)


def test_redundancies_are_proportional_to_squared_norms():
    X = np.random.default_rng(6).normal(0.0, 10.0, (1000, 100))
    squares = (X**2).sum(axis=1)
    for rows in (X, sparse.csr_array(X)):
        real = sgc_redundancies(rows, 2.0)
        assert real.mean() == pytest.approx(2.0)
        np.testing.assert_allclose(real / squares, 2.0 / squares.mean())
        whole = sgc_whole_redundancies(rows, 2.0, 10)
        assert set(whole) == {1, 2, 3}
        assert (np.abs(whole - real) <= 0.5 + 1e-12).all()
        # chi-squared lengths: how often a row is rounded to 3 or more, less how often to 1
        expected = 2.0 + stats.chi2.sf(125.0, 100) - stats.chi2.cdf(75.0, 100)
        assert abs(whole.mean() - expected) < stats.norm.isf(0.5e-6) * whole.std() / math.sqrt(1000.0)


def test_whole_redundancies_stay_between_one_and_all_workers():
    X = [[1.0], [10.0], [0.0], [3.0]]
    assert sgc_redundancies(X, 4.0).round(2).tolist() == [0.15, 14.55, 0.0, 1.31]
    assert sgc_whole_redundancies(X, 4.0, 6).tolist() == [1, 6, 1, 1]


# --- bad input --------------------------------------------------------------------------------------------------------

KNOWN = Data().constants(0.5) | {"updates": 10_000, "epsilon": 0.1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workers": 4, "redundancy": 4.0, "straggler_probability": 0.55}, r"workers = 4: expected at least .* 9\.778"),
        ({"redundancy": 1.0, "incoherence": 0.2}, r"redundancy = 1: expected at least 8 mu p / \(1-p\) = 1\.6"),
        ({"redundancy": 9.0}, "redundancy = 9: expected at most workers = 8"),
        ({"redundancy": 0.5}, "redundancy = 0.5"),
        ({"straggler_probability": 1.0}, r"straggler_probability = 1.0.*\[0, 1\)"),
        ({"epsilon": 0.5}, r"epsilon = 0.5.*at most 1/e"),
        ({"epsilon": 0.0}, "epsilon = 0"),
        ({"c": 0.0}, "c = 0.0.*strong convexity"),
        ({"c": 1e9}, "L = .*at least 1e"),
        ({"updates": 3}, "updates = 3: expected numbers of updates, at least"),
        ({"optimal_loss": -1.0}, "optimal_loss = -1"),
        ({"incoherence": 0.0}, "incoherence = 0"),
        ({"initial_squared_distance": math.inf}, "initial_squared_distance = inf"),
    ],
)
def test_conditions_of_theorem_3_are_checked(change, message):
    assert sgc_distance_bound(**KNOWN) > 0.0
    with pytest.raises(ConfigurationError, match=message):
        sgc_distance_bound(**(KNOWN | change))


def test_other_arguments_are_checked():
    printed = KNOWN | {"printed": True, "epsilon": 0.5}
    assert sgc_distance_bound(**printed) > 0.0
    with pytest.raises(ConfigurationError, match=r"epsilon = 1.5.*less than 1"):
        sgc_distance_bound(**(printed | {"epsilon": 1.5}))
    with pytest.raises(ConfigurationError, match="t = 0"):
        sgc_step_size(0, epsilon=0.1, L=1.0, c=1.0)
    with pytest.raises(ConfigurationError, match="not all 0"):
        sgc_incoherence(np.zeros((2, 2)))
    with pytest.raises(ConfigurationError, match=r"redundancy = 5.*at most workers = 4"):
        sgc_whole_redundancies(np.eye(3), 5, 4)
    with pytest.raises(ConfigurationError, match="least_redundancy = 9"):
        sgc_general_distance_bound(
            5, workers=8, rows=9, least_redundancy=9, straggler_probability=0.5, gradient_bound=1.0, c=1.0
        )
