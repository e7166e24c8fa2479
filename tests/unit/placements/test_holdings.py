"""Who holds which rows, without loops over workers: against the same worked out entry by entry."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from coding import encoding, place, row_coefficients
from hypothesis import given, settings
from hypothesis import strategies as st

import clustersim as cs
from clustersim import placements as pl
from clustersim.placements import Assignment
from clustersim.placements.row_ranges import identical_ranges

RANGES = st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=1, max_size=6)


def flat(ranges):
    """Ranges of numbers one after the other, and where each begins."""
    return np.cumsum([0, *map(len, ranges)]), np.array([row for one in ranges for row in one], dtype=np.int64)


@st.composite
def shared(draw):
    """An assignment in which workers share ranges, and the same one in which each lists its own."""
    ranges = [draw(st.permutations(sorted(one))) for one in draw(RANGES)]
    extra = draw(st.lists(st.integers(0, len(ranges) - 1), max_size=4))
    numbers = draw(st.permutations([*range(len(ranges)), *extra]))
    starts, rows = flat(ranges)
    coefficients = np.arange(1.0, len(rows) + 1.0) if draw(st.booleans()) else None
    combined, blocks = draw(st.booleans()) or coefficients is not None, draw(st.integers(1, 3))
    once = Assignment(6, starts, rows, coefficients, combined, blocks=blocks, shared=np.array(numbers))
    starts, rows = flat([ranges[number] for number in numbers])
    if coefficients is not None:
        coefficients = np.concatenate([coefficients[once.starts[j] : once.starts[j + 1]] for j in numbers])
    return once, Assignment(6, starts, rows, coefficients, combined, blocks=blocks)


@settings(max_examples=80, deadline=None)
@given(pair=shared(), data=st.data())
def test_shared_ranges_give_the_same_as_copies(pair, data):
    once, copied = pair
    for name in ("workers", "sizes", "loads", "vectors", "totals", "row_sums", "row_squares", "redundancy"):
        np.testing.assert_array_equal(getattr(once, name), getattr(copied, name), err_msg=name)
    np.testing.assert_array_equal(once.matrix.toarray(), copied.matrix.toarray())
    np.testing.assert_array_equal(once.block_shares, copied.block_shares)
    assert (once.groups is None) == (copied.groups is None)
    workers = np.array(data.draw(st.permutations(range(once.workers))))[: data.draw(st.integers(0, once.workers))]
    np.testing.assert_array_equal(once.rows_of(workers), copied.rows_of(workers))
    assert once.decodes(workers) == copied.decodes(workers)
    if len(workers):
        assert once.missing(workers) == copied.missing(workers)
    weights = data.draw(st.sampled_from([0.5, np.arange(1.0, once.vectors[workers].sum() + 1.0)]))
    blocks = np.array(data.draw(st.lists(st.integers(0, once.blocks), min_size=len(workers), max_size=len(workers))))
    for parts in (None, blocks.astype(np.int64)) if once.combined else (None,):
        for one, other in zip(once.gather(workers, weights, None, parts), copied.gather(workers, weights, None, parts),
                              strict=True):  # fmt: skip
            assert (one is None) == (other is None)
            if one is not None:
                np.testing.assert_allclose(one, other, rtol=1e-15)


@settings(max_examples=100)
@given(
    st.one_of(
        RANGES,
        st.lists(st.sampled_from([{0, 1}, {2}, {3, 4, 5}]), min_size=1, max_size=6),
        st.permutations([{0, 1}, {0, 1}, {2}, {3, 4, 5}, {3, 4, 5}]),
        st.permutations([{0, 1}, {2, 3}, {4, 5}, {1, 2}]),
    ),
    st.randoms(use_true_random=False),
)
def test_identical_ranges_are_those_of_the_same_rows(sets, random):
    """Against sets: different ranges must not share a row, and every row must be in a range."""
    distinct = list(dict.fromkeys(map(frozenset, sets)))
    apart = sum(map(len, distinct)) == len(frozenset().union(*distinct)) == 6
    starts, rows = flat([random.sample(sorted(one), len(one)) for one in sets])
    numbers = identical_ranges(starts, rows, 6)
    assert (numbers is not None) == apart
    if apart:
        assert numbers.tolist() == [distinct.index(frozenset(one)) for one in sets]


@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5), blocks=st.integers(1, 12))
def test_block_shares_are_fractions_of_a_task(sizes, blocks):
    starts = np.cumsum([0, *sizes])
    assignment = Assignment(int(starts[-1]), starts, np.arange(starts[-1]), blocks=blocks)
    expected = []
    for size in sizes:
        lengths = [size // blocks + (block < size % blocks) for block in range(blocks)]
        expected.append([float(Fraction(sum(lengths[: block + 1]), size)) for block in range(blocks)])
    shares = assignment.block_shares
    assert len(shares) == (1 if len(set(sizes)) == 1 else len(sizes))
    assert np.broadcast_to(shares, (len(sizes), blocks)).tolist() == expected
    assert assignment.block_ends == [tuple(ends) for ends in expected]


@pytest.mark.parametrize("workers", [4, 5])
@pytest.mark.parametrize("placement", [pl.EvenPartition(), pl.FractionalRepetition(1), pl.UniformReplication(1)])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_gather_from_disjoint_shards_whoever_answers_how_often(workers, placement, data):
    """A worker may be named twice: it may answer for two tasks."""
    assignment = place(placement, 23, workers)
    who = np.array(data.draw(st.lists(st.integers(0, workers - 1), max_size=2 * workers)), dtype=np.int64)
    weight = data.draw(st.sampled_from([0.25, np.arange(1.0, len(who) + 1.0)]))
    rows, weights = assignment.gather(who, weight)
    summed = np.zeros(23)
    np.add.at(summed, np.arange(23) if rows is None else rows, weights)
    np.testing.assert_allclose(23 * summed, row_coefficients(assignment, who, weight), rtol=1e-12)


def test_gather_of_all_shards_copies_nothing():
    assignment = place(pl.EvenPartition(), 24, 6)
    assert assignment.gather(np.array([3, 1, 0, 5, 4, 2]), 0.25) == (None, 0.25)
    rows, weights = assignment.gather(np.array([3, 1, 0, 5, 4, 4]), 0.25)  # worker 2 is missing
    assert rows is None
    assert weights.tolist() == [0.25] * 8 + [0.0] * 4 + [0.25] * 4 + [0.5] * 4 + [0.25] * 4


@pytest.mark.parametrize(
    "placement",
    [pl.EvenPartition(), pl.FractionalRepetition(2), pl.FractionalRepetition(1000), pl.Everything()],
    ids=repr,
)
def test_placements_of_many_workers_are_not_dense(placement):
    """A dozen numbers for each of 10,000 workers; a matrix would be 10,000, copies of all rows that they hold 1000."""
    workers = 10_000
    problem = cs.LeastSquares(np.ones((workers, 1)), np.ones(workers))
    tracemalloc.start()
    assignment = placement.assign(problem, workers, np.random.default_rng(0))
    assert assignment.sizes.min() > 0
    assert len(assignment.block_shares) == 1
    assert assignment.groups is not None
    assert assignment.missing(np.arange(workers)) <= 0
    kept = tracemalloc.get_traced_memory()[0] / (8 * workers)
    tracemalloc.stop()
    assert kept <= 12


def test_encoding_of_everything_is_ones():
    np.testing.assert_array_equal(encoding(place(pl.Everything(), 7, 3)), np.ones((3, 7)))
