"""How much work a run does, counted instead of timed: a guard against regressions that no slow machine can trip.

Counted are SimPy's events, lines of the package that are executed, random draws, calls for gradients and the rows in
them. Each count is held against what the run needs: updates, messages, answers used.
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import simpy
from agreement import ENGINES
from scripted import Scripted
from wild import BUSY, Watched

import clustersim as cs
from clustersim.policies import Asynchronous
from clustersim.protocol import Arrivals, Decision, Dispatch, Update, Updated, Wants

FEATURES = 2


class CountedLeastSquares(cs.LeastSquares):
    """Least squares that keep count of their gradients (rows in each) and evaluations."""

    def __init__(self, rows):
        random = np.random.default_rng(1)
        super().__init__(random.normal(size=(rows, FEATURES)), random.normal(size=rows))
        self.gradients, self.evaluations = [], 0

    def gradient(self, w, rows, weights):
        self.gradients.append(self.rows if rows is None else len(rows))
        return super().gradient(w, rows, weights)

    def evaluate(self, w):
        self.evaluations += 1
        return super().evaluate(w)


class CountedExponential(cs.LatencyModel):
    """Exponential times that keep count of the draws made, in a list that several of them may share."""

    def __init__(self, mean=1.0, sizes=None):
        self.mean, self.sizes = mean, [] if sizes is None else sizes

    def quantile(self, u):
        self.sizes.append(np.size(u))
        return cs.Exponential(self.mean).quantile(u)

    @property
    def draws(self):
        return sum(self.sizes)


def simulate(policy, workers, updates, engine, *, compute=None, problem=None, link=None, **options):
    cluster_options = {"busy": options.pop("busy", "restart"), "scaling": options.pop("scaling", "none")}
    link = link or cs.Link()
    cluster = cs.Cluster(workers, compute or cs.Exponential(1.0), downlink=link, uplink=link, **cluster_options)
    return cs.simulate(
        problem or CountedLeastSquares(2 * workers), cluster, policy, optimizer=cs.SGD(1e-6),
        until=cs.Until(updates=updates), engine=engine, **{"evaluate_every": updates} | options,
    )  # fmt: skip


# ---------------------------------------------------------------------- SimPy's events

ROUGH = cs.Link(latency=cs.Exponential(0.3))


@pytest.fixture
def events(monkeypatch):
    """A dict that counts SimPy's events: handled, and the most that were scheduled at any time."""
    counts = {"handled": 0, "pending": 0, "most": 0}
    schedule, step = simpy.Environment.schedule, simpy.Environment.step

    def scheduled(env, *args, **kwargs):
        counts["pending"] += 1
        counts["most"] = max(counts["most"], counts["pending"])
        schedule(env, *args, **kwargs)

    def stepped(env):
        counts["handled"] += 1
        counts["pending"] -= 1
        step(env)

    monkeypatch.setattr(simpy.Environment, "schedule", scheduled)
    monkeypatch.setattr(simpy.Environment, "step", stepped)
    return counts


@pytest.mark.parametrize("busy", ["restart", "send"])
@pytest.mark.parametrize(("workers", "k"), [(10, 1), (10, 10), (400, 20), (400, 399)])
def test_a_round_of_the_cohort_is_one_event(events, workers, k, busy):
    """However many workers there are and are waited for; beginning and end take a few more."""
    simulate(cs.FastestK(k), workers, 20, "cohort", busy=busy)
    assert events["handled"] <= 20 + 4


TOLD = [cs.FastestK(9), cs.KAsync(8), cs.KBatchAsync(8), cs.KBatchSync(8), cs.ErasureHead(2, 0.5)]


@pytest.mark.parametrize("busy", BUSY)
@pytest.mark.parametrize("policy", TOLD, ids=repr)
def test_the_cohorts_clock_stops_when_the_policy_is_told_something(events, policy, busy):
    """Not once more: where answers are late a policy is told of them, and wants others in their place."""
    told, link = [], (cs.Link(), ROUGH)[(TOLD.index(policy) + BUSY.index(busy)) % 2]
    simulate(Watched(policy, told), 60, 20, "cohort", busy=busy, link=link)
    turns = sum(not isinstance(event, Updated) for event, _ in told)
    assert turns >= 20
    assert events["handled"] <= turns + 4


@pytest.mark.parametrize("busy", BUSY)
@pytest.mark.parametrize(("link", "most"), [(cs.Link(), 2), (ROUGH, 4)], ids=["no links", "links"])
def test_a_task_of_a_process_is_a_few_events(events, busy, link, most):
    """A model that arrives, work that ends or is looked after in vain, an answer that arrives; and none is left behind.

    The heap holds what is under way, and a few events more for each worker.
    """
    run = simulate(cs.FastestK(10), 50, 40, "process", busy=busy, link=link)
    assert events["handled"] <= most * run.totals["downlink_messages"] + 2 * 50 + 40
    assert events["most"] <= 2 * run.totals["in_flight"] + 3 * 50


# ---------------------------------------------------------------------- lines of Python

PACKAGE = str(Path(cs.__file__).parent)


def lines_executed(policy, workers, updates, engine, **options):
    """Lines of the package that a run executes, loops on one line as often as they go round; messages; events told."""
    count, problem, before, told = 0, CountedLeastSquares(2 * workers), sys.gettrace(), []

    def inside(frame, what, arg):
        nonlocal count
        count += what == "line"
        return inside

    def entered(frame, what, arg):
        return inside(frame, what, arg) if frame.f_code.co_filename.startswith(PACKAGE) else None

    sys.settrace(entered)
    try:
        run = simulate(Watched(policy, told), workers, updates, engine, problem=problem, **options)
    finally:
        sys.settrace(before)
    return np.array([count, run.totals["downlink_messages"], len(told)])


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        (cs.FastestK(10), {}),
        (cs.FastestK(10), {"busy": "finish"}),
        (cs.FastestK(10), {"busy": "queue", "link": cs.Link(latency=0.25)}),
        (cs.FastestK(10), {"link": ROUGH}),
        (cs.LiveGradientCompensation(10, 2), {}),
        (cs.ErasureHead(2, 0.1), {}),
        (cs.SwitchingTimes([], start=10), {"messages": True}),
        (cs.KAsync(10), {}),
        (cs.KBatchAsync(10), {"link": ROUGH}),
    ],
    ids=str,
)
def test_the_cohort_runs_no_python_for_a_single_worker(policy, options):
    """Sixteen times as many workers: once more the lines an event would be much, a loop is many times as many."""
    costs = []
    for workers in (128, 2048):
        short, long = (lines_executed(policy, workers, updates, "cohort", **options) for updates in (8, 24))
        lines, _, told = long - short
        costs.append(float(lines / told))
    assert costs[1] < 2.0 * costs[0], costs


@pytest.mark.parametrize("policy", [cs.FastestK(10), cs.KBatchAsync(10)], ids=repr)
def test_processes_run_as_much_python_for_each_task_of_many(policy):
    """Eight times as many workers; looking through all of them for each task would be eight times the lines."""
    costs = []
    for workers in (50, 400):
        short, long = (lines_executed(policy, workers, updates, "process") for updates in (5, 20))
        lines, tasks, _ = long - short
        costs.append(float(lines / tasks))
    assert costs[1] < 1.5 * costs[0], costs


# ---------------------------------------------------------------------- draws

BLOCK = 1 << 15  # draws that may be made ahead at once


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("k", [5, 500])
def test_a_broadcast_draws_each_time_once(engine, k):
    compute = CountedExponential()
    simulate(cs.FastestK(k), 500, 200, engine, compute=compute)
    assert 500 * 200 <= compute.draws <= 500 * 200 + BLOCK + 10


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_sent_to_few_draws_few(engine):
    """After a broadcast to 33,000 workers ten an update get their second task: as many draws, not rows of them."""
    compute = CountedExponential()
    run = simulate(cs.KAsync(10), 33_000, 30, engine, compute=compute)
    tasks = run.totals["downlink_messages"]
    assert tasks == 33_000 + 10 * 29
    assert tasks <= compute.draws <= tasks + 100


@pytest.mark.parametrize("engine", ENGINES)
def test_workers_far_apart_do_not_make_each_other_draw(engine):
    """One worker is a thousand times as fast as 999 others: rows for all of them would be 1000 draws an update."""
    sizes = []
    fast, slow = CountedExponential(0.001, sizes), CountedExponential(1.0, sizes)
    compute = cs.PerWorker([fast] + [slow] * 999)
    simulate(cs.KAsync(1), 1000, 1000, engine, compute=compute)
    assert sum(sizes) < 1000 + 1000 * 5 + 3 * BLOCK


# ---------------------------------------------------------------------- gradients


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("policy", "answers"),
    [(cs.FastestK(3), 3), (cs.FullSync(), 20), (cs.FastestK(2, batch=2), 2), (cs.AdaptiveK(4, 100, 0), 4)],
    ids=repr,
)
def test_a_synchronous_update_is_one_gradient_over_the_rows_of_its_answers(engine, policy, answers):
    """Of the twenty tasks of a round those that are not used cost no arithmetic."""
    problem = CountedLeastSquares(200)
    simulate(policy, 20, 30, engine, problem=problem, evaluate_every=10)
    rows = 2 if policy.work.batch else 10
    assert problem.gradients == [answers * rows] * 30
    assert problem.evaluations == 1 + 3


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "policy", [cs.KAsync(4), cs.KBatchAsync(4, batch=3), Asynchronous(5, max_staleness=1),
               cs.LiveGradientCompensation(10, 5)], ids=repr,
)  # fmt: skip
def test_an_update_is_one_gradient_for_each_version_in_it(engine, policy):
    """The rows are those of the answers used; of cut ones those of the finished blocks."""
    problem, told = CountedLeastSquares(200), []
    simulate(Watched(policy, told), 20, 40, engine, problem=problem)
    rows, expected = (policy.work.batch or 10) // policy.work.blocks, []
    answers = {}
    for event, answer in told:
        if isinstance(event, Arrivals):
            answers |= zip(event.messages, zip(event.versions, rows * event.blocks, strict=True), strict=True)
        for names in (command.messages for command in answer.commands if isinstance(command, Update)):
            used = Counter()
            for name in names:
                used[answers[name][0]] += answers[name][1]
            expected += [used[version] for version in sorted(used)]
    assert problem.gradients == expected
    assert len(expected) > 40  # several versions in some


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_thrown_away_costs_no_arithmetic(engine):
    """A policy that takes in hundreds of answers and uses none."""
    problem = CountedLeastSquares(200)

    def answer(event):
        if isinstance(event, Updated):
            return Decision((Dispatch(busy="restart"),), Wants(20))
        return Decision((Update(event.messages[:0], 1.0),), Wants(20))

    run = simulate(Scripted(answer), 20, 30, engine, problem=problem)
    assert run.totals["discarded"] == 600
    assert problem.gradients == []
