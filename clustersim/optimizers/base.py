"""What every optimiser is, and the step size that the gradient methods share.

An `Optimizer` is a frozen set of hyper-parameters that serves any number of runs. What changes during a run (nothing
for plain SGD, a velocity for momentum) lives in the state that `Optimizer.begin` makes for it.

The gradient, ridge included, flows in from the engine at every update; the next model, which is what the master sends
to the workers, flows back out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import number
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
    """Base class of the optimisers that have one step size, checked here.

    Parameters
    ----------
    step_size : float or callable
        The step size eta, or a function that maps the update number t = 1, 2, ... to it, such as those of
        `clustersim.schedules`.

    Raises
    ------
    ConfigurationError
        If the step size is neither a function nor positive and finite.
    """

    step_size: float | Callable[[int], float]

    def __post_init__(self) -> None:
        if not callable(self.step_size):
            checked = number("step_size", self.step_size, above=0.0, remedy=_REMEDY)
            object.__setattr__(self, "step_size", checked)

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
