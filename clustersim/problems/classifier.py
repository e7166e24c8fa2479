"""Base class of logistic and softmax regression: scores that are linear in w, the ridge, the optimum, L and c.

A subclass defines the loss of scores and its derivatives (`_losses`, `_slopes`, `_curvature`).
`clustersim.problems.labelled` handles labels and test rows. ``X`` contains the rows, with a column of ones appended for
the bias. The model is the flat form of a matrix W of shape (features + 1, columns) in C order, so the last `columns`
entries of w are the biases. The scores of all rows are ``X @ W``.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats, Optimum
from clustersim.problems.data import Matrix, take_rows
from clustersim.problems.labelled import LabelledProblem
from clustersim.problems.newton import newton_step
from clustersim.problems.spectrum import largest_eigenvalue
from clustersim.threads import one_blas_thread

__all__ = ["LinearClassifier"]

_NEWTON_STEPS = 8  # from where L-BFGS stops, three or four steps suffice if there is an optimum
_NEWTON_STEPS_RIDGE = 100  # a ridge guarantees an optimum; badly scaled rows may need more steps to reach it
_SETTLED = 1e-6  # stop when a step changes every score by at most this; Newton's method then squares what remains


class LinearClassifier(LabelledProblem):
    """Base class of the classifiers; see `LogisticRegression` and `SoftmaxRegression` for the parameters."""

    _max_curvature: ClassVar[float]  # the largest curvature of a row's loss in its scores, times `_averaged_columns`

    @property
    @abstractmethod
    def _columns(self) -> int:
        """Number of scores of a row."""

    @property
    def _averaged_columns(self) -> int:
        """Number of columns over which loss and penalty are averaged; 1 if they are not."""
        return 1

    @abstractmethod
    def _curvature(self, scores: Floats, targets: Floats, change: Floats) -> Floats:
        """Return the second derivative of each row's loss, applied to a change of its scores; shape (rows, columns).

        A subclass may add curvature in directions without any gradient, to make Newton's equations non-singular.
        """

    @property
    def dimension(self) -> int:
        """Length of w: (features + 1) x columns, or features x columns without bias."""
        return int(self.X.shape[1]) * self._columns

    def gradient(self, w: Floats, rows: NDArray[np.intp] | None, weights: float | Floats) -> Floats:
        """Return the weighted sum of the rows' gradients, without the ridge; None for `rows` means all rows."""
        X = take_rows(self.X, rows)
        slopes = self._slopes(X @ w.reshape(-1, self._columns), take_rows(self._targets, rows))
        slopes *= weights if np.ndim(weights) == 0 else np.reshape(weights, (-1, 1))
        total: Floats = X.T @ slopes
        return total.ravel()

    def penalty(self, w: Floats) -> float:
        """Return half the ridge times the squared norm of the weights; the bias is not penalised."""
        weights = w[: self._penalised]
        return 0.5 * self._shrinkage * float(weights @ weights)

    def penalty_gradient(self, w: Floats) -> Floats | None:
        """Return the ridge times the weights, and 0 for the bias; None without ridge."""
        if not self.ridge:
            return None
        slope = self._shrinkage * w
        slope[self._penalised :] = 0.0
        return slope

    @property
    def has_optimum(self) -> bool:
        """Whether a finite model attains the minimum. The first access solves the problem."""
        return self._solution is not None

    def optimum(self) -> Optimum:
        """Return the minimiser, computed once by L-BFGS and Newton's method.

        Raises
        ------
        ConfigurationError
            If no finite model attains the minimum, because there is no ridge and the rows can be separated by class.
            Also if Newton's method does not reach the optimum of a problem with ridge.
        """
        if self._solution is None:
            reason = (
                "its optimum was not found to full precision; bring the columns to a common scale"
                if self.ridge
                else "no finite model attains the minimum, because the rows can be separated by class; "
                "set ridge to a number greater than 0, such as 0.01"
            )
            raise ConfigurationError(f"{self!r}: {reason}")
        return self._solution

    def smoothness(self) -> float:
        """Return L, the smallest upper bound of the curvature of the objective over all models."""
        ridge = np.full(self.X.shape[1], self.ridge / self._max_curvature)
        ridge[self.X.shape[1] - self.bias :] = 0.0
        return self._max_curvature * largest_eigenvalue(self.X, ridge) / self._averaged_columns

    def strong_convexity(self) -> float:
        """Return c, the infimum of the curvature over all models: 0 with a bias, else the ridge (see `_shrinkage`).

        Far from the optimum, the curvature of the loss vanishes and only that of the ridge remains.
        """
        return 0.0 if self.bias else self._shrinkage

    @property
    def _penalised(self) -> int:
        """Number of leading entries of w to which the ridge applies."""
        return self.dimension - self.bias * self._columns

    @property
    def _shrinkage(self) -> float:
        """The ridge on one entry of w: the ridge divided by the number of averaged columns."""
        return self.ridge / self._averaged_columns

    def _scores(self, X: Matrix, w: Floats) -> Floats:
        scores: Floats = X @ w.reshape(-1, self._columns)
        return scores

    def _parameters(self) -> Mapping[str, Any]:
        return {"ridge": self.ridge, "bias": self.bias, "classes": self.classes.tolist()}

    @cached_property
    @one_blas_thread
    def _solution(self) -> Optimum | None:
        """The optimum, or None if there is none or Newton's method does not reach it.

        If the rows can be separated by class, every step of Newton's method changes the scores of some rows by about 1,
        without end. If there is an optimum, the steps vanish quadratically. The size of the steps distinguishes the two
        cases.
        """
        w = self._near_optimum()
        largest_loss = float(self._losses(self._scores(self.X, w), self._targets).max())
        if not self.ridge and largest_loss < math.log(2.0) / self._averaged_columns:
            return None  # every row is on the correct side of every boundary, so a longer w is always better
        for _ in range(_NEWTON_STEPS_RIDGE if self.ridge else _NEWTON_STEPS):
            step = self._newton_step(w)
            score_change = float(np.abs(self._scores(self.X, step)).max())
            w = w + self._damping(w, step, score_change) * step
            if score_change <= _SETTLED:
                w.setflags(write=False)
                return Optimum(w, self.objective(w))
        return None

    def _near_optimum(self) -> Floats:
        """Return a model near the optimum, by L-BFGS from the initial model with w scaled to a common curvature.

        Without ridge, L-BFGS stops early: far out, Newton's method would miss the tiny curvature of separated rows.
        """
        start = self.initial_model()
        scale = np.sqrt(self._diagonal(self._scores(self.X, start)))

        def evaluate(v: Floats) -> tuple[float, Floats]:
            w = v / scale
            return self.objective(w), self._full_gradient(w) / scale

        from scipy.optimize import fmin_l_bfgs_b  # noqa: PLC0415 - takes a while, and few programs need it

        slope = float(np.abs(evaluate(start)[1]).max())
        near = fmin_l_bfgs_b(evaluate, start, pgtol=(1e-7 if self.ridge else 1e-4) * slope, factr=50.0, maxiter=2000)[0]
        return np.asarray(near / scale)

    def _damping(self, w: Floats, step: Floats, score_change: float) -> float:
        """Halve the step until it lowers the objective or changes no score by more than 1; return the fraction left."""
        share, before = 1.0, self.objective(w)
        with np.errstate(over="ignore", invalid="ignore"):
            while share * score_change > 1.0 and not self.objective(w + share * step) < before:
                share /= 2.0
        return share

    def _newton_step(self, w: Floats) -> Floats:
        """Return the step from w to the minimum of the quadratic approximation of the objective at w."""
        scores = self._scores(self.X, w)

        def hessian(v: Floats) -> Floats:
            by_row = self._curvature(scores, self._targets, self._scores(self.X, v))
            of_loss: Floats = self.X.T @ by_row
            of_ridge = self.penalty_gradient(v)
            return of_loss.ravel() / self.rows + (0.0 if of_ridge is None else of_ridge)

        tolerance = 1e-6 if self.ridge else 1e-9  # without ridge, tiny curvature decides whether there is an optimum
        slope = self._full_gradient(w)
        return newton_step(hessian, self._diagonal(scores), slope, tolerance=tolerance, noise=self._noise)

    @cached_property
    @one_blas_thread
    def _noise(self) -> float:
        """The norm below which a gradient is rounding noise."""
        return float(np.finfo(np.float64).eps * np.linalg.norm(self._full_gradient(self.initial_model())))

    def _diagonal(self, scores: Floats) -> Floats:
        """Return the diagonal of the Hessian at a model with these scores; 1 in place of 0, as for columns of zeros."""
        squares = self.X * self.X
        diagonal = np.empty((self.X.shape[1], self._columns))
        for column in range(self._columns):
            unit = np.zeros_like(scores)
            unit[:, column] = 1.0
            diagonal[:, column] = squares.T @ self._curvature(scores, self._targets, unit)[:, column]
        curvature = diagonal.ravel() / self.rows
        curvature[: self._penalised] += self._shrinkage
        return np.where(curvature > 0.0, curvature, 1.0)

    def _full_gradient(self, w: Floats) -> Floats:
        """Return the gradient of the objective, ridge included."""
        slope = self.gradient(w, None, 1.0 / self.rows)
        extra = self.penalty_gradient(w)
        return slope if extra is None else slope + extra
