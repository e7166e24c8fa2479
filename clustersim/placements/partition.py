"""Placements without redundancy: every row on exactly one worker."""

from dataclasses import dataclass

import numpy as np

from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement, enough_rows
from clustersim.problems import Problem

__all__ = ["EvenPartition", "even_starts"]


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


def even_starts(rows: int, parts: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Where each of `parts` runs of rows begins, and where the last one ends; the first runs are the longer ones.

    Examples
    --------
    >>> even_starts(7, 3).tolist()
    [0, 3, 5, 7]
    """
    sizes = np.sort(np.diff(np.arange(parts + 1) * rows // parts))[::-1]
    return np.concatenate(([0], np.cumsum(sizes)))
