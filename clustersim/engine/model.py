"""The model under training: the problem, the optimiser and who holds which rows."""

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.divergence import Watch
from clustersim.engine.fleet import Rows
from clustersim.engine.inbox import Inbox, Positions
from clustersim.optimizers import Optimizer
from clustersim.placements import Assignment
from clustersim.problems import Problem

__all__ = ["Model"]


class Model:
    """The parameters w and how they move.

    Parameters
    ----------
    problem : Problem
    optimizer : Optimizer
    assignment : Assignment
        Who holds which rows.

    Attributes
    ----------
    w : ndarray of float, shape (d,)
        The present model. Every step makes a new array, for messages under way refer to old ones.
    before : ndarray of float, shape (d,)
        The model before the last step.
    version : int
        The number of updates behind `w`.
    watch : Watch
        Ends the run where the model runs away.
    """

    def __init__(self, problem: Problem, optimizer: Optimizer, assignment: Assignment) -> None:
        self.w = self.before = problem.initial_model()
        self.version = 0
        self.assignment = assignment
        self._problem = problem
        self._optimizer = optimizer.begin(self.w)
        self.watch = Watch(problem, self.w)

    def step(self, held: Inbox, positions: Positions, weights: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Take one step with the weighted sum of the answers at `positions`; returns the gradient used.

        Raises
        ------
        DivergenceError
            If the model runs away.
        """
        if len(held.models) == 1 and (isinstance(positions, slice) or len(positions)):
            (model,) = held.models.values()
            gradient = self._part(held, positions, model, weights)
        else:
            gradient = self._parts(held, positions, weights)
        return self._move(gradient)

    def step_ahead(self, present: Rows, late: Rows | None) -> NDArray[np.float64]:
        """Take one step with a gradient at the present model and perhaps one at the model before; returns their sum.

        Raises
        ------
        DivergenceError
            If the model runs away.
        """
        if late is None:
            return self._move(self._problem.gradient(self.w, *present))
        gradient = np.zeros_like(self.w)  # added up as in `_parts`
        gradient += self._problem.gradient(self.before, *late)
        gradient += self._problem.gradient(self.w, *present)
        return self._move(gradient)

    def _move(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Step with this gradient; returns it with the penalty's."""
        penalty = self._problem.penalty_gradient(self.w)
        if penalty is not None:
            gradient = gradient + penalty
        if not (squared_norm := gradient.dot(gradient)) <= self.watch.suspicious:
            self.watch.look(self.w, self.version + 1, float(squared_norm))
        self.version += 1
        self.before = self.w
        self.w = self._optimizer.step(self.w, gradient, self.version)
        return gradient

    def _parts(self, held: Inbox, positions: Positions, weights: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """The weighted sum of answers of many versions, or of none: one call to the problem for each version."""
        places = np.arange(len(held.name))[positions]
        versions = held.version[places]
        gradient = np.zeros_like(self.w)
        per_vector = np.repeat(versions, self.assignment.vectors[held.worker[places]])
        for version in np.unique(versions).tolist():
            share = weights if isinstance(weights, float) else weights[per_vector == version]
            gradient += self._part(held, places[versions == version], held.models[version], share)
        return gradient

    def _part(
        self, held: Inbox, positions: Positions, model: NDArray[np.float64], weights: float | NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The weighted sum of answers that were computed at the same model."""
        workers, tasks = held.worker, held.task
        if not isinstance(positions, slice):
            workers, tasks = workers[positions], tasks[positions]
        blocks = None if self.assignment.blocks == 1 else held.blocks[positions]
        rows, row_weights = self.assignment.gather(workers, weights, tasks, blocks)
        return self._problem.gradient(model, rows, row_weights)
