"""Random streams: every draw has an address, and draws at different addresses are independent and uniform."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clustersim.errors import ConfigurationError
from clustersim.streams import Streams

Z = stats.norm.isf(0.5e-6)  # two-sided, one false alarm in a million
TASKS, WORKERS = 400, 500


def draws(seed=1, replication=0, purpose="compute", first_task=0, lane=0, workers=WORKERS):
    return Streams(seed, replication).uniforms(purpose).block(first_task, TASKS, workers, lane)


def correlation(a, b):
    return float(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


def test_draws_are_uniform():
    u = np.sort(draws(workers=10 * WORKERS).ravel())
    assert u[0] >= 0.0
    assert u[-1] < 1.0
    # Dvoretzky-Kiefer-Wolfowitz: P(D > x) <= 2 exp(-2 N x^2), for every N
    distance = max(np.abs(u - np.arange(len(u)) / len(u)).max(), np.abs(u - np.arange(1, len(u) + 1) / len(u)).max())
    assert distance < np.sqrt(np.log(2.0 / 1e-6) / (2.0 * len(u)))


def test_every_row_and_every_column_is_uniform():
    u = draws()
    spread = np.sqrt(1.0 / 12.0)
    z = stats.norm.isf(0.5e-6 / (TASKS + WORKERS))
    assert np.abs(u.mean(axis=1) - 0.5).max() < z * spread / np.sqrt(WORKERS)
    assert np.abs(u.mean(axis=0) - 0.5).max() < z * spread / np.sqrt(TASKS)


@pytest.mark.parametrize(
    "other",
    [
        {"purpose": "uplink"},
        {"purpose": "Compute"},
        {"replication": 1},
        {"seed": 2},
        {"lane": 1},
        {"lane": 2**32},
        {"first_task": TASKS},
        {"first_task": 2**40},
    ],
    ids=str,
)
def test_another_address_is_independent(other):
    a, b = draws(), draws(**other)
    assert not np.isin(b, a).any()  # 53 random bits: not one of 200,000 draws should occur twice
    assert abs(correlation(a, b)) < Z / np.sqrt(a.size)


def test_neighbours_are_independent():
    u = draws()
    assert abs(correlation(u[:-1], u[1:])) < Z / np.sqrt(u.size)
    assert abs(correlation(u[:, :-1], u[:, 1:])) < Z / np.sqrt(u.size)


def test_seed_and_replication_do_not_add_up():
    assert not np.isin(draws(seed=1, replication=2), draws(seed=2, replication=1)).any()


@settings(max_examples=60, deadline=None)
@given(
    first=st.integers(0, 40),
    tasks=st.integers(0, 9),
    workers=st.integers(1, 23),
    lane=st.sampled_from([0, 1, 2**32 + 1]),
    asked_before=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=3),
)
def test_a_draw_depends_on_its_address_alone(first, tasks, workers, lane, asked_before):
    all_at_once = Streams(5).uniforms("compute").block(0, 50, 31, lane)
    uniforms = Streams(5).uniforms("compute")
    for task, width in asked_before:  # who drew before makes no difference
        uniforms.block(task, 2, width)
    block = uniforms.block(first, tasks, workers, lane)
    assert block.shape == (tasks, workers)
    np.testing.assert_array_equal(block, all_at_once[first : first + tasks, :workers])


@settings(max_examples=100, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.sampled_from([0, 1, 77, 2**40, 2**62]), st.integers(0, 11)), max_size=8),
    lane=st.sampled_from([0, 1, 2**32 + 1]),
)
def test_single_draws_are_those_of_the_block_and_of_the_counter(pairs, lane):
    tasks, workers = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    uniforms = Streams(5).uniforms("compute")
    single = uniforms.at(tasks, workers, lane)
    key = Streams(5)._sequence("compute").generate_state(2, np.uint64)
    for draw, (task, worker) in zip(single, pairs, strict=True):
        assert draw == uniforms.block(task, 1, worker + 1, lane)[0, worker]
        own = np.random.Philox(key=key, counter=np.array([0, task, lane, 0], dtype=np.uint64))
        assert draw == np.random.Generator(own).random(worker + 1)[-1]


def test_single_draws_of_far_workers_need_no_draws_of_those_before():
    single = Streams(5).uniforms("compute").at(np.array([3, 3]), np.array([2**40, 2**62]))
    assert len(set(single.tolist())) == 2


@settings(max_examples=100, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.sampled_from([0, 1, 77, 2**40, 2**62]), st.integers(0, 11)), max_size=8),
    length=st.integers(1, 9),
)
def test_single_stretches_are_those_of_the_rows_and_of_the_counter(pairs, length):
    tasks, workers = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    uniforms = Streams(5).uniforms("batch")
    single = uniforms.stretches_at(tasks, workers, length)
    key = Streams(5)._sequence("batch").generate_state(2, np.uint64)
    for stretch, (task, worker) in zip(single, pairs, strict=True):
        np.testing.assert_array_equal(stretch, uniforms.stretches(task, 1, worker + 1, length)[0, worker])
        own = np.random.Philox(key=key, counter=np.array([worker * -(-length // 4), task, 0, 0], dtype=np.uint64))
        np.testing.assert_array_equal(stretch, np.random.Generator(own).random(length))


def test_stretches_at_other_addresses_are_independent():
    tasks, third = np.arange(300), np.full(300, 3)
    a = Streams(5).uniforms("batch").stretches_at(tasks, third, 20)
    for other in (
        Streams(5).uniforms("batch").stretches_at(tasks, third + 1, 20),
        Streams(5).uniforms("batch").stretches_at(tasks + 300, third, 20),
        Streams(5).uniforms("other").stretches_at(tasks, third, 20),
        Streams(5, 1).uniforms("batch").stretches_at(tasks, third, 20),
    ):
        assert not np.isin(other, a).any()
        assert abs(correlation(a, other)) < Z / np.sqrt(a.size)


def test_adding_a_worker_leaves_the_others_alone():
    np.testing.assert_array_equal(draws(workers=7), draws(workers=8)[:, :7])


def test_streams_do_not_depend_on_the_order_of_their_creation():
    one, two = Streams(3), Streams(3)
    first = one.uniforms("uplink").block(0, 2, 3)
    two.uniforms("compute").block(0, 5, 5)
    two.generator("placement").random(10)
    np.testing.assert_array_equal(first, two.uniforms("uplink").block(0, 2, 3))


def test_generators_repeat_and_differ_by_purpose_and_replication():
    same = Streams(3).generator("placement").random(1000)
    np.testing.assert_array_equal(same, Streams(3).generator("placement").random(1000))
    for other in (
        Streams(3).generator("batch"),
        Streams(3, 1).generator("placement"),
        Streams(4).generator("placement"),
    ):
        assert abs(correlation(same, other.random(1000))) < Z / np.sqrt(1000)


def test_the_global_random_state_is_left_alone():
    def state():
        return np.random.get_state()[1].copy()  # noqa: NPY002 - the very thing that must not change

    before = state()
    draws()
    Streams(1).generator("placement").random(10)
    np.testing.assert_array_equal(before, state())


@pytest.mark.parametrize(("seed", "replication"), [(-1, 0), (1.5, 0), ("1", 0), (True, 0), (0, -1), (0, None)])
def test_bad_seeds_are_refused(seed, replication):
    with pytest.raises(ConfigurationError, match=r"(seed|replication) = .*expected a whole number, at least 0"):
        Streams(seed, replication)
