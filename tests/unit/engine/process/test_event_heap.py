"""The event heap of the worker processes stays small: a few entries a worker, however often work is restarted."""

import pytest
import simpy

import clustersim as cs

WORKERS, UPDATES = 20, 200
# entries a worker; more than one only where an alarm may be brought forward
A_FEW = {"restart": 5, "send": 5, "finish": 1, "queue": 1}
OTHERS = 3  # the alarm and the process of the master


class Watched(simpy.Environment):
    """A clock that remembers how many events were ever scheduled, and the most at one time."""

    count = most = 0

    def schedule(self, *args, **options):
        super().schedule(*args, **options)
        Watched.count += 1
        Watched.most = max(Watched.most, len(self._queue))


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(simpy, "Environment", Watched)
    monkeypatch.setattr(Watched, "count", 0)
    monkeypatch.setattr(Watched, "most", 0)
    return Watched


def simulate(busy, policy, link, compute):
    cluster = cs.Cluster(WORKERS, compute, downlink=link, uplink=link, busy=busy, scaling="none")
    return cs.simulate(
        cs.LeastSquares.synthetic(rows=8 * WORKERS, features=2, seed=1), cluster, policy, optimizer=cs.SGD(1e-5),
        until=cs.Until(updates=UPDATES), evaluate_every=UPDATES, engine="process",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("link", "compute"),
    [(cs.Link(), cs.Pareto(1.0, 1.2)), (cs.Link(latency=cs.Exponential(0.03)), cs.Exponential(1.0))],
    ids=["no links, pareto", "links, exponential"],
)
@pytest.mark.parametrize("busy", ["restart", "send", "finish", "queue"])
def test_the_heap_is_bounded(watched, busy, link, compute):
    """With links there are also the messages on them: some 0.06 s of updates that take about as long."""
    policy = cs.LiveGradientCompensation(1, 4) if busy == "send" else cs.FastestK(1)
    run = simulate(busy, policy, link, compute)
    assert run.totals["downlink_messages"] == WORKERS * UPDATES
    on_links = 0 if link.is_instant else 3 * WORKERS
    assert watched.most <= A_FEW[busy] * WORKERS + on_links + OTHERS


@pytest.mark.parametrize("link", [cs.Link(), cs.Link(latency=cs.Exponential(0.03))], ids=["no links", "links"])
@pytest.mark.parametrize("policy", [cs.KAsync(1), cs.KBatchAsync(3), cs.FullSync()], ids=repr)
def test_where_nothing_is_given_up_there_is_an_event_a_worker(watched, policy, link):
    simulate("finish", policy, link, cs.Exponential(1.0))
    assert watched.most <= WORKERS + OTHERS


def test_restarts_cost_few_events(watched):
    """A worker wakes for the earliest of the times at which its tasks would have been done, not for each of them."""
    run = simulate("restart", cs.FastestK(1), cs.Link(), cs.Exponential(1.0))
    assert watched.count < 0.5 * run.totals["downlink_messages"]
