"""`Holdings`: which worker holds which rows, and the loads, blocks, message sizes and sums that follow from it.

Placements create it as part of an `Assignment`, its subclass. The engine, wait rules and decoders read its properties.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.placements.row_ranges import sums_by_name

__all__ = ["Holdings"]


@dataclass(frozen=True, eq=False)
class Holdings:
    """The rows that each worker holds, and their coefficients.

    The rows of all workers are concatenated in one array, one range of it for each worker.

    Parameters
    ----------
    total_rows : int
        m, the number of rows of the problem.
    starts : ndarray of int, shape (n + 1,)
        Worker i holds range i, ``rows[starts[i]:starts[i + 1]]``, each row at most once.
    rows : ndarray of int, shape (starts[-1],)
        Row numbers, 0 .. m - 1.
    coefficients : ndarray of float, shape (starts[-1],), optional
        The non-zero entries of B, aligned with `rows`; all 1 if not given.
    combined : bool, default True
        Whether a worker sends one vector, the weighted sum over its rows. If false, it sends the gradient of each row.
    recovery : int, optional
        The recovery threshold, if a code guarantees it: any `recovery` messages determine the full gradient.
    blocks : int, default 1
        s, the number of blocks into which a worker cuts a task. A message may contain only the first blocks.
    shared : ndarray of int, shape (n,), optional
        Stores rows that several workers hold only once: worker i holds range ``shared[i]`` instead of range i. Every
        range must occur.

    Examples
    --------
    >>> Holdings(total_rows=6, starts=np.array([0, 2, 4, 6]), rows=np.arange(6)).loads.tolist()
    [1.0, 1.0, 1.0]
    >>> everything = Holdings(total_rows=6, starts=np.array([0, 6]), rows=np.arange(6), shared=np.array([0, 0, 0]))
    >>> everything.workers, everything.loads.tolist(), everything.redundancy.tolist()
    (3, [3.0, 3.0, 3.0], [3, 3, 3, 3, 3, 3])
    """

    total_rows: int
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    coefficients: NDArray[np.float64] | None = None
    combined: bool = True
    recovery: int | None = None
    blocks: int = 1
    shared: NDArray[np.int64] | None = None

    @cached_property
    def workers(self) -> int:
        """n, the number of workers."""
        return len(self.starts) - 1 if self.shared is None else len(self.shared)

    @cached_property
    def held(self) -> NDArray[np.int64]:
        """Number of rows that each worker holds, shape (n,)."""
        return self._by_worker(self._lengths)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Number of rows that each worker computes in a task, shape (n,)."""
        return self.held

    @cached_property
    def loads(self) -> NDArray[np.float64]:
        """Load of each worker in even shares, shape (n,); a share is m / n rows."""
        return np.multiply(self.sizes, self.workers / self.total_rows, dtype=np.float64)

    def rows_after(self, workers: NDArray[np.int64], blocks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of rows in the first blocks of a task; the first blocks are the longer ones.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            The worker of each task.
        blocks : ndarray of int, shape (a,)
            Number of finished blocks of each task.

        Returns
        -------
        ndarray of int, shape (a,)

        Examples
        --------
        >>> holdings = Holdings(10, np.array([0, 10]), np.arange(10), blocks=4)
        >>> [int(holdings.rows_after(np.array([0]), np.array([r]))[0]) for r in range(5)]
        [0, 3, 6, 8, 10]
        """
        return self._first_rows(self.sizes[workers], blocks)

    @cached_property
    def block_shares(self) -> NDArray[np.float64]:
        """The fraction of a worker's task at the end of each block; the last one is 1.

        Shape (n, s), or (1, s) if all workers compute the same number of rows.

        Examples
        --------
        >>> Holdings(10, np.array([0, 4, 8]), np.arange(8), blocks=2).block_shares.tolist()
        [[0.5, 1.0]]
        """
        sizes = (self.sizes[:1] if _equal(self.sizes) else self.sizes)[:, None]
        return self._first_rows(sizes, np.arange(1, self.blocks + 1)) / sizes

    @cached_property
    def block_ends(self) -> list[tuple[float, ...]]:
        """The fractions of `block_shares`, a tuple for each worker."""
        ends = [tuple(shares) for shares in self.block_shares.tolist()]
        return ends * (self.workers // len(ends))

    def _first_rows(self, sizes: NDArray[np.int64], blocks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many rows of tasks of the given sizes are in the first blocks."""
        short, longer = np.divmod(sizes, self.blocks)
        return blocks * short + np.minimum(blocks, longer)

    def updates_per_epoch(self, tasks: int) -> float:
        """Return the number of updates in which workers compute m rows, with `tasks` tasks per update; at least 1."""
        return max(1.0, self.total_rows / (tasks * float(self.sizes.mean())))

    @cached_property
    def vectors(self) -> NDArray[np.int64]:
        """Vectors of R^d in a message of each worker, shape (n,)."""
        return np.ones(self.workers, dtype=np.int64) if self.combined else self.sizes

    @cached_property
    def even_total(self) -> float | None:
        """The sum of the coefficients of any worker, if all are 1 and all workers compute the same number of rows.

        None otherwise.
        """
        even = self.coefficients is None and bool((self.totals == self.totals[0]).all())
        return float(self.totals[0]) if even else None

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """Sum of the coefficients of each worker, shape (n,)."""
        if self.coefficients is None:
            return self.sizes.astype(np.float64)
        return self._by_worker(sums_by_name(self._entry_ranges, self.coefficients, len(self._lengths)))

    @cached_property
    def row_sums(self) -> NDArray[np.float64]:
        """Sum of the coefficients of each row over the workers, shape (m,)."""
        return self._row_sums(self.coefficients)

    @cached_property
    def row_squares(self) -> NDArray[np.float64]:
        """Sum of the squared coefficients of each row over the workers, shape (m,)."""
        return self.row_sums if self.coefficients is None else self._row_sums(self.coefficients**2)

    @cached_property
    def evenly_coded(self) -> bool:
        """Whether the sum of the coefficients is the same for every row."""
        return bool(np.allclose(self.row_sums, self.row_sums[0], rtol=1e-9, atol=0.0))

    @cached_property
    def redundancy(self) -> NDArray[np.int64]:
        """Number of workers that hold each row, shape (m,)."""
        return self._row_sums(None).astype(np.int64)

    def _row_sums(self, values: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Return, for each row, the sum over the workers of the values of its entries (None: 1 for each entry)."""
        if self.shared is not None:
            workers = sums_by_name(self.shared, None, len(self._lengths))[self._entry_ranges]
            values = workers if values is None else workers * values
        return sums_by_name(self.rows, values, self.total_rows)

    # ------------------------------------------------------------------ ranges and workers

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        """Number of rows in each range, shape (ranges,)."""
        return np.diff(self.starts)

    @cached_property
    def _entry_ranges(self) -> NDArray[np.int64]:
        """The range of each entry of `rows`."""
        return np.repeat(np.arange(len(self._lengths)), self._lengths)

    def _ranges_of(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the ranges that the given workers hold."""
        return workers if self.shared is None else self.shared[workers]

    def _by_worker(self, by_range: NDArray[Any]) -> NDArray[Any]:
        """Turn an array with an entry for each range into one with an entry for each worker."""
        return by_range if self.shared is None else by_range[self.shared]


def _equal(sizes: NDArray[np.int64]) -> bool:
    """Return whether all sizes are equal."""
    return bool((sizes == sizes[0]).all())
