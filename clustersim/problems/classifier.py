"""What logistic and softmax regression share: scores that are linear in w, the ridge, the optimum, the test rows.

A subclass says how a score costs (`_losses`, `_slopes`, `_bends`); everything else is here. With ``X`` the rows, a
column of ones appended for the bias, the model is the flat form of a matrix W of shape (features + 1, columns) in C
order, so the last `columns` entries of w are the biases, and the scores of all rows are ``X @ W``.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import fmin_l_bfgs_b

from clustersim.checks import number
from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats, Optimum
from clustersim.problems.data import Matrix, check_labels, check_rows, check_test, frozen, take_rows
from clustersim.problems.newton import newton_step
from clustersim.problems.spectrum import largest_eigenvalue
from clustersim.problems.tabular import TabularProblem
from clustersim.threads import one_blas_thread

__all__ = ["LinearClassifier"]

_NEWTON_STEPS = 8  # from where L-BFGS stops, three or four suffice where there is an optimum
_NEWTON_STEPS_RIDGE = 100  # with a ridge there is one; badly scaled rows may take longer to reach it
_SETTLED = 1e-6  # the last step moved every score by less; Newton's method squares what remains


class LinearClassifier(TabularProblem):
    """Base class of the classifiers; see `LogisticRegression` and `SoftmaxRegression` for the parameters."""

    _sharpest: ClassVar[float]  # the largest curvature of a row's loss in its scores, times `_sharing`

    def __init__(self, X: Any, y: Any, *, ridge: float = 0.0, test: Any = None, bias: bool = True) -> None:
        self.ridge = number("ridge", ridge, low=0.0)
        self.bias = bool(bias)
        rows = check_rows(X)
        self.classes, self._codes = check_labels(y, rows.shape[0])
        self.X: Matrix = _with_ones(rows) if bias else rows
        self._targets = self._encode(self._codes)
        self._test: tuple[Matrix, NDArray[np.intp]] | None = None
        if test is not None:
            test_X, test_y = check_test(test, rows.shape[1])
            self._test = _with_ones(test_X) if bias else test_X, self._known(test_y, test_X.shape[0])

    @property
    @abstractmethod
    def _columns(self) -> int:
        """Number of scores of a row."""

    @property
    def _sharing(self) -> int:
        """Over how many columns loss and penalty are averaged."""
        return 1

    @abstractmethod
    def _encode(self, codes: NDArray[np.intp]) -> Floats:
        """Targets of shape (rows, columns), in the form that the next three want."""

    @abstractmethod
    def _losses(self, scores: Floats, targets: Floats) -> Floats:
        """Loss of each row; shape (rows,)."""

    @abstractmethod
    def _slopes(self, scores: Floats, targets: Floats) -> Floats:
        """Derivative of each row's loss in its scores; shape (rows, columns), a new array."""

    @abstractmethod
    def _bends(self, scores: Floats, targets: Floats, change: Floats) -> Floats:
        """Second derivative of each row's loss, applied to a change of its scores; shape (rows, columns).

        It may be bent where no gradient ever points, so as to be regular there.
        """

    @abstractmethod
    def _predict(self, scores: Floats) -> NDArray[Any]:
        """Class number of each row."""

    def __repr__(self) -> str:
        size = f"{self.rows} rows, {self.X.shape[1] - self.bias} features, {len(self.classes)} classes"
        return f"{type(self).__name__}({size}, ridge={self.ridge:g})"

    @property
    def dimension(self) -> int:
        """Length of w: (features + 1) x columns, or features x columns without bias."""
        return int(self.X.shape[1]) * self._columns

    @property
    def labels(self) -> NDArray[np.intp]:
        """Class number 0, 1, ... of each training row, in the order of `classes`."""
        return self._codes

    def loss(self, w: Floats) -> float:
        """Mean cross-entropy over the training rows, without the ridge."""
        return float(self._losses(self._scores(w), self._targets).mean())

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

    def metrics(self, w: Floats) -> dict[str, float]:
        """``test_accuracy``, the fraction of test rows that are classified rightly, if there are any."""
        if self._test is None:
            return {}
        X, codes = self._test
        scores: Floats = X @ w.reshape(-1, self._columns)
        return {"test_accuracy": float((self._predict(scores) == codes).mean())} | self._ranking(scores, codes)

    def _ranking(self, scores: Floats, codes: NDArray[np.intp]) -> dict[str, float]:  # noqa: ARG002 - most have none
        """Metrics of how the scores rank the test rows."""
        return {}

    @property
    def _penalised(self) -> int:
        """How many leading entries of w the ridge applies to."""
        return self.dimension - self.bias * self._columns

    @property
    def _shrinkage(self) -> float:
        """The ridge on an entry of w."""
        return self.ridge / self._sharing

    def _scores(self, w: Floats) -> Floats:
        scores: Floats = self.X @ w.reshape(-1, self._columns)
        return scores

    def _known(self, y: Any, rows: int) -> NDArray[np.intp]:
        """Class numbers of the test labels."""
        values, codes = check_labels(y, rows, "test y", fewest=1)
        comparable = values.dtype.kind == self.classes.dtype.kind or "U" not in (
            values.dtype.kind,
            self.classes.dtype.kind,
        )
        strange = values[~np.isin(values, self.classes)] if comparable else values
        if len(strange):
            raise ConfigurationError(
                f"test y: expected the labels of the training rows, {_short(self.classes)}, got {_short(strange)}; "
                "drop these test rows or train on such rows too"
            )
        return np.searchsorted(self.classes, values)[codes]

    def _arrays(self) -> Mapping[str, Matrix | NDArray[Any]]:
        arrays = {"X": self.X, "y": self._codes}
        if self._test is not None:
            arrays |= {"test_X": self._test[0], "test_y": self._test[1]}
        return arrays

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
        worst = float(self._losses(self._scores(w), self._targets).max())
        if not self.ridge and worst < math.log(2.0) / self._sharing:
            return None  # every row on the right side of every border: a longer w is always better
        for _ in range(_NEWTON_STEPS_RIDGE if self.ridge else _NEWTON_STEPS):
            step = self._newton_step(w)
            reach = float(np.abs(self._scores(step)).max())
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
        scale = np.sqrt(self._diagonal(self._scores(start)))

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
        scores = self._scores(w)

        def hessian(v: Floats) -> Floats:
            bent = self._bends(scores, self._targets, self._scores(v))
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


def _with_ones(X: Matrix) -> Matrix:
    """X with a last column of ones, whose coefficient is the bias."""
    ones = np.ones((X.shape[0], 1))
    if isinstance(X, np.ndarray):
        return frozen(np.hstack([X, ones]))
    return frozen(sparse.csr_array(sparse.hstack([X, sparse.csr_array(ones)])))


def _short(values: NDArray[Any]) -> str:
    """The first few values, for a message."""
    shown = ", ".join(repr(value) for value in values[:5].tolist())
    return shown + (", ..." if len(values) > 5 else "")
