"""Least-squares decoding: weights of messages that bring the coefficient of every row closest to 1.

`Assignment` passes in an encoding matrix B once, and the workers whose messages have arrived in each call. It receives
weights and a residual. Each call is fast: it solves a problem on columns of one small triangular matrix.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

__all__ = ["Fit"]

_DEPENDENT = 1e-12  # a message that differs from a combination of the others by less, relatively, depends on them
_MAX_CACHED = 4096  # sets of workers in the cache
_CHUNK = 4096  # rows that are converted to a dense array at once


class Fit:
    """The least-squares problems ``min_a sum_r (sum_j a_j B[j, r] - 1)^2`` for one matrix B and any set of workers j.

    Parameters
    ----------
    matrix : csr_array, shape (n, m)
        The encoding matrix B.

    Examples
    --------
    >>> fit = Fit(sparse.csr_array(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])))
    >>> weights, residual = fit.solve(np.array([0, 1, 2]))
    >>> weights.round(12).tolist(), round(residual, 12)
    ([0.5, 0.5, 0.5], 0.0)
    """

    def __init__(self, matrix: "sparse.csr_array") -> None:
        self._triangle = _triangle(matrix)
        self._cache: dict[bytes, tuple[NDArray[np.float64], float]] = {}
        self._latest = b""  # the latest workers: a wait rule and a decoder may both ask for their weights
        self._solution: tuple[NDArray[np.float64], float] = (np.empty(0), 0.0)

    def solve(self, workers: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
        """Return the optimal weights of least norm and the residual.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            The workers whose messages have arrived.

        Returns
        -------
        weights : ndarray of float, shape (a,), read-only
        residual : float
            Root mean square over the m rows of ``sum_j a_j B[j, r] - 1``.
        """
        request = workers.tobytes()
        if request and request == self._latest:
            return self._solution
        order = np.argsort(workers)
        key = workers[order].tobytes()
        if key not in self._cache:
            if len(self._cache) == _MAX_CACHED:
                self._cache.clear()
            self._cache[key] = self._solve(workers[order])
        in_order, residual = self._cache[key]
        weights = np.empty(len(workers))
        weights[order] = in_order
        weights.flags.writeable = False
        self._latest, self._solution = request, (weights, residual)
        return self._solution

    def _solve(self, workers: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
        columns, target = self._triangle[:, workers], self._triangle[:, -1]
        if not len(workers):
            return np.empty(0), float(np.linalg.norm(target))
        weights = linalg.lstsq(columns, target, cond=_DEPENDENT, lapack_driver="gelsy", check_finite=False)[0]
        return weights, float(np.linalg.norm(columns @ weights - target))


def _triangle(matrix: "sparse.csr_array") -> NDArray[np.float64]:
    """Return R of a QR decomposition of ``[B^T, 1] / sqrt(m)``; the orthogonal Q changes no weights or residuals."""
    workers, rows = matrix.shape
    by_row = matrix.T.tocsr()
    triangle: NDArray[np.float64] = np.empty((0, workers + 1))
    for start in range(0, rows, _CHUNK):
        dense = by_row[start : start + _CHUNK].toarray()
        block = np.column_stack((dense, np.ones(len(dense)))) / math.sqrt(rows)
        stacked = linalg.qr(np.vstack((triangle, block)), mode="r", overwrite_a=True, check_finite=False)[0]
        triangle = np.asarray(stacked[: workers + 1], dtype=np.float64)  # the lines below are zero
    return triangle
