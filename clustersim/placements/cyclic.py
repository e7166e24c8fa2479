"""Cyclic repetition: neighbouring workers share partitions, and any n - s answers give the full gradient.

A generator of random numbers flows in, an encoding matrix flows out. The search for one that decodes accurately is the
whole difficulty: see the notes of `CyclicRepetition`.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from clustersim.checks import integer, store
from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement, enough_rows
from clustersim.placements.partition import place_runs
from clustersim.problems import Problem

__all__ = ["CyclicRepetition", "cyclic_code"]

Floats = NDArray[np.float64]

_CANDIDATES = 20
_PATIENCE = 200  # candidates, if none of the first ones will do
_GOOD = 1e3  # longest decoding vector with which the search is content
_LONGEST = 1e5  # and the longest that will do: rounding leaves about 3e-16 times the length, ten digits end at 3e5
_JITTER = 0.03  # noise on the frequencies: without it some sets of stragglers are exactly singular
_SETS = 4000


@dataclass(frozen=True)
class CyclicRepetition(Placement):
    r"""Worker i holds the partitions i, ..., i + c - 1 (mod n); any n - c + 1 answers give the full gradient.

    There are as many partitions as workers. Worker i sends :math:`\sum_j B_{ij} g_j`, where row i of B is the vector on
    its c partitions that is orthogonal to the rows of a random matrix H, shape (c - 1, n), whose rows add up to zero.
    Every c - 1 columns of H are independent, so any n - c + 1 rows of B span all that is orthogonal to H, the vector of
    ones included: least squares finds their decoding weights.

    Parameters
    ----------
    load : int
        c, the partitions that each worker computes, 1 .. n; c - 1 stragglers are survived.

    Raises
    ------
    ConfigurationError
        If the load is no whole number, at least 1, or (at the start of a run) beyond the number of workers, or if no
        code of that size decodes to ten digits.

    Notes
    -----
    Source: Tandon, Lei, Dimakis and Karampatziakis, "Gradient coding: avoiding stragglers in distributed learning",
    2017, Algorithm 2. They draw H normal. Rounding leaves an error in the gradient of about 3e-16 times the length of
    the decoding weights; with normal draws, n = 100 and c = 5 that length is 2000 for half of all sets of stragglers
    and above 1e5 for one in a hundred. Here the rows of H are sines and cosines of random frequencies with a little
    noise, so that B is nearly a circulant filter that passes the constant vector. Of several draws that one is taken
    whose longest weights, over all sets of stragglers or 4000 random ones and all runs of neighbours, are shortest.

    For n = 100 and c = 5 the length is then 10 for half of the sets and 440 at most for 99 in a hundred. About one set
    in 30,000 is still beyond ten digits (3e5): then `Assignment.missing` asks for one answer more. Up to n = 14 no set
    is beyond. Sizes for which one set in 4000 would be are refused: load 40 of 500 workers, no load of up to 200
    workers that was tried.

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> problem = LeastSquares.synthetic(rows=10, features=2, seed=1)
    >>> assignment = CyclicRepetition(3).assign(problem, 5, np.random.default_rng(0))
    >>> (assignment.matrix.toarray()[4] != 0.0).astype(int).tolist(), assignment.recovery
    ([1, 1, 1, 1, 0, 0, 0, 0, 1, 1], 3)
    >>> weights, residual = assignment.decode(np.array([4, 0, 2]))
    >>> bool(np.allclose(weights @ assignment.matrix.toarray()[[4, 0, 2]], 1.0)), residual < 1e-12
    (True, True)
    """

    load: int

    def __post_init__(self) -> None:
        store(self, load=integer("load", self.load, low=1))

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:
        """Draw a code and place the partitions."""
        remedy = f"there are only {workers} partitions, one a worker"
        integer("load", self.load, low=1, high=workers, remedy=remedy)
        enough_rows(problem, workers, "worker")
        code = cyclic_code(workers, self.load, generator)
        return place_runs(problem.rows, code, recovery=workers - self.load + 1)


def cyclic_code(workers: int, load: int, generator: np.random.Generator) -> Floats:
    """Draw an encoding matrix B, shape (workers, partitions), of which any n - load + 1 rows combine to ones.

    Raises
    ------
    ConfigurationError
        If rounding would leave fewer than ten digits.
    """
    if load in (1, workers):
        return np.eye(workers) if load == 1 else np.ones((workers, workers))
    sets = _straggler_sets(workers, load - 1, generator)
    best, shortest = np.empty(0), math.inf
    for candidate in range(_PATIENCE):
        if shortest < (_GOOD if candidate < _CANDIDATES else _LONGEST):
            break
        code = _encoding(_parity(workers, load - 1, generator))
        if (longest := _longest_weights(code, sets)) < shortest:
            best, shortest = code, longest
    if shortest > _LONGEST:
        raise ConfigurationError(
            f"load = {load}: with {workers} workers no cyclic code was found that decodes to ten digits after any "
            f"{load - 1} stragglers (its weights reach {shortest:.1g}); use fewer workers or FractionalRepetition"
        )
    return best


def _parity(workers: int, stragglers: int, generator: np.random.Generator) -> Floats:
    """H, shape (stragglers, workers): orthonormal rows that add up to zero."""
    angles = 2.0 * np.pi / workers * np.arange(workers)
    available, needed = (workers - 1) // 2, (stragglers + workers % 2) // 2
    slow = min(available // 10, available - needed)  # these all but cancel the constant vector as well
    frequencies = 1 + slow + generator.permutation(available - slow)
    rows = [wave(f * angles) for f in frequencies[: stragglers // 2] for wave in (np.cos, np.sin)]
    if stragglers % 2 and workers % 2 == 0:
        rows.append(np.cos(workers // 2 * angles) / math.sqrt(2.0))
    elif stragglers % 2:
        rows.append(np.cos(frequencies[stragglers // 2] * angles + generator.uniform(0.0, 2.0 * np.pi)))
    noisy = np.array(rows) + _JITTER * generator.standard_normal((stragglers, workers))
    orthonormal: Floats = np.linalg.qr((noisy - noisy.mean(axis=1, keepdims=True)).T)[0].T
    return orthonormal


def _encoding(parity: Floats) -> Floats:
    """B: row i is orthogonal to H, lives on i, ..., i + s (mod n), and has the mean square 1 there."""
    stragglers, workers = parity.shape
    support = (np.arange(workers)[:, None] + np.arange(stragglers + 1)) % workers
    bases = np.linalg.qr(parity.T[support], mode="complete")[0]  # (n, c, c): the last column is what is left over
    vectors = bases[:, :, -1] * math.sqrt(stragglers + 1.0)
    code = np.zeros((workers, workers))
    np.put_along_axis(code, support, vectors * np.where(vectors.sum(axis=1) < 0.0, -1.0, 1.0)[:, None], axis=1)
    return code


def _straggler_sets(workers: int, stragglers: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """All sets of that many stragglers, or as many random ones as can be tried, and the runs of neighbours."""
    if math.comb(workers, stragglers) <= _SETS:
        return np.array(list(itertools.combinations(range(workers), stragglers)))
    affordable = min(_SETS, max(100, 2 * 10**7 // stragglers**3))
    random = np.argsort(generator.random((affordable, workers)), axis=1)[:, :stragglers]
    runs = (np.arange(workers)[:, None] + np.arange(stragglers)) % workers
    return np.concatenate((random, runs))


def _longest_weights(code: Floats, sets: NDArray[np.int64]) -> float:
    """Largest length of the decoding weights after any of these sets of stragglers.

    All weights that decode are ``a0 + L y``, where the columns of L span what B maps to nothing: a set S of stragglers
    makes y the solution of ``(a0 + L y)_S = 0``.
    """
    workers, stragglers = len(code), sets.shape[1]
    rank = workers - stragglers
    q, r, _ = linalg.qr(code, pivoting=True, check_finite=False)  # the permutation leaves the vector of ones as it is
    null = q[:, rank:]
    shortest = q[:, :rank] @ linalg.solve_triangular(r[:rank, :rank], np.ones(rank), trans="T", check_finite=False)
    try:
        y = np.linalg.solve(null[sets], -shortest[sets][..., None])[..., 0]
    except np.linalg.LinAlgError:
        return math.inf
    return float(np.sqrt(shortest @ shortest + np.max(np.sum(y * y, axis=1))))
