"""Sums of durations: exact, and the same in any order, grouping and manner of adding."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim.engine import seconds
from clustersim.engine.seconds import Seconds

UNIT = 2**64
usual = st.floats(0.0, 1e6)
tiny = st.floats(0.0, 2.0**-50)
ties = st.integers(0, 2**40).map(lambda i: (i + 0.5) * 2.0**-64)  # halfway between two multiples of the unit
outsized = st.sampled_from([2.0**31, math.nextafter(2.0**32, 0.0), 2.0**32, 2.0**40 + 0.5, 2.0**53 + 2.0, 1e300])
durations = st.one_of(usual, tiny, ties, outsized, st.one_of(usual, ties, outsized).map(lambda x: -x))


def rounded(duration):
    """To the nearest multiple of the unit, by fractions alone."""
    return Fraction(round(Fraction(duration) * UNIT), UNIT)


def added(durations, groups):
    """Add durations one by one or as arrays, by turns, and look at the total in between."""
    total, left = Seconds(), list(durations)
    for how, size in [*groups, ("one", len(left))]:
        some, left = left[:size], left[size:]
        if how == "array":
            total.add_all(np.array(some))
        else:
            for duration in some:
                total.add(duration)
        if how == "look":
            assert math.isfinite(total.total)
    return total.total


groups = st.lists(st.tuples(st.sampled_from(["array", "one", "look"]), st.integers(0, 12)), max_size=8)


@pytest.fixture(autouse=True, params=["small pieces", "as it is"])
def sizes(request, monkeypatch):
    """With so few durations only small pieces make the buffer run full and arrays be cut."""
    if request.param == "small pieces":
        for name, size in (("_BUFFERED", 7), ("_SMALL", 4), ("_CHUNK", 5)):
            monkeypatch.setattr(seconds, name, size)


@settings(max_examples=300, deadline=None)
@given(st.lists(durations, max_size=40), groups, groups, st.randoms(use_true_random=False))
def test_any_order_and_grouping_gives_the_exact_sum(values, some, others, random):
    exact = float(sum(map(rounded, values), Fraction(0)))
    assert added(values, some) == exact
    random.shuffle(values)
    assert added(values, others) == exact


@settings(max_examples=50, deadline=None)
@given(durations, st.integers(-5, 10**6))
def test_many_times_at_once(value, times):
    total = Seconds()
    total.add(value, times)
    assert total.total == float(times * rounded(value))


@pytest.mark.parametrize("scale", [1e-19, 1e-6, 1.0, 4e8, 1e12])
def test_long_arrays(scale):
    """More than are split at once, at and beyond the size at which their parts would overflow."""
    values = np.random.default_rng(7).exponential(scale, size=20_000)
    at_once, one_by_one = Seconds(), Seconds()
    at_once.add_all(values)
    for value in values.tolist():
        one_by_one.add(value)
    exact = sum(map(rounded, values.tolist()))
    assert at_once.total == one_by_one.total == float(exact)


@pytest.mark.parametrize("power", [28, 31, 32, 33, 47, 69])
def test_sums_of_large_ones_do_not_overflow(power):
    largest = math.nextafter(2.0**power, 0.0)  # both parts are as large as they can be
    total = Seconds()
    total.add_all(np.full(1 << 14, largest))
    total.add_all(np.full(1 << 14, -largest))
    assert total.total == 0.0
    total.add_all(np.full(1 << 15, largest))
    assert total.total == float(rounded(largest) * (1 << 15))


def test_a_sum_is_rounded_once():
    """A float sum of these, in this order, stays at 2**53."""
    total = Seconds()
    total.add(2.0**53)
    total.add(1.0, times=1000)
    for _ in range(24):
        total.add(1.0)
    assert total.total == 2.0**53 + 1024


def test_nothing_is_nothing():
    total = Seconds()
    assert total.total == 0.0
    total.add_all(np.empty(0))
    assert total.total == 0.0


def test_an_array_is_not_kept():
    values, total = np.ones(10), Seconds()
    total.add_all(values)
    values[:] = 5.0
    assert total.total == 10.0
