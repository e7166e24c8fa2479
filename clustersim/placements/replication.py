"""Random replication: the workers of every row are distinct and drawn uniformly, independently for each row.

Coefficients are 1 / d_i for a row on d_i workers. So the coefficients of the copies sum to 1, as the unbiased decoder
requires.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustersim.checks import integer, number, store
from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement
from clustersim.problems import Problem

__all__ = ["NormReplication", "UniformReplication", "random_subsets"]


@dataclass(frozen=True)
class UniformReplication(Placement):
    """Each row on exactly d random workers, all sets equally likely: the placement of Bernoulli gradient codes.

    Parameters
    ----------
    redundancy : int
        d, the number of workers of each row, 1 .. n.

    Raises
    ------
    ConfigurationError
        If d is not a whole number, at least 1, or (at the start of a run) if it exceeds the number of workers.

    Notes
    -----
    Source: Charles, Papailiopoulos and Ellenberg, "Approximate gradient coding via sparse random graphs", 2017, as
    Bitar, Wootters and El Rouayheb 2020 use it (Table I): exactly d copies, not d on average.

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> problem = LeastSquares.synthetic(rows=100, features=2, seed=1)
    >>> assignment = UniformReplication(3).assign(problem, 10, np.random.default_rng(0))
    >>> set(assignment.redundancy.tolist()), int(assignment.sizes.sum()), set(assignment.row_sums.round(12).tolist())
    ({3}, 300, {1.0})
    """

    redundancy: int

    def __post_init__(self) -> None:
        store(self, redundancy=integer("redundancy", self.redundancy, low=1))

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:
        """Draw the workers of each row."""
        copies = integer("redundancy", self.redundancy, low=1, high=workers, remedy=_too_few(workers))
        return _replicate(np.full(problem.rows, copies), workers, generator)


@dataclass(frozen=True)
class NormReplication(Placement):
    r"""Row i on d_i distinct workers, with d_i proportional to its squared norm: the placement of SGC.

    .. math:: d_i = \sigma \|x_i\|^2, \qquad \sigma = md / \|X\|_F^2,

    rounded to the nearest integer, at least 1 and at most n. The average of the rounded numbers is close to d.

    Parameters
    ----------
    redundancy : float
        d, the average number of workers of a row before rounding, 1 .. n.

    Raises
    ------
    ConfigurationError
        If d is not a number, at least 1. At the start of a run, if d exceeds the number of workers, if the problem does
        not define the norms of its rows, or if all norms are zero.

    Notes
    -----
    Source: Bitar, Wootters and El Rouayheb 2020, eq. 6 to 8 and section VI-A. The norm is that of the features, without
    the target.

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> problem = LeastSquares.synthetic(rows=1000, features=100, design="gaussian", seed=7)
    >>> copies = NormReplication(2).assign(problem, 10, np.random.default_rng(0)).redundancy
    >>> np.bincount(copies).tolist(), float(copies.mean())
    ([0, 36, 921, 43], 2.007)
    """

    redundancy: float

    def __post_init__(self) -> None:
        store(self, redundancy=number("redundancy", self.redundancy, low=1.0))

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:
        """Round the number of workers of each row, and draw these workers."""
        if self.redundancy > workers:
            raise ConfigurationError(f"redundancy = {self.redundancy}: {_too_few(workers)}")
        norms = problem.row_norms_squared()
        if not (total := float(norms.sum())) > 0.0:
            raise ConfigurationError(
                f"redundancy = {self.redundancy}: all rows of {problem!r} are zero, expected rows with positive norms; "
                "use UniformReplication"
            )
        copies = np.rint(norms * (problem.rows * self.redundancy / total))
        return _replicate(np.clip(copies, 1, workers).astype(np.int64), workers, generator)


def random_subsets(subsets: int, size: int, of: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw subsets of {0, ..., of - 1} uniformly and independently.

    Uses Floyd's method for all subsets at once: for j = of - size, ..., of - 1 draw t from 0 .. j; take t, or j if t is
    already taken. (R. Floyd in J. Bentley, "Programming pearls: a sample of brilliance", 1987.)

    Parameters
    ----------
    subsets : int
        Number of subsets.
    size : int
        Number of elements of each subset, at most `of`.
    of : int
        Number of elements to choose from.
    generator : numpy.random.Generator
        The generator of the random draws.

    Returns
    -------
    ndarray of int, shape (subsets, size)
        One subset in each line, in no particular order.

    Examples
    --------
    >>> drawn = random_subsets(4, 3, 3, np.random.default_rng(0))
    >>> np.sort(drawn).tolist() == [[0, 1, 2]] * 4
    True
    """
    chosen = np.empty((subsets, size), dtype=np.int64)
    for place, last in enumerate(range(of - size, of)):
        drawn = generator.integers(0, last, size=subsets, endpoint=True)
        taken = (chosen[:, :place] == drawn[:, None]).any(axis=1)
        chosen[:, place] = np.where(taken, last, drawn)
    return chosen


def _replicate(copies: NDArray[np.int64], workers: int, generator: np.random.Generator) -> Assignment:
    """Draw copies[i] workers for each row i; each copy gets the coefficient 1 / copies[i]."""
    rows = len(copies)
    starts = np.concatenate(([0], np.cumsum(copies)))
    holders = np.empty(starts[-1], dtype=np.int64)
    for size in np.flatnonzero(np.bincount(copies)).tolist():
        same_size = np.flatnonzero(copies == size)
        places = starts[same_size][:, None] + np.arange(size)
        holders[places] = random_subsets(len(same_size), size, workers, generator)
    by_row = sparse.csr_array((np.repeat(1.0 / copies, copies), holders, starts), shape=(rows, workers))
    by_worker = by_row.tocsc()
    coefficients = None if int(copies.max()) == 1 else by_worker.data
    return Assignment(rows, by_worker.indptr.astype(np.int64), by_worker.indices.astype(np.int64), coefficients)


def _too_few(workers: int) -> str:
    """Return the part of an error message that explains the limit of the redundancy."""
    return f"a row cannot be on more than the {workers} workers; choose a smaller redundancy or more workers"
