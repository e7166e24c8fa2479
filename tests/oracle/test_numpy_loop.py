"""The engine against a plain NumPy loop that is fed the same draws: same times, same models, to 1e-9."""

import itertools

import numpy as np
import pytest

import clustersim as cs

N, S, D, UPDATES = 6, 5, 4, 60


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(5)
    X = random.normal(size=(N * S, D))
    return (
        X,
        X @ random.normal(size=D) + random.normal(size=N * S),
        random.exponential(size=(UPDATES + 1, N)).round(9),
    )  # whole ticks


def loop(X, y, times, choose_k, step):
    """Fastest-k SGD on least squares: returns the time of every update and the last model."""
    w, now, clock, gradients = np.zeros(D), 0.0, [0.0], []
    for j in range(UPDATES):
        k = choose_k(gradients, now)
        order = np.argsort(times[j], kind="stable")[:k]
        now += times[j][order[-1]]
        partial = [X[i * S : (i + 1) * S].T @ (X[i * S : (i + 1) * S] @ w - y[i * S : (i + 1) * S]) / S for i in order]
        gradients.append(sum(partial) / k)
        w = w - step * gradients[-1]
        clock.append(now)
    return np.array(clock), w


def algorithm_1(start, threshold, burn_in, step, cap):
    """The paper's Algorithm 1, written from the page: k for the next update, given all gradients so far."""

    def choose_k(gradients, now):
        k, count, since = start, 0, 1
        for previous, latest in itertools.pairwise(gradients):
            since += 1
            count += 1 if latest @ previous < 0 else -1
            if count > threshold and since > burn_in and k <= cap - step:
                k, count, since = k + step, 0, 0
        return k

    return choose_k


def engine(X, y, cluster, policy, step):
    run = cs.simulate(
        cs.LeastSquares(X, y), cluster, policy,
        optimizer=cs.SGD(step), until=cs.Until(updates=UPDATES), evaluate_every=1,
    )  # fmt: skip
    return run.history["time"].to_numpy(), run.w, run


CASES = {
    "fastest": (cs.FastestK(2), lambda gradients, now: 2),
    "all": (cs.FullSync(), lambda gradients, now: N),
    "adaptive": (cs.AdaptiveK(1, threshold=1, burn_in=4, step=2, max_k=5), algorithm_1(1, 1, 4, 2, 5)),
    "switching": (cs.SwitchingTimes([4.0, 9.0], start=2), lambda gradients, now: 2 + (now >= 4.0) + (now >= 9.0)),
}


@pytest.mark.parametrize("case", CASES)
def test_same_times_and_models(data, case):
    X, y, times = data
    policy, choose_k = CASES[case]
    clock, w = loop(X, y, times, choose_k, step=0.4)
    cluster = cs.Cluster(workers=N, compute=cs.Replay(times))
    engine_clock, engine_w, run = engine(X, y, cluster, policy, step=0.4)
    np.testing.assert_allclose(engine_clock, clock, rtol=0, atol=1e-9)
    np.testing.assert_allclose(engine_w, w, rtol=0, atol=1e-9)
    if case == "adaptive":
        assert run.history["k"].iloc[-1] == 5, "the case must switch to mean anything"


def test_link_delays_add_up(data):
    X, y, times = data
    random = np.random.default_rng(6)
    down, up = (random.exponential(mean, size=times.shape).round(9) for mean in (0.4, 0.2))
    clock, w = loop(X, y, down + times + up, lambda gradients, now: 3, step=0.4)
    cluster = cs.Cluster(
        workers=N,
        compute=cs.Replay(times),
        downlink=cs.Link(latency=cs.Replay(down)),
        uplink=cs.Link(latency=cs.Replay(up)),
    )
    engine_clock, engine_w, _ = engine(X, y, cluster, cs.FastestK(3), step=0.4)
    np.testing.assert_allclose(engine_clock, clock, rtol=0, atol=1e-9)
    np.testing.assert_allclose(engine_w, w, rtol=0, atol=1e-9)


def test_ridge_is_added_once_at_the_master(data):
    X, y, times = data
    labels = (y > 0).astype(int)
    problem = cs.LogisticRegression(X, labels, ridge=0.3)
    run = cs.simulate(
        problem, cs.Cluster(workers=N, compute=cs.Replay(times)), cs.FastestK(2),
        optimizer=cs.SGD(0.4), until=cs.Until(updates=UPDATES),
    )  # fmt: skip
    design = np.column_stack((X, np.ones(len(X))))
    w = np.zeros(D + 1)
    for j in range(UPDATES):
        rows = np.concatenate([np.arange(i * S, (i + 1) * S) for i in np.argsort(times[j])[:2]])
        residual = 1 / (1 + np.exp(-design[rows] @ w)) - labels[rows]
        penalty = np.append(w[:-1], 0.0)
        w = w - 0.4 * (design[rows].T @ residual / len(rows) + 0.3 * penalty)
    np.testing.assert_allclose(run.w, w, rtol=0, atol=1e-9)


def test_shares_that_differ_by_a_row(data):
    """Seven rows on three workers: shares of 3, 2 and 2 rows, loads in proportion, the mean over the rows that came."""
    X, y, times = data
    X, y, times = X[:7], y[:7], times[:, :3]
    cluster = cs.Cluster(workers=3, compute=cs.Replay(times), scaling="proportional")
    engine_clock, engine_w, _ = engine(X, y, cluster, cs.FastestK(2), step=0.2)
    shares, w, now = [[0, 1, 2], [3, 4], [5, 6]], np.zeros(D), 0.0
    for j in range(UPDATES):
        durations = (times[j] * np.array([3, 2, 2]) * 3 / 7).round(9)
        order = np.argsort(durations)[:2]
        rows = np.concatenate([shares[i] for i in order])
        w = w - 0.2 * X[rows].T @ (X[rows] @ w - y[rows]) / len(rows)
        now += durations[order[-1]]
        assert engine_clock[j + 1] == pytest.approx(now, abs=1e-9)
    np.testing.assert_allclose(engine_w, w, rtol=0, atol=1e-9)
