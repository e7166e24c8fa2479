"""Linear regression by least squares, and the papers' generators of synthetic rows.

Rows and targets come from the user or from `LeastSquares.synthetic`. The engine and the theory functions receive
losses, gradients, the optimum and the constants L and c.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import COUNT, choice, complaint, integer, number
from clustersim.problems.base import Floats, Optimum
from clustersim.problems.data import LARGEST, Matrix, check_rows, check_targets, check_test, take_rows
from clustersim.problems.solution import least_squares_solution
from clustersim.problems.spectrum import DENSE_FEATURES, gram, largest_eigenvalue, smallest_eigenvalue
from clustersim.problems.tabular import TabularProblem
from clustersim.streams import Streams
from clustersim.threads import one_blas_thread

__all__ = ["LeastSquares"]

_MOST_ENTRIES = 10**10  # limit of synthetic entries; this many take 80 GB
_MOST_NOISE = 1e90  # keeps the targets below `LARGEST`


class LeastSquares(TabularProblem):
    r"""Least squares with ridge.

    .. math:: F(w) = \frac{1}{m} \sum_i \frac{1}{2} (\langle x_i, w \rangle - y_i)^2 + \frac{\lambda}{2} \|w\|^2

    Parameters
    ----------
    X : array_like or sparse matrix, shape (rows, features)
        The rows. Include a column of ones if the model needs an intercept.
    y : array_like, shape (rows,)
        The targets.
    ridge : float, default 0.0
        Lambda. Every column is penalised, including a column of ones.
    test : tuple (X, y), optional
        Test rows and their targets. The history then has a column ``test_loss``: the mean loss over these rows.

    Raises
    ------
    ConfigurationError
        If the data is empty, ragged, not numeric or not finite, if the shapes of X, y and test do not match, or if the
        ridge is negative.

    Notes
    -----
    The papers define F as the sum over the rows, but the mean reproduces their figures. F is quadratic, so
    :math:`F(w) - F(w^*) = \|X (w - w^*)\|^2 / 2m + \lambda \|w - w^*\|^2 / 2`. The error is computed by this formula,
    which stays accurate near the optimum, where the difference of two objectives suffers from cancellation. The history
    has a column ``distance``, :math:`\|w - w^*\|_2`. If there are several optima, w* is the one of least norm; it is
    also the nearest optimum to every model of a run that starts at zeros.

    References
    ----------
    Kas Hanna et al., 2022, section V-A. ``distance``: Bitar, Wootters and El Rouayheb, 2020, section VI and Theorem 3.

    Examples
    --------
    >>> problem = LeastSquares([[1.0, 0.0], [0.0, 2.0]], [1.0, 2.0])
    >>> problem.loss(np.zeros(2)), problem.gradient(np.zeros(2), None, 0.5).tolist()
    (1.25, [-0.5, -2.0])
    >>> problem.smoothness(), problem.strong_convexity()
    (2.0, 0.5)
    >>> round(problem.metrics(np.array([4.0, 5.0]))["distance"], 9)  # from (1, 1)
    5.0
    """

    def __init__(self, X: Any, y: Any, *, ridge: float = 0.0, test: Any = None) -> None:
        self.ridge = number("ridge", ridge, low=0.0, high=LARGEST)
        self.X: Matrix = check_rows(X)
        self.y: Floats = check_targets(y, self.rows)
        self._test: tuple[Matrix, Floats] | None = None
        if test is not None:
            test_X, test_y = check_test(test, self.dimension)
            self._test = test_X, check_targets(test_y, test_X.shape[0], "test y")

    @classmethod
    def synthetic(cls, *, rows: int, features: int, design: str = "integers", seed: int, noise: float = 1.0) -> Self:
        r"""Draw random rows and targets :math:`y_i \sim N(\langle x_i, \bar w \rangle, \mathrm{noise}^2)`.

        Parameters
        ----------
        rows, features : int
            Shape of X.
        design : {"integers", "gaussian"}, default "integers"
            ``"integers"``: entries of x uniform on {1, ..., 10}, true coefficients uniform on {1, ..., 100}.
            ``"gaussian"``: entries of x normal with standard deviation 100 (the paper's "N(0, 100)"), true
            coefficients uniform on {1, ..., 10}.
        seed : int
            Seed of the random draws. The same seed gives the same data.
        noise : float, default 1.0
            Standard deviation of the targets around the true model.

        Returns
        -------
        LeastSquares

        Raises
        ------
        ConfigurationError
            If a parameter is out of range.

        References
        ----------
        ``"integers"``: Kas Hanna et al., 2022, section V-A. ``"gaussian"``: Bitar, Wootters and El Rouayheb,
        "Stochastic gradient coding for straggler mitigation in distributed learning", 2020.

        Examples
        --------
        >>> problem = LeastSquares.synthetic(rows=2000, features=100, design="integers", seed=7)
        >>> problem.rows, problem.dimension, float(problem.X.min()), float(problem.X.max())
        (2000, 100, 1.0, 10.0)
        """
        shape = integer("rows", rows, low=1, high=COUNT), integer("features", features, low=1, high=COUNT)
        if math.prod(shape) > _MOST_ENTRIES:
            raise complaint("rows, features", shape, f"at most {_MOST_ENTRIES} entries in all")
        deviation = number("noise", noise, low=0.0, high=_MOST_NOISE)
        streams = Streams(seed)
        draw = streams.generator("synthetic rows")
        if choice("design", design, ("integers", "gaussian")) == "integers":
            X, largest = draw.integers(1, 10, size=shape, endpoint=True).astype(np.float64), 100
        else:
            X, largest = draw.normal(0.0, 100.0, size=shape), 10
        true = streams.generator("synthetic coefficients").integers(1, largest, size=shape[1], endpoint=True)
        signal = np.einsum("ij,j->i", X, true.astype(np.float64))  # the last bits of BLAS depend on its threads
        return cls(X, signal + deviation * streams.generator("synthetic noise").standard_normal(shape[0]))

    def __repr__(self) -> str:
        ridge = f", ridge={self.ridge:g}" if self.ridge else ""
        return f"LeastSquares({self.rows} rows, {self.dimension} features{ridge})"

    @property
    def dimension(self) -> int:
        """Number of features."""
        return int(self.X.shape[1])

    def loss(self, w: Floats) -> float:
        """Return the mean of (<x_i, w> - y_i)^2 / 2 over the training rows, without the ridge."""
        if self._gram is None:
            return _half_mean_square(self.X @ w - self.y)
        off = w - self._optimum.w
        return self._loss_near(off, self._excess_loss(off))

    def gradient(self, w: Floats, rows: NDArray[np.intp] | None, weights: float | Floats) -> Floats:
        """Return the weighted sum of (<x_r, w> - y_r) x_r over `rows` (None: all rows), without the ridge."""
        X = take_rows(self.X, rows)
        residual: Floats = X.dot(w)
        residual -= self.y if rows is None else self.y.take(rows)
        residual *= weights
        total: Floats = residual.dot(X) if isinstance(X, np.ndarray) else X.T @ residual
        return total

    def penalty(self, w: Floats) -> float:
        """Return half the ridge times the squared norm of w."""
        return 0.5 * self.ridge * float(w @ w) if self.ridge else 0.0

    def penalty_gradient(self, w: Floats) -> Floats | None:
        """Return the ridge times w; None without ridge."""
        return self.ridge * w if self.ridge else None

    @property
    def has_optimum(self) -> bool:
        """True: a least-squares problem always attains its minimum."""
        return True

    def optimum(self) -> Optimum:
        """Return the minimiser and its objective, computed once. Without ridge, it is the minimiser of least norm.

        Raises
        ------
        ConfigurationError
            If the iterative solver for sparse rows does not converge.
        """
        return self._optimum

    def error(self, w: Floats) -> float:
        """Return F(w) - F(w*), computed from w - w* and therefore accurate however small it is."""
        off = w - self._optimum.w
        return self._excess_loss(off) + self.penalty(off)

    def evaluate(self, w: Floats) -> tuple[float, float]:
        """Return error and loss at w; the error is as accurate as that of `error`."""
        off = w - self._optimum.w
        excess = self._excess_loss(off)
        loss = self.loss(w) if self._gram is None else self._loss_near(off, excess)
        return excess + self.penalty(off), loss

    def smoothness(self) -> float:
        """Return L, the largest eigenvalue of X^T X / m plus the ridge."""
        return self._largest

    def strong_convexity(self) -> float:
        """Return c, the smallest eigenvalue of X^T X / m plus the ridge.

        The eigenvalue is 0 if the columns are collinear, or if there are more columns than rows.
        """
        return self._smallest

    def metrics(self, w: Floats) -> dict[str, float]:
        """Return ``distance``, ||w - w*||, and with test rows ``test_loss``, their mean of (<x, w> - y)^2 / 2."""
        off = w - self._optimum.w
        distance = {"distance": math.sqrt(off @ off)}
        if self._test is None:
            return distance
        X, y = self._test
        return {"test_loss": _half_mean_square(X @ w - y)} | distance

    def _excess_loss(self, off: Floats) -> float:
        """The second-order term of the loss at w* + off: ||X off||^2 / 2m."""
        if self._gram is None:
            return _half_mean_square(self.X @ off)
        return max(0.5 * float(off @ (self._gram @ off)), 0.0)  # rounding may make it negative near the null space

    def _loss_near(self, off: Floats, excess: float) -> float:
        """The loss at w* + off: the loss at w*, whose gradient there is minus that of the ridge, plus both terms."""
        slope = -self.ridge * float(self._optimum.w @ off) if self.ridge else 0.0
        return max(self._loss_at_optimum + slope + excess, 0.0)

    def _arrays(self) -> Mapping[str, Matrix | Floats]:
        arrays = {"X": self.X, "y": self.y}
        if self._test is not None:
            arrays |= {"test_X": self._test[0], "test_y": self._test[1]}
        return arrays

    def _parameters(self) -> Mapping[str, Any]:
        return {"ridge": self.ridge}

    @cached_property
    @one_blas_thread
    def _gram(self) -> Floats | None:
        """X^T X / m, or None if a product with X is cheaper than a product with it."""
        return gram(self.X) if self.dimension <= min(self.rows, DENSE_FEATURES) else None

    @cached_property
    @one_blas_thread
    def _largest(self) -> float:
        return largest_eigenvalue(self.X, self.ridge)

    @cached_property
    @one_blas_thread
    def _smallest(self) -> float:
        return smallest_eigenvalue(self.X, self.ridge)

    @cached_property
    @one_blas_thread
    def _optimum(self) -> Optimum:
        w = least_squares_solution(self.X, self.y, self.rows * self.ridge)
        w.setflags(write=False)
        return Optimum(w, _half_mean_square(self.X @ w - self.y) + self.penalty(w))

    @cached_property
    @one_blas_thread
    def _loss_at_optimum(self) -> float:
        """The loss at the optimum."""
        return _half_mean_square(self.X @ self._optimum.w - self.y)


def _half_mean_square(residual: Floats) -> float:
    """Mean of the squared entries, halved."""
    return float(residual @ residual) / (2 * len(residual))
