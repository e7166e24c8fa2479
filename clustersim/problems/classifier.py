"""What logistic and softmax regression share: scores that are linear in w, the ridge, the optimum, L and c.

A subclass says how a score costs (`_losses`, `_slopes`, `_bends`); labels and test rows are the business of
`clustersim.problems.labelled`. With ``X`` the rows, a column of ones appended for the bias, the model is the flat form
of a matrix W of shape (features + 1, columns) in C order, so the last `columns` entries of w are the biases, and the
scores of all rows are ``X @ W``.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import fmin_l_bfgs_b

from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats, Optimum
from clustersim.problems.data import Matrix, take_rows
from clustersim.problems.labelled import LabelledProblem
from clustersim.problems.newton import newton_step
from clustersim.problems.spectrum import largest_eigenvalue
from clustersim.threads import one_blas_thread

__all__ = ["LinearClassifier"]

_NEWTON_STEPS = 8  # from where L-BFGS stops, three or four suffice where there is an optimum
_NEWTON_STEPS_RIDGE = 100  # with a ridge there is one; badly scaled rows may take longer to reach it
_SETTLED = 1e-6  # the last step moved every score by less; Newton's method squares what remains


class LinearClassifier(LabelledProblem):
    """Base class of the classifiers; see `LogisticRegression` and `SoftmaxRegression` for the parameters."""

    _sharpest: ClassVar[float]  # the largest curvature of a row's loss in its scores, times `_sharing`

    @property
    @abstractmethod
    def _columns(self) -> int:
        """Number of scores of a row."""

    @property
    def _sharing(self) -> int:
        """Over how many columns loss and penalty are averaged."""
        return 1

    @abstractmethod
    def _bends(self, scores: Floats, targets: Floats, change: Floats) -> Floats:
        """Second derivative of each row's loss, applied to a change of its scores; shape (rows, columns).

        It may be bent where no gradient ever points, so as to be regular there.
        """

    @property
    def dimension(self) -> int:
        """Length of w: (features + 1) x columns, or features x columns without bias."""
        return int(self.X.shape[1]) * self._columns

    def gradient(self, w: Floats, rows: NDArray[np.intp] | None, weights: float | Floats) -> Floats:
        """Weighted sum of the rows' gradients, without the ridge; `rows` None stands for all rows."""
        X = take_rows(self.X, rows)
        slopes = self._slopes(X @ w.reshape(-1, self._columns), take_rows(self._targets, rows))
        slopes *= weights if np.ndim(weights) == 0 else np.reshape(weights, (-1, 1))
        total: Floats = X.T @ slopes
        return total.ravel()

    def penalty(self, w: Floats) -> float:
        """Half the ridge times the squared norm of the weights; the bias is free."""
        weights = w[: self._penalised]
        return 0.5 * self._shrinkage * float(weights @ weights)

    def penalty_gradient(self, w: Floats) -> Floats | None:
        """The ridge times the weights, 0 for the bias; None without ridge."""
        if not self.ridge:
            return None
        slope = self._shrinkage * w
        slope[self._penalised :] = 0.0
        return slope

    @property
    def has_optimum(self) -> bool:
        """Whether a finite model attains the minimum; without ridge the problem is solved to find out."""
        return self._solution is not None

    def optimum(self) -> Optimum:
        """Return the minimiser by L-BFGS and Newton's method, computed once.

        Raises
        ------
        ConfigurationError
            If no finite model attains the minimum: without ridge, some direction separates classes.
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
        """L, the largest curvature of the objective; it is reached, or approached as closely as one likes."""
        ridge = np.full(self.X.shape[1], self.ridge / self._sharpest)
        ridge[self.X.shape[1] - self.bias :] = 0.0
        return self._sharpest * largest_eigenvalue(self.X, ridge) / self._sharing

    def strong_convexity(self) -> float:
        """c, the smallest curvature anywhere: the ridge, or 0 with a bias, since far out only the ridge bends F."""
        return 0.0 if self.bias else self._shrinkage

    @property
    def _penalised(self) -> int:
        """How many leading entries of w the ridge applies to."""
        return self.dimension - self.bias * self._columns

    @property
    def _shrinkage(self) -> float:
        """The ridge on an entry of w."""
        return self.ridge / self._sharing

    def _scores(self, X: Matrix, w: Floats) -> Floats:
        scores: Floats = X @ w.reshape(-1, self._columns)
        return scores

    def _parameters(self) -> Mapping[str, Any]:
        return {"ridge": self.ridge, "bias": self.bias, "classes": self.classes.tolist()}

    @cached_property
    @one_blas_thread
    def _solution(self) -> Optimum | None:
        """The optimum, or None where there is none.

        Where classes can be separated, Newton's method moves the scores of some rows by about 1 in every step,
        forever; where there is an optimum, its steps vanish quadratically. That is how the two are told apart.
        """
        w = self._approach()
        worst = float(self._losses(self._scores(self.X, w), self._targets).max())
        if not self.ridge and worst < math.log(2.0) / self._sharing:
            return None  # every row on the right side of every border: a longer w is always better
        for _ in range(_NEWTON_STEPS_RIDGE if self.ridge else _NEWTON_STEPS):
            step = self._newton_step(w)
            reach = float(np.abs(self._scores(self.X, step)).max())
            w = w + self._damping(w, step, reach) * step
            if reach <= _SETTLED:
                w.setflags(write=False)
                return Optimum(w, self.objective(w))
        return None

    def _approach(self) -> Floats:
        """A model near the optimum, by L-BFGS from the initial model, entries of w scaled to a common curvature.

        Without ridge it stops early: far out, Newton's method would not see the tiny curvature of separated rows.
        """
        start = self.initial_model()
        scale = np.sqrt(self._diagonal(self._scores(self.X, start)))

        def evaluate(v: Floats) -> tuple[float, Floats]:
            w = v / scale
            return self.objective(w), self._full_gradient(w) / scale

        slope = float(np.abs(evaluate(start)[1]).max())
        near = fmin_l_bfgs_b(evaluate, start, pgtol=(1e-7 if self.ridge else 1e-4) * slope, factr=50.0, maxiter=2000)[0]
        return np.asarray(near / scale)

    def _damping(self, w: Floats, step: Floats, reach: float) -> float:
        """The share of a step that lowers the objective; a share that moves no score by more than 1 is safe."""
        share, before = 1.0, self.objective(w)
        with np.errstate(over="ignore", invalid="ignore"):
            while share * reach > 1.0 and not self.objective(w + share * step) < before:
                share /= 2.0
        return share

    def _newton_step(self, w: Floats) -> Floats:
        """The step from w to the minimum of the objective's parabola there."""
        scores = self._scores(self.X, w)

        def hessian(v: Floats) -> Floats:
            bent = self._bends(scores, self._targets, self._scores(self.X, v))
            curved: Floats = self.X.T @ bent
            bent_by_ridge = self.penalty_gradient(v)
            return curved.ravel() / self.rows + (0.0 if bent_by_ridge is None else bent_by_ridge)

        tolerance = 1e-6 if self.ridge else 1e-9  # without ridge, tiny curvature tells whether there is an optimum
        slope = self._full_gradient(w)
        return newton_step(hessian, self._diagonal(scores), slope, tolerance=tolerance, noise=self._noise)

    @cached_property
    @one_blas_thread
    def _noise(self) -> float:
        """Length below which a gradient is rounding noise."""
        return float(np.finfo(np.float64).eps * np.linalg.norm(self._full_gradient(self.initial_model())))

    def _diagonal(self, scores: Floats) -> Floats:
        """Diagonal of the Hessian at a model with these scores; 1 where it is 0, as in a column of zeros."""
        squares = self.X * self.X
        diagonal = np.empty((self.X.shape[1], self._columns))
        for column in range(self._columns):
            unit = np.zeros_like(scores)
            unit[:, column] = 1.0
            diagonal[:, column] = squares.T @ self._bends(scores, self._targets, unit)[:, column]
        curvature = diagonal.ravel() / self.rows
        curvature[: self._penalised] += self._shrinkage
        return np.where(curvature > 0.0, curvature, 1.0)

    def _full_gradient(self, w: Floats) -> Floats:
        """Gradient of the objective, ridge included."""
        slope = self.gradient(w, None, 1.0 / self.rows)
        extra = self.penalty_gradient(w)
        return slope if extra is None else slope + extra
