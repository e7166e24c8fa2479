"""Extreme eigenvalues of the matrices behind L and c.

Rows flow in from the problems; a number flows out, by a dense solver for few features and by Lanczos for many.
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

DENSE_FEATURES = 2000  # a Gram matrix of this order takes 32 MB, its eigenvalues about a second


def gram(X: Matrix) -> Floats:
    """X^T X / m as a dense array, shape (features, features)."""
    product = X.T @ X
    dense: Floats = product if isinstance(product, np.ndarray) else product.toarray()
    dense /= X.shape[0]
    return dense


def largest_eigenvalue(X: Matrix, ridge: float | Floats = 0.0) -> float:
    """Largest eigenvalue of X^T X / m + diag(ridge).

    Parameters
    ----------
    X : ndarray or csr_array, shape (m, features)
        The rows.
    ridge : float or ndarray, shape (features,), default 0.0
        Added to the diagonal; not negative.

    Returns
    -------
    float
        Accurate to about 1e-13 of itself.

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
    """Smallest eigenvalue of X^T X / m + diag(ridge).

    Parameters
    ----------
    X, ridge
        As for `largest_eigenvalue`.

    Returns
    -------
    float
        Accurate to about 1e-13 of the largest; one that is no larger than rounding is returned as the least ridge,
        below which it cannot lie.

    Raises
    ------
    ConfigurationError
        If Lanczos does not converge, as it may not for many nearly collinear sparse columns.

    Examples
    --------
    >>> smallest_eigenvalue(np.array([[2.0, 0.0], [0.0, 4.0]]))
    2.0
    >>> smallest_eigenvalue(np.array([[2.0, 4.0]]), ridge=0.5)
    0.5
    """
    m, features = X.shape
    least = float(np.min(ridge))
    if features > m and least == np.max(ridge):
        return least
    if features <= DENSE_FEATURES:
        smallest, largest = _ends(X, ridge)
    else:
        product = _product(X, ridge)
        largest = _lanczos(product, features)
        # turned round, because Lanczos judges an eigenvalue by its own size, which near 0 is beyond rounding
        smallest = largest - _lanczos(lambda v: largest * v - product(v), features, basis=80)
    noise = max(m, features) * np.finfo(np.float64).eps * largest
    return max(least, smallest) if smallest > noise else least


def _ends(X: Matrix, ridge: float | Floats) -> tuple[float, float]:
    """Smallest and largest eigenvalue by a dense solver."""
    matrix = gram(X)
    matrix[np.diag_indices(X.shape[1])] += ridge
    values = np.linalg.eigvalsh(matrix)
    return float(values[0]), float(values[-1])


def _product(X: Matrix, ridge: float | Floats) -> Callable[[Floats], Floats]:
    """Multiplication with X^T X / m + diag(ridge)."""

    def product(v: Floats) -> Floats:
        image: Floats = X.T @ (X @ v) / X.shape[0]
        return image + ridge * v

    return product


def _lanczos(product: Callable[[Floats], Floats], features: int, basis: int = 20) -> float:
    """Largest eigenvalue, from products alone; a large basis finds one among many neighbours."""
    operator = LinearOperator((features, features), matvec=product, dtype=np.float64)
    start = Streams(seed=0).generator("lanczos").standard_normal(features)  # else ARPACK starts at random
    settings: dict[str, Any] = {"v0": start, "ncv": min(features, basis), "tol": 1e-13, "maxiter": 500}
    try:
        return float(eigsh(operator, k=1, which="LA", return_eigenvectors=False, **settings)[0])
    except ArpackNoConvergence:
        raise ConfigurationError(
            f"X with {features} features: Lanczos found no extreme eigenvalue; expected columns that are not nearly "
            "collinear; standardise or drop columns"
        ) from None
