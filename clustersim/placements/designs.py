"""Block designs: placements in which any two partitions share the same number of workers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer, store
from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement, enough_rows
from clustersim.placements.difference_sets import difference_set
from clustersim.placements.hadamard import hadamard
from clustersim.placements.partition import place_partitions
from clustersim.problems import Problem

__all__ = ["BlockDesign"]


@dataclass(frozen=True)
class BlockDesign(Placement):
    r"""Each partition on d workers; any two partitions share the same number of workers.

    There are two families of designs:

    - a cyclic difference set D of size d modulo n: there are n partitions, and partition j is on the workers j + D
      (mod n). Two of them share :math:`\lambda = d (d - 1) / (n - 1)` workers, a little less than :math:`d^2 / n`. All
      loads are equal.
    - d = n / 2 and a Hadamard matrix of order n: there are n - 1 partitions. Two of them share exactly
      :math:`d^2 / n` workers, which is SGC's pairwise balance. Loads are not equal.

    Coefficients are 1 / d.

    Parameters
    ----------
    redundancy : int
        d, the number of workers of each row, 1 .. n.

    Raises
    ------
    ConfigurationError
        If d is not a whole number, at least 1, or (at the start of a run) if no design is known for this number of
        workers. The message names redundancies and numbers of workers for which there is a design.

    Notes
    -----
    Source: Bitar, Wootters and El Rouayheb 2020, Definition 1.

    Exact balance is impossible for more than n - 1 rows (d < n). Let :math:`u_i = 1_{S_i} - d_i / n`. Balance means
    that the u_i are orthogonal, and all of them are orthogonal to the vector of ones. The nonuniform Fisher inequality
    also implies the bound. So balance is possible only between partitions; rows of one partition share all their d
    workers. Balance is also impossible with equal loads: counting the pairs of partitions on each worker shows that the
    variance of the loads is :math:`N d (1 - d / n) / n` for N partitions. `imbalance` measures what is left.

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
        return place_partitions(problem.rows, incidence / self.redundancy)


def _design(workers: int, redundancy: int) -> NDArray[np.int64] | None:
    """Return the 0-1 matrix of workers and partitions, shape (workers, partitions), or None if no design is known."""
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
    """Change the signs of whole rows in turn, to keep the column sums small and every worker's load positive."""
    sums = np.zeros(rows.shape[1], dtype=np.int64)
    signs = np.ones((len(rows), 1), dtype=np.int64)
    for i, row in enumerate(rows):
        if np.sum((sums - row) ** 4) < np.sum((sums + row) ** 4):
            signs[i] = -1
        sums += signs[i] * row
    signed = signs * rows
    return signed if int(sums.min()) > -len(rows) else -signed


def _no_design(workers: int, redundancy: int) -> ConfigurationError:
    """Return the error for an unknown design, with redundancies and numbers of workers for which one is known."""
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
    """Return numbers as text, separated by commas."""
    return ", ".join(str(number) for number in numbers)
