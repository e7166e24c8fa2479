"""Who holds which rows: a placement is a rule, an assignment is what it comes to for one problem and one cluster.

An `Assignment` is the encoding matrix B of the gradient-coding papers, stored by rows: what worker i sends is
``sum_r B[i, r] grad f_r(w)``. The engine takes loads from it (how long a task lasts) and the rows and weights that one
weighted gradient needs; decoders take the number of rows.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clustersim.errors import ConfigurationError
from clustersim.problems import Problem

__all__ = ["Assignment", "EvenPartition", "Placement"]


@dataclass(frozen=True, eq=False)
class Assignment:
    """The rows of each worker, every coefficient being 1.

    Parameters
    ----------
    total_rows : int
        m, the number of rows of the problem.
    starts : ndarray of int, shape (n + 1,)
        Worker i holds ``rows[starts[i]:starts[i + 1]]``.
    rows : ndarray of int, shape (starts[n],)
        Row numbers, 0 .. m - 1.

    Examples
    --------
    >>> assignment = Assignment(total_rows=6, starts=np.array([0, 2, 4, 6]), rows=np.arange(6))
    >>> assignment.loads.tolist()
    [1.0, 1.0, 1.0]
    >>> assignment.gather(np.array([2, 0]), 0.25)
    (array([4, 5, 0, 1]), 0.25)
    """

    total_rows: int
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def workers(self) -> int:
        """n, the number of workers."""
        return len(self.starts) - 1

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Rows held by each worker, shape (n,)."""
        return np.diff(self.starts)

    @cached_property
    def loads(self) -> NDArray[np.float64]:
        """Work of each worker in even shares, shape (n,): 1 is m / n rows."""
        return np.multiply(self.sizes, self.workers / self.total_rows, dtype=np.float64)

    @cached_property
    def _table(self) -> NDArray[np.int64] | None:
        """The rows as one matrix, a line a worker, where all hold equally many."""
        size = int(self.sizes[0])
        return self.rows.reshape(self.workers, size) if bool((self.sizes == size).all()) else None

    def gather(
        self, workers: NDArray[np.int64], weights: float | NDArray[np.float64]
    ) -> tuple[NDArray[np.int64] | None, float | NDArray[np.float64]]:
        """Rows and row weights of the sum ``sum_j weights[j] * message_j``.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            Who sent the messages.
        weights : float or ndarray of float, shape (a,)
            One weight for all messages, or one for each.

        Returns
        -------
        rows : ndarray of int, shape (r,), or None
            None stands for every row once, in order, so that nothing need be copied.
        weights : float or ndarray of float, shape (r,)
        """
        if isinstance(weights, float):
            if self._is_partition and len(workers) == self.workers == len(np.unique(workers)):
                return None, weights
            return self._rows_of(workers), weights
        return self._rows_of(workers), np.repeat(weights, self.sizes[workers])

    def _rows_of(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._table is not None:
            return self._table[workers].ravel()
        return np.concatenate([self.rows[self.starts[i] : self.starts[i + 1]] for i in workers])

    @cached_property
    def _is_partition(self) -> bool:
        """Whether every row is on exactly one worker."""
        return len(self.rows) == self.total_rows == len(np.unique(self.rows))


class Placement(ABC):
    """A rule that says who holds which rows; a frozen dataclass of hyper-parameters."""

    @abstractmethod
    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:
        """Place the rows of `problem` on `workers` workers.

        Raises
        ------
        ConfigurationError
            If the rule cannot be carried out for that many rows and workers.
        """


@dataclass(frozen=True)
class EvenPartition(Placement):
    """Each row on one worker, in order; where n does not divide m the first workers hold one row more.

    Source: Kas Hanna et al. 2022, section I (the sub-matrices S_i).
    """

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:  # noqa: ARG002
        """Cut the rows into n runs.

        Raises
        ------
        ConfigurationError
            If there are more workers than rows.
        """
        if workers > problem.rows:
            raise ConfigurationError(
                f"workers = {workers}: the problem has only {problem.rows} rows, expected at least one row a worker; "
                "use fewer workers or more data"
            )
        starts = np.arange(workers + 1) * problem.rows // workers
        sizes = np.sort(np.diff(starts))[::-1]
        return Assignment(problem.rows, np.concatenate(([0], np.cumsum(sizes))), np.arange(problem.rows))
