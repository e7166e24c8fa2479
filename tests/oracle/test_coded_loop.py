"""Coded schemes against plain NumPy loops that are fed the same stragglers and placements: same models, to 1e-9.

The loops are written from the papers: who holds what comes from the placement, all else is done here again.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from batches import draw_batch
from coding import entries

import clustersim as cs
from clustersim.protocol import Decision, Dispatch, Policy, Update, Updated, Wants, Work
from clustersim.streams import Streams

N, ROWS, D, UPDATES, P, ETA = 6, 30, 4, 40, 0.65, 0.1
SEED, REPLICATION = 5, 2


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(5)
    X = random.normal(size=(ROWS, D)) * random.uniform(0.3, 2.0, size=(ROWS, 1))
    return X, X @ random.normal(size=D) + random.normal(size=ROWS)


def held(X, y, policy):
    """Who holds which rows: a matrix of zeros and ones, shape (N, ROWS), unpacked by hand."""
    generator = Streams(SEED, REPLICATION).generator("placement")
    assignment = policy.work.placement.assign(cs.LeastSquares(X, y), N, generator)
    matrix = np.zeros((N, ROWS))
    for worker in range(N):
        for entry in entries(assignment, worker):
            matrix[worker, assignment.rows[entry]] = 1.0
    return matrix


def answering(p=P):
    """Who answers in each round, shape (UPDATES, N)."""
    model = cs.BernoulliStraggler(p)
    times = model.times(Streams(SEED, REPLICATION).uniforms("compute"), 0, UPDATES, N)
    return np.isfinite(times)


def descend(X, y, row_weights):
    """Gradient descent of which step t uses the weighted sum of row gradients that `row_weights(t)` tells."""
    w = np.zeros(D)
    for t in range(UPDATES):
        gradient = np.zeros(D)
        for row, weight in enumerate(row_weights(t)):
            gradient += weight * (X[row] @ w - y[row]) * X[row]
        w = w - ETA * gradient
    return w


def engine(X, y, policy, p=P):
    cluster = cs.Cluster(N, cs.BernoulliStraggler(p), scaling="none")
    return cs.simulate(
        cs.LeastSquares(X, y), cluster, policy, optimizer=cs.SGD(ETA), until=cs.Until(updates=UPDATES),
        seed=SEED, replication=REPLICATION,
    )  # fmt: skip


def copies_of_sgc(X):
    """d_i of eq. 6 to 8 for d = 2."""
    norms = (X**2).sum(axis=1)
    return np.clip(np.rint(2.0 * norms / norms.mean()), 1, N)


def sgc(X, y, up):
    M = held(X, y, cs.StochasticGradientCoding(2, P))
    d = copies_of_sgc(X)
    assert (M.sum(axis=0) == d).all()
    assert len(np.unique(d)) > 2, "the case must have rows of unlike redundancy to mean anything"
    return lambda t: up[t] @ M / d / (1 - P) / ROWS


def bgc(X, y, up):
    M = held(X, y, cs.BernoulliGradientCoding(3, P))
    assert (M.sum(axis=0) == 3).all()
    return lambda t: up[t] @ M / (3 * (1 - P) * ROWS)


def ignore(X, y, up):
    return lambda t: np.repeat(up[t], ROWS // N) / ((1 - P) * ROWS)


def send_all(X, y, up):
    M = held(X, y, cs.SendAll(2, P))
    return lambda t: (up[t] @ M > 0) / (1 - P ** copies_of_sgc(X)) / ROWS


def erasurehead(X, y, up):
    """Groups (0, 1, 2) and (3, 4, 5), each with half of the rows."""
    return lambda t: np.repeat([up[t, :3].any(), up[t, 3:].any()], ROWS // 2) / ROWS


CASES = {
    "SGC": (cs.StochasticGradientCoding(2, P), sgc),
    "BGC": (cs.BernoulliGradientCoding(3, P), bgc),
    "Ignore-Stragglers": (cs.IgnoreStragglers(P), ignore),
    "Send-All": (cs.SendAll(2, P), send_all),
    "ErasureHead": (cs.ErasureHead(load=3, fraction=1.0, deadline=1.0), erasurehead),
}


@pytest.mark.parametrize("case", CASES)
def test_same_models_under_random_stragglers(data, case):
    X, y = data
    policy, weights = CASES[case]
    up = answering()
    assert not up.any(axis=1).all() or case != "Ignore-Stragglers", "some round must stay without answers"
    run = engine(X, y, policy)
    np.testing.assert_allclose(run.w, descend(X, y, weights(X, y, up)), rtol=0, atol=1e-9)
    assert run.totals["updates"] == UPDATES


@pytest.mark.parametrize("code", ["fractional", "cyclic"])
def test_exact_codes_are_gradient_descent(data, code):
    """One straggler a round, which a load of 2 survives."""
    X, y = data
    times = np.random.default_rng(2).exponential(size=(UPDATES + 1, N))
    times[np.arange(UPDATES + 1), np.arange(UPDATES + 1) % N] = np.inf
    run = cs.simulate(
        cs.LeastSquares(X, y), cs.Cluster(N, cs.Replay(times), scaling="none"), cs.ExactGradientCode(2, code),
        optimizer=cs.SGD(ETA), until=cs.Until(updates=UPDATES),
    )  # fmt: skip
    full = descend(X, y, lambda t: np.full(ROWS, 1.0 / ROWS))
    np.testing.assert_allclose(run.w, full, rtol=0, atol=1e-9)


def test_fresh_batches_are_drawn_by_task_and_worker(data):
    """A worker's batch is a function of (task, worker), of distinct rows, whoever else answers."""
    X, y = data
    policy = cs.FreshBatches(batch=5, straggler_probability=P, deadline=1.0)
    streams = Streams(SEED, REPLICATION)
    up = answering()

    def weights(t):
        total = np.zeros(ROWS)
        for worker in np.flatnonzero(up[t]):
            rows = draw_batch(streams, t, worker, ROWS, 5)
            assert len(set(rows)) == 5
            total[rows] += 1.0 / ((1 - P) * N * 5)
        return total

    np.testing.assert_allclose(engine(X, y, policy).w, descend(X, y, weights), rtol=0, atol=1e-9)


def test_batches_come_from_the_rows_that_a_worker_holds(data):
    """On an even partition worker i draws 2 of its own 5 rows."""
    X, y = data
    streams = Streams(0, 0)

    def weights(t):
        total = np.zeros(ROWS)
        for worker in range(N):
            total[5 * worker + np.array(draw_batch(streams, t, worker, 5, 2))] = 1.0 / (2 * N)
        return total

    policy = cs.Synchronous(cs.waits.All(), batch=2)
    run = cs.simulate(
        cs.LeastSquares(X, y), cs.Cluster(N, cs.Constant(1.0)), policy,
        optimizer=cs.SGD(ETA), until=cs.Until(updates=UPDATES),
    )  # fmt: skip
    np.testing.assert_allclose(run.w, descend(X, y, weights), rtol=0, atol=1e-9)
    assert run.totals["time"] == pytest.approx(UPDATES * 2 / 5), "a batch of 2 of 5 rows takes 2/5 of the time"


@dataclass(frozen=True)
class Late(Policy):
    """Updates with worker 0's first answer, and then with its second and the late first one of worker 1."""

    weights: tuple

    @property
    def work(self):
        return Work(cs.placements.Uncombined(cs.placements.EvenPartition()))

    def begin(self, setting):
        return LateState(self.weights)


class LateState:
    k = 1

    def __init__(self, weights):
        self.weights, self.held = weights, []

    def react(self, event):
        if isinstance(event, Updated):
            return Decision(
                (Dispatch(None if event.version == 0 else np.array([0])),) if event.version < 2 else (), Wants()
            )
        self.held += event.messages.tolist()
        if len(self.held) == 1:
            return Decision((Update(event.messages, 0.5, keep=None),), Wants())
        commands = (Update(np.array(self.held[1:]), np.array(self.weights)),) if len(self.held) == 3 else ()
        return Decision(commands, Wants())


def test_uncombined_answers_of_two_versions_are_weighted_vector_by_vector():
    """Worker 0 answers at 1 (version 0) and 2 (version 1), worker 1 at 3 (version 0); three rows each."""
    random = np.random.default_rng(8)
    X, y = random.normal(size=(6, 2)), random.normal(size=6)
    weights = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    run = cs.simulate(
        cs.LeastSquares(X, y), cs.Cluster(2, cs.Replay([[1.0, 3.0], [1.0, 9.0]]), scaling="none"), Late(weights),
        optimizer=cs.SGD(1.0), until=cs.Until(updates=2),
    )  # fmt: skip
    w1 = -0.5 * X[:3].T @ (X[:3] @ np.zeros(2) - y[:3])
    late = [weight * (X[r] @ w - y[r]) * X[r] for r, (weight, w) in
            enumerate(zip(weights, [w1] * 3 + [np.zeros(2)] * 3, strict=True))]  # fmt: skip
    np.testing.assert_allclose(run.w, w1 - sum(late), rtol=0, atol=1e-12)
    assert (run.totals["used"], run.totals["used_late"], run.totals["time"]) == (2, 1, 3.0)


def test_every_row_is_as_likely_in_every_place_of_a_batch():
    """Chi-square of (row, place) over many tasks, against its normal approximation at one in a million."""
    rows, batch, tasks = 12, 3, 6000
    held = cs.placements.Assignment(rows, np.array([0, rows]), np.arange(rows))
    drawn = cs.placements.MiniBatches.of(held, batch, Streams(1).uniforms("batch"))
    counts = np.zeros((rows, batch))
    for task in range(tasks):
        counts[drawn.gather(np.array([0]), 1.0, np.array([task]))[0], np.arange(batch)] += 1
    for place in counts.T:
        statistic = ((place - tasks / rows) ** 2).sum() / (tasks / rows)
        assert abs(statistic - (rows - 1)) < 4.9 * np.sqrt(2 * (rows - 1))


def test_a_sum_of_batches_from_unequal_holdings_is_refused_as_biased():
    """7 rows on 3 workers, 2 of them a task: a row of the worker with 3 is drawn less often than the others."""
    problem = cs.LeastSquares.synthetic(rows=7, features=2, seed=1)
    policy = cs.Synchronous(cs.waits.All(), cs.decoders.Unbiased(0.0), batch=2)
    with pytest.raises(cs.ConfigurationError, match="biased"):
        cs.simulate(problem, cs.Cluster(3, cs.Constant(1.0)), policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=1))
    held = cs.placements.EvenPartition().assign(problem, 3, np.random.default_rng(0))
    drawn = cs.placements.MiniBatches.of(held, 2, Streams(1).uniforms("batch"))
    assert drawn.row_sums == pytest.approx([2 / 3] * 3 + [1.0] * 4)
    with pytest.raises(cs.ConfigurationError, match="batch = 2"):
        cs.decoders.Mean().expected_error(drawn, 0.5)
