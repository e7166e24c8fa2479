"""ErasureHead's theory, against exact fractions, exact expectations on a small problem, and simulated times."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.theory import (
    erasurehead_error_bound,
    erasurehead_exponential_error_bound,
    erasurehead_noise_level,
    erasurehead_update_time,
    erasurehead_update_time_bound,
    exact_code_update_time,
    missing_probabilities,
    order_statistic_means,
    times_to_error_bound,
    uncoded_update_time,
    uncovered_probabilities,
)

STEPS = ["(1-p)/beta", "1/beta"]
SMALL = [(k, load) for k in range(1, 9) for load in range(1, k + 1) if k % load == 0]


def harmonic(n):
    return math.fsum(1.0 / i for i in range(1, n + 1))


def covered(k, load, r):
    """Every set of r of k workers: which groups have answered."""
    sets = itertools.combinations(range(k), r)
    return [{worker // load for worker in answered} for answered in sets]


# --- who is missing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "load"), SMALL)
def test_missing_probabilities_by_listing_the_messages(k, load):
    for r in range(1, k + 1):
        sets = covered(k, load, r)
        p, q = missing_probabilities(k, load, r)
        assert p == pytest.approx(sum(0 not in answered for answered in sets) / len(sets), abs=1e-14)
        if k > load:
            either = sum(not {0, 1} <= answered for answered in sets) / len(sets)
            assert q == pytest.approx(either, abs=1e-14)
        assert p <= q <= 2.0 * p


@pytest.mark.parametrize(("k", "load", "r"), [(30, 3, 11), (1000, 10, 300), (10**6, 4, 10**5), (10**6, 10**5, 7)])
def test_missing_probabilities_of_many_workers(k, load, r):
    def outside(group):
        few, many = min(group, r), max(group, r)
        return math.prod((Fraction(k - many - j, k - j) for j in range(few)), start=Fraction(1))

    p, q = missing_probabilities(k, load, r)
    assert p == pytest.approx(float(outside(load)), rel=1e-12)
    assert q == pytest.approx(float(2 * outside(load) - outside(2 * load)), rel=1e-12)


def test_no_group_is_missing_from_enough_messages():
    assert missing_probabilities(12, 3, 10) == (0.0, 0.0)  # r > k - l
    assert missing_probabilities(12, 12, 1) == (0.0, 0.0)  # one group, k < 2 l
    p, q = missing_probabilities(12, 3, 8)  # k - 2 l < r <= k - l
    assert p == pytest.approx(9 / 495)
    assert q == pytest.approx(18 / 495)


@pytest.mark.parametrize(("k", "load"), SMALL)
def test_uncovered_probabilities_by_listing_the_messages(k, load):
    sets = [covered(k, load, s) for s in range(k + 1)]
    expected = [sum(len(answered) < k // load for answered in some) / len(some) for some in sets]
    np.testing.assert_allclose(uncovered_probabilities(k, load), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("k", "load"), [(60, 3), (200, 10), (150, 1)])
def test_uncovered_probabilities_by_inclusion_and_exclusion(k, load):
    groups = k // load
    found = uncovered_probabilities(k, load)
    for s in range(0, k + 1, 7):
        terms = ((-1) ** (i + 1) * math.comb(groups, i) * math.comb(k - i * load, s) for i in range(1, groups + 1))
        assert found[s] == pytest.approx(float(Fraction(sum(terms), math.comb(k, s))), rel=1e-11)


# --- times ------------------------------------------------------------------------------------------------------------


def simulated(n, c, rate, updates=100_000, seed=5):
    """Times of n workers in many updates, and when the last group was first answered."""
    times = c / n + np.random.default_rng(seed).exponential(c / (rate * n), (updates, n))
    return np.sort(times, axis=1), times.reshape(updates, n // c, c).min(axis=2).max(axis=1)


def interval(sample, tests=1):
    half = stats.norm.isf(0.5e-6 / tests) * sample.std() / math.sqrt(len(sample))
    return sample.mean() - half, sample.mean() + half


def test_simulation_refutes_equation_13_and_confirms_the_mended_form():
    n, c, rate = 30, 3, 1.0
    low, high = interval(simulated(n, c, rate, updates=200_000)[1])
    assert low < exact_code_update_time(n, c, rate) < high
    printed = exact_code_update_time(n, c, rate, printed=True)
    assert printed < low
    assert printed == pytest.approx(0.1 + (harmonic(30) - harmonic(3)) / 30.0)
    assert exact_code_update_time(n, c, rate) == pytest.approx(0.1 + harmonic(10) / 30.0)


@pytest.mark.parametrize(("n", "c", "rate"), [(30, 3, 1.0), (30, 2, 0.5), (12, 4, 2.0), (8, 1, 1.0)])
def test_simulated_update_times(n, c, rate):
    ordered, last_group = simulated(n, c, rate)
    ranks = range(1, n + 1)
    for r in ranks:
        low, high = interval(ordered[:, r - 1], tests=n)
        assert low < erasurehead_update_time_bound(n, c, r, rate) < high
        low, high = interval(np.minimum(ordered[:, r - 1], last_group), tests=n)
        assert low < erasurehead_update_time(n, c, r, rate) < high
        assert erasurehead_update_time(n, c, r, rate) <= erasurehead_update_time_bound(n, c, r, rate) * (1.0 + 1e-14)
    low, high = interval(last_group)
    assert low < exact_code_update_time(n, c, rate) < high


@pytest.mark.parametrize(("n", "c", "rate"), [(30, 3, 1.0), (7, 7, 0.3), (1000, 10, 4.0), (5, 1, 2.0)])
def test_identities_of_the_update_times(n, c, rate):
    exact = exact_code_update_time(n, c, rate)
    assert erasurehead_update_time(n, c, n, rate) == pytest.approx(exact, rel=1e-12)
    uncoded = 1.0 / n + harmonic(n) / (rate * n)
    assert uncoded_update_time(n, rate) == pytest.approx(uncoded, rel=1e-13)
    assert exact_code_update_time(n, 1, rate) == pytest.approx(uncoded, rel=1e-13)
    assert erasurehead_update_time_bound(n, 1, n, rate) == pytest.approx(uncoded, rel=1e-13)
    # the general form of the docstring, with the library's order statistics
    means = order_statistic_means(cs.ShiftedExponential(c / n, c / (rate * n)), n)
    r = (n + 1) // 2
    gaps = np.diff(means, prepend=0.0)[:r]
    general = gaps @ uncovered_probabilities(n, c)[:r]
    assert erasurehead_update_time(n, c, r, rate) == pytest.approx(general, rel=1e-12)


def test_the_best_load_of_an_exact_code():
    """With lambda = 1/c, c is best where it divides n; in general the groups nearest to ceil(lambda n) are."""
    for n in range(1, 61):
        loads = [load for load in range(1, n + 1) if n % load == 0]
        for c in loads:
            times = [exact_code_update_time(n, load, 1.0 / c) for load in loads]
            assert exact_code_update_time(n, c, 1.0 / c) <= min(times) * (1.0 + 1e-13)
        for rate in (0.013, 0.1, 0.37, 0.83, 1.0, 2.5):
            times = [exact_code_update_time(n, load, rate) for load in loads]
            target = min(max(math.ceil(rate * n), 1), n)
            best = n // loads[int(np.argmin(times))]
            between = [n // load for load in loads if min(best, target) < n // load < max(best, target)]
            assert not between
            if rate >= 1.0:
                assert best == n


# --- errors -----------------------------------------------------------------------------------------------------------

CENTRES = np.array([[3.0, -1.0], [-2.0, 0.5], [0.5, 2.0]])  # a_i of f_i(x) = (x - a_i)^T H (x - a_i) / 2
H = np.diag([1.0, 0.4])
START = np.array([4.0, 4.0])
K, LOAD, R = 6, 2, 3  # three groups of two workers


def expected_errors(step, T):
    """E[f(x_t) - f*] for t = 0 .. T, exactly: the second moment of (x - x*, 1) follows a linear recursion."""
    best = CENTRES.mean(axis=0)
    sets = covered(K, LOAD, R)
    maps = []
    for answered in sets:
        move = np.eye(3)
        for i in answered:
            move[:2, :2] -= step * H / 3.0
            move[:2, 2] -= step * H @ (best - CENTRES[i]) / 3.0
        maps.append(move)
    maps = np.array(maps)
    state = np.append(START - best, 1.0)
    moment, errors = np.outer(state, state), []
    for _ in range(T + 1):
        errors.append(0.5 * np.trace(H @ moment[:2, :2]))
        moment = (maps @ moment @ maps.transpose(0, 2, 1)).mean(axis=0)
    return np.array(errors)


def constants(step):
    """Smoothness, convexity and a bound on the gradients anywhere that these steps can lead to."""
    p = missing_probabilities(K, LOAD, R).p
    reach = np.abs(CENTRES).max(axis=0)
    theta = np.diag(H) / (1.0 - p) if step == "1/beta" else np.diag(H)
    reach = np.maximum(np.where(theta > 1.0, theta / (2.0 - theta), 1.0) * reach, np.abs(START))
    sigma = float(np.linalg.norm(H @ (reach + np.abs(CENTRES).max(axis=0))))
    return {"beta": 1.0, "mu": 0.4, "sigma": sigma, "initial_error": expected_errors(1.0, 0)[0]}


@pytest.mark.parametrize("step", STEPS)
def test_exact_expected_errors_stay_below_theorems_1_and_2(step):
    T = np.arange(61)
    p = missing_probabilities(K, LOAD, R).p
    errors = expected_errors(1.0 / (1.0 - p) if step == "1/beta" else 1.0, 60)
    first = erasurehead_error_bound(T, K, LOAD, R, step=step, **constants(step))
    assert (errors <= first * (1.0 + 1e-12)).all()
    assert first[0] > errors[0] > 10.0 * errors[-1]  # and they fall
    second = erasurehead_exponential_error_bound(T, K, LOAD, R, step=step, **constants(step))
    assert (first <= second).all()


def test_theorem_1_by_hand():
    # k = 4, l = 2, r = 2: p = 1/6, q = 1/3
    some = {"beta": 2.0, "mu": 1.0, "sigma": 3.0, "initial_error": 8.0}
    noise = 9.0 / (2.0 * 5.0 / 6.0)
    wide = 0.5**3 * 8.0 + noise * (1.0 / 6.0 + (1.0 / 6.0) * 0.5 / (5.0 / 6.0))
    assert erasurehead_error_bound(3, 4, 2, 2, step="1/beta", **some) == pytest.approx(wide)
    assert erasurehead_error_bound(3, 4, 2, 2, **some) == pytest.approx((7.0 / 12.0) ** 3 * 8.0 + noise / 12.0)
    full = erasurehead_error_bound([0, 2], 4, 2, 3, **some)  # r = 3 of 4 cover both groups: gradient descent
    np.testing.assert_allclose(full, [8.0, 2.0])


def test_theorem_2_by_hand():
    some = {"beta": 2.0, "mu": 1.0, "sigma": 3.0, "initial_error": 8.0}
    e = math.exp(-1.0)
    assert erasurehead_exponential_error_bound(3, 4, 2, 2, step="1/beta", **some) == pytest.approx(
        1.0 + e * 9.0 + 4.0 * 2.0 * e * 9.0 / 4.0
    )
    assert erasurehead_exponential_error_bound(3, 4, 2, 2, **some) == pytest.approx(
        (1.0 - (1.0 - e) / 2.0) ** 3 * 8.0 + 2.0 * 2.0 * e * 9.0 / 4.0
    )


@pytest.mark.parametrize(("k", "load"), [(12, 1), (12, 3), (30, 3), (30, 15)])
@pytest.mark.parametrize("step", STEPS)
def test_theorem_2_is_never_below_theorem_1(k, load, step):
    some = {"beta": 2.0, "mu": 0.5, "sigma": 1.0, "initial_error": 3.0, "step": step}
    for r in range(math.ceil(math.log(2.0) * k / load), k + 1):
        tight = erasurehead_error_bound([0, 1, 10, 1000], k, load, r, **some)
        assert (tight <= erasurehead_exponential_error_bound([0, 1, 10, 1000], k, load, r, **some) + 1e-14).all()


# --- time to an error -------------------------------------------------------------------------------------------------


def test_the_exact_code_of_theorem_3_as_printed_is_too_fast():
    for n, c in [(30, 2), (30, 3), (100, 5), (100, 100)]:
        exact = exact_code_update_time(n, c, 1.0 / c)
        assert (c * math.log(n / c) + c + 1.0) / n < exact <= (c * math.log(n / c) + 2.0 * c) / n
        low, _ = interval(simulated(n, c, 1.0 / c, updates=20_000)[1])
        assert (c * math.log(n / c) + c + 1.0) / n < low


def test_theorem_3_by_hand():
    setting = {"workers": 30, "load": 3, "messages": 11, "beta": 2.0, "mu": 0.5, "sigma": 0.1, "initial_error": 4.0}
    eta = 1.0 - math.exp(-1.1)
    full, partial = math.log(40.0) / math.log(4.0 / 3.0), math.log(120.0) / -math.log(1.0 - eta / 4.0)
    last = (9.0 * math.log(30.0 / 19.0) + 12.0) / 30.0
    printed = [full * (3 * math.log(30) + 4) / 30, full * (3 * math.log(10) + 4) / 30, partial * last]
    np.testing.assert_allclose(times_to_error_bound(0.1, **setting, printed=True), printed)
    full, partial = math.ceil(full), math.ceil(partial)
    mended = [full * (3 * math.log(30) + 4) / 30, full * (3 * math.log(10) + 6) / 30, partial * last]
    np.testing.assert_allclose(times_to_error_bound(0.1, **setting), mended)
    at_once = times_to_error_bound(0.1, **(setting | {"mu": 2.0}))  # one full gradient step solves it
    assert at_once.uncoded == pytest.approx((3 * math.log(30) + 4) / 30)


@pytest.mark.parametrize(("load", "r"), [(2, 3), (2, 4), (3, 3), (3, 2)])
def test_theorem_3_bounds_the_exact_times(load, r):
    some = constants(STEPS[0])
    floor = erasurehead_noise_level(K, load, r, mu=some["mu"], sigma=some["sigma"])
    some["initial_error"] = 100.0 * floor
    for error in (floor, 2.0 * floor, 30.0 * floor):
        times = times_to_error_bound(error, K, load, r, **some)
        updates = np.arange(2000)
        gradient_descent = (1.0 - some["mu"] / some["beta"]) ** updates * some["initial_error"]
        full = int(np.argmax(gradient_descent <= error))
        partial = int(np.argmax(erasurehead_error_bound(updates, K, load, r, **some) <= error))
        assert 0 < full * uncoded_update_time(K, 1.0 / load) <= times.uncoded
        assert 0 < full * exact_code_update_time(K, load, 1.0 / load) <= times.exact_code
        assert 0 < partial * erasurehead_update_time_bound(K, load, r, 1.0 / load) <= times.erasurehead


def test_the_noise_level_leaves_two_thirds_to_the_noise_of_theorem_2():
    level = erasurehead_noise_level(30, 3, 11, mu=0.5, sigma=2.0)
    assert level == pytest.approx(9.0 * math.exp(-1.1) * 4.0 / (0.5 * 30.0))
    floor = erasurehead_exponential_error_bound(1e9, 30, 3, 11, beta=1.0, mu=0.5, sigma=2.0, initial_error=1.0)
    assert floor == pytest.approx(2.0 / 3.0 * level)


# --- bad input --------------------------------------------------------------------------------------------------------

BOUND = {
    "updates": 5,
    "workers": 6,
    "load": 2,
    "messages": 3,
    "beta": 1.0,
    "mu": 0.5,
    "sigma": 1.0,
    "initial_error": 1.0,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"load": 4}, "load = 4: expected a divisor of workers = 6"),
        ({"load": 7}, "load = 7"),
        ({"messages": 0}, "messages = 0"),
        ({"messages": 7}, "messages = 7.*from 1 to 6"),
        ({"beta": 0.4}, r"beta = 0.4.*at least 0.5"),
        ({"mu": 0.0}, "mu = 0"),
        ({"sigma": -1.0}, "sigma = -1"),
        ({"initial_error": math.nan}, "initial_error = nan"),
        ({"updates": [1, -1]}, "updates = .*at least 0"),
        ({"step": "beta"}, "step = 'beta'"),
    ],
)
def test_bad_bounds_are_refused(change, message):
    for ask in (erasurehead_error_bound, erasurehead_exponential_error_bound):
        with pytest.raises(ConfigurationError, match=message):
            ask(**(BOUND | change))


def test_theorems_2_and_3_say_when_they_do_not_apply():
    with pytest.raises(ConfigurationError, match=r"= 0.6667: expected at least ln 2.*messages to 3"):
        erasurehead_exponential_error_bound(**(BOUND | {"messages": 2}))
    with pytest.raises(ConfigurationError, match=r"expected at least ln 2"):
        erasurehead_noise_level(6, 1, 3, mu=1.0, sigma=1.0)
    some = {name: value for name, value in BOUND.items() if name != "updates"} | {"initial_error": 10.0, "sigma": 0.1}
    level = erasurehead_noise_level(6, 2, 3, mu=0.5, sigma=0.1)
    with pytest.raises(ConfigurationError, match=r"error = .*at least"):
        times_to_error_bound(0.99 * level, **some)
    with pytest.raises(ConfigurationError, match=r"initial_error = 10.0.*already"):
        times_to_error_bound(10.0, **some)
    with pytest.raises(ConfigurationError, match=r"messages = 6.*fewer messages"):
        times_to_error_bound(1.0, **(some | {"messages": 6}))


@pytest.mark.parametrize("rate", [0.0, -1.0, math.inf, math.nan])
def test_bad_rates_are_refused(rate):
    for ask in (uncoded_update_time, lambda n, rate: erasurehead_update_time(n, 2, 1, rate)):
        with pytest.raises(ConfigurationError, match="straggling_rate"):
            ask(4, rate)
