"""Decoders: what the expected gradient is, how large the expected error is, and what they refuse."""

import math

import numpy as np
import pytest
from coding import encoding, moments, place, problem, row_coefficients, subsets
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clustersim import placements as pl
from clustersim.decoders import DistinctGroups, DistinctRows, Exact, Mean, Optimal, Unbiased
from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment
from clustersim.streams import Streams

Z = stats.norm.isf(0.5e-6)  # two-sided, one false alarm in a million
NOBODY = np.empty(0, dtype=np.int64)
PROBABILITIES = [0.0, 0.1, 0.7]
UNEVEN = Assignment(5, np.array([0, 3, 6, 8, 10, 12]), np.array([0, 1, 4, 4, 0, 1, 2, 3, 3, 2, 2, 3]))  # groups of 2, 3
OVERLAPPING = Assignment(total_rows=5, starts=np.array([0, 3, 6, 8, 9]), rows=np.array([0, 1, 4, 4, 0, 1, 2, 3, 2]))


# the expected gradient, over all sets of stragglers


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize(
    "placement",
    [
        pl.EvenPartition(),  # Ignore-Stragglers
        pl.UniformReplication(2),  # BGC
        pl.NormReplication(2.5),  # SGC
        pl.FractionalRepetition(2),
        pl.BlockDesign(5),
        pl.Everything(),
        pl.Uncombined(pl.UniformReplication(3)),
    ],
    ids=repr,
)
def test_unbiased_is_unbiased(placement, p):
    assignment = place(placement, 13, 6, seed=3)
    mean, error = moments(Unbiased(p), assignment, p)
    np.testing.assert_allclose(mean, 1.0, rtol=1e-12)
    assert Unbiased(p).expected_error(assignment, p) == pytest.approx(error, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize(
    "inner", [pl.NormReplication(2.5), pl.UniformReplication(2), pl.FractionalRepetition(3)], ids=repr
)
def test_distinct_rows_are_unbiased(inner, p):
    assignment = place(pl.Uncombined(inner), 13, 6, seed=3)
    mean, error = moments(DistinctRows(p), assignment, p)
    np.testing.assert_allclose(mean, 1.0, rtol=1e-12)
    assert DistinctRows(p).expected_error(assignment, p) == pytest.approx(error, rel=1e-12, abs=1e-14)
    least, lost = moments(Optimal(), assignment, p)  # without rescaling: a row is there, or it is not
    np.testing.assert_allclose(least, 1.0 - p**assignment.redundancy, rtol=1e-12)
    assert Optimal().expected_error(assignment, p) == pytest.approx(lost, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize("load", [1, 2, 3, 6])
@pytest.mark.parametrize("decoder", [DistinctGroups(), Optimal()], ids=repr)
def test_groups_are_biased_by_the_chance_to_miss_one(decoder, load, p):
    assignment = place(pl.FractionalRepetition(load), 13, 6)
    mean, error = moments(decoder, assignment, p)
    np.testing.assert_allclose(mean, 1.0 - p**load, rtol=1e-12)
    assert error == pytest.approx(p**load, rel=1e-12)
    assert decoder.expected_error(assignment, p) == pytest.approx(p**load, rel=1e-12)


@pytest.mark.parametrize("decoder", [DistinctGroups(), Optimal()], ids=repr)
def test_groups_of_unlike_size(decoder):
    mean, error = moments(decoder, UNEVEN, 0.3)
    np.testing.assert_allclose(mean, 1.0 - 0.3 ** np.array([2, 2, 3, 3, 2]), rtol=1e-12)
    assert decoder.expected_error(UNEVEN, 0.3) == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize("rows", [12, 13])
def test_mean_of_a_partition_misses_only_when_nobody_answers(rows, p):
    assignment = place(pl.EvenPartition(), rows, 6)
    mean, error = moments(Mean(), assignment, p)
    if rows == 12:
        np.testing.assert_allclose(mean, 1.0 - p**6, rtol=1e-12)
        assert Mean().expected_error(assignment, p) == pytest.approx(error, rel=1e-12, abs=1e-14)
    else:
        assert mean.sum() == pytest.approx(13 * (1.0 - p**6))  # what answers is a mean, over unlike shares
        with pytest.raises(ConfigurationError, match="not known in closed form"):
            Mean().expected_error(assignment, p)


@pytest.mark.parametrize("placement", [pl.BlockDesign(3), pl.Everything(), pl.FractionalRepetition(7)], ids=repr)
def test_mean_of_overlapping_rows(placement):
    assignment = place(placement, 14, 7)
    assert Mean().expected_error(assignment, 0.4) == pytest.approx(moments(Mean(), assignment, 0.4)[1], rel=1e-12)


def test_mean_over_random_placements():
    """For one random placement the mean is biased row by row; over placements all rows are alike."""
    p, data = 0.4, problem(10)
    first = []
    for seed in range(400):
        assignment = pl.UniformReplication(2).assign(data, 5, np.random.default_rng(seed))
        first.append(moments(Mean(), assignment, p)[0][0])
    assert abs(np.mean(first) - (1.0 - p**5)) < Z * np.std(first, ddof=1) / math.sqrt(len(first))


@pytest.mark.parametrize("p", [0.0, 0.3])
def test_the_gradient_itself_averages_to_the_full_one(p):
    """Decoder, gathering of rows and problem together, for SGC and Send-All."""
    data = problem(20, features=3)
    w = np.array([1.0, -2.0, 0.5])
    full = data.gradient(w, None, 1.0 / 20)
    for placement, decoder in [
        (pl.NormReplication(2), Unbiased(p)),
        (pl.Uncombined(pl.NormReplication(2)), DistinctRows(p)),
    ]:
        assignment = placement.assign(data, 6, np.random.default_rng(1))
        average = np.zeros(3)
        for workers in subsets(6):
            rows, weights = assignment.gather(workers, decoder.weights(assignment, workers))
            average += (1.0 - p) ** len(workers) * p ** (6 - len(workers)) * data.gradient(w, rows, weights)
        np.testing.assert_allclose(average, full, rtol=1e-10)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), assumed=st.floats(0.0, 0.9), p=st.floats(0.0, 0.9), combined=st.booleans())
def test_expected_error_counts_the_bias_of_a_wrong_probability(seed, assumed, p, combined):
    placement = pl.NormReplication(2) if combined else pl.Uncombined(pl.NormReplication(2))
    decoder = Unbiased(assumed) if combined else DistinctRows(assumed)
    assignment = place(placement, 6, 4, seed)
    expected = moments(decoder, assignment, p)[1]
    assert decoder.expected_error(assignment, p) == pytest.approx(expected, rel=1e-9, abs=1e-12)


# divisors


def test_divisors_of_the_journals_table():
    p, m = 0.3, 40
    even = place(pl.EvenPartition(), m, 10)
    assert Unbiased(p).weights(even, np.array([2, 3])) == pytest.approx(1 / ((1 - p) * m))
    bgc = place(pl.UniformReplication(2), m, 10)
    assert Unbiased(p).weights(bgc, np.array([2])) * bgc.coefficients[0] == pytest.approx(1 / ((1 - p) * 2 * m))
    plain = Assignment(bgc.total_rows, bgc.starts, bgc.rows)  # replicated, the coefficients 1
    assert Unbiased(p).weights(plain, np.array([2])) == pytest.approx(1 / ((1 - p) * 2 * m))
    heads = place(pl.FractionalRepetition(2), m, 10)
    np.testing.assert_array_equal(DistinctGroups().weights(heads, np.array([1, 0, 5])), [1 / m, 0.0, 1 / m])
    apart = place(pl.Uncombined(pl.UniformReplication(3)), m, 10)
    weights = DistinctRows(p).weights(apart, np.arange(10))
    assert set(weights[weights > 0]) == {1 / (m * (1 - p**3))}
    assert np.count_nonzero(weights) == m


def test_mean_takes_the_rows_of_a_task():
    drawn = pl.MiniBatches.of(place(pl.EvenPartition(), 30, 3), 4, Streams(1).uniforms("batch"))
    assert Mean().weights(drawn, np.array([0, 2])) == pytest.approx(1 / 8)
    assert Unbiased(0.5).weights(drawn, np.array([0, 2])) == pytest.approx(2 / 12)


def test_later_copies_weigh_nothing():
    assert DistinctGroups().weights(UNEVEN, np.array([3, 1, 0, 2])).tolist() == [0.2, 0.2, 0.0, 0.0]
    assert Exact().weights(UNEVEN, np.array([3, 0, 1, 4, 2])).tolist() == [0.2, 0.2, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(Optimal().weights(UNEVEN, np.array([3, 1, 0, 2])), [0.1, 0.1, 0.1, 0.1])
    apart = Assignment(3, np.array([0, 2, 4, 6]), np.array([0, 1, 1, 2, 2, 0]), combined=False)
    np.testing.assert_allclose(Exact().weights(apart, np.array([2, 0, 1])), [1 / 3, 1 / 3, 0, 1 / 3, 0, 0])
    np.testing.assert_allclose(Optimal().weights(apart, np.array([2, 0])), [1 / 3, 1 / 6, 1 / 6, 1 / 3])


# optimal decoding


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), redundancy=st.integers(1, 4), count=st.integers(1, 5))
def test_optimal_is_the_shortest_best_combination(seed, redundancy, count):
    assignment = place(pl.UniformReplication(redundancy), 9, 5, seed)
    workers = np.random.default_rng(seed).permutation(5)[:count]
    expected = np.linalg.pinv(encoding(assignment)[workers].T) @ np.ones(9)
    np.testing.assert_allclose(9 * Optimal().weights(assignment, workers), expected, atol=1e-10)


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_optimal_lies_between_its_bound_and_fixed_weights(p):
    assignment = place(pl.NormReplication(2), 30, 6, seed=8)
    error = moments(Optimal(), assignment, p)[1]
    assert np.mean(p**assignment.redundancy) <= error < Unbiased(p).expected_error(assignment, p)
    for workers in subsets(6):
        if len(workers):
            others = (Unbiased(p), Mean())
            best, *rest = (
                np.sum((row_coefficients(assignment, workers, decoder.weights(assignment, workers)) - 1.0) ** 2)
                for decoder in (Optimal(), *others)
            )
            assert best <= min(rest) + 1e-12


# nobody, and what is refused


def test_no_answers():
    grouped, apart = place(pl.FractionalRepetition(2), 12, 6), place(pl.Uncombined(pl.UniformReplication(2)), 12, 6)
    random = place(pl.UniformReplication(2), 12, 6)
    assert Mean().weights(random, NOBODY) == 0.0
    assert math.isfinite(Unbiased(0.5).weights(random, NOBODY))
    for decoder, assignment in [
        (DistinctGroups(), grouped),
        (DistinctRows(0.5), apart),
        *((kind(), each) for kind in (Exact, Optimal) for each in (grouped, apart, random)),
    ]:
        weights = decoder.weights(assignment, NOBODY)
        assert weights.shape == (0,)
        rows, row_weights = assignment.gather(NOBODY, weights)
        assert not problem(12).gradient(np.ones(2), rows, row_weights).any()


@pytest.mark.parametrize("decoder", [Unbiased, DistinctRows])
@pytest.mark.parametrize("p", [1.0, -0.1, math.nan, "0.5", None])
def test_probabilities_outside_the_interval(decoder, p):
    with pytest.raises(ConfigurationError, match=r"straggler_probability = .*expected a number in \[0, 1\)"):
        decoder(p)


def test_decoders_say_what_they_need():
    random, code = place(pl.UniformReplication(2), 12, 6), place(pl.CyclicRepetition(3), 12, 6)
    two = np.array([0, 1])
    with pytest.raises(ConfigurationError, match=r"no groups of workers.*FractionalRepetition"):
        DistinctGroups().weights(random, two)
    with pytest.raises(ConfigurationError, match=r"wrap the placement as Uncombined"):
        DistinctRows(0.5).weights(random, two)
    with pytest.raises(ConfigurationError, match="so the sum is biased"):
        Unbiased(0.5).weights(code, two)
    with pytest.raises(ConfigurationError, match="messages of 2 of 6 workers do not determine"):
        Exact().weights(code, two)
    for decoder, assignment in [(Exact(), code), (Optimal(), code), (Optimal(), random), (Mean(), OVERLAPPING)]:
        with pytest.raises(ConfigurationError, match="expected error is"):
            decoder.expected_error(assignment, 0.5)
    for decoder, assignment in [(Unbiased(0.5), random), (Mean(), random), (DistinctGroups(), UNEVEN)]:
        with pytest.raises(ConfigurationError, match=r"straggler_probability = 1\.5"):
            decoder.expected_error(assignment, 1.5)
    assert OVERLAPPING.groups is None  # workers 2 and 3 overlap without being alike
