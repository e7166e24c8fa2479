"""The interface of all problems: an objective that is a mean over rows and, where known, its optimum.

A problem receives a model, row numbers and weights, and returns numbers. It does not depend on workers or on time. The
engine turns the decoder's weights into calls of `Problem.gradient`. Each evaluation calls `Problem.evaluate`, which
returns error and loss, and `Problem.metrics`.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.complaints import shown
from clustersim.errors import ConfigurationError

__all__ = ["Floats", "Optimum", "Problem"]

Floats = NDArray[np.float64]

_ROUNDING = 1e-13  # an objective that is less than the minimum by no more than this fraction counts as the minimum


@dataclass(frozen=True, eq=False)
class Optimum:
    """The minimiser of an objective and the objective there.

    Parameters
    ----------
    w : ndarray, shape (dimension,)
        The minimiser. If there are several, the problem documents which one this is.
    objective : float
        F at the minimiser, penalty included.

    Examples
    --------
    >>> import clustersim as cs
    >>> best = cs.LeastSquares([[1.0], [1.0]], [1.0, 3.0]).optimum()
    >>> best.w.round(9).tolist(), round(best.objective, 9)
    ([2.0], 0.5)
    """

    w: Floats
    objective: float


class Problem(ABC):
    r"""An objective :math:`F(w) = \frac{1}{m} \sum_i f_i(w) + \mathrm{penalty}(w)` over m rows.

    Subclasses must define `rows`, `dimension`, `loss`, `gradient` and `describe`. Everything else has a safe default:
    no penalty, no known optimum, no metrics, no labels.

    Examples
    --------
    The mean of (w - t_i)^2 / 2 over the numbers t_i, as a problem with one parameter:

    >>> class MeanOfNumbers(Problem):
    ...     rows, dimension = 3, 1
    ...     numbers = np.array([1.0, 2.0, 6.0])
    ...     def loss(self, w):
    ...         return float(np.mean((w - self.numbers) ** 2) / 2.0)
    ...     def gradient(self, w, rows, weights):
    ...         numbers = self.numbers if rows is None else self.numbers[rows]
    ...         return np.array([np.sum(weights * (w - numbers))])
    ...     def describe(self):
    ...         return {"class": "MeanOfNumbers", "numbers": self.numbers.tolist()}
    >>> problem = MeanOfNumbers()
    >>> problem.gradient(problem.initial_model(), None, 1.0 / problem.rows).tolist(), problem.has_optimum
    ([-3.0], False)
    """

    def __repr__(self) -> str:
        try:
            return f"{type(self).__name__}(rows={self.rows}, dimension={self.dimension})"
        except Exception:  # a subclass of the user's own, perhaps not yet complete
            return f"{type(self).__name__}()"

    @property
    @abstractmethod
    def rows(self) -> int:
        """Number m of training rows."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Length of the flat parameter vector w."""

    @property
    def vector_entries(self) -> int:
        """Number of entries of a model or a gradient on the wire; the dimension unless a subclass overrides this."""
        return self.dimension

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
            Row numbers, repetitions allowed. None means all rows in order, without copying them.
        weights : float or ndarray, shape (len(rows),), or (m,) if `rows` is None
            The weight of each row, or one weight for all of them. The array is not modified.

        Returns
        -------
        ndarray, shape (dimension,)
        """

    def initial_model(self) -> Floats:
        """Return the model at which every run starts; zeros unless a subclass overrides this."""
        return np.zeros(self.dimension)

    def penalty(self, w: Floats) -> float:  # noqa: ARG002 - the default has no penalty
        """Return the value of the penalty at w; 0 unless a subclass overrides this."""
        return 0.0

    def penalty_gradient(self, w: Floats) -> Floats | None:  # noqa: ARG002
        """Return the gradient of the penalty at w, or None if there is no penalty."""
        return None

    def objective(self, w: Floats) -> float:
        """Return F(w), penalty included."""
        return self.loss(w) + self.penalty(w)

    @property
    def has_optimum(self) -> bool:
        """Whether `optimum` returns a minimiser. The first access may have to solve the problem."""
        return False

    def optimum(self) -> Optimum:
        """Return the minimiser, computed once.

        Raises
        ------
        ConfigurationError
            If there is no minimiser, or none is known.
        """
        raise ConfigurationError(
            f"{shown(self)}: no optimum is known for this problem; use the loss instead of the error"
        )

    def error(self, w: Floats) -> float:
        """Return F(w) - F(w*), or NaN if `has_optimum` is false."""
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
        """Return L, the largest curvature of the objective over all models.

        Raises
        ------
        ConfigurationError
            If L is not known.
        """
        raise ConfigurationError(f"{shown(self)}: the smoothness L of this problem is not known; give L yourself")

    def strong_convexity(self) -> float:
        """Return c, the smallest curvature of the objective over all models; 0 if it is not strongly convex.

        Raises
        ------
        ConfigurationError
            If c is not known.
        """
        raise ConfigurationError(f"{shown(self)}: the strong convexity c of this problem is not known; give c yourself")

    def metrics(self, w: Floats) -> dict[str, float]:  # noqa: ARG002
        """Return further columns of the history by name, such as the accuracy on test rows."""
        return {}

    @property
    def labels(self) -> NDArray[np.intp] | None:
        """Class number 0, 1, ... of each training row, shape (rows,); None if rows have no classes."""
        return None

    def row_norms_squared(self) -> Floats:
        """Return the squared Euclidean norm of each training row, as used in the gradient; shape (rows,).

        Raises
        ------
        ConfigurationError
            If the problem does not define row norms.
        """
        raise ConfigurationError(f"{shown(self)}: the norms of its rows are not known; define row_norms_squared()")

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return plain JSON values that distinguish this problem from every other, such as digests of its arrays."""
