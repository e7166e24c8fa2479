"""Runs of row numbers, one after the other in one array: what can be told of them without a loop over workers."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["alike", "runs", "sums"]


def runs(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Runs of consecutive numbers, one after the other.

    Examples
    --------
    >>> runs(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    numbers: NDArray[np.int64] = np.repeat(starts - ends + lengths, lengths)
    numbers += np.arange(len(numbers))
    return numbers


def sums(names: NDArray[np.int64], values: NDArray[np.float64] | None, count: int) -> NDArray[np.float64]:
    """Sum of the values (None: 1 each) of each name 0 .. count - 1.

    Examples
    --------
    >>> sums(np.array([2, 0, 2]), np.array([0.5, 1.0, 0.25]), 4).tolist()
    [1.0, 0.0, 0.75, 0.0]
    """
    return np.bincount(names, values, minlength=count).astype(np.float64, copy=False)


def alike(starts: NDArray[np.int64], rows: NDArray[np.int64], total: int) -> NDArray[np.int64] | None:
    """Which runs hold the same rows: a number for each, where no two that differ share a row and all rows are held.

    A row belongs to the first run that holds it. If all rows of a run belong to the same one, and that is no longer
    than the run, then both are the same.

    Parameters
    ----------
    starts : ndarray of int, shape (runs + 1,)
        Run j is ``rows[starts[j]:starts[j + 1]]``, not empty.
    rows : ndarray of int, shape (starts[-1],)
        Numbers 0 .. total - 1, none twice in a run.
    total : int

    Returns
    -------
    ndarray of int, shape (runs,), or None
        Numbers 0, 1, ... in the order in which they first occur.

    Examples
    --------
    >>> alike(np.array([0, 2, 4, 5]), np.array([0, 1, 1, 0, 2]), 3).tolist()
    [0, 0, 1]
    >>> alike(np.array([0, 2, 4, 5]), np.array([0, 1, 1, 2, 2]), 3) is None
    True
    """
    lengths = np.diff(starts)
    belongs = np.full(total, -1)
    belongs[rows[::-1]] = np.repeat(np.arange(len(lengths)), lengths)[::-1]  # the last assignment is the one that stays
    if (belongs < 0).any():
        return None
    first = np.minimum.reduceat(belongs[rows], starts[:-1])
    last = np.maximum.reduceat(belongs[rows], starts[:-1])
    if (first != last).any() or (lengths != lengths[first]).any():
        return None
    numbers = np.cumsum(first == np.arange(len(first))) - 1
    return numbers[first]
