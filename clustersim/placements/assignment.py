"""`Assignment`: which worker holds which rows, with which coefficients, for one problem and one cluster.

An `Assignment` is the encoding matrix B of the gradient-coding papers, stored by rows: worker i sends
``sum_r B[i, r] grad f_r(w)``. Placements create it. The engine uses its `Holdings` part (loads, blocks, sizes of
messages) and the rows and weights of one weighted gradient. Wait rules use it to find out whether enough messages have
arrived. Decoders take the weights of the messages from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustersim.placements.fit import Fit
from clustersim.placements.holdings import Holdings
from clustersim.placements.row_ranges import consecutive_ranges, identical_ranges, sums_by_name

__all__ = ["EXACT", "GATHERED", "Assignment"]

GATHERED = 1 << 16
"""Number of row numbers that are gathered at once, over several rounds."""

EXACT = 1e-10
"""Largest root mean square over the rows of (coefficient - 1) at which messages count as the full gradient."""


@dataclass(frozen=True, eq=False)
class Assignment(Holdings):
    """Which worker holds which rows, and how messages combine to gradients.

    Parameters
    ----------
    total_rows : int
        m, the number of rows of the problem.
    starts : ndarray of int, shape (n + 1,)
        Worker i holds ``rows[starts[i]:starts[i + 1]]``, each row at most once.
    rows : ndarray of int, shape (starts[-1],)
        Row numbers, 0 .. m - 1.
    coefficients : ndarray of float, shape (starts[-1],), optional
        The coefficient of each of these rows in the worker's message; all 1 if not given.
    combined : bool, default True
        Whether a worker sends one vector, the weighted sum over its rows, or the gradient of each row by itself.
    recovery : int, optional
        The number of messages that always determine the full gradient, if a code promises one.
    blocks : int, default 1
        The number of blocks into which a worker cuts a task.
    shared : ndarray of int, shape (n,), optional
        If given, worker i holds the rows of range ``shared[i]`` instead of range i, so that equal ranges are stored
        once. Each range is held by some worker.

    Examples
    --------
    >>> assignment = Assignment(total_rows=6, starts=np.array([0, 2, 4, 6]), rows=np.arange(6))
    >>> assignment.loads.tolist()
    [1.0, 1.0, 1.0]
    >>> assignment.gather(np.array([1]), 0.25)
    (array([2, 3]), 0.25)
    """

    # ------------------------------------------------------------------ gradients

    def gather(
        self,
        workers: NDArray[np.int64],
        weights: float | NDArray[np.float64],
        tasks: NDArray[np.int64] | None = None,
        blocks: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.int64] | None, float | NDArray[np.float64]]:
        """Return the rows and row weights of the sum ``sum_j weights[j] * message_j``.

        If several messages contain a row, it usually occurs once, with the sum of its weights. So redundancy costs no
        arithmetic.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            The worker that sent each message.
        weights : float or ndarray of float, shape (a,)
            One weight for all messages, or one for each; if messages are not combined, one for each vector in them.
        tasks : ndarray of int, shape (a,), optional
            The number of the task of each message. Only mini-batches use it, because their rows depend on the task.
        blocks : ndarray of int, shape (a,), optional
            Number of blocks that each message contains; all blocks if not given.

        Returns
        -------
        rows : ndarray of int, shape (r,), or None
            None means all rows in order, so that they need not be copied.
        weights : float or ndarray of float, shape (r,)
            The weight of each row, or one weight for all of them.
        """
        del tasks
        if blocks is not None and bool((blocks < self.blocks).any()):
            return self._gather_parts(workers, weights, self.rows_after(workers, blocks))
        if self._disjoint and isinstance(weights, float):
            if 2 * len(workers) <= self.workers:
                return self.rows_of(workers), weights
            if len(workers) == self.workers == np.count_nonzero(np.bincount(workers)):
                return None, weights
        summed = self._row_weights(workers, weights)
        if 2 * np.count_nonzero(summed) > self.total_rows:
            return None, summed  # zero weights are cheaper than copying most of the rows
        present = np.flatnonzero(summed)
        return present, summed[present]

    def gather_rounds(
        self,
        workers: NDArray[np.int64],
        weight: float,
        first_task: int,  # noqa: ARG002 - all tasks have the same rows
    ) -> Iterator[tuple[NDArray[np.int64] | None, float | NDArray[np.float64]]]:
        """Yield what `gather` returns for each of several rounds; in a round, all tasks have the same number.

        Parameters
        ----------
        workers : ndarray of int, shape (rounds, a)
            The workers that sent the messages of each round.
        weight : float
            The weight of each message.
        first_task : int
            The number of the tasks of the first round.

        Yields
        ------
        tuple
            Rows and row weights of a round, see `gather`.
        """
        rounds, messages = workers.shape
        if self._table is None or not self._disjoint or 2 * messages > self.workers:
            yield from (self.gather(each, weight) for each in workers)
            return
        chunk = max(1, GATHERED // (messages * self._table.shape[1]))  # rounds gathered at once
        for start in range(0, rounds, chunk):
            chosen = workers[start : start + chunk]
            yield from zip(self.rows_of(chosen.reshape(-1)).reshape(len(chosen), -1), repeat(weight), strict=False)

    def _gather_parts(
        self, workers: NDArray[np.int64], weights: float | NDArray[np.float64], done: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return rows and row weights of messages that contain only the first `done` rows of each worker."""
        entries = consecutive_ranges(self.starts[self._ranges_of(workers)], done)
        each = np.repeat(np.full(len(workers), weights) if isinstance(weights, float) else weights, done)
        return self.rows[entries], each if self.coefficients is None else each * self.coefficients[entries]

    def useful(
        self, workers: NDArray[np.int64], weights: float | NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_] | None, float | NDArray[np.float64]]:
        """Return which messages have a non-zero weight, and the weights of these messages.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            The worker that sent each message.
        weights : float or ndarray of float, shape (a,)
            See `gather`.

        Returns
        -------
        useful : ndarray of bool, shape (a,), or None
            Whether a weight of each message is not zero; None means all messages.
        weights : float or ndarray of float
            The weights of these messages.
        """
        if isinstance(weights, float) or (weights != 0.0).all() or len(weights) != self.vectors[workers].sum():
            return None, weights  # the master refuses a wrong number of weights
        owners = np.repeat(np.arange(len(workers)), self.vectors[workers])
        useful = np.bincount(owners, weights != 0.0, minlength=len(workers)) > 0
        return useful, weights[useful[owners]]

    def rows_of(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of the given workers, concatenated in this order."""
        if self._table is not None:
            return self._table.take(self._ranges_of(workers), axis=0).reshape(-1)
        return self.rows[consecutive_ranges(self.starts[self._ranges_of(workers)], self.held[workers])]

    def _row_weights(self, workers: NDArray[np.int64], weights: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weight of each row in a weighted sum of messages, shape (m,)."""
        count = len(workers) if self.combined else int(self.sizes[workers].sum())
        each = np.full(count, weights) if isinstance(weights, float) else weights
        if not self.combined:
            return sums_by_name(self.rows_of(workers), each, self.total_rows)
        if self.groups is not None:
            return sums_by_name(self.groups[workers], each, self._groups_total)[self._group_of_rows]
        range_weights = sums_by_name(self._ranges_of(workers), each, len(self._lengths))
        summed: NDArray[np.float64] = self._transposed @ range_weights
        return summed

    # ------------------------------------------------------------------ decoding

    @cached_property
    def groups(self) -> NDArray[np.int64] | None:
        """The group of each worker, shape (n,): workers of a group hold the same rows, which no other worker holds.

        None if the placement does not form such groups, or if rows have coefficients.
        """
        return None if self._groups_of_ranges is None else self._by_worker(self._groups_of_ranges)

    def missing(self, workers: NDArray[np.int64]) -> int:
        """Return the minimum number of further messages needed to decode the full gradient.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            The workers whose messages have arrived, in order of arrival.

        Returns
        -------
        int
            If positive, the full gradient cannot be decoded yet. If 0 or negative, it can, even without the last
            -`missing` messages.
        """
        if self.groups is not None:
            groups = self.groups[workers]
            present = np.zeros(self._groups_total, dtype=np.bool_)
            present[groups] = True
            if absent := len(present) - np.count_nonzero(present):
                return int(absent)
            first = np.empty(len(present), dtype=np.int64)
            first[groups[::-1]] = np.arange(len(groups) - 1, -1, -1)  # numpy keeps the last value assigned to an index
            return int(first.max()) + 1 - len(groups)
        if self.recovery is not None and len(workers) < self.recovery:
            return self.recovery - len(workers)
        if not self.decodes(workers):
            return 1
        low, high = (self.recovery or 1) - 1, len(workers)
        if low + 1 == high or not self.decodes(workers[:-1]):
            return (
                0  # the usual case: a wait rule that asks after each message stops at the first message that suffices
            )
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.decodes(workers[:middle]) else (middle, high)
        return high - len(workers)

    def decodes(self, workers: NDArray[np.int64]) -> bool:
        """Return whether the messages of the given workers determine the full gradient, to ten digits."""
        if self.groups is not None:
            return bool(np.bincount(self.groups[workers], minlength=self._groups_total).all())
        if self.combined:
            return self.decode(workers)[1] <= EXACT
        return bool(np.bincount(self.rows_of(workers), minlength=self.total_rows).all())

    def decode(self, workers: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
        """Return the weights of messages that bring the coefficient of every row closest to 1, by least squares.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            The workers whose messages have arrived.

        Returns
        -------
        weights : ndarray of float, shape (a,)
            The weights a that minimise ``sum_r (sum_j a_j B[j, r] - 1)^2``; if there are several, those of least norm.
        residual : float
            Root mean square over the m rows of ``sum_j a_j B[j, r] - 1``.
        """
        return self._fit.solve(workers)

    @cached_property
    def matrix(self) -> "sparse.csr_array":
        """The encoding matrix B, shape (n, m)."""
        return self._range_matrix if self.shared is None else self._range_matrix[self.shared]

    # ------------------------------------------------------------------ helpers

    @cached_property
    def _fit(self) -> Fit:
        return Fit(self.matrix)

    @cached_property
    def _range_matrix(self) -> "sparse.csr_array":
        """The coefficients of each range, shape (ranges, m)."""
        coefficients = np.ones(len(self.rows)) if self.coefficients is None else self.coefficients
        return sparse.csr_array((coefficients, self.rows, self.starts), shape=(len(self._lengths), self.total_rows))

    @cached_property
    def _transposed(self) -> "sparse.csr_array":
        """The transpose of `_range_matrix`, shape (m, ranges)."""
        return self._range_matrix.T.tocsr()

    @cached_property
    def _groups_of_ranges(self) -> NDArray[np.int64] | None:
        """The group of each range, shape (ranges,), or None; see `groups`."""
        if self.coefficients is not None or not self.combined or not self._lengths.all():
            return None
        return np.arange(self.workers) if self._disjoint else identical_ranges(self.starts, self.rows, self.total_rows)

    @cached_property
    def _groups_total(self) -> int:
        """Number of groups."""
        return 0 if self.groups is None else int(self.groups.max()) + 1

    @cached_property
    def _table(self) -> NDArray[np.int64] | None:
        """The rows as a matrix, one line for each range; None if the ranges differ in length."""
        lengths = self._lengths
        return self.rows.reshape(len(lengths), -1) if bool((lengths == lengths[0]).all()) else None

    @cached_property
    def _disjoint(self) -> bool:
        """Whether every row is on exactly one worker, with coefficient 1."""
        return self.coefficients is None and self.combined and bool((self.redundancy == 1).all())

    @cached_property
    def _group_of_rows(self) -> NDArray[np.int64]:
        """The group that holds each row, shape (m,)."""
        assert self._groups_of_ranges is not None  # noqa: S101 - for the type checker; callers check `groups` first
        numbers = np.empty(self.total_rows, dtype=np.int64)
        numbers[self.rows] = self._groups_of_ranges[self._entry_ranges]
        return numbers
