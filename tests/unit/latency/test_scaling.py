"""What a load costs: each scaling against its formula, written out worker by worker."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.latency import SCALINGS, compute_times
from clustersim.streams import Streams

Z = stats.norm.isf(0.5e-6)
UNLIKE = cs.PerWorker(
    [cs.ShiftedExponential(0.5, 1.0), cs.Exponential(2.0), cs.Pareto(1.0, 2.0), cs.BernoulliStraggler(0.5)] * 2
)


def uniforms():
    return Streams(4).uniforms("compute")


def by_hand(model, scaling, loads, first, tasks, workers):
    """The definitions, one number at a time."""
    lanes = [model.times(uniforms(), first, tasks, workers, lane) for lane in range(math.ceil(max(loads)) + 1)]
    shifts = model.shifts(workers)
    times = np.zeros((tasks, workers))
    for (task, worker), draw in np.ndenumerate(lanes[0]):
        load, shift = loads[worker], shifts[worker]
        if scaling == "none":
            times[task, worker] = draw
        elif load > 0.0:
            times[task, worker] = {
                "proportional": load * draw,
                "server-dependent": shift + load * (draw - shift),
                "data-dependent": load * shift + (draw - shift),
                "additive": sum(lane[task, worker] for lane in lanes[: int(load)])
                + ((load - int(load)) * lanes[int(load)][task, worker] if load > int(load) else 0.0),
            }[scaling]
    return times


@settings(max_examples=80, deadline=None)
@given(
    scaling=st.sampled_from(SCALINGS),
    loads=st.lists(st.sampled_from([0.0, 0.25, 1.0, 1.5, 2.0, 3.75]), min_size=1, max_size=8),
    first=st.integers(0, 9),
    tasks=st.integers(1, 4),
)
def test_each_scaling_is_its_formula(scaling, loads, first, tasks):
    workers = len(loads)
    times = compute_times(UNLIKE, scaling, np.array(loads), uniforms(), first, tasks, workers)
    np.testing.assert_allclose(times, by_hand(UNLIKE, scaling, loads, first, tasks, workers), rtol=1e-13)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_one_share_takes_the_draw_to_the_last_bit(scaling):
    times = compute_times(UNLIKE, scaling, np.ones(8), uniforms(), 3, 5, 8)
    np.testing.assert_array_equal(times, UNLIKE.times(uniforms(), 3, 5, 8))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_who_never_answers_does_so_under_any_load_but_none(scaling):
    silent = cs.Replay([[math.inf, math.inf, math.inf]])
    times = compute_times(silent, scaling, [0.0, 0.5, 3.0], uniforms(), 0, 1, 3)
    expected = [math.inf if scaling == "none" else 0.0, math.inf, math.inf]
    np.testing.assert_array_equal(times, [expected])


def test_additive_draws_are_independent_sums():
    model, tasks, workers = cs.Exponential(2.0), 500, 100
    times = compute_times(model, "additive", 2.5, uniforms(), 0, tasks, workers)
    spread = math.sqrt((2.0 + 0.25) * model.variance)  # 1 + 1 + 0.5^2 variances, were they independent
    assert abs(times.mean() - 5.0) < Z * spread / math.sqrt(times.size)
    fourth = (1.0 + 1.0 + 0.5**4) * 9.0 * 16.0 + 6.0 * (
        1.0 + 0.25 + 0.25
    ) * 16.0  # of the centred sum; E = 9 s^4 for one
    deviation = math.sqrt((fourth - spread**4) / times.size)
    assert abs(((times - 5.0) ** 2).mean() - spread**2) < Z * deviation


def test_rounding_of_a_whole_load_does_not_cost_a_draw():
    lossy = cs.BernoulliStraggler(0.3)
    exact = compute_times(lossy, "additive", 3.0, uniforms(), 0, 200, 5)
    np.testing.assert_array_equal(compute_times(lossy, "additive", 0.1 * 30 + 4e-16, uniforms(), 0, 200, 5), exact)
    np.testing.assert_array_equal(compute_times(lossy, "additive", 3.0 - 4e-16, uniforms(), 0, 200, 5), exact)


def test_replayed_times_add_up_to_themselves():
    model = cs.Replay([[1.0, 2.0]])
    np.testing.assert_array_equal(compute_times(model, "additive", [2.5, 3.0], uniforms(), 0, 1, 2), [[2.5, 6.0]])


@pytest.mark.parametrize(
    ("scaling", "loads", "message"),
    [
        ("linear", [1.0, 1.0], "scaling = 'linear'.*'proportional'"),
        ("proportional", [1.0], r"loads of shape \(1,\).*shape \(2,\)"),
        ("additive", [1.0, -0.5], "at least 0"),
        ("data-dependent", [1.0, math.nan], "finite"),
        ("server-dependent", [1.0, math.inf], "finite"),
    ],
)
def test_bad_loads_are_refused(scaling, loads, message):
    with pytest.raises(ConfigurationError, match=message):
        compute_times(cs.Exponential(1.0), scaling, loads, uniforms(), 0, 1, 2)
