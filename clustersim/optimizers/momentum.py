"""Gradient descent with momentum (the heavy-ball method)."""

from dataclasses import dataclass

import numpy as np

from clustersim.checks import fraction, store
from clustersim.optimizers.base import Floats, GradientMethod, OptimizerState

__all__ = ["Momentum"]


@dataclass(frozen=True)
class Momentum(GradientMethod):
    r"""The heavy-ball method: :math:`v_t = \mu v_{t-1} + g_t`, :math:`w_t = w_{t-1} - \eta_t v_t`, with v_0 = 0.

    Parameters
    ----------
    step_size : float or callable
        The step size eta, above 0, or a function that maps the update number t = 1, 2, ... to it. It multiplies the
        velocity, so under a constant gradient g the steps tend to eta g / (1 - mu).
    momentum : float, default 0.9
        mu in [0, 1), the fraction of the velocity that is kept; with 0 it is `SGD`.
    weight_decay : float, default 0.0
        lambda, at least 0, keyword only: :math:`\lambda w_{t-1}` is added to the gradient, and so enters the velocity.
        Unlike the ridge of a problem it is not part of the objective.

    Raises
    ------
    ConfigurationError
        If the momentum is not in [0, 1), the step size is not positive and finite, or the weight decay is negative or
        not finite.

    References
    ----------
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964. There the step size is
    inside the velocity; for a constant step size that is the same.

    Xu et al., "Live gradient compensation for evading stragglers in distributed learning", 2021, section V-A, use it
    with momentum 0.9 and weight decay 0.0005.

    Examples
    --------
    >>> w = np.zeros(1)
    >>> state = Momentum(0.1, momentum=0.5).begin(w)
    >>> for t in (1, 2, 3):
    ...     w = state.step(w, gradient=np.array([-1.0]), update_number=t)  # velocities -1, -1.5, -1.75
    >>> w.round(12).tolist()
    [0.425]
    """

    momentum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        store(self, momentum=fraction("momentum", self.momentum, below_one=True))

    def begin(self, w0: Floats) -> OptimizerState:
        """Return the state of a run, with a velocity of zero."""
        return _MomentumState(self, np.zeros_like(w0))


class _MomentumState:
    """The velocity of one run."""

    def __init__(self, optimizer: Momentum, velocity: Floats) -> None:
        self._optimizer = optimizer
        self._velocity = velocity

    def step(self, w: Floats, gradient: Floats, update_number: int) -> Floats:
        """Return w - eta_t v_t."""
        self._velocity = self._optimizer.momentum * self._velocity + self._optimizer.with_decay(gradient, w)
        return w - self._optimizer.step_size_at(update_number) * self._velocity
