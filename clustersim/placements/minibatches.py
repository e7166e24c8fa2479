"""Mini-batches: for every task, a worker draws new rows at random from those that it holds.

`MiniBatches.of` takes an `Assignment` and a stream of draws, and returns an assignment whose rows depend on the task.
The batch of a task depends only on (task, worker), so all policies use the same batches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer, store
from clustersim.draw_cache import DrawCache
from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import GATHERED, Assignment
from clustersim.placements.shuffles import first_places
from clustersim.streams import Uniforms

__all__ = ["MiniBatches"]


@dataclass(frozen=True, eq=False)
class MiniBatches(Assignment):
    """An assignment in which each task uses `batch` rows, drawn without replacement from those of its worker.

    Parameters
    ----------
    total_rows, starts, rows, coefficients, combined, recovery, blocks, shared
        See `Holdings`; the blocks of a task are parts of its batch.
    batch : int
        Number of rows of a task.
    draws : Uniforms
        The stream of uniform draws that selects the rows.

    Raises
    ------
    ConfigurationError
        If a worker holds fewer than `batch` rows, or if rows have coefficients or are not combined. The coefficients of
        a code require all rows of a worker.

    Examples
    --------
    >>> from clustersim.streams import Streams
    >>> even = Assignment(total_rows=6, starts=np.array([0, 3, 6]), rows=np.arange(6))
    >>> drawn = MiniBatches.of(even, 2, Streams(seed=1).uniforms("batch"))
    >>> rows, weight = drawn.gather(np.array([1]), 0.5, tasks=np.array([4]))
    >>> len(rows), set(rows.tolist()) < {3, 4, 5}, drawn.loads.round(3).tolist()
    (2, True, [0.667, 0.667])
    """

    batch: int = 1
    draws: Uniforms | None = None

    @classmethod
    def of(cls, assignment: Assignment, batch: int, draws: Uniforms) -> "MiniBatches":
        """Return the mini-batches of an assignment.

        Parameters
        ----------
        assignment : Assignment
            The rows of each worker.
        batch : int
            Number of rows of a task.
        draws : Uniforms
            The stream of uniform draws that selects the rows.

        Returns
        -------
        MiniBatches
        """
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
        store(self, batch=integer("batch", self.batch, low=1))
        if self.coefficients is not None or not self.combined:
            raise ConfigurationError(
                f"batch = {self.batch}: mini-batches of coded or uncombined rows are not defined; "
                "use a placement without coefficients, such as EvenPartition or Everything"
            )
        if (fewest := int(self.held.min())) < self.batch:
            raise ConfigurationError(
                f"batch = {self.batch}: worker {int(self.held.argmin())} holds only {fewest} row{'s' * (fewest > 1)}; "
                "use a smaller batch, fewer workers or a placement with more rows for each worker"
            )

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Number of rows that each worker computes in a task, shape (n,)."""
        return np.full(self.workers, self.batch)

    @cached_property
    def row_sums(self) -> NDArray[np.float64]:
        """Expected number of occurrences of each row in one batch of every worker, shape (m,)."""
        return self._row_sums((self.batch / self._lengths)[self._entry_ranges])

    @property
    def groups(self) -> None:
        """None: the batches of two workers are drawn independently."""
        return

    def gather_rounds(
        self, workers: NDArray[np.int64], weight: float, first_task: int
    ) -> Iterator[tuple[NDArray[np.int64], float]]:
        """Yield what `gather` returns for each of several rounds, see `Assignment.gather_rounds`."""
        rounds, messages = workers.shape
        chunk = max(1, GATHERED // (messages * self.batch))  # rounds gathered at once
        for start in range(0, rounds, chunk):
            chosen = workers[start : start + chunk]
            tasks = np.repeat(np.arange(start, start + len(chosen)) + first_task, messages)
            rows, _ = self.gather(chosen.reshape(-1), weight, tasks)
            yield from zip(rows.reshape(len(chosen), -1), repeat(weight), strict=False)

    @cached_property
    def _batches(self) -> DrawCache:
        """The batch of each task, as positions in the worker's range of rows."""
        assert self.draws is not None  # noqa: S101 - for the type checker: fields after `shared` need a default
        uniforms, held, batch = self.draws, self.held, self.batch

        def rows(first: int, tasks: int) -> NDArray[np.int64]:
            draws = uniforms.stretches(first, tasks, len(held), batch)
            return first_places(draws.reshape(-1, batch), np.tile(held, tasks)).reshape(draws.shape)

        def single(tasks: NDArray[np.int64], workers: NDArray[np.int64]) -> NDArray[np.int64]:
            return first_places(uniforms.stretches_at(tasks, workers, batch), held[workers])

        return DrawCache(rows, len(held), single=single, item=(batch,), kind=np.int64)

    def decodes(self, workers: NDArray[np.int64]) -> bool:  # noqa: ARG002
        """Return False: batches do not determine the full gradient."""
        return False

    def decode(self, workers: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:  # noqa: ARG002
        """Raise `ConfigurationError`: decoding is not defined for mini-batches."""
        raise ConfigurationError(
            f"batch = {self.batch}: a decoder cannot fit mini-batches to the full gradient; use Mean() or Unbiased(p)"
        )

    def gather(
        self,
        workers: NDArray[np.int64],
        weights: float | NDArray[np.float64],
        tasks: NDArray[np.int64] | None = None,
        blocks: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64], float | NDArray[np.float64]]:
        """Return rows and row weights of a weighted sum of messages, see `Assignment.gather`."""
        assert tasks is not None  # noqa: S101 - for the type checker: the engine knows the task of every message
        entries = self._batches.at(tasks, workers) + self.starts[self._ranges_of(workers)][:, None]
        done: int | NDArray[np.int64] = self.batch
        if blocks is not None:
            done = self.rows_after(workers, blocks)
            entries = entries[np.arange(self.batch) < done[:, None]]
        return self.rows[entries.reshape(-1)], weights if isinstance(weights, float) else np.repeat(weights, done)
