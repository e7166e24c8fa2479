"""The model under training, and its updates: weighted messages flow in, a gradient and a new model flow out."""

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.divergence import Watch
from clustersim.engine.fleet import Rows
from clustersim.engine.inbox import Inbox, Positions
from clustersim.engine.problem_checks import check_vector, first_model
from clustersim.errors import ConfigurationError
from clustersim.optimizers import Optimizer
from clustersim.placements import Assignment
from clustersim.problems import Problem

__all__ = ["Model"]


class Model:
    """The parameters w, and the steps that change them.

    Parameters
    ----------
    problem : Problem
        It computes the gradients.
    optimizer : Optimizer
        It computes each new model.
    assignment : Assignment
        Which worker holds which rows.

    Attributes
    ----------
    w : ndarray of float, shape (d,)
        The present model. Every step makes a new array, since messages under way refer to older models.
    before : ndarray of float, shape (d,)
        The model before the last step.
    version : int
        The number of updates so far.
    watch : Watch
        It raises an error if the model diverges.
    """

    def __init__(self, problem: Problem, optimizer: Optimizer, assignment: Assignment) -> None:
        self.w = self.before = first_model(problem)
        self.version = 0
        self.assignment = assignment
        self._problem = problem
        self._optimizer, self._state = optimizer, optimizer.begin(self.w)
        if not callable(getattr(self._state, "step", None)):
            raise ConfigurationError(
                f"{optimizer!r}: begin() returns {self._state!r}: expected a state with step(w, gradient, "
                "update_number)"
            )
        self.watch = Watch(problem, self.w)

    def step(self, inbox: Inbox, positions: Positions, weights: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Take one step with the weighted sum of the messages at `positions`; return the gradient used.

        Raises
        ------
        DivergenceError
            If the model diverges.
        """
        if len(inbox.models) == 1 and (isinstance(positions, slice) or len(positions)):
            (model,) = inbox.models.values()
            gradient = self._part(inbox, positions, model, weights)
        else:
            gradient = self._parts(inbox, positions, weights)
        return self._move(gradient)

    def step_ahead(self, present: Rows, late: Rows | None) -> NDArray[np.float64]:
        """Take one step with a gradient at the present model and, if `late` is given, one at the previous model.

        Parameters
        ----------
        present, late : tuple
            Rows and row weights, see `Rows`.

        Returns
        -------
        ndarray of float, shape (d,)
            The sum of both gradients and that of the penalty.

        Raises
        ------
        DivergenceError
            If the model diverges.
        """
        if late is None:
            return self._move(self._problem.gradient(self.w, *present))
        gradient = np.zeros_like(self.w)  # the same order of addition as in `_parts`
        gradient += self._problem.gradient(self.before, *late)
        gradient += self._problem.gradient(self.w, *present)
        return self._move(gradient)

    def _move(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """Step with this gradient plus that of the penalty; return the sum."""
        if self.version == 0:
            check_vector(self._problem, "gradient()", gradient, self.w.shape)
        penalty = self._problem.penalty_gradient(self.w)
        if penalty is not None:
            if self.version == 0:
                check_vector(self._problem, "penalty_gradient()", penalty, self.w.shape)
            gradient = gradient + penalty
        if not (squared_norm := gradient.dot(gradient)) <= self.watch.suspicious:
            self.watch.look(self.w, self.version + 1, float(squared_norm))
        self.version += 1
        self.before = self.w
        self.w = self._state.step(self.w, gradient, self.version)
        if self.version == 1:
            check_vector(self._optimizer, "step()", self.w, self.before.shape)
        return gradient

    def _parts(self, inbox: Inbox, positions: Positions, weights: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted sum of messages of several versions, or of none, with one gradient for each version."""
        places = np.arange(len(inbox.name))[positions]
        versions = inbox.version[places]
        gradient = np.zeros_like(self.w)
        per_vector = np.repeat(versions, self.assignment.vectors[inbox.worker[places]])
        for version in np.unique(versions).tolist():
            share = weights if isinstance(weights, float) else weights[per_vector == version]
            gradient += self._part(inbox, places[versions == version], inbox.models[version], share)
        return gradient

    def _part(
        self, inbox: Inbox, positions: Positions, model: NDArray[np.float64], weights: float | NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the weighted sum of messages that were computed at the same model."""
        workers, tasks = inbox.worker, inbox.task
        if not isinstance(positions, slice):
            workers, tasks = workers[positions], tasks[positions]
        blocks = None if self.assignment.blocks == 1 else inbox.blocks[positions]
        rows, row_weights = self.assignment.gather(workers, weights, tasks, blocks)
        return self._problem.gradient(model, rows, row_weights)
