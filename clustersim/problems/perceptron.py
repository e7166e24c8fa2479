"""A multi-layer perceptron in plain NumPy, for non-convex objectives.

Rows and labels come from the user. The engine receives losses, gradients and the initial model. The forward pass over
the chosen rows computes one matrix product for each layer. The backward pass writes the gradient of each layer directly
into a view of the flat gradient.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import SEED, integer, several
from clustersim.problems.base import Floats
from clustersim.problems.data import Matrix, take_rows
from clustersim.problems.softmax_loss import SoftmaxLoss
from clustersim.streams import Streams

_MAX_WIDTH = 10**6  # units of a hidden layer

__all__ = ["MultilayerPerceptron"]


class MultilayerPerceptron(SoftmaxLoss):
    r"""A multi-layer perceptron for C classes: ReLU hidden layers, softmax cross-entropy and ridge.

    .. math:: F(w) = \frac{1}{m} \sum_i \Big[ \log \sum_u e^{z_{iu}} - z_{i y_i} \Big]
                     + \frac{\lambda}{2} \sum_l \|W_l\|^2, \qquad
              h_0 = x, \quad h_l = \max(0, h_{l-1} W_l + b_l), \quad z = h_L W_{L+1} + b_{L+1}

    Parameters
    ----------
    X : array_like or sparse matrix, shape (rows, features)
        The rows. Training works best if all columns have a common scale, such as 0 to 1.
    y : array_like, shape (rows,)
        Labels: whole numbers, booleans or strings.
    hidden : sequence of int, default (64,)
        Width of each hidden layer, starting next to the input. ``()`` gives softmax regression.
    ridge : float, default 0.0
        Lambda; the biases are not penalised.
    test : tuple (X, y), optional
        Test rows and their labels. The history then has a column ``test_accuracy``.
    seed : int, default 0
        Seed of the initial model. It belongs to the problem, so all policies and replications start at the same model.

    Raises
    ------
    ConfigurationError
        If the data is empty, ragged or not finite, if the labels are invalid, or if the ridge is negative. Also if
        `hidden` is not a sequence of positive whole numbers, or if the seed is not a non-negative whole number.

    Notes
    -----
    The flat w contains the layers in order. Each layer is a matrix of shape (inputs + 1, outputs) in C order: row j
    contains the weights of input j, and the last row contains the biases. The slope of max(0, z) at z = 0 is taken as
    0. No optimum is known, so the history's ``error`` is NaN; use ``loss`` or ``test_accuracy`` instead.

    References
    ----------
    C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, sections 5.1 to 5.3.

    Examples
    --------
    Exclusive or, which no linear model can represent. One hidden unit counts the ones; the other is active only if both
    inputs are 1.

    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> problem = MultilayerPerceptron(X, y, hidden=(2,), test=(X, y))
    >>> first, last = [[1, 1], [1, 1], [0, -1]], [[0, 2], [0, -4], [0, -1]]
    >>> w = np.array(first + last, dtype=float).ravel()
    >>> round(problem.loss(w), 9), problem.metrics(w), round(float(np.log1p(np.exp(-1.0))), 9)
    (0.313261688, {'test_accuracy': 1.0}, 0.313261688)
    """

    def __init__(
        self, X: Any, y: Any, *, hidden: Sequence[int] = (64,), ridge: float = 0.0, test: Any = None, seed: int = 0
    ) -> None:
        self.hidden = _widths(hidden)
        self.seed = integer("seed", seed, low=0, high=SEED)
        super().__init__(X, y, ridge=ridge, test=test)
        ends = pairwise((self.X.shape[1] - 1, *self.hidden, len(self.classes)))
        self._shapes = [(inputs + 1, outputs) for inputs, outputs in ends]
        self._cuts: list[int] = [0, *accumulate(rows * columns for rows, columns in self._shapes)]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._size}, hidden={self.hidden}, ridge={self.ridge:g}, seed={self.seed})"

    @property
    def dimension(self) -> int:
        """Length of w: the sum over the layers of (inputs + 1) x outputs."""
        return self._cuts[-1]

    def initial_model(self) -> Floats:
        """Return He-normal weights (standard deviation sqrt(2 / inputs)), drawn with the seed, and zero biases.

        Zero weights would be a saddle point: all hidden units would output 0 and receive gradient 0, so that only the
        last biases would change. Equal weights would not work either: units that start equal remain equal.

        References
        ----------
        K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", 2015, eq. 10.
        """
        generator = Streams(self.seed).generator("initial model")
        w = np.zeros(self.dimension)
        for layer in self._layers(w):
            weights = layer[:-1]
            weights[:] = generator.standard_normal(weights.shape) * np.sqrt(2.0 / len(weights))
        return w

    def gradient(self, w: Floats, rows: NDArray[np.intp] | None, weights: float | Floats) -> Floats:
        """Return the weighted sum of the rows' gradients, without the ridge; None for `rows` means all rows."""
        layers = self._layers(w)
        signals = self._signals(take_rows(self.X, rows), layers)
        slopes = self._slopes(signals[-1] @ layers[-1], take_rows(self._targets, rows))
        slopes *= weights if np.ndim(weights) == 0 else np.reshape(weights, (-1, 1))
        total = np.empty(self.dimension)
        parts = self._layers(total)
        for number in reversed(range(len(layers))):
            _multiply(signals[number].T, slopes, parts[number])
            if number:
                slopes = slopes @ layers[number][:-1].T
                slopes *= signals[number][:, :-1] > 0.0
        return total

    def penalty(self, w: Floats) -> float:
        """Return half the ridge times the squared norm of the weights; biases are not penalised."""
        return 0.5 * self.ridge * sum(float(np.vdot(layer[:-1], layer[:-1])) for layer in self._layers(w))

    def penalty_gradient(self, w: Floats) -> Floats | None:
        """Return the ridge times the weights, and 0 for the biases; None without ridge."""
        if not self.ridge:
            return None
        slope = self.ridge * w
        for layer in self._layers(slope):
            layer[-1] = 0.0
        return slope

    def _layers(self, flat: Floats) -> list[Floats]:
        """Return views of a flat vector as the matrices of the layers, with the biases in the last row of each."""
        return [
            flat[start:end].reshape(shape)
            for (start, end), shape in zip(pairwise(self._cuts), self._shapes, strict=True)
        ]

    def _signals(self, X: Matrix, layers: Sequence[Floats]) -> list[Matrix]:
        """Return the inputs of each layer, column of ones included; shapes (rows, inputs + 1)."""
        signals = [X]
        for layer in layers[:-1]:
            signal = np.empty((X.shape[0], layer.shape[1] + 1))
            _multiply(signals[-1], layer, signal[:, :-1])
            signal[:, -1] = 1.0
            np.maximum(signal, 0.0, out=signal)  # keeps the ones; a view without them is not contiguous, hence slower
            signals.append(signal)
        return signals

    def _scores(self, X: Matrix, w: Floats) -> Floats:
        layers = self._layers(w)
        scores: Floats = self._signals(X, layers)[-1] @ layers[-1]
        return scores

    def _parameters(self) -> Mapping[str, Any]:
        return {
            "hidden": list(self.hidden),
            "ridge": self.ridge,
            "seed": self.seed,
            "classes": self.classes.tolist(),
        }


def _multiply(left: Matrix, right: Floats, out: Floats) -> None:
    """Write the product into `out`; a sparse product needs a temporary array first."""
    if isinstance(left, np.ndarray):
        np.matmul(left, right, out=out)
    else:
        out[:] = left @ right


def _widths(hidden: Any) -> tuple[int, ...]:
    """Check the widths of the hidden layers and return them as a tuple."""
    expected = "a sequence of whole numbers, the width of each hidden layer, such as (64,)"
    widths = several("hidden", hidden, expected)
    return tuple(integer(f"hidden[{i}]", width, low=1, high=_MAX_WIDTH) for i, width in enumerate(widths))
