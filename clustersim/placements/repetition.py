"""Fractional repetition: the workers of a group hold the same rows, so that one message of a group is enough."""

from dataclasses import dataclass

import numpy as np

from clustersim.checks import integer, store
from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement, enough_rows
from clustersim.placements.partition import even_starts
from clustersim.problems import Problem

__all__ = ["Everything", "FractionalRepetition"]


@dataclass(frozen=True)
class FractionalRepetition(Placement):
    r"""FRC(n, k, c): n partitions on k workers, c on each worker, in n / c groups of :math:`l = kc/n` workers.

    Group g consists of the workers gl, ..., (g + 1)l - 1. All of them hold the partitions gc, ..., (g + 1)c - 1 and
    send the sum of their gradients. A partition consists of m / n rows; the paper calls it a task. Any k - l + 1
    messages include one from every group.

    Parameters
    ----------
    load : int
        c, the number of partitions of each worker.
    tasks : int, optional
        n, the number of partitions; if not given, the number of workers, so that l = c.

    Raises
    ------
    ConfigurationError
        If a parameter is not a whole number, at least 1. At the start of a run, if the load exceeds or does not divide
        the number of partitions, or if the workers do not split evenly into the groups.

    Notes
    -----
    Source: Wang, Charles and Papailiopoulos 2019, section 2, after Tandon et al. 2017.

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> problem = LeastSquares.synthetic(rows=12, features=2, seed=1)
    >>> assignment = FractionalRepetition(2).assign(problem, 6, np.random.default_rng(0))
    >>> assignment.groups.tolist(), assignment.loads.tolist(), assignment.recovery
    ([0, 0, 1, 1, 2, 2], [2.0, 2.0, 2.0, 2.0, 2.0, 2.0], 5)
    >>> assignment.rows_of(np.array([0, 3])).tolist()
    [0, 1, 2, 3, 4, 5, 6, 7]
    """

    load: int
    tasks: int | None = None

    def __post_init__(self) -> None:
        store(self, load=integer("load", self.load, low=1))
        if self.tasks is not None:
            store(self, tasks=integer("tasks", self.tasks, low=1))

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:  # noqa: ARG002
        """Form the groups and give each group its rows."""
        groups = self._groups(workers)
        enough_rows(problem, groups, "group")
        size = workers // groups
        starts, members = even_starts(problem.rows, groups), np.repeat(np.arange(groups), size)
        return Assignment(problem.rows, starts, np.arange(problem.rows), recovery=workers - size + 1, shared=members)

    def _groups(self, workers: int) -> int:
        """Return the number of groups, n / c, after checking that load and workers fit."""
        tasks = workers if self.tasks is None else self.tasks
        of = "workers" if self.tasks is None else "tasks"
        if self.load > tasks or tasks % self.load:
            raise ConfigurationError(
                f"load = {self.load}: expected a divisor of the {tasks} {of}; the nearest are "
                f"{_listed(_nearest_divisors(tasks, self.load))}"
            )
        groups = tasks // self.load
        if workers % groups:
            raise ConfigurationError(
                f"tasks = {tasks}, load = {self.load}: {workers} workers do not split into {groups} groups of equal "
                f"size; expected a multiple of {groups} workers"
            )
        return groups


@dataclass(frozen=True)
class Everything(Placement):
    """Every worker holds all rows, as in training with random mini-batches.

    With mini-batches, a task computes `batch` rows; without them, it computes the whole data set.

    Notes
    -----
    Source: Chen, Pan, Monga, Bengio and Jozefowicz, "Revisiting distributed synchronous SGD", 2016, section 2.

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> problem = LeastSquares.synthetic(rows=12, features=2, seed=1)
    >>> assignment = Everything().assign(problem, 3, np.random.default_rng(0))
    >>> assignment.sizes.tolist(), assignment.loads.tolist(), assignment.recovery
    ([12, 12, 12], [3.0, 3.0, 3.0], 1)
    """

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:  # noqa: ARG002
        """Give all rows to all workers."""
        starts, one_group = np.array([0, problem.rows]), np.zeros(workers, dtype=np.int64)
        return Assignment(problem.rows, starts, np.arange(problem.rows), recovery=1, shared=one_group)


def _nearest_divisors(number: int, near: int) -> list[int]:
    """Return the largest divisor of `number` below `near` and the smallest one above, as far as they exist."""
    divisors = [d for d in range(1, number + 1) if number % d == 0]
    below, above = [d for d in divisors if d < near], [d for d in divisors if d > near]
    return below[-1:] + above[:1]


def _listed(numbers: list[int]) -> str:
    """Return numbers as text, joined by "and"."""
    return " and ".join(str(number) for number in numbers)
