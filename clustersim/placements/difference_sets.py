"""Cyclic difference sets, by search: sets D of residues mod n in whose differences each residue but 0 is equally often.

They are the base blocks of cyclic block designs (`clustersim.placements.BlockDesign`).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["difference_set", "is_difference_set"]

_STEPS = 20_000  # partial unions that are looked at before the search gives up


@cache
def difference_set(order: int, size: int) -> tuple[int, ...] | None:
    """A set of `size` residues modulo `order` that is a difference set, or None where the search finds none.

    With lambda = size (size - 1) / (order - 1), the multiplier theorem says that for a prime p > lambda that divides
    size - lambda and not the order, some translate of D is its own p-fold. (No cyclic difference set is known where a
    smaller such prime does not do.) So unions of orbits of x -> p x are all that need be tried.

    Parameters
    ----------
    order : int
        n, at least 1.
    size : int
        1 .. n.

    Returns
    -------
    tuple of int, or None

    Notes
    -----
    Source: M. Hall, "Cyclic projective planes", 1947, for the theorem; L. D. Baumert, "Cyclic difference sets", 1971.

    Examples
    --------
    >>> difference_set(7, 3), difference_set(10, 2)
    ((1, 2, 4), None)
    >>> len(difference_set(91, 10))
    10
    """
    if size in (1, order):
        return tuple(range(size))
    if size * (size - 1) % (order - 1):
        return None
    if 2 * size > order:
        rest = difference_set(order, order - size)
        return None if rest is None else tuple(sorted(set(range(order)) - set(rest)))
    index = size * (size - 1) // (order - 1)
    for prime in _primes_of(size - index):
        if order % prime and (found := _union_of_orbits(order, size, index, prime)) is not None:
            return tuple(sorted(found.tolist()))
    return None


def is_difference_set(residues: NDArray[np.int64], order: int) -> bool:
    """Whether each residue but 0 is a difference equally often.

    Examples
    --------
    >>> is_difference_set(np.array([1, 2, 4]), 7), is_difference_set(np.array([0, 1, 2]), 7)
    (True, False)
    """
    counts = _differences(residues, residues, order)[1:]
    return bool((counts == counts[0]).all()) if order > 1 else True


def _union_of_orbits(order: int, size: int, index: int, multiplier: int) -> NDArray[np.int64] | None:
    """Search, depth first, for orbits of the multiplier whose union is a difference set."""
    orbits = _orbits(order, multiplier)
    stack = [(0, np.empty(0, dtype=np.int64), np.zeros(order, dtype=np.int64))]
    for _ in range(_STEPS):
        if not stack:
            return None
        place, chosen, counts = stack.pop()
        if len(chosen) == size:
            return chosen  # size (size - 1) differences, none above the index: all are equal to it
        if place == len(orbits):
            continue
        stack.append((place + 1, chosen, counts))
        orbit = orbits[place]
        if len(chosen) + len(orbit) <= size:
            more = counts + _differences(orbit, orbit, order)
            if len(chosen):
                more += _differences(orbit, chosen, order) + _differences(chosen, orbit, order)
            if more[1:].max() <= index:
                stack.append((place + 1, np.concatenate((chosen, orbit)), more))
    return None


def _differences(left: NDArray[np.int64], right: NDArray[np.int64], order: int) -> NDArray[np.int64]:
    """How often each residue is a difference of one of `left` and one of `right`."""
    return np.bincount(np.subtract.outer(left, right).ravel() % order, minlength=order)


def _orbits(order: int, multiplier: int) -> list[NDArray[np.int64]]:
    """The classes into which x -> multiplier x splits the residues."""
    left = set(range(order))
    orbits = []
    while left:
        orbit = [min(left)]
        while (image := orbit[-1] * multiplier % order) != orbit[0]:
            orbit.append(image)
        left -= set(orbit)
        orbits.append(np.array(orbit))
    return orbits


def _primes_of(number: int) -> list[int]:
    """The prime divisors of a number, the largest first."""
    primes, divisor = [], 2
    while number > 1:
        if number % divisor == 0:
            primes.append(divisor)
            while number % divisor == 0:
                number //= divisor
        divisor += 1
    return primes[::-1]
