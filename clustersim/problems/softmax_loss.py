"""The cross-entropy of a softmax: what softmax regression and the perceptron share, however their scores arise.

Scores and targets of shape (rows, classes) flow in; losses, slopes and class numbers flow out. A target is 1 where the
row is of the column's class, else 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.problems.base import Floats
from clustersim.problems.labelled import LabelledProblem

__all__ = ["SoftmaxLoss", "balanced", "probabilities"]


class SoftmaxLoss(LabelledProblem):
    """A labelled problem whose rows cost the cross-entropy of the softmax of their scores, however large those are."""

    def _encode(self, codes: NDArray[np.intp]) -> Floats:
        return np.where(codes[:, None] == np.arange(len(self.classes)), 1.0, 0.0)

    def _losses(self, scores: Floats, targets: Floats) -> Floats:
        below = scores - scores.max(axis=1, keepdims=True)
        own: Floats = np.einsum("ij,ij->i", below, targets)
        total: Floats = np.log(np.exp(below).sum(axis=1))
        return total - own

    def _slopes(self, scores: Floats, targets: Floats) -> Floats:
        return balanced(probabilities(scores), targets)

    def _predict(self, scores: Floats) -> NDArray[Any]:
        best: NDArray[np.intp] = scores.argmax(axis=1)
        return best


def probabilities(scores: Floats) -> Floats:
    """Softmax of each row.

    Examples
    --------
    >>> probabilities(np.array([[0.0, np.log(3.0)], [-1000.0, 1000.0]])).round(9).tolist()
    [[0.25, 0.75], [0.0, 1.0]]
    """
    p: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def balanced(values: Floats, targets: Floats) -> Floats:
    """Replace the entry of a row's own class by minus the sum of the others.

    Each row of the derivatives sums to 0; taken so, the own entry does not cancel where its probability is nearly 1.

    Examples
    --------
    >>> balanced(np.array([[0.25, 0.25, 0.5]]), np.array([[0.0, 1.0, 0.0]])).tolist()
    [[0.25, -0.75, 0.5]]
    """
    others = values * (1.0 - targets)
    others -= targets * others.sum(axis=1, keepdims=True)
    return others
