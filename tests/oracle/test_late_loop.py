"""Late arrivals and asynchronous schemes against plain NumPy loops that are fed the same draws: same models, to 1e-9.

The loops are written from the papers. Response times and mini-batches come from the named streams, who holds what from
the placement; all else is done here again.
"""

import heapq

import numpy as np
import pytest
from batches import draw_batch

import clustersim as cs
from clustersim.streams import Streams

N, ROWS, D, UPDATES, BATCH, BLOCKS, K, ETA = 6, 90, 4, 40, 8, 4, 4, 0.05
SEED, REPLICATION = 3, 1
COMPUTE = cs.Persistent(cs.ShiftedExponential(0.02, 0.1), 3)


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(8)
    X = random.normal(size=(ROWS, D))
    labels = np.arange(ROWS) % 3
    return X + labels[:, None], labels


class Workers:
    """Rows of each worker, its batches and its response times, by task."""

    def __init__(self, problem, placement):
        streams = Streams(SEED, REPLICATION)
        assignment = placement.assign(problem, N, streams.generator("placement"))
        self.held = [assignment.rows[assignment.starts[i] : assignment.starts[i + 1]] for i in range(N)]
        self.streams = streams
        self.times = COMPUTE.times(streams.uniforms("compute"), 0, 400, N).round(9)  # whole ticks
        self.assignment = assignment

    def batch(self, worker, task):
        rows = self.held[worker]
        return rows[draw_batch(self.streams, task, worker, len(rows), BATCH)]


def mean_gradient(problem, w, rows):
    """Mean over some rows of the softmax gradient, row by row."""
    total = np.zeros((D + 1, 3))
    for row in rows:
        x = np.append(problem.X[row, :D], 1.0)
        scores = x @ w.reshape(D + 1, 3)
        p = np.exp(scores) / np.exp(scores).sum()
        p[problem.labels[row]] -= 1.0
        total += np.outer(x, p)
    return total.ravel() / len(rows)


def engine(problem, policy, optimizer=None, until=UPDATES, **options):
    cluster = cs.Cluster(N, COMPUTE, scaling="none", **options)
    return cs.simulate(
        problem, cluster, policy, optimizer=optimizer or cs.SGD(ETA), until=cs.Until(updates=until),
        seed=SEED, replication=REPLICATION, messages=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def problem(data):
    return cs.SoftmaxRegression(*data)


def test_k_sgd_on_skewed_data(problem):
    workers, w = Workers(problem, cs.ByLabel(1)), np.zeros(problem.dimension)
    for t in range(UPDATES):
        fastest = np.argsort(workers.times[t], kind="stable")[:K]
        w = w - ETA * np.mean([mean_gradient(problem, w, workers.batch(i, t)) for i in fastest], axis=0)
    result = engine(problem, cs.FastestK(K, cs.ByLabel(1), BATCH))
    np.testing.assert_allclose(result.w, w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("warm_up", [0, 2])
def test_lgc_with_partial_work_momentum_and_weight_decay(problem, scaled, warm_up):
    workers, w = Workers(problem, cs.ByLabel(2)), np.zeros(problem.dimension)
    velocity, e, partial, silent = np.zeros_like(w), np.zeros_like(w), 0, 0
    for t in range(UPDATES):
        k = N if t < warm_up * ROWS / (N * BATCH) else K
        order = np.argsort(workers.times[t], kind="stable")
        stop = workers.times[t, order[k - 1]]
        fresh = np.mean([mean_gradient(problem, w, workers.batch(i, t)) for i in order[:k]], axis=0)
        late = []
        for i in order[k:]:
            r = int(np.floor(BLOCKS * stop / workers.times[t, i] + 1e-12))
            partial += 0 < r < BLOCKS and t < UPDATES - 1  # the run ends with the last update
            silent += r == 0
            if r:
                done = workers.batch(i, t)[: r * BATCH // BLOCKS]
                late.append(mean_gradient(problem, w, done) * (r / BLOCKS if scaled else 1.0))
        velocity = 0.9 * velocity + fresh + e + 0.01 * w
        w = w - ETA * velocity
        if scaled:  # eq. 7, a straggler that sent nothing counting as zero
            e = np.sum([*late, np.zeros_like(w)], axis=0) / N - (N - k) / N * fresh
        else:  # the mean over all who sent something
            e = (k * fresh + np.sum([*late, np.zeros_like(w)], axis=0)) / (k + len(late)) - fresh
    assert min(partial, silent) > 3, "without partial work and stragglers that have none the case means nothing"
    policy = cs.LiveGradientCompensation(K, BLOCKS, cs.ByLabel(2), BATCH, scaled=scaled, warm_up=warm_up)
    result = engine(problem, policy, cs.Momentum(ETA, momentum=0.9, weight_decay=0.01))
    assert result.totals["partial"] == result.totals["used_partial"] == partial
    np.testing.assert_allclose(result.w, w, rtol=1e-9, atol=1e-12)


def test_the_invariant_of_the_papers_proof(problem):
    """Where every straggler finishes, x_t - eta e_(t-1) moves by the mean over all workers' gradients at x_t."""
    workers = Workers(problem, cs.ByLabel(1))
    policy = cs.LiveGradientCompensation(K, BLOCKS, cs.ByLabel(1), BATCH)
    models = [engine(problem, policy, until=t, downlink=cs.Link(latency=10.0)).w for t in range(1, 16)]
    x = [np.zeros(problem.dimension), *models]
    shadow = x[0]
    for t in range(15):
        gradients = [mean_gradient(problem, x[t], workers.batch(i, t)) for i in range(N)]
        fastest = np.argsort(workers.times[t], kind="stable")[:K]
        e = np.mean(gradients, axis=0) - np.mean([gradients[i] for i in fastest], axis=0)
        assert np.abs(e).max() > 1e-3, "without a bias the case means nothing"
        shadow = shadow - ETA * np.mean(gradients, axis=0)
        np.testing.assert_allclose(x[t + 1] - ETA * e, shadow, rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", range(16))
def test_lgc_with_links_told_by_its_messages(case):
    """Any K, s and links: the model put together again from the table of messages, unequal blocks and all."""
    random = np.random.default_rng(case)
    k, s, scaled = int(random.integers(1, 7)), int(random.integers(1, 12)), bool(case % 2)
    kinds = [cs.Link(), cs.Link(latency=cs.Exponential(0.6)), cs.Link(latency=cs.Exponential(0.1))]
    down, up = (kinds[i] for i in random.integers(3, size=2))
    busy = ("restart", "finish", "queue", "send")[case % 4]
    cluster = cs.Cluster(N, cs.ShiftedExponential(0.2, 1.0), downlink=down, uplink=up, scaling="none", busy=busy)
    problem = cs.LeastSquares.synthetic(rows=11 * N, features=3, seed=1)
    result = cs.simulate(
        problem, cluster, cs.LiveGradientCompensation(k, s, scaled=scaled), optimizer=cs.SGD(1e-3),
        until=cs.Until(updates=20), messages=True, evaluate_every=1, seed=case,
    )  # fmt: skip
    messages, times = result.messages, result.history["time"].to_numpy()

    def finished(blocks):
        return blocks * (11 // s) + min(blocks, 11 % s)

    def gradient(w, message):
        rows = 11 * message.worker + np.arange(finished(message.blocks))
        return problem.X[rows].T @ (problem.X[rows] @ w - problem.y[rows]) / 11

    w, before, fresh, used = [np.zeros(3)], np.zeros(3), np.zeros(3), []
    for version in range(20):
        now, mine = times[version + 1], messages[messages["version"] == version]
        fastest = mine[(mine["arrived"] <= now) & (mine["blocks"] == s)].sort_values(["arrived", "worker"]).head(k)
        assert len(fastest) == k
        late = messages[(messages["version"] == version - 1) & ~messages.index.isin(used)]
        # what a stop without delays sends is there at the instant of the update before
        late = late[(late["arrived"] < now) | (late["arrived"] == times[version])]
        some = [gradient(w[version - 1], m) * (1 if scaled else 11 / finished(m.blocks)) for m in late.itertuples()]
        if version and scaled:
            before = np.sum([*some, np.zeros(3)], axis=0) / N - (N - k) / N * fresh
        elif version:
            before = (k * fresh + np.sum([*some, np.zeros(3)], axis=0)) / (k + len(some)) - fresh
        fresh, used = np.mean([gradient(w[version], m) for m in fastest.itertuples()], axis=0), fastest.index
        w.append(w[-1] - 1e-3 * (fresh + before))
    np.testing.assert_allclose(result.w, w[-1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("decoder", [cs.decoders.Exact(), cs.decoders.Optimal()])
def test_nothing_is_made_up_for_where_nothing_lacked(decoder):
    """A cyclic code decodes the full gradient from any five of six answers; the sixth comes late and adds nothing."""
    problem = cs.LeastSquares.synthetic(rows=24, features=3, seed=1)
    late = cs.policies.Compensate(scaled=False)
    policy = cs.Synchronous(cs.waits.Covered(), decoder, cs.placements.CyclicRepetition(2), late=late)
    cluster = cs.Cluster(N, COMPUTE, scaling="none", downlink=cs.Link(latency=1.0))
    result = cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=20))
    assert result.totals["used_late"] > 0
    w = np.zeros(3)
    for _ in range(20):
        w = w - 1e-3 * problem.X.T @ (problem.X @ w - problem.y) / 24
    np.testing.assert_allclose(result.w, w, rtol=1e-9)


def test_partial_work_of_coded_rows():
    """Coefficients stay with their rows: the first three of a worker's four coded rows, and all of another's."""
    placement = cs.placements.UniformReplication(2)
    problem = cs.LeastSquares.synthetic(rows=12, features=3, seed=2)
    coded = placement.assign(problem, 6, np.random.default_rng(4))
    placed = cs.placements.Assignment(12, coded.starts, coded.rows, np.linspace(0.5, 2.0, len(coded.rows)), blocks=2)
    w, expected = np.array([1.0, -2.0, 0.5]), np.zeros(3)
    for worker, blocks, weight in ((3, 1, 0.25), (0, 2, -1.5)):
        size = placed.sizes[worker]
        for entry in range(placed.starts[worker], placed.starts[worker] + (size if blocks == 2 else -(-size // 2))):
            row = placed.rows[entry]
            residual = problem.X[row] @ w - problem.y[row]
            expected += weight * placed.coefficients[entry] * residual * problem.X[row]
    rows, weights = placed.gather(np.array([3, 0]), np.array([0.25, -1.5]), blocks=np.array([1, 2]))
    np.testing.assert_allclose(problem.gradient(w, rows, weights), expected, rtol=1e-10)


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("bound", [None, 1])
def test_asynchronous_schemes_on_an_event_heap(problem, at_once, bound):
    """K-async and K-batch-async, with a bound on staleness and without, from a heap of finishing times."""
    workers, k = Workers(problem, cs.ByLabel(1)), 2
    w, version, task = np.zeros(problem.dimension), 0, [0] * N
    heap, held, waiting, stale = [], [], [], []

    def send(i, now):
        heapq.heappush(heap, (now + workers.times[task[i], i], i, task[i], version, w))
        task[i] += 1

    for i in range(N):
        send(i, 0.0)
    while version < UPDATES:
        now, i, q, born, model = heapq.heappop(heap)
        if bound is not None and version - born > bound:
            send(i, now)
            continue
        held.append(mean_gradient(problem, model, workers.batch(i, q)))
        stale.append(version - born)
        waiting.append(i)
        if len(held) == k:
            w, version, held = w - ETA * np.mean(held, axis=0), version + 1, []
        if at_once or not held:
            for each in waiting:
                send(each, now)
            waiting = []
    kind = cs.KBatchAsync if at_once else cs.KAsync
    result = engine(problem, kind(k, cs.ByLabel(1), BATCH, max_staleness=bound))
    np.testing.assert_allclose(result.w, w, rtol=1e-9, atol=1e-12)
    assert result.totals["time"] == pytest.approx(now, rel=1e-12)
    assert result.totals["mean_staleness"] == pytest.approx(np.mean(stale), rel=1e-12)
    assert result.totals["max_staleness"] == max(stale) > 0
