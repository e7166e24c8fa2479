"""Expectations of order statistics, by adaptive quadrature that copes with peaks, jumps and heavy tails.

E_(k), the k-th smallest of n standard exponentials, has a density in closed form. Any time X is a function of an
exponential: X = h(E), where h is the inverse of its cumulative hazard. Hence E[g(X_(k))] is an integral over E_(k). The
variable of integration is the logarithm of e, which makes power laws at 0 and exponentially small tails smooth.
`clustersim.latency.base` and `clustersim.theory` pass in functions and receive floats.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, betaln

from clustersim.errors import ConfigurationError

__all__ = ["order_statistic_expectation"]

Floats = NDArray[np.float64]

_MAX_E = 700.0  # exp(-700) is about the smallest probability that a float64 can represent
_ORDER = 16
# The Gauss-Lobatto rule has nodes at both ends of a panel, so that it misses no jump between an end and the first node.
_POLYNOMIAL = np.polynomial.Legendre.basis(_ORDER - 1)
_NODES = np.concatenate([[-1.0], np.sort(_POLYNOMIAL.deriv().roots().real), [1.0]])
_WEIGHTS = 2.0 / (_ORDER * (_ORDER - 1) * _POLYNOMIAL(_NODES) ** 2)
_MAX_HALVINGS = 60  # of a panel; a jump is then located to the last bit
_TOLERANCE = 1e-13


def order_statistic_expectation(function: Callable[[Floats], Floats], k: int, n: int) -> float:
    """Return E[function(E_(k))], where E_(k) is the k-th smallest of n independent exponentials with mean 1.

    Parameters
    ----------
    function : callable
        Maps an array of float64 to an array of the same shape, element by element.
    k : int
        Rank of the order statistic, 1 to n.
    n : int
        Number of exponentials.

    Returns
    -------
    float
        The expectation; `math.inf` if the function is infinite at possible values of E_(k).

    Raises
    ------
    ConfigurationError
        If the function grows so fast that the integral does not converge within the range of float64.

    Examples
    --------
    >>> round(order_statistic_expectation(lambda e: e, 2, 3), 12) == round(1 / 3 + 1 / 2, 12)
    True
    """
    constant = betaln(k, n - k + 1)

    def integrand(x: Floats) -> Floats:
        e = np.exp(x)
        log_density = (k - 1) * np.log(-np.expm1(-e)) - (n - k + 1) * e - constant + x
        density = np.exp(log_density)
        values: Floats = np.where(density > 0.0, function(e), 0.0) * density
        return values

    with np.errstate(over="ignore"):
        total, last = _integrate(integrand, np.log(_panels(k, n)))
    if math.isinf(total):
        return math.inf
    if abs(last) > 1e-9 * abs(total):
        raise ConfigurationError(
            f"order statistic {k} of {n}: expected a distribution whose mean exists and whose tail ends within "
            "float64; the tail is too heavy, so choose a lighter one or a smaller k"
        )
    return total


def _panels(k: int, n: int) -> Floats:
    """Return the edges of the first panels, in e: quantiles of E_(k), then ever longer steps up to `_MAX_E`."""
    low = np.array([1e-30, 1e-16, 1e-8, 1e-4, 0.01, 0.1, 0.3, 0.5])
    high = np.array([0.5, 0.3, 0.1, 0.01, 1e-4, 1e-8, 1e-16])
    below = -np.log1p(-betaincinv(k, n - k + 1, low))
    above = -np.log(betaincinv(n - k + 1, k, high))  # computed from the upper tail, which is accurate
    beyond = np.geomspace(min(above[-1], _MAX_E / 2), _MAX_E, 12)
    edges = np.unique(np.concatenate([below, above, beyond]))
    return edges[(edges > 0.0) & (edges <= _MAX_E)]


def _integrate(f: Callable[[Floats], Floats], edges: Floats) -> tuple[float, float]:
    """Return the integral of f over all panels, halved until they are accurate, and over the last panel alone."""
    left, right = edges[:-1], edges[1:]
    whole = _quadrature(f, left, right)
    last, total = float(whole[-1]), 0.0
    for _ in range(_MAX_HALVINGS):
        middle = (left + right) / 2
        halves = _quadrature(f, np.concatenate([left, middle]), np.concatenate([middle, right]))
        first, second = np.split(halves, 2)
        if not np.isfinite(halves).all():
            return math.inf, math.inf
        scale = abs(total) + float(np.abs(halves).sum())
        rough = np.abs(first + second - whole) > _TOLERANCE * scale
        total += float((first + second)[~rough].sum())
        if not rough.any():
            return total, last
        left = np.concatenate([left[rough], middle[rough]])
        right = np.concatenate([middle[rough], right[rough]])
        whole = np.concatenate([first[rough], second[rough]])
    return total + float(whole.sum()), last


def _quadrature(f: Callable[[Floats], Floats], left: Floats, right: Floats) -> Floats:
    """Return the integrals of f over all panels, by Gauss-Lobatto quadrature."""
    half = (right - left)[:, None] / 2
    centre = (left + right)[:, None] / 2
    values = f((centre + half * _NODES).ravel()).reshape(len(left), -1)
    integrals: Floats = half[:, 0] * (values @ _WEIGHTS)
    return integrals
