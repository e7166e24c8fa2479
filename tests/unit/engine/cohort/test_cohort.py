"""Corners of the cohort engine that chance rarely meets: both engines, and what comes out on paper."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from agreement import ENGINES
from scripted import Scripted

import clustersim as cs
from clustersim.protocol import Arrivals, Decision, Dispatch, Stop, Update, Updated, Wants


def simulate(cluster, policy, engine, updates=2, **options):
    problem = cs.LeastSquares(np.ones((4 * cluster.workers, 1)), np.zeros(4 * cluster.workers))
    return cs.simulate(
        problem, cluster, policy, optimizer=cs.SGD(0.1), until=cs.Until(updates=updates), engine=engine, **options
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_block_that_ends_at_the_very_instant_of_the_stop_is_sent(engine):
    """Worker 0 needs 1 s; worker 1, with 4 s for four blocks, has just finished one, worker 2 two."""
    cluster = cs.Cluster(3, cs.PerWorker([cs.Constant(1.0), cs.Constant(4.0), cs.Constant(2.0)]))
    run = simulate(cluster, cs.LiveGradientCompensation(1, blocks=4), engine, messages=True)
    first = run.messages.query("task == 0").set_index("worker")
    assert first["blocks"].tolist() == [4, 1, 2]
    assert first["dropped"].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("engine", ENGINES)
def test_recorded_delays_of_answers_must_last_for_every_task(engine):
    """The fourth task needs its times though the run may end before it is answered."""
    uplink = cs.Link(latency=cs.Replay([[0.1] * 3] * 3))
    cluster = cs.Cluster(3, cs.Replay([[1.0, 2.0, 3.0]] * 10), uplink=uplink, scaling="none")
    with pytest.raises(cs.ConfigurationError, match="tasks = 4"):
        simulate(cluster, cs.FastestK(1), engine, updates=4)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", [1, 2, 300, 1500])
@pytest.mark.parametrize("busy", ["restart", "send", "finish", "queue"])
def test_large_clusters_agree_with_the_order_statistics(engine, n, busy):
    """One update of all workers takes as long as the slowest, whatever way the order of arrivals is found out."""
    times = 1.0 + np.arange(n)[::-1] / n
    cluster = cs.Cluster(n, cs.Replay([times] * 3), busy=busy)
    run = simulate(cluster, cs.FastestK(max(1, n // 3)), engine, updates=1, messages=True)
    assert run.totals["time"] == round(np.sort(times)[max(1, n // 3) - 1], 9)  # whole ticks
    used = run.messages.query("status == 'used'")["worker"]
    assert sorted(used) == list(range(n - max(1, n // 3), n))


ROUGH = cs.Link(latency=cs.Exponential(0.3))


LOSSY = cs.Link(latency=cs.BernoulliStraggler(0.1, 0.2))


@pytest.mark.parametrize(
    ("policy", "link", "busy"),
    [
        (cs.KAsync(1), cs.Link(), "restart"), (cs.KAsync(1), ROUGH, "finish"), (cs.KAsync(1), LOSSY, "restart"),
        (cs.KAsync(1), LOSSY, "finish"), (cs.KBatchAsync(10), cs.Link(), "finish"),
        (cs.KBatchAsync(10), ROUGH, "restart"), (cs.KBatchAsync(10), LOSSY, "finish"),
        (cs.KBatchSync(10), cs.Link(), "restart"), (cs.KBatchSync(10), ROUGH, "finish"),
        (cs.KBatchSync(10), LOSSY, "restart"),
    ],
    ids=str,
)  # fmt: skip
def test_answers_that_come_one_by_one_to_a_large_cluster(policy, link, busy):
    """What happens to few of many workers is not looked for among all of them, and nothing of it is missed."""
    compute = cs.PerWorker([cs.Exponential(0.5), cs.BernoulliStraggler(0.05), cs.Constant(1.0)] * 200)
    cluster = cs.Cluster(600, compute, downlink=link, uplink=link, busy=busy, scaling="none")
    process, cohort = (simulate(cluster, policy, name, updates=12, messages=True, evaluate_every=1) for name in ENGINES)
    assert process.totals == cohort.totals
    pd.testing.assert_frame_equal(process.messages, cohort.messages, check_exact=True)
    pd.testing.assert_frame_equal(process.history, cohort.history, check_exact=True)


def disturb(event):
    """Use every answer at once, and send the model to a single worker, who is at work on an older one."""
    if isinstance(event, Updated):
        return Decision((Dispatch(busy="finish"),) if event.version == 0 else (), Wants())
    worker = np.array([7 * int(event.messages[-1]) % 600])
    return Decision((Update(event.messages, 1.0), Dispatch(worker, "finish")), Wants())


@pytest.mark.parametrize("policy", [Scripted(disturb), cs.KAsync(2)], ids=["disturbed", "two at once"])
@pytest.mark.parametrize("link", [cs.Link(), ROUGH], ids=str)
def test_what_was_foreseen_of_few_may_come_otherwise(policy, link):
    """Tasks move to another row, or two are new at once, and the ledger still counts them in time."""
    cluster = cs.Cluster(600, cs.Exponential(1.0), downlink=link, uplink=ROUGH, scaling="none")
    process, cohort = (simulate(cluster, policy, name, updates=400, evaluate_every=1) for name in ENGINES)
    pd.testing.assert_frame_equal(process.history, cohort.history, check_exact=True)


def in_step(count, workers=None, patience=math.inf):
    """Send the model to all or some, wait for a number of messages or a time, and use what has arrived."""

    def answer(event):
        if isinstance(event, Updated):
            return Decision((Dispatch(workers, busy="finish"),), Wants(count, event.time + patience))
        return Decision((Update(event.messages, 1e-3),) if isinstance(event, Arrivals) else (), Wants())

    return Scripted(answer)


@pytest.mark.parametrize(
    "policy",
    [
        in_step(np.uint8(160)),
        in_step(np.int8(120)),
        in_step(3, workers=np.arange(200, dtype=np.uint64)),
        in_step(3, workers=[199, 7, 30]),
        in_step(200, patience=np.float32(0.3)),
    ],
    ids=["uint8", "int8", "uint64", "a list", "float32"],
)
@pytest.mark.parametrize(("n", "link"), [(200, ROUGH), (1200, cs.Link())], ids=str)
def test_numbers_of_any_type(policy, link, n):
    """The engines count and keep time in their own types, whatever those of the policy are."""
    cluster = cs.Cluster(n, cs.Exponential(1.0), downlink=link)
    process, cohort = (simulate(cluster, policy, name, updates=4, messages=True) for name in ENGINES)
    assert process.totals == cohort.totals
    assert type(process.totals["time"]) is type(cohort.totals["time"]) is float
    pd.testing.assert_frame_equal(process.messages, cohort.messages, check_exact=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_thousands_of_tasks_that_never_end_give_way_to_each_other(engine):
    """Worker 0 works for 1200 s while 2399 models queue up, of each of which it would never come to an end."""
    times = np.full((3000, 2), np.inf)
    times[0, 0], times[:, 1] = 1200.0, 0.5
    cluster = cs.Cluster(2, cs.Replay(times), scaling="none", busy="queue")
    run = simulate(cluster, cs.FastestK(1), engine, updates=2500)
    assert run.totals["time"] == 1250.0
    assert (run.totals["used"], run.totals["discarded"], run.totals["lost"]) == (2500, 1, 2499)


@pytest.mark.parametrize("messages", [True, False])
@pytest.mark.parametrize(
    ("compute", "link"),
    [(cs.Empirical([0.0, 0.0, 0.5]), cs.Link()),
     (cs.Empirical([0.0, 0.5, 1.0]), cs.Link(latency=cs.Empirical([0.0, 0.0, 0.5])))],
    ids=["no time to compute", "no time on the way"],
)  # fmt: skip
def test_several_models_sent_at_one_instant(compute, link, messages):
    """Whatever becomes of a worker's tasks for the second and the third of them: all rules after all others."""
    every = itertools.product(("restart", "finish", "queue", "send"), repeat=3)
    for rules in itertools.islice(every, int(messages), None, 3):  # every third holds all pairs, too

        def answer(event, rules=rules):
            if isinstance(event, Updated):
                stop = (Stop("that will do"),) if event.version == 4 else ()
                return Decision((*(Dispatch(busy=busy) for busy in rules), *stop), Wants(2))
            return Decision(
                (Update(event.messages, 1e-3),) if isinstance(event, Arrivals) else (Stop("lost"),), Wants(2)
            )

        cluster = cs.Cluster(6, compute, downlink=link, scaling="none")
        process, cohort = (simulate(cluster, Scripted(answer), name, 30, messages=messages) for name in ENGINES)
        assert process.totals == cohort.totals, rules
        pd.testing.assert_frame_equal(process.history, cohort.history, check_exact=True)
        if messages:
            pd.testing.assert_frame_equal(process.messages, cohort.messages, check_exact=True)


class Drawn(cs.latency.LatencyModel):
    """A user's own model, of whatever a function makes of uniform draws."""

    def __init__(self, function):
        self.function = function

    def quantile(self, u):
        return self.function(np.asarray(u))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("policy", [cs.FullSync(), cs.KAsync(2)], ids=repr)
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda u: np.where(u < 0.05, np.nan, 1.0), "a time of nan s: expected seconds, at least 0"),
        (lambda u: u - 0.05, "a time of -0.0"),
        (lambda u: np.where(u > 0.95, -np.inf, 1.0), "a time of -inf s"),
        (lambda u: np.ones(3) if u.ndim and u.tolist() != [0.25, 0.5] else u, r"times of shape .* expected"),
    ],
    ids=["NaN", "negative", "minus infinity", "other shape"],
)
def test_times_that_make_no_sense(engine, policy, function, message):
    for part in ({"compute": Drawn(function)}, {"compute": cs.Constant(1.0), "uplink": cs.Link(Drawn(function))}):
        with pytest.raises(cs.ConfigurationError, match=message):
            simulate(cs.Cluster(8, **part), policy, engine, updates=40)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.longdouble])
def test_times_of_any_precision(kind):
    """They are seconds of double precision from the first, so that sums do not depend on who adds them."""
    single = Drawn(lambda u: (-np.log1p(-u)).astype(kind))
    cluster = cs.Cluster(8, single, uplink=cs.Link(single))
    runs = [simulate(cluster, cs.FastestK(3), name, 40, messages=kept) for name in ENGINES for kept in (True, False)]
    assert len({repr(run.totals) for run in runs}) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", [8, 1200])
@pytest.mark.parametrize("busy", ["restart", "finish"])
@pytest.mark.parametrize("compute", [cs.Exponential(1.0), cs.Empirical([1.0, 1.0 + 2**-52])], ids=["apart", "ties"])
def test_nobody_writes_into_an_event(engine, n, busy, compute):
    def answer(event):
        if isinstance(event, Arrivals):
            for name in ("messages", "workers", "versions", "tasks", "blocks"):
                with pytest.raises(ValueError, match="read-only"):
                    getattr(event, name)[0] = 1
            return Decision((Stop("none was written to"),), Wants())
        return Decision((Dispatch(busy=busy),), Wants(2))

    run = simulate(cs.Cluster(n, compute, scaling="none"), Scripted(answer), engine)
    assert run.totals["reason"] == "none was written to"


@pytest.mark.parametrize("engine", ENGINES)
def test_an_older_answer_that_is_still_on_its_way_is_owed(engine):
    """Worker 0's first answer takes 100 s on the uplink, its second one overtakes it: the first is still unanswered."""
    uplink = cs.Link(latency=cs.Replay([[100.0, 0.1], [0.1, 0.1]]))

    def answer(event):
        if isinstance(event, Updated):
            return Decision((Dispatch(busy="finish"),), Wants(1))  # version 1 goes out when worker 1 has answered
        if event.tasks[-1] == 0:
            return Decision((Update(event.messages, 0.1),), Wants(2))
        return Decision((Dispatch(np.array([0])),), Wants(1))  # it promises that worker 0 owes nothing

    cluster = cs.Cluster(2, cs.Constant(1.0), uplink=uplink, scaling="none")
    with pytest.raises(cs.ProtocolError, match=r"workers 0\), which have unanswered tasks"):
        simulate(cluster, Scripted(answer), engine, 5)
