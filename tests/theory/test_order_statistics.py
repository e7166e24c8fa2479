"""Means and variances of order statistics: closed forms, brute force and simulation against the library."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.latency import LatencyModel
from clustersim.streams import Streams
from clustersim.theory import harmonic_numbers, order_statistic_means, order_statistic_variances

SIZES = [(1, 1), (1, 2), (2, 2), (3, 7), (1, 50), (25, 50), (50, 50), (1, 1000), (500, 1000), (999, 1000), (1000, 1000)]
RANKS = pytest.mark.parametrize(("k", "n"), SIZES)


def integral(model, k, n):
    """The numerical route, also where the model has a closed form."""
    return LatencyModel.order_statistic_mean(model, k, n)


def exponential(k, n):
    return math.fsum(1.0 / i for i in range(n - k + 1, n + 1))


def pareto(k, n, shape):
    """Gamma(n+1) Gamma(n-k+1-1/shape) / (Gamma(n-k+1) Gamma(n+1-1/shape)), smallest time 1."""
    log = (
        math.lgamma(n + 1)
        + math.lgamma(n - k + 1 - 1 / shape)
        - math.lgamma(n - k + 1)
        - math.lgamma(n + 1 - 1 / shape)
    )
    return math.exp(log)


def weibull(k, n, shape):
    """The alternating sum, in exact arithmetic but for the powers; scale 1, small n only."""
    front = math.factorial(n) // (math.factorial(k - 1) * math.factorial(n - k))
    powers = ((-1) ** j * math.comb(k - 1, j) * (n - k + 1 + j) ** (-1 - 1 / shape) for j in range(k))
    return front * math.gamma(1 + 1 / shape) * math.fsum(powers)


@RANKS
def test_exponential(k, n):
    assert cs.Exponential(0.2).order_statistic_mean(k, n) == pytest.approx(0.2 * exponential(k, n), rel=1e-13)
    assert integral(cs.Exponential(0.2), k, n) == pytest.approx(0.2 * exponential(k, n), rel=1e-10)
    shifted = cs.ShiftedExponential(0.05, 0.02)
    assert shifted.order_statistic_mean(k, n) == pytest.approx(0.05 + 0.02 * exponential(k, n), rel=1e-13)
    assert integral(shifted, k, n) == pytest.approx(0.05 + 0.02 * exponential(k, n), rel=1e-10)


@RANKS
@pytest.mark.parametrize("shape", [1.1, 1.5, 4.0])
def test_pareto_with_heavy_tails(k, n, shape):
    model = cs.Pareto(mean=shape / (shape - 1.0), shape=shape)  # smallest time 1
    assert model.order_statistic_mean(k, n) == pytest.approx(pareto(k, n, shape), rel=1e-10)
    assert integral(model, k, n) == pytest.approx(pareto(k, n, shape), rel=1e-9)
    assert cs.FromScipy(stats.pareto(shape)).order_statistic_mean(k, n) == pytest.approx(pareto(k, n, shape), rel=1e-9)


@pytest.mark.parametrize("shape", [0.3, 1.0, 2.5])
def test_weibull(shape):
    model = cs.Weibull(mean=math.gamma(1.0 + 1.0 / shape), shape=shape)  # scale 1
    for n in (1, 2, 5, 8):
        for k in range(1, n + 1):
            assert model.order_statistic_mean(k, n) == pytest.approx(weibull(k, n, shape), rel=1e-9)
    fastest = model.expected_time * 1000.0 ** (-1.0 / shape)  # the minimum is Weibull again
    assert model.order_statistic_mean(1, 1000) == pytest.approx(fastest, rel=1e-9)


@RANKS
def test_uniform(k, n):
    assert cs.FromScipy(stats.uniform()).order_statistic_mean(k, n) == pytest.approx(k / (n + 1), rel=1e-10)


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_log_normal_slower_of_two(sigma):
    slower = 2.0 * 5.0 * stats.norm.cdf(sigma / math.sqrt(2.0))  # E max = 2 E[X] Phi(sigma / sqrt 2)
    assert cs.LogNormal(5.0, sigma).order_statistic_mean(2, 2) == pytest.approx(slower, rel=1e-10)


def test_gamma_faster_of_two():
    # P(min > t) = ((1 + t) e^-t)^2 for shape 2 and scale 1, whose integral is 5/4
    assert cs.Gamma(2.0, 2.0).order_statistic_mean(1, 2) == pytest.approx(1.25, rel=1e-10)


@pytest.mark.parametrize("model", [cs.Gamma(1.0, 0.3), cs.LogNormal(1.0, 2.0), cs.Weibull(1.0, 4.0)], ids=str)
def test_the_means_of_all_ranks_average_to_the_mean(model):
    assert order_statistic_means(model, 100).mean() == pytest.approx(model.expected_time, rel=1e-9)


def test_poisson_with_its_jumps():
    model, law = cs.FromScipy(stats.poisson(4.0)), stats.poisson(4.0)
    for k, n in ((1, 3), (2, 3), (3, 3), (17, 20)):
        later = stats.binom.cdf(k - 1, n, law.cdf(np.arange(200)))  # P(X_(k) > t), fewer than k by time t
        assert model.order_statistic_mean(k, n) == pytest.approx(later.sum(), rel=1e-9)


@pytest.mark.parametrize(
    "law", [stats.invgauss(0.145), stats.rice(1.0), stats.betaprime(2.0, 6.0)], ids=lambda law: law.dist.name
)
def test_laws_whose_tail_scipy_cannot_invert(law):
    """Beyond about exp(-36) their isf is inf or wild; the mean of three answers is still the sum of its ranks."""
    assert order_statistic_means(cs.FromScipy(law), 3).mean() == pytest.approx(law.mean(), rel=1e-9)


def test_empirical_by_listing_every_outcome():
    sample = [Fraction(1), Fraction(2), Fraction(2), Fraction(7)]
    outcomes = [sorted(outcome) for outcome in itertools.product(sample, repeat=3)]
    for k in (1, 2, 3):
        exact = sum(outcome[k - 1] for outcome in outcomes) / len(outcomes)
        model = cs.Empirical([float(value) for value in sample])
        assert model.order_statistic_mean(k, 3) == pytest.approx(float(exact), rel=1e-13)
        assert integral(model, k, 3) == pytest.approx(float(exact), rel=1e-10)


def test_two_point_mixture_by_hand():
    model = cs.Markov(cs.Constant(1.0), cs.Constant(5.0), slow_down=0.1, recover=0.3)  # slow a quarter of the time
    expected = [1.0 + 4.0 / 64.0, 1.0 + 4.0 * (1.0 / 64.0 + 9.0 / 64.0), 1.0 + 4.0 * (1.0 - 27.0 / 64.0)]
    np.testing.assert_allclose(order_statistic_means(model, 3), expected, rtol=1e-10)


def test_models_that_may_never_answer():
    for model in (cs.BernoulliStraggler(0.01), cs.Empirical([1.0, math.inf])):
        assert model.order_statistic_mean(1, 1000) == math.inf  # all of them may straggle
    chain = cs.Markov(cs.Constant(1.0), cs.BernoulliStraggler(0.5), 0.1, 0.3)
    assert chain.order_statistic_mean(1, 500) == math.inf
    assert cs.BernoulliStraggler(0.0, time=2.0).order_statistic_mean(3, 3) == 2.0


SAMPLED = [
    cs.Exponential(1.0),
    cs.ShiftedExponential(1.0, 2.0),
    cs.Pareto(1.0, 3.5),
    cs.Weibull(1.0, 0.7),
    cs.LogNormal(1.0, 0.7),
    cs.Gamma(1.0, 3.0),
    cs.Empirical([1.0, 2.0, 4.0, 8.0]),
    cs.FromScipy(stats.invgauss(0.5)),
    cs.Persistent(cs.Exponential(1.0), 1),
    cs.Markov(cs.Exponential(1.0), cs.ShiftedExponential(3.0, 2.0), 1.0, 0.5),
]


@pytest.mark.parametrize("model", SAMPLED, ids=lambda model: repr(model)[:30])
def test_simulated_order_statistics_agree(model):
    tasks, n = 10_000, 5
    times = np.sort(model.times(Streams(11).uniforms("compute"), 0, tasks, n), axis=1)
    if isinstance(model, cs.Markov):
        times = times[::20]  # tasks of a chain are not independent; by then |1 - 1.0 - 0.5|^20 is left
    z = stats.norm.isf(0.5e-6 / n)
    error = np.abs(times.mean(axis=0) - order_statistic_means(model, n))
    assert (error < z * times.std(axis=0) / math.sqrt(len(times))).all()


@pytest.mark.parametrize("model", SAMPLED[:6], ids=lambda model: repr(model)[:30])
def test_simulated_variances_agree(model):
    tasks, n = 10_000, 5
    times = np.sort(model.times(Streams(12).uniforms("compute"), 0, tasks, n), axis=1)
    squares = (times - times.mean(axis=0)) ** 2
    ranks = slice(0, 3)  # the slowest of Pareto(3.5) has no fourth moment to compute an interval with
    error = np.abs(squares.mean(axis=0) - order_statistic_variances(model, n))
    assert (error < stats.norm.isf(0.5e-6 / n) * squares.std(axis=0) / math.sqrt(tasks))[ranks].all()


def test_exponential_variances_in_closed_form():
    n = 12
    expected = [0.25 * sum(1.0 / i**2 for i in range(n - k + 1, n + 1)) for k in range(1, n + 1)]
    np.testing.assert_allclose(order_statistic_variances(cs.Exponential(0.5), n), expected, rtol=1e-13)
    np.testing.assert_allclose(order_statistic_variances(cs.ShiftedExponential(9.0, 0.5), n), expected, rtol=1e-13)
    # the same law under another name takes the numerical route
    np.testing.assert_allclose(order_statistic_variances(cs.Gamma(0.5, 1.0), n), expected, rtol=1e-9)


def test_means_for_all_k_are_those_of_each_k():
    for model in (cs.Exponential(2.0), cs.ShiftedExponential(1.0, 2.0), cs.Pareto(2.0, 2.0), cs.Constant(3.0)):
        each = [model.order_statistic_mean(k, 30) for k in range(1, 31)]
        np.testing.assert_allclose(order_statistic_means(model, 30), each, rtol=1e-13)


def test_against_scipy_quadrature_in_time():
    """E[X_(k)] as the integral of P(X_(k) > t) over time: another variable, another integrator."""
    for model in (
        cs.Gamma(1.0, 2.5),
        cs.LogNormal(1.0, 0.5),
        cs.Markov(cs.Exponential(1.0), cs.Gamma(9.0, 4.0), 0.2, 0.2),
    ):
        for k, n in ((1, 4), (3, 4), (4, 4)):
            expected, error = integrate.quad(
                lambda t, k=k, n=n, model=model: stats.binom.cdf(k - 1, n, model.cdf(t)), 0.0, 200.0, limit=500
            )
            assert model.order_statistic_mean(k, n) == pytest.approx(expected, abs=10.0 * error + 1e-9)


def test_harmonic_numbers():
    np.testing.assert_allclose(harmonic_numbers(4), [0.0, 1.0, 1.5, 11.0 / 6.0, 25.0 / 12.0], rtol=1e-15)
    assert harmonic_numbers(0).tolist() == [0.0]


@pytest.mark.parametrize(("k", "n"), [(0, 5), (6, 5), (1.5, 5), (1, 0)])
def test_ranks_out_of_range(k, n):
    for model in (cs.Exponential(1.0), cs.Pareto(1.0, 2.0), cs.Gamma(1.0, 2.0), cs.Constant(1.0), cs.Empirical([1.0])):
        with pytest.raises(ConfigurationError, match="expected a whole number"):
            model.order_statistic_mean(k, n)


def test_what_has_no_mean_says_so():
    with pytest.raises(ConfigurationError, match="tail is too heavy"):
        cs.FromScipy(stats.halfcauchy()).order_statistic_mean(3, 3)
    assert cs.FromScipy(stats.halfcauchy()).order_statistic_mean(1, 3) > 0.0
    unlike = cs.PerWorker([cs.Constant(1.0), cs.Constant(2.0)])
    for ask in (unlike.order_statistic_mean, lambda k, n: order_statistic_variances(unlike, n)):
        with pytest.raises(ConfigurationError, match="all follow the same law"):
            ask(1, 2)
