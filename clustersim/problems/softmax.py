"""Softmax regression, the multinomial sibling of logistic regression.

Rows and labels flow in from the user; losses, gradients, the optimum and constants flow out through
`clustersim.problems.classifier.LinearClassifier`, which also says how w is laid out.
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
        Rows that are not trained on; the history then has a column ``test_accuracy``.
    bias : bool, default True
        Whether the model has biases.

    Raises
    ------
    ConfigurationError
        If the data is empty, ragged or not finite, labels do not fit, or the ridge is negative.

    Notes
    -----
    The flat w is the matrix of shape (features + 1, C) in C order, biases last. Adding one number to all biases
    changes nothing, so of the many optima the one whose biases add up to 0 is given, which is also where every run
    from zeros stays. `has_optimum` and `strong_convexity` are as for `LogisticRegression`.

    References
    ----------
    C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.4.

    Examples
    --------
    Of the rows at 1 two thirds are a, of the rows at -1 one third: the scores of a and b differ by log 2.

    >>> problem = SoftmaxRegression([[1], [1], [1], [-1], [-1], [-1]], ["a", "a", "b", "b", "b", "a"], bias=False)
    >>> problem.optimum().w.round(9).tolist(), round(float(np.log(2.0)) / 2, 9)
    ([0.34657359, -0.34657359], 0.34657359)
    """

    _sharpest = 0.5

    @property
    def _columns(self) -> int:
        return len(self.classes)

    def _bends(self, scores: Floats, targets: Floats, change: Floats) -> Floats:
        p = probabilities(scores)
        mean = np.einsum("ij,ij->i", p, change)[:, None]
        # The loss is flat where all scores of a row grow alike. Bent there as much as elsewhere, Newton's steps stay
        # the same, since no gradient points there, but its equations are not singular and rounding cannot grow.
        alike: Floats = (p * (1.0 - p)).mean(axis=1, keepdims=True)
        alike *= change.mean(axis=1, keepdims=True)
        return balanced(p * (change - mean), targets) + alike
