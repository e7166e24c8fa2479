"""Softmax regression, also known as multinomial logistic regression.

Rows and labels come from the user. `clustersim.problems.classifier.LinearClassifier` defines the layout of w and
returns gradients, the optimum and the constants L and c.
"""

import numpy as np

from clustersim.problems.base import Floats
from clustersim.problems.classifier import LinearClassifier
from clustersim.problems.softmax_loss import SoftmaxLoss, balanced, probabilities

__all__ = ["SoftmaxRegression"]


class SoftmaxRegression(SoftmaxLoss, LinearClassifier):
    r"""Softmax (multinomial logistic) regression with ridge, for C classes.

    .. math:: F(W, b) = \frac{1}{m} \sum_i \Big[ \log \sum_u e^{z_{iu}} - z_{i y_i} \Big] + \frac{\lambda}{2} \|W\|^2,
              \qquad z_{iu} = \langle x_i, w_u \rangle + b_u

    Parameters
    ----------
    X : array_like or sparse matrix, shape (rows, features)
        The rows.
    y : array_like, shape (rows,)
        Labels: whole numbers, booleans or strings.
    ridge : float, default 0.0
        Lambda; the biases are not penalised.
    test : tuple (X, y), optional
        Test rows and their labels. The history then has a column ``test_accuracy``.
    bias : bool, default True
        Whether the model has biases.

    Raises
    ------
    ConfigurationError
        If the data is empty, ragged or not finite, if the labels are invalid, or if the ridge is negative.

    Notes
    -----
    The flat w is the matrix of shape (features + 1, C) in C order, biases last. Adding the same number to all biases
    does not change the objective. `optimum` returns the optimum whose biases sum to 0. The biases of every run that
    starts at zeros sum to 0, too. `has_optimum` is false under the same conditions as for `LogisticRegression`.
    `strong_convexity` is 0 with biases and the ridge without.

    References
    ----------
    C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.4.

    Examples
    --------
    Two thirds of the rows at 1 and one third of the rows at -1 have label a: the scores of a and b differ by log 2.

    >>> problem = SoftmaxRegression([[1], [1], [1], [-1], [-1], [-1]], ["a", "a", "b", "b", "b", "a"], bias=False)
    >>> problem.optimum().w.round(9).tolist(), round(float(np.log(2.0)) / 2, 9)
    ([0.34657359, -0.34657359], 0.34657359)
    """

    _max_curvature = 0.5

    @property
    def _columns(self) -> int:
        return len(self.classes)

    def _curvature(self, scores: Floats, targets: Floats, change: Floats) -> Floats:
        p = probabilities(scores)
        mean = np.einsum("ij,ij->i", p, change)[:, None]
        # The loss is flat in the direction in which all scores of a row change by the same amount. Gradients have no
        # component there, so adding curvature in this direction leaves Newton's steps unchanged. But it makes the
        # equations non-singular, so that rounding errors cannot grow.
        common: Floats = (p * (1.0 - p)).mean(axis=1, keepdims=True)
        common *= change.mean(axis=1, keepdims=True)
        return balanced(p * (change - mean), targets) + common
