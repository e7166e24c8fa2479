"""Cyclic repetition: neighbouring workers share partitions, and any n - s messages determine the full gradient.

`cyclic_code` takes a random generator and returns an encoding matrix. Most of this module searches for a matrix that
decodes accurately: see the notes of `CyclicRepetition`.
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
from clustersim.placements.partition import place_partitions
from clustersim.problems import Problem

__all__ = ["CyclicRepetition", "cyclic_code"]

Floats = NDArray[np.float64]

# The search stops at the first code whose decoding weights are all shorter than the limit: `_GOOD_LENGTH` for the first
# `_CANDIDATES` codes, `_MAX_LENGTH` up to `_MAX_CANDIDATES`. Rounding leaves an error of about 3e-16 times the length,
# so that ten digits are left up to a length of 3e5.
_CANDIDATES = 20
_MAX_CANDIDATES = 200
_GOOD_LENGTH = 1e3
_MAX_LENGTH = 1e5
_NOISE = 0.03  # added to the waves; without it, some sets of stragglers are exactly singular
_MAX_SETS = 4000  # sets of stragglers that are tried


@dataclass(frozen=True)
class CyclicRepetition(Placement):
    r"""Worker i holds the partitions i, ..., i + c - 1 (mod n); any n - c + 1 messages determine the full gradient.

    There are n partitions, as many as workers. Worker i sends :math:`\sum_j B_{ij} g_j`. Row i of B is non-zero only on
    the c partitions of worker i, and orthogonal to the rows of a random matrix H, shape (c - 1, n), whose rows sum to
    zero. Any c - 1 columns of H are linearly independent, so any n - c + 1 rows of B span the orthogonal complement of
    the rows of H. This complement includes the vector of ones; least squares finds the decoding weights.

    Parameters
    ----------
    load : int
        c, the number of partitions that each worker computes, 1 .. n. The code tolerates c - 1 stragglers.

    Raises
    ------
    ConfigurationError
        If the load is not a whole number, at least 1. At the start of a run, if the load exceeds the number of workers,
        or if no code of this size was found that decodes to ten digits.

    Notes
    -----
    Source: Tandon, Lei, Dimakis and Karampatziakis, "Gradient coding: avoiding stragglers in distributed learning",
    2017, Algorithm 2. In the paper, the entries of H are normal. Rounding leaves an error in the gradient of about
    3e-16 times the length of the decoding weights. With normal entries, n = 100 and c = 5, that length is 2000 for half
    of all sets of stragglers and above 1e5 for one in a hundred. Here the rows of H are sines and cosines of random
    frequencies with a little noise, so that B is nearly a circulant filter that passes the constant vector. For each
    candidate, the longest weights are computed over all sets of stragglers, or over up to 4000 random sets and all sets
    of neighbours. The search draws several candidates and takes the one whose longest weights are shortest.

    For n = 100 and c = 5 the length is then 10 for half of the sets and at most 440 for 99 in a hundred. For about one
    set in 30,000 it is still too long for ten digits (3e5). Then `Assignment.missing` requires one more message. Up to
    n = 14 there is no such set. Sizes for which the limit is exceeded on a tested set are refused: load 40 of 500
    workers is, no tested load of up to 200 workers is.

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
        """Draw a random code and place the partitions."""
        remedy = f"there are only {workers} partitions, one for each worker"
        integer("load", self.load, low=1, high=workers, remedy=remedy)
        enough_rows(problem, workers, "worker")
        code = cyclic_code(workers, self.load, generator)
        return place_partitions(problem.rows, code, recovery=workers - self.load + 1)


def cyclic_code(workers: int, load: int, generator: np.random.Generator) -> Floats:
    """Draw a random encoding matrix B; any n - load + 1 of its rows combine to the vector of ones.

    Parameters
    ----------
    workers : int
        n, the number of workers and of partitions.
    load : int
        c, the number of partitions of each worker.
    generator : numpy.random.Generator
        The generator that draws the candidates.

    Returns
    -------
    ndarray of float, shape (workers, partitions)

    Raises
    ------
    ConfigurationError
        If rounding would leave fewer than ten digits.
    """
    if load in (1, workers):
        return np.eye(workers) if load == 1 else np.ones((workers, workers))
    sets = _straggler_sets(workers, load - 1, generator)
    best, shortest = np.empty(0), math.inf
    for candidate in range(_MAX_CANDIDATES):
        if shortest < (_GOOD_LENGTH if candidate < _CANDIDATES else _MAX_LENGTH):
            break
        code = _encoding(_parity(workers, load - 1, generator))
        if (longest := _longest_weights(code, sets)) < shortest:
            best, shortest = code, longest
    if shortest > _MAX_LENGTH:
        raise ConfigurationError(
            f"load = {load}: with {workers} workers no cyclic code was found that decodes to ten digits after any "
            f"{load - 1} stragglers (the length of the weights reaches {shortest:.1g}); use fewer workers or "
            "FractionalRepetition"
        )
    return best


def _parity(workers: int, stragglers: int, generator: np.random.Generator) -> Floats:
    """Draw H, shape (stragglers, workers): orthonormal rows that sum to zero."""
    angles = 2.0 * np.pi / workers * np.arange(workers)
    available, needed = (workers - 1) // 2, (stragglers + workers % 2) // 2
    slow = min(available // 10, available - needed)  # low frequencies are left out: they nearly cancel the constant too
    frequencies = 1 + slow + generator.permutation(available - slow)
    rows = [wave(f * angles) for f in frequencies[: stragglers // 2] for wave in (np.cos, np.sin)]
    if stragglers % 2 and workers % 2 == 0:
        rows.append(np.cos(workers // 2 * angles) / math.sqrt(2.0))
    elif stragglers % 2:
        rows.append(np.cos(frequencies[stragglers // 2] * angles + generator.uniform(0.0, 2.0 * np.pi)))
    noisy = np.array(rows) + _NOISE * generator.standard_normal((stragglers, workers))
    orthonormal: Floats = np.linalg.qr((noisy - noisy.mean(axis=1, keepdims=True)).T)[0].T
    return orthonormal


def _encoding(parity: Floats) -> Floats:
    """Return B: row i is orthogonal to H, non-zero only on i, ..., i + s (mod n), and has mean square 1 there."""
    stragglers, workers = parity.shape
    support = (np.arange(workers)[:, None] + np.arange(stragglers + 1)) % workers
    bases = np.linalg.qr(parity.T[support], mode="complete")[0]  # (n, c, c): the last column is orthogonal to H
    vectors = bases[:, :, -1] * math.sqrt(stragglers + 1.0)
    code = np.zeros((workers, workers))
    np.put_along_axis(code, support, vectors * np.where(vectors.sum(axis=1) < 0.0, -1.0, 1.0)[:, None], axis=1)
    return code


def _straggler_sets(workers: int, stragglers: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return all sets of stragglers of this size; if there are too many, random ones and all sets of neighbours."""
    if math.comb(workers, stragglers) <= _MAX_SETS:
        return np.array(list(itertools.combinations(range(workers), stragglers)))
    affordable = min(_MAX_SETS, max(100, 2 * 10**7 // stragglers**3))
    random = np.argsort(generator.random((affordable, workers)), axis=1)[:, :stragglers]
    neighbours = (np.arange(workers)[:, None] + np.arange(stragglers)) % workers
    return np.concatenate((random, neighbours))


def _longest_weights(code: Floats, sets: NDArray[np.int64]) -> float:
    """Return the largest length of the decoding weights over the given sets of stragglers.

    All decoding weights have the form ``a0 + L y``, where the columns of L span the null space of B^T. For a set S of
    stragglers, y solves ``(a0 + L y)_S = 0``.
    """
    workers, stragglers = len(code), sets.shape[1]
    rank = workers - stragglers
    q, r, _ = linalg.qr(code, pivoting=True, check_finite=False)  # pivoting does not change the vector of ones
    null = q[:, rank:]
    shortest = q[:, :rank] @ linalg.solve_triangular(r[:rank, :rank], np.ones(rank), trans="T", check_finite=False)
    try:
        y = np.linalg.solve(null[sets], -shortest[sets][..., None])[..., 0]
    except np.linalg.LinAlgError:
        return math.inf
    return float(np.sqrt(shortest @ shortest + np.max(np.sum(y * y, axis=1))))
