"""The watch on divergence: a model that diverges, fast or slowly, ends the run with an error.

Gradients flow in at every step, objectives at every evaluation. A `DivergenceError` flows out if the model diverges.

*Fast* divergence shows within a step or two, in the gradient. If its norm has grown a thousandfold, and its square a
millionfold, the watch evaluates the objective.

*Slow* divergence shows at evaluations, where the objective is known anyway. The watch reports it if the objective has
grown a hundredfold since the first model, and tenfold since the highest evaluation in the first half of the updates so
far. This does not report healthy runs:

- A run that starts at or near the optimum, with noise about a floor. The watch compares objectives, not errors. The
  noise of gradients comes from the losses of the rows at the optimum. For any stable step the floor of the error is
  therefore of the size of the least objective, and the first objective is at least that. If both objectives are nothing
  but rounding errors, the watch reports nothing.
- Momentum that overshoots. At the edge of stability the objective grows like a polynomial, as t squared for one double
  root. After twice as many updates it is four times as large, not ten times. A diverging objective grows exponentially.
- The first, long steps of a schedule that overshoot. The watch does not judge the first few updates. If the objective
  still grows after them, the watch on gradients has already reported it.
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.problem_checks import first_objective
from clustersim.errors import ConfigurationError, DivergenceError
from clustersim.problems import Problem

__all__ = ["Watch"]

_SUSPICIOUS = 1e6  # growth of the squared gradient since the first update at which the objective is evaluated
_DIVERGED = 100.0  # growth of the objective since the first model that counts as divergence
_SUSTAINED = 10.0  # growth since the highest evaluation in the first half of the updates; momentum causes less
_EARLY = 20  # updates in which schedules may still overshoot
_ROUNDING = 1e-20  # fraction of L ||w||^2; objectives below it are rounding errors


class Watch:
    """The objectives of a run so far, and the check whether the model diverges.

    Parameters
    ----------
    problem : Problem
        It evaluates the objective.
    w : ndarray of float, shape (d,)
        The first model.

    Attributes
    ----------
    suspicious : float
        The squared norm of a gradient above which `look` must be called; -1 before the first update.
    """

    def __init__(self, problem: Problem, w: NDArray[np.float64]) -> None:
        self.suspicious = -1.0
        self._problem = problem
        self._first = self._highest = first_objective(problem, w)
        self._recent: deque[tuple[int, float]] = deque()  # evaluations in the second half of the updates so far

    def look(self, w: NDArray[np.float64], update: int, squared_norm: float) -> None:
        """Evaluate the objective, since the gradient of this update is large or the first one.

        Parameters
        ----------
        w : ndarray of float, shape (d,)
            The model before the update.
        update : int
            The number of the update, from 1.
        squared_norm : float
            The squared norm of its gradient.

        Raises
        ------
        DivergenceError
            If the objective has also grown.
        """
        if self.suspicious < 0.0 and math.isfinite(squared_norm):
            self.suspicious = _SUSPICIOUS * squared_norm or -1.0
            return
        objective = self._problem.objective(w) if math.isfinite(squared_norm) else math.inf
        if objective <= _DIVERGED * self._first:
            self.suspicious = _SUSPICIOUS * squared_norm
            return
        raise self._diverged(update, objective)

    def evaluated(self, w: NDArray[np.float64], update: int, loss: float) -> None:
        """Check the objective at an evaluation.

        Parameters
        ----------
        w : ndarray of float, shape (d,)
            The evaluated model.
        update : int
            The number of updates so far.
        loss : float
            The loss of the model, without the penalty.

        Raises
        ------
        DivergenceError
            If the objective has grown steadily, or is not finite.
        """
        objective = loss + self._problem.penalty(w)
        self._recent.append((update, objective))
        while 2 * self._recent[0][0] <= update:
            self._highest = max(self._highest, self._recent.popleft()[1])
            if not self._recent:
                return  # this is the first model
        if not math.isfinite(self._first):
            return  # the problem has no finite objective
        if not math.isfinite(objective) or (update >= _EARLY and self._grows(w, objective)):
            raise self._diverged(update, objective)

    def _grows(self, w: NDArray[np.float64], objective: float) -> bool:
        """Whether the objective has grown, is still growing, and is greater than a rounding error."""
        if self._first <= 0.0 or objective <= _DIVERGED * self._first or objective <= _SUSTAINED * self._highest:
            return False
        try:
            return objective > _ROUNDING * self._problem.smoothness() * float(w @ w)
        except ConfigurationError:  # L is not known
            return True

    def _diverged(self, update: int, objective: float) -> DivergenceError:
        return DivergenceError(
            f"the model diverged at update {update}: the objective is {objective:.3g}, and was "
            f"{self._first:.3g} at first; use a smaller step size{self._stable_step()}"
        )

    def _stable_step(self) -> str:
        """Return the largest stable step of the full gradient in words; empty if it is not known."""
        try:
            largest = 2.0 / self._problem.smoothness()
        except ConfigurationError:
            return ""
        return f": gradient descent is stable below 2 / L = {largest:.3g}, updates from few workers need somewhat less"
