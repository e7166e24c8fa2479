"""Softmax regression, the multinomial sibling of logistic regression.

Rows and labels flow in from the user; losses, gradients, the optimum and constants flow out through
`clustersim.problems.classifier.LinearClassifier`, which also says how w is laid out.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.problems.base import Floats
from clustersim.problems.classifier import LinearClassifier

__all__ = ["SoftmaxRegression"]


class SoftmaxRegression(LinearClassifier):
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

    def _encode(self, codes: NDArray[np.intp]) -> Floats:
        """1 where the row is of the column's class, else 0."""
        return np.where(codes[:, None] == np.arange(self._columns), 1.0, 0.0)

    def _losses(self, scores: Floats, targets: Floats) -> Floats:
        below = scores - scores.max(axis=1, keepdims=True)
        own: Floats = np.einsum("ij,ij->i", below, targets)
        total: Floats = np.log(np.exp(below).sum(axis=1))
        return total - own

    def _slopes(self, scores: Floats, targets: Floats) -> Floats:
        return _balanced(_probabilities(scores), targets)

    def _bends(self, scores: Floats, targets: Floats, change: Floats) -> Floats:
        p = _probabilities(scores)
        mean = np.einsum("ij,ij->i", p, change)[:, None]
        # The loss is flat where all scores of a row grow alike. Bent there as much as elsewhere, Newton's steps stay
        # the same, since no gradient points there, but its equations are not singular and rounding cannot grow.
        alike: Floats = (p * (1.0 - p)).mean(axis=1, keepdims=True)
        alike *= change.mean(axis=1, keepdims=True)
        return _balanced(p * (change - mean), targets) + alike

    def _predict(self, scores: Floats) -> NDArray[Any]:
        best: NDArray[np.intp] = scores.argmax(axis=1)
        return best


def _probabilities(scores: Floats) -> Floats:
    """Softmax of each row."""
    p: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def _balanced(values: Floats, targets: Floats) -> Floats:
    """Replace the entry of a row's own class by minus the sum of the others.

    Each row of the derivatives sums to 0; taken so, the own entry does not cancel where its probability is nearly 1.
    """
    others = values * (1.0 - targets)
    others -= targets * others.sum(axis=1, keepdims=True)
    return others
