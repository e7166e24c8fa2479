"""Placements: rules that say who holds which rows, with which coefficients."""

from abc import ABC, abstractmethod

import numpy as np

from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.problems import Problem

__all__ = ["Placement", "enough_rows"]


class Placement(ABC):
    """A rule that says who holds which rows; a frozen dataclass of hyper-parameters."""

    @abstractmethod
    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:
        """Place the rows of `problem` on `workers` workers.

        Parameters
        ----------
        problem : Problem
            Its number of rows counts, and for some rules their norms or labels.
        workers : int
            n, the number of workers.
        generator : numpy.random.Generator
            Where random placements draw from; the same for every policy of a replication.

        Returns
        -------
        Assignment

        Raises
        ------
        ConfigurationError
            If the rule cannot be carried out for that many rows and workers.
        """


def enough_rows(problem: Problem, parts: int, what: str) -> None:
    """Refuse to cut the rows of a problem into more parts than there are rows."""
    if parts > problem.rows:
        raise ConfigurationError(
            f"{what}s = {parts}: the problem has only {problem.rows} rows, expected at least one row a {what}; "
            "use fewer workers or more data"
        )
