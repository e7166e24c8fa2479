"""What a problem is: an objective that is a mean over rows, and whatever is known about its optimum.

A problem is told a model, row numbers and weights, and answers with numbers. It knows nothing of workers or time: the
engine turns the decoder's weights into calls of `Problem.gradient`, and every evaluation into calls of `Problem.loss`,
`Problem.error` and `Problem.metrics`.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.errors import ConfigurationError

__all__ = ["Floats", "Optimum", "Problem"]

Floats = NDArray[np.float64]

_ROUNDING = 1e-13  # an objective that lies below the least by less than this part of it lies at it


@dataclass(frozen=True, eq=False)
class Optimum:
    """The minimiser of an objective and the objective there.

    Parameters
    ----------
    w : ndarray, shape (dimension,)
        The minimiser (the shortest one where there are several and the problem says so).
    objective : float
        F at the minimiser, penalty included.
    """

    w: Floats
    objective: float


class Problem(ABC):
    r"""An objective :math:`F(w) = \frac{1}{m} \sum_i f_i(w) + \mathrm{penalty}(w)` over m rows.

    Subclasses must give `rows`, `dimension`, `loss`, `gradient` and `describe`; what they leave out has a safe default:
    no penalty, no known optimum, no metrics, no labels.
    """

    @property
    @abstractmethod
    def rows(self) -> int:
        """Number m of training rows."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Length of the flat parameter vector w."""

    @abstractmethod
    def loss(self, w: Floats) -> float:
        """Mean of f_i(w) over the training rows, without the penalty."""

    @abstractmethod
    def gradient(self, w: Floats, rows: NDArray[np.intp] | None, weights: float | Floats) -> Floats:
        """Weighted sum of per-row gradients, without the penalty.

        Parameters
        ----------
        w : ndarray, shape (dimension,)
            The model.
        rows : ndarray of int or None
            Row numbers, repetitions allowed; None stands for all rows in their order and copies none of them.
        weights : float or ndarray, shape (len(rows),), or (m,) if `rows` is None
            The weight of each row, or one weight for all of them; left as they are.

        Returns
        -------
        ndarray, shape (dimension,)
        """

    def initial_model(self) -> Floats:
        """Return the model at which runs begin: zeros."""
        return np.zeros(self.dimension)

    def penalty(self, w: Floats) -> float:  # noqa: ARG002 - the default has no penalty
        """Value of the penalty at w."""
        return 0.0

    def penalty_gradient(self, w: Floats) -> Floats | None:  # noqa: ARG002
        """Gradient of the penalty at w, or None where there is no penalty."""
        return None

    def objective(self, w: Floats) -> float:
        """F(w), the penalty included."""
        return self.loss(w) + self.penalty(w)

    @property
    def has_optimum(self) -> bool:
        """Whether `optimum` answers; the first call may have to solve the problem."""
        return False

    def optimum(self) -> Optimum:
        """Return the minimiser, computed once.

        Raises
        ------
        ConfigurationError
            If there is none, or none is known.
        """
        raise ConfigurationError(f"{self!r}: no optimum is known for this problem; watch the loss, not the error")

    def error(self, w: Floats) -> float:
        """F(w) - F(w*), or NaN where `has_optimum` is false."""
        return self.evaluate(w)[0]

    def evaluate(self, w: Floats) -> tuple[float, float]:
        """Return error and loss at w, in one pass over the rows."""
        loss = self.loss(w)
        if not self.has_optimum:
            return math.nan, loss
        least = self.optimum().objective
        error = loss + self.penalty(w) - least
        return (0.0 if -_ROUNDING * abs(least) < error < 0.0 else error), loss

    def smoothness(self) -> float:
        """L, the largest curvature of the objective anywhere.

        Raises
        ------
        ConfigurationError
            If it is not known.
        """
        raise ConfigurationError(f"{self!r}: the smoothness L of this problem is not known; give L yourself")

    def strong_convexity(self) -> float:
        """c, the smallest curvature of the objective anywhere; 0 where it is not strongly convex.

        Raises
        ------
        ConfigurationError
            If it is not known.
        """
        raise ConfigurationError(f"{self!r}: the strong convexity c of this problem is not known; give c yourself")

    def metrics(self, w: Floats) -> dict[str, float]:  # noqa: ARG002
        """Further figures for the history, such as the accuracy on test rows."""
        return {}

    @property
    def labels(self) -> NDArray[np.intp] | None:
        """Class number 0, 1, ... of each training row; None where rows have no classes."""
        return None

    def row_norms_squared(self) -> Floats:
        """Squared Euclidean norm of each training row, as the gradient sees it; shape (rows,).

        Raises
        ------
        ConfigurationError
            If the problem does not tell.
        """
        raise ConfigurationError(f"{self!r}: the norms of its rows are not known; give it row_norms_squared()")

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return plain JSON values that tell this problem from every other, digests of its arrays among them."""
