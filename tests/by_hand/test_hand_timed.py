"""Schedules small enough to check on paper."""

import numpy as np
import pytest
from scripted import ByDeadline, Scripted

import clustersim as cs
from clustersim.protocol import Arrivals, Decision, Dispatch, Lost, Stop, Timeout, Update, Updated, Wants

PROBLEM = cs.LeastSquares(np.eye(4), np.zeros(4))  # four rows; the model stays at its optimum


def run(policy, cluster, problem=PROBLEM, **options):
    options.setdefault("until", cs.Until(updates=2))
    return cs.simulate(problem, cluster, policy, optimizer=cs.SGD(0.1), evaluate_every=1, messages=True, **options)


def fates(result):
    table = result.messages
    return {(row.version, row.worker): row.status for row in table.itertuples()}


def rows(count, wide=2):
    return cs.LeastSquares(np.ones((count, wide)) + np.eye(count, wide), np.arange(count, dtype=float))


def test_fastest_two_of_three():
    # Round 1: answers at 1, 2 (worker 2 stopped after 2 s). Round 2 from t = 2: worker 1 at 3, worker 2 at 4.
    cluster = cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]]))
    result = run(cs.FastestK(2), cluster, rows(3))
    assert result.history["time"].tolist() == [0.0, 2.0, 4.0]
    assert fates(result) == {
        (0, 0): "used", (0, 1): "used", (0, 2): "cancelled",
        (1, 0): "in flight", (1, 1): "used", (1, 2): "used",
    }  # fmt: skip
    expected = {"uplink_messages": 4, "downlink_messages": 6, "used": 4, "cancelled": 1, "in_flight": 1}
    expected |= {"compute_used": 6.0, "compute_wasted": 2.0, "compute_pending": 2.0, "idle": 2.0, "time": 4.0}
    assert {name: result.totals[name] for name in expected} == expected
    assert result.totals["uplink_bytes"] == 4 * 2 * 8
    assert result.totals["downlink_bytes"] == 6 * 2 * 8


def test_stop_reaches_a_straggler_over_the_downlink():
    # Downlink 0.5, uplink 0.25. Models arrive at 0.5; worker 0 is done at 1.5, its answer arrives at 1.75: update 1.
    # The new model comes at 2.25. Worker 1 was done at 2.1 and has sent: late, at 2.35. Worker 2 (due at 3.5) restarts.
    # Then worker 1 is done at 2.75 and its answer arrives at 3.0: update 2.
    cluster = cs.Cluster(
        workers=3,
        compute=cs.Replay([[1.0, 1.6, 3.0], [2.0, 0.5, 2.0]]),
        downlink=cs.Link(latency=0.5),
        uplink=cs.Link(latency=0.25),
    )
    result = run(cs.FastestK(1), cluster, rows(3))
    np.testing.assert_allclose(result.history["time"], [0.0, 1.75, 3.0], rtol=0, atol=1e-12)
    assert fates(result) == {
        (0, 0): "used", (0, 1): "discarded", (0, 2): "cancelled",
        (1, 0): "in flight", (1, 1): "used", (1, 2): "in flight",
    }  # fmt: skip
    late = result.messages.query("version == 0 and worker == 1").iloc[0]
    assert late["arrived"] == pytest.approx(2.35, abs=1e-12)
    assert result.totals["uplink_messages"] == 3
    assert result.totals["compute_used"] == pytest.approx(1.0 + 0.5)
    assert result.totals["compute_wasted"] == pytest.approx(1.6 + (2.25 - 0.5))
    assert result.totals["compute_pending"] == pytest.approx(2 * (3.0 - 2.25))


def test_bandwidth_counts_bytes():
    # One vector of 2 float32 entries is 8 bytes: 2 s down at 4 bytes/s, 1 s of work, 4 s up at 2 bytes/s.
    cluster = cs.Cluster(
        workers=1,
        compute=cs.Constant(1.0),
        downlink=cs.Link(bandwidth=4.0),
        uplink=cs.Link(bandwidth=2.0),
        bytes_per_entry=4,
    )
    result = run(cs.FullSync(), cluster, rows(1))
    assert result.history["time"].tolist() == [0.0, 7.0, 14.0]


def test_ties_go_to_the_lower_worker_number():
    cluster = cs.Cluster(workers=4, compute=cs.Constant(1.0))
    result = run(cs.FastestK(2), cluster)
    assert fates(result) == {
        (version, worker): "used" if worker < 2 else "discarded" for version in (0, 1) for worker in range(4)
    }
    assert result.totals["uplink_messages"] == 8  # all four had sent when the second was counted


def test_equal_times_over_different_roads_are_one_instant():
    # 0.1 + 0.2 + 0.3 in floating point depends on the order; answers that meet at the master meet nevertheless
    # only if their times are the same floats, and then the lower number wins though it was dispatched last.
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[2.0, 1.0]]), uplink=cs.Link(latency=cs.Replay([[1.0, 2.0]])))
    seen = []

    def answer(event):
        if isinstance(event, Updated):
            return Decision((Dispatch(np.array([1])), Dispatch(np.array([0]))), Wants(1))
        seen.append((event.time, event.workers.tolist()))
        return Decision((Stop("seen"),), Wants())

    result = run(Scripted(answer), cluster, until=cs.Until(time=9.0))
    assert seen == [(3.0, [0, 1])]
    assert result.totals["reason"] == "seen"


def test_finish_first_takes_the_newest_model_only():
    # Fastest 1 of 2; worker 0 answers every second; worker 1 needs 3.5 s, then takes version 3, the newest.
    times = [[1.0, 3.5], [1.0, 9.0], [1.0, 9.0], [1.0, 0.25], [1.0, 9.0]]
    cluster = cs.Cluster(workers=2, compute=cs.Replay(times), busy="finish")
    result = run(cs.FastestK(1), cluster, rows(2), until=cs.Until(updates=4))
    assert result.history["time"].tolist() == [0.0, 1.0, 2.0, 3.0, 3.75]
    assert fates(result) == {
        (0, 0): "used", (1, 0): "used", (2, 0): "used", (3, 0): "in flight",
        (0, 1): "discarded", (1, 1): "cancelled", (2, 1): "cancelled", (3, 1): "used",
    }  # fmt: skip


def test_queue_works_through_every_model():
    # The backlog recursion: finish = max(free, start) + delay. Worker 1: 2.5, then 3.5, then 3.75.
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[1.0, 2.5], [1.0, 1.0], [2.0, 0.25]]), busy="queue")
    result = run(cs.FastestK(1), cluster, rows(2), until=cs.Until(updates=3))
    assert result.history["time"].tolist() == [0.0, 1.0, 2.0, 3.75]
    worker = result.messages.query("worker == 1")
    assert worker["finished"].tolist() == [2.5, 3.5, 3.75]
    assert worker["status"].tolist() == ["discarded", "discarded", "used"]


def test_a_model_overtaken_on_the_way_is_put_aside():
    # Worker 1's first model takes 5 s to reach it, the second (sent at 1) only 1 s: it computes version 1 alone.
    cluster = cs.Cluster(
        workers=2,
        compute=cs.Replay([[1.0, 1.0], [9.0, 1.0]]),
        downlink=cs.Link(latency=cs.Replay([[0.0, 5.0], [0.0, 1.0]])),
    )
    result = run(cs.FastestK(1), cluster, rows(2), until=cs.Until(time=6.0, updates=2))
    assert result.history["time"].tolist() == [0.0, 1.0, 3.0]
    longer = run(
        cs.FullSync(),
        cs.Cluster(workers=1, compute=cs.Constant(1.0), downlink=cs.Link(latency=cs.Replay([[5.0], [1.0]]))),
        rows(1),
        until=cs.Until(updates=2),
    )
    assert longer.history["time"].tolist() == [0.0, 6.0, 8.0]
    aside = Scripted(_two_dispatches)
    result = run(aside, cs.Cluster(1, cs.Constant(1.0), downlink=cs.Link(latency=cs.Replay([[5.0], [1.0]]))), rows(1))
    assert result.messages["status"].tolist() == ["cancelled", "used"]
    assert result.totals["time"] == 5.0


def _two_dispatches(event):
    """Dispatch twice at time 0; stop at 5, when the first model has come too late."""
    if isinstance(event, Updated) and event.version == 0:
        return Decision((Dispatch(), Dispatch(busy="restart")), Wants(1))
    if isinstance(event, Arrivals):
        return Decision((Update(event.messages, 0.1),), Wants(1, 5.0))
    if isinstance(event, Timeout):
        return Decision((Stop("enough"),), Wants())
    return Decision((), Wants(1, 5.0))


def test_arrivals_come_before_timeouts():
    # Answers at 1 and 2; the deadline is 2: both are in the update.
    cluster = cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 3.0], [3.0, 3.0, 3.0]]))
    result = run(ByDeadline(wait=2.0), cluster, rows(3), until=cs.Until(updates=5))
    assert result.history["time"].tolist() == [0.0, 2.0, 4.0]
    assert fates(result)[0, 1] == "used"
    assert fates(result)[0, 2] == "cancelled"
    assert result.totals["reason"] == "nobody answered"


def test_a_late_answer_is_used_at_its_own_version():
    # f = (w - 1)^2 / 2 on worker 0, (w - 3)^2 / 2 on worker 1; step 0.5. Worker 0 answers at 1: w = 0.5. Worker 1's
    # answer to version 0 comes at 2, and its gradient is 0 - 3, not 0.5 - 3: w = 0.5 + 0.5 * 3 = 2.
    problem = cs.LeastSquares(np.ones((2, 1)), np.array([1.0, 3.0]))
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[1.0, 2.0]]))

    def answer(event):
        if isinstance(event, Updated) and event.version == 0:
            return Decision((Dispatch(),), Wants(1))
        if isinstance(event, Arrivals):
            return Decision((Update(event.messages, 1.0),), Wants(1))
        return Decision((), Wants(1))

    result = cs.simulate(
        problem, cluster, Scripted(answer), optimizer=cs.SGD(0.5), until=cs.Until(updates=2), messages=True
    )
    assert result.w == pytest.approx(np.array([2.0]), abs=1e-12)
    assert result.messages["status"].tolist() == ["used", "used late"]
    assert (result.totals["used"], result.totals["used_late"]) == (1, 1)


def test_answers_of_two_versions_in_one_update():
    # As above, but worker 0 works again from version 1 (w = 0.5) and both answers come at 2: one update with weights 2
    # and -1 on the gradients 0.5 - 1 and 0 - 3, that is 2 * (-0.5) + 3 = 2: w = 0.5 - 0.5 * 2 = -0.5.
    # The answer that was kept from the first round, 0 - 1, is used again with weight 4: w = -0.5 + 0.5 * 4 = 1.5.
    problem = cs.LeastSquares(np.ones((2, 1)), np.array([1.0, 3.0]))
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[1.0, 2.0], [1.0, 9.0]]))

    def answer(event):
        if isinstance(event, Updated):
            workers = {0: np.array([0, 1]), 1: np.array([0])}.get(event.version)
            return Decision(() if workers is None else (Dispatch(workers),), Wants(1 if event.version == 0 else 2))
        if event.time == 1.0:
            return Decision((Update(event.messages, 1.0, keep=event.messages),), Wants(2))
        names = np.append(0, event.messages)
        assert event.workers.tolist() == [0, 1]
        assert event.versions.tolist() == [1, 0]
        return Decision((Update(names, np.array([4.0, 2.0, -1.0])),), Wants(1))

    result = cs.simulate(
        problem, cluster, Scripted(answer), optimizer=cs.SGD(0.5), until=cs.Until(updates=2), messages=True
    )
    assert result.w == pytest.approx(np.array([1.5]), abs=1e-12)
    assert (result.totals["used"], result.totals["used_late"]) == (2, 1)  # an answer that is used twice counts once
    assert result.totals["compute_used"] == 4.0


def test_work_on_the_uplink_at_the_end_is_pending():
    # Done at 1, 2 and 3; the uplink takes 2. The run ends at 3.5, one answer used, two under way, the third done.
    cluster = cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 3.0]]), uplink=cs.Link(latency=2.0))
    result = run(cs.FastestK(2), cluster, rows(3), until=cs.Until(time=3.5))
    assert result.totals["compute_pending"] == 2.0 + 3.0
    assert result.totals["compute_wasted"] == 1.0  # it reached the master, and the run ended before it was used
    assert result.totals["in_flight"] == 2
    assert result.totals["uplink_messages"] == 3


def test_a_deadline_holds_after_a_round_that_ended_early():
    # Two answers, or 2 s: round 1 ends at 1; round 2 begins then and has its deadline at 3, after the 2 of round 1.
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[1.0, 1.0], [50.0, 60.0]]))
    seen = []

    def answer(event):
        seen.append((type(event), event.time))
        if isinstance(event, Updated):
            return Decision((Dispatch(busy="restart"),), Wants(2, event.time + 2.0))
        if isinstance(event, Arrivals):
            return Decision((Update(event.messages, 0.1),), Wants(2))
        return Decision((Stop("late"),), Wants())

    run(Scripted(answer), cluster, rows(2), until=cs.Until(time=100.0))
    assert seen == [(Updated, 0.0), (Arrivals, 1.0), (Updated, 1.0), (Timeout, 3.0)]


@pytest.mark.parametrize("until", [cs.Until(time=10.0), cs.Until(updates=9)])
def test_a_deadline_holds_when_nobody_will_answer(until):
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[np.inf, np.inf]]))
    result = run(ByDeadline(wait=2.0), cluster, rows(2), until=until)
    assert result.totals["reason"] == "nobody answered"
    assert result.totals["time"] == 2.0


@pytest.mark.parametrize("busy", ["restart", "finish", "queue"])
def test_a_straggler_of_one_round_is_not_dead(busy):
    # Worker 1 never answers version 0; when version 1 comes at 1, it turns to that, and answers at 1.25.
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[1.0, np.inf], [1.0, 0.25]]), busy=busy)
    result = run(cs.FastestK(1), cluster, rows(2))
    assert result.history["time"].tolist() == [0.0, 1.0, 1.25]
    assert fates(result)[0, 1] == "lost"
    assert result.totals["compute_wasted"] == 1.0


def test_a_worker_owes_nothing_once_its_lost_task_was_replaced():
    # Worker 0 never answers version 0; it is restarted at 1 and answers at 2 with worker 1: both are free then, so a
    # dispatch that promises idle workers is accepted.
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[np.inf, 1.0], [1.0, 1.0], [1.0, 1.0]]))

    def answer(event):
        if isinstance(event, Updated):
            return Decision((Dispatch(busy="restart" if event.version == 1 else None),), Wants(1))
        return Decision((Update(event.messages, 0.1),), Wants(1))

    result = run(Scripted(answer), cluster, rows(2), until=cs.Until(updates=3))
    assert result.history["time"].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_a_queue_behind_work_that_never_ends_moves_on():
    # Worker 1 is at version 0 until 2.5; versions 1 (never ends) and 2 (0.25 s) wait: 2.75 for version 2.
    times = [[1.0, 2.5], [1.0, np.inf], [9.0, 0.25]]
    result = run(
        cs.FastestK(1), cs.Cluster(workers=2, compute=cs.Replay(times), busy="queue"), rows(2),
        until=cs.Until(updates=3),
    )  # fmt: skip
    assert result.history["time"].tolist() == [0.0, 1.0, 2.0, 2.75]
    assert fates(result)[1, 1] == "lost"


def test_restart_clears_the_queue():
    # Dispatches at 0 (queue), 1 (queue) and 2 (restart): the worker turns to the third, and never does the second.
    cluster = cs.Cluster(workers=1, compute=cs.Replay([[5.0], [5.0], [1.0]]))

    def answer(event):
        if isinstance(event, Arrivals):
            return Decision((Stop(f"version at {event.time}"),), Wants())
        busy = "restart" if event.time == 2.0 else "queue"
        return Decision((Dispatch(busy=busy),), Wants(1, event.time + 1.0 if event.time < 2.0 else np.inf))

    result = run(Scripted(answer), cluster, rows(1), until=cs.Until(time=9.0))
    assert result.messages["status"].tolist() == ["cancelled", "cancelled", "discarded"]
    assert result.totals["time"] == 3.0


def test_an_error_horizon_that_is_met_from_the_start():
    result = run(cs.FullSync(), cs.Cluster(4, cs.Constant(1.0)), until=cs.Until(error=1.0))
    assert result.totals["updates"] == 0
    assert result.totals["time"] == 0.0


def test_the_horizon_includes_its_instant():
    cluster = cs.Cluster(workers=2, compute=cs.Constant(1.0))
    result = run(cs.FullSync(), cluster, rows(2), until=cs.Until(time=3.0))
    assert result.totals["updates"] == 3
    assert result.history["time"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert result.totals["reason"] == "time 3 reached"


def test_history_ends_at_the_horizon():
    cluster = cs.Cluster(workers=2, compute=cs.Constant(1.0))
    result = run(cs.FullSync(), cluster, rows(2), until=cs.Until(time=2.5))
    assert result.history["time"].tolist() == [0.0, 1.0, 2.0, 2.5]
    assert result.history["update"].tolist() == [0, 1, 2, 2]


def test_an_error_horizon_ends_the_run():
    problem = cs.LeastSquares(np.eye(1), np.ones(1))  # w moves by 0.1 (1 - w): error = 0.5 * 0.9^(2t)
    cluster = cs.Cluster(workers=1, compute=cs.Constant(1.0))
    result = run(cs.FullSync(), cluster, problem, until=cs.Until(error=0.5 * 0.9**10 * 1.001))
    assert result.totals["updates"] == 5
    assert result.history["error"].iloc[-1] == pytest.approx(0.5 * 0.9**10)


def test_a_run_that_can_go_nowhere_ends_with_an_error():
    cluster = cs.Cluster(workers=4, compute=cs.Replay([[1.0, 1.0, np.inf, np.inf]] * 3))
    with pytest.raises(cs.StalledError, match=r"FastestK\(k=3\) waits for 3 messages.*2 of 4 workers.*workers 2, 3"):
        run(cs.FastestK(3), cluster)
    result = run(cs.FastestK(2), cluster)
    assert result.totals["lost"] == 4
    assert result.totals["compute_wasted"] == pytest.approx(4.0)


def test_a_policy_may_go_on_after_a_loss():
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[1.0, np.inf]]))
    seen = []

    def answer(event):
        seen.append(type(event))
        if isinstance(event, Updated) and event.version == 0:
            return Decision((Dispatch(),), Wants(2))
        if isinstance(event, Lost):
            assert event.workers.tolist() == [1]
            return Decision((Update(np.array([0]), 1.0),), Wants())
        return Decision((), Wants())

    run(Scripted(answer), cluster, rows(2), until=cs.Until(updates=1))
    assert seen == [Updated, Arrivals, Lost]


@pytest.mark.parametrize("link", ["downlink", "uplink"])
def test_a_link_that_loses_messages_stalls_a_run_that_needs_them(link):
    lossy = cs.Link(latency=cs.Replay([[0.0, np.inf]]))
    cluster = cs.Cluster(workers=2, compute=cs.Constant(1.0), **{link: lossy})
    with pytest.raises(cs.StalledError, match="worker"):
        run(cs.FullSync(), cluster, rows(2))
    result = run(cs.FastestK(1), cluster, rows(2), until=cs.Until(updates=1))
    assert result.totals["lost"] == 1


@pytest.mark.usefixtures("short_patience")
def test_updates_that_cost_no_time_do_not_hang():
    cluster = cs.Cluster(workers=1, compute=cs.Constant(0.0))
    with pytest.raises(cs.StalledError, match="bring the run no nearer to its end"):
        cs.simulate(
            rows(1), cluster, cs.FullSync(), optimizer=cs.SGD(0.1), until=cs.Until(time=1.0), evaluate_every=10**6
        )
