"""Functions on ranges of row numbers that are concatenated in one array, without loops over workers.

`clustersim.placements.holdings` stores the rows of all workers like this: range j is ``rows[starts[j]:starts[j + 1]]``.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["consecutive_ranges", "identical_ranges", "sums_by_name"]


def consecutive_ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ranges of consecutive numbers, concatenated.

    Parameters
    ----------
    starts : ndarray of int, shape (ranges,)
        The first number of each range.
    lengths : ndarray of int, shape (ranges,)
        The length of each range.

    Returns
    -------
    ndarray of int, shape (sum of `lengths`,)

    Examples
    --------
    >>> consecutive_ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    numbers: NDArray[np.int64] = np.repeat(starts - ends + lengths, lengths)
    numbers += np.arange(len(numbers))
    return numbers


def sums_by_name(names: NDArray[np.int64], values: NDArray[np.float64] | None, count: int) -> NDArray[np.float64]:
    """Return the sum of the values of each name 0 .. count - 1, shape (count,).

    Parameters
    ----------
    names : ndarray of int, shape (values,)
        The name of each value.
    values : ndarray of float, shape (values,), or None
        The values; None means 1 for each name.
    count : int
        Number of names.

    Returns
    -------
    ndarray of float, shape (count,)

    Examples
    --------
    >>> sums_by_name(np.array([2, 0, 2]), np.array([0.5, 1.0, 0.25]), 4).tolist()
    [1.0, 0.0, 0.75, 0.0]
    """
    return np.bincount(names, values, minlength=count).astype(np.float64, copy=False)


def identical_ranges(starts: NDArray[np.int64], rows: NDArray[np.int64], total: int) -> NDArray[np.int64] | None:
    """Return a number for each range, which is the same for ranges of the same rows in any order.

    This requires that different ranges share no row, and that each row is in a range; otherwise the result is None.

    Each row is attributed to the first range that contains it. If all rows of a range are attributed to one range, and
    both ranges have the same length, they contain the same rows.

    Parameters
    ----------
    starts : ndarray of int, shape (ranges + 1,)
        Range j is ``rows[starts[j]:starts[j + 1]]``, not empty.
    rows : ndarray of int, shape (starts[-1],)
        Row numbers 0 .. total - 1, none twice in a range.
    total : int
        Number of rows.

    Returns
    -------
    ndarray of int, shape (ranges,), or None
        Numbers 0, 1, ... in the order in which they first occur.

    Examples
    --------
    >>> identical_ranges(np.array([0, 2, 4, 5]), np.array([0, 1, 1, 0, 2]), 3).tolist()
    [0, 0, 1]
    >>> identical_ranges(np.array([0, 2, 4, 5]), np.array([0, 1, 1, 2, 2]), 3) is None
    True
    """
    lengths = np.diff(starts)
    first_range = np.full(total, -1)  # of each row
    first_range[rows[::-1]] = np.repeat(np.arange(len(lengths)), lengths)[::-1]  # numpy keeps the last value assigned
    if (first_range < 0).any():
        return None
    first = np.minimum.reduceat(first_range[rows], starts[:-1])
    last = np.maximum.reduceat(first_range[rows], starts[:-1])
    if (first != last).any() or (lengths != lengths[first]).any():
        return None
    numbers = np.cumsum(first == np.arange(len(first))) - 1
    return numbers[first]
