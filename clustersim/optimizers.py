"""Optimisers: how the master turns the gradient of an update into the next model.

An `Optimizer` is a frozen set of hyper-parameters that serves any number of runs. What changes during a run (nothing
for plain SGD, a velocity for momentum) lives in the state that `Optimizer.start` makes for it.

The gradient, ridge included, flows in from the engine at every update; the next model flows back out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import number
from clustersim.errors import ConfigurationError

__all__ = ["SGD", "Optimizer", "OptimizerState"]

_REMEDY = "give a positive number, or a function of the update number t = 1, 2, ... that returns one"


class OptimizerState(Protocol):
    """What an optimiser remembers within one run."""

    def step(self, w: NDArray[np.float64], gradient: NDArray[np.float64], update_number: int) -> NDArray[np.float64]:
        """Return the model after update number 1, 2, ...; neither `w` nor `gradient` is changed."""
        ...


class Optimizer(ABC):
    """The hyper-parameters of an optimiser; equal ones behave equally."""

    @abstractmethod
    def start(self, w0: NDArray[np.float64]) -> OptimizerState:
        """Return a fresh state for a run that begins at `w0`."""


@dataclass(frozen=True)
class SGD(Optimizer):
    r"""Stochastic gradient descent: :math:`w_t = w_{t-1} - \eta_t g_t`.

    Parameters
    ----------
    step_size : float or callable
        The step size eta, or a function that maps the update number t = 1, 2, ... to it.

    Raises
    ------
    ConfigurationError
        If the step size, or what the function returns for some t, is not positive and finite.

    References
    ----------
    Kas Hanna et al., "Adaptive stochastic gradient descent for fast and communication-efficient distributed
    learning", 2022, eq. 5.

    Examples
    --------
    >>> w = np.array([1.0, 2.0])
    >>> SGD(0.5).start(w).step(w, gradient=np.array([1.0, -1.0]), update_number=1)
    array([0.5, 2.5])
    >>> SGD(lambda t: 1.0 / t).step_size_at(4)
    0.25
    """

    step_size: float | Callable[[int], float]

    def __post_init__(self) -> None:
        if not callable(self.step_size):
            checked = number("step_size", self.step_size, above=0.0, remedy=_REMEDY)
            object.__setattr__(self, "step_size", checked)

    def start(self, w0: NDArray[np.float64]) -> OptimizerState:  # noqa: ARG002 - other optimisers shape a velocity by it
        """Return the state of a run; SGD remembers nothing."""
        return _SGDState(self)

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
        except ArithmeticError as error:
            raise ConfigurationError(
                f"step_size({update_number}): the function failed with {error!r}; {_REMEDY}"
            ) from error
        return number(f"step_size({update_number})", value, above=0.0, remedy=_REMEDY)


@dataclass(frozen=True)
class _SGDState:
    """The empty memory of SGD."""

    optimizer: SGD

    def step(self, w: NDArray[np.float64], gradient: NDArray[np.float64], update_number: int) -> NDArray[np.float64]:
        """Return w - eta_t g."""
        return w - self.optimizer.step_size_at(update_number) * gradient
