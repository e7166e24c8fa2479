"""Linear regression by least squares, and the papers' generators of synthetic rows.

Rows and targets flow in from the user or from `LeastSquares.synthetic`; losses, gradients, the optimum and the
constants L and c flow out to the engine and to theory.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import lsmr

from clustersim.checks import choice, integer, number
from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats, Optimum
from clustersim.problems.data import Matrix, check_rows, check_targets, check_test, take_rows
from clustersim.problems.spectrum import DENSE_FEATURES, gram, gram_eigenvalues
from clustersim.problems.tabular import TabularProblem
from clustersim.streams import Streams
from clustersim.threads import one_blas_thread

__all__ = ["LeastSquares"]


class LeastSquares(TabularProblem):
    r"""Least squares, :math:`F(w) = \frac{1}{m} \sum_i \frac{1}{2} (\langle x_i, w \rangle - y_i)^2`.

    Parameters
    ----------
    X : array_like or sparse matrix, shape (rows, features)
        The rows; give a column of ones if the model shall have an intercept.
    y : array_like, shape (rows,)
        The targets.
    test : tuple (X, y), optional
        Rows that are not trained on; the history then has a column ``test_loss``, the same mean over them.

    Raises
    ------
    ConfigurationError
        If the data is empty, ragged, not numeric, not finite, or X, y and test do not fit each other.

    Notes
    -----
    The papers state the sum over the rows; the mean is what reproduces their figures. F is quadratic, so
    :math:`F(w) - F(w^*) = \|X (w - w^*)\|^2 / 2m`, which is how the error is computed: exact near the optimum, where
    the difference of two losses would cancel.

    References
    ----------
    Kas Hanna et al., 2022, section V-A.

    Examples
    --------
    >>> problem = LeastSquares([[1.0, 0.0], [0.0, 2.0]], [1.0, 2.0])
    >>> problem.loss(np.zeros(2)), problem.gradient(np.zeros(2), None, 0.5).tolist()
    (1.25, [-0.5, -2.0])
    >>> problem.smoothness(), problem.strong_convexity()
    (2.0, 0.5)
    """

    def __init__(self, X: Any, y: Any, *, test: Any = None) -> None:
        self.X: Matrix = check_rows(X)
        self.y: Floats = check_targets(y, self.rows)
        self._test: tuple[Matrix, Floats] | None = None
        if test is not None:
            test_X, test_y = check_test(test, self.dimension)
            self._test = test_X, check_targets(test_y, test_X.shape[0], "test y")

    @classmethod
    def synthetic(cls, *, rows: int, features: int, design: str = "integers", seed: int, noise: float = 1.0) -> Self:
        r"""Draw rows and targets :math:`y_i \sim N(\langle x_i, \bar w \rangle, \mathrm{noise}^2)`.

        Parameters
        ----------
        rows, features : int
            Shape of the rows.
        design : {"integers", "gaussian"}
            ``"integers"``: entries of x uniform on {1, ..., 10}, true coefficients uniform on {1, ..., 100}.
            ``"gaussian"``: entries of x normal with standard deviation 100 (the paper's "N(0, 100)"), true
            coefficients uniform on {1, ..., 10}.
        seed : int
            The same seed gives the same data.
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
        shape = integer("rows", rows, low=1), integer("features", features, low=1)
        deviation = number("noise", noise, low=0.0)
        streams = Streams(seed)
        draw = streams.generator("synthetic rows")
        if choice("design", design, ("integers", "gaussian")) == "integers":
            X, largest = draw.integers(1, 10, size=shape, endpoint=True).astype(np.float64), 100
        else:
            X, largest = draw.normal(0.0, 100.0, size=shape), 10
        true = streams.generator("synthetic coefficients").integers(1, largest, size=shape[1], endpoint=True)
        signal = np.einsum("ij,j->i", X, true.astype(np.float64))  # not BLAS, whose last bits depend on its threads
        return cls(X, signal + deviation * streams.generator("synthetic noise").standard_normal(shape[0]))

    def __repr__(self) -> str:
        return f"LeastSquares({self.rows} rows, {self.dimension} features)"

    @property
    def dimension(self) -> int:
        """Number of features."""
        return int(self.X.shape[1])

    def loss(self, w: Floats) -> float:
        """Mean of (<x_i, w> - y_i)^2 / 2 over the training rows."""
        if self._gram is None:
            return _half_mean_square(self.X @ w - self.y)
        return self.error(w) + self.optimum().objective

    def gradient(self, w: Floats, rows: NDArray[np.intp] | None, weights: float | Floats) -> Floats:
        """Weighted sum of (<x_r, w> - y_r) x_r over `rows` (None: all rows)."""
        X = take_rows(self.X, rows)
        residual: Floats = X @ w
        residual -= self.y if rows is None else self.y[rows]
        residual *= weights
        total: Floats = X.T @ residual
        return total

    @property
    def has_optimum(self) -> bool:
        """True: a least-squares problem always attains its minimum."""
        return True

    def optimum(self) -> Optimum:
        """Return the solution of least norm and its objective, computed once.

        Raises
        ------
        ConfigurationError
            If the iterative solver for sparse rows does not converge.
        """
        return self._optimum

    def error(self, w: Floats) -> float:
        """F(w) - F(w*), computed from w - w* and therefore accurate however small it is."""
        off = w - self._optimum.w
        if self._gram is None:
            return _half_mean_square(self.X @ off)
        return 0.5 * float(off @ (self._gram @ off))

    def evaluate(self, w: Floats) -> tuple[float, float]:
        """Return error and loss at w; the error is the accurate one of `error`."""
        return self.error(w), self.loss(w)

    def smoothness(self) -> float:
        """L, the largest eigenvalue of X^T X / m."""
        return self._eigenvalues[0]

    def strong_convexity(self) -> float:
        """c, the smallest eigenvalue of X^T X / m; 0 where columns are collinear or outnumber the rows."""
        return self._eigenvalues[1]

    def metrics(self, w: Floats) -> dict[str, float]:
        """``test_loss``, the mean of (<x, w> - y)^2 / 2 over the test rows, if there are any."""
        if self._test is None:
            return {}
        X, y = self._test
        return {"test_loss": _half_mean_square(X @ w - y)}

    def _arrays(self) -> Mapping[str, Matrix | Floats]:
        arrays = {"X": self.X, "y": self.y}
        if self._test is not None:
            arrays |= {"test_X": self._test[0], "test_y": self._test[1]}
        return arrays

    @cached_property
    @one_blas_thread
    def _gram(self) -> Floats | None:
        """X^T X / m where a product with it is cheaper than one with X."""
        return gram(self.X) if self.dimension <= min(self.rows, DENSE_FEATURES) else None

    @cached_property
    @one_blas_thread
    def _eigenvalues(self) -> tuple[float, float]:
        return gram_eigenvalues(self.X)

    @cached_property
    @one_blas_thread
    def _optimum(self) -> Optimum:
        w = _solve(self.X, self.y)
        w.setflags(write=False)
        return Optimum(w, _half_mean_square(self.X @ w - self.y))


def _half_mean_square(residual: Floats) -> float:
    """Mean of the squared entries, halved."""
    return float(residual @ residual) / (2 * len(residual))


def _solve(X: Matrix, y: Floats) -> Floats:
    """Least-squares solution of least norm: by SVD if dense, by LSMR with one round of refinement if sparse."""
    if isinstance(X, np.ndarray):
        return np.asarray(np.linalg.lstsq(X, y)[0])
    w: Floats = np.zeros(X.shape[1])
    for _ in range(2):
        w = w + lsmr(X, y - X @ w, atol=1e-14, btol=1e-14, conlim=0.0, maxiter=20 * min(X.shape))[0]
    slope, scale = np.linalg.norm(X.T @ (X @ w - y)), np.linalg.norm(X.T @ y)
    if slope > 1e-8 * scale:
        raise ConfigurationError(
            f"LeastSquares of {X.shape[0]} sparse rows: the optimum was not found (gradient {slope:.2g} after LSMR, "
            f"{scale:.2g} at zero); bring the columns to a common scale or drop collinear ones"
        )
    return w
