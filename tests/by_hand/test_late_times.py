"""Late answers on schedules that can be checked on paper: partial work, stops under way, asynchronous updates."""

import numpy as np
import pytest
from scripted import Scripted

import clustersim as cs
from clustersim.conformance import check_run
from clustersim.protocol import Arrivals, Decision, Dispatch, Update, Updated, Wants


def run(policy, times, until, downlink=0.0, uplink=0.0, busy="restart", rows=12):
    """Workers whose q-th task takes times[q][worker] seconds, whatever the load."""
    cluster = cs.Cluster(
        len(times[0]), cs.Replay(times), downlink=cs.Link(latency=downlink), uplink=cs.Link(latency=uplink),
        scaling="none", busy=busy,
    )  # fmt: skip
    problem = cs.LeastSquares.synthetic(rows=rows, features=2, seed=1)
    result = cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1e-3), until=until, evaluate_every=1, messages=True)
    check_run(result, cluster)
    return result


def fates(result, *columns):
    return list(zip(*(result.messages[name].tolist() for name in ("worker", *columns, "status")), strict=True))


def test_stragglers_send_the_blocks_that_they_have_finished():
    """Three workers, K = 2, two blocks. Stops at 2 (worker 2, half done that instant), 4 (worker 1, 2 of 3 s), 5."""
    times = [[1.0, 2.0, 4.0], [1.0, 3.0, 2.0], [5.0, 1.0, 1.0]]
    result = run(cs.LiveGradientCompensation(k=2, blocks=2), times, cs.Until(updates=3))
    assert fates(result, "version", "blocks", "dropped", "staleness") == [
        (0, 0, 2, 0.0, 0.0, "used"), (1, 0, 2, 0.0, 0.0, "used"), (2, 0, 1, 0.0, 1.0, "used late"),
        (0, 1, 2, 0.0, 0.0, "used"), (1, 1, 1, 0.5, 1.0, "used late"), (2, 1, 2, 0.0, 0.0, "used"),
        (0, 2, 0, 0.0, pytest.approx(np.nan, nan_ok=True), "in flight"),
        (1, 2, 2, 0.0, 0.0, "used"), (2, 2, 2, 0.0, 0.0, "used"),
    ]  # fmt: skip
    expected = {"used": 6, "used_late": 2, "partial": 2, "used_partial": 2, "cancelled": 0, "uplink_messages": 8}
    expected |= {"compute_used": 11.5, "compute_wasted": 0.5, "compute_pending": 1.0, "idle": 2.0, "time": 5.0}
    expected |= {"mean_staleness": 0.25, "max_staleness": 1}
    assert {name: result.totals[name] for name in expected} == expected
    assert result.history["mean_staleness"].tolist() == [0.0, 0.0, 1 / 5, 2 / 8]


def test_a_straggler_without_a_finished_block_sends_nothing():
    result = run(cs.LiveGradientCompensation(k=1, blocks=4), [[1.0, 5.0], [1.0, 3.0], [1.0, 1.0]], cs.Until(updates=2))
    assert fates(result, "blocks") == [(0, 4, "used"), (1, 0, "cancelled"), (0, 4, "used"), (1, 0, "in flight")]
    assert result.totals["compute_wasted"] == 1.0


def test_the_stop_reaches_a_straggler_late():
    """The downlink takes 0.5 s: the model arrives at 0.5, worker 0 answers at 1.5, its update's model arrives at 2.

    Worker 1 (1.4 s) is finished by then, and late; worker 2 (2 s) has 1.5 of its 2 s behind it: one of two blocks.
    """
    times = [[1.0, 1.4, 2.0], [1.0, 9.0, 9.0]]
    policy = cs.LiveGradientCompensation(k=1, blocks=2)
    result = run(policy, times, cs.Until(updates=2), downlink=0.5)
    assert fates(result, "finished", "blocks") == [
        (0, 1.5, 2, "used"), (1, pytest.approx(1.9), 2, "used late"), (2, 2.0, 1, "used late"),
        (0, 3.0, 2, "used"), (1, pytest.approx(np.nan, nan_ok=True), 0, "in flight"),
        (2, pytest.approx(np.nan, nan_ok=True), 0, "in flight"),
    ]  # fmt: skip
    totals = result.totals
    assert (totals["used_late"], totals["partial"], totals["used_partial"]) == (2, 1, 1)  # one was late but whole
    assert totals["compute_wasted"] == pytest.approx(0.5)


def test_answers_two_updates_late_are_thrown_away():
    """The uplink takes 10 s: what stragglers send at a stop arrives when its update is long past, unless they wait."""
    times = [[1.0, 4.0, 4.0]] * 3
    late = run(cs.LiveGradientCompensation(k=1, blocks=4), times, cs.Until(updates=3), uplink=10.0)
    # Worker 0's answers to version v arrive at 11 (v + 1); the others are stopped at 11, and so have finished at 4
    assert late.messages.query("worker > 0")["blocks"].tolist()[:2] == [4, 4]
    assert late.totals["used_late"] == 4
    slow = cs.Replay([[1.0, 2.0]] * 40)
    cluster = cs.Cluster(
        2, slow, scaling="none", uplink=cs.Link(latency=cs.PerWorker([cs.Constant(0.25), cs.Constant(3.0)]))
    )
    problem = cs.LeastSquares.synthetic(rows=12, features=2, seed=1)
    result = cs.simulate(
        problem, cluster, cs.LiveGradientCompensation(k=1, blocks=2), optimizer=cs.SGD(1e-3), until=cs.Until(updates=8),
        messages=True,
    )  # fmt: skip
    check_run(result, cluster)
    # a stop comes 1.25 s after each dispatch: half of worker 1 is done, takes 3 s to arrive, and is two updates late
    assert (result.totals["used_late"], result.totals["discarded"]) == (0, 5)


def test_ties_wait_for_the_next_update():
    """All four answer at once: two are used, the two others make up for them in the next update."""
    result = run(cs.LiveGradientCompensation(k=2, blocks=1), [[1.0] * 4] * 3, cs.Until(updates=2))
    assert fates(result, "version") == [
        (0, 0, "used"), (1, 0, "used"), (2, 0, "used late"), (3, 0, "used late"),
        (0, 1, "used"), (1, 1, "used"), (2, 1, "discarded"), (3, 1, "discarded"),
    ]  # fmt: skip


def test_k_async_gives_the_new_model_to_those_that_were_used():
    """K = 2 of 3. Answers: 0 at 1, 1 at 2: update 1 at 2. 0 (2 s) at 4, 2 (5 s, version 0) at 5: update 2 at 5."""
    times = [[1.0, 2.0, 5.0], [2.0, 9.0, 1.0], [4.0, 9.0, 9.0]]
    result = run(cs.KAsync(2), times, cs.Until(updates=3))
    assert result.history["time"].tolist() == [0.0, 2.0, 5.0, 9.0]
    assert fates(result, "version", "staleness")[:5] == [
        (0, 0, 0.0, "used"), (1, 0, 0.0, "used"), (2, 0, 1.0, "used late"),
        (0, 1, 0.0, "used"), (1, 1, pytest.approx(np.nan, nan_ok=True), "in flight"),
    ]  # fmt: skip
    assert result.messages["dispatched"].tolist() == [0.0, 0.0, 0.0, 2.0, 2.0, 5.0, 5.0]
    assert result.totals["idle"] == 1.0 + 1.0 + 3.0  # 0 waits from 1 to 2 and 4 to 5, 2 from 6 on


def test_k_batch_async_lets_nobody_wait():
    """K = 2 of 2. Worker 0 answers at 1, 2, 3, 4, ... worker 1 at 2.5, 5: updates at 2 (0, 0), 3 (1, 0)."""
    result = run(cs.KBatchAsync(2), [[1.0, 2.5]] * 9, cs.Until(updates=3))
    assert result.history["time"].tolist() == [0.0, 2.0, 3.0, 5.0]
    used = result.messages.query("status != 'in flight'").sort_values(["arrived", "worker"])
    # worker 0's second task was sent out at 1, before the first update; at 5 both answer, and the lower number counts
    assert used[["worker", "version", "status"]].to_numpy().tolist() == [
        [0, 0, "used"], [0, 0, "used"], [1, 0, "used late"], [0, 1, "used"], [0, 2, "used"], [0, 2, "used"],
        [1, 1, "discarded"],
    ]  # fmt: skip
    assert result.totals["idle"] == 0.0


def test_k_batch_sync_counts_several_answers_of_one_worker_and_sends_all_the_new_model():
    """K = 2 of 2. Worker 0 answers at 1 and 2: update, and both begin anew. It answers at 4, worker 1 at 4.5."""
    result = run(cs.KBatchSync(2, batch=3), [[1.0, 2.5], [1.0, 2.5], [2.0, 1.0], [3.0, 0.5]], cs.Until(updates=2))
    assert result.history["time"].tolist() == [0.0, 2.0, 4.5]
    assert fates(result, "version", "dispatched") == [
        (0, 0, 0.0, "used"), (1, 0, 0.0, "cancelled"), (0, 0, 1.0, "used"),
        (0, 1, 2.0, "used"), (1, 1, 2.0, "used"), (0, 1, 4.0, "in flight"),
    ]  # fmt: skip


def test_answers_beyond_the_bound_are_refused_and_their_workers_sent_on():
    """Worker 0 answers every second, worker 1 after 2.5 s: two updates old, beyond a bound of 1; it gets version 2."""
    times = [[1.0, 2.5]] * 9
    result = run(cs.KAsync(1, max_staleness=1), times, cs.Until(updates=5))
    late = result.messages.query("worker == 1")
    assert late["status"].tolist()[0] == "discarded"
    assert late["dispatched"].tolist() == [0.0, 2.5]
    assert late["version"].tolist() == [0, 2]
    assert result.totals["max_staleness"] == 0
    loose = run(cs.KAsync(1, max_staleness=2), times, cs.Until(updates=5))
    assert loose.totals["max_staleness"] == 2


def test_an_answer_that_was_overtaken_sends_nobody_on():
    """The uplink takes 1 s. Worker 1's answer to version 0 arrives at 2.5, when it has had version 1 for 0.5 s."""
    result = run(cs.KBatchSync(1), [[1.0, 1.5]] * 9, cs.Until(updates=3), uplink=1.0)
    assert result.history["time"].tolist() == [0.0, 2.0, 4.0, 6.0]
    assert result.messages.query("worker == 1")["dispatched"].tolist() == [0.0, 2.0, 4.0]


def test_partial_work_that_is_lost_on_the_uplink():
    """The stop at 1.1 finds one of two blocks (0.75 s) finished; its answer never arrives, and all 1.1 s are waste."""
    lossy = cs.Link(latency=cs.Replay([[0.1, np.inf]] * 3))
    cluster = cs.Cluster(2, cs.Replay([[1.0, 1.5]] * 3), uplink=lossy, scaling="none")
    problem = cs.LeastSquares.synthetic(rows=12, features=2, seed=1)
    policy = cs.LiveGradientCompensation(k=1, blocks=2)
    result = cs.simulate(
        problem, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=1, time=1.2), messages=True
    )
    assert result.totals["lost"] == 0  # the run ends with the update, before anybody is stopped
    result = cs.simulate(
        problem, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=2, time=1.2), messages=True
    )
    check_run(result, cluster)
    assert (result.totals["lost"], result.totals["partial"]) == (1, 1)
    assert result.totals["compute_wasted"] == pytest.approx(1.1)


def test_work_that_ends_at_the_instant_of_the_stop_is_whole():
    """A task without duration, and a second model at the same instant: its answer is sent whole."""

    def answer(event):
        if isinstance(event, Updated) and event.version == 0:
            return Decision((Dispatch(), Dispatch(busy="send")), Wants(2))
        if isinstance(event, Arrivals):
            return Decision((Update(event.messages, 1e-3),), Wants())
        return Decision((), Wants())

    result = run(Scripted(answer), [[0.0]] * 3, cs.Until(updates=1))
    assert result.messages["blocks"].tolist() == [1, 1]
    assert (result.totals["partial"], result.totals["used"]) == (0, 2)


def test_warm_up_is_full_synchrony():
    """Two epochs of 12 rows, two workers of 3 rows a task: four updates of 2 s, then the first of two, 1 s."""
    times = [[1.0, 2.0]] * 9
    for policy in (
        cs.FastestK(1, batch=3, warm_up=2),
        cs.LiveGradientCompensation(1, 1, batch=3, warm_up=2),
    ):
        result = run(policy, times, cs.Until(updates=6))
        assert result.history["time"].tolist() == [0.0, 2.0, 4.0, 6.0, 8.0, 9.0, 10.0]
        assert result.history["k"].tolist() == [2, 2, 2, 2, 2, 1, 1]
    none = run(cs.Synchronous(cs.waits.WarmUp(cs.waits.Fastest(1), 0)), times, cs.Until(updates=2))
    assert none.history["k"].tolist() == [1, 1, 1]


def test_after_the_warm_up_the_rule_has_its_say():
    """Two updates with all rows of both workers, 2 s each; then a deadline of 1.5 s, or a k that rises again at 5 s."""
    times = [*[[1.0, 2.0]] * 9, [1.0, 0.5]]
    deadline = cs.Synchronous(cs.waits.WarmUp(cs.waits.Deadline(1.5), 2))
    assert run(deadline, times, cs.Until(updates=4)).history["time"].tolist() == [0.0, 2.0, 4.0, 5.5, 7.0]
    rising = cs.Synchronous(cs.waits.WarmUp(cs.waits.Schedule([5.0]), 2))
    assert run(rising, times, cs.Until(updates=4)).history["time"].tolist() == [0.0, 2.0, 4.0, 5.0, 7.0]


def test_epochs_are_a_horizon():
    """Two workers of 3 rows a task pass over 12 rows in two updates; with all their rows in one."""
    times = [[1.0, 2.0]] * 9
    assert run(cs.FullSync(batch=3), times, cs.Until(epochs=3)).totals["updates"] == 6
    assert run(cs.FullSync(batch=5), times, cs.Until(epochs=3)).totals["updates"] == 4  # 3.6, rounded up
    assert run(cs.FullSync(), times, cs.Until(epochs=3)).totals["updates"] == 3
    assert run(cs.FullSync(batch=3), times, cs.Until(epochs=3, updates=5)).totals["updates"] == 5
    assert run(cs.FullSync(batch=3), times, cs.Until(epochs=1e-12)).totals["updates"] == 1
