"""The order of arrival in rounds: by sorting, by selection of the first k, and by selection of uniform draws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim.engine.cohort import arrival_order
from clustersim.engine.cohort.arrival_order import Portion, in_order

TIMES = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 8.0, math.inf])
ROWS = st.integers(1, 9).flatmap(
    lambda n: st.lists(st.lists(TIMES, min_size=n, max_size=n), min_size=1, max_size=6).map(np.array)
)
KINDS = [pytest.param(Portion, id="looked for"), pytest.param(arrival_order._Sorted, id="sorted")]


def by_hand(row):
    """The workers that ever answer, in order of their times, equal times by number."""
    return sorted((worker for worker, time in enumerate(row) if time < math.inf), key=lambda i: (row[i], i))


@settings(max_examples=80, deadline=None)
@given(rows=ROWS, many=st.sampled_from([1, 8, 1000]))
def test_the_order_of_equal_times_is_that_of_the_workers(rows, many):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrival_order, "_MANY", many)
        order, ranked = in_order(rows)
    for row, found, times in zip(rows.tolist(), order.tolist(), ranked.tolist(), strict=True):
        expected = sorted(range(len(row)), key=lambda i, row=row: (row[i], i))
        assert found == expected
        assert times == [row[i] for i in expected]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=75, deadline=None)
@given(rows=ROWS, span=TIMES)
def test_who_has_answered_by_a_time(kind, rows, span):
    portion = kind(rows)
    for place, row in enumerate(rows.tolist()):
        workers, times = portion.by(place, span)
        expected = [worker for worker in by_hand(row) if row[worker] <= span]
        assert workers.tolist() == expected
        assert times.tolist() == [row[worker] for worker in expected]
        assert portion.times(place).tolist() == row
    assert portion.lost == [row.count(math.inf) for row in rows.tolist()]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None)
@given(rows=ROWS, data=st.data())
def test_the_first_k_unless_others_come_with_the_last_of_them(kind, rows, data):
    k = data.draw(st.integers(1, rows.shape[1]))
    check_first(kind(rows), rows, k)


def check_first(portion, rows, k):
    found = portion.first(k)
    alone = []
    for row in rows.tolist():
        order = by_hand(row)
        alone.append(len(order) >= k and (len(order) == k or row[order[k]] > row[order[k - 1]]))
    if not all(alone):
        assert found is None
        return
    workers, times = found
    assert workers.tolist() == [by_hand(row)[:k] for row in rows.tolist()]
    assert times.tolist() == [[row[i] for i in by_hand(row)[:k]] for row in rows.tolist()]


@settings(max_examples=100, deadline=None)
@given(
    keys=st.integers(1, 9).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 40), min_size=n, max_size=n), min_size=1, max_size=5).map(np.array)
    ),
    scale=st.sampled_from([0.4, 1.0, 3.0, 1e15]),
    data=st.data(),
)
def test_the_first_k_by_keys(keys, scale, data):
    """Different keys may come to the same tick, and ticks next to each other are looked at."""

    def timed(draws):
        return np.rint(draws * scale)

    k = data.draw(st.integers(1, keys.shape[1]))
    portion = arrival_order._Keyed(keys.astype(np.float64), timed)
    check_first(portion, timed(keys.astype(np.float64)), k)
    assert portion.lost == [0] * len(keys)
    for place, row in enumerate(timed(keys).tolist()):
        assert portion.by(place, row[0])[0].tolist() == [i for i in by_hand(row) if row[i] <= row[0]]
