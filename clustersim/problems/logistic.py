"""Logistic regression: binary, and one-vs-rest for more than two classes.

Rows and labels come from the user. `clustersim.problems.classifier.LinearClassifier` defines the layout of w and
returns gradients, the optimum and the constants L and c.
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
    r"""Logistic regression with ridge; one-vs-rest if y has more than two labels.

    Two labels, with :math:`z_i = \langle x_i, w \rangle + b` and :math:`t_i = 1` for the second label in sorted order:

    .. math:: F(w, b) = \frac{1}{m} \sum_i [\log(1 + e^{z_i}) - t_i z_i] + \frac{\lambda}{2} \|w\|^2

    C > 2 labels, with a model :math:`w_u, b_u` for each label u against the rest, and :math:`t_{iu} = 1` if
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
        Test rows and their labels. The history then has a column ``test_accuracy``. With two labels that both occur in
        the test rows, it also has a column ``test_auc``: the area under the ROC curve of the scores.
    bias : bool, default True
        Whether the model has a bias.

    Raises
    ------
    ConfigurationError
        If the data is empty, ragged or not finite, if the labels are invalid, or if the ridge is negative.

    Notes
    -----
    The flat w is the matrix of shape (features + 1, C) in C order, biases last. With two labels it is one column of
    length features + 1. Without ridge, there is no optimum if the rows can be separated by label: `has_optimum` is then
    false and `error` is NaN. The bias is not penalised, so the curvature has no positive lower bound over all models
    and `strong_convexity` is 0. Without bias it is the ridge, divided by C if C > 2.

    References
    ----------
    Kas Hanna et al., 2022, eq. 8, with two misprints corrected: the second logarithm is of 1 - sigma, and sigma is
    1 / (1 + exp(-z)). The paper sums over the rows; here it is the mean.

    Examples
    --------
    Two thirds of the rows at 1 and one third of the rows at -1 are in class 1: the odds are 2, and w = log 2.

    >>> problem = LogisticRegression([[1], [1], [1], [-1], [-1], [-1]], [1, 1, 0, 0, 0, 1], bias=False)
    >>> problem.optimum().w.round(9).tolist(), round(float(np.log(2.0)), 9)
    ([0.693147181], 0.693147181)
    """

    _max_curvature = 0.25

    @property
    def _columns(self) -> int:
        return 1 if len(self.classes) == 2 else len(self.classes)

    @property
    def _averaged_columns(self) -> int:
        return self._columns

    def _encode(self, codes: NDArray[np.intp]) -> Floats:
        """Return -1 if the row belongs to the column's class, else 1: each loss is log(1 + exp(target * score))."""
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

    def _curvature(self, scores: Floats, targets: Floats, change: Floats) -> Floats:  # noqa: ARG002 - the curvature does not depend on the target
        curvature: Floats = expit(scores) * expit(-scores) * change / self._columns
        return curvature

    def _predict(self, scores: Floats) -> NDArray[Any]:
        return scores[:, 0] > 0.0 if self._columns == 1 else scores.argmax(axis=1)

    def _ranking(self, scores: Floats, codes: NDArray[np.intp]) -> dict[str, float]:
        if self._columns > 1 or codes.min() == codes.max():
            return {}
        if not np.isfinite(scores).all():
            return {"test_auc": math.nan}  # the model has diverged, and scikit-learn refuses infinite scores
        from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - takes half a second, and only this metric needs it

        return {"test_auc": float(roc_auc_score(codes, scores[:, 0]))}
