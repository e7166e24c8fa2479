"""Search for cyclic difference sets, the base blocks of cyclic block designs (`clustersim.placements.BlockDesign`).

A cyclic difference set is a set D of residues modulo n. Every residue except 0 occurs equally often among the
differences of its elements.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["difference_set", "is_difference_set"]

_MAX_STEPS = 20_000  # partial unions that are tried before the search gives up


@cache
def difference_set(order: int, size: int) -> tuple[int, ...] | None:
    """Return a difference set of `size` residues modulo `order`, or None if the search finds none.

    Let lambda = size (size - 1) / (order - 1), and let p be a prime greater than lambda that divides size - lambda but
    not the order. By the multiplier theorem, multiplication by p maps some translate of D to itself. (For all known
    cyclic difference sets, this is also true of smaller such primes.) So the search tries only unions of orbits of
    x -> p x.

    Parameters
    ----------
    order : int
        n, the modulus, at least 1.
    size : int
        Number of residues, 1 .. n.

    Returns
    -------
    tuple of int, or None
        The residues in ascending order.

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
    """Return whether every residue except 0 occurs equally often among the differences.

    Examples
    --------
    >>> is_difference_set(np.array([1, 2, 4]), 7), is_difference_set(np.array([0, 1, 2]), 7)
    (True, False)
    """
    counts = _differences(residues, residues, order)[1:]
    return bool((counts == counts[0]).all()) if order > 1 else True


def _union_of_orbits(order: int, size: int, index: int, multiplier: int) -> NDArray[np.int64] | None:
    """Search depth-first for orbits of the multiplier whose union is a difference set; None if there are none."""
    orbits = _orbits(order, multiplier)
    stack = [(0, np.empty(0, dtype=np.int64), np.zeros(order, dtype=np.int64))]
    for _ in range(_MAX_STEPS):
        if not stack:
            return None
        place, chosen, counts = stack.pop()
        if len(chosen) == size:
            return chosen  # size (size - 1) differences and no count above the index: every count equals the index
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
    """Count how often each residue is the difference of an element of `left` and one of `right`."""
    return np.bincount(np.subtract.outer(left, right).ravel() % order, minlength=order)


def _orbits(order: int, multiplier: int) -> list[NDArray[np.int64]]:
    """Return the orbits of x -> multiplier x on the residues."""
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
    """Return the prime divisors of a number, in descending order."""
    primes, divisor = [], 2
    while number > 1:
        if number % divisor == 0:
            primes.append(divisor)
            while number % divisor == 0:
                number //= divisor
        divisor += 1
    return primes[::-1]
