"""Censored quantiles, paired ratios and Holm's correction, against other ways to compute them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import clustersim as cs
from clustersim.studies.paired import holm, paired_ratio
from clustersim.studies.statistics import mean_interval, median_interval, replications_for
from clustersim.studies.survival import quantile_interval, share_interval

samples = st.lists(st.tuples(st.floats(0.01, 100.0), st.booleans()), min_size=1, max_size=15)


def split(sample):
    costs, reached = zip(*sample, strict=True)
    return np.array(costs), np.array(reached)


@settings(deadline=None, max_examples=50)
@given(samples, st.sampled_from([0.25, 0.5, 0.9]))
def test_quantiles_against_the_product_limit_written_out(sample, probability):
    costs, reached = split(sample)
    estimate, low, high = quantile_interval(costs, reached, probability)
    curve, steps = 1.0, []
    for cost in sorted(set(costs[reached])):
        curve *= 1.0 - ((costs == cost) & reached).sum() / (costs >= cost).sum()
        steps.append((cost, curve))
    fallen = [(cost, value) for cost, value in steps if value <= 1.0 - probability + 1e-9]
    if not fallen:
        assert math.isinf(estimate)
    elif abs(fallen[0][1] - (1.0 - probability)) < 1e-9 and len(fallen) > 1:
        assert estimate == pytest.approx((fallen[0][0] + fallen[1][0]) / 2.0)
    else:
        assert estimate == fallen[0][0]
    assert math.isnan(low) == math.isnan(high)
    assert math.isnan(low) or 0.0 <= low <= high


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=20))
def test_nothing_censored_is_the_plain_median(costs):
    ours, plain = quantile_interval(costs, np.ones(len(costs), dtype=bool)), median_interval(costs)
    np.testing.assert_allclose(ours, plain, rtol=1e-9)


@settings(deadline=None, max_examples=50)
@given(samples, st.floats(0.1, 10.0))
def test_intervals_scale_with_the_unit(sample, factor):
    costs, reached = split(sample)
    scaled = quantile_interval(factor * costs, reached)
    np.testing.assert_allclose(scaled, factor * np.array(quantile_interval(costs, reached)), rtol=1e-6)


@settings(deadline=None, max_examples=50)
@given(samples, st.integers(0, 14))
def test_a_run_that_is_followed_longer_never_lowers_anything(sample, which):
    costs, reached = split(sample)
    place = which % len(costs)
    reached[place] = False
    later = costs.copy()
    later[place] = math.inf
    before, after = quantile_interval(costs, reached), quantile_interval(later, reached)
    assert after.mean >= before.mean
    assert math.isnan(after.low) or math.isnan(before.low) or after.high >= before.high - 1e-9


def test_a_run_that_ends_when_another_one_arrives_was_still_under_way():
    costs, reached = [1.0, 2.0, 2.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [True, True, False, False] + [True] * 6
    a_moment_later = [1.0, 2.0, 2.0 + 1e-12, 2.0 + 1e-12, *costs[4:]]
    assert list(quantile_interval(costs, reached)) == pytest.approx(list(quantile_interval(a_moment_later, reached)))


def test_ends_of_runs_raise_the_lower_end():
    nobody = quantile_interval([9.0] * 10, [False] * 10)
    assert (float(nobody.mean), float(nobody.low), float(nobody.high)) == (math.inf, 9.0, math.inf)
    # P(at most 2 of 10 below the median) = 56 / 1024 > 2.5 % and P(at most 1) = 11 / 1024: between the 2nd and the 3rd
    few = quantile_interval([1.0, 2.0, *[9.0] * 8], [True, True] + [False] * 8)
    assert float(few.low) == pytest.approx(2.0 + 7.0 * 0.65765765765)
    assert np.isnan(quantile_interval([9.0] * 5, [False] * 5).low), "five runs are too few"
    failed = quantile_interval([1.0, 2.0, *[math.inf] * 8], [True, True] + [False] * 8)
    assert float(failed.low) == 2.0
    with pytest.raises(cs.ConfigurationError, match=r"probability = 1\.5"):
        quantile_interval([1.0], [True], probability=1.5)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 40), st.integers(1, 40))
def test_wilsons_interval_solves_its_quadratic(reached, more):
    replications = reached + more
    share, low, high = share_interval(reached, replications)
    assert share == reached / replications
    for end in (low, high):
        score = (share - end) ** 2 * replications - stats.norm.ppf(0.975) ** 2 * end * (1.0 - end)
        assert score == pytest.approx(0.0, abs=1e-9)


pairs = st.lists(st.tuples(st.floats(0.1, 10.0), st.floats(0.1, 10.0)), min_size=2, max_size=12)


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_uncensored_ratios_against_scipys_student(both):
    costs, base = (np.array(side) for side in zip(*both, strict=True))
    logs = np.log(costs / base)
    found = paired_ratio(costs, costs > 0.0, base, base > 0.0)
    assert found.method == "student"
    assert found.ratio == pytest.approx(stats.gmean(costs / base))
    if logs.std() > 1e-9:
        assert found.p == pytest.approx(stats.ttest_1samp(logs, 0.0).pvalue, rel=1e-6, abs=1e-12)
        low, high = stats.t.interval(0.95, len(logs) - 1, loc=logs.mean(), scale=stats.sem(logs))
        assert [found.low, found.high] == pytest.approx([math.exp(low), math.exp(high)], rel=1e-6)
    mirrored = paired_ratio(base, base > 0.0, costs, costs > 0.0)
    assert mirrored.ratio == pytest.approx(1.0 / found.ratio)
    assert mirrored.p == pytest.approx(found.p)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0.1, 10.0), st.booleans(), st.floats(0.1, 10.0), st.booleans()), min_size=6))
def test_censored_ratios_hold_whatever_the_runs_would_have_needed(runs):
    costs, reached, base, base_reached = (np.array(side) for side in zip(*runs, strict=True))
    found = paired_ratio(costs, reached, base, base_reached)
    if found.method == "student":
        return
    slower = int((base_reached & (costs > base)).sum())
    faster = int((reached & (costs < base)).sum())
    expected = stats.binomtest(slower, slower + faster).pvalue if slower + faster else math.nan
    assert found.p == pytest.approx(expected, nan_ok=True)
    rng = np.random.default_rng(1)
    true = np.where(reached, costs, costs * (1.0 + rng.exponential(size=len(runs))))
    true_base = np.where(base_reached, base, base * (1.0 + rng.exponential(size=len(runs))))
    _, low, high = np.exp(median_interval(np.log(true / true_base)))
    assert math.isnan(found.low) or (found.low <= low * (1 + 1e-9) and high <= found.high * (1 + 1e-9))


def test_costs_of_0_and_runs_that_never_reach():
    assert paired_ratio([0.0] * 6, [True] * 6, [0.0] * 6, [True] * 6)[:4] == (1.0, 1.0, 1.0, 1.0)
    at_start = paired_ratio([2.0] * 6, [True] * 6, [0.0] * 5 + [2.0], [True] * 6)
    assert (at_start.ratio, at_start.method, at_start.p) == (math.inf, "sign", 2.0 / 2**5)
    never = paired_ratio([math.inf] * 6, [False] * 6, [1.0] * 6, [True] * 6)
    assert (never.ratio, never.low, never.greater, never.method) == (math.inf, math.inf, True, "sign")
    unknown = paired_ratio([9.0] * 6, [False] * 6, [9.0] * 6, [False] * 6)
    assert all(map(math.isnan, unknown[:4]))
    assert unknown.method == ""
    assert math.isnan(paired_ratio([], [], [], []).ratio)
    assert math.isnan(paired_ratio([1.0], [True], [2.0], [True]).p)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.0, 1.0), max_size=8), st.integers(0, 3))
def test_holm_rejects_what_its_steps_reject(values, missing):
    adjusted = holm(values + [math.nan] * missing)
    assert np.isnan(adjusted[len(values) :]).all()
    for level in (0.01, 0.05, 0.3):
        rejected, left = set(), sorted(range(len(values)), key=lambda i: values[i])
        while left and values[left[0]] * len(left) <= level:
            rejected.add(left.pop(0))
        assert {i for i in range(len(values)) if adjusted[i] <= level} == rejected


def test_replications_for_a_wanted_precision_give_it():
    rng = np.random.default_rng(3)
    guesses = []
    for _ in range(400):
        _, low, high = np.exp(mean_interval(rng.normal(scale=0.3, size=10)))
        guesses.append(replications_for(float(low), float(high), 10, 0.05, student=True))
    right = (1.96 * 0.3 / math.log(1.05)) ** 2  # 145
    assert 0.75 * right < np.median(guesses) < 1.25 * right
    assert math.isnan(replications_for(0.0, 2.0, 10))
    assert math.isnan(replications_for(math.nan, math.nan, 10))
    assert replications_for(2.0, 2.0, 10) == 2.0
