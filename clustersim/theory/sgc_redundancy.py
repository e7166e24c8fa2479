"""The number of workers on which SGC places each row, and the incoherence of rows that affects its convergence.

R. Bitar, M. Wootters, S. El Rouayheb, "Stochastic Gradient Coding for Straggler Mitigation in Distributed Learning",
2020, section V-A. The functions take rows and return redundancies, or the mu of `clustersim.theory.sgc`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import svds

from clustersim.checks import COUNT, integer, number
from clustersim.errors import ConfigurationError
from clustersim.problems.data import Matrix, check_rows, squared_norms
from clustersim.streams import Streams
from clustersim.theory.float_range import represented

__all__ = ["checked_spread", "sgc_incoherence", "sgc_redundancies", "sgc_whole_redundancies"]

Floats = NDArray[np.float64]
_DENSE = 2000  # for sparse rows with a Gram matrix of a larger order, an iterative solver is used


@represented
def sgc_incoherence(X: Any) -> float:
    """Return the incoherence of rows, mu = (|X|_F^2 / m) / |X^T X| with the spectral norm: from 1/m to rank(X)/m.

    It is 1/m if all rows are parallel, and 1 for a square orthogonal X. The smaller it is, the less redundancy SGC
    needs.

    Parameters
    ----------
    X : array_like or scipy.sparse matrix, shape (m, features)
        The rows, not all 0.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If X is invalid or all its entries are 0.

    Examples
    --------
    >>> sgc_incoherence(np.ones((4, 2))), sgc_incoherence(np.eye(3))
    (0.25, 1.0)
    """
    rows, squares = _rows_and_squares(X)
    return float(squares.mean() / _squared_spectral_norm(rows))


@represented
def sgc_redundancies(X: Any, redundancy: float) -> Floats:
    """Return the number of workers of each row before rounding, d_r = m d |x_r|^2 / |X|_F^2 (eq. 6-8).

    Parameters
    ----------
    X : array_like or scipy.sparse matrix, shape (m, features)
        The rows, not all 0.
    redundancy : float
        d, the average over the rows.

    Returns
    -------
    ndarray of float64, shape (m,)

    Raises
    ------
    ConfigurationError
        If X is invalid or all its entries are 0, or the redundancy is not greater than 0.

    Examples
    --------
    >>> sgc_redundancies([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]], redundancy=2)
    array([2., 4., 0.])
    """
    squares = _rows_and_squares(X)[1]
    redundancies: Floats = number("redundancy", redundancy, above=0.0) / squares.mean() * squares
    return redundancies


@represented
def sgc_whole_redundancies(X: Any, redundancy: float, workers: int) -> NDArray[np.int64]:
    """Return the number of workers of each row: eq. 6-8, rounded to the nearest whole number from 1 to n.

    Rounding changes the average a little; in the paper it is 2.024 for d = 2.

    Parameters
    ----------
    X : array_like or scipy.sparse matrix, shape (m, features)
        The rows, not all 0.
    redundancy : float
        d, from 1 to the number of workers.
    workers : int
        n, the number of workers.

    Returns
    -------
    ndarray of int64, shape (m,)

    Raises
    ------
    ConfigurationError
        If X is invalid or all its entries are 0, or the redundancy is out of range.

    Examples
    --------
    >>> sgc_whole_redundancies([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]], redundancy=2, workers=3)
    array([2, 3, 1])
    """
    workers, redundancy = checked_spread(workers, redundancy)
    whole: NDArray[np.int64] = np.clip(np.rint(sgc_redundancies(X, redundancy)), 1, workers).astype(np.int64)
    return whole


def checked_spread(workers: int, redundancy: float, name: str = "redundancy") -> tuple[int, float]:
    """Return the number of workers and the redundancy, after checking that it is from 1 to the number of workers."""
    workers = integer("workers", workers, low=1, high=COUNT)
    redundancy = number(name, redundancy, low=1.0, remedy="every row must be on at least one worker")
    if redundancy > workers:
        raise ConfigurationError(
            f"{name} = {redundancy:g}: expected at most workers = {workers}; the workers of a row are distinct"
        )
    return workers, redundancy


def _rows_and_squares(X: Any) -> tuple[Matrix, Floats]:
    """Return the checked rows and the squared norm of each."""
    rows = check_rows(X)
    squares = squared_norms(rows)
    if not squares.any():
        raise ConfigurationError("X: expected rows that are not all 0")
    return rows, squares


def _squared_spectral_norm(X: Matrix) -> float:
    """Return |X^T X|, the largest eigenvalue of X^T X."""
    order = min(X.shape)
    if isinstance(X, np.ndarray) or order <= _DENSE:
        gram = X.T @ X if X.shape[1] == order else X @ X.T
        return float(np.linalg.eigvalsh(gram if isinstance(gram, np.ndarray) else gram.toarray())[-1])
    start = Streams(seed=0).generator("lanczos").standard_normal(order)  # without it, ARPACK starts at random
    return float(svds(X, k=1, v0=start, return_singular_vectors=False)[0]) ** 2
