"""Time is exact: what decimal fractions of a second add up to is what rational arithmetic says."""

import heapq
from fractions import Fraction

import numpy as np
import pytest
from agreement import ENGINES
from hypothesis import given, settings
from hypothesis import strategies as st
from wild import Watched

import clustersim as cs
from clustersim.protocol import Arrivals, Timeout
from clustersim.ticks import Ticks

PROBLEM = cs.LeastSquares.synthetic(rows=12, features=2, seed=1)

thousandths = st.integers(1, 1500).map(lambda n: Fraction(n, 1000))
"""Up to 1.5 s, in decimals of up to three places."""


def simulate(compute, policy, until, engine="cohort", workers=3, **cluster):
    return cs.simulate(
        PROBLEM, cs.Cluster(workers, compute, scaling="none", **cluster), policy,
        optimizer=cs.SGD(1e-3), until=until, engine=engine, evaluate_every=1,
    )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("time", "until", "updates"), [(0.1, 0.3, 3), (0.2, 0.6, 3), (0.7, 7.0, 10)])
def test_the_last_instant_of_a_horizon_counts(time, until, updates, engine):
    run = simulate(cs.Constant(time), cs.FullSync(), cs.Until(time=until), engine)
    assert run.totals["updates"] == updates
    assert run.history["time"].tolist()[:4] == [float(j * Fraction(str(time))) for j in range(4)]
    assert run.totals["time"] == until


@settings(max_examples=30, deadline=None)
@given(time=thousandths, down=thousandths, up=thousandths, rounds=st.integers(1, 40), short=st.integers(0, 1))
def test_round_trips_that_meet_a_horizon(time, down, up, rounds, short):
    """So many round trips fit into a horizon of their sum; of that sum less a thousandth one fewer does."""
    for links in ({}, {"downlink": cs.Link(float(down)), "uplink": cs.Link(float(up))}):
        trip = time + down + up if links else time
        horizon = rounds * trip - Fraction(short, 1000)
        if horizon <= 0:
            continue
        runs = [
            simulate(cs.Constant(float(time)), cs.FullSync(), cs.Until(time=float(horizon)), e, **links)
            for e in ENGINES
        ]
        for run in runs:
            assert run.totals["updates"] == horizon // trip
            assert run.totals["time"] == float(horizon)
            times = [float(j * trip) for j in range(run.totals["updates"] + 1)]
            assert run.history["time"].tolist()[: len(times)] == times


@settings(max_examples=30, deadline=None)
@given(times=st.lists(thousandths, min_size=3, max_size=3), deadline=thousandths)
def test_answers_that_meet_a_deadline(times, deadline):
    """An answer counts in whose time is not more than the deadline; the round ends with the last one, or with that."""
    for lucky in (deadline, times[0], times[0] + times[1]):
        policy = cs.Synchronous(cs.waits.Deadline(float(lucky)))
        if min(times) > lucky:
            continue
        compute = cs.PerWorker([cs.Constant(float(time)) for time in times])
        policy = cs.Synchronous(cs.waits.Deadline(float(lucky)), placement=cs.placements.Everything())
        for engine in ENGINES:
            run = simulate(compute, policy, cs.Until(updates=7), engine)
            assert run.totals["time"] == float(7 * min(lucky, max(times)))
            assert run.totals["used"] == 7 * sum(time <= lucky for time in times)


@settings(max_examples=30, deadline=None)
@given(times=st.lists(thousandths, min_size=2, max_size=4))
def test_sums_that_meet_each_other_are_ties(times):
    """Workers that go on by themselves: what arrives together is told together, the lower number first."""
    told = []
    compute = cs.PerWorker([cs.Constant(float(time)) for time in times])
    for engine in ENGINES:
        told.clear()
        simulate(compute, Watched(cs.KAsync(1), told), cs.Until(updates=40), engine, workers=len(times))
        heap = sorted((time, worker) for worker, time in enumerate(times))
        for event, _ in told:
            if not isinstance(event, Arrivals):
                continue
            now = heap[0][0]
            together = []
            while heap and heap[0][0] == now:
                together.append(heapq.heappop(heap)[1])
            assert (event.time, event.workers.tolist()) == (float(now), together)
            for worker in together:
                heapq.heappush(heap, (now + times[worker], worker))


@settings(max_examples=40, deadline=None)
@given(times=st.lists(thousandths, min_size=3, max_size=3), k=st.integers(1, 3), rounds=st.integers(1, 12))
def test_ledgers_add_up_to_the_tick(times, k, rounds):
    compute = cs.PerWorker([cs.Constant(float(time)) for time in times])
    ordered = sorted(times)
    length, slower = ordered[k - 1], [time for time in times if time > ordered[k - 1]]
    for engine in ENGINES:
        totals = simulate(compute, cs.FastestK(k), cs.Until(updates=rounds), engine).totals
        assert totals["compute_used"] == float(rounds * sum(ordered[:k]))
        ties = sum(time == length for time in times) - sum(time == length for time in ordered[:k])
        wasted = rounds * ties * length + (rounds - 1) * len(slower) * length
        assert totals["compute_wasted"] == float(wasted)
        assert totals["compute_pending"] == float(len(slower) * length)
        spent = rounds * sum(ordered[:k]) + wasted + len(slower) * length
        assert totals["idle"] == float(rounds * length * len(times) - spent)


def test_time_outs_come_at_the_tick_of_their_deadline():
    told = []
    policy = Watched(cs.Synchronous(cs.waits.Deadline(0.3), placement=cs.placements.Everything()), told)
    simulate(cs.PerWorker([cs.Constant(0.1), cs.Constant(5.0), cs.Constant(5.0)]), policy, cs.Until(updates=3))
    assert [event.time for event, _ in told if isinstance(event, Timeout)] == [0.3, 0.6, 0.9]


# ---------------------------------------------------------------------- ticks

UNITS = [1e-12, 1e-9, 1e-6, 0.001, 0.125, 1.0, 60.0]


@settings(max_examples=200, deadline=None)
@given(tick=st.sampled_from(UNITS), count=st.integers(0, 2**53))
def test_seconds_of_ticks_are_the_nearest_float_and_lead_back(tick, count):
    ticks, exact = Ticks(tick), count * Fraction(str(tick))
    assert ticks.seconds(float(count)) == float(exact)
    assert ticks.seconds(np.array([float(count)]))[0] == float(exact)
    if count < 2**51:  # beyond, seconds are further apart than ticks
        assert ticks.of(float(exact)) == ticks.of_all(np.array([float(exact)]))[0] == count


@pytest.mark.parametrize("tick", [0.0, -1e-9, float("nan"), float("inf"), 0.3, 1.5, 1e-20, "1 ns", None])
def test_what_is_no_tick_is_refused(tick):
    with pytest.raises(cs.ConfigurationError, match="tick = "):
        cs.Cluster(2, cs.Constant(1.0), tick=tick)


@pytest.mark.parametrize("engine", ENGINES)
def test_times_that_a_tick_cannot_tell_are_refused_with_a_remedy(engine):
    for part in (
        {"compute": cs.Exponential(1e-7)},
        {"compute": cs.Constant(1.0), "uplink": cs.Link(cs.Gamma(1e-8, 2.0))},
    ):
        with pytest.raises(
            cs.ConfigurationError, match=r"(compute|uplink): its mean.*less than 1000 ticks.*tick=1e-1[01]\)"
        ):
            simulate(part.pop("compute"), cs.FullSync(), cs.Until(updates=3), engine, **part)
    assert simulate(cs.Exponential(1e-7), cs.FullSync(), cs.Until(updates=3), engine, tick=1e-10).totals["updates"] == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_horizon_beyond_the_clock_is_refused_with_a_remedy(engine):
    with pytest.raises(cs.ConfigurationError, match=r"until.time = 1e\+07: .*2\*\*53.*tick=1e-08\)"):
        simulate(cs.Constant(1e5), cs.FullSync(), cs.Until(time=1e7), engine)
    with pytest.raises(cs.ConfigurationError, match=r"the clock has reached 1e\+07 s: .*tick=1e-08\)"):
        simulate(cs.Constant(2e6), cs.FullSync(), cs.Until(updates=9), engine)
    run = simulate(cs.Constant(1e5), cs.FullSync(), cs.Until(time=1e7), engine, tick=1e-8)
    assert run.totals["updates"] == 100


def test_waits_that_are_no_time_are_refused():
    with pytest.raises(cs.ConfigurationError, match=r"deadline = 4e-10: that is less than half a tick .*tick=1e-13\)"):
        simulate(cs.Constant(1.0), cs.Synchronous(cs.waits.Deadline(4e-10)), cs.Until(updates=3))
    with pytest.raises(cs.ConfigurationError, match=r"until.time = 1e-10: that is less than half .*tick=1e-13\)"):
        simulate(cs.Constant(1.0), cs.FullSync(), cs.Until(time=1e-10))


def test_advice_never_names_a_tick_that_would_be_refused_too():
    with pytest.raises(cs.ConfigurationError, match=r"tick=1e-08\)"):
        Ticks(1e-9).horizon(9007199.254740994)
    with pytest.raises(cs.ConfigurationError, match="the shortest tick is 1e-15 s; give times in another unit"):
        simulate(cs.Exponential(1e-13), cs.FullSync(), cs.Until(updates=3))


def test_small_loads_are_looked_at():
    """A mean of a microsecond is enough, but that of a task of one row in four is not."""
    policy = cs.FastestK(2, batch=1)
    with pytest.raises(cs.ConfigurationError, match=r"compute: its mean, 2.5e-07 s, is less than 1000 ticks"):
        simulate_few(cs.Exponential(1e-6), policy)
    simulate_few(cs.Exponential(4e-6), policy)


def simulate_few(compute, policy):
    cluster = cs.Cluster(3, compute)
    return cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=3))


@pytest.mark.parametrize("engine", ENGINES)
def test_deadlines_and_switches_off_the_grid_are_rounded_to_it(engine):
    third = cs.Synchronous(cs.waits.Deadline(2 / 3), placement=cs.placements.Everything())
    assert simulate(cs.Constant(2 / 3), third, cs.Until(updates=3), engine).totals["used"] == 9
    run = simulate(cs.Constant(1 / 3), cs.SwitchingTimes([1 / 3]), cs.Until(updates=3), engine)
    assert run.history["k"].tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("wait", [900_000.123456789, 123_456.789012345])
def test_deadlines_are_met_for_weeks(engine, wait):
    """To the end of the clock, 104 days of nanoseconds: everybody is in time, to the tick."""
    policy = cs.Synchronous(cs.waits.Deadline(wait), placement=cs.placements.Everything())
    rounds = int(9_007_199 / wait)
    run = simulate(cs.Constant(wait), policy, cs.Until(updates=rounds), engine)
    assert run.totals["used"] == 3 * rounds
