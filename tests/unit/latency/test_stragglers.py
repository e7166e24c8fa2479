"""Stragglers: Bernoulli, persistent, Markov and unlike workers, all functions of (task, worker) alone."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.streams import Streams, Uniforms

Z = stats.norm.isf(0.5e-6)  # two-sided, one false alarm in a million
STICKY = cs.Markov(cs.Constant(1.0), cs.Constant(5.0), slow_down=0.02, recover=0.06)


def uniforms(seed=1):
    return Streams(seed).uniforms("compute")


def assert_share(hits, trials, probability, z=Z):
    assert abs(hits - probability * trials) <= z * math.sqrt(probability * (1.0 - probability) * trials)


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.7, 1.0])
def test_bernoulli_stragglers_never_answer_as_often_as_they_should(probability):
    times = cs.BernoulliStraggler(probability, time=2.0).times(uniforms(), 0, 1000, 100)
    assert set(np.unique(times)) <= {2.0, math.inf}
    assert_share(np.isinf(times).sum(), times.size, probability)


def test_bernoulli_law():
    model = cs.BernoulliStraggler(0.25, time=2.0)
    np.testing.assert_array_equal(model.quantile([0.0, 0.75, 0.76, 1.0]), [2.0, 2.0, math.inf, math.inf])
    np.testing.assert_array_equal(model.cdf([1.9, 2.0, math.inf]), [0.0, 0.75, 0.75])
    np.testing.assert_array_equal(model.shifts(2), [2.0, 2.0])
    assert model.expected_time == model.variance == math.inf
    certain = cs.BernoulliStraggler(0.0, time=2.0)
    assert (certain.expected_time, certain.variance, float(certain.quantile(1.0))) == (2.0, 0.0, 2.0)
    assert math.isinf(cs.BernoulliStraggler(1.0).quantile(0.0))


@settings(max_examples=40, deadline=None)
@given(
    rounds=st.integers(1, 7),
    first=st.integers(0, 30),
    tasks=st.integers(0, 12),
    workers=st.integers(1, 5),
    lane=st.integers(0, 2),
)
def test_persistent_keeps_each_draw(rounds, first, tasks, workers, lane):
    base = cs.Exponential(1.0)
    kept = cs.Persistent(base, rounds).times(uniforms(), first, tasks, workers, lane)
    draws = base.times(uniforms(), 0, 50, workers, lane)
    expected = [draws[task // rounds] for task in range(first, first + tasks)]
    np.testing.assert_array_equal(kept, np.reshape(expected, (tasks, workers)))


def test_persistent_has_the_law_of_its_model():
    base, model = cs.Gamma(2.0, 3.0), cs.Persistent(cs.Gamma(2.0, 3.0), 4)
    assert (model.expected_time, model.variance) == (base.expected_time, base.variance)
    assert model.order_statistic_mean(2, 5) == base.order_statistic_mean(2, 5)
    assert float(model.quantile(0.3)) == float(base.quantile(0.3))
    assert float(model.cdf(1.5)) == float(base.cdf(1.5)) == pytest.approx(1.0 - float(model.survival(1.5)))
    assert cs.Persistent(cs.Replay(np.ones((3, 2))), 4).recorded_tasks == 12


# Markov


def test_markov_starts_and_stays_in_its_stationary_law():
    slow = STICKY.slow_tasks(uniforms(), 0, 60, 20_000)
    for task in (0, 1, 7, 59):
        assert_share(slow[task].sum(), 20_000, 0.02 / 0.08)


def test_markov_changes_state_as_often_as_it_should():
    slow = STICKY.slow_tasks(uniforms(), 0, 500, 400)
    before, after = slow[:-1], slow[1:]
    assert_share((after & ~before).sum(), (~before).sum(), 0.02)
    assert_share((~after & before).sum(), before.sum(), 0.06)


def test_markov_workers_and_times_are_independent_but_for_the_state():
    model = cs.Markov(cs.Exponential(1.0), cs.ShiftedExponential(3.0, 2.0), slow_down=0.5, recover=0.5)
    slow, times = model.slow_tasks(uniforms(), 0, 200, 200), model.times(uniforms(), 0, 200, 200)
    for states, mean, spread in ((~slow, 1.0, 1.0), (slow, 5.0, 2.0)):
        count = states.sum()
        assert abs(times[states].mean() - mean) < Z * spread / math.sqrt(count)
    neighbours = np.corrcoef(slow[:, :-1].ravel(), slow[:, 1:].ravel())[0, 1]
    assert abs(neighbours) < Z / math.sqrt(slow[:, 1:].size)


@settings(max_examples=40, deadline=None)
@given(
    blocks=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 5), st.integers(1, 8)), min_size=1, max_size=6),
    chain=st.sampled_from([(0.02, 0.06), (0.5, 0.5), (1.0, 1.0), (0.9, 0.9), (0.0, 0.3), (0.3, 0.0), (0.001, 0.001)]),
)
def test_markov_blocks_in_any_order_are_parts_of_one_history(blocks, chain):
    model = cs.Markov(cs.Exponential(1.0), cs.Exponential(9.0), *chain)
    history = model.times(uniforms(), 0, 710, 8)
    stream = uniforms()
    for first, tasks, workers in blocks:
        block = model.times(stream, first, tasks, workers)
        np.testing.assert_array_equal(block, history[first : first + tasks, :workers])


def test_markov_row_by_row_is_the_whole():
    stream = uniforms()
    rows = [STICKY.times(stream, task, 1, 30)[0] for task in range(200)]
    np.testing.assert_array_equal(rows, STICKY.times(uniforms(), 0, 200, 30))


def test_markov_lanes_of_the_same_tasks_look_back_once():
    class Counted(Uniforms):
        rows = 0

        def block(self, first_task, tasks, workers, lane=0):
            self.rows += tasks
            return super().block(first_task, tasks, workers, lane)

    stream = Counted(np.array([1, 2], dtype=np.uint64))
    for lane in range(3):
        STICKY.times(stream, 1000, 2, 5, lane)
    looked_back = stream.rows
    for task in range(1002, 1042, 2):
        for lane in range(3):
            STICKY.times(stream, task, 2, 5, lane)
    assert stream.rows - looked_back == 20 * 3 * 2, "one row of states a task and lane, for the constants draw nothing"


def test_markov_streams_of_different_seeds_do_not_mix():
    one, two = uniforms(1), uniforms(2)
    alternating = [STICKY.slow_tasks(stream, task, 1, 50)[0] for task in range(40) for stream in (one, two)]
    np.testing.assert_array_equal(alternating[0::2], STICKY.slow_tasks(uniforms(1), 0, 40, 50))
    np.testing.assert_array_equal(alternating[1::2], STICKY.slow_tasks(uniforms(2), 0, 40, 50))


def test_markov_that_always_changes():
    slow = cs.Markov(cs.Constant(1.0), cs.Constant(2.0), 1.0, 1.0).slow_tasks(uniforms(), 0, 20, 50)
    assert (slow[1:] != slow[:-1]).all()
    assert 0 < slow[0].sum() < 50


def test_markov_state_is_shared_by_all_lanes_but_draws_are_not():
    model = cs.Markov(cs.Exponential(1.0), cs.ShiftedExponential(100.0, 1.0), 0.3, 0.3)
    a, b = (model.times(uniforms(), 0, 100, 50, lane) for lane in (0, 1))
    np.testing.assert_array_equal(a > 50.0, b > 50.0)
    assert not (a == b).any()


def test_nested_chains_are_independent():
    inner = cs.Markov(cs.Constant(1.0), cs.Constant(2.0), 0.5, 0.5)
    outer = cs.Markov(inner, cs.Constant(9.0), 0.5, 0.5)
    times = outer.times(uniforms(), 0, 200, 200)
    for value, share in ((1.0, 0.25), (2.0, 0.25), (9.0, 0.5)):
        assert_share((times == value).sum(), times.size, share)


def test_markov_moments_and_quantiles():
    model = cs.Markov(cs.Exponential(1.0), cs.Exponential(5.0), slow_down=0.1, recover=0.3)
    assert model.expected_time == pytest.approx(0.75 + 1.25)
    assert model.variance == pytest.approx(0.75 * 2.0 + 0.25 * 50.0 - 4.0)  # E[X^2] = 2 mean^2 in each state
    t = np.array([0.0, 0.5, 3.0, 40.0])
    np.testing.assert_allclose(model.survival(t), 0.75 * np.exp(-t) + 0.25 * np.exp(-t / 5.0), rtol=1e-12)
    np.testing.assert_allclose(model.quantile(model.cdf(t)), t, rtol=1e-9)
    gap = cs.Markov(cs.Constant(1.0), cs.BernoulliStraggler(0.5, time=3.0), 0.5, 0.5)
    np.testing.assert_array_equal(gap.quantile([0.2, 0.5, 0.6, 0.75, 0.8]), [1.0, 1.0, 3.0, 3.0, math.inf])
    np.testing.assert_array_equal(model.shifts(2), [0.0, 0.0])


# unlike workers


def test_each_worker_follows_its_own_model():
    recorded = np.arange(35.0).reshape(5, 7)
    models = [
        cs.Exponential(1.0),
        cs.Constant(4.0),
        cs.Exponential(1.0),
        cs.Replay(recorded),
        cs.Persistent(cs.Gamma(1.0, 2.0), 2),
        STICKY,
        cs.Exponential(2.0),
    ]
    model = cs.PerWorker(models)
    times = model.times(uniforms(), 1, 4, 7)
    for worker, own in enumerate(models):  # the same draws as in a cluster where all are of that kind
        np.testing.assert_array_equal(times[:, worker], own.times(uniforms(), 1, 4, 7)[:, worker])
    np.testing.assert_array_equal(model.times(uniforms(), 1, 4, 3), times[:, :3])
    np.testing.assert_array_equal(model.shifts(7), [0.0, 4.0, 0.0, 3.0, 0.0, 1.0, 0.0])
    assert model.recorded_tasks == 5
    assert model == pickle.loads(pickle.dumps(model))  # noqa: S301 - its own bytes
    assert hash(model) == hash(cs.PerWorker(tuple(models)))


def test_unlike_workers_have_the_moments_of_a_worker_chosen_at_random():
    model = cs.PerWorker([cs.Exponential(1.0), cs.Exponential(1.0), cs.Constant(4.0)])
    assert model.expected_time == pytest.approx(2.0)
    assert model.variance == pytest.approx((2.0 * 2.0 + 16.0) / 3.0 - 4.0)
    assert float(model.quantile(1.0 / 3.0)) == pytest.approx(math.log(2.0))  # where an exponential has a half
    assert not model.homogeneous
    alike = cs.PerWorker([cs.Exponential(1.0)] * 3)
    assert alike.order_statistic_mean(3, 3) == pytest.approx(11.0 / 6.0)


def test_unlike_workers_print_short():
    models = [cs.Constant(1.0)] * 999 + [cs.Constant(2.0)]
    assert repr(cs.PerWorker(models)) == "PerWorker(999 x Constant(time=1.0), 1 x Constant(time=2.0))"
    assert len(repr(cs.PerWorker([cs.Constant(float(i)) for i in range(1000)]))) < 200


BAD = [
    (lambda: cs.BernoulliStraggler(1.5), r"probability = 1.5.*\[0, 1\]"),
    (lambda: cs.BernoulliStraggler(0.5, time=-1.0), "time = -1.0"),
    (lambda: cs.Persistent(cs.Constant(1.0), 0), "rounds = 0.*at least 1"),
    (lambda: cs.Persistent(1.0, 2), "model = 1.0: expected a latency model"),
    (lambda: cs.Markov(1.0, cs.Constant(1.0), 0.1, 0.1), "fast = 1.0: expected a latency model"),
    (lambda: cs.Markov(cs.Constant(1.0), cs.Constant(1.0), -0.1, 0.1), "slow_down = -0.1"),
    (lambda: cs.Markov(cs.Constant(1.0), cs.Constant(1.0), 0.0, 0.0), "slow_down = recover = 0.*PerWorker"),
    (lambda: cs.PerWorker([]), "at least one latency model"),
    (lambda: cs.PerWorker([cs.Constant(1.0), 2.0]), r"models\[1\] = 2.0"),
    (lambda: cs.PerWorker(cs.Constant(1.0)), "expected a sequence of latency models"),
    (lambda: cs.PerWorker([cs.Constant(1.0)]).times(uniforms(), 0, 1, 2), "workers = 2: expected at most 1"),
    (lambda: cs.PerWorker([cs.Constant(1.0)]).shifts(2), "workers = 2: expected at most 1"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_models_are_refused(make, message):
    with pytest.raises(ConfigurationError, match=message):
        make()
