"""Workers that send the gradient of every row separately, instead of one combined vector."""

from dataclasses import dataclass, replace

import numpy as np

from clustersim.checks import instance
from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement
from clustersim.problems import Problem

__all__ = ["Uncombined"]


@dataclass(frozen=True)
class Uncombined(Placement):
    """The rows of another placement; a message consists of one vector for each row that its worker holds.

    Coefficients are dropped: the master receives the gradient of every row, and the decoder sets its weight.

    Parameters
    ----------
    placement : Placement
        The placement of the rows.

    Raises
    ------
    ConfigurationError
        If `placement` is not a placement.

    Notes
    -----
    Source: Bitar, Wootters and El Rouayheb 2020, Table I (SGC-Send-All).

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> from clustersim.placements import UniformReplication
    >>> problem = LeastSquares.synthetic(rows=100, features=2, seed=1)
    >>> assignment = Uncombined(UniformReplication(2)).assign(problem, 10, np.random.default_rng(0))
    >>> int(assignment.vectors.sum()), assignment.combined
    (200, False)
    """

    placement: Placement

    def __post_init__(self) -> None:
        instance("placement", self.placement, Placement, "a placement, such as UniformReplication(2)")

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:
        """Place the rows as `placement` does, with the same random draws."""
        placed = self.placement.assign(problem, workers, generator)
        return replace(placed, coefficients=None, combined=False, recovery=None)
