"""Single draws are those of the rows, to the last bit: all models, scalings and links, and `DrawCache` over them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import clustersim as cs
from clustersim.draw_cache import DrawCache
from clustersim.errors import ConfigurationError
from clustersim.latency import SCALINGS, ComputeTimes, LatencyModel
from clustersim.streams import Streams

WORKERS, TASKS = 37, 24
RECORDED = cs.Replay(np.random.default_rng(0).random((TASKS, WORKERS)))
STICKY = cs.Markov(cs.Exponential(1.0), cs.Exponential(9.0), 0.3, 0.3)


class Triangular(LatencyModel):
    """A user's own model: nothing but a quantile."""

    def quantile(self, u):
        return np.sqrt(u)


class Late(cs.Exponential):
    """A user's own model whose times are not those of its quantile."""

    def times(self, uniforms, first_task, tasks, workers, lane=0):
        return 1.0 + super().times(uniforms, first_task, tasks, workers, lane)


class Doubled:
    """Times that come from a class beside the model."""

    def times(self, uniforms, first_task, tasks, workers, lane=0):
        return 2.0 * super().times(uniforms, first_task, tasks, workers, lane)


class TwiceConstant(Doubled, cs.Constant):
    """A model whose own `times_at` no longer fits."""


SINGLE = [
    cs.Exponential(0.3),
    cs.ShiftedExponential(0.5, 2.0),
    cs.Constant(2.0),
    cs.Gamma(1.0, 0.7),
    cs.Pareto(1.0, 1.3),
    cs.Weibull(2.0, 0.4),
    cs.Weibull(2.0, 0.5),  # a power of 2, which NumPy squares
    cs.LogNormal(1.0, 0.8),
    cs.Empirical([0.1, 0.7, np.inf]),
    cs.FromScipy(stats.invgauss(0.5)),
    cs.BernoulliStraggler(0.3),
    RECORDED,
    Triangular(),
    cs.Persistent(cs.LogNormal(1.0, 0.8), 3),
    cs.PerWorker([cs.Exponential(1.0), cs.Pareto(1.0, 2.0), cs.Persistent(RECORDED, 2), Triangular()] * 10),
]
ROWS_ONLY = [STICKY, cs.Persistent(STICKY, 2), Late(1.0), TwiceConstant(3.0), cs.PerWorker([STICKY] * WORKERS)]
MIXED = cs.PerWorker([STICKY, cs.Exponential(1.0)] * 20)

PAIRS = st.lists(st.tuples(st.integers(0, TASKS - 1), st.integers(0, WORKERS - 1)), max_size=90)


def uniforms(seed=6):
    return Streams(seed).uniforms("compute")


def columns(pairs):
    tasks, workers = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return tasks, workers


@settings(max_examples=100, deadline=None)
@given(model=st.sampled_from(SINGLE), pairs=PAIRS, lane=st.integers(0, 2))
def test_single_times_are_those_of_the_rows(model, pairs, lane):
    tasks, workers = columns(pairs)
    rows = model.times(uniforms(), 0, TASKS, WORKERS, lane)
    single = model.times_at(uniforms(), tasks, workers, lane)
    assert single.dtype == np.float64
    np.testing.assert_array_equal(single, rows[tasks, workers])


@pytest.mark.parametrize(
    "model",
    [model for model in (*SINGLE, *ROWS_ONLY) if not isinstance(model, (cs.PerWorker, cs.Replay))],
    ids=lambda model: repr(model)[:40],
)
def test_long_rows_are_cut_for_speed_only(model):
    """Rows of 20,000 and of 37 workers hold the same times, whatever pieces they are computed in."""
    long = model.times(uniforms(), 3, 2, 20_000)
    np.testing.assert_array_equal(long[:, :WORKERS], model.times(uniforms(), 3, 2, WORKERS))
    one_by_one = model.times_at(uniforms(), np.full(300, 4), np.arange(19_700, 20_000))
    if one_by_one is not None:
        np.testing.assert_array_equal(one_by_one, long[1, 19_700:])


@pytest.mark.parametrize("model", ROWS_ONLY, ids=lambda model: repr(model)[:40])
def test_models_that_only_draw_rows_say_so(model):
    assert model.times_at(uniforms(), np.array([2]), np.array([1])) is None
    compute = ComputeTimes(model, "additive", 2.5, WORKERS)
    assert compute.times_at(uniforms(), np.array([2]), np.array([1])) is None


def test_unlike_workers_draw_single_times_where_their_models_do():
    rows = MIXED.times(uniforms(), 0, 5, 4)
    tasks, workers = np.array([4, 0]), np.array([3, 1])
    np.testing.assert_array_equal(MIXED.times_at(uniforms(), tasks, workers), rows[tasks, workers])
    assert MIXED.times_at(uniforms(), tasks, np.array([3, 2])) is None


@settings(max_examples=100, deadline=None)
@given(
    model=st.sampled_from(SINGLE),
    scaling=st.sampled_from(SCALINGS),
    loads=st.one_of(
        st.just([1.0] * WORKERS),
        st.lists(st.sampled_from([0.0, 0.25, 1.0, 1.5, 3.75]), min_size=WORKERS, max_size=WORKERS),
    ),
    pairs=PAIRS,
)
def test_single_compute_times_are_those_of_the_rows(model, scaling, loads, pairs):
    compute = ComputeTimes(model, scaling, loads, WORKERS)
    tasks, workers = columns(pairs)
    rows = compute.times(uniforms(), 0, TASKS)
    np.testing.assert_array_equal(compute.times_at(uniforms(), tasks, workers), rows[tasks, workers])


@settings(max_examples=100, deadline=None)
@given(model=st.sampled_from([None, 0.25, *SINGLE]), bandwidth=st.sampled_from([None, 7.0]), pairs=PAIRS)
def test_single_delays_are_those_of_the_rows(model, bandwidth, pairs):
    link = cs.Link(model, bandwidth)
    sizes = np.arange(WORKERS) * 8
    tasks, workers = columns(pairs)
    rows = link.delays(uniforms(), 0, TASKS, WORKERS, sizes)
    np.testing.assert_array_equal(link.delays_at(uniforms(), tasks, workers, sizes[workers]), rows[tasks, workers])


def test_a_link_whose_latency_only_draws_rows_says_so():
    assert cs.Link(STICKY, 5.0).delays_at(uniforms(), np.array([0]), np.array([0]), 8) is None


def test_replay_invents_no_single_time():
    for tasks, workers, word in (([TASKS], [0], "tasks"), ([0], [WORKERS], "workers")):
        with pytest.raises(ConfigurationError, match=f"{word} = .*expected at most"):
            RECORDED.times_at(uniforms(), np.array(tasks), np.array(workers))


@settings(max_examples=75, deadline=None)
@given(
    model=st.sampled_from([*SINGLE, *ROWS_ONLY, MIXED]),
    scaling=st.sampled_from(SCALINGS),
    questions=st.lists(PAIRS, max_size=8),
)
def test_draws_are_the_rows_whoever_asks_for_what(model, scaling, questions):
    loads = np.arange(WORKERS) % 4 / 2.0
    compute = ComputeTimes(model, scaling, loads, WORKERS)
    rows = compute.times(uniforms(), 0, TASKS)
    stream = uniforms()
    draws = DrawCache(
        lambda first, tasks: compute.times(stream, first, tasks),
        WORKERS,
        model.recorded_tasks,
        lambda tasks, workers: compute.times_at(stream, tasks, workers),
    )
    for pairs in questions:
        tasks, workers = columns(pairs)
        np.testing.assert_array_equal(draws.at(tasks, workers), rows[tasks, workers])
        for task, worker in pairs[:1]:
            assert draws.one(task, worker) == rows[task, worker]
            np.testing.assert_array_equal(draws.array(task), rows[task])
