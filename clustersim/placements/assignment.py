"""What a placement comes to for one problem and one cluster: who holds which rows, with which coefficients.

An `Assignment` is the encoding matrix B of the gradient-coding papers, stored by rows: what worker i sends is
``sum_r B[i, r] grad f_r(w)``. Placements make it. The engine takes loads from it (how long a task lasts), the size of
messages, and the rows and weights that one weighted gradient needs; wait rules ask it whether enough have answered,
decoders which weights the answers get.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustersim.placements.fit import Fit

__all__ = ["EXACT", "Assignment"]

EXACT = 1e-10
"""Root mean square over the rows of (coefficient - 1) up to which answers count as the full gradient."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """The rows of each worker and their coefficients.

    Parameters
    ----------
    total_rows : int
        m, the number of rows of the problem.
    starts : ndarray of int, shape (n + 1,)
        Worker i holds ``rows[starts[i]:starts[i + 1]]``, each row at most once.
    rows : ndarray of int, shape (starts[n],)
        Row numbers, 0 .. m - 1.
    coefficients : ndarray of float, shape (starts[n],), optional
        The non-zero entries of B, aligned with `rows`; all 1 if not given.
    combined : bool, default True
        Whether a worker sends one vector, the weighted sum over its rows, or the gradient of each row by itself.
    recovery : int, optional
        Any so many answers determine the full gradient, where a code promises that.
    blocks : int, default 1
        s, the parts into which a worker cuts the rows of a task; a message may bring the first few of them.

    Examples
    --------
    >>> assignment = Assignment(total_rows=6, starts=np.array([0, 2, 4, 6]), rows=np.arange(6))
    >>> assignment.loads.tolist()
    [1.0, 1.0, 1.0]
    >>> assignment.gather(np.array([1]), 0.25)
    (array([2, 3]), 0.25)
    """

    total_rows: int
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    coefficients: NDArray[np.float64] | None = None
    combined: bool = True
    recovery: int | None = None
    blocks: int = 1

    # ------------------------------------------------------------------ loads and messages

    @property
    def workers(self) -> int:
        """n, the number of workers."""
        return len(self.starts) - 1

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Rows that each worker computes in a task, shape (n,)."""
        return np.diff(self.starts)

    @cached_property
    def loads(self) -> NDArray[np.float64]:
        """Work of each worker in even shares, shape (n,): 1 is m / n rows."""
        return np.multiply(self.sizes, self.workers / self.total_rows, dtype=np.float64)

    def rows_after(self, workers: NDArray[np.int64], blocks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows that some workers have computed when so many blocks of a task are finished; the first blocks are longer.

        Examples
        --------
        >>> assignment = Assignment(10, np.array([0, 10]), np.arange(10), blocks=4)
        >>> [int(assignment.rows_after(np.array([0]), np.array([r]))[0]) for r in range(5)]
        [0, 3, 6, 8, 10]
        """
        short, longer = np.divmod(self.sizes[workers], self.blocks)
        return blocks * short + np.minimum(blocks, longer)

    @cached_property
    def block_ends(self) -> list[tuple[float, ...]]:
        """For each worker the shares of its task after which blocks end; the last one is 1."""
        ends = {
            size: tuple(r * (size // self.blocks) + min(r, size % self.blocks) for r in range(1, self.blocks + 1))
            for size in set(self.sizes.tolist())
        }
        shares = {size: tuple(end / size for end in rows) for size, rows in ends.items()}
        return [shares[size] for size in self.sizes.tolist()]

    @cached_property
    def block_shares(self) -> NDArray[np.float64]:
        """The shares of a task's time after which blocks end, shape (n, s), or (1, s) if they are the same for all."""
        sizes = self.sizes[:1] if bool((self.sizes == self.sizes[0]).all()) else self.sizes
        short, longer = np.divmod(sizes[:, None], self.blocks)
        done = np.arange(1, self.blocks + 1)
        shares: NDArray[np.float64] = (done * short + np.minimum(done, longer)) / sizes[:, None]
        return shares

    def updates_per_epoch(self, tasks: int) -> float:
        """Updates that take as many rows as there are, at so many tasks of any workers an update; at least 1."""
        return max(1.0, self.total_rows / (tasks * float(self.sizes.mean())))

    @cached_property
    def vectors(self) -> NDArray[np.int64]:
        """Vectors of R^d in a message of each worker, shape (n,)."""
        return np.ones(self.workers, dtype=np.int64) if self.combined else self.sizes

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """Sum of the coefficients of each worker, shape (n,)."""
        if self.coefficients is None:
            return self.sizes.astype(np.float64)
        return _sums(self._owners, self.coefficients, self.workers)

    @cached_property
    def row_sums(self) -> NDArray[np.float64]:
        """Sum of the coefficients of each row over the workers, shape (m,)."""
        return _sums(self.rows, self.coefficients, self.total_rows)

    @cached_property
    def evenly_coded(self) -> bool:
        """Whether each row's coefficients add up to the same."""
        return bool(np.allclose(self.row_sums, self.row_sums[0], rtol=1e-9, atol=0.0))

    @cached_property
    def redundancy(self) -> NDArray[np.int64]:
        """On how many workers each row is, shape (m,)."""
        return np.bincount(self.rows, minlength=self.total_rows)

    # ------------------------------------------------------------------ gradients

    def gather(
        self,
        workers: NDArray[np.int64],
        weights: float | NDArray[np.float64],
        tasks: NDArray[np.int64] | None = None,
        blocks: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64] | None, float | NDArray[np.float64]]:
        """Rows and row weights of the sum ``sum_j weights[j] * message_j``.

        A row that several messages hold is named once, with the sum of its weights: redundancy costs no arithmetic.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            Who sent the messages.
        weights : float or ndarray of float, shape (a,)
            One weight for all messages, or one for each; if messages are not combined, one for each vector in them.
        tasks : ndarray of int, shape (a,), optional
            Which of its tasks each worker answers; it matters where every task has rows of its own.
        blocks : ndarray of int, shape (a,), optional
            How many blocks each message brings; all of them if not given.

        Returns
        -------
        rows : ndarray of int, shape (r,), or None
            None stands for all rows in order, so that nothing need be copied.
        weights : float or ndarray of float, shape (r,)
        """
        del tasks
        if blocks is not None and bool((blocks < self.blocks).any()):
            return self._gather_parts(workers, weights, self.rows_after(workers, blocks))
        if self._is_partition and isinstance(weights, float):
            if len(workers) == self.workers == len(np.unique(workers)):
                return None, weights
            if 2 * len(workers) <= self.workers:
                return self.rows_of(workers), weights
        summed = self._summed(workers, weights)
        present = np.flatnonzero(summed)  # weights of zero are cheaper than copies of most rows
        return (None, summed) if 2 * len(present) > self.total_rows else (present, summed[present])

    def _gather_parts(
        self, workers: NDArray[np.int64], weights: float | NDArray[np.float64], done: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Rows and row weights where each worker has computed the first `done` of its rows."""
        entries = _runs(self.starts[workers], done)
        each = np.repeat(np.full(len(workers), weights) if isinstance(weights, float) else weights, done)
        return self.rows[entries], each if self.coefficients is None else each * self.coefficients[entries]

    def rows_of(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of some workers, one worker after the other."""
        if self._table is not None:
            return self._table[workers].ravel()
        return self.rows[self._entries_of(workers)]

    def _summed(self, workers: NDArray[np.int64], weights: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """The weight of each row, shape (m,)."""
        count = len(workers) if self.combined else int(self.sizes[workers].sum())
        each = np.full(count, weights) if isinstance(weights, float) else weights
        if not self.combined:
            return _sums(self.rows_of(workers), each, self.total_rows)
        summed: NDArray[np.float64] = self._transposed @ _sums(workers, each, self.workers)
        return summed

    def _entries_of(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions in `rows` of the entries of some workers, one worker after the other."""
        return _runs(self.starts[workers], np.diff(self.starts)[workers])

    # ------------------------------------------------------------------ decoding

    @cached_property
    def groups(self) -> NDArray[np.int64] | None:
        """Which group each worker is in, shape (n,), where the workers of a group hold the same rows and no others do.

        None where the placement has no such groups, or where rows have coefficients.
        """
        if self.coefficients is not None or not self.combined or not self.sizes.all():
            return None
        held = [np.sort(self.rows[a:b]).tobytes() for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]
        numbers: dict[bytes, int] = {}
        groups = np.array([numbers.setdefault(rows, len(numbers)) for rows in held])
        distinct = self.rows_of(np.unique(groups, return_index=True)[1])
        covered = len(distinct) == self.total_rows == len(np.unique(distinct))
        return groups if covered else None

    def missing(self, workers: NDArray[np.int64]) -> int:
        """How many more answers it takes at least until the full gradient can be decoded.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            Who has answered, in order of arrival.

        Returns
        -------
        int
            Positive: it cannot be decoded yet. Otherwise it can, even without so many of the last answers.
        """
        if self.groups is not None:
            heard, first = np.unique(self.groups[workers], return_index=True)
            return self._groups_total - len(heard) or int(first.max()) + 1 - len(workers)
        if self.recovery is not None and len(workers) < self.recovery:
            return self.recovery - len(workers)
        if not self.decodes(workers):
            return 1
        low, high = (self.recovery or 1) - 1, len(workers)
        if low + 1 == high or not self.decodes(workers[:-1]):
            return 0  # the usual case: whoever asks after each answer knew that the last but one was not enough
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.decodes(workers[:middle]) else (middle, high)
        return high - len(workers)

    def decodes(self, workers: NDArray[np.int64]) -> bool:
        """Whether the answers of some workers determine the full gradient, to ten digits."""
        if self.groups is not None:
            return len(np.unique(self.groups[workers])) == self._groups_total
        if self.combined:
            return self.decode(workers)[1] <= EXACT
        return len(np.unique(self.rows_of(workers))) == self.total_rows

    def decode(self, workers: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
        """Combine answers so that every row's coefficient comes as near to 1 as it can, by least squares.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            Who has answered.

        Returns
        -------
        weights : ndarray of float, shape (a,)
            The weights a that minimise ``sum_r (sum_j a_j B[j, r] - 1)^2``, the shortest such vector.
        residual : float
            Root mean square over the m rows of ``sum_j a_j B[j, r] - 1``.
        """
        return self._fit.solve(workers)

    @cached_property
    def matrix(self) -> "sparse.csr_array":
        """B itself, shape (n, m)."""
        coefficients = np.ones(len(self.rows)) if self.coefficients is None else self.coefficients
        return sparse.csr_array((coefficients, self.rows, self.starts), shape=(self.workers, self.total_rows))

    # ------------------------------------------------------------------ helpers

    @cached_property
    def _fit(self) -> Fit:
        return Fit(self.matrix)

    @cached_property
    def _transposed(self) -> "sparse.csr_array":
        """B transposed: a line a row of the problem."""
        return self.matrix.T.tocsr()

    @cached_property
    def _groups_total(self) -> int:
        return 0 if self.groups is None else int(self.groups.max()) + 1

    @cached_property
    def _owners(self) -> NDArray[np.int64]:
        """The worker of each entry."""
        return np.repeat(np.arange(self.workers), np.diff(self.starts))

    @cached_property
    def _table(self) -> NDArray[np.int64] | None:
        """The rows as one matrix, a line a worker, where all hold equally many."""
        held = np.diff(self.starts)
        return self.rows.reshape(self.workers, held[0]) if bool((held == held[0]).all()) else None

    @cached_property
    def _is_partition(self) -> bool:
        """Whether every row is on exactly one worker, with coefficient 1."""
        return self.coefficients is None and self.combined and bool((self.redundancy == 1).all())


def _runs(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Runs of consecutive numbers, one after the other."""
    ends = np.cumsum(lengths)
    numbers: NDArray[np.int64] = np.repeat(starts - ends + lengths, lengths)
    numbers += np.arange(len(numbers))
    return numbers


def _sums(names: NDArray[np.int64], values: NDArray[np.float64] | None, count: int) -> NDArray[np.float64]:
    """Sum of the values (None: 1 each) of each name 0 .. count - 1."""
    return np.bincount(names, values, minlength=count).astype(np.float64, copy=False)
