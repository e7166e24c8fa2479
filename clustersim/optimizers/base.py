"""The base classes of optimisers, with the step size and the weight decay that the gradient methods share.

An `Optimizer` is a frozen dataclass of hyper-parameters that serves any number of runs. What changes during a run
(nothing for plain SGD, a velocity for momentum) is in the state that `Optimizer.begin` returns.

At every update the engine passes the gradient, including that of the ridge, to the state. The state returns the next
model, which the master sends to the workers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import number, store
from clustersim.errors import ConfigurationError

__all__ = ["Floats", "GradientMethod", "Optimizer", "OptimizerState"]

Floats: TypeAlias = NDArray[np.float64]

_REMEDY = "give a positive number, or a function of the update number t = 1, 2, ... that returns one"


class OptimizerState(Protocol):
    """What an optimiser remembers within one run.

    Examples
    --------
    Gradient descent that halves its step with each update:

    >>> class Halving:
    ...     def __init__(self):
    ...         self._step_size = 1.0
    ...     def step(self, w, gradient, update_number):
    ...         self._step_size /= 2.0
    ...         return w - self._step_size * gradient
    >>> state, w = Halving(), np.array([1.0])
    >>> for update_number in (1, 2):
    ...     w = state.step(w, np.array([1.0]), update_number)
    >>> w.tolist()
    [0.25]
    """

    def step(self, w: Floats, gradient: Floats, update_number: int) -> Floats:
        """Return the model after an update; neither `w` nor `gradient` is changed.

        Parameters
        ----------
        w : ndarray of float, shape (d,)
            The model that the previous step returned; at the first update, the model that `Optimizer.begin` was given.
        gradient : ndarray of float, shape (d,)
            The estimated gradient at `w`.
        update_number : int
            1, 2, ...

        Returns
        -------
        ndarray of float, shape (d,)
        """
        ...


class Optimizer(ABC):
    """Base class of optimisers; subclasses are frozen dataclasses of hyper-parameters.

    Examples
    --------
    An optimiser of your own that moves each entry of the model by the same amount:

    >>> class SignState:
    ...     def step(self, w, gradient, update_number):
    ...         return w - 0.1 * np.sign(gradient)
    >>> @dataclass(frozen=True)
    ... class SignDescent(Optimizer):
    ...     def begin(self, w0):
    ...         return SignState()
    >>> w = np.zeros(2)
    >>> SignDescent().begin(w).step(w, gradient=np.array([5.0, -0.2]), update_number=1).tolist()
    [-0.1, 0.1]
    """

    @abstractmethod
    def begin(self, w0: Floats) -> OptimizerState:
        """Return a new state for a run that begins at the model `w0`, shape (d,)."""


@dataclass(frozen=True)
class GradientMethod(Optimizer):
    """Base class of optimisers that have a step size and a weight decay; it checks both.

    Parameters
    ----------
    step_size : float or callable
        The step size eta, or a function that maps the update number t = 1, 2, ... to it, such as those of
        `clustersim.schedules`.
    weight_decay : float, default 0.0
        lambda, at least 0, keyword only: lambda times the current model is added to the gradient, before any
        momentum.

    Raises
    ------
    ConfigurationError
        If the step size is neither a function nor positive and finite, or the weight decay is negative or not finite.

    Notes
    -----
    Weight decay minimises F(w) + lambda ||w||^2 / 2, but is not part of the objective: error and loss do not include
    it, and it shrinks every entry of w. The ``ridge`` of a problem is part of its objective and its optimum, and leaves
    the biases alone. Neither is ever stale: both are computed at the master's current model, however old the gradients
    are.

    Examples
    --------
    >>> from clustersim.optimizers import SGD
    >>> w = np.array([1.0, -2.0])
    >>> SGD(0.5, weight_decay=0.1).begin(w).step(w, gradient=np.array([1.0, 0.0]), update_number=1).round(12).tolist()
    [0.45, -1.9]
    """

    step_size: float | Callable[[int], float]
    weight_decay: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        store(self, weight_decay=number("weight_decay", self.weight_decay, low=0.0))
        if not callable(self.step_size):
            store(self, step_size=number("step_size", self.step_size, above=0.0, remedy=_REMEDY))

    def with_decay(self, gradient: Floats, w: Floats) -> Floats:
        """Return the gradient plus the weight decay at w; the gradient itself if there is none."""
        return gradient + self.weight_decay * w if self.weight_decay else gradient

    def step_size_at(self, update_number: int) -> float:
        """Return the step size of an update, numbered 1, 2, ...

        Raises
        ------
        ConfigurationError
            If the function of t fails, or does not return a positive, finite number.
        """
        if not callable(self.step_size):
            return self.step_size
        try:
            value = self.step_size(update_number)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"step_size({update_number}): the function failed with {error!r}; {_REMEDY}"
            ) from error
        return number(f"step_size({update_number})", value, above=0.0, remedy=_REMEDY)
