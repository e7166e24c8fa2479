"""Update times and staleness of the synchronous and asynchronous methods, against an event loop in plain Python."""

import heapq
import math

import numpy as np
import pytest
from scipy import stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.theory import (
    async_error_bound,
    k_async_mean_staleness,
    k_async_staleness_probabilities,
    k_async_update_time,
    k_batch_async_mean_staleness,
    k_batch_async_staleness_probabilities,
    k_batch_async_update_time,
    k_batch_sync_update_time,
    k_sync_update_time,
)

MEAN_STALENESS = {False: k_async_mean_staleness, True: k_batch_async_mean_staleness}
PROBABILITIES = {False: k_async_staleness_probabilities, True: k_batch_async_staleness_probabilities}


def asynchronous(n, k, times, updates, batch):
    """Times of the updates, staleness of each gradient used (updates, k), and of the work in progress at the end."""
    draws = iter(times)
    working = [(next(draws), worker, 0) for worker in range(n)]  # finish, worker, version
    heapq.heapify(working)
    answered, moments, stale = [], [], []
    while len(moments) < updates:
        now, worker, version = heapq.heappop(working)
        answered.append((worker, version))
        if len(answered) == k:
            stale.append([len(moments) - old for _, old in answered])
            moments.append(now)
            free = [worker] if batch else [other for other, _ in answered]
            answered = []
        else:
            free = [worker] if batch else []
        for other in free:
            heapq.heappush(working, (now + next(draws), other, len(moments)))
    return np.array(moments), np.array(stale), [updates - version for _, _, version in working]


def batch_sync(n, k, draw, updates, rng):
    """Times of updates for which n workers, started together, answer k times in all."""
    return np.array([np.sort(np.cumsum(draw(rng, (k, n)), axis=0), axis=None)[k - 1] for _ in range(updates)])


def agrees(sample, expected, tests=1):
    half = stats.t.isf(0.5e-6 / tests, len(sample) - 1) * np.std(sample, ddof=1) / math.sqrt(len(sample))
    return abs(np.mean(sample) - expected) <= half


def bimodal(rng, size):
    """Nine tasks in ten of mean 0.2, the others of mean 8.2: a used one takes longer than a new one."""
    return rng.exponential(np.where(rng.random(size) < 0.9, 0.2, 8.2), size)


LAWS = {  # each of mean 1
    "shifted": (cs.ShiftedExponential(0.7, 0.3), lambda rng, size: 0.7 + rng.exponential(0.3, size)),
    "gamma": (cs.Gamma(mean=1.0, shape=4.0), lambda rng, size: rng.gamma(4.0, 0.25, size)),
    "bimodal": (None, bimodal),
}


def replications(law, n, k, batch, runs=60, updates=500, warm_up=100):
    """Of each run, after a warm-up: the mean time of an update, and the mean staleness."""
    rng, means = np.random.default_rng([n, k, batch]), []
    for _ in range(runs):
        draws = LAWS[law][1](rng, n + updates * k).tolist()
        moments, stale, _ = asynchronous(n, k, draws, updates, batch)
        means.append(((moments[-1] - moments[warm_up - 1]) / (updates - warm_up), stale[warm_up:].mean()))
    return np.array(means).T


# --- update times -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "k"), [(1, 1), (6, 1), (6, 2), (6, 4), (6, 6)])
def test_update_times_of_exponential_workers(n, k):
    """The intervals are independent: exponential times do not remember."""
    mean, updates, rng = 3.0, 8000, np.random.default_rng(1)
    model = cs.Exponential(mean)

    def exponential(rng, size):
        return rng.exponential(mean, size)

    sync = np.sort(exponential(rng, (updates, n)), axis=1)[:, k - 1]
    assert agrees(sync, k_sync_update_time(model, n, k), 4)
    assert agrees(batch_sync(n, k, exponential, updates, rng), k_batch_sync_update_time(model, n, k), 4)
    for batch, expected in [(False, k_async_update_time), (True, k_batch_async_update_time)]:
        moments = asynchronous(n, k, exponential(rng, n + updates * k).tolist(), updates, batch)[0]
        assert agrees(np.diff(moments, prepend=0.0), expected(model, n, k), 4)


@pytest.mark.parametrize(("n", "k"), [(1, 4), (3, 10)])
def test_batch_updates_of_more_messages_than_workers(n, k):
    """A worker sends several of the k messages; the long run is the same for any law."""
    mean, updates, rng = 3.0, 6000, np.random.default_rng(5)

    def exponential(rng, size):
        return rng.exponential(mean, size)

    assert k_batch_sync_update_time(cs.Exponential(mean), n, k) == mean * k / n
    assert agrees(batch_sync(n, k, exponential, updates, rng), mean * k / n, 4)
    moments = asynchronous(n, k, exponential(rng, n + updates * k).tolist(), updates, batch=True)[0]
    assert agrees(np.diff(moments, prepend=0.0), k_batch_async_update_time(cs.Exponential(mean), n, k), 4)
    for law in ("shifted", "gamma"):
        assert k_batch_async_update_time(LAWS[law][0], n, k) == pytest.approx(k / n)
        assert agrees(replications(law, n, k, batch=True, updates=300, warm_up=50)[0], k / n, 4)


@pytest.mark.parametrize(("n", "k"), [(7, 3), (50, 50), (1000, 1)])
def test_update_times_by_hand(n, k):
    harmonic = math.fsum(1.0 / i for i in range(n - k + 1, n + 1))
    model = cs.Exponential(0.5)
    assert k_sync_update_time(model, n, k) == pytest.approx(0.5 * harmonic)
    assert k_async_update_time(model, n, k) == pytest.approx(0.5 * harmonic)
    assert k_batch_sync_update_time(model, n, k) == pytest.approx(0.5 * k / n)
    assert k_batch_async_update_time(model, n, k) == pytest.approx(0.5 * k / n)
    shifted = cs.ShiftedExponential(shift=2.0, mean=0.5)
    assert k_sync_update_time(shifted, n, k) == pytest.approx(2.0 + 0.5 * harmonic)
    assert k_batch_async_update_time(shifted, n, k) == pytest.approx(2.5 * k / n)
    assert k_batch_sync_update_time(shifted, n, 1) == pytest.approx(2.0 + 0.5 / n)
    assert k_async_update_time(shifted, n, 1) == pytest.approx(2.5 / n)
    assert k_async_update_time(shifted, n, n) == pytest.approx(k_sync_update_time(shifted, n, n))
    assert k_async_update_time(cs.ShiftedExponential(0.0, 0.5), n, k) == pytest.approx(0.5 * harmonic)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("k", [1, 2, 5])
def test_any_law_in_the_long_run(law, k):
    n, model = 5, LAWS[law][0]
    for batch in (False, True):
        intervals, stale = replications(law, n, k, batch)
        assert agrees(stale, MEAN_STALENESS[batch](n, k), 12)
        if batch or k == 1:
            assert agrees(intervals, k / n, 12)
        if model is not None:
            if batch:
                assert k_batch_async_update_time(model, n, k) == pytest.approx(k / n)
            elif k in {1, n}:
                assert agrees(intervals, k_async_update_time(model, n, k), 12)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("k", [2, 4])
def test_k_async_lies_between_its_bounds(law, k):
    n, rng = 5, np.random.default_rng(3)
    intervals = replications(law, n, k, batch=False)[0]
    half = stats.t.isf(1e-6, len(intervals) - 1) * intervals.std(ddof=1) / math.sqrt(len(intervals))
    assert intervals.mean() - half > k / n
    if law == "bimodal":  # a used task takes longer than a new one: K-sync, which starts all again, is faster
        sync = np.sort(bimodal(rng, (50_000, n)), axis=1)[:, k - 1]
        assert intervals.mean() - half > sync.mean() + stats.norm.isf(1e-6) * sync.std() / math.sqrt(len(sync))
    else:
        assert intervals.mean() + half < k_sync_update_time(LAWS[law][0], n, k)


# --- staleness --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "k"), [(1, 1), (4, 1), (4, 2), (4, 3), (4, 4), (9, 4)])
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("law", ["constant", *LAWS])
def test_staleness_by_counting(n, k, batch, law):
    """What is used and what is still in progress add up, exactly, in every run of every law."""
    updates, rng = 300, np.random.default_rng(2)
    draws = np.ones(n + updates * k) if law == "constant" else LAWS[law][1](rng, n + updates * k)
    _, stale, in_progress = asynchronous(n, k, draws.tolist(), updates, batch)
    assert stale.sum() + sum(in_progress) == pytest.approx(updates * k * MEAN_STALENESS[batch](n, k), abs=1e-6)
    assert abs(stale.mean() - MEAN_STALENESS[batch](n, k)) <= sum(in_progress) / (updates * k) + 1e-9
    assert sum(in_progress) < 100 * n


@pytest.mark.parametrize(("n", "k"), [(1, 4), (3, 10)])
@pytest.mark.parametrize("law", LAWS)
def test_staleness_of_updates_of_more_messages_than_workers(n, k, law):
    """A worker that sends several of the k messages computes the later ones with the same version."""
    stale = replications(law, n, k, batch=True, runs=30, updates=200, warm_up=50)[1]
    assert agrees(stale, k_batch_async_mean_staleness(n, k), 6) or (n == 1 and not stale.any())
    draws = np.random.default_rng(3).exponential(1.0, (60, n + 400 * k))
    fresh = [(asynchronous(n, k, row.tolist(), 400, batch=True)[1][100:] == 0).mean() for row in draws]
    expected = k_batch_async_staleness_probabilities(n, k, 0)[0]
    assert agrees(fresh, expected, 6) or (n == 1 and expected == 1.0 and min(fresh) == 1.0)


def test_plain_asynchronous_sgd_is_n_minus_1_stale():
    assert [k_async_mean_staleness(n, 1) for n in (1, 2, 30)] == [0.0, 1.0, 29.0]
    assert [k_batch_async_mean_staleness(n, 1) for n in (1, 2, 30)] == [0.0, 1.0, 29.0]


@pytest.mark.parametrize(("n", "k"), [(2, 1), (6, 1), (6, 4), (6, 6)])
@pytest.mark.parametrize("batch", [False, True])
def test_probabilities_of_staleness_with_exponential_times(n, k, batch):
    most, runs, updates, warm_up = 6, 60, 400, 100
    rng, shares = np.random.default_rng(7), []
    for _ in range(runs):
        draws = rng.exponential(1.0, n + updates * k).tolist()
        stale = asynchronous(n, k, draws, updates, batch)[1][warm_up:]
        shares.append([(stale == j).mean() for j in range(most + 1)])
    expected = PROBABILITIES[batch](n, k, most)
    assert expected.shape == (most + 1,)
    for j, share in enumerate(np.array(shares).T):
        assert agrees(share, expected[j], most + 1) or (expected[j] < 1e-12 and not share.any())


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (10, 3), (10, 10), (40, 25)])
@pytest.mark.parametrize("batch", [False, True])
def test_probabilities_of_staleness_add_up(n, k, batch):
    probabilities = PROBABILITIES[batch](n, k, 3000)
    assert (probabilities >= -1e-15).all()
    assert probabilities.sum() == pytest.approx(1.0)
    assert probabilities @ np.arange(3001) == pytest.approx(MEAN_STALENESS[batch](n, k), abs=1e-12)
    if k == 1:
        np.testing.assert_allclose(probabilities, PROBABILITIES[not batch](n, k, 3000), atol=1e-15)


# --- error ------------------------------------------------------------------------------------------------------------

CURVES = np.array([1.0, 0.4])  # L and c of F(w) = sum(curve w^2) / 2
W0, SIGMA2, BATCH = np.array([1.5, -2.0]), 0.6, 2


def descent(n, k, eta, updates, runs, seed=4):
    """K-async with exponential times: F(w_j) of every run, and gamma by its definition, largest over all updates."""
    rng = np.random.default_rng(seed)
    w = np.tile(W0, (runs, 1))
    held, errors, gamma = np.tile(W0, (runs, n, 1)), [], 0.0
    for _ in range(updates):
        errors.append((CURVES * w**2).sum(axis=1) / 2.0)
        chosen = np.argsort(rng.random((runs, n)), axis=1)[:, :k, None]  # any k are the next, with equal probability
        gradients = CURVES * np.take_along_axis(held, chosen, axis=1)
        distance = ((CURVES * w)[:, None, :] - gradients) ** 2
        gamma = max(gamma, distance.sum(axis=2).mean() / ((CURVES * w) ** 2).sum(axis=1).mean())
        noise = rng.standard_normal(gradients.shape) * math.sqrt(SIGMA2 / BATCH / 2.0)
        w = w - eta * (gradients + noise).mean(axis=1)
        np.put_along_axis(held, np.broadcast_to(chosen, gradients.shape), w[:, None, :], axis=1)
    return np.array(errors), gamma


@pytest.mark.parametrize(("n", "k", "eta"), [(8, 8, 0.5), (8, 4, 0.1), (8, 2, 0.05), (4, 1, 0.05)])
def test_simulated_errors_stay_below_the_bound(n, k, eta):
    runs, updates = 1000, 250
    errors, gamma = descent(n, k, eta, updates, runs)
    p0 = k_async_staleness_probabilities(n, k, 0)[0]
    bound = async_error_bound(
        np.arange(updates),
        eta,
        k=k,
        L=1.0,
        c=0.4,
        e0=(CURVES * W0**2).sum() / 2.0,
        sigma2=SIGMA2,
        gamma=gamma,
        p0=p0,
        batch=BATCH,
    )
    half = stats.norm.isf(1e-6 / updates) * errors.std(axis=1) / math.sqrt(runs)
    assert (errors.mean(axis=1) + half <= bound * (1.0 + 1e-12)).all()
    assert (bound < 100.0 * errors.mean(axis=1)).all()


def test_without_staleness_the_bound_is_a_synchronous_one():
    """It is above exact descent along the axis of curvature c without noise, and has the floor that it says."""
    L, c, eta = 1.0, 0.3, 0.5
    T = np.arange(60)
    bound = async_error_bound(T, eta, k=3, L=L, c=c, e0=2.0, sigma2=0.0, gamma=0.0, p0=1.0)
    assert (2.0 * (1.0 - eta * c) ** (2 * T) <= bound + 1e-15).all()
    np.testing.assert_allclose(bound, 2.0 * (1.0 - 1.5 * eta * c) ** T)
    floor = async_error_bound(10**6, eta, k=3, L=L, c=c, e0=2.0, sigma2=0.9, gamma=0.5, p0=0.5, batch=2)
    assert floor == pytest.approx(0.5 * 1.0 * 0.9 / (2.0 * 0.3 * 0.75 * 3 * 2))


# --- bad input --------------------------------------------------------------------------------------------------------

SHIFTED = cs.ShiftedExponential(1.0, 1.0)
MIXED = cs.PerWorker([cs.Exponential(1.0), cs.Exponential(2.0)])


BATCH_TIMES = [
    lambda n, k: k_batch_sync_update_time(cs.Exponential(1.0), n, k),
    lambda n, k: k_batch_async_update_time(cs.Exponential(1.0), n, k),
]
ANY_COUNT = [  # the batch methods, whose updates may use more messages than there are workers
    *BATCH_TIMES,
    k_batch_async_mean_staleness,
    lambda n, k: k_batch_async_staleness_probabilities(n, k, 3),
]


@pytest.mark.parametrize(
    "function",
    [
        lambda n, k: k_sync_update_time(cs.Exponential(1.0), n, k),
        *BATCH_TIMES,
        lambda n, k: k_async_update_time(cs.Exponential(1.0), n, k),
        k_async_mean_staleness,
        *ANY_COUNT[2:],
        lambda n, k: k_async_staleness_probabilities(n, k, 3),
    ],
)
def test_sizes_are_checked(function):
    assert np.all(function(4, 4) >= 0.0)
    expected = ", at least 1" if function in ANY_COUNT else " from 1 to 4"
    for k in (0, 2.5) if function in ANY_COUNT else (0, 5, 2.5):
        with pytest.raises(ConfigurationError, match=f"k = {k}: expected a whole number{expected}"):
            function(4, k)
    with pytest.raises(ConfigurationError, match="workers = 0"):
        function(0, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: k_batch_sync_update_time(SHIFTED, 4, 2),
            r"model = Shifted.*: expected Exponential\(mean\), or k = 1;",
        ),
        (
            lambda: k_batch_sync_update_time(SHIFTED, 4, 9),
            r"model = Shifted.*: expected Exponential\(mean\), or k = 1;",
        ),
        (lambda: k_async_update_time(SHIFTED, 4, 2), "model = Shifted.*, or k = 1 or k = workers; simulate other laws"),
        (
            lambda: k_batch_async_update_time(MIXED, 2, 1),
            "model = PerWorker.*: expected workers that all follow the same",
        ),
        (lambda: k_async_update_time(MIXED, 2, 1), "model = PerWorker.*: expected workers that all follow the same"),
        (lambda: k_sync_update_time(MIXED, 2, 1), "PerWorker"),
        (lambda: k_async_staleness_probabilities(4, 2, -1), "most = -1"),
        (lambda: k_batch_async_staleness_probabilities(4, 2, -1), "most = -1"),
    ],
)
def test_other_arguments_are_checked(call, message):
    with pytest.raises(ConfigurationError, match=message):
        call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step_size": 0.51}, r"step_size = 0.51: expected at most 1/\(2 L\) = 0.5"),
        ({"gamma": 1.25}, r"gamma = 1.25: expected less than 1 \+ p0 / 2 = 1.25"),
        ({"gamma": -0.1}, "gamma = -0.1"),
        ({"p0": 1.1}, "p0 = 1.1"),
        ({"c": 2.0}, "L = 1.0: .*at least 2; the smoothness L is at least c"),
        ({"c": 0.0}, "c = 0"),
        ({"e0": -1.0}, "e0 = -1"),
        ({"sigma2": -1.0}, "sigma2 = -1"),
        ({"k": 0}, "k = 0"),
        ({"batch": 0}, "batch = 0"),
        ({"updates": -1}, "updates = -1"),
    ],
)
def test_constants_of_the_error_bound_are_checked(change, message):
    good = {
        "updates": 3,
        "step_size": 0.5,
        "k": 2,
        "L": 1.0,
        "c": 0.5,
        "e0": 1.0,
        "sigma2": 1.0,
        "gamma": 0.5,
        "p0": 0.5,
    }
    assert async_error_bound(**good) > 0.0
    with pytest.raises(ConfigurationError, match=message):
        async_error_bound(**(good | change))
