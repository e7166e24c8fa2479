"""Expectations at the k-th of n order statistics, by adaptive quadrature that survives peaks, jumps and heavy tails.

The k-th of n ordered standard exponentials E_(k) has a density in closed form, and any response time is a function of
an exponential: X = h(E), h its inverse cumulative hazard. Hence E[g(X_(k))] is an integral over E_(k). The logarithm of
e is the variable of integration, so that power laws at 0 and exponentially small tails are both smooth. Data flows in
from `clustersim.latency.base` and `clustersim.theory`, and out as plain floats.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, betaln

from clustersim.errors import ConfigurationError

__all__ = ["order_statistic_expectation"]

Floats = NDArray[np.float64]

_FARTHEST = 700.0  # exp(-700) is about the smallest probability that a float64 holds
_ORDER = 16
# The Gauss-Lobatto rule has nodes at both ends of a panel, so that no jump hides between an end and the first node.
_POLYNOMIAL = np.polynomial.Legendre.basis(_ORDER - 1)
_NODES = np.concatenate([[-1.0], np.sort(_POLYNOMIAL.deriv().roots().real), [1.0]])
_WEIGHTS = 2.0 / (_ORDER * (_ORDER - 1) * _POLYNOMIAL(_NODES) ** 2)
_ROUNDS = 60  # halvings of a panel; a jump is then located to the last bit
_TOLERANCE = 1e-13


def order_statistic_expectation(function: Callable[[Floats], Floats], k: int, n: int) -> float:
    """E[function(E_(k))] where E_(k) is the k-th smallest of n independent exponentials of mean 1.

    Parameters
    ----------
    function : callable
        Takes and returns an array of float64.
    k, n : int
        Rank and number, 1 <= k <= n.

    Returns
    -------
    float
        `math.inf` if the function is infinite where E_(k) may lie.

    Raises
    ------
    ConfigurationError
        If the function grows so fast that the integral has not converged where float64 ends.

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
    """Edges of the first panels, in e: quantiles of E_(k), then ever longer steps out to the end of float64."""
    low = np.array([1e-30, 1e-16, 1e-8, 1e-4, 0.01, 0.1, 0.3, 0.5])
    high = np.array([0.5, 0.3, 0.1, 0.01, 1e-4, 1e-8, 1e-16])
    below = -np.log1p(-betaincinv(k, n - k + 1, low))
    above = -np.log(betaincinv(n - k + 1, k, high))  # the upper tail, from the side on which it is accurate
    beyond = np.geomspace(min(above[-1], _FARTHEST / 2), _FARTHEST, 12)
    edges = np.unique(np.concatenate([below, above, beyond]))
    return edges[(edges > 0.0) & (edges <= _FARTHEST)]


def _integrate(f: Callable[[Floats], Floats], edges: Floats) -> tuple[float, float]:
    """The integral of f over all panels, each halved until its two halves agree with it; and that of the last panel."""
    left, right = edges[:-1], edges[1:]
    whole = _quadrature(f, left, right)
    last, total = float(whole[-1]), 0.0
    for _ in range(_ROUNDS):
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
    """Gauss-Lobatto quadrature of f over every panel at once."""
    half = (right - left)[:, None] / 2
    centre = (left + right)[:, None] / 2
    values = f((centre + half * _NODES).ravel()).reshape(len(left), -1)
    integrals: Floats = half[:, 0] * (values @ _WEIGHTS)
    return integrals
