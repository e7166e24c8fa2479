"""A watch on the objective: a model that runs away ends the run with an error, be it fast or slow.

Gradients flow in at every step, objectives at every evaluation; a `DivergenceError` flows out, or nothing.

*Fast* divergence is noticed within a step or two, by the gradient: one that has grown a thousandfold, its square a
millionfold, calls for a look at the objective.

*Slow* divergence is noticed at evaluations, where the objective is known anyway. It must have grown a hundredfold since
the first model, and tenfold since the highest evaluation in the first half of the updates so far. Why that spares
healthy runs:

- A run that starts at or near the optimum, and noise about a floor: what counts is the objective and not the error. The
  noise of gradients comes from the rows' losses at the optimum, so that for any stable step the floor of the error is
  of the size of the least objective, of which the first one is no less. Where both are nothing but rounding, nothing is
  concluded.
- Overshooting by momentum: at the edge of stability it grows like a polynomial, t squared in the objective for one
  double root. Twice as many updates then mean four times as much, not ten; what diverges grows exponentially.
- Overshooting by the first, long steps of a schedule: the first few updates are not judged. What still grows after them
  has outgrown the watch on gradients.
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from clustersim.errors import ConfigurationError, DivergenceError
from clustersim.problems import Problem

__all__ = ["Watch"]

_SUSPICIOUS = 1e6  # growth of the squared gradient over that of the first update that calls for a look at the objective
_DIVERGED = 100.0  # growth of the objective over the first model's that settles it
_SUSTAINED = 10.0  # growth over the highest evaluation in the first half of the updates that is none of momentum
_EARLY = 20  # updates in which schedules may still overshoot
_ROUNDING = 1e-20  # of L ||w||^2: objectives below are what rounding leaves


class Watch:
    """What the objective of a run was, and whether it runs away.

    Parameters
    ----------
    problem : Problem
    w : ndarray of float, shape (d,)
        The first model.

    Attributes
    ----------
    suspicious : float
        The squared norm of a gradient beyond which `look` must be asked; -1 before the first update.
    """

    def __init__(self, problem: Problem, w: NDArray[np.float64]) -> None:
        self.suspicious = -1.0
        self._problem = problem
        self._first = self._highest = problem.objective(w)
        self._recent: deque[tuple[int, float]] = deque()  # evaluations in the second half of the updates so far

    def look(self, w: NDArray[np.float64], update: int, squared_norm: float) -> None:
        """See what the objective is, as the gradient of this update has grown much.

        Raises
        ------
        DivergenceError
            If the objective has grown, too.
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
        """Take in the loss of the model after so many updates.

        Raises
        ------
        DivergenceError
            If the objective has grown steadily, or is no number.
        """
        objective = loss + self._problem.penalty(w)
        self._recent.append((update, objective))
        while 2 * self._recent[0][0] <= update:
            self._highest = max(self._highest, self._recent.popleft()[1])
            if not self._recent:
                return  # the first model
        if not math.isfinite(self._first):
            return  # a problem that has no objective
        if not math.isfinite(objective) or (update >= _EARLY and self._grows(w, objective)):
            raise self._diverged(update, objective)

    def _grows(self, w: NDArray[np.float64], objective: float) -> bool:
        """Whether the objective has grown, is growing, and is more than rounding."""
        if self._first <= 0.0 or objective <= _DIVERGED * self._first or objective <= _SUSTAINED * self._highest:
            return False
        try:
            return objective > _ROUNDING * self._problem.smoothness() * float(w @ w)
        except ConfigurationError:  # L is not known
            return True

    def _diverged(self, update: int, objective: float) -> DivergenceError:
        return DivergenceError(
            f"the model diverged at update {update}: the objective is {objective:.3g}, at first it was "
            f"{self._first:.3g}; use a smaller step size{self._stable_step()}"
        )

    def _stable_step(self) -> str:
        """Name the largest stable step of the full gradient, where it is known."""
        try:
            largest = 2.0 / self._problem.smoothness()
        except ConfigurationError:
            return ""
        return f": gradient descent is stable below 2 / L = {largest:.3g}, updates from few workers need somewhat less"
