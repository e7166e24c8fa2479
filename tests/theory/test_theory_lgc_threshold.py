"""LGC's choice of K: numerical minima, solved constraints, and the paper's formulas written out."""

import math

import numpy as np
import pytest
from scipy import optimize

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.theory import (
    lgc_approximate_means,
    lgc_feasible_k,
    lgc_fraction_limits,
    lgc_optimal_fraction,
    lgc_time_error_bounds,
    order_statistic_means,
)

SHIFT, MEAN = 0.05, 0.02
MU = order_statistic_means(cs.ShiftedExponential(SHIFT, MEAN), 10)
COSTS = {"L": 1.0, "e0": 1.0, "beta2": 1.0, "sigma2": 3.0, "batch": 3}


@pytest.mark.parametrize("n", [2, 10, 1000])
def test_approximate_means_beside_exact_ones(n):
    exact = order_statistic_means(cs.ShiftedExponential(SHIFT, MEAN), n)
    excess = (lgc_approximate_means(n, shift=SHIFT, mean=MEAN) - exact) / MEAN
    left = n - np.arange(1.0, n)
    assert (excess[:-1] > 0.0).all()
    assert (excess[:-1] < 1.0 / (2.0 * left)).all()
    assert excess[-1] == pytest.approx(-np.euler_gamma - 1.0 / (2.0 * n), abs=1.0 / (8.0 * n**2))


@pytest.mark.parametrize("latency", [0.0, 0.3])
def test_bounds_at_a_time_in_the_papers_terms(latency):
    t, eta, n, beta2, noise = 20.0, 0.1, 10, 1.0, 1.0
    k = np.arange(1, 11)
    B = 2.0 / (eta * t) * MU + 2.0 * eta**2 * (n * beta2 + noise) / k
    const = 2.0 * latency / (eta * t) + eta * noise / n - 2.0 * eta**2 * (beta2 + noise / n)
    relaxed = lgc_time_error_bounds(t, eta, MU, **COSTS, latency=latency, relaxed=True)
    np.testing.assert_allclose(relaxed, B + const)
    bounds = lgc_time_error_bounds(t, eta, MU, **COSTS, latency=latency)
    by_hand = [
        2.0 * (MU[i - 1] + latency) / (eta * t)
        + eta * noise / n
        + 2.0 * eta**2 * (min(1.0, (n - i) ** 2 / i**2) + (n - i) / (n * i))
        for i in k
    ]
    np.testing.assert_allclose(bounds, by_hand)
    assert (bounds <= relaxed + 1e-15).all()  # for K <= N/2 too
    np.testing.assert_allclose(bounds[[4, 9]], relaxed[[4, 9]])  # equal at K = N/2 and K = N


def test_equation_16_has_two_least_values_where_equation_18_has_one():
    bounds = lgc_time_error_bounds(10.0, 0.1, MU, **COSTS)
    relaxed = lgc_time_error_bounds(10.0, 0.1, MU, **COSTS, relaxed=True)

    def minima(values):
        return [k for k in range(2, 10) if values[k - 1] < min(values[k - 2], values[k])]

    assert minima(bounds) == [2, 6]
    assert minima(relaxed) == [5]


@pytest.mark.parametrize("t", [0.5, 10.0, 3000.0])
@pytest.mark.parametrize("n", [4, 10, 200])
@pytest.mark.parametrize(("beta2", "sigma2", "batch"), [(1.0, 1.0, 1), (0.0, 2.0, 8), (0.3, 0.0, 1)])
def test_optimal_fraction_by_numerical_minimisation(t, n, beta2, sigma2, batch):
    eta, L, e0 = 0.07, 1.7, 2.5

    def bound(K):
        mu = SHIFT + MEAN * math.log(n / (n - K))
        return 2.0 * e0 / (eta * t) * mu + 2.0 * L**2 * eta**2 * (n * beta2 + sigma2 / batch) / K

    inside = (n * 1e-4, n * (1.0 - 1e-7))
    least = optimize.minimize_scalar(bound, bounds=inside, method="bounded", options={"xatol": 1e-9}).x / n
    p = lgc_optimal_fraction(t, eta, workers=n, mean=MEAN, L=L, e0=e0, beta2=beta2, sigma2=sigma2, batch=batch)
    assert p == pytest.approx(least, abs=2e-5)


def test_how_the_optimal_fraction_moves():
    def p(t=10.0, eta=0.1, n=10, **change):
        return float(lgc_optimal_fraction(t, eta, workers=n, mean=MEAN, **(COSTS | change)))

    assert p() < p(t=20.0)
    assert p() < p(e0=0.5)
    assert p(n=10) > p(n=20)
    assert p(beta2=0.0) < p(beta2=1.0)  # IID data need fewer
    assert p(sigma2=0.0, n=10) == p(sigma2=0.0, n=40)
    assert p(batch=32, n=10) == pytest.approx(p(batch=8, n=40))  # N m constant, as in the paper's experiment
    assert p(beta2=0.0, n=10) < p(beta2=0.0, n=20, eta=0.1 * math.sqrt(2.0))  # Corollary 1's step
    assert p(e0=0.0) == 1.0
    assert p(beta2=0.0, sigma2=0.0) == 0.0


@pytest.mark.parametrize("n", [10, 40, 400])
def test_the_relaxation_moves_a_large_fraction_upwards(n):
    mu, k = lgc_approximate_means(n, shift=SHIFT, mean=MEAN), np.arange(1, n + 1)
    for t in np.geomspace(1.0, 1000.0, 12):
        best, relaxed = (
            k[lgc_time_error_bounds(t, 0.1, mu, **COSTS, relaxed=how)[:-1].argmin()] for how in (False, True)
        )
        p = lgc_optimal_fraction(t, 0.1, workers=n, mean=MEAN, **COSTS)
        assert abs(relaxed - min(n * p, n - 1)) <= 1.0
        if best >= 2 * n / 3:
            assert relaxed >= best - 1


@pytest.mark.parametrize(("n", "s", "slack"), [(10, 4, 0.5), (100, 2, 0.1), (1000, 3, 0.9)])
@pytest.mark.parametrize(("shift", "latency"), [(0.0, 0.0), (0.01, 0.0), (0.01, 0.005)])
def test_fraction_limits_by_solving_the_constraints(n, s, slack, shift, latency):
    def mean_at(p):
        return shift + MEAN * math.log(1.0 / (1.0 - p))

    last = shift + MEAN * math.log(n)
    low = optimize.brentq(lambda p: mean_at(p) + latency - last / s, -1e3, 1.0 - 1e-12, xtol=1e-13)
    high = optimize.brentq(lambda p: mean_at(p) - (1.0 + slack) * (shift + MEAN), 0.0, 1.0 - 1e-12, xtol=1e-13)
    limits = lgc_fraction_limits(n, s, slack, shift=shift, mean=MEAN, latency=latency)
    assert limits == pytest.approx((max(0.5, low), high), abs=1e-9)
    printed = lgc_fraction_limits(n, s, slack)
    assert printed == pytest.approx((max(0.5, 1.0 - n ** (-1.0 / s)), 1.0 - math.exp(-1.0 - slack)))
    assert limits.low <= printed.low
    assert printed.high <= limits.high


def test_equation_23_may_have_no_solution():
    low, high = lgc_fraction_limits(54, 2, 0.9999)
    assert low <= high
    low, high = lgc_fraction_limits(55, 2, 0.9999)
    assert low > high


def test_equation_23_allows_too_many_stragglers():
    """0.1 of 100 with s = 2: Euler's constant is missing in eq. 22."""
    assert lgc_fraction_limits(100, 2, 0.5).low == pytest.approx(0.9)
    mu = order_statistic_means(cs.Exponential(1.0), 100)
    assert mu[99] / 2 > mu[91]
    assert lgc_feasible_k(mu, blocks=2, slack=9.0).tolist() == list(range(93, 101))
    assert 100 - 0.1 * math.exp(-np.euler_gamma / 2) * 100 == pytest.approx(92.5, abs=0.02)


@pytest.mark.parametrize("law", [cs.ShiftedExponential(0.05, 0.02), cs.Weibull(0.1, 0.7), cs.Exponential(2.0)])
def test_feasible_k_by_their_definition(law):
    n, latency = 12, 0.01
    means = [law.order_statistic_mean(k, n) for k in range(1, n + 1)]
    for s, slack in [(1, 0.1), (2, 0.3), (4, 0.9)]:
        first = {k for k in range(1, n + 1) if means[k - 1] <= (1.0 + slack) * law.expected_time}
        second = {k for k in range(1, n + 1) if means[-1] / s <= means[k - 1] + latency}
        found = lgc_feasible_k(order_statistic_means(law, n), blocks=s, slack=slack, latency=latency)
        assert found.tolist() == sorted(first & second)


# --- bad input --------------------------------------------------------------------------------------------------------


def test_steps_have_a_limit():
    for call in (
        lambda eta: lgc_time_error_bounds(10.0, eta, MU, **(COSTS | {"L": 2.0})),
        lambda eta: lgc_optimal_fraction(10.0, eta, workers=10, mean=MEAN, **(COSTS | {"L": 2.0})),
    ):
        assert np.all(call(0.25) > 0.0)
        with pytest.raises(
            ConfigurationError, match=r"step_size = 0.26: expected at most 1/\(2 L\) = 0.25, .* Theorem 2"
        ):
            call(0.26)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lgc_time_error_bounds(0.1, 0.1, MU, **COSTS), "t = 0.1: expected at least latency .* = 0.1085"),
        (lambda: lgc_time_error_bounds(10.0, 0.1, MU[::-1], **COSTS), "mu = "),
        (
            lambda: lgc_optimal_fraction(0.0, 0.1, workers=10, mean=MEAN, **COSTS),
            "t = 0.0: expected times greater than 0",
        ),
        (lambda: lgc_optimal_fraction(1.0, 0.1, workers=10, mean=0.0, **COSTS), "mean = 0"),
        (lambda: lgc_fraction_limits(10, 0, 0.5), "blocks = 0"),
        (lambda: lgc_fraction_limits(10, 2, -0.5), "slack = -0.5"),
        (lambda: lgc_feasible_k(MU, blocks=2, slack=math.inf), "slack = inf"),
        (lambda: lgc_approximate_means(0, shift=0.0, mean=1.0), "workers = 0"),
    ],
)
def test_other_arguments_are_checked(call, message):
    with pytest.raises(ConfigurationError, match=message):
        call()
