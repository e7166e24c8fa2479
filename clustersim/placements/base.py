"""The interface of all placements: rules that say which worker holds which rows, with which coefficients."""

from abc import ABC, abstractmethod

import numpy as np

from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.problems import Problem

__all__ = ["Placement", "enough_rows"]


class Placement(ABC):
    """Base class of placements: a rule that says which worker holds which rows.

    Subclasses are frozen dataclasses whose fields are the hyper-parameters of the rule.

    Examples
    --------
    Deal the rows to the workers in turn:

    >>> import clustersim as cs
    >>> class RoundRobin(Placement):
    ...     def assign(self, problem, workers, generator):
    ...         parts = [np.arange(worker, problem.rows, workers) for worker in range(workers)]
    ...         starts = np.cumsum([0, *map(len, parts)])
    ...         return Assignment(problem.rows, starts, np.concatenate(parts))
    >>> problem = cs.LeastSquares.synthetic(rows=5, features=2, seed=1)
    >>> assignment = RoundRobin().assign(problem, 2, np.random.default_rng(0))
    >>> assignment.rows_of(np.array([0])).tolist(), assignment.rows_of(np.array([1])).tolist()
    ([0, 2, 4], [1, 3])
    """

    @abstractmethod
    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:
        """Place the rows of `problem` on `workers` workers.

        Parameters
        ----------
        problem : Problem
            The problem. Placements use its number of rows; some also use the norms or labels of the rows.
        workers : int
            n, the number of workers.
        generator : numpy.random.Generator
            The generator of random placements; it is in the same state for every policy of a replication.

        Returns
        -------
        Assignment

        Raises
        ------
        ConfigurationError
            If the rule does not work for this number of rows or workers.
        """


def enough_rows(problem: Problem, parts: int, what: str) -> None:
    """Check that a problem has at least one row for each part; `what` is the singular noun for a part."""
    if parts > problem.rows:
        raise ConfigurationError(
            f"{what}s = {parts}: the problem has only {problem.rows} rows, expected at least one row for each {what}; "
            "use fewer workers or more data"
        )
