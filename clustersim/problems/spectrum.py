"""Extreme eigenvalues of the matrices behind L and c.

Rows flow in from the problems; two numbers flow out, by a dense solver for few features and by Lanczos for many.
"""

from typing import Literal

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats
from clustersim.problems.data import Matrix
from clustersim.streams import Streams

__all__ = ["DENSE_FEATURES", "gram", "gram_eigenvalues"]

DENSE_FEATURES = 2000  # a Gram matrix of this order takes 32 MB, its eigenvalues about a second


def gram(X: Matrix) -> Floats:
    """X^T X / m as a dense array, shape (features, features)."""
    product = X.T @ X
    dense: Floats = product if isinstance(product, np.ndarray) else product.toarray()
    dense /= X.shape[0]
    return dense


def gram_eigenvalues(X: Matrix, ridge: Floats | None = None) -> tuple[float, float]:
    """Largest and smallest eigenvalue of X^T X / m + diag(ridge).

    Parameters
    ----------
    X : ndarray or csr_array, shape (m, features)
        The rows.
    ridge : ndarray, shape (features,), optional
        Added to the diagonal; nothing if left out.

    Returns
    -------
    tuple of float
        Both accurate to about 1e-15 times the largest; a smallest one below that accuracy is returned as 0.

    Raises
    ------
    ConfigurationError
        If Lanczos does not converge, as for nearly collinear sparse columns.

    Examples
    --------
    >>> gram_eigenvalues(np.array([[2.0, 0.0], [0.0, 4.0]]))
    (8.0, 2.0)
    """
    m, features = X.shape
    if features <= DENSE_FEATURES:
        matrix = gram(X)
        if ridge is not None:
            matrix[np.diag_indices(features)] += ridge
        values = np.linalg.eigvalsh(matrix)
        largest, smallest = float(values[-1]), float(values[0])
    else:
        largest = _lanczos(X, ridge, "LA")
        smallest = 0.0 if features > m and ridge is None else _lanczos(X, ridge, "SA")
    noise = max(m, features) * np.finfo(np.float64).eps * largest
    return largest, smallest if smallest > noise else 0.0


def _lanczos(X: Matrix, ridge: Floats | None, end: Literal["LA", "SA"]) -> float:
    """One extreme eigenvalue from products with X alone."""
    m, features = X.shape
    diagonal = np.zeros(features) if ridge is None else ridge

    def product(v: Floats) -> Floats:
        image: Floats = X.T @ (X @ v) / m
        return image + diagonal * v

    operator = LinearOperator((features, features), matvec=product, dtype=np.float64)
    start = Streams(seed=0).generator("lanczos").standard_normal(features)  # else ARPACK starts at random
    try:
        return float(eigsh(operator, k=1, which=end, v0=start, return_eigenvectors=False)[0])
    except ArpackNoConvergence:
        raise ConfigurationError(
            f"X with {features} features: Lanczos found no extreme eigenvalue; expected columns that are not nearly "
            "collinear; standardise or drop columns, or add a ridge"
        ) from None
