"""The even partition of the rows, without redundancy, and the placement of coded partitions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement, enough_rows
from clustersim.placements.row_ranges import consecutive_ranges
from clustersim.problems import Problem

__all__ = ["EvenPartition", "even_starts", "place_partitions"]


@dataclass(frozen=True)
class EvenPartition(Placement):
    """Each row on one worker, in order; if n does not divide m, the first workers hold one row more.

    Source: Kas Hanna et al. 2022, section I (the sub-matrices S_i).

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> problem = LeastSquares.synthetic(rows=7, features=2, seed=1)
    >>> EvenPartition().assign(problem, 3, np.random.default_rng(0)).sizes.tolist()
    [3, 2, 2]
    """

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:  # noqa: ARG002
        """Cut the rows into n partitions, one for each worker.

        Raises
        ------
        ConfigurationError
            If there are more workers than rows.
        """
        enough_rows(problem, workers, "worker")
        return Assignment(problem.rows, even_starts(problem.rows, workers), np.arange(problem.rows))


def even_starts(rows: int, parts: int) -> NDArray[np.int64]:
    """Return the first row of each of `parts` even partitions and the end of the last; the first ones are longer.

    Parameters
    ----------
    rows : int
        Number of rows.
    parts : int
        Number of partitions.

    Returns
    -------
    ndarray of int, shape (parts + 1,)

    Examples
    --------
    >>> even_starts(7, 3).tolist()
    [0, 3, 5, 7]
    """
    short, longer = divmod(rows, parts)
    numbers = np.arange(parts + 1)
    return numbers * short + np.minimum(numbers, longer)


def place_partitions(rows: int, code: NDArray[np.float64], recovery: int | None = None) -> Assignment:
    """Cut the rows into even partitions and give worker i those with a non-zero coefficient in line i of `code`.

    Parameters
    ----------
    rows : int
        m, at least the number of partitions.
    code : ndarray, shape (workers, partitions)
        The coefficient of each partition on each worker.
    recovery : int, optional
        The recovery threshold: any `recovery` messages determine the full gradient.

    Returns
    -------
    Assignment

    Examples
    --------
    >>> assignment = place_partitions(5, np.array([[1.0, 1.0], [0.0, 2.0]]))
    >>> assignment.rows.tolist(), assignment.coefficients.tolist()
    ([0, 1, 2, 3, 4, 3, 4], [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    """
    ends = even_starts(rows, code.shape[1])
    lengths = np.diff(ends)
    workers, partitions = np.nonzero(code)
    starts = np.concatenate(([0], np.cumsum((code != 0.0) @ lengths)))
    placed = consecutive_ranges(ends[partitions], lengths[partitions])
    values = code[workers, partitions]
    coefficients = None if bool((values == 1.0).all()) else np.repeat(values, lengths[partitions])
    return Assignment(rows, starts, placed, coefficients, recovery=recovery)
