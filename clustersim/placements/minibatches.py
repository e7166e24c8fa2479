"""Mini-batches: a worker computes a few of the rows that it holds, drawn afresh for every task.

A placement's `Assignment` and a stream of draws flow in; what flows out is an assignment whose rows depend on the task.
The draw of a task is a function of (task, worker) alone, so every policy meets the same batches: the first distinct
rows of those drawn one by one with replacement, or, where batches are not much smaller than what workers hold, the
first of all rows in a random order. Either way all ordered batches are equally likely.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer
from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.streams import Generators

__all__ = ["MiniBatches"]

_DENSE = 4  # batches of more than one in so many rows are drawn by putting all rows in a random order
_FEW = 128  # up to so many numbers are looked through one by one, rather than with a dozen calls into NumPy


@dataclass(frozen=True, eq=False)
class MiniBatches(Assignment):
    """An assignment of which each task uses `batch` rows, drawn without replacement from those of its worker.

    Parameters
    ----------
    total_rows, starts, rows, coefficients, combined, recovery, blocks
        See `Assignment`; a task's blocks are parts of its batch.
    batch : int
        Rows a task.
    draws : Generators
        Where they are drawn from.

    Raises
    ------
    ConfigurationError
        If a worker holds fewer rows, or rows are coded: a code's coefficients belong to all the rows of a worker.

    Examples
    --------
    >>> from clustersim.streams import Streams
    >>> even = Assignment(total_rows=6, starts=np.array([0, 3, 6]), rows=np.arange(6))
    >>> drawn = MiniBatches.of(even, 2, Streams(seed=1).generators("batch"))
    >>> rows, weight = drawn.gather(np.array([1]), 0.5, tasks=np.array([4]))
    >>> len(rows), set(rows.tolist()) < {3, 4, 5}, drawn.loads.round(3).tolist()
    (2, True, [0.667, 0.667])
    """

    batch: int = 1
    draws: Generators | None = None

    @classmethod
    def of(cls, assignment: Assignment, batch: int, draws: Generators) -> "MiniBatches":
        """Draw from the rows of an assignment."""
        return cls(
            assignment.total_rows,
            assignment.starts,
            assignment.rows,
            assignment.coefficients,
            assignment.combined,
            blocks=assignment.blocks,
            shared=assignment.shared,
            batch=batch,
            draws=draws,
        )

    def __post_init__(self) -> None:
        integer("batch", self.batch, low=1)
        if self.coefficients is not None or not self.combined:
            raise ConfigurationError(
                f"batch = {self.batch}: mini-batches of coded or uncombined rows are not defined; "
                "use a placement without coefficients, such as EvenPartition or Everything"
            )
        if (fewest := int(self.held.min())) < self.batch:
            raise ConfigurationError(
                f"batch = {self.batch}: worker {int(self.held.argmin())} holds only {fewest} rows; "
                "use a smaller batch, fewer workers or a placement with more rows a worker"
            )

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Rows that each worker computes in a task, shape (n,)."""
        return np.full(self.workers, self.batch)

    @cached_property
    def row_sums(self) -> NDArray[np.float64]:
        """How often each row is expected among the batches of all workers, shape (m,)."""
        return self._row_sums((self.batch / self._lengths)[self._owners])

    @property
    def groups(self) -> None:
        """None: two workers never answer for the same rows."""
        return

    def decodes(self, workers: NDArray[np.int64]) -> bool:  # noqa: ARG002
        """Never: a batch does not determine the full gradient."""
        return False

    def decode(self, workers: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:  # noqa: ARG002
        """Not defined; raises `ConfigurationError`."""
        raise ConfigurationError(
            f"batch = {self.batch}: a decoder cannot fit mini-batches to the full gradient; use Mean() or Unbiased(p)"
        )

    def gather(
        self,
        workers: NDArray[np.int64],
        weights: float | NDArray[np.float64],
        tasks: NDArray[np.int64] | None = None,
        blocks: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64] | None, float | NDArray[np.float64]]:
        """Rows and row weights of a weighted sum of messages, see `Assignment.gather`."""
        assert tasks is not None  # noqa: S101 - for the type checker: the engine knows the task of every message
        entries = self._drawn(workers, tasks) + self.starts[self._runs_of(workers)][:, None]
        done: int | NDArray[np.int64] = self.batch
        if blocks is not None:
            done = self.rows_after(workers, blocks)
            entries = entries[np.arange(self.batch) < done[:, None]]
        return self.rows[entries.reshape(-1)], weights if isinstance(weights, float) else np.repeat(weights, done)

    def _drawn(self, workers: NDArray[np.int64], tasks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of its rows each worker draws for its task, in the order in which it computes them."""
        assert self.draws is not None  # noqa: S101 - for the type checker
        held, (fewest, most) = self.held[workers], self._fewest_and_most
        if most <= _DENSE * self.batch:
            keys = self.draws.random(tasks, workers, most)
            keys[np.arange(most) >= held[:, None]] = 2.0  # behind all others
            return keys.argsort(axis=1)[:, : self.batch]
        count = self.batch + self.batch**2 // fewest + 8  # enough, but for bad luck
        while True:
            places = (self.draws.random(tasks, workers, count) * held[:, None]).astype(np.int64)
            if (distinct := _first_distinct(places, self.batch)) is not None:
                return distinct
            count *= 2

    @cached_property
    def _fewest_and_most(self) -> tuple[int, int]:
        """The fewest and the most rows that a worker holds."""
        return int(self.held.min()), int(self.held.max())


def _first_distinct(numbers: NDArray[np.int64], count: int) -> NDArray[np.int64] | None:
    """The first `count` distinct numbers of each line, or None if a line has not so many.

    Examples
    --------
    >>> _first_distinct(np.array([[3, 1, 3, 3, 2], [0, 4, 1, 4, 4]]), 3).tolist()
    [[3, 1, 2], [0, 4, 1]]
    """
    if numbers.size <= _FEW:
        lines = [list(dict.fromkeys(line))[:count] for line in numbers.tolist()]
        complete = all(len(line) == count for line in lines)
        return np.array(lines, dtype=np.int64).reshape(-1, count) if complete else None
    length = numbers.shape[1]
    bits = length.bit_length()
    ordered = (numbers << bits) | np.arange(length)  # number and place in one, so that one sort finds repetitions
    ordered.sort(axis=1)
    sorted_numbers = ordered >> bits
    repeated = sorted_numbers[:, 1:] == sorted_numbers[:, :-1]
    if not repeated.any():
        return numbers[:, :count]
    places = ordered & ((1 << bits) - 1)
    places[:, 1:][repeated] = length  # behind all others
    places.sort(axis=1)
    places = places[:, :count]
    if int(places[:, -1].max()) == length:
        return None
    places += np.arange(0, numbers.size, length)[:, None]
    found: NDArray[np.int64] = numbers.reshape(-1).take(places)
    return found
