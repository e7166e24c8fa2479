"""The adaptive-k paper's theory: Lemma 1, Theorem 1 and Example 1, against independent arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.streams import Streams
from clustersim.theory import (
    adaptive_error_bound,
    bound_optimal_switching_times,
    fastest_k_error_bound,
    fixed_k_crossings,
    lemma_1_probability,
    order_statistic_means,
    order_statistic_variances,
)

MU = [0.2 * sum(1.0 / i for i in range(6 - k, 6)) for k in range(1, 6)]  # eq. 7 with rate 5
EXAMPLE = {"mu": MU, "eta": 0.001, "L": 2.0, "c": 1.0, "sigma2": 10.0, "s": 10.0, "e0": 100.0}


def floor(k, eta, L, c, sigma2, s, **_):
    return eta * L * sigma2 / (2.0 * c * k * s)


def walk(t, k, error, constants):
    """The error bound t seconds later, by Proposition 1: one factor 1 - eta c for each mu_k seconds."""
    f = floor(k, **constants)
    return f + (1.0 - constants["eta"] * constants["c"]) ** (t / constants["mu"][k - 1]) * (error - f)


def fall(k, error, constants):
    """How fast the bound falls with k workers when it stands at `error`: minus its derivative, by the chain rule."""
    rate = -math.log(1.0 - constants["eta"] * constants["c"]) / constants["mu"][k - 1]
    return rate * (error - floor(k, **constants))


problems = st.builds(
    lambda steps, **rest: {"mu": np.cumsum(steps), **rest},
    steps=st.lists(st.floats(0.05, 2.0), min_size=2, max_size=7),
    eta=st.floats(1e-4, 0.2),
    L=st.floats(0.5, 5.0),
    c=st.floats(0.1, 2.0),
    sigma2=st.floats(0.1, 100.0),
    s=st.floats(1.0, 50.0),
    e0=st.floats(0.0, 1000.0),
)


def test_example_1_fixed_k():
    np.testing.assert_allclose(fixed_k_crossings(**EXAMPLE), [1098, 2083, 3591, 6622], atol=0.5)


def test_example_1_adaptive_k():
    np.testing.assert_allclose(bound_optimal_switching_times(**EXAMPLE), [496.9, 621.6, 793.7, 1102.5], atol=0.05)


def test_example_1_as_printed_with_mean_5():
    """The paper's lambda = 1/5 is no rate: with mean 5 every time is 25 times longer than in its figures."""
    slow = EXAMPLE | {"mu": [25.0 * mu for mu in MU]}
    crossings = fixed_k_crossings(**slow)
    assert crossings[[0, -1]].round().tolist() == [27450.0, 165558.0]
    np.testing.assert_allclose(crossings, 25.0 * fixed_k_crossings(**EXAMPLE), rtol=1e-9)


def test_the_figures_589_needs_a_tenth_of_the_noise_inside_the_logarithm():
    """Theorem 1's first switch, written out with eta L sigma^2 divided by ten there and nowhere else."""

    def first_switch(noise):
        argument = (MU[1] - MU[0]) * (2 * 1.0 * 1 * 2 * 10.0 * 100.0 - 2 * noise) / (noise * MU[0])
        return MU[0] / -math.log(1.0 - 0.001) * math.log(argument)

    assert first_switch(0.02) == pytest.approx(bound_optimal_switching_times(**EXAMPLE)[0], rel=1e-12)
    assert round(first_switch(0.02 / 10)) == 589


@settings(max_examples=100, deadline=None)
@given(constants=problems, t=st.floats(0.0, 1e4))
def test_the_bound_is_proposition_1_at_t_over_mu(constants, t):
    for k in range(1, len(constants["mu"]) + 1):
        expected = walk(t, k, constants["e0"], constants)
        assert fastest_k_error_bound(t, k, **constants) == pytest.approx(
            expected, rel=1e-9, abs=1e-12 * floor(k, **constants)
        )


def test_bounds_take_one_time_or_many():
    times = np.array([[0.0, 10.0], [100.0, 1e9]])
    bound = fastest_k_error_bound(times, 2, **EXAMPLE)
    assert bound.shape == (2, 2)
    assert bound[0, 0] == 100.0
    assert bound[1, 1] == pytest.approx(0.001 / 2)
    assert isinstance(fastest_k_error_bound(10.0, 2, **EXAMPLE), float)
    assert fastest_k_error_bound(10.0, 2, **EXAMPLE) == bound[0, 1]
    assert isinstance(adaptive_error_bound(10.0, [5.0], **EXAMPLE), float)


@settings(max_examples=100, deadline=None)
@given(constants=problems)
def test_theorem_1_switches_when_one_worker_more_makes_the_bound_fall_faster(constants):
    """The first instant at which the derivative with k + 1 is the steeper one, found by bisection."""
    now, error, expected = 0.0, constants["e0"], []
    for k in range(1, len(constants["mu"])):

        def gain(wait, k=k, error=error):
            later = walk(wait, k, error, constants)
            return fall(k + 1, later, constants) - fall(k, later, constants)

        wait = 0.0
        if gain(0.0) < 0.0:
            far = constants["mu"][k - 1]
            while gain(far) < 0.0:
                far *= 2.0
            wait = optimize.brentq(gain, 0.0, far, xtol=1e-13 * far, rtol=1e-14)
        now, error = now + wait, walk(wait, k, error, constants)
        expected.append(now)
    np.testing.assert_allclose(bound_optimal_switching_times(**constants), expected, rtol=1e-5, atol=1e-6)


def test_no_other_switching_time_gives_a_lower_bound():
    """Direct minimisation: of all single switches from 1 to 2, Theorem 1's gives the lowest bound later on."""
    two = EXAMPLE | {"mu": MU[:2]}
    (best,) = bound_optimal_switching_times(**two)
    horizon = 3.0 * best
    found = optimize.minimize_scalar(
        lambda t: math.log(float(adaptive_error_bound(horizon, [t], **two))),
        bounds=(0.0, horizon),
        method="bounded",
        options={"xatol": 1e-6},
    )
    assert found.x == pytest.approx(best, abs=0.05)


@settings(max_examples=60, deadline=None)
@given(constants=problems, t=st.floats(0.0, 1e4))
def test_the_adaptive_bound_goes_through_its_stretches(constants, t):
    """Equal to that of k = 1 before the first switch, continuous at every switch, and then on with the last k."""
    times = bound_optimal_switching_times(**constants)
    if t <= times[0]:
        assert adaptive_error_bound(t, times, **constants) == fastest_k_error_bound(t, 1, **constants)
    error, start = constants["e0"], 0.0
    for k, end in enumerate(times, start=1):
        error, start = walk(end - start, k, error, constants), end
        assert adaptive_error_bound(end, times, **constants) == pytest.approx(error, rel=1e-7, abs=1e-12)
    after = walk(t, len(times) + 1, error, constants)
    assert adaptive_error_bound(start + t, times, **constants) == pytest.approx(after, rel=1e-6, abs=1e-12)


def test_the_adaptive_bound_of_example_1_beats_every_fixed_k():
    t = np.linspace(0.0, 8000.0, 4001)
    adaptive = adaptive_error_bound(t, bound_optimal_switching_times(**EXAMPLE), **EXAMPLE)
    for k in range(1, 6):
        assert (adaptive <= fastest_k_error_bound(t, k, **EXAMPLE) * (1.0 + 1e-12)).all()
    np.testing.assert_array_equal(adaptive_error_bound(t, [], **EXAMPLE), fastest_k_error_bound(t, 1, **EXAMPLE))
    np.testing.assert_array_equal(
        adaptive_error_bound(t, [math.inf], **EXAMPLE), fastest_k_error_bound(t, 1, **EXAMPLE)
    )
    np.testing.assert_array_equal(adaptive_error_bound(t, [0.0] * 4, **EXAMPLE), fastest_k_error_bound(t, 5, **EXAMPLE))


@settings(max_examples=100, deadline=None)
@given(constants=problems)
def test_crossings_are_where_the_fixed_bounds_cross(constants):
    for k, crossing in enumerate(fixed_k_crossings(**constants), start=1):

        def gain(t, k=k):
            return walk(t, k, constants["e0"], constants) - walk(t, k + 1, constants["e0"], constants)

        scale = 1e-12 * (constants["e0"] + floor(1, **constants))
        if crossing > 0.0:
            assert abs(gain(crossing)) <= 1e3 * scale
            assert gain(0.5 * crossing) <= scale  # before: k is better
        assert gain(crossing + 1.0 + crossing) >= -scale  # after: k + 1 is


def test_a_worker_that_costs_no_time_is_waited_for_at_once():
    free = EXAMPLE | {"mu": [1.0, 1.0, 2.0]}
    assert bound_optimal_switching_times(**free)[0] == 0.0
    assert fixed_k_crossings(**free)[0] == 0.0


def test_an_error_below_the_floor_switches_at_once():
    low = EXAMPLE | {"e0": 0.0004}  # floors are 0.001, 0.0005, 0.00033, 0.00025, 0.0002
    times = bound_optimal_switching_times(**low)
    assert times[0] == times[1] == 0.0  # until k = 3, whose floor is below the error, nothing else makes sense
    assert times[2] >= 0.0
    assert fixed_k_crossings(**low)[0] == 0.0
    assert len(bound_optimal_switching_times(**(EXAMPLE | {"mu": [1.0]}))) == 0


@pytest.mark.parametrize(("k", "t"), [(1, 20.0), (3, 60.0), (5, 500.0)])
def test_lemma_1_holds_as_often_as_it_says(k, t):
    """Count the updates that renewals of X_(k) make by time t; the slack of Chebyshev's inequality is on our side."""
    model, n, epsilon, runs = cs.Exponential(1.0), 5, 0.3, 1500
    mu, variances = order_statistic_means(model, n), order_statistic_variances(model, n)
    promised = lemma_1_probability(t, k, mu, variances, epsilon)
    assert 0.0 < promised < 1.0
    updates = math.ceil((1.0 - epsilon) * t / mu[k - 1])
    times = model.times(Streams(3).uniforms("compute"), 0, runs * updates, n)
    finished = np.sort(times, axis=1)[:, k - 1].reshape(runs, updates).sum(axis=1)
    kept = np.count_nonzero(finished <= t)
    assert kept >= promised * runs - stats.norm.isf(1e-6) * math.sqrt(promised * (1.0 - promised) * runs)


def test_lemma_1_probability_by_hand():
    # 1 - (0.5 / 0.01) (2 / (200 * 2) + 1 / 200^2)
    assert lemma_1_probability(200.0, 2, [1.0, 2.0], [0.2, 0.5], 0.1) == pytest.approx(1.0 - 50.0 * (0.005 + 0.000025))
    np.testing.assert_array_equal(lemma_1_probability([1e-3, 1e12], 1, [1.0], [1.0], 0.1).round(6), [0.0, 1.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eta": 1.0}, "eta c = 1: expected less than 1.*below 1"),
        ({"eta": 0.0}, "eta = 0.0"),
        ({"sigma2": 0.0}, "sigma2 = 0.0"),
        ({"s": -1.0}, "s = -1.0"),
        ({"L": math.nan}, "L = nan"),
        ({"c": 0.0}, "c = 0.0"),
        ({"e0": -1.0}, "e0 = -1.0"),
        ({"mu": [2.0, 1.0]}, "ascending order"),
        ({"mu": [1.0, math.inf]}, "finite means"),
        ({"mu": []}, "mu ="),
    ],
)
def test_bad_constants_are_refused(change, message):
    for ask in (bound_optimal_switching_times, fixed_k_crossings):
        with pytest.raises(ConfigurationError, match=message):
            ask(**(EXAMPLE | change))


def test_bad_times_and_ranks_are_refused():
    with pytest.raises(ConfigurationError, match=r"k = 6.*from 1 to 5"):
        fastest_k_error_bound(1.0, 6, **EXAMPLE)
    with pytest.raises(ConfigurationError, match=r"t = -1.0"):
        fastest_k_error_bound(-1.0, 1, **EXAMPLE)
    for times in ([2.0, 1.0], [1.0] * 5, [-1.0], 3.0, [math.nan]):
        with pytest.raises(ConfigurationError, match="times ="):
            adaptive_error_bound(1.0, times, **EXAMPLE)
    with pytest.raises(ConfigurationError, match="epsilon = 0"):
        lemma_1_probability(1.0, 1, [1.0], [1.0], 0.0)
    with pytest.raises(ConfigurationError, match="greater than 0"):
        lemma_1_probability(0.0, 1, [1.0], [1.0], 0.1)
    with pytest.raises(ConfigurationError, match=r"variances = .*1 finite"):
        lemma_1_probability(1.0, 1, [1.0], [1.0, 2.0], 0.1)
