"""Laws of schemes that use late answers: conservation, bounded staleness, honest hints, rates."""

import math
import tracemalloc

import numpy as np
import pytest
from conforming import half_of_the_clusters
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plain_spaces import latencies, links
from small import run_if_possible

import clustersim as cs
from clustersim import decoders, placements, waits
from clustersim.conformance import check_policy, check_run
from clustersim.policies import Asynchronous, Compensate

ROWS, CLASSES = 48, 3
Z = 4.0  # a false alarm in 16,000
REFUSALS = ("holds only", "has only", "would be on no worker", "can answer before", "can never answer")


def problem():
    random = np.random.default_rng(1)
    labels = np.arange(ROWS) % CLASSES
    return cs.SoftmaxRegression(random.normal(size=(ROWS, 2)) + labels[:, None], labels)


PROBLEM = problem()


@st.composite
def schemes(draw):
    """A number of workers, and a scheme for them that uses late messages."""
    n = draw(st.integers(1, 8))
    k = draw(st.integers(1, n))
    even = [cs.placements.EvenPartition(), cs.Dirichlet(draw(st.sampled_from([0.2, 5.0])))]
    placement = draw(st.sampled_from([*even, *([cs.ByLabel(2)] if n > 1 else [])]))
    batch = draw(st.sampled_from([None, 2, 5]))
    blocks = draw(st.integers(1, 5)) if batch is None else draw(st.integers(1, batch))
    bound = draw(st.sampled_from([None, 0, 1, 3]))
    compensate = cs.policies.Compensate(draw(st.booleans()))
    wait = draw(st.sampled_from([waits.Fastest(k), waits.Pflug(1, 0, 0, step=1), waits.Fraction(0.6),
                                 waits.Earliest(waits.Fastest(k), waits.Deadline(5.0)),
                                 waits.WarmUp(waits.Fastest(k), 2.0)]))  # fmt: skip
    kinds = [
        cs.LiveGradientCompensation(k, blocks, placement, batch, scaled=compensate.scaled, warm_up=1.0),
        cs.Synchronous(wait, placement=placement, batch=batch, blocks=blocks, late=compensate,
                       silence=draw(st.sampled_from(["count", "redraw"]))),
        Asynchronous(k, placement, batch, draw(st.booleans()), draw(st.booleans()), bound),
        cs.KAsync(k, placement, batch, bound),
        cs.KBatchAsync(k, placement, batch, bound),
        cs.KBatchSync(k, placement, batch),
    ]  # fmt: skip
    return n, draw(st.sampled_from(kinds))


clusters = {
    "compute": latencies,
    "down": links,
    "up": links,
    "busy": st.sampled_from(["restart", "finish", "queue", "send"]),
    "scaling": st.sampled_from(["proportional", "none", "additive"]),
}


def simulate(n, policy, compute, down, up, busy, scaling, seed=0):
    cluster = cs.Cluster(n, compute, downlink=down, uplink=up, busy=busy, scaling=scaling)
    return cluster, run_if_possible(PROBLEM, cluster, policy, seed, step_size=1e-3, refusals=REFUSALS)


@settings(max_examples=30, deadline=None)
@given(scheme=schemes(), **clusters)
def test_everything_adds_up_and_bounds_hold(scheme, compute, down, up, busy, scaling):
    cluster, run = simulate(*scheme, compute, down, up, busy, scaling)
    assume(run is not None)
    check_run(run, cluster)
    policy, messages = scheme[1], run.messages
    bound = getattr(policy, "max_staleness", None)
    if bound is not None:
        assert not (messages["staleness"] > bound).any()
    if isinstance(policy, cs.LiveGradientCompensation):
        assert not (messages["staleness"] > 1).any()
    if isinstance(policy, cs.KBatchSync):
        assert run.totals["used_late"] == 0
    blocks = policy.work.blocks
    cut = messages["finished"].notna() & (messages["blocks"] < blocks)
    assert cut.sum() == run.totals["partial"]
    assert (cut & (messages["staleness"] >= 0)).sum() == run.totals["used_partial"]
    assert (messages["blocks"][messages["finished"].isna()] == 0).all()


@settings(max_examples=20, deadline=None)
@given(scheme=schemes(), seed=st.integers(0, 10**6), **clusters)
def test_same_seed_same_run(scheme, seed, compute, down, up, busy, scaling):
    (_, one), (_, two) = (simulate(*scheme, compute, down, up, busy, scaling, seed) for _ in range(2))
    assume(one is not None)
    assert one.messages.equals(two.messages)
    assert one.totals == two.totals
    assert one.w.tobytes() == two.w.tobytes()


POLICIES = [
    cs.LiveGradientCompensation(7, 4),
    cs.LiveGradientCompensation(2, 8, batch=8, scaled=False, warm_up=1.0),
    cs.KAsync(1),
    cs.KAsync(3, max_staleness=2),
    cs.KBatchAsync(1, batch=3),
    cs.KBatchAsync(5, max_staleness=1),
    cs.KBatchSync(6, batch=3),
    Asynchronous(3, to_all=True),
    cs.FastestK(4, batch=3, warm_up=1.0),
    cs.FullSync(batch=2),
    cs.Synchronous(waits.Covered(), decoders.Exact(), placements.FractionalRepetition(2), late=Compensate(False)),
    cs.Synchronous(waits.Pflug(2, 0, 1), blocks=3, late=Compensate(scaled=False)),
]


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_policies_conform(policy):
    with half_of_the_clusters(POLICIES.index(policy)):
        check_policy(policy, updates=7)


def mean_time(policy, n, updates, seed=0):
    """Mean time between updates of 1-second exponential tasks."""
    cluster = cs.Cluster(n, cs.Exponential(1.0), scaling="none")
    run = cs.simulate(
        PROBLEM, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=updates), seed=seed,
        evaluate_every=updates,
    )  # fmt: skip
    return run.totals["time"] / updates


@pytest.mark.parametrize(("n", "k"), [(8, 3), (5, 5), (6, 1)])
def test_update_rates_with_exponential_times(n, k):
    """Sums of independent exponentials: k of rate n for the batch schemes, n, n - 1, ... n - k + 1 for the others."""
    batch = [1.0 / n] * k
    stages = [1.0 / i for i in range(n, n - k, -1)]
    updates = 400
    for policy, means in (
        (cs.KBatchSync(k), batch), (cs.KBatchAsync(k), batch), (cs.FastestK(k), stages), (cs.KAsync(k), stages),
        (cs.LiveGradientCompensation(k, 4), stages),
    ):  # fmt: skip
        error = math.sqrt(sum(mean**2 for mean in means) / updates)
        assert abs(mean_time(policy, n, updates) - sum(means)) < Z * error, policy


@pytest.mark.parametrize("n", [2, 7])
@pytest.mark.parametrize("compute", [cs.Exponential(1.0), cs.ShiftedExponential(1.0, 0.3)])
def test_mean_staleness_of_asynchronous_sgd(n, compute):
    """The updates between two answers of a worker add up to all updates, so the mean staleness is n - 1, but for ends.

    Of N updates those after a worker's last answer are not counted: at most as many as came since any worker answered.
    """
    updates = 300
    cluster = cs.Cluster(n, compute, scaling="none")
    run = cs.simulate(
        PROBLEM, cluster, cs.KAsync(1), optimizer=cs.SGD(1e-3), until=cs.Until(updates=updates), messages=True
    )
    last = run.messages.query("staleness >= 0").groupby("worker")["arrived"].max()
    answers = np.sort(run.messages["arrived"].dropna().to_numpy())
    uncounted = sum(updates - int(np.searchsorted(answers, at, side="right")) for at in last)
    assert run.totals["mean_staleness"] == pytest.approx(n - 1 - uncounted / updates, abs=1e-9)
    assert uncounted / updates < 0.05 * n


@pytest.mark.parametrize(("policy", "mean"), [(cs.KAsync(2), 1.5), (cs.KBatchAsync(2), 2.0), (cs.KAsync(5), 0.0)])
def test_mean_staleness_where_all_answer_at_once(policy, mean):
    """(n - k) / k and (n - 1) / k for n = 5: answers at one instant are taken one by one."""
    cluster = cs.Cluster(5, cs.Constant(1.0), scaling="none")
    run = cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=400))
    assert run.totals["mean_staleness"] == pytest.approx(mean, abs=5 / 400 * 5)


@pytest.mark.parametrize("policy", [cs.KAsync(1), cs.KBatchAsync(2)])
def test_workers_that_never_answer_leave_an_asynchronous_run(policy):
    cluster = cs.Cluster(6, cs.BernoulliStraggler(0.3), scaling="none")
    with pytest.raises(
        cs.StalledError, match=r"waits for [12] messages at version \d+.*6 of 6 workers will never answer"
    ):
        cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=1000))


@pytest.mark.parametrize(
    ("policy", "updates"),
    [(cs.FullSync(batch=4), 6), (cs.KAsync(1, batch=4), 24), (cs.KBatchSync(2, batch=4), 12), (cs.KAsync(1), 4)],
)
def test_an_epoch_goes_once_through_what_updates_ask_for(policy, updates):
    """48 rows, two epochs, four workers: 4 tasks of 4 rows an update, or 1, or 2; or 1 of 12 rows."""
    cluster = cs.Cluster(4, cs.Exponential(1.0), scaling="none")
    until = cs.Until(epochs=2 if policy.work.batch else 1)
    run = cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-3), until=until)
    assert run.totals["updates"] == updates


def test_an_epoch_is_at_least_one_update():
    cluster = cs.Cluster(4, cs.Exponential(1.0), scaling="none")
    everything = cs.FullSync(placements.Everything(), batch=24)
    run = cs.simulate(PROBLEM, cluster, everything, optimizer=cs.SGD(1e-3), until=cs.Until(epochs=3))
    assert run.totals["updates"] == cs.schedules.updates_in(3, rows=ROWS, workers=4, batch=24) == 3


def test_a_trace_lets_go_of_old_models():
    """Each version has 10,000 parameters; were all kept, 200 of them would be 16 MB."""
    problem = cs.LeastSquares(np.ones((8, 10_000)) / 100.0, np.ones(8))
    cluster = cs.Cluster(4, cs.Exponential(1.0), scaling="none", uplink=cs.Link(latency=cs.BernoulliStraggler(0.1)))
    policy = cs.LiveGradientCompensation(2, 2)
    tracemalloc.start()
    try:
        cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=200), messages=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8e6


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cs.LiveGradientCompensation(0, 1), "k = 0"),
        (lambda: cs.LiveGradientCompensation(2, blocks=0), "blocks = 0"),
        (lambda: cs.LiveGradientCompensation(2, blocks=33, batch=32), "blocks = 33.*batch has only 32 rows"),
        (lambda: cs.LiveGradientCompensation(2, 1, batch=0), "batch = 0"),
        (lambda: cs.LiveGradientCompensation(2, 1, placement=2), "placement = 2"),
        (lambda: cs.LiveGradientCompensation(2, 1, warm_up=-1.0), r"warm_up = -1\.0"),
        (lambda: cs.FastestK(2, warm_up=math.nan), "warm_up = nan"),
        (lambda: cs.LiveGradientCompensation(2, 1, scaled="no"), "scaled = 'no': expected True or False"),
        (lambda: cs.placements.label_counts(cs.ByLabel(1), [0, 1]), "assignment = ByLabel.*expected an Assignment"),
        (lambda: cs.FastestK(2, warm_up=""), "warm_up = ''"),
        (lambda: cs.waits.WarmUp(waits.All(), -1), "epochs = -1"),
        (lambda: cs.KAsync(1, max_staleness=-1), "max_staleness = -1"),
        (lambda: cs.KBatchSync(1.5), r"k = 1\.5"),
        (lambda: cs.waits.WarmUp(3, 1.0), "rule = 3"),
        (lambda: cs.Synchronous(waits.All(), late="send"), "late = 'send'"),
    ],
)
def test_bad_hyper_parameters_are_named(make, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        make()


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (cs.LiveGradientCompensation(5, 1), "k = 5.*4 workers"),
        (cs.KAsync(5), "k = 5.*4 workers"),
        (Asynchronous(5, max_staleness=1), "k = 5.*4 workers"),
        (cs.LiveGradientCompensation(2, blocks=13), "blocks = 13.*worker 0 holds only 12 rows"),
        (cs.FastestK(2, cs.ByLabel(4)), "classes = 4"),
        (cs.FastestK(2, batch=13), "batch = 13.*holds only 12 rows"),
        (
            cs.Synchronous(
                waits.All(), decoders.DistinctRows(0.1), placements.Uncombined(placements.EvenPartition()), blocks=2
            ),
            "blocks = 2.*one by one",
        ),
        (
            cs.Synchronous(
                waits.All(), decoders.DistinctRows(0.1), placements.Uncombined(placements.EvenPartition()),
                late=Compensate(),
            ),
            "late = Compensate.*cannot make up for what DistinctRows",
        ),
        (
            cs.Synchronous(waits.All(), placement=placements.Uncombined(placements.EvenPartition()), late=Compensate()),
            "late = Compensate.*each row by itself",
        ),
        (
            cs.Synchronous(waits.Covered(), decoders.Exact(), placements.CyclicRepetition(2), late=Compensate()),
            "late = Compensate.*cannot make up for what Exact",
        ),
        (
            cs.Synchronous(waits.Fastest(3), decoders.Unbiased(0.1), late=Compensate(scaled=False)),
            "late = Compensate.*cannot make up for what Unbiased",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_cluster_is_refused(policy, words):
    cluster = cs.Cluster(4, cs.Exponential(1.0))
    with pytest.raises(cs.ConfigurationError, match=words):
        cs.simulate(PROBLEM, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=2))
