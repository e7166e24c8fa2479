"""Newton's step by preconditioned conjugate gradients: products with the Hessian in, the step out.

SciPy's solver is not suitable. Rows that can be separated by class appear as directions of tiny curvature. The solver
must not stop before it has explored them, and where the Hessian is singular, it must not mistake rounding noise for
one of them.
"""

from collections.abc import Callable

import numpy as np

from clustersim.problems.base import Floats

__all__ = ["newton_step"]

_FLAT = 1e-15  # a relative curvature that rounding cannot distinguish from 0
_MAX_PRODUCTS = 1000


def newton_step(
    product: Callable[[Floats], Floats], diagonal: Floats, gradient: Floats, *, tolerance: float, noise: float
) -> Floats:
    """Solve H s = -gradient for a positive semi-definite Hessian H.

    Parameters
    ----------
    product : callable
        Maps v to H v.
    diagonal : ndarray, shape (dimension,)
        The diagonal of H, which scales the directions; 1 in place of 0.
    gradient : ndarray, shape (dimension,)
        The gradient.
    tolerance : float
        The norm of the residual, relative to that of the gradient, at which the solver stops.
    noise : float
        The norm below which a residual is rounding noise.

    Returns
    -------
    ndarray, shape (dimension,)
        The step s.

    Examples
    --------
    >>> H = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> newton_step(lambda v: H @ v, np.diag(H), np.array([-4.0, -7.0]), tolerance=1e-9, noise=0.0).round(9).tolist()
    [1.0, 2.0]
    """
    step, residual = np.zeros_like(gradient), -gradient
    enough = max(tolerance * float(np.linalg.norm(gradient)), noise)
    direction = residual / diagonal
    power = float(residual @ direction)
    for _ in range(_MAX_PRODUCTS):
        if float(np.linalg.norm(residual)) <= enough:
            break
        image = product(direction)
        curvature = float(direction @ image)
        if curvature <= _FLAT * float(direction @ (diagonal * direction)):
            break
        step += power / curvature * direction
        residual -= power / curvature * image
        scaled = residual / diagonal
        power, last = float(residual @ scaled), power
        direction = scaled + power / last * direction
    return step
