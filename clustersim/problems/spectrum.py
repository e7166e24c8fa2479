"""Extreme eigenvalues of X^T X / m, from which problems compute L and c.

The functions take rows and return a number. A dense solver computes it for few features, Lanczos for many.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats
from clustersim.problems.data import Matrix
from clustersim.streams import Streams

__all__ = ["DENSE_FEATURES", "gram", "largest_eigenvalue", "smallest_eigenvalue"]

DENSE_FEATURES = 2000  # a Gram matrix of this order takes 32 MB, and its eigenvalues take about a second


def gram(X: Matrix) -> Floats:
    """Return X^T X / m as a dense array, shape (features, features)."""
    product = X.T @ X
    dense: Floats = product if isinstance(product, np.ndarray) else product.toarray()
    dense /= X.shape[0]
    return dense


def largest_eigenvalue(X: Matrix, ridge: float | Floats = 0.0) -> float:
    """Return the largest eigenvalue of X^T X / m + diag(ridge).

    Parameters
    ----------
    X : ndarray or csr_array, shape (m, features)
        The rows.
    ridge : float or ndarray, shape (features,), default 0.0
        Added to the diagonal; not negative.

    Returns
    -------
    float
        The eigenvalue, with a relative accuracy of about 1e-13.

    Raises
    ------
    ConfigurationError
        If Lanczos does not converge.

    Examples
    --------
    >>> largest_eigenvalue(np.array([[2.0, 0.0], [0.0, 4.0]]))
    8.0
    """
    if X.shape[1] <= DENSE_FEATURES:
        return _ends(X, ridge)[1]
    return _lanczos(_product(X, ridge), X.shape[1])


def smallest_eigenvalue(X: Matrix, ridge: float | Floats = 0.0) -> float:
    """Return the smallest eigenvalue of X^T X / m + diag(ridge).

    Parameters
    ----------
    X : ndarray or csr_array, shape (m, features)
        The rows.
    ridge : float or ndarray, shape (features,), default 0.0
        Added to the diagonal; not negative.

    Returns
    -------
    float
        The eigenvalue, accurate to about 1e-13 of the largest one. An eigenvalue within rounding of 0 is returned as
        the smallest entry of the ridge, which is its lower bound.

    Raises
    ------
    ConfigurationError
        If Lanczos does not converge, which can happen with many nearly collinear columns.

    Examples
    --------
    >>> smallest_eigenvalue(np.array([[2.0, 0.0], [0.0, 4.0]]))
    2.0
    >>> smallest_eigenvalue(np.array([[2.0, 4.0]]), ridge=0.5)
    0.5
    """
    m, features = X.shape
    lower_bound = float(np.min(ridge))
    if features > m and lower_bound == np.max(ridge):
        return lower_bound
    if features <= DENSE_FEATURES:
        smallest, largest = _ends(X, ridge)
    else:
        product = _product(X, ridge)
        largest = _lanczos(product, features)
        # subtracted from the largest, because Lanczos converges relative to the eigenvalue, which fails near 0
        smallest = largest - _lanczos(lambda v: largest * v - product(v), features, basis=80)
    noise = max(m, features) * np.finfo(np.float64).eps * largest
    return max(lower_bound, smallest) if smallest > noise else lower_bound


def _ends(X: Matrix, ridge: float | Floats) -> tuple[float, float]:
    """Return the smallest and the largest eigenvalue, by a dense solver."""
    matrix = gram(X)
    matrix[np.diag_indices(X.shape[1])] += ridge
    values = np.linalg.eigvalsh(matrix)
    return float(values[0]), float(values[-1])


def _product(X: Matrix, ridge: float | Floats) -> Callable[[Floats], Floats]:
    """Return the function that multiplies a vector by X^T X / m + diag(ridge)."""

    def product(v: Floats) -> Floats:
        image: Floats = X.T @ (X @ v) / X.shape[0]
        return image + ridge * v

    return product


def _lanczos(product: Callable[[Floats], Floats], features: int, basis: int = 20) -> float:
    """Return the largest eigenvalue from products alone; a large basis separates it from close neighbours."""
    operator = LinearOperator((features, features), matvec=product, dtype=np.float64)
    start = Streams(seed=0).generator("lanczos").standard_normal(features)  # without it, ARPACK starts at random
    settings: dict[str, Any] = {"v0": start, "ncv": min(features, basis), "tol": 1e-13, "maxiter": 500}
    try:
        return float(eigsh(operator, k=1, which="LA", return_eigenvectors=False, **settings)[0])
    except ArpackNoConvergence:
        raise ConfigurationError(
            f"X with {features} features: Lanczos found no extreme eigenvalue; expected columns that are not nearly "
            "collinear; standardise or drop columns"
        ) from None
