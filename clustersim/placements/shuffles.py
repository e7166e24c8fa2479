"""Vectorised drawing without replacement: the first places of many shuffles.

The method of Fisher and Yates shuffles the numbers 0 .. h - 1: for j = 0, 1, ... it swaps place j with a place drawn
from j .. h - 1. To draw b of the h numbers, it stops after b swaps. The functions turn uniform draws into numbers; all
orders are equally likely.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_places"]

_CELLS = 1 << 20  # places that `_written_out` stores at once

Integers = NDArray[np.int64]


def first_places(draws: NDArray[np.float64], heights: Integers) -> Integers:
    """Draw b of h numbers without replacement, once for each line.

    Parameters
    ----------
    draws : ndarray of float, shape (lines, b)
        Uniform draws on [0, 1): the j-th draw of a line selects the place that is swapped with place j.
    heights : ndarray of int, shape (lines,)
        h of each line, at least b.

    Returns
    -------
    ndarray of int, shape (lines, b)
        Distinct numbers 0 .. h - 1 in each line.

    Examples
    --------
    >>> first_places(np.array([[0.0, 0.0, 0.0], [0.99, 0.99, 0.0]]), np.array([3, 5])).tolist()
    [[0, 1, 2], [4, 0, 2]]
    """
    steps = np.arange(draws.shape[1])
    swapped = steps + (draws * (heights[:, None] - steps)).astype(np.int64)
    wanted = len(steps)
    highest = int(heights.max(initial=wanted))
    if highest > wanted * wanted:
        return _looked_up(swapped)
    chunk = max(1, _CELLS // highest)  # lines at once
    starts = range(0, max(1, len(swapped)), chunk)
    return np.concatenate([_written_out(swapped[start : start + chunk], highest) for start in starts])


def _written_out(swapped: Integers, highest: int) -> Integers:
    """Return the first places of each line; this stores all places and swaps them."""
    lines = np.arange(len(swapped))
    places = np.tile(np.arange(highest, dtype=np.int32), (len(swapped), 1))
    drawn = np.empty_like(swapped)
    for j, other in enumerate(swapped.T):
        drawn[:, j] = places[lines, other]
        places[lines, other] = places[:, j]
    return drawn


def _looked_up(swapped: Integers) -> Integers:
    """Return the first places of each line; this stores only swapped places, which are few if h is large."""
    drawn, moved = swapped.copy(), np.empty_like(swapped)
    for j in range(swapped.shape[1]):
        before = swapped[:, :j]
        moved[:, j] = j  # the number at place j, which moves to the place of the drawn number
        line, step = (before == j).nonzero()  # numpy keeps the last value assigned to a line
        moved[line, j] = moved[line, step]
        line, step = (before == swapped[:, j, None]).nonzero()
        drawn[line, j] = moved[line, step]
    return drawn
