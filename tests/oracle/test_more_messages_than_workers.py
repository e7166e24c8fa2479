"""K-batch schemes with k > n: an update waits for several messages of one worker (Rennala SGD, FedBuff)."""

import heapq

import numpy as np
import pytest
from agreement import ENGINES

import clustersim as cs
from clustersim.conformance import check_run
from clustersim.theory import k_batch_async_update_time, k_batch_sync_update_time

PROBLEM = cs.LeastSquares.synthetic(rows=60, features=2, seed=1)
TIMES = (1.0, 2.5, 4.0)


def run(policy, times, updates, engine):
    compute = cs.PerWorker([cs.Constant(time) for time in times])
    cluster = cs.Cluster(len(times), compute, scaling="none")
    result = cs.simulate(
        PROBLEM, cluster, policy, optimizer=cs.SGD(1e-3), engine=engine, until=cs.Until(updates=updates),
        evaluate_every=1, messages=True,
    )  # fmt: skip
    check_run(result, cluster)
    return result


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batch", [None, 5])
def test_rennala_by_hand(engine, batch):
    """After 7 s the workers have sent 7, 2 and 1 messages, ten in all; then all begin anew, on the new model."""
    result = run(cs.KBatchSync(10, batch=batch), TIMES, 4, engine)
    assert result.history["time"].tolist() == [0.0, 7.0, 14.0, 21.0, 28.0]
    used = result.messages.query("status == 'used'")
    counts = used.groupby(["version", "worker"]).size()
    assert counts.tolist() == [7, 2, 1] * 4
    assert (used["staleness"] == 0).all()
    # Of each round worker 1 has worked on its third task for 2 s, and worker 2 on its second for 3 s.
    assert result.totals["compute_wasted"] + result.totals["compute_pending"] == 4 * (2.0 + 3.0)
    assert result.totals["cancelled"] + result.totals["in_flight"] == 2 * 4
    assert result.history["k"].tolist() == [10] * 5
    assert result.totals["used"] == 40
    assert result.totals["uplink_vectors"] == 40


def buffered(times, k, updates):
    """FedBuff in plain Python: times of the updates, and the (worker, version, update) of each message used."""
    working = [(time, worker, 0) for worker, time in enumerate(times)]  # when it is finished, by whom, on what version
    heapq.heapify(working)
    moments, used, arrived = [], [], 0
    while len(moments) < updates:
        now, worker, version = heapq.heappop(working)
        used.append((worker, version, len(moments)))
        arrived += 1
        if arrived == k:
            moments.append(now)
            arrived = 0
        heapq.heappush(working, (now + times[worker], worker, len(moments)))
    return moments, used


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("times", "k"), [(TIMES, 10), (TIMES, 4), ((1.0, 1.0), 3), ((2.0, 3.0, 0.5, 0.75), 13)])
def test_fedbuff_against_a_plain_simulation(engine, times, k):
    moments, used = buffered(times, k, 8)
    result = run(cs.KBatchAsync(k), times, 8, engine)
    assert result.history["time"].tolist() == [0.0, *moments]
    table = result.messages[result.messages["status"].str.startswith("used")].sort_values(["arrived", "worker"])
    found = zip(table["worker"], table["version"], table["version"] + table["staleness"].astype(int), strict=True)
    assert [tuple(map(int, each)) for each in found] == used


@pytest.mark.parametrize("engine", ENGINES)
def test_fedbuff_by_hand(engine):
    """k = 10. By 7 s: 7, 2, 1 messages. Worker 1's third comes at 7.5, worker 2's second at 8, of version 0 both.

    From 7 on: 7.5 (1), 8 (0, 2), 9 (0), 10 (0, 1), 11 (0), 12 (0, 2): nine messages; the tenth is worker 1's at 12.5.
    """
    result = run(cs.KBatchAsync(10), TIMES, 2, engine)
    assert result.history["time"].tolist() == [0.0, 7.0, 12.5]
    late = result.messages.query("status == 'used late'").sort_values("arrived")
    assert late[["worker", "version", "arrived"]].to_numpy().tolist() == [[1, 0, 7.5], [2, 0, 8.0]]
    assert result.totals["mean_staleness"] == 2 / 20
    assert result.totals["idle"] == 0.0


@pytest.mark.parametrize(("policy", "theory"), [(cs.KBatchSync, k_batch_sync_update_time),
                                                (cs.KBatchAsync, k_batch_async_update_time)])  # fmt: skip
def test_exponential_times_agree_with_the_theory(policy, theory):
    model, k, updates = cs.Exponential(1.0), 11, 400
    result = cs.simulate(
        PROBLEM, cs.Cluster(4, model), policy(k), optimizer=cs.SGD(1e-6), until=cs.Until(updates=updates),
        evaluate_every=1,
    )  # fmt: skip
    intervals = np.diff(result.history["time"])
    assert abs(intervals.mean() - theory(model, 4, k)) < 4.5 * intervals.std() / np.sqrt(updates)


def test_the_bound_on_staleness_holds_with_k_greater_than_n():
    """With max_staleness=0 the two messages of version 0 that come after the first update are refused."""
    policy = cs.KBatchAsync(10, max_staleness=0)
    for engine in ENGINES:
        result = run(policy, TIMES, 2, engine)
        refused = result.messages.query("status == 'discarded'").sort_values("arrived")
        assert refused[["worker", "version", "arrived"]].to_numpy().tolist() == [[1, 0, 7.5], [2, 0, 8.0]]
        # From 7 on: 0 at 8, 9, ..., 14; 1 at 10, 12.5, 15; 2 at 12, 16: the tenth at 14.
        assert result.history["time"].tolist() == [0.0, 7.0, 14.0]
