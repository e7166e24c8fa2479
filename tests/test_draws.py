"""Blocks of draws: the same numbers in any order, drawn no more often than needed."""

import numpy as np
import pytest

from clustersim.engine.draws import Draws


def table(first, tasks, calls=None):
    if calls is not None:
        calls.append((first, tasks))
    return (np.arange(first, first + tasks)[:, None] * 10.0 + np.arange(3)).astype(float)


def test_rows_in_any_order():
    draws = Draws(table, workers=3)
    for task in (0, 5, 127, 128, 100_000, 3, 128 * 70, 0):
        assert draws.row(task) == [10.0 * task, 10.0 * task + 1, 10.0 * task + 2]


def test_consecutive_tasks_share_a_block_even_after_many():
    calls = []
    draws = Draws(lambda first, tasks: table(first, tasks, calls), workers=4096)  # 8 tasks a block, 16 blocks kept
    for task in range(8 * 40):
        draws.row(task)
    assert len(calls) == 40


def test_a_million_workers_get_one_row_at_a_time():
    calls = []
    draws = Draws(lambda first, tasks: table(first, tasks, calls), workers=1_000_000)
    draws.row(7)
    assert calls == [(7, 1)]


@pytest.mark.parametrize("recorded", [1, 5, 128, 130])
def test_recorded_times_are_not_asked_for_beyond_their_end(recorded):
    calls = []
    draws = Draws(lambda first, tasks: table(first, tasks, calls), workers=3, recorded=recorded)
    for task in range(recorded):
        assert draws.row(task)[0] == 10.0 * task
    assert all(first + tasks <= recorded for first, tasks in calls)
