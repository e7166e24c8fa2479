"""Plain stochastic gradient descent."""

from dataclasses import dataclass

from clustersim.optimizers.base import Floats, GradientMethod, OptimizerState

__all__ = ["SGD"]


@dataclass(frozen=True)
class SGD(GradientMethod):
    r"""Stochastic gradient descent: :math:`w_t = w_{t-1} - \eta_t g_t`.

    Parameters
    ----------
    step_size : float or callable
        The step size eta, above 0, or a function that maps the update number t = 1, 2, ... to it, such as those of
        `clustersim.schedules`.
    weight_decay : float, default 0.0
        lambda, at least 0, keyword only: :math:`\lambda w_{t-1}` is added to the gradient. Unlike the ridge of a
        problem it is not part of the objective.

    Raises
    ------
    ConfigurationError
        If the step size, or what the function returns for some t, is not positive and finite, or the weight decay is
        negative or not finite.

    References
    ----------
    Kas Hanna et al., "Adaptive stochastic gradient descent for fast and communication-efficient distributed
    learning", 2022, eq. 5.

    Examples
    --------
    >>> import numpy as np
    >>> w = np.array([1.0, 2.0])
    >>> SGD(0.5).begin(w).step(w, gradient=np.array([1.0, -1.0]), update_number=1)
    array([0.5, 2.5])
    >>> SGD(lambda t: 1.0 / t).step_size_at(4)
    0.25
    """

    def begin(self, w0: Floats) -> OptimizerState:  # noqa: ARG002 - other optimisers need it
        """Return the state of a run."""
        return _SGDState(self)


@dataclass(frozen=True)
class _SGDState:
    """The state of SGD, which has no memory."""

    optimizer: SGD

    def step(self, w: Floats, gradient: Floats, update_number: int) -> Floats:
        """Return w - eta_t g."""
        return w - self.optimizer.step_size_at(update_number) * self.optimizer.with_decay(gradient, w)
