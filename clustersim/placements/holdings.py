"""Who holds which rows, with which coefficients, and what follows for loads, blocks, messages and sums over workers.

Placements fill it in, as the first half of an `Assignment`; numbers flow out to the engine, to wait rules and decoders.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.placements.row_ranges import sums

__all__ = ["Holdings"]


@dataclass(frozen=True, eq=False)
class Holdings:
    """The rows of each worker and their coefficients.

    Parameters
    ----------
    total_rows : int
        m, the number of rows of the problem.
    starts : ndarray of int, shape (n + 1,)
        Worker i holds the run ``rows[starts[i]:starts[i + 1]]``, each row at most once.
    rows : ndarray of int, shape (starts[-1],)
        Row numbers, 0 .. m - 1.
    coefficients : ndarray of float, shape (starts[-1],), optional
        The non-zero entries of B, aligned with `rows`; all 1 if not given.
    combined : bool, default True
        Whether a worker sends one vector, the weighted sum over its rows, or the gradient of each row by itself.
    recovery : int, optional
        Any so many answers determine the full gradient, where a code promises that.
    blocks : int, default 1
        s, the parts into which a worker cuts the rows of a task; a message may bring the first few of them.
    shared : ndarray of int, shape (n,), optional
        Where many workers hold the same rows, these are stored once: worker i holds run ``shared[i]`` instead of run i.
        Each run is held by somebody.

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
        """Rows that each worker holds, shape (n,)."""
        return self._of_workers(self._lengths)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Rows that each worker computes in a task, shape (n,)."""
        return self.held

    @cached_property
    def loads(self) -> NDArray[np.float64]:
        """Work of each worker in even shares, shape (n,): 1 is m / n rows."""
        return np.multiply(self.sizes, self.workers / self.total_rows, dtype=np.float64)

    def rows_after(self, workers: NDArray[np.int64], blocks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows that some workers have computed when so many blocks of a task are finished; the first blocks are longer.

        Examples
        --------
        >>> holdings = Holdings(10, np.array([0, 10]), np.arange(10), blocks=4)
        >>> [int(holdings.rows_after(np.array([0]), np.array([r]))[0]) for r in range(5)]
        [0, 3, 6, 8, 10]
        """
        return self._first_rows(self.sizes[workers], blocks)

    @cached_property
    def block_shares(self) -> NDArray[np.float64]:
        """The shares of a worker's task after which blocks end; the last one is 1.

        Shape (n, s), or (1, s) where all workers compute equally many rows.

        Examples
        --------
        >>> Holdings(10, np.array([0, 4, 8]), np.arange(8), blocks=2).block_shares.tolist()
        [[0.5, 1.0]]
        """
        sizes = (self.sizes[:1] if _equal(self.sizes) else self.sizes)[:, None]
        return self._first_rows(sizes, np.arange(1, self.blocks + 1)) / sizes

    @cached_property
    def block_ends(self) -> list[tuple[float, ...]]:
        """The shares of `block_shares` for each worker."""
        ends = [tuple(shares) for shares in self.block_shares.tolist()]
        return ends * (self.workers // len(ends))

    def _first_rows(self, sizes: NDArray[np.int64], blocks: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many of so many rows are in the first blocks."""
        short, longer = np.divmod(sizes, self.blocks)
        return blocks * short + np.minimum(blocks, longer)

    def updates_per_epoch(self, tasks: int) -> float:
        """Updates that take as many rows as there are, at so many tasks of any workers an update; at least 1."""
        return max(1.0, self.total_rows / (tasks * float(self.sizes.mean())))

    @cached_property
    def vectors(self) -> NDArray[np.int64]:
        """Vectors of R^d in a message of each worker, shape (n,)."""
        return np.ones(self.workers, dtype=np.int64) if self.combined else self.sizes

    @cached_property
    def even_total(self) -> float | None:
        """What the coefficients of each worker add up to, where all are 1 and all workers hold equally many rows."""
        even = self.coefficients is None and bool((self.totals == self.totals[0]).all())
        return float(self.totals[0]) if even else None

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """Sum of the coefficients of each worker, shape (n,)."""
        if self.coefficients is None:
            return self.sizes.astype(np.float64)
        return self._of_workers(sums(self._owners, self.coefficients, len(self._lengths)))

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
        """Whether each row's coefficients add up to the same."""
        return bool(np.allclose(self.row_sums, self.row_sums[0], rtol=1e-9, atol=0.0))

    @cached_property
    def redundancy(self) -> NDArray[np.int64]:
        """On how many workers each row is, shape (m,)."""
        return self._row_sums(None).astype(np.int64)

    def _row_sums(self, values: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Sum over the workers of the values of the entries (None: 1 each) of each row."""
        if self.shared is not None:
            workers = sums(self.shared, None, len(self._lengths))[self._owners]
            values = workers if values is None else workers * values
        return sums(self.rows, values, self.total_rows)

    # ------------------------------------------------------------------ runs and workers

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        """Rows of each run."""
        return np.diff(self.starts)

    @cached_property
    def _owners(self) -> NDArray[np.int64]:
        """The run of each entry."""
        return np.repeat(np.arange(len(self._lengths)), self._lengths)

    def _runs_of(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The runs that some workers hold."""
        return workers if self.shared is None else self.shared[workers]

    def _of_workers(self, of_runs: NDArray[Any]) -> NDArray[Any]:
        """What is known of runs, for each worker."""
        return of_runs if self.shared is None else of_runs[self.shared]


def _equal(sizes: NDArray[np.int64]) -> bool:
    """Whether all are the same."""
    return bool((sizes == sizes[0]).all())
