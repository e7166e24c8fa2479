"""LGC's bounds: all sets of workers and all signs of the noise listed, and descent in plain numpy."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from clustersim.errors import ConfigurationError
from clustersim.theory import (
    k_sgd_error_bound,
    lgc_error_bound,
    lgc_gradient_bias,
    lgc_gradient_bias_bound,
)

SIZES = [(n, k) for n in range(1, 8) for k in range(1, n + 1)]


def deviating(n, seed=0, dimension=3):
    """Gradients of n workers, their mean, and the largest squared deviation from it."""
    gradients = np.random.default_rng([n, seed]).standard_normal((n, dimension)) + 1.0
    mean = gradients.mean(axis=0)
    return gradients, mean, ((gradients - mean) ** 2).sum(axis=1).max()


def worst_gradients(n, k, beta):
    """min{K, N-K} workers at distance beta from the mean, all in one direction."""
    few = min(k, n - k)
    return np.array([[beta]] * few + [[-beta * few / (n - few)]] * (n - few)) if few else np.zeros((n, 1))


# --- Lemma 1 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "k"), SIZES)
def test_biases_by_listing_all_sets(n, k):
    gradients, mean, beta2 = deviating(n)
    squares = [((gradients[list(s)].mean(axis=0) - mean) ** 2).sum() for s in itertools.combinations(range(n), k)]
    assert lgc_gradient_bias(gradients, k).delta2 == pytest.approx(np.mean(squares), abs=1e-14)
    assert lgc_gradient_bias(gradients, k, sets="worst").delta2 == pytest.approx(max(squares), abs=1e-14)
    assert max(squares) <= lgc_gradient_bias_bound(n, k, beta2=beta2).delta2 + 1e-14


@pytest.mark.parametrize(("n", "k"), [(5, 1), (5, 2), (5, 3), (5, 4), (5, 5), (4, 2)])
@pytest.mark.parametrize("batch", [1, 4])
def test_noise_by_listing_all_its_signs(n, k, batch):
    """Each worker's gradient is off by +sigma/sqrt(m) or -sigma/sqrt(m)."""
    gradients, mean, _ = deviating(n, dimension=1)
    sigma2 = 2.0
    noises = math.sqrt(sigma2 / batch) * np.array(list(itertools.product([-1.0, 1.0], repeat=n)))
    noisy = gradients[:, 0] + noises
    sets = [list(s) for s in itertools.combinations(range(n), k)]
    from_average = [((noisy.mean(axis=1) - noisy[:, s].mean(axis=1)) ** 2).mean() for s in sets]
    from_gradient = [((noisy[:, s].mean(axis=1) - mean) ** 2).mean() for s in sets]
    assert lgc_gradient_bias(gradients, k, sigma2=sigma2, batch=batch)[1:] == pytest.approx(
        (np.mean(from_average), np.mean(from_gradient)), abs=1e-14
    )
    worst = lgc_gradient_bias(gradients, k, sigma2=sigma2, batch=batch, sets="worst")
    assert worst[1:] == pytest.approx((max(from_average), max(from_gradient)), abs=1e-14)
    bound = lgc_gradient_bias_bound(n, k, beta2=((gradients - mean) ** 2).max(), sigma2=sigma2, batch=batch)
    assert (np.array(worst) <= np.array(bound) + 1e-14).all()


@pytest.mark.parametrize(("n", "k"), [*SIZES, (20, 7), (20, 14)])
def test_the_worst_gradients_meet_lemma_1(n, k):
    """So its case split is right: beta^2 for K <= N/2, (N-K)^2/K^2 beta^2 above."""
    worst = lgc_gradient_bias(worst_gradients(n, k, 1.5), k, sigma2=2.0, sets="worst")
    assert worst == pytest.approx(lgc_gradient_bias_bound(n, k, beta2=2.25, sigma2=2.0), rel=1e-12, abs=1e-14)
    assert worst.delta2 == pytest.approx(2.25 if 2 * k <= n else 2.25 * (n - k) ** 2 / k**2)


def test_equally_likely_sets_are_up_to_n_minus_1_times_better():
    even = np.vstack([np.ones((5, 1)), -np.ones((5, 1))])  # every worker at distance 1
    ratios = [
        lgc_gradient_bias_bound(10, k, beta2=1.0).delta2 / lgc_gradient_bias(even, k).delta2 for k in range(1, 10)
    ]
    assert min(ratios) >= 1.0 - 1e-12
    assert max(ratios) == pytest.approx(9.0)
    assert int(np.argmax(ratios)) + 1 == 5


def test_lemma_1_fails_where_the_set_depends_on_the_noise():
    noises = np.array(list(itertools.product([-1.0, 1.0], repeat=5)))
    chosen = np.sort(noises, axis=1)[:, -2:].mean(axis=1)  # the two largest of five
    bound = lgc_gradient_bias_bound(5, 2, beta2=0.0, sigma2=1.0)
    assert (chosen**2).mean() > 1.5 * bound.from_gradient
    assert ((chosen - noises.mean(axis=1)) ** 2).mean() > 1.5 * bound.from_average


# --- Theorems 1 and 2, Proposition 1 ----------------------------------------------------------------------------------

N, K, L, SIGMA2, X0 = 6, 4, 2.0, 0.5, np.array([2.5, -1.0])
PULLS = np.random.default_rng(5).standard_normal((N, 2))
PULLS -= PULLS.mean(axis=0)  # grad F_i - grad F, whatever x is
FIELDS = {  # a non-convex F = L sum(1 - cos x_j) and a convex F = L |x|^2 / 2, both least at 0 with F* = 0
    "waves": (lambda x: L * np.sin(x), L * (1.0 - np.cos(X0)).sum()),
    "bowl": (lambda x: L * x, L * (X0 @ X0) / 2.0),
}
BETA2 = (PULLS**2).sum(axis=1).max()
WORST = max(itertools.combinations(range(N), K), key=lambda s: (PULLS[list(s)].sum(axis=0) ** 2).sum())


def mean_squared_gradients(field, eta, T, *, lgc=False, persistent=False, runs=600):
    """Means over the updates of |grad F(x_t)|^2, an array of one per run."""
    gradient, rng = FIELDS[field][0], np.random.default_rng(11)
    x, compensation, total = np.tile(X0, (runs, 1)), 0.0, np.zeros(runs)
    fixed = np.isin(np.arange(N), WORST)
    for _ in range(T):
        now = gradient(x)
        total += (now**2).sum(axis=1)
        noise = rng.standard_normal((runs, N, 2)) * math.sqrt(SIGMA2 / 2.0)
        answers = now[:, None, :] + PULLS + noise
        used = fixed if persistent else np.argsort(rng.random((runs, N)), axis=1) < K
        fresh = (answers * np.broadcast_to(used, (runs, N))[:, :, None]).sum(axis=1) / K
        x = x - eta * (fresh + compensation)
        if lgc:
            compensation = answers.mean(axis=1) - fresh
    return total / T


def upper(sample):
    return sample.mean() + stats.norm.isf(1e-6) * sample.std() / math.sqrt(len(sample))


def known(field="bowl", **change):
    return {"workers": N, "k": K, "L": L, "e0": FIELDS[field][1], "beta2": BETA2, "sigma2": SIGMA2} | change


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("step", [1.0, 0.2, 0.02])
def test_descent_stays_below_the_bounds(field, step):
    T = 300
    for limit, bound, how in [
        (1.0 / L, k_sgd_error_bound, {}),
        (0.25 / L, k_sgd_error_bound, {"persistent": True}),
        (0.5 / L, lgc_error_bound, {"lgc": True}),
        (0.5 / L, lgc_error_bound, {"lgc": True, "persistent": True}),
    ]:
        eta = step * limit
        measured = mean_squared_gradients(field, eta, T, **how)
        said = {"persistent": True} if bound is k_sgd_error_bound and "persistent" in how else {}
        most = bound(T, eta, **known(field), **said)
        assert upper(measured) < most
        assert most < 20.0 * measured.mean()  # and is worth something


def test_theorem_1_fails_for_persistent_stragglers_and_theorem_2_does_not():
    eta, T = 0.01 / L, 20_000
    measured = mean_squared_gradients("bowl", eta, T, persistent=True, runs=10)
    assert measured.min() > 2.0 * k_sgd_error_bound(T, eta, **known())
    compensated = mean_squared_gradients("bowl", eta, T, persistent=True, lgc=True, runs=10)
    assert upper(compensated) < lgc_error_bound(T, eta, **known()) < 0.3 * measured.mean()


def test_theorem_1_fails_for_sets_that_are_not_equally_likely():
    """Two workers, F_i = (x -+ 1)^2 / 2, the first the fastest nine times in ten: exact moments of x."""
    eta, T, first, second, total = 0.01, 10_000, 0.0, 0.0, 0.0
    for _ in range(T):
        total += second  # E|grad F(x)|^2 = E[x^2]; x' = (1 - eta) x + eta a with a = 1 or -1, E[a] = 0.8
        second = (1.0 - eta) ** 2 * second + 2.0 * eta * (1.0 - eta) * 0.8 * first + eta**2
        first = (1.0 - eta) * first + eta * 0.8
    bound = k_sgd_error_bound(T, eta, workers=2, k=1, L=1.0, e0=0.5, beta2=1.0, sigma2=0.0)
    assert total / T > 0.6 > 10.0 * bound


def test_proposition_1_has_more_than_it_needs():
    """For IID data Theorem 1 holds whoever straggles, and so does a floor without eq. 15's last term."""
    eta, T = 0.02 / L, 10**9
    iid = known(beta2=0.0)
    floor = k_sgd_error_bound(T, eta, **iid)
    assert k_sgd_error_bound(T, eta, **iid, persistent=True) > 5.0 * floor
    # exact stationary E[|L x|^2] of x' = (1 - eta L) x - eta z, E|z|^2 = sigma^2 / K, for any set of K workers
    assert eta * L * SIGMA2 / K / (2.0 - eta * L) < floor


@pytest.mark.parametrize(("n", "k", "m"), [(10, 7, 32), (10, 3, 1), (10, 10, 4)])
def test_the_bounds_in_the_papers_terms(n, k, m):
    eta, T, e0, beta2, sigma2 = 0.05, np.array([10.0, 1000.0]), 3.0, 0.7, 1.3
    noise = sigma2 / m
    delta2 = beta2 if k <= n / 2 else (n - k) ** 2 / k**2 * beta2
    start, lemma = 2.0 * e0 / (eta * T), delta2 + (n - k) / (n * k) * noise
    same = {"workers": n, "k": k, "L": L, "e0": e0, "beta2": beta2, "sigma2": sigma2, "batch": m}
    np.testing.assert_allclose(k_sgd_error_bound(T, eta, **same), start + L * eta * (delta2 + noise / k))
    np.testing.assert_allclose(
        k_sgd_error_bound(T, eta, **same, persistent=True), start + 2 * L * eta * (delta2 + noise / k) + 2 * lemma
    )
    theorem_2 = start + L * eta * noise / n + 2 * L**2 * eta**2 * lemma
    np.testing.assert_allclose(lgc_error_bound(T, eta, **same), theorem_2)


def test_corollary_1_with_a_unit():
    for T in (4 * N, 10**6):
        eta = math.sqrt(N / T) / L
        lemma = lgc_gradient_bias_bound(N, K, beta2=BETA2, sigma2=SIGMA2).from_average
        expected = (2.0 * L * known()["e0"] + SIGMA2) / math.sqrt(N * T) + 2.0 * N / T * lemma
        assert lgc_error_bound(T, eta, **known()) == pytest.approx(expected)
    with pytest.raises(ConfigurationError, match="Theorem 2"):
        lgc_error_bound(4 * N, 1.001 * math.sqrt(N / (4 * N)) / L, **known())


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("persistent", "limit", "name"), [(False, 0.5, "1/L = 0.5, .* Theorem 1"), (True, 0.125, "1/.4 L. = 0.125, .* 1$")]
)
def test_steps_of_k_sgd_have_a_limit(persistent, limit, name):
    assert k_sgd_error_bound(10, limit, **known(), persistent=persistent) > 0.0
    with pytest.raises(ConfigurationError, match=f"step_size = .*: expected at most {name}"):
        k_sgd_error_bound(10, limit * 1.0001, **known(), persistent=persistent)


def test_steps_of_lgc_have_a_limit():
    assert lgc_error_bound(10, 0.25, **known()) > 0.0
    with pytest.raises(ConfigurationError, match=r"step_size = 0.26: expected at most 1/\(2 L\) = 0.25, .* Theorem 2"):
        lgc_error_bound(10, 0.26, **known())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 7}, "k = 7: expected a whole number from 1 to 6; wait for"),
        ({"workers": 0}, "workers = 0"),
        ({"L": 0.0}, "L = 0"),
        ({"e0": -1.0}, "e0 = -1"),
        ({"beta2": -1.0}, "beta2 = -1"),
        ({"sigma2": -1.0}, "sigma2 = -1"),
        ({"batch": 0}, "batch = 0"),
        ({"updates": 0}, "updates = 0: expected numbers of updates, at least 1"),
        ({"updates": [5.0, math.nan]}, "updates = "),
        ({"step_size": 0.0}, "step_size = 0"),
    ],
)
def test_constants_are_checked(change, message):
    arguments = known() | {"updates": 10, "step_size": 0.1} | change
    for bound in (lgc_error_bound, k_sgd_error_bound):
        with pytest.raises(ConfigurationError, match=message):
            bound(**arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lgc_gradient_bias(np.zeros((40, 2)), 20, sets="worst"), "137846528820 sets of 20 of 40 workers"),
        (lambda: lgc_gradient_bias([1.0, 2.0], 1), r"gradients = \[1.0, 2.0\]: .*of shape"),
        (lambda: lgc_gradient_bias([[1.0], [math.nan]], 1), "expected finite numbers"),
        (lambda: lgc_gradient_bias([[1.0], [2.0]], 1, sets="best"), "sets = 'best'"),
    ],
)
def test_gradients_are_checked(call, message):
    with pytest.raises(ConfigurationError, match=message):
        call()
