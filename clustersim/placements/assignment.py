"""What a placement comes to for one problem and one cluster: who holds which rows, with which coefficients.

An `Assignment` is the encoding matrix B of the gradient-coding papers, stored by rows: what worker i sends is
``sum_r B[i, r] grad f_r(w)``. Placements make it. Beside what `Holdings` tells (loads, blocks, messages), the engine
takes from it the rows and weights that one weighted gradient needs; wait rules ask it whether enough have answered,
decoders which weights the answers get.
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
from clustersim.placements.row_ranges import alike, runs, sums

__all__ = ["EXACT", "GATHERED", "Assignment"]

GATHERED = 1 << 16
"""Row numbers of rounds that are gathered at a time."""

EXACT = 1e-10
"""Root mean square over the rows of (coefficient - 1) up to which answers count as the full gradient."""


@dataclass(frozen=True, eq=False)
class Assignment(Holdings):
    """Who holds which rows, and what answers are good for.

    Parameters
    ----------
    total_rows, starts, rows, coefficients, combined, recovery, blocks, shared
        See `Holdings`.

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
        if self._disjoint and isinstance(weights, float):
            if 2 * len(workers) <= self.workers:
                return self.rows_of(workers), weights
            if len(workers) == self.workers == np.count_nonzero(np.bincount(workers)):
                return None, weights
        summed = self._summed(workers, weights)
        if 2 * np.count_nonzero(summed) > self.total_rows:
            return None, summed  # weights of zero are cheaper than copies of most rows
        present = np.flatnonzero(summed)
        return present, summed[present]

    def gather_rounds(
        self,
        workers: NDArray[np.int64],
        weight: float,
        first_task: int,  # noqa: ARG002 - all tasks have the same rows
    ) -> Iterator[tuple[NDArray[np.int64] | None, float | NDArray[np.float64]]]:
        """What `gather` returns for each of several rounds, in which all workers go through their tasks in step.

        Parameters
        ----------
        workers : ndarray of int, shape (rounds, a)
            Who sent the messages of each round.
        weight : float
            Of each message.
        first_task : int
            The number of the tasks of the first round.
        """
        rounds, answers = workers.shape
        if self._table is None or not self._disjoint or 2 * answers > self.workers:
            yield from (self.gather(each, weight) for each in workers)
            return
        some = max(1, GATHERED // (answers * self._table.shape[1]))
        for start in range(0, rounds, some):
            chosen = workers[start : start + some]
            yield from zip(self.rows_of(chosen.reshape(-1)).reshape(len(chosen), -1), repeat(weight), strict=False)

    def _gather_parts(
        self, workers: NDArray[np.int64], weights: float | NDArray[np.float64], done: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Rows and row weights where each worker has computed the first `done` of its rows."""
        entries = runs(self.starts[self._runs_of(workers)], done)
        each = np.repeat(np.full(len(workers), weights) if isinstance(weights, float) else weights, done)
        return self.rows[entries], each if self.coefficients is None else each * self.coefficients[entries]

    def useful(
        self, workers: NDArray[np.int64], weights: float | NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_] | None, float | NDArray[np.float64]]:
        """Which messages have a weight other than zero, and the weights of those.

        Parameters
        ----------
        workers, weights
            See `gather`.

        Returns
        -------
        useful : ndarray of bool, shape (a,), or None
            None stands for all of them.
        weights : float or ndarray of float
        """
        if isinstance(weights, float) or (weights != 0.0).all() or len(weights) != self.vectors[workers].sum():
            return None, weights  # of the wrong number of weights the master says so
        owners = np.repeat(np.arange(len(workers)), self.vectors[workers])
        useful = np.bincount(owners, weights != 0.0, minlength=len(workers)) > 0
        return useful, weights[useful[owners]]

    def rows_of(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of some workers, one worker after the other."""
        if self._table is not None:
            return self._table.take(self._runs_of(workers), axis=0).reshape(-1)
        return self.rows[runs(self.starts[self._runs_of(workers)], self.held[workers])]

    def _summed(self, workers: NDArray[np.int64], weights: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """The weight of each row, shape (m,)."""
        count = len(workers) if self.combined else int(self.sizes[workers].sum())
        each = np.full(count, weights) if isinstance(weights, float) else weights
        if not self.combined:
            return sums(self.rows_of(workers), each, self.total_rows)
        if self.groups is not None:
            return sums(self.groups[workers], each, self._groups_total)[self._group_of_rows]
        of_runs = sums(self._runs_of(workers), each, len(self._lengths))
        summed: NDArray[np.float64] = self._transposed @ of_runs
        return summed

    # ------------------------------------------------------------------ decoding

    @cached_property
    def groups(self) -> NDArray[np.int64] | None:
        """Which group each worker is in, shape (n,), where the workers of a group hold the same rows and no others do.

        None where the placement has no such groups, or where rows have coefficients.
        """
        return None if self._groups_of_runs is None else self._of_workers(self._groups_of_runs)

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
            named = self.groups[workers]
            heard = np.zeros(self._groups_total, dtype=np.bool_)
            heard[named] = True
            if unheard := len(heard) - np.count_nonzero(heard):
                return int(unheard)
            first = np.empty(len(heard), dtype=np.int64)
            first[named[::-1]] = np.arange(len(named) - 1, -1, -1)  # the last assignment is the one that stays
            return int(first.max()) + 1 - len(named)
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
            return bool(np.bincount(self.groups[workers], minlength=self._groups_total).all())
        if self.combined:
            return self.decode(workers)[1] <= EXACT
        return bool(np.bincount(self.rows_of(workers), minlength=self.total_rows).all())

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
        return self._coded if self.shared is None else self._coded[self.shared]

    # ------------------------------------------------------------------ helpers

    @cached_property
    def _fit(self) -> Fit:
        return Fit(self.matrix)

    @cached_property
    def _coded(self) -> "sparse.csr_array":
        """The coefficients of each run, a line each."""
        coefficients = np.ones(len(self.rows)) if self.coefficients is None else self.coefficients
        return sparse.csr_array((coefficients, self.rows, self.starts), shape=(len(self._lengths), self.total_rows))

    @cached_property
    def _transposed(self) -> "sparse.csr_array":
        """The same, a line a row of the problem."""
        return self._coded.T.tocsr()

    @cached_property
    def _groups_of_runs(self) -> NDArray[np.int64] | None:
        if self.coefficients is not None or not self.combined or not self._lengths.all():
            return None
        return np.arange(self.workers) if self._disjoint else alike(self.starts, self.rows, self.total_rows)

    @cached_property
    def _groups_total(self) -> int:
        return 0 if self.groups is None else int(self.groups.max()) + 1

    @cached_property
    def _table(self) -> NDArray[np.int64] | None:
        """The rows as one matrix, a line a run, where all are equally long."""
        lengths = self._lengths
        return self.rows.reshape(len(lengths), -1) if bool((lengths == lengths[0]).all()) else None

    @cached_property
    def _disjoint(self) -> bool:
        """Whether every row is on exactly one worker, with coefficient 1."""
        return self.coefficients is None and self.combined and bool((self.redundancy == 1).all())

    @cached_property
    def _group_of_rows(self) -> NDArray[np.int64]:
        """The group that holds each row."""
        assert self._groups_of_runs is not None  # noqa: S101 - for the type checker; callers have looked
        numbers = np.empty(self.total_rows, dtype=np.int64)
        numbers[self.rows] = self._groups_of_runs[self._owners]
        return numbers
