"""The problems that a cluster can train: an objective, its weighted gradients and, where known, its optimum.

Each problem has its own file. `base` defines the interface of all problems, `data` checks rows and targets, and
`spectrum` computes L and c. `tabular`, `labelled`, `classifier` and `softmax_loss` are base classes that several
problems share. `solution` solves least-squares problems, and `newton` computes the Newton steps of the classifiers.
`pytorch` turns any PyTorch module into a problem, if PyTorch is installed. `timing_only` stands for a problem in
studies of times and bytes alone.
"""

from clustersim.problems.base import Optimum, Problem
from clustersim.problems.least_squares import LeastSquares
from clustersim.problems.logistic import LogisticRegression
from clustersim.problems.perceptron import MultilayerPerceptron
from clustersim.problems.pytorch import TorchProblem, vgg11
from clustersim.problems.softmax import SoftmaxRegression
from clustersim.problems.timing_only import TimingOnly

__all__ = [
    "LeastSquares",
    "LogisticRegression",
    "MultilayerPerceptron",
    "Optimum",
    "Problem",
    "SoftmaxRegression",
    "TimingOnly",
    "TorchProblem",
    "vgg11",
]
