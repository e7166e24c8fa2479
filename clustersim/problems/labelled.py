"""Base class of problems whose rows have labels: class numbers, the column of ones, test rows and their accuracy.

Rows and labels come from the user. A subclass defines the scores of the rows (`_scores`) and the loss of those scores
(`_losses`).
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustersim.checks import flag, number
from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats
from clustersim.problems.data import LARGEST, Matrix, check_labels, check_rows, check_test, frozen
from clustersim.problems.tabular import TabularProblem

__all__ = ["LabelledProblem"]


class LabelledProblem(TabularProblem):
    """Base class of the problems with labels; see `SoftmaxRegression` for the parameters.

    With `bias`, a column of ones is appended to the matrix `X`, so that the bias is one more coefficient.
    """

    def __init__(self, X: Any, y: Any, *, ridge: float = 0.0, test: Any = None, bias: bool = True) -> None:
        self.ridge = number("ridge", ridge, low=0.0, high=LARGEST)
        self.bias = flag("bias", bias)
        rows = check_rows(X)
        self.classes, self._codes = check_labels(y, rows.shape[0])
        self.X: Matrix = _with_ones(rows) if self.bias else rows
        self._targets = self._encode(self._codes)
        self._test: tuple[Matrix, NDArray[np.intp]] | None = None
        if test is not None:
            test_X, test_y = check_test(test, rows.shape[1])
            self._test = _with_ones(test_X) if self.bias else test_X, self._known(test_y, test_X.shape[0])

    @abstractmethod
    def _encode(self, codes: NDArray[np.intp]) -> Floats:
        """Return targets of shape (rows, columns), in the form that `_losses` expects."""

    @abstractmethod
    def _scores(self, X: Matrix, w: Floats) -> Floats:
        """Return the scores of rows that already include the column of ones; shape (rows, columns)."""

    @abstractmethod
    def _losses(self, scores: Floats, targets: Floats) -> Floats:
        """Return the loss of each row; shape (rows,)."""

    @abstractmethod
    def _slopes(self, scores: Floats, targets: Floats) -> Floats:
        """Return the derivative of each row's loss with respect to its scores; shape (rows, columns), a new array."""

    @abstractmethod
    def _predict(self, scores: Floats) -> NDArray[Any]:
        """Return the predicted class number of each row."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._size}, ridge={self.ridge:g})"

    @property
    def labels(self) -> NDArray[np.intp]:
        """Class number 0, 1, ... of each training row, an index into `classes`; shape (rows,)."""
        return self._codes

    def loss(self, w: Floats) -> float:
        """Return the mean cross-entropy over the training rows, without the ridge."""
        return float(self._losses(self._scores(self.X, w), self._targets).mean())

    def metrics(self, w: Floats) -> dict[str, float]:
        """Return ``test_accuracy``, the fraction of test rows that are classified correctly, if there are test rows."""
        if self._test is None:
            return {}
        X, codes = self._test
        scores = self._scores(X, w)
        return {"test_accuracy": float((self._predict(scores) == codes).mean())} | self._ranking(scores, codes)

    def _ranking(self, scores: Floats, codes: NDArray[np.intp]) -> dict[str, float]:  # noqa: ARG002 - none by default
        """Return metrics of how the scores rank the test rows; none by default."""
        return {}

    @property
    def _size(self) -> str:
        """The numbers of rows, features and classes as text."""
        return f"{self.rows} rows, {self.X.shape[1] - self.bias} features, {len(self.classes)} classes"

    def _known(self, y: Any, rows: int) -> NDArray[np.intp]:
        """Return the class numbers of the test labels; refuse labels that no training row has."""
        values, codes = check_labels(y, rows, "test y", fewest=1)
        comparable = values.dtype.kind == self.classes.dtype.kind or "U" not in (
            values.dtype.kind,
            self.classes.dtype.kind,
        )
        unknown = values[~np.isin(values, self.classes)] if comparable else values
        if len(unknown):
            raise ConfigurationError(
                f"test y: expected the labels of the training rows, {_short(self.classes)}, got {_short(unknown)}; "
                "drop these test rows or add training rows with these labels"
            )
        return np.searchsorted(self.classes, values)[codes]

    def _arrays(self) -> Mapping[str, Matrix | NDArray[Any]]:
        arrays = {"X": self.X, "y": self._codes}
        if self._test is not None:
            arrays |= {"test_X": self._test[0], "test_y": self._test[1]}
        return arrays


def _with_ones(X: Matrix) -> Matrix:
    """Return X with a last column of ones, whose coefficient is the bias."""
    ones = np.ones((X.shape[0], 1))
    if isinstance(X, np.ndarray):
        return frozen(np.hstack([X, ones]))
    return frozen(sparse.csr_array(sparse.hstack([X, sparse.csr_array(ones)])))


def _short(values: NDArray[Any]) -> str:
    """Return the first few values as text for an error message."""
    shown = ", ".join(repr(value) for value in values[:5].tolist())
    return shown + (", ..." if len(values) > 5 else "")
