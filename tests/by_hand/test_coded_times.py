"""With replayed times, coded iteration times equal what can be computed by hand from the matrix."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clustersim as cs
from clustersim.streams import Streams

WORKERS, UPDATES = 6, 8
PROBLEM = cs.LeastSquares.synthetic(rows=24, features=2, seed=3)


def replayed(seed, updates=UPDATES, workers=WORKERS):
    """Response times with ties: multiples of a quarter of a second."""
    return np.random.default_rng(seed).integers(1, 13, size=(updates, workers)) / 4.0


def durations(policy, times, busy="restart"):
    """Seconds from each update to the next."""
    cluster = cs.Cluster(times.shape[1], cs.Replay(times), scaling="none", busy=busy)
    until = cs.Until(updates=len(times))
    run = cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-6), until=until, evaluate_every=1)
    return np.diff(run.history["time"])


def groups_heard(row, load):
    """When the first answer of every group of `load` neighbours is there."""
    return row.reshape(-1, load).min(axis=1).max()


@pytest.mark.parametrize("seed", range(5))
def test_uncoded_waits_for_the_slowest(seed):
    times = replayed(seed)
    np.testing.assert_allclose(durations(cs.FullSync(), times), times.max(axis=1), rtol=0, atol=1e-9)


@pytest.mark.parametrize("load", [1, 2, 3, 6])
@pytest.mark.parametrize("seed", range(3))
def test_fractional_repetition_waits_for_the_slowest_group(seed, load):
    times = replayed(seed)
    expected = [groups_heard(row, load) for row in times]
    np.testing.assert_allclose(durations(cs.ExactGradientCode(load), times), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("fraction", [1 / 6, 0.5, 4 / 6, 1.0])
@pytest.mark.parametrize("load", [2, 3])
def test_erasurehead_waits_for_a_fraction_or_all_groups(fraction, load):
    times = replayed(11)
    r = math.ceil(round(fraction * WORKERS, 9))
    expected = [min(groups_heard(row, load), np.sort(row)[r - 1]) for row in times]
    np.testing.assert_allclose(durations(cs.ErasureHead(load, fraction), times), expected, rtol=0, atol=1e-9)


def test_erasurehead_goes_on_at_its_deadline():
    times = replayed(5)
    expected = [min(groups_heard(row, 2), np.sort(row)[4], 1.25) for row in times]
    policy = cs.ErasureHead(load=2, fraction=5 / 6, deadline=1.25)
    np.testing.assert_allclose(durations(policy, times), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("load", [1, 2, 4, 6])
def test_cyclic_code_restarting_waits_for_an_order_statistic(load):
    times = replayed(7)
    expected = np.sort(times, axis=1)[:, WORKERS - load]
    policy = cs.ExactGradientCode(load, code="cyclic")
    np.testing.assert_allclose(durations(policy, times), expected, rtol=0, atol=1e-9)


@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3, 5]))
@settings(max_examples=25, deadline=None)
def test_cyclic_code_queueing_follows_the_backlog_recursion(seed, load):
    """finish = max(free, start) + delay for every worker; the master acts on the (n - s)-th finish of its own round."""
    times = replayed(seed)
    start, free, expected = 0.0, np.zeros(WORKERS), []
    for delays in times:
        free = np.maximum(free, start) + delays
        end = np.sort(free)[WORKERS - load]
        expected.append(end - start)
        start = end
    policy = cs.ExactGradientCode(load, code="cyclic")
    np.testing.assert_allclose(durations(policy, times, busy="queue"), expected, rtol=0, atol=1e-9)


def test_the_earliest_of_several_rules_grows_with_them():
    """k = 1 before 1.5 s, then 2, then 3, but never more than 2."""
    policy = cs.Synchronous(cs.waits.Earliest(cs.waits.Schedule([1.5, 3.5]), cs.waits.Fastest(2)))
    cluster = cs.Cluster(3, cs.Constant(1.0), scaling="none")
    run = cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-6), until=cs.Until(updates=5), evaluate_every=1)
    assert run.history["k"].tolist() == [1, 1, 1, 2, 2, 2]  # the k of the round that ended
    assert run.totals["used"] == 1 + 1 + 2 + 2 + 2


def test_rounds_of_random_stragglers_last_until_the_deadline_unless_all_answer():
    """A round ends at 2.0, or before if every worker has answered."""
    times = replayed(9)
    times[3] = 0.5
    expected = np.minimum(times.max(axis=1), 2.0)
    np.testing.assert_allclose(durations(cs.IgnoreStragglers(0.1, deadline=2.0), times), expected, rtol=0, atol=1e-9)


def test_redrawing_sends_the_model_again_and_counts_nothing():
    """Nobody answers in rounds 0, 1 and 3: the same model goes out again, so five rounds give two updates."""
    times = np.full((5, 2), math.inf)
    times[2], times[4] = 1.0, 1.0
    problem = cs.LeastSquares(np.eye(2), [1.0, 1.0])
    cluster = cs.Cluster(2, cs.Replay(times), scaling="none")

    def run(silence, updates):
        policy = cs.IgnoreStragglers(0.0, deadline=1.0, silence=silence)
        until = cs.Until(updates=updates)
        return cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1.0), until=until, evaluate_every=1)

    redrawn, counted = run("redraw", 2), run("count", 5)
    assert redrawn.history["time"].tolist() == [0.0, 3.0, 5.0]
    assert counted.history["time"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    np.testing.assert_allclose(redrawn.w, counted.w, rtol=0, atol=1e-15)
    assert counted.history["error"].round(12).tolist() == [0.5, 0.5, 0.5, 0.125, 0.125, 0.03125]


def test_a_worker_that_gets_the_same_model_twice_counts_once():
    """Sent at 0 and, since nobody answers before 1, again: worker 0's answers come at 0.5 + 0.75 and 1.25 + 0.75."""
    uplink = cs.Link(latency=0.75)
    cluster = cs.Cluster(2, cs.Replay([[0.5, math.inf], [0.25, math.inf]]), scaling="none", busy="queue", uplink=uplink)
    policy = cs.Synchronous(cs.waits.Deadline(1.0), cs.decoders.Unbiased(0.0), silence="redraw")
    problem = cs.LeastSquares(np.eye(2), [1.0, 1.0])
    run = cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1.0), until=cs.Until(updates=1))
    assert (run.totals["time"], run.totals["used"], run.totals["discarded"]) == (2.0, 1, 1)
    assert run.w.tolist() == [0.5, 0.0]


@pytest.mark.parametrize("busy", ["restart", "finish", "queue"])
def test_redrawing_starts_anew_whatever_busy_workers_do(busy):
    """No backlog of copies: the first answers count that come within 0.4 s of a sending, as in plain NumPy."""
    compute = cs.Exponential(mean=1.0)
    cluster = cs.Cluster(3, compute, scaling="none", busy=busy)
    policy = cs.IgnoreStragglers(0.5, deadline=0.4, silence="redraw")
    run = cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-6), until=cs.Until(updates=6), messages=True)
    times = compute.times(Streams(0, 0).uniforms("compute"), 0, 60, 3)
    silent = (times >= 0.4).all(axis=1)
    if busy == "restart":
        assert run.totals["downlink_messages"] == 3 * (1 + np.flatnonzero(~silent)[5])
    assert run.totals["downlink_messages"] < 150
    used = run.messages[run.messages["status"] == "used"]
    assert (used["arrived"] - used["dispatched"]).max() <= 0.4 + 1e-12


def test_nobody_for_ever_is_given_up():
    cluster = cs.Cluster(2, cs.Gamma(mean=1.0, shape=100.0), scaling="none")
    policy = cs.IgnoreStragglers(0.5, deadline=0.1, silence="redraw")
    with pytest.raises(cs.StalledError, match=r"no worker answered within 0[.]1 s, 10000 times in a row"):
        cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-6), until=cs.Until(updates=1))


def test_a_worker_that_is_always_late_is_refused_where_p_is_assumed():
    """25 rows on 6 workers: worker 0 holds 5, the others 4, and a share takes 1 s."""
    problem = cs.LeastSquares.synthetic(rows=25, features=2, seed=1)
    until = cs.Until(updates=1)

    def run(policy, scaling):
        cluster = cs.Cluster(6, cs.Constant(1.0), scaling=scaling)
        return cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1e-6), until=until)

    with pytest.raises(cs.ConfigurationError, match=r"worker 0 can never answer before 1\.2 s.*scaling=\"none\""):
        run(cs.IgnoreStragglers(0.1), "proportional")
    assert run(cs.IgnoreStragglers(0.1), "none").totals["used"] == 6
    with pytest.raises(cs.ConfigurationError, match="worker 0 can never answer"):
        run(cs.Synchronous(cs.waits.Deadline(1.0)), "proportional")
    copies = cs.Synchronous(cs.waits.Deadline(2.2), placement=cs.placements.Everything())
    assert run(copies, "none").totals["used"] == 6


def test_a_worker_without_rows_is_refused():
    problem = cs.LeastSquares(np.eye(2), [1.0, 1.0])
    policy = cs.Synchronous(cs.waits.Fastest(2), placement=cs.placements.UniformReplication(1))
    with pytest.raises(cs.ConfigurationError, match=r"workers = 5: .* leaves worker [0-4] without rows"):
        cs.simulate(problem, cs.Cluster(5, cs.Constant(1.0)), policy, optimizer=cs.SGD(1e-6), until=cs.Until(updates=1))


def test_rows_that_would_always_be_late_are_refused_and_others_are_not():
    """Workers 0 and 1 of the same group are slow: together they keep their rows away, alone the other stands in."""
    fast, slow = cs.Constant(1.0), cs.Constant(3.0)

    def run(*models):
        cluster = cs.Cluster(6, cs.PerWorker(models), scaling="none")
        policy = cs.ErasureHead(load=2, fraction=1.0, deadline=2.0)
        return cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-6), until=cs.Until(updates=3))

    assert run(slow, fast, fast, fast, fast, fast).totals["used"] == 9
    with pytest.raises(cs.ConfigurationError, match="worker 0 can never answer before 3 s"):
        run(slow, slow, fast, fast, fast, fast)


def test_a_recording_that_is_too_short_is_refused():
    cluster = cs.Cluster(WORKERS, cs.Replay(replayed(1)), scaling="none")
    with pytest.raises(cs.ConfigurationError, match=f"tasks = {UPDATES + 1}: expected at most {UPDATES}"):
        cs.simulate(PROBLEM, cluster, cs.FullSync(), optimizer=cs.SGD(1e-6), until=cs.Until(updates=UPDATES + 1))


def test_a_deadline_that_nobody_can_meet_is_refused():
    cluster = cs.Cluster(WORKERS, cs.BernoulliStraggler(0.5, time=1.0), scaling="none")
    with pytest.raises(cs.ConfigurationError, match=r"deadline = 0\.5: no worker can answer before 1 s"):
        cs.simulate(
            PROBLEM, cluster, cs.IgnoreStragglers(0.5, deadline=0.5), optimizer=cs.SGD(1e-6), until=cs.Until(updates=1)
        )


@pytest.mark.parametrize(("scaling", "soonest"), [("none", 1.75), ("proportional", 2.75), ("server-dependent", 1.75)])
def test_the_soonest_answer_counts_links_and_loads(scaling, soonest):
    """0.5 s down, 1 s for a share (2 shares here), 0.25 s up; what arrives at the deadline itself counts."""
    compute, down, up = cs.ShiftedExponential(shift=1.0, mean=1.0), cs.Link(latency=0.5), cs.Link(latency=0.25)
    cluster = cs.Cluster(WORKERS, compute, downlink=down, uplink=up, scaling=scaling)

    def run(deadline):
        policy = cs.ErasureHead(load=2, fraction=1.0, deadline=deadline)
        return cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-6), until=cs.Until(updates=1))

    assert run(soonest).totals["updates"] == 1
    with pytest.raises(cs.ConfigurationError, match=f"no worker can answer before {soonest} s"):
        run(soonest - 0.01)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (cs.Synchronous(cs.waits.Covered(), batch=2), "not even the messages of all workers"),
        (
            cs.Synchronous(cs.waits.All(), cs.decoders.DistinctGroups(), cs.placements.UniformReplication(2)),
            "no groups",
        ),
        (cs.Synchronous(cs.waits.All(), cs.decoders.DistinctRows(0.1)), "each row as a vector of its own"),
        (cs.Synchronous(cs.waits.All(), cs.decoders.Unbiased(0.1), cs.placements.CyclicRepetition(2)), "biased"),
        (cs.Synchronous(cs.waits.All(), batch=5), "worker 0 holds only 4 rows"),
        (cs.Synchronous(cs.waits.All(), cs.decoders.Exact(), batch=2), "not even the messages of all workers"),
        (cs.Synchronous(cs.waits.All(), cs.decoders.Optimal(), batch=2), "cannot fit mini-batches"),
        (cs.Synchronous(cs.waits.All(), placement=cs.placements.CyclicRepetition(2), batch=2), "coded"),
        (cs.ExactGradientCode(load=4), "load = 4"),
        (cs.StochasticGradientCoding(7, 0.1), "redundancy = 7"),
        (cs.BernoulliGradientCoding(7, 0.1), "redundancy = 7"),
    ],
)
def test_what_does_not_fit_together_is_refused_before_anything_is_run(policy, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        cs.Study(
            name="misfit", problem=PROBLEM, cluster=cs.Cluster(WORKERS, cs.Constant(1.0)), policies={"a": policy},
            optimizer=cs.SGD(1e-6), until=cs.Until(updates=1),
        ).run()  # fmt: skip


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cs.ErasureHead(load=0, fraction=0.5), "load = 0"),
        (lambda: cs.ErasureHead(load=2, fraction=0.0), r"fraction = 0\.0"),
        (lambda: cs.ErasureHead(load=2, fraction=1.5), r"fraction = 1\.5"),
        (lambda: cs.ErasureHead(load=2, fraction=0.5, deadline=-1.0), r"deadline = -1\.0"),
        (lambda: cs.ErasureHead(load=2, fraction=0.5, silence="loud"), "silence = 'loud'"),
        (lambda: cs.ExactGradientCode(load=2, code="magic"), "code = 'magic'"),
        (lambda: cs.IgnoreStragglers(1.0), r"straggler_probability = 1\.0"),
        (lambda: cs.SendAll(0.5, 0.1), r"redundancy = 0\.5"),
        (lambda: cs.FreshBatches(10, 0.1), "deadline = None"),
        (lambda: cs.FreshBatches(0), "batch = 0"),
        (lambda: cs.Synchronous(cs.waits.All), "wait = .*expected a WaitRule"),
        (lambda: cs.Synchronous(cs.waits.All(), "mean"), "decoder = 'mean': expected a Decoder"),
        (lambda: cs.Synchronous(cs.waits.All(), placement=3), "placement = 3: expected a placement"),
        (cs.waits.Earliest, "at least one wait rule"),
        (lambda: cs.waits.Earliest(3), "rules = 3: expected wait rules"),
    ],
)
def test_bad_hyper_parameters_are_named(make, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        make()
