"""Hadamard matrices: square matrices of +1 and -1 with orthogonal rows, from which `BlockDesign` makes designs."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["hadamard"]

Signs = NDArray[np.int64]


def hadamard(order: int) -> Signs | None:
    """Return a Hadamard matrix, by Paley's two constructions for primes and Sylvester's doubling.

    They construct all orders 4, 8, ..., 100 except 52, 92 and 100.

    Parameters
    ----------
    order : int
        Number of rows and columns.

    Returns
    -------
    ndarray of int, shape (order, order), or None
        None if these constructions give no matrix of this order.

    Notes
    -----
    Source: R. E. A. C. Paley, "On orthogonal matrices", 1933.

    Examples
    --------
    >>> matrix = hadamard(12)
    >>> bool((matrix @ matrix.T == 12 * np.eye(12)).all()), hadamard(10)
    (True, None)
    """
    if order == 1:
        return np.ones((1, 1), dtype=np.int64)
    if order > 2 and order % 4:
        return None
    if _is_prime(order - 1) and order % 4 == 0:
        return np.eye(order, dtype=np.int64) + _bordered(order - 1, left=-1)
    if _is_prime(order // 2 - 1) and order % 8 == 4:
        conference, unit = _bordered(order // 2 - 1, left=1), np.eye(order // 2, dtype=np.int64)
        return np.kron(conference, np.array([[1, 1], [1, -1]])) + np.kron(unit, np.array([[1, -1], [-1, -1]]))
    half = hadamard(order // 2)
    return None if half is None else np.kron(np.array([[1, 1], [1, -1]]), half)


def _bordered(prime: int, left: int) -> Signs:
    """Return the matrix of quadratic characters of j - i modulo a prime, bordered by ones above and `left` beside."""
    character = np.full(prime, -1)
    character[np.arange(prime) ** 2 % prime] = 1
    character[0] = 0
    matrix = np.ones((prime + 1, prime + 1), dtype=np.int64)
    matrix[1:, 0] = left
    matrix[0, 0] = 0
    matrix[1:, 1:] = character[np.subtract.outer(np.arange(prime), np.arange(prime)).T % prime]
    return matrix


def _is_prime(number: int) -> bool:
    """Return whether a number is prime."""
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))
