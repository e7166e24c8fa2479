"""The alternatives: fastest-k SGD on least squares, written by hand in NumPy.

`bare` is the quickest loop that one would write: it draws, looks for the fastest, and steps. It keeps nothing.

`fastest_k` is what a user writes who knows NumPy well and needs one figure. It does what the simulated run does:
response times, the k fastest, their mean gradient over the same shards, the step, the clock, messages and bytes both
ways, and a history of error and loss. It does not do what one leaves out when one writes it by hand: seconds wasted,
fates of messages, links, draws that are the same under every policy.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["bare", "fastest_k"]

Floats = NDArray[np.float64]


def fastest_k(
    X: Floats, y: Floats, workers: int, k: int, updates: int, *, step_size: float, least: float, every: int = 10
) -> list[tuple[float, ...]]:
    """Train for a number of updates and return the history.

    Parameters
    ----------
    X : ndarray of float, shape (m, d)
    y : ndarray of float, shape (m,)
    workers, k, updates : int
        `workers` divides m.
    step_size : float
    least : float
        The loss at the optimum, from which errors are counted.
    every : int
        Updates between two rows of the history.
    """
    random = np.random.default_rng(0)
    rows, d = X.shape
    shards, targets = X.reshape(workers, rows // workers, d), y.reshape(workers, rows // workers)
    w, clock, uplink, downlink = np.zeros(d), 0.0, 0, 0
    history: list[tuple[float, ...]] = []
    for update in range(updates):
        if update % every == 0:
            residual = X @ w - y
            loss = 0.5 * (residual @ residual) / rows
            history.append((clock, update, loss - least, loss, k, uplink, 8 * d * uplink, downlink, 8 * d * downlink))
        times = random.exponential(size=workers)
        fastest = np.argpartition(times, k - 1)[:k]
        clock += times[fastest].max()
        part = shards[fastest].reshape(-1, d)
        residual = part @ w - targets[fastest].ravel()
        w = w - step_size * (residual @ part) / len(part)
        uplink += k
        downlink += workers
    return history


def bare(X: Floats, y: Floats, workers: int, k: int, updates: int, *, step_size: float) -> tuple[float, Floats]:
    """Train for a number of updates and keep no history; return the time and the last model."""
    random = np.random.default_rng(0)
    rows, d = X.shape
    shards, targets = X.reshape(workers, rows // workers, d), y.reshape(workers, rows // workers)
    w, clock = np.zeros(d), 0.0
    for _ in range(updates):
        times = random.exponential(size=workers)
        fastest = np.argpartition(times, k - 1)[:k]
        clock += times[fastest].max()
        part = shards[fastest].reshape(-1, d)
        w = w - step_size / len(part) * (part.T @ (part @ w - targets[fastest].ravel()))
    return clock, w
