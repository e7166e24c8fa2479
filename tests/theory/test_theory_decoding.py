"""Decoding errors under random stragglers, against listing every set of stragglers."""

import itertools

import numpy as np
import pytest

from clustersim.errors import ConfigurationError
from clustersim.theory import (
    fixed_weights_decoding_error,
    optimal_decoding_error_bound,
    repetition_decoding_error,
    unbiased_decoding_error_bound,
)

PROBABILITIES = [0.0, 0.2, 0.5, 0.9]


def straggling(workers, p):
    """Every set of answering workers, as 0 and 1, with its probability."""
    for answering in itertools.product([0, 1], repeat=workers):
        up = np.array(answering)
        yield up, p ** (workers - up.sum()) * (1.0 - p) ** up.sum()


def error(placement, p, decode):
    """E[(1/m) |alpha - 1|^2], and the mean of alpha; placement is 0 and 1, shape (rows, workers)."""
    cases = [(decode(up), chance) for up, chance in straggling(placement.shape[1], p)]
    distance = sum(chance * np.mean((alpha - 1.0) ** 2) for alpha, chance in cases)
    return distance, sum(chance * alpha for alpha, chance in cases)


def at_random(seed, redundancies, workers):
    rng = np.random.default_rng(seed)
    placement = np.zeros((len(redundancies), workers))
    for row, d in zip(placement, redundancies, strict=True):
        row[rng.choice(workers, d, replace=False)] = 1.0
    return placement


def groups(workers, size):
    return np.kron(np.eye(workers // size), np.ones((2, size)))  # two rows a group


def fit(placement, up):
    """Optimal decoding: the least-squares fit of alpha to 1 by the answers."""
    arrived = placement * up
    return arrived @ np.linalg.lstsq(arrived, np.ones(len(placement)), rcond=None)[0]


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize("redundancies", [[2] * 5, [1, 1, 2, 3, 6]])
def test_fixed_weights_on_any_placement(p, redundancies):
    placement, d = at_random(1, redundancies, 6), np.array(redundancies)
    found, mean = error(placement, p, lambda up: placement @ up / (d * (1.0 - p)))
    np.testing.assert_allclose(mean, 1.0, rtol=1e-12)
    assert fixed_weights_decoding_error(p, redundancies) == pytest.approx(found, rel=1e-12)
    assert unbiased_decoding_error_bound(p, redundancies) <= found * (1.0 + 1e-12)


@pytest.mark.parametrize("p", PROBABILITIES)
@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_repetition_groups(p, size):
    placement = groups(6, size)
    found, mean = error(placement, p, lambda up: (placement @ up > 0).astype(float))
    np.testing.assert_allclose(mean, 1.0 - p**size, rtol=1e-12)
    assert repetition_decoding_error(p, size) == pytest.approx(found, rel=1e-12)
    rescaled, mean = error(placement, p, lambda up: (placement @ up > 0) / (1.0 - p**size))
    np.testing.assert_allclose(mean, 1.0, rtol=1e-12)
    assert repetition_decoding_error(p, size, rescaled=True) == pytest.approx(rescaled, rel=1e-12)


@pytest.mark.parametrize("p", PROBABILITIES)
def test_distinct_rows_of_send_all(p):
    redundancies = np.array([1, 2, 2, 5])
    placement = at_random(2, redundancies, 5)
    found, mean = error(placement, p, lambda up: (placement @ up > 0) / (1.0 - p**redundancies))
    np.testing.assert_allclose(mean, 1.0, rtol=1e-12)
    assert repetition_decoding_error(p, redundancies, rescaled=True) == pytest.approx(found, rel=1e-12)


@pytest.mark.parametrize("p", PROBABILITIES)
def test_optimal_decoding_meets_its_bound_on_groups(p):
    placement = groups(6, 3)
    found, _ = error(placement, p, lambda up: fit(placement, up))
    assert optimal_decoding_error_bound(p, 3) == pytest.approx(found, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("redundancies", [[2] * 8, [1, 1, 2, 2, 2, 3, 3, 4]])
def test_no_placement_goes_below_the_bounds(p, redundancies):
    above = []
    for seed in range(8):
        placement = at_random(seed, redundancies, 6)
        found, mean = error(placement, p, lambda up, placement=placement: fit(placement, up))
        above.append(found)
        unbiased, ones = error(placement, p, lambda up, placement=placement, mean=mean: fit(placement, up) / mean)
        np.testing.assert_allclose(ones, 1.0, rtol=1e-9)
        assert unbiased >= unbiased_decoding_error_bound(p, redundancies) * (1.0 - 1e-12)
    assert min(above) >= optimal_decoding_error_bound(p, redundancies) * (1.0 - 1e-12)
    assert max(above) > 1.001 * optimal_decoding_error_bound(p, redundancies)  # random placements do not meet it


def test_an_average_redundancy_gives_a_weaker_bound():
    spread = [1, 1, 2, 4]
    for bound in (optimal_decoding_error_bound, unbiased_decoding_error_bound, fixed_weights_decoding_error):
        assert bound(0.5, 2.0) < bound(0.5, spread)
    assert optimal_decoding_error_bound(0.5, spread) == (0.5 + 0.5 + 0.25 + 0.0625) / 4.0
    assert unbiased_decoding_error_bound(0.5, spread) == pytest.approx((1.0 + 1.0 + 1.0 / 3.0 + 1.0 / 15.0) / 4.0)


@pytest.mark.parametrize(
    "ask",
    [
        fixed_weights_decoding_error,
        repetition_decoding_error,
        optimal_decoding_error_bound,
        unbiased_decoding_error_bound,
    ],
)
def test_what_is_out_of_range_is_refused(ask):
    for p in (-0.1, 1.0, float("nan")):
        with pytest.raises(ConfigurationError, match=r"straggler_probability = .*\[0, 1\)"):
            ask(p, 2)
    for d in (0, [2, 0.5], [], [float("nan")], [float("inf")]):
        with pytest.raises(ConfigurationError, match=r"redundancy = .*at least 1"):
            ask(0.5, d)
