"""Placements by even runs of the rows: the even partition, which has no redundancy, and what codes share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement, enough_rows
from clustersim.placements.row_ranges import runs
from clustersim.problems import Problem

__all__ = ["EvenPartition", "even_starts", "place_runs"]


@dataclass(frozen=True)
class EvenPartition(Placement):
    """Each row on one worker, in order; where n does not divide m the first workers hold one row more.

    Source: Kas Hanna et al. 2022, section I (the sub-matrices S_i).

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> problem = LeastSquares.synthetic(rows=7, features=2, seed=1)
    >>> EvenPartition().assign(problem, 3, np.random.default_rng(0)).sizes.tolist()
    [3, 2, 2]
    """

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:  # noqa: ARG002
        """Cut the rows into n runs.

        Raises
        ------
        ConfigurationError
            If there are more workers than rows.
        """
        enough_rows(problem, workers, "worker")
        return Assignment(problem.rows, even_starts(problem.rows, workers), np.arange(problem.rows))


def even_starts(rows: int, parts: int) -> NDArray[np.int64]:
    """Where each of `parts` runs of rows begins, and where the last one ends; the first runs are the longer ones.

    Examples
    --------
    >>> even_starts(7, 3).tolist()
    [0, 3, 5, 7]
    """
    short, longer = divmod(rows, parts)
    numbers = np.arange(parts + 1)
    return numbers * short + np.minimum(numbers, longer)


def place_runs(rows: int, code: NDArray[np.float64], recovery: int | None = None) -> Assignment:
    """Cut the rows into even runs, one a column of `code`, and give worker i those where its line is not zero.

    Parameters
    ----------
    rows : int
        m, at least the number of runs.
    code : ndarray, shape (workers, runs)
        The coefficients of each worker's runs.
    recovery : int, optional
        Any so many answers determine the full gradient.

    Examples
    --------
    >>> assignment = place_runs(5, np.array([[1.0, 1.0], [0.0, 2.0]]))
    >>> assignment.rows.tolist(), assignment.coefficients.tolist()
    ([0, 1, 2, 3, 4, 3, 4], [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    """
    ends = even_starts(rows, code.shape[1])
    lengths = np.diff(ends)
    workers, held = np.nonzero(code)
    starts = np.concatenate(([0], np.cumsum((code != 0.0) @ lengths)))
    placed = runs(ends[held], lengths[held])
    values = code[workers, held]
    coefficients = None if bool((values == 1.0).all()) else np.repeat(values, lengths[held])
    return Assignment(rows, starts, placed, coefficients, recovery=recovery)
