"""What every optimiser is, and the step size and weight decay that the gradient methods share.

An `Optimizer` is a frozen set of hyper-parameters that serves any number of runs. What changes during a run (nothing
for plain SGD, a velocity for momentum) lives in the state that `Optimizer.begin` makes for it.

The gradient, ridge included, flows in from the engine at every update; the next model, which is what the master sends
to the workers, flows back out.
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
    """What an optimiser remembers within one run."""

    def step(self, w: Floats, gradient: Floats, update_number: int) -> Floats:
        """Return the model after update number 1, 2, ...; neither `w` nor `gradient` is changed.

        `w` is what the step before returned; only the engine's first call brings the model of `Optimizer.begin`.
        """
        ...


class Optimizer(ABC):
    """The hyper-parameters of an optimiser; equal ones behave equally."""

    @abstractmethod
    def begin(self, w0: Floats) -> OptimizerState:
        """Return a fresh state for a run that begins at `w0`."""


@dataclass(frozen=True)
class GradientMethod(Optimizer):
    """Base class of the optimisers that have one step size and a weight decay, checked here.

    Parameters
    ----------
    step_size : float or callable
        The step size eta, or a function that maps the update number t = 1, 2, ... to it, such as those of
        `clustersim.schedules`.
    weight_decay : float, default 0.0
        Lambda, keyword only: lambda times the model that is about to be updated is added to its gradient, before any
        momentum.

    Raises
    ------
    ConfigurationError
        If the step size is neither a function nor positive and finite, or the weight decay is negative or not finite.

    Notes
    -----
    Weight decay minimises F(w) + lambda ||w||^2 / 2, but is no part of the objective: error and loss are told without
    it, and it shrinks every entry of w. The ``ridge`` of a problem counts in its objective and its optimum, and spares
    the biases. Neither is ever late: both are taken at the master's model, however old the gradients are.

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
        """Return the gradient with the decay of the weights at w added, or itself where there is none."""
        return gradient + self.weight_decay * w if self.weight_decay else gradient

    def step_size_at(self, update_number: int) -> float:
        """Return the step size of update 1, 2, ...

        Raises
        ------
        ConfigurationError
            If the function of t fails or returns anything but a positive, finite number.
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
