"""Nesterov's accelerated gradient method."""

from dataclasses import dataclass

from clustersim.checks import fraction, store
from clustersim.optimizers.base import Floats, GradientMethod, OptimizerState

__all__ = ["Nesterov"]


@dataclass(frozen=True)
class Nesterov(GradientMethod):
    r"""Nesterov's accelerated gradient method; the model w of a run is the look-ahead sequence y, not the sequence x.

    The method computes gradients at the look-ahead point y. So the master sends y to the workers, and the history
    evaluates y:

    .. math:: x_t = y_{t-1} - \eta_t g_t, \qquad y_t = x_t + \mu_t (x_t - x_{t-1}), \qquad x_0 = y_0 = w_0

    Parameters
    ----------
    step_size : float or callable
        The step size eta, above 0, or a function that maps the update number t = 1, 2, ... to it.
    momentum : float, optional
        A constant mu in [0, 1); with 0 it is `SGD`. If not given, mu_t = (t - 1) / (t + 2), which suits any convex
        objective.
    weight_decay : float, default 0.0
        lambda, at least 0, keyword only: :math:`\lambda y_{t-1}` is added to the gradient. Unlike the ridge of a
        problem it is not part of the objective.

    Raises
    ------
    ConfigurationError
        If the momentum is not in [0, 1), the step size is not positive and finite, or the weight decay is negative or
        not finite.

    Notes
    -----
    With full gradients, eta = 1 / L and mu_t as above, F(x_t) - F* <= 2 L ||x_0 - x*||^2 / (t + 1)^2. For an objective
    of strong convexity c, mu = (1 - sqrt(c / L)) / (1 + sqrt(c / L)) converges linearly. If the decoder makes gradients
    too short by a factor, as in ErasureHead, divide eta by that factor.

    References
    ----------
    Y. Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k^2)", 1983; in this form
    W. Su, S. Boyd and E. Candes, "A differential equation for modeling Nesterov's accelerated gradient method", 2016,
    eq. 1.

    Examples
    --------
    >>> import numpy as np
    >>> w = np.zeros(1)
    >>> state = Nesterov(0.1, momentum=0.5).begin(w)
    >>> for t in (1, 2):
    ...     w = state.step(w, gradient=np.array([-1.0]), update_number=t)  # x 0.1, y 0.15; x 0.25, y 0.325
    >>> w.round(12).tolist()
    [0.325]
    """

    momentum: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum is not None:
            store(self, momentum=fraction("momentum", self.momentum, below_one=True))

    def momentum_at(self, update_number: int) -> float:
        """Return mu of an update, numbered 1, 2, ..."""
        if self.momentum is None:
            return (update_number - 1) / (update_number + 2)
        return self.momentum

    def begin(self, w0: Floats) -> OptimizerState:
        """Return the state of a run; both sequences begin at `w0`."""
        return _NesterovState(self, w0.copy())


class _NesterovState:
    """The latest point of the sequence x."""

    def __init__(self, optimizer: Nesterov, x: Floats) -> None:
        self._optimizer = optimizer
        self._x = x

    def step(self, w: Floats, gradient: Floats, update_number: int) -> Floats:
        """Return y_t; `w` is y_{t-1}."""
        descent = self._optimizer.step_size_at(update_number) * self._optimizer.with_decay(gradient, w)
        before, self._x = self._x, w - descent
        return self._x + self._optimizer.momentum_at(update_number) * (self._x - before)
