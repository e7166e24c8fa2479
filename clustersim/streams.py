"""Named random streams: every draw has an address, so no draw depends on who drew before it.

One integer seed governs a run. A *stream* is addressed by what it is for (``"compute"``, ``"uplink"``,
``"placement"``) and by the replication; inside it, a draw is addressed by task and worker:

    seed, purpose, replication      -> the 128-bit key of a Philox generator, through `numpy.random.SeedSequence`
    lane, task                      -> where in that generator's 256-bit counter a row of draws begins
    worker                          -> the position in the row, or of its own stretch of it where a task needs many

Hence the q-th task of worker i takes the same draw under every policy (common random numbers), adding a worker leaves
the other workers' draws alone, and a whole row of workers is drawn by one call into NumPy.

Data flows in from `clustersim.engine` (seed, replication) and out to `clustersim.latency`, which turns uniform draws
into seconds, and to placements, which take an ordinary `numpy.random.Generator` or, for mini-batches, `Uniforms`.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import SEED, integer

__all__ = ["Streams", "Uniforms"]


_STEP = 4  # draws that one step of the counter gives


class Uniforms:
    """Uniform draws in [0, 1), each a function of (lane, task, worker) alone.

    Parameters
    ----------
    key : ndarray of uint64, shape (2,)
        The Philox key of the stream.

    Examples
    --------
    >>> uniforms = Streams(seed=1).uniforms("compute")
    >>> few, many = uniforms.block(0, tasks=3, workers=2), uniforms.block(0, tasks=3, workers=5)
    >>> bool((few == many[:, :2]).all())
    True
    """

    def __init__(self, key: NDArray[np.unsignedinteger]) -> None:
        self._bits = np.random.Philox(key=key)
        self._random = np.random.Generator(self._bits).random
        self._state, self._counters = _plain_state(self._bits)

    def block(self, first_task: int, tasks: int, workers: int, lane: int = 0) -> NDArray[np.float64]:
        """Draws of `tasks` consecutive tasks for workers 0 .. workers - 1.

        Parameters
        ----------
        first_task : int
            Number of the first task, counted from 0 for each worker.
        tasks, workers : int
            Shape of the answer.
        lane : int, default 0
            Tells apart the draws of one task where a model needs several.

        Returns
        -------
        ndarray of float64, shape (tasks, workers)
        """
        draws = np.empty((tasks, workers))
        for task, row in enumerate(draws, first_task):
            self._seek(0, task, lane)
            self._random(out=row)
        return draws

    def at(self, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0) -> NDArray[np.float64]:
        """Single draws, the same as in `block`: one for each pair of a task and a worker.

        Parameters
        ----------
        tasks, workers : ndarray of int, shape (pairs,)
            Their numbers, from 0.
        lane : int, default 0
            See `block`.

        Returns
        -------
        ndarray of float64, shape (pairs,)

        Examples
        --------
        >>> uniforms = Streams(seed=1).uniforms("compute")
        >>> single = uniforms.at(np.array([2, 0]), np.array([6, 1]))
        >>> bool((single == uniforms.block(0, tasks=3, workers=7)[[2, 0], [6, 1]]).all())
        True
        """
        seek, random, draws, four = self._seek, self._random, [], np.empty(_STEP)
        for task, worker in zip(tasks.tolist(), workers.tolist(), strict=True):
            seek(worker // _STEP, task, lane)
            random(out=four)
            draws.append(four.item(worker % _STEP))
        return np.array(draws, dtype=np.float64)

    def stretches(self, first_task: int, tasks: int, workers: int, length: int) -> NDArray[np.float64]:
        """Many draws of each task: those of worker i are a stretch of the task's row.

        Parameters
        ----------
        first_task, tasks, workers : int
            See `block`.
        length : int
            Draws of each task of each worker.

        Returns
        -------
        ndarray of float64, shape (tasks, workers, length)
        """
        room = _room(length)
        return self.block(first_task, tasks, workers * room).reshape(tasks, workers, room)[:, :, :length]

    def stretches_at(self, tasks: NDArray[np.int64], workers: NDArray[np.int64], length: int) -> NDArray[np.float64]:
        """Single stretches, the same as in `stretches`: one for each pair of a task and a worker.

        Parameters
        ----------
        tasks, workers : ndarray of int, shape (pairs,)
            Their numbers, from 0.
        length : int
            See `stretches`.

        Returns
        -------
        ndarray of float64, shape (pairs, length)

        Examples
        --------
        >>> uniforms = Streams(seed=1).uniforms("batch")
        >>> single = uniforms.stretches_at(np.array([2, 0]), np.array([6, 1]), length=5)
        >>> bool((single == uniforms.stretches(0, tasks=3, workers=7, length=5)[[2, 0], [6, 1]]).all())
        True
        """
        steps = _room(length) // _STEP
        draws = np.empty((len(tasks), length))
        for line, task, worker in zip(draws, tasks.tolist(), workers.tolist(), strict=True):
            self._seek(worker * steps, task, 0)
            self._random(out=line)
        return draws

    def _seek(self, word: int, task: int, lane: int) -> None:
        """Put the counter where a draw begins."""
        self._counters["counter"] = (word, task, lane, 0)
        self._bits.state = self._state


class Streams:
    """All random streams of one replication of one study.

    Parameters
    ----------
    seed : int
        The seed of the study, at least 0.
    replication : int, default 0
        Number of the replication.

    Raises
    ------
    ConfigurationError
        If the seed or the replication is not a whole number, at least 0.

    Examples
    --------
    >>> a, b = Streams(seed=1).generator("placement"), Streams(seed=1).generator("placement")
    >>> bool(a.random() == b.random())
    True
    """

    def __init__(self, seed: int, replication: int = 0) -> None:
        self.seed = integer("seed", seed, low=0, high=SEED)
        self.replication = integer("replication", replication, low=0, high=SEED)

    def uniforms(self, purpose: str) -> Uniforms:
        """The addressed uniform draws of the stream `purpose`."""
        return Uniforms(self._sequence(purpose).generate_state(2, np.uint64))

    def generator(self, purpose: str) -> np.random.Generator:
        """An ordinary generator for the stream `purpose`, for draws that are made once a run."""
        return np.random.Generator(np.random.Philox(self._sequence(purpose)))

    def _sequence(self, purpose: str) -> np.random.SeedSequence:
        """The seed sequence named by purpose and replication, whatever else has been drawn."""
        name = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
        return np.random.SeedSequence(self.seed, spawn_key=(name, self.replication))


def _plain_state(bits: np.random.Philox) -> tuple[Any, Any]:
    """The state of a generator that has drawn nothing, and the part of it that holds the counter.

    In tuples of Python's integers, which NumPy reads four times as fast as arrays.
    """
    state: Any = bits.state
    words = {name: tuple(array.tolist()) for name, array in state["state"].items()}
    return state | {"state": words, "buffer": tuple(state["buffer"].tolist())}, words


def _room(length: int) -> int:
    """The draws that a stretch takes up: whole steps of the counter, so that it can be sought."""
    return -(-length // _STEP) * _STEP
