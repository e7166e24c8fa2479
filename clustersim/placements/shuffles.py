"""Drawing without replacement, for many at once: the first places of shuffled rows of numbers.

Fisher and Yates shuffle 0 .. h - 1 by swapping place j with one drawn from j .. h - 1, for j = 0, 1, ... To draw b of
the h numbers, one stops after b swaps. Uniform draws flow in; numbers flow out, all orders of them equally likely.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_places"]

_CELLS = 1 << 20  # places that are written out at a time

Integers = NDArray[np.int64]


def first_places(draws: NDArray[np.float64], heights: Integers) -> Integers:
    """Draw b of h numbers without replacement, many times.

    Parameters
    ----------
    draws : ndarray of float, shape (lines, b)
        Uniform on [0, 1): the j-th of a line chooses what place j is swapped with.
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
    some = max(1, _CELLS // highest)
    return np.concatenate([_written_out(swapped[i : i + some], highest) for i in range(0, max(1, len(swapped)), some)])


def _written_out(swapped: Integers, highest: int) -> Integers:
    """Keep all places, and swap them."""
    lines = np.arange(len(swapped))
    places = np.tile(np.arange(highest, dtype=np.int32), (len(swapped), 1))
    drawn = np.empty_like(swapped)
    for j, other in enumerate(swapped.T):
        drawn[:, j] = places[lines, other]
        places[lines, other] = places[:, j]
    return drawn


def _looked_up(swapped: Integers) -> Integers:
    """Keep only what has been swapped: where few of many are drawn, that is hardly anything."""
    drawn, moved = swapped.copy(), np.empty_like(swapped)
    for j in range(swapped.shape[1]):
        before = swapped[:, :j]
        moved[:, j] = j  # what stands at place j, and goes where the drawn number comes from
        line, step = (before == j).nonzero()  # the last one of a line is the one that stays
        moved[line, j] = moved[line, step]
        line, step = (before == swapped[:, j, None]).nonzero()
        drawn[line, j] = moved[line, step]
    return drawn
