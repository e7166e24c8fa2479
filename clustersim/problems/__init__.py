"""The problems that a cluster can train: an objective, its weighted gradients, and what is known of its optimum.

Each problem has its own file; `base` says what all of them answer, `data` checks rows and targets, `tabular`,
`labelled`, `classifier` and `softmax_loss` hold what several share, `spectrum` computes L and c.
`pytorch` takes any network of PyTorch, if that is installed.
"""

from clustersim.problems.base import Optimum, Problem
from clustersim.problems.least_squares import LeastSquares
from clustersim.problems.logistic import LogisticRegression
from clustersim.problems.perceptron import MultilayerPerceptron
from clustersim.problems.pytorch import TorchProblem, vgg11
from clustersim.problems.softmax import SoftmaxRegression

__all__ = [
    "LeastSquares",
    "LogisticRegression",
    "MultilayerPerceptron",
    "Optimum",
    "Problem",
    "SoftmaxRegression",
    "TorchProblem",
    "vgg11",
]
