"""Mini-batches: each a function of (task, worker) alone, of distinct rows, all ordered batches equally likely."""

import itertools

import numpy as np
import pytest
from batches import draw_batch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment, Everything, MiniBatches
from clustersim.streams import Streams


def draws(seed=4):
    return Streams(seed).uniforms("batch")


def drawn_by_hand(task, worker, held, batch):
    return np.array(draw_batch(Streams(4), task, worker, held, batch))


def holding(sizes, batch, blocks=1, seed=4):
    """Batches of workers with these numbers of rows, which are numbered from the last one to the first."""
    starts = np.concatenate(([0], np.cumsum(sizes)))
    rows = np.arange(starts[-1])[::-1]
    return MiniBatches.of(Assignment(len(rows), starts, rows, blocks=blocks), batch, draws(seed))


@settings(max_examples=75, deadline=None)
@given(
    sizes=st.lists(st.integers(3, 60), min_size=1, max_size=6),
    batch=st.integers(1, 3),
    messages=st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0, 1, 2, 99, 10**9])), max_size=40),
)
def test_a_batch_depends_on_its_task_and_worker_alone(sizes, batch, messages):
    """Whoever else answers: drawn by itself, it has the same rows."""
    drawn = holding(sizes, batch)
    pairs = [(worker % len(sizes), task) for worker, task in messages]
    expected = [
        drawn.rows[drawn.starts[worker] + drawn_by_hand(task, worker, sizes[worker], batch)] for worker, task in pairs
    ]
    workers, tasks = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    rows, weight = drawn.gather(workers, 0.5, tasks)
    assert rows.reshape(-1, batch).tolist() == [batch.tolist() for batch in expected]
    assert weight == 0.5


@pytest.mark.parametrize(("held", "batch"), [(40, 40), (40, 10), (41, 10), (400, 64), (5000, 64), (5000, 700)])
def test_batches_of_any_size_are_distinct_rows_of_the_worker(held, batch):
    drawn = holding([held] * 7, batch)
    workers, tasks = np.tile(np.arange(7), 30), np.repeat(np.arange(30), 7)
    rows = drawn.gather(workers, 1.0, tasks)[0].reshape(-1, batch)
    assert all(len(set(line)) == batch for line in rows.tolist())
    np.testing.assert_array_equal((7 * held - 1 - rows) // held, np.broadcast_to(workers[:, None], rows.shape))
    for pair in (0, 100, 209):
        one = drawn.gather(workers[pair : pair + 1], 1.0, tasks[pair : pair + 1])[0]
        np.testing.assert_array_equal(one, rows[pair])
        place = drawn_by_hand(int(tasks[pair]), int(workers[pair]), held, batch)
        np.testing.assert_array_equal(one, drawn.rows[drawn.starts[workers[pair]] + place])


@pytest.mark.parametrize(("held", "batch"), [(4, 4), (5, 2), (8, 2), (9, 2), (30, 2), (13, 3)])
@pytest.mark.parametrize("by", ["tasks", "workers"])
def test_all_ordered_batches_are_equally_likely(held, batch, by):
    """Chi-square over all of them, at one false alarm in a million."""
    kinds = {kind: number for number, kind in enumerate(itertools.permutations(range(held), batch))}
    count = 40 * len(kinds)
    drawn = holding([held] * (1 if by == "tasks" else count), batch)
    numbers, same = np.arange(count), np.zeros(count, dtype=np.int64)
    workers, tasks = (same, numbers) if by == "tasks" else (numbers, same)
    places = (len(drawn.rows) - 1 - drawn.gather(workers, 1.0, tasks)[0].reshape(-1, batch)) - held * workers[:, None]
    seen = np.bincount([kinds[tuple(line)] for line in places.tolist()], minlength=len(kinds))
    assert stats.chisquare(seen).pvalue > 1e-6


def test_batches_of_two_tasks_and_of_two_workers_are_independent():
    """Of 1000 rows, 20 a batch, two batches share 0.4 on average: hypergeometric, as for independent draws."""
    held, batch, tasks = 1000, 20, 3000
    drawn = holding([held] * 2, batch)
    first, second = (
        drawn.gather(np.full(tasks, worker), 1.0, np.arange(tasks))[0].reshape(tasks, batch) % held for worker in (0, 1)
    )
    law = stats.hypergeom(held, batch, batch)
    for a, b in ((first, second), (first[1:], first[:-1])):
        shared = [len(set(x) & set(y)) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
        z = stats.norm.isf(0.5e-6)
        assert abs(np.mean(shared) - law.mean()) < z * law.std() / np.sqrt(len(shared))


def test_other_seeds_give_other_batches():
    one, other = (holding([1000], 10, seed=seed).gather(np.array([0]), 1.0, np.array([7]))[0] for seed in (4, 5))
    assert set(one.tolist()) != set(other.tolist())


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(7, 60), min_size=1, max_size=5),
    messages=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 4)), min_size=1, max_size=9),
)
def test_the_first_blocks_are_the_first_rows_of_the_batch(sizes, messages):
    """Of 7 rows in 4 blocks: 2, 4, 6, 7."""
    drawn = holding(sizes, 7, blocks=4)
    workers, tasks, blocks = np.array([(worker % len(sizes), task, r) for worker, task, r in messages]).T
    weights = np.arange(1.0, len(messages) + 1.0)
    rows, row_weights = drawn.gather(workers, weights, tasks, blocks)
    whole = drawn.gather(workers, 1.0, tasks)[0].reshape(-1, 7)
    ends = [(0, 2, 4, 6, 7)[r] for r in blocks]
    assert rows.tolist() == [row for line, end in zip(whole.tolist(), ends, strict=True) for row in line[:end]]
    assert row_weights.tolist() == [weight for weight, end in zip(weights, ends, strict=True) for _ in range(end)]


def test_batches_of_everything():
    problem = cs.LeastSquares.synthetic(rows=50, features=1, seed=1)
    assignment = Everything().assign(problem, 3, np.random.default_rng(0))
    drawn = MiniBatches.of(assignment, 4, draws())
    rows = drawn.gather(np.array([0, 1, 2]), 1.0, np.array([5, 5, 6]))[0].reshape(3, 4)
    for line, (task, worker) in zip(rows.tolist(), ((5, 0), (5, 1), (6, 2)), strict=True):
        assert line == draw_batch(Streams(4), task, worker, 50, 4)
    np.testing.assert_allclose(drawn.row_sums, np.full(50, 3 * 4 / 50), rtol=1e-14)
    assert drawn.loads.tolist() == pytest.approx([3 * 4 / 50] * 3)


def test_a_worker_with_too_few_rows_is_named():
    with pytest.raises(ConfigurationError, match="batch = 4: worker 1 holds only 3 rows"):
        holding([5, 3, 3], 4)
