"""Logistic regression: binary, and one-vs-rest for more than two classes.

Rows and labels flow in from the user; losses, gradients, the optimum and constants flow out through
`clustersim.problems.classifier.LinearClassifier`, which also says how w is laid out.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from clustersim.problems.base import Floats
from clustersim.problems.classifier import LinearClassifier

__all__ = ["LogisticRegression"]


class LogisticRegression(LinearClassifier):
    r"""Logistic regression with ridge; one-vs-rest where y has more than two labels.

    Two labels, with :math:`z_i = \langle x_i, w \rangle + b` and :math:`t_i = 1` for the second label in sorted order:

    .. math:: F(w, b) = \frac{1}{m} \sum_i [\log(1 + e^{z_i}) - t_i z_i] + \frac{\lambda}{2} \|w\|^2

    C > 2 labels, with a model :math:`w_u, b_u` for each label u against the rest, :math:`t_{iu} = 1` where
    :math:`y_i = u`:

    .. math:: F(w, b) = \frac{1}{C} \sum_u \Big( \frac{1}{m} \sum_i [\log(1 + e^{z_{iu}}) - t_{iu} z_{iu}]
                        + \frac{\lambda}{2} \|w_u\|^2 \Big)

    Parameters
    ----------
    X : array_like or sparse matrix, shape (rows, features)
        The rows.
    y : array_like, shape (rows,)
        Labels: whole numbers, booleans or strings.
    ridge : float, default 0.0
        Lambda; the bias is not penalised.
    test : tuple (X, y), optional
        Rows that are not trained on; the history then has a column ``test_accuracy``, and with two labels, if both are
        among the test rows, a column ``test_auc``: the area under the ROC curve of their scores.
    bias : bool, default True
        Whether the model has one.

    Raises
    ------
    ConfigurationError
        If the data is empty, ragged or not finite, labels do not fit, or the ridge is negative.

    Notes
    -----
    The flat w is the matrix of shape (features + 1, C) in C order, biases last; with two labels it is one column of
    length features + 1. Without ridge, rows that can be separated by label have no optimum: `has_optimum` is then
    false and `error` NaN. A bias is not penalised, so the curvature has no positive lower bound over all models and
    `strong_convexity` is 0; without bias it is the ridge (over C).

    References
    ----------
    Kas Hanna et al., 2022, eq. 8, with two misprints mended: the second logarithm is of 1 - sigma, and sigma is
    1 / (1 + exp(-z)). The sum over the rows is the mean here.

    Examples
    --------
    Of the rows at 1 two thirds are of class 1, of the rows at -1 one third: the odds are 2, and w = log 2.

    >>> problem = LogisticRegression([[1], [1], [1], [-1], [-1], [-1]], [1, 1, 0, 0, 0, 1], bias=False)
    >>> problem.optimum().w.round(9).tolist(), round(float(np.log(2.0)), 9)
    ([0.693147181], 0.693147181)
    """

    _sharpest = 0.25

    @property
    def _columns(self) -> int:
        return 1 if len(self.classes) == 2 else len(self.classes)

    @property
    def _sharing(self) -> int:
        return self._columns

    def _encode(self, codes: NDArray[np.intp]) -> Floats:
        """-1 where the row is of the column's class, else 1: then each loss is log(1 + exp(target * score))."""
        positive = np.arange(self._columns) + (self._columns == 1)
        return np.where(codes[:, None] == positive, -1.0, 1.0)

    def _losses(self, scores: Floats, targets: Floats) -> Floats:
        losses: Floats = np.logaddexp(0.0, targets * scores).mean(axis=1)
        return losses

    def _slopes(self, scores: Floats, targets: Floats) -> Floats:
        slopes: Floats = expit(targets * scores)
        slopes *= targets
        slopes /= self._columns
        return slopes

    def _bends(self, scores: Floats, targets: Floats, change: Floats) -> Floats:  # noqa: ARG002 - the same for both
        bends: Floats = expit(scores) * expit(-scores) * change / self._columns
        return bends

    def _predict(self, scores: Floats) -> NDArray[Any]:
        return scores[:, 0] > 0.0 if self._columns == 1 else scores.argmax(axis=1)

    def _ranking(self, scores: Floats, codes: NDArray[np.intp]) -> dict[str, float]:
        if self._columns > 1 or codes.min() == codes.max():
            return {}
        if not np.isfinite(scores).all():
            return {"test_auc": math.nan}  # a model that has run away, which scikit-learn would refuse to judge
        from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - half a second that other problems are spared

        return {"test_auc": float(roc_auc_score(codes, scores[:, 0]))}
