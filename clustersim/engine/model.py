"""The model under training: the problem, the optimiser and who holds which rows, and a watch on divergence."""

import math

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.held import Held, Positions
from clustersim.errors import ConfigurationError, DivergenceError
from clustersim.optimizers import Optimizer
from clustersim.placements import Assignment
from clustersim.problems import Problem

__all__ = ["Model"]

_SUSPICIOUS = 1e6  # growth of the squared gradient over that of the first update that calls for a look at the loss
_DIVERGED = 100.0  # growth of the objective over the first model's that settles it


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
    version : int
        The number of updates behind it.
    """

    def __init__(self, problem: Problem, optimizer: Optimizer, assignment: Assignment) -> None:
        self.w = problem.initial_model()
        self.version = 0
        self.assignment = assignment
        self._problem = problem
        self._optimizer = optimizer.begin(self.w)
        self._first_objective = problem.objective(self.w)
        self._suspicious = -1.0  # not known before the first update

    def step(self, held: Held, positions: Positions, weights: float | NDArray[np.float64]) -> NDArray[np.float64]:
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
        penalty = self._problem.penalty_gradient(self.w)
        if penalty is not None:
            gradient = gradient + penalty
        if not (squared_norm := gradient.dot(gradient)) <= self._suspicious:
            self._look(float(squared_norm))
        self.version += 1
        self.w = self._optimizer.step(self.w, gradient, self.version)
        return gradient

    def _parts(self, held: Held, positions: Positions, weights: float | NDArray[np.float64]) -> NDArray[np.float64]:
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
        self, held: Held, positions: Positions, model: NDArray[np.float64], weights: float | NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The weighted sum of answers that were computed at the same model."""
        workers, tasks = held.worker, held.task
        if not isinstance(positions, slice):
            workers, tasks = workers[positions], tasks[positions]
        blocks = None if self.assignment.blocks == 1 else held.blocks[positions]
        rows, row_weights = self.assignment.gather(workers, weights, tasks, blocks)
        return self._problem.gradient(model, rows, row_weights)

    def _look(self, squared_norm: float) -> None:
        """Stop at once when the model runs away: a gradient that has grown much calls for a look at the objective."""
        if self._suspicious < 0.0 and math.isfinite(squared_norm):
            self._suspicious = _SUSPICIOUS * squared_norm or -1.0
            return
        objective = self._problem.objective(self.w) if math.isfinite(squared_norm) else math.inf
        if objective <= _DIVERGED * self._first_objective:
            self._suspicious = _SUSPICIOUS * squared_norm
            return
        raise DivergenceError(
            f"the model diverged at update {self.version + 1}: the objective is {objective:.3g}, at first it was "
            f"{self._first_objective:.3g}; use a smaller step size{self._stable_step()}"
        )

    def _stable_step(self) -> str:
        """Name the largest stable step of the full gradient, where it is known."""
        try:
            largest = 2.0 / self._problem.smoothness()
        except ConfigurationError:
            return ""
        return f": gradient descent is stable below 2 / L = {largest:.3g}, updates from few workers need somewhat less"
