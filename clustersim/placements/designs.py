"""Block designs: placements in which any two partitions share equally many workers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer, store
from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement, enough_rows
from clustersim.placements.difference_sets import difference_set
from clustersim.placements.hadamard import hadamard
from clustersim.placements.partition import place_runs
from clustersim.problems import Problem

__all__ = ["BlockDesign"]


@dataclass(frozen=True)
class BlockDesign(Placement):
    r"""Partitions on d workers each, any two of which share the same number of workers.

    Two families are known to it:

    - a cyclic difference set D of size d modulo n: n partitions, partition j on the workers j + D (mod n). Two of them
      share :math:`\lambda = d (d - 1) / (n - 1)` workers, a little under :math:`d^2 / n`; loads are equal.
    - d = n / 2 and a Hadamard matrix of order n: n - 1 partitions, two of which share exactly :math:`d^2 / n`, which is
      SGC's pairwise balance; loads are not equal.

    Coefficients are 1 / d.

    Parameters
    ----------
    redundancy : int
        d, 1 .. n.

    Raises
    ------
    ConfigurationError
        If d is no whole number, at least 1, or (at the start of a run) no such design is known for so many workers; the
        message names redundancies and numbers of workers for which there is one.

    Notes
    -----
    Source: Bitar, Wootters and El Rouayheb 2020, Definition 1.

    Exact balance cannot hold for more than n - 1 rows (d < n): with :math:`u_i = 1_{S_i} - d_i / n`, balance says that
    the u_i are orthogonal, and all of them are orthogonal to the vector of ones. It follows also from the nonuniform
    Fisher inequality. So it holds at best between partitions; rows of one partition share all their d workers. Nor can
    it hold with equal loads: counting the pairs of partitions at each worker, the loads' variance is
    :math:`N d (1 - d / n) / n` for N partitions. `imbalance` measures what is left.

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> problem = LeastSquares.synthetic(rows=14, features=2, seed=1)
    >>> assignment = BlockDesign(3).assign(problem, 7, np.random.default_rng(0))
    >>> shared = (assignment.matrix.toarray() > 0).T.astype(int) @ (assignment.matrix.toarray() > 0)
    >>> shared[0, ::2].tolist()
    [3, 1, 1, 1, 1, 1, 1]
    >>> BlockDesign(3).assign(problem, 10, np.random.default_rng(0))
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: redundancy = 3: no pairwise-balanced design on 10 workers is known; with 10
    workers the redundancy can be 1, 9, 10, and redundancy 3 is possible with 3, 4, 7 workers
    """

    redundancy: int

    def __post_init__(self) -> None:
        store(self, redundancy=integer("redundancy", self.redundancy, low=1))

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:  # noqa: ARG002
        """Find a design and place the partitions."""
        remedy = "a row cannot be on more workers than there are"
        integer("redundancy", self.redundancy, low=1, high=workers, remedy=remedy)
        incidence = _design(workers, self.redundancy)
        if incidence is None:
            raise _no_design(workers, self.redundancy)
        enough_rows(problem, incidence.shape[1], "partition")
        return place_runs(problem.rows, incidence / self.redundancy)


def _design(workers: int, redundancy: int) -> NDArray[np.int64] | None:
    """Which worker holds which partition, shape (workers, partitions), or None where nothing is known."""
    if redundancy > workers:
        return None
    if (base := difference_set(workers, redundancy)) is not None:
        incidence = np.zeros((workers, workers), dtype=np.int64)
        partitions = np.arange(workers)
        for residue in base:
            incidence[(partitions + residue) % workers, partitions] = 1
        return incidence
    if 2 * redundancy == workers and (signs := hadamard(workers)) is not None:
        return (_even_loads(signs[1:] * signs[0]).T + 1) // 2
    return None


def _even_loads(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Change the signs of whole rows, one after the other, so that no column adds up to much, nor to nothing held."""
    sums = np.zeros(rows.shape[1], dtype=np.int64)
    signs = np.ones((len(rows), 1), dtype=np.int64)
    for place, row in enumerate(rows):
        if np.sum((sums - row) ** 4) < np.sum((sums + row) ** 4):
            signs[place] = -1
        sums += signs[place] * row
    signed = signs * rows
    return signed if int(sums.min()) > -len(rows) else -signed


def _no_design(workers: int, redundancy: int) -> ConfigurationError:
    """Say for which redundancies and for how many workers there is one instead."""
    here = [size for size in range(1, workers + 1) if _design(workers, size) is not None]
    pairs = redundancy * (redundancy - 1)
    possible = {2 * redundancy, *(pairs // shared + 1 for shared in range(1, redundancy + 1) if pairs % shared == 0)}
    elsewhere = [count for count in sorted(possible) if _design(count, redundancy) is not None]
    return ConfigurationError(
        f"redundancy = {redundancy}: no pairwise-balanced design on {workers} workers is known; with {workers} workers "
        f"the redundancy can be {_listed(here)}, and redundancy {redundancy} is possible with {_listed(elsewhere)} "
        "workers"
    )


def _listed(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers)
