"""The cross-entropy of a softmax, which softmax regression and the perceptron share.

The functions take scores and targets of shape (rows, classes) and return losses, slopes or class numbers. A target is 1
if the row belongs to the column's class, else 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.problems.base import Floats
from clustersim.problems.labelled import LabelledProblem

__all__ = ["SoftmaxLoss", "balanced", "probabilities"]


class SoftmaxLoss(LabelledProblem):
    """A labelled problem with softmax cross-entropy as the loss of a row; scores of any size do not overflow."""

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
    """Return the softmax of each row; shape (rows, classes).

    Examples
    --------
    >>> probabilities(np.array([[0.0, np.log(3.0)], [-1000.0, 1000.0]])).round(9).tolist()
    [[0.25, 0.75], [0.0, 1.0]]
    """
    p: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def balanced(values: Floats, targets: Floats) -> Floats:
    """Return `values` with the entry of each row's own class replaced by minus the sum of the other entries.

    Each row of the derivatives sums to 0. Computed like this, the entry of the own class does not suffer from
    cancellation when the probability of the class is nearly 1.

    Examples
    --------
    >>> balanced(np.array([[0.25, 0.25, 0.5]]), np.array([[0.0, 1.0, 0.0]])).tolist()
    [[0.25, -0.75, 0.5]]
    """
    others = values * (1.0 - targets)
    others -= targets * others.sum(axis=1, keepdims=True)
    return others
