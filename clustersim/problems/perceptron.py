"""A multi-layer perceptron in plain NumPy: the non-convex problem.

Rows and labels flow in from the user; losses, gradients and the initial model flow out to the engine. One pass forward
and one back over the chosen rows is a product of two matrices a layer each way; the backward ones are written straight
into views of the flat gradient.
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

_WIDEST = 10**6  # units of a layer

__all__ = ["MultilayerPerceptron"]


class MultilayerPerceptron(SoftmaxLoss):
    r"""A perceptron with ReLU hidden layers, a softmax on top, and ridge, for C classes.

    .. math:: F(w) = \frac{1}{m} \sum_i \Big[ \log \sum_u e^{z_{iu}} - z_{i y_i} \Big]
                     + \frac{\lambda}{2} \sum_l \|W_l\|^2, \qquad
              h_0 = x, \quad h_l = \max(0, h_{l-1} W_l + b_l), \quad z = h_L W_{L+1} + b_{L+1}

    Parameters
    ----------
    X : array_like or sparse matrix, shape (rows, features)
        The rows; columns of a common scale, such as 0 to 1, train best.
    y : array_like, shape (rows,)
        Labels: whole numbers, booleans or strings.
    hidden : sequence of int, default (64,)
        Width of each hidden layer, the first after the rows first; ``()`` is softmax regression.
    ridge : float, default 0.0
        Lambda; the biases are not penalised.
    test : tuple (X, y), optional
        Rows that are not trained on; the history then has a column ``test_accuracy``.
    seed : int, default 0
        Of the initial model. It belongs to the problem, so all policies and replications begin at the same model.

    Raises
    ------
    ConfigurationError
        If the data is empty, ragged or not finite, labels do not fit, the ridge is negative, `hidden` is not a sequence
        of whole numbers, at least 1, or the seed is not a whole number, at least 0.

    Notes
    -----
    The flat w holds the layers one after the other, each as its matrix of shape (inputs + 1, outputs) in C order: row j
    has the weights of input j, the last row the biases. The slope of max(0, z) at z = 0 is taken as 0. No optimum is
    known: the history's ``error`` is NaN, watch ``loss`` or ``test_accuracy``.

    References
    ----------
    C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, sections 5.1 to 5.3.

    Examples
    --------
    Exclusive or, which no linear model can tell: a unit that counts the ones, and one that answers to both of them.

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
        """Length of w: (inputs + 1) x outputs, added up over the layers."""
        return self._cuts[-1]

    def initial_model(self) -> Floats:
        """Return He-normal weights (standard deviation sqrt(2 / inputs)) and zero biases, drawn by the seed.

        Zeros would be a saddle: every hidden unit gives 0 and passes 0 back, so that no weight would ever move, only
        the last biases. Nor may weights be equal, for units that begin alike stay alike.

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
        """Weighted sum of the rows' gradients, without the ridge; `rows` None stands for all rows."""
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
        """Half the ridge times the squared norm of the weights; the biases are free."""
        return 0.5 * self.ridge * sum(float(np.vdot(layer[:-1], layer[:-1])) for layer in self._layers(w))

    def penalty_gradient(self, w: Floats) -> Floats | None:
        """The ridge times the weights, 0 for the biases; None without ridge."""
        if not self.ridge:
            return None
        slope = self.ridge * w
        for layer in self._layers(slope):
            layer[-1] = 0.0
        return slope

    def _layers(self, flat: Floats) -> list[Floats]:
        """Views of a flat vector as the matrices of the layers, each with its biases in the last row."""
        return [
            flat[start:end].reshape(shape)
            for (start, end), shape in zip(pairwise(self._cuts), self._shapes, strict=True)
        ]

    def _signals(self, X: Matrix, layers: Sequence[Floats]) -> list[Matrix]:
        """What goes into each layer, a column of ones included; shapes (rows, inputs + 1)."""
        signals = [X]
        for layer in layers[:-1]:
            signal = np.empty((X.shape[0], layer.shape[1] + 1))
            _multiply(signals[-1], layer, signal[:, :-1])
            signal[:, -1] = 1.0
            np.maximum(signal, 0.0, out=signal)  # leaves the ones; without them the array were not contiguous, and slow
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
    """Write the product where it belongs; a sparse one has to be made first."""
    if isinstance(left, np.ndarray):
        np.matmul(left, right, out=out)
    else:
        out[:] = left @ right


def _widths(hidden: Any) -> tuple[int, ...]:
    """The widths of the hidden layers, checked."""
    expected = "a sequence of whole numbers, the width of each hidden layer, such as (64,)"
    widths = several("hidden", hidden, expected)
    return tuple(integer(f"hidden[{place}]", width, low=1, high=_WIDEST) for place, width in enumerate(widths))
