"""Small functions on arrays that several parts of the package use."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_occurrences"]


def first_occurrences(values: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Return which entries of an array are the first with their value.

    Parameters
    ----------
    values : ndarray of int, shape (a,)
        Numbers 0 .. count - 1.
    count : int
        The number of possible values.

    Returns
    -------
    ndarray of bool, shape (a,)
        True where no earlier entry has the same value.

    Examples
    --------
    >>> first_occurrences(np.array([2, 0, 2, 1, 0]), 3).tolist()
    [True, True, False, True, False]
    """
    places = np.arange(len(values))
    first = np.empty(count, dtype=np.int64)
    first[values[::-1]] = places[::-1]  # of several assignments to one entry NumPy keeps the last
    is_first: NDArray[np.bool_] = first[values] == places
    return is_first
