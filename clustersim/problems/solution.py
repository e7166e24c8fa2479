"""Solver of least-squares problems, dense or sparse, with or without ridge.

`clustersim.problems.least_squares` passes checked rows and targets in and receives the minimiser.
"""

import math

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import lsmr

from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats
from clustersim.problems.data import Matrix

__all__ = ["least_squares_solution"]


def least_squares_solution(X: Matrix, y: Floats, ridge: float = 0.0) -> Floats:
    """Return the w that minimises ||X w - y||^2 + ridge ||w||^2, the shortest one if there are several.

    Parameters
    ----------
    X : ndarray or csr_array, shape (m, features)
        The rows.
    y : ndarray, shape (m,)
        The targets.
    ridge : float, default 0.0
        The ridge of the sum over the rows, which is m times the ridge of their mean.

    Returns
    -------
    ndarray, shape (features,)
        Computed by singular values if X is dense, by LSMR with one round of refinement if X is sparse.

    Raises
    ------
    ConfigurationError
        If LSMR does not converge.

    Examples
    --------
    >>> least_squares_solution(np.array([[2.0], [0.0]]), np.array([5.0, 7.0]), ridge=1.0)
    array([2.])
    """
    if not isinstance(X, np.ndarray):
        return _sparse(X, y, ridge)
    if not ridge:
        return np.asarray(np.linalg.lstsq(X, y, rcond=None)[0])
    U, sizes, V = np.linalg.svd(X, full_matrices=False)
    sizes[sizes <= max(X.shape) * np.finfo(np.float64).eps * sizes[0]] = 0.0  # else a tiny ridge amplifies rounding
    w: Floats = (sizes / (sizes**2 + ridge) * (y @ U)) @ V
    return w


def _sparse(X: Matrix, y: Floats, ridge: float) -> Floats:
    """Solve by LSMR. The ridge becomes additional rows, which allow refinement, unlike LSMR's own damping."""
    m, features = X.shape
    if ridge:
        X = sparse.vstack([X, math.sqrt(ridge) * sparse.eye_array(features)], format="csr")
        y = np.append(y, np.zeros(features))
    w: Floats = np.zeros(features)
    for _ in range(2):
        w = w + lsmr(X, y - X @ w, atol=1e-14, btol=1e-14, conlim=0.0, maxiter=20 * min(m, features))[0]
    slope, scale = np.linalg.norm(X.T @ (X @ w - y)), np.linalg.norm(X.T @ y)
    if slope > 1e-8 * scale:
        raise ConfigurationError(
            f"LeastSquares of {m} sparse rows: the optimum was not found (gradient {slope:.2g} after LSMR, "
            f"{scale:.2g} at zero); bring the columns to a common scale, drop collinear ones or add a ridge"
        )
    return w
