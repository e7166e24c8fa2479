"""Least-squares decoding: combine some workers' answers so that every row counts as nearly once as it can.

An encoding matrix B flows in from `Assignment`, the workers that answered flow in with each question, weights and a
residual flow out. A question costs little: all of them are about columns of one small triangular matrix.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

__all__ = ["Fit"]

_DEPENDENT = 1e-12  # relative size below which what is left of an answer, given the others, is rounding
_REMEMBERED = 4096  # sets of workers whose weights are kept
_CHUNK = 4096  # rows that are dense at a time


class Fit:
    """The least-squares problems ``min_a sum_r (sum_j a_j B[j, r] - 1)^2`` for one matrix B and any set of workers j.

    Parameters
    ----------
    matrix : csr_array, shape (n, m)
        B.

    Examples
    --------
    >>> fit = Fit(sparse.csr_array(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])))
    >>> weights, residual = fit.solve(np.array([0, 1, 2]))
    >>> weights.round(12).tolist(), round(residual, 12)
    ([0.5, 0.5, 0.5], 0.0)
    """

    def __init__(self, matrix: "sparse.csr_array") -> None:
        self._triangle = _triangle(matrix)
        self._known: dict[bytes, tuple[NDArray[np.float64], float]] = {}
        self._latest = b""  # the latest question, which a wait rule and a decoder may both ask
        self._solution: tuple[NDArray[np.float64], float] = (np.empty(0), 0.0)

    def solve(self, workers: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
        """Return the shortest best weights, shape (a,), read-only, and the root mean square of what is left."""
        question = workers.tobytes()
        if question and question == self._latest:
            return self._solution
        order = np.argsort(workers)
        key = workers[order].tobytes()
        if key not in self._known:
            if len(self._known) == _REMEMBERED:
                self._known.clear()
            self._known[key] = self._solve(workers[order])
        in_order, residual = self._known[key]
        weights = np.empty(len(workers))
        weights[order] = in_order
        weights.flags.writeable = False
        self._latest, self._solution = question, (weights, residual)
        return self._solution

    def _solve(self, workers: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
        columns, target = self._triangle[:, workers], self._triangle[:, -1]
        if not len(workers):
            return np.empty(0), float(np.linalg.norm(target))
        weights = linalg.lstsq(columns, target, cond=_DEPENDENT, lapack_driver="gelsy", check_finite=False)[0]
        return weights, float(np.linalg.norm(columns @ weights - target))


def _triangle(matrix: "sparse.csr_array") -> NDArray[np.float64]:
    """R of a QR decomposition of ``[B^T, 1] / sqrt(m)``: orthogonal Q changes neither weights nor residuals."""
    workers, rows = matrix.shape
    by_row = matrix.T.tocsr()
    triangle: NDArray[np.float64] = np.empty((0, workers + 1))
    for start in range(0, rows, _CHUNK):
        dense = by_row[start : start + _CHUNK].toarray()
        block = np.column_stack((dense, np.ones(len(dense)))) / math.sqrt(rows)
        stacked = linalg.qr(np.vstack((triangle, block)), mode="r", overwrite_a=True, check_finite=False)[0]
        triangle = np.asarray(stacked[: workers + 1], dtype=np.float64)  # below it are zeros
    return triangle
