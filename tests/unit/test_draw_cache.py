"""Blocks of draws: the same numbers in any order, drawn no more often than needed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clustersim as cs
from clustersim.draw_cache import DrawCache
from clustersim.errors import ConfigurationError
from clustersim.streams import Streams


def value(tasks, workers):
    return np.asarray(tasks) * 1024.0 + np.asarray(workers)


class Counted:
    """A `DrawCache` over a table, and how much was drawn for it."""

    def __init__(self, workers, *, single=True, recorded=None):
        self.rows, self.singles, self.blocks = 0, 0, []
        self.workers = workers
        self.draws = DrawCache(self.sample, workers, recorded, self.at if single else None)

    def sample(self, first, tasks):
        self.rows += tasks
        self.blocks.append((first, tasks))
        return value(np.arange(first, first + tasks)[:, None], np.arange(self.workers))

    def at(self, tasks, workers):
        self.singles += len(tasks)
        return value(tasks, workers)


PAIRS = st.lists(st.tuples(st.sampled_from([0, 1, 5, 127, 128, 300, 10**5, 10**9]), st.integers(0, 2)), max_size=80)


@settings(max_examples=100, deadline=None)
@given(questions=st.lists(PAIRS, max_size=5), single=st.booleans())
def test_any_draws_in_any_order(questions, single):
    draws = Counted(3, single=single).draws
    for pairs in questions:
        tasks, workers = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        np.testing.assert_array_equal(draws.at(tasks, workers), value(tasks, workers))
        for task, worker in pairs[:2]:
            assert draws.one(task, worker) == value(task, worker)
            np.testing.assert_array_equal(draws.array(task), value(task, range(3)))
            assert draws.row(task) == value(task, range(3)).tolist()


def test_rows_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        Counted(3).draws.array(7)[0] = 1.0


def test_a_row_stays_what_it_was():
    """Whoever holds a row need not fear that it is overwritten by later ones."""
    draws = Counted(100_000).draws
    first = draws.array(0)
    for task in range(1, 200):
        draws.array(task)
    np.testing.assert_array_equal(first, value(0, np.arange(100_000)))


def test_consecutive_tasks_share_a_block_even_after_many():
    table = Counted(4096)  # 8 tasks a block
    for task in range(8 * 40):
        table.draws.array(task)
        table.draws.row(task)
    assert len(table.blocks) == 40


def test_a_million_workers_get_one_row_at_a_time():
    table = Counted(1_000_000)
    table.draws.array(7)
    assert table.blocks == [(7, 1)]


@pytest.mark.parametrize("single", [True, False])
def test_workers_in_step_draw_each_row_once_and_keep_little(single):
    """Wave after wave, in portions: as where the fastest are sent on while the others still compute."""
    workers, waves = 20_000, 40
    table = Counted(workers, single=single)
    order = np.random.default_rng(0).permutation(workers)
    for task in range(waves):
        for some in np.split(order, 20):
            table.draws.at(np.full(len(some), task), some)
    assert table.rows == waves
    assert table.singles <= waves * workers / 20
    assert sum(map(np.size, table.draws._blocks.values())) <= 2 * workers


@pytest.mark.parametrize("workers", [50, 2000, 100_000])
def test_workers_that_are_far_apart_cost_single_draws(workers):
    table, generator = Counted(workers), np.random.default_rng(1)
    for _ in range(200):
        tasks, who = generator.integers(0, 10**12, 30), generator.integers(0, workers, 30)
        np.testing.assert_array_equal(table.draws.at(tasks, who), value(tasks, who))
    assert (table.rows, table.singles) == (0, 6000)


@pytest.mark.parametrize(("workers", "apart"), [(50, 10**6), (3000, 10**6), (100_000, 40), (100_000, 1000)])
def test_no_pattern_costs_more_than_twice_the_single_draws(workers, apart):
    """Each worker goes through its own tasks, from its own first one on; a row is worth workers / 64 draws."""
    table, generator = Counted(workers), np.random.default_rng(2)
    tasks = generator.integers(0, apart, workers)
    asked = 0
    for _ in range(600):
        some = generator.choice(workers, 40, replace=False)
        table.draws.at(tasks[some], some)
        tasks[some] += 1
        asked += len(some)
    assert table.singles <= asked
    assert table.rows * (1 + workers // 64) <= asked


@pytest.mark.parametrize("single", [True, False])
def test_memory_is_bounded_however_far_apart_workers_are(single):
    table, generator = Counted(200_000, single=single), np.random.default_rng(3)
    for task in generator.permutation(200).tolist():
        table.draws.array(task)
    assert sum(map(np.size, table.draws._blocks.values())) <= 2**24


def test_blocks_that_are_missed_once_are_forgotten():
    """A fast worker runs away from all others: each of its blocks is asked for once and never again."""
    table = Counted(100_000)
    for task in range(20_000):
        table.draws.at(np.array([task]), np.array([7]))
    assert table.singles == 20_000
    assert len(table.draws._missed) <= 2**12


def test_workers_apart_by_a_few_blocks_draw_few_of_them_twice():
    """Two kinds of machines, one of them fifty rows ahead of the other."""
    workers = 20_000
    table, everyone = Counted(workers), np.arange(workers)
    for task in range(400):
        table.draws.at(50 * (everyone % 2) + task, everyone)
    assert 450 <= table.rows <= 450 + 60


@pytest.mark.parametrize("recorded", [1, 5, 128, 130])
@pytest.mark.parametrize("single", [True, False])
def test_recorded_times_are_not_asked_for_beyond_their_end(recorded, single):
    table = Counted(3, recorded=recorded, single=single)
    for task in range(recorded):
        assert table.draws.row(task)[0] == value(task, 0)
        assert table.draws.one(task, 2) == value(task, 2)
    assert all(first + tasks <= recorded for first, tasks in table.blocks)


@pytest.mark.parametrize("ask", ["array", "row", "one", "at"])
def test_beyond_recorded_times_the_model_has_the_word(ask):
    """Even of the worker that has no records: the run ends with those of the others."""
    model, uniforms = cs.PerWorker([cs.Replay(np.ones((5, 2))), cs.Constant(math.pi)]), Streams(1).uniforms("compute")
    draws = DrawCache(
        lambda first, tasks: model.times(uniforms, first, tasks, 2),
        2,
        model.recorded_tasks,
        lambda tasks, workers: model.times_at(uniforms, tasks, workers),
    )
    questions = {
        "array": lambda task: draws.array(task)[1],
        "row": lambda task: draws.row(task)[1],
        "one": lambda task: draws.one(task, 1),
        "at": lambda task: draws.at(np.array([0, task]), np.array([0, 1]))[1],
    }
    assert questions[ask](4) == math.pi
    with pytest.raises(ConfigurationError, match="tasks = 6: expected at most 5"):
        questions[ask](5)
