"""Response-time models: every sampler against its law, its moments and its quantiles, within computed intervals."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.latency import LatencyModel
from clustersim.streams import Streams

Z = stats.norm.isf(0.5e-6)  # two-sided, one false alarm in a million
TASKS, WORKERS = 2000, 50
SAMPLE = [0.5, 0.5, 1.0, 2.5, 7.0]

# each model beside the same law from scipy, parametrised independently
LAWS = [
    (cs.Exponential(mean=0.2), stats.expon(scale=0.2)),
    (cs.ShiftedExponential(shift=0.05, mean=0.02), stats.expon(loc=0.05, scale=0.02)),
    (cs.Pareto(mean=3.0, shape=5.0), stats.pareto(5.0, scale=2.4)),
    (cs.Pareto(mean=3.0, shape=1.5), stats.pareto(1.5, scale=1.0)),
    (cs.Weibull(mean=2.0, shape=0.5), stats.weibull_min(0.5, scale=1.0)),
    (cs.Weibull(mean=1.0, shape=3.0), stats.weibull_min(3.0, scale=1.0 / math.gamma(4.0 / 3.0))),
    (cs.LogNormal(mean=1.0, sigma=0.5), stats.lognorm(0.5, scale=math.exp(-0.125))),
    (cs.Gamma(mean=3.0, shape=2.0), stats.gamma(2.0, scale=1.5)),
    (cs.Gamma(mean=1.0, shape=0.5), stats.gamma(0.5, scale=2.0)),
    (cs.FromScipy(stats.invgauss(0.5)), stats.invgauss(0.5)),
    (cs.FromScipy(stats.uniform(1.0, 2.0)), stats.uniform(1.0, 2.0)),
]
CONTINUOUS = pytest.mark.parametrize(("model", "law"), LAWS, ids=lambda value: repr(value)[:40])
LIGHT = [(model, law) for model, law in LAWS if math.isfinite(law.stats("k"))]


def drawn(model, seed=1, tasks=TASKS, workers=WORKERS):
    return model.times(Streams(seed).uniforms("compute"), 0, tasks, workers)


@CONTINUOUS
def test_draws_follow_the_law(model, law):
    times = np.sort(drawn(model).ravel())
    ranks = np.arange(len(times) + 1) / len(times)
    distance = np.maximum(np.abs(law.cdf(times) - ranks[:-1]), np.abs(law.cdf(times) - ranks[1:])).max()
    # Dvoretzky-Kiefer-Wolfowitz: P(D > x) <= 2 exp(-2 N x^2), for every N and every law
    assert distance < math.sqrt(math.log(2.0 / 1e-6) / (2.0 * len(times)))


@pytest.mark.parametrize(("model", "law"), [(m, law) for m, law in LAWS if not isinstance(m, cs.FromScipy)])
def test_times_of_any_size_have_a_probability(model, law):
    """Scaled, the longest float may overflow: a warning would be an error here."""
    longest = np.finfo(np.float64).max
    for time in (longest, np.array([longest, math.inf])):
        assert (model.cdf(time) == 1.0).all()
        with np.errstate(over="ignore"):
            left = law.sf(time)
        np.testing.assert_allclose(model.survival(time), left, rtol=1e-9)


def test_mixtures_look_for_their_quantiles_among_all_floats():
    mixed = cs.Markov(cs.BernoulliStraggler(0.6), cs.Exponential(0.1), 0.3, 0.5)
    assert mixed.quantile(0.5) > 0.0


@CONTINUOUS
def test_moments_quantiles_and_cdf_are_those_of_the_law(model, law):
    assert model.expected_time == pytest.approx(law.mean(), rel=1e-12)
    variance = law.var()
    assert model.variance == (math.inf if math.isinf(variance) else pytest.approx(variance, rel=1e-10))
    u = np.array([0.0, 1e-9, 0.01, 0.3, 0.5, 0.9, 0.999, 1.0 - 1e-12, 1.0])
    np.testing.assert_allclose(model.quantile(u), law.ppf(u), rtol=1e-9)
    t = np.concatenate([[-1.0, 0.0], law.ppf([0.001, 0.2, 0.8, 0.999]), [1e4, math.inf]])
    np.testing.assert_allclose(model.cdf(t), law.cdf(t), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(model.survival(t), law.sf(t), rtol=1e-9)
    near, far = np.array([1e-9, 0.1]), np.array([1.0, 20.0, 36.0])  # each from the side on which scipy is accurate
    np.testing.assert_allclose(model.inverse_hazard(near), law.ppf(-np.expm1(-near)), rtol=1e-9)
    np.testing.assert_allclose(model.inverse_hazard(far), law.isf(np.exp(-far)), rtol=1e-9)
    np.testing.assert_allclose(model.shifts(3), np.full(3, law.support()[0]), rtol=1e-12)


@pytest.mark.parametrize(("model", "law"), LIGHT, ids=lambda value: repr(value)[:40])
def test_draws_have_the_mean_and_the_variance_that_the_model_tells(model, law):
    times = drawn(model)
    assert abs(times.mean() - model.expected_time) < Z * math.sqrt(model.variance / times.size)
    kurtosis = float(law.stats("k"))
    spread = model.variance * math.sqrt((kurtosis + 2.0) / times.size)  # of the mean squared deviation
    assert abs(((times - model.expected_time) ** 2).mean() - model.variance) < Z * spread


def test_heavy_tails_are_tested_by_their_quantiles_too():
    times = drawn(cs.Pareto(mean=3.0, shape=1.5))
    for u in (0.1, 0.5, 0.9, 0.999):
        below = np.count_nonzero(times <= cs.Pareto(mean=3.0, shape=1.5).quantile(u))
        assert abs(below - u * times.size) < Z * math.sqrt(u * (1.0 - u) * times.size)


def test_a_constant_is_constant():
    model = cs.Constant(2.5)
    assert (drawn(model) == 2.5).all()
    assert (model.expected_time, model.variance) == (2.5, 0.0)
    np.testing.assert_array_equal(model.quantile([0.0, 0.5, 1.0]), [2.5, 2.5, 2.5])
    np.testing.assert_array_equal(model.cdf([2.0, 2.5, 3.0]), [0.0, 1.0, 1.0])


def test_empirical_draws_each_value_as_often_as_it_occurs():
    model = cs.Empirical(SAMPLE)
    times = drawn(model)
    for value in set(SAMPLE):
        share = SAMPLE.count(value) / len(SAMPLE)
        seen = np.count_nonzero(times == value)
        assert abs(seen - share * times.size) < Z * math.sqrt(share * (1.0 - share) * times.size)
    assert model.expected_time == pytest.approx(2.3)
    assert model.variance == pytest.approx(6.06)  # (2 * 1.8^2 + 1.3^2 + 0.2^2 + 4.7^2) / 5 = 30.3 / 5
    np.testing.assert_array_equal(model.cdf([0.4, 0.5, 0.9, 7.0]), [0.0, 0.4, 0.4, 1.0])


@given(st.integers(1, 400).flatmap(lambda count: st.tuples(st.just(count), st.integers(1, count))))
def test_the_quantile_at_j_of_n_is_the_jth_value(case):
    count, j = case
    assert cs.Empirical(np.arange(1.0, count + 1.0)).quantile(j / count) == j


def test_a_discrete_law_begins_at_its_smallest_value():
    model = cs.FromScipy(stats.poisson(1.0, loc=2))
    np.testing.assert_array_equal(model.shifts(2), [2.0, 2.0])
    np.testing.assert_array_equal(model.quantile([0.0, 0.3, 0.5, 0.9]), [2.0, 2.0, 3.0, 4.0])  # e^-1 = 0.37, 0.74, 0.92
    times = drawn(model)
    assert abs(times.mean() - 3.0) < Z * math.sqrt(1.0 / times.size)


def test_failures_in_a_sample_never_answer():
    model = cs.Empirical([1.0, math.inf])
    assert math.isinf(model.expected_time)
    assert math.isinf(model.variance)
    assert set(np.unique(drawn(model))) == {1.0, math.inf}


def test_replay_gives_the_very_times_whatever_the_seed():
    matrix = np.arange(12.0).reshape(4, 3)
    model = cs.Replay(matrix)
    matrix[0, 0] = 99.0  # a later change of the caller's array does not reach the model
    for seed in (0, 1):
        np.testing.assert_array_equal(
            model.times(Streams(seed).uniforms("compute"), 1, 2, 2, lane=3), [[3.0, 4.0], [6.0, 7.0]]
        )
    np.testing.assert_array_equal(model.shifts(3), [0.0, 1.0, 2.0])
    assert (model.expected_time, model.recorded_tasks) == (5.5, 4)
    assert model.variance == pytest.approx((12**2 - 1) / 12)
    assert model.order_statistic_mean(2, 3) == 5.5  # the mean of 1, 4, 7, 10


@pytest.mark.parametrize(("first", "tasks", "workers"), [(3, 2, 3), (0, 5, 1), (4, 1, 1), (0, 1, 4)])
def test_replay_invents_nothing(first, tasks, workers):
    model = cs.Replay(np.ones((4, 3)))
    with pytest.raises(ConfigurationError, match=r"(tasks|workers) = \d: expected at most [34].*record more"):
        model.times(Streams(0).uniforms("compute"), first, tasks, workers)


@settings(max_examples=40, deadline=None)
@given(
    model=st.sampled_from([model for model, _ in LAWS] + [cs.Constant(1.0), cs.Empirical(SAMPLE)]),
    first=st.integers(0, 30),
    tasks=st.integers(0, 5),
    workers=st.integers(1, 9),
    lane=st.integers(0, 2),
)
def test_a_time_is_a_function_of_task_and_worker(model, first, tasks, workers, lane):
    whole = model.times(Streams(7).uniforms("compute"), 0, 36, 12, lane)
    block = model.times(Streams(7).uniforms("compute"), first, tasks, workers, lane)
    np.testing.assert_array_equal(block, whole[first : first + tasks, :workers])


def test_a_model_of_your_own_needs_only_a_quantile():
    class Triangular(LatencyModel):  # the density is 2 t on (0, 1)
        def quantile(self, u):
            return np.sqrt(u)

    class Unbounded(LatencyModel):
        def quantile(self, u):
            return -np.log1p(-np.asarray(u))

    model = Triangular()
    assert model.expected_time == pytest.approx(2.0 / 3.0, rel=1e-10)
    assert model.variance == pytest.approx(1.0 / 18.0, rel=1e-10)
    np.testing.assert_allclose(model.cdf([-1.0, 0.0, 0.5, 1.0, 2.0]), [0.0, 0.0, 0.25, 1.0, 1.0], atol=1e-15)
    assert model.order_statistic_mean(2, 2) == pytest.approx(4.0 / 5.0, rel=1e-10)
    assert Unbounded().expected_time == pytest.approx(1.0, rel=1e-10)
    assert Unbounded().order_statistic_mean(3, 3) == pytest.approx(11.0 / 6.0, rel=1e-10)


SAME = [
    (lambda: cs.Exponential(1.0), cs.Exponential(2.0)),
    (lambda: cs.Empirical([1.0, 2.0]), cs.Empirical([1.0, 3.0])),
    (lambda: cs.Replay([[1.0, 2.0]]), cs.Replay([[1.0], [2.0]])),
    (lambda: cs.FromScipy(stats.gamma(2.0)), cs.FromScipy(stats.gamma(2.0, scale=3.0))),
    (
        lambda: cs.FromScipy(stats.rv_histogram(([1, 2], [0, 1, 2])).freeze()),
        cs.FromScipy(stats.rv_histogram(([2, 1], [0, 1, 2])).freeze()),
    ),
]


@pytest.mark.parametrize(("make", "other"), SAME, ids=lambda value: "")
def test_equal_models_are_equal_hash_alike_and_pickle(make, other):
    assert make() == make()
    assert hash(make()) == hash(make())
    assert repr(make()) == repr(make())
    assert make() != other
    assert repr(make()) != repr(other)
    copy = pickle.loads(pickle.dumps(make()))  # noqa: S301 - its own bytes
    assert copy == make()
    np.testing.assert_array_equal(drawn(copy, tasks=1, workers=1), drawn(make(), tasks=1, workers=1))


def test_the_order_of_a_sample_makes_no_difference():
    assert cs.Empirical([2.0, 1.0]) == cs.Empirical([1.0, 2.0])
    assert cs.Empirical([1.0]) != cs.Replay([[1.0]])


def test_measured_models_print_short():
    assert len(repr(cs.Empirical(np.ones(10**5)))) < 60
    assert repr(cs.Replay(np.ones((100, 30)))).startswith("Replay(<100 tasks x 30 workers, ")


BAD = [
    (lambda: cs.Exponential(0.0), "mean = 0.0.*greater than 0"),
    (lambda: cs.Exponential(math.nan), "mean = nan"),
    (lambda: cs.Exponential(math.inf), "mean = inf"),
    (lambda: cs.ShiftedExponential(-0.1, 1.0), "shift = -0.1.*at least 0"),
    (lambda: cs.ShiftedExponential(0.1, -1.0), "mean = -1.0"),
    (lambda: cs.Pareto(1.0, 1.0), "shape = 1.0.*greater than 1"),
    (lambda: cs.Weibull(1.0, 0.0), "shape = 0.0"),
    (lambda: cs.LogNormal(1.0, 0.0), "sigma = 0.0"),
    (lambda: cs.Gamma("1", 1.0), "mean = '1'"),
    (lambda: cs.Constant(-1.0), "time = -1.0.*at least 0"),
    (lambda: cs.Empirical([]), r"samples = \[\]: expected a list.*not empty"),
    (lambda: cs.Empirical([1.0, -2.0]), r"at least 0 .*samples\[1\] = -2.0"),
    (lambda: cs.Empirical([[1.0]]), "expected a list of times"),
    (lambda: cs.Empirical(["a"]), r"samples = .*expected a list of times"),
    (lambda: cs.Replay([1.0]), "expected a matrix of times"),
    (lambda: cs.Replay([[1.0], [1.0, 2.0]]), r"times = .*expected a matrix of times, one row for each task"),
    (lambda: cs.Replay([[1.0, math.nan]]), r"times\[0, 1\] = nan"),
    (lambda: cs.Replay([[-1.0]]), r"times\[0, 0\] = -1.0"),
    (lambda: cs.FromScipy(stats.norm()), "norm.*without negative times"),
    (lambda: cs.FromScipy(stats.expon(loc=-0.5)), "begins at -0.5"),
    (lambda: cs.FromScipy(stats.expon), "expected a frozen distribution"),
    (lambda: cs.FromScipy(stats.gamma([1.0, 2.0])), "scalar parameters"),
    (lambda: cs.FromScipy(3.0), "distribution = 3.0"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_models_are_refused(make, message):
    with pytest.raises(ConfigurationError, match=message):
        make()
