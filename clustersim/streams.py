"""Named random streams: every draw has an address, so that no draw depends on earlier draws.

One integer seed determines all draws. A *stream* is addressed by its purpose (``"compute"``, ``"uplink"``,
``"placement"``) and the replication. Inside a stream, a draw is addressed by task and worker:

    seed, purpose, replication      -> the 128-bit key of a Philox generator, through `numpy.random.SeedSequence`
    lane, task                      -> the value of the generator's 256-bit counter at which a row of draws begins
    worker                          -> the position in the row; if a task needs many draws, that of a stretch of the row

The q-th task of worker i therefore takes the same draw under every policy (common random numbers). Adding a worker does
not change the draws of the others. One call of NumPy draws a whole row of workers.

The seed and the replication flow in from `clustersim.engine`. Uniform draws flow out to `clustersim.latency`, which
turns them into seconds, and to the mini-batches. Placements take an ordinary `numpy.random.Generator`.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import SEED, integer

__all__ = ["Streams", "Uniforms"]


_STEP = 4  # the number of draws for each step of the counter


class Uniforms:
    """Uniform draws in [0, 1); each depends only on lane, task and worker.

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
        """Return the draws of consecutive tasks for workers 0 .. workers - 1.

        Parameters
        ----------
        first_task : int
            Number of the first task, counted from 0 for each worker.
        tasks, workers : int
            The numbers of tasks and of workers.
        lane : int, default 0
            The number of the draw, where a latency model needs several draws for a task.

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
        """Return single draws, the same as in `block`: one for each pair of a task and a worker.

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
        """Return several draws for each task and worker; those of a worker are a stretch of the row of the task.

        Parameters
        ----------
        first_task, tasks, workers : int
            See `block`.
        length : int
            The number of draws for each task of each worker.

        Returns
        -------
        ndarray of float64, shape (tasks, workers, length)
        """
        room = _room(length)
        return self.block(first_task, tasks, workers * room).reshape(tasks, workers, room)[:, :, :length]

    def stretches_at(self, tasks: NDArray[np.int64], workers: NDArray[np.int64], length: int) -> NDArray[np.float64]:
        """Return single stretches, the same as in `stretches`: one for each pair of a task and a worker.

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
        """Set the counter to the position of a draw."""
        self._counters["counter"] = (word, task, lane, 0)
        self._bits.state = self._state


class Streams:
    """All random streams of one replication of one study.

    Parameters
    ----------
    seed : int
        The seed of the study, a whole number, at least 0.
    replication : int, default 0
        The number of the replication, at least 0.

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
        """Return the addressed uniform draws of the stream `purpose`."""
        return Uniforms(self._sequence(purpose).generate_state(2, np.uint64))

    def generator(self, purpose: str) -> np.random.Generator:
        """Return an ordinary generator for the stream `purpose`, for draws that are made once in a run."""
        return np.random.Generator(np.random.Philox(self._sequence(purpose)))

    def _sequence(self, purpose: str) -> np.random.SeedSequence:
        """Return the seed sequence of a purpose and the replication."""
        name = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
        return np.random.SeedSequence(self.seed, spawn_key=(name, self.replication))


def _plain_state(bits: np.random.Philox) -> tuple[Any, Any]:
    """Return the state of a generator that has drawn nothing, and the part of the state that contains the counter.

    Both consist of tuples of Python integers, which NumPy reads four times as fast as arrays.
    """
    state: Any = bits.state
    words = {name: tuple(array.tolist()) for name, array in state["state"].items()}
    return state | {"state": words, "buffer": tuple(state["buffer"].tolist())}, words


def _room(length: int) -> int:
    """Return the draws reserved for a stretch: whole steps of the counter, so that a stretch begins with a step."""
    return -(-length // _STEP) * _STEP
