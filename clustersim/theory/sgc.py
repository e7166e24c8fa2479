"""Convergence bounds and step sizes of Stochastic Gradient Coding.

R. Bitar, M. Wootters, S. El Rouayheb, "Stochastic Gradient Coding for Straggler Mitigation in Distributed Learning",
2020. The paper minimises a sum of m losses. clustersim minimises their mean F(w) = (1/m) sum f_r(w), for least squares
with f_r(w) = (<x_r, w> - y_r)^2 / 2, and estimates the gradient of F. All constants here are those of F, as returned by
a problem's `smoothness()`, `strong_convexity()` and `optimum()`. Step sizes are m times those of the paper. The
functions take these parameters:

======================  ==========================================================================================
L, c                    largest and smallest eigenvalue of X^T X / m; if X does not have full rank, c may be the
                        smallest non-zero one, provided that the initial model is in the span of the rows, as 0 is
incoherence             mu of the paper, `sgc_incoherence`
optimal_loss            F(w*), for least squares |X w* - y|^2 / (2 m)
redundancy              d, the average number of workers that hold a row
straggler_probability   p, independent for each worker and update
epsilon                 the fraction of the initial distance that may remain, less than 1
======================  ==========================================================================================
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import complaint, flag, fraction, integer, number, numbers
from clustersim.errors import ConfigurationError
from clustersim.theory.float_range import represented
from clustersim.theory.sgc_redundancy import checked_spread

__all__ = ["sgc_distance_bound", "sgc_general_distance_bound", "sgc_step_size"]

Floats = NDArray[np.float64]


@represented
def sgc_step_size(t: ArrayLike, *, epsilon: float, L: float, c: float, printed: bool = False) -> Floats:
    """Return the step sizes of Theorem 3, min(1 / (2 L), ln(1 / epsilon^2) / (c t)) for updates t = 1, 2, ...

    The paper prints min(1/2, ln(1 / epsilon^2) / t) / L, converted here to the mean objective, for which |X^T X| = m L.
    This is the step size for the sum of *half* squares in the paper's appendix. (Theorem 3 states the sum of whole
    squares, but its proof uses half squares.) `sgc_distance_bound` explains why c replaces L.

    Parameters
    ----------
    t : array_like
        Numbers of updates, at least 1.
    epsilon, L, c
        See the head of this module.
    printed : bool, default False
        Return the step sizes as printed in the paper.

    Returns
    -------
    float64 or ndarray of float64, same shape as `t`
        Step sizes, for example for ``SGD(lambda t: sgc_step_size(t, epsilon=0.01, L=L, c=c))``.

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> sgc_step_size([1, 100], epsilon=0.1, L=2.0, c=1.0).round(4)
    array([0.25  , 0.0461])
    """
    epsilon, L, slowest = _descent(epsilon, L, c, printed)
    decay = -2.0 * math.log(epsilon)
    steps: Floats = np.minimum(0.5 / L, decay / (slowest * _counts("t", t, 1.0)))[()]
    return steps


@represented
def sgc_distance_bound(
    updates: ArrayLike,
    *,
    epsilon: float,
    workers: int,
    redundancy: float,
    straggler_probability: float,
    incoherence: float,
    L: float,
    c: float,
    optimal_loss: float,
    initial_squared_distance: float,
    printed: bool = False,
) -> Floats:
    """Return a bound on E|w_T - w*|^2 of SGC for least squares with the steps of `sgc_step_size` (corrected Theorem 3).

    The bound is eps^2 |w_0 - w*|^2 + 2 (a / kappa)^2 (p / (1-p)) (mu / d) r^2 / T, with a = ln(1 / eps^2),
    kappa = c / L and r^2 = 2 F(w*) / L. This r^2 is the paper's |r~|^2 = |X w* - y|^2 / |X^T X|. The proof assumes that
    row r is on exactly d_r = `sgc_redundancies` workers, and that the placement is pairwise balanced: rows q and r
    share d_q d_r / n workers.

    The paper prints the bound with kappa = 1 and without the factor 2, which its proof contains. With kappa = 1 the
    bound is false: the proof takes 1 - gamma |X^T X| as the norm of I - gamma X^T X, but that is its smallest
    eigenvalue. The largest eigenvalue is 1 minus gamma times the *smallest* eigenvalue of X^T X. With it, the rest of
    the proof leads to the bound above, for step sizes proportional to 1 / (c t), T >= 2 a / kappa and a >= 2, which the
    last line of the proof requires.

    Parameters
    ----------
    updates : array_like
        T, numbers of updates, at least 2 a / kappa.
    workers : int
        n, the number of workers, at least 8 p / (1-p).
    redundancy : float
        d, the average number of workers that hold a row, at least 8 mu p / (1-p).
    initial_squared_distance : float
        |w_0 - w*|^2.
    epsilon, straggler_probability, incoherence, L, c, optimal_loss
        See the head of this module.
    printed : bool, default False
        Return the bound as printed in the paper, for comparison.

    Returns
    -------
    float64 or ndarray of float64, same shape as `updates`

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or if a condition of the theorem is not satisfied.

    Examples
    --------
    >>> sgc_distance_bound([200, 2000], epsilon=0.01, workers=10, redundancy=2, straggler_probability=0.5, L=2.0, c=1.0,
    ...                    incoherence=0.05, optimal_loss=0.5, initial_squared_distance=100.0).round(4)
    array([0.0524, 0.0142])
    """
    epsilon, L, slowest = _descent(epsilon, L, c, printed)
    workers, redundancy = checked_spread(workers, redundancy)
    p = fraction("straggler_probability", straggler_probability, below_one=True)
    odds = p / (1.0 - p)
    mu = number("incoherence", incoherence, above=0.0, remedy="compute it with sgc_incoherence(X)")
    if workers < 8.0 * odds:
        raise ConfigurationError(
            f"workers = {workers}: expected at least 8 p / (1-p) = {8.0 * odds:.4g}, a condition of Theorem 3"
        )
    if redundancy < 8.0 * mu * odds:
        raise ConfigurationError(
            f"redundancy = {redundancy:g}: expected at least 8 mu p / (1-p) = {8.0 * mu * odds:.4g}, "
            "a condition of Theorem 3"
        )
    rate = -2.0 * math.log(epsilon) * L / slowest
    counts = _counts("updates", updates, 2.0 * rate)
    residual = 2.0 * number("optimal_loss", optimal_loss, low=0.0) / L
    first = epsilon**2 * number("initial_squared_distance", initial_squared_distance, low=0.0)
    noise = (1.0 if printed else 2.0) * rate**2 * odds * mu / redundancy * residual
    bound: Floats = (first + noise / counts)[()]
    return bound


@represented
def sgc_general_distance_bound(
    updates: ArrayLike,
    *,
    workers: int,
    rows: int,
    least_redundancy: float,
    straggler_probability: float,
    gradient_bound: float,
    c: float,
) -> Floats:
    """Return a bound on E|w_T - w*|^2 of SGC for any c-strongly convex objective, 4 G / (c^2 T) (Theorem 4).

    G = C^2 (1 + (p / (1-p)) (1 / (m d_min) + (m-1) / (m n))) bounds the second moment of the estimated gradient for
    pairwise-balanced placements. The step sizes are 1 / (c t). After each update, the model is projected onto a convex
    set in which the gradient of every row has norm at most C. (The paper's constants belong to the sum: lambda is m c,
    and the step size is 1 / (m c t). It prints |grad f_r|^2 <= C, but C^2 in Theorem 2, in the result and in the
    proof.)

    Parameters
    ----------
    updates : array_like
        T, numbers of updates, at least 1.
    workers : int
        n, the number of workers.
    rows : int
        m, the number of rows.
    least_redundancy : float
        d_min, the smallest number of workers that hold a row, 1 to n.
    straggler_probability : float
        See the head of this module.
    gradient_bound : float
        C, the bound on the norm of the gradient of a row.
    c : float
        Strong convexity of F.

    Returns
    -------
    float64 or ndarray of float64, same shape as `updates`

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> bound = sgc_general_distance_bound(1000, workers=10, rows=100, least_redundancy=2, straggler_probability=0.5,
    ...                                    gradient_bound=3.0, c=1.0)
    >>> round(float(bound), 4)
    0.0397
    """
    workers, least = checked_spread(workers, least_redundancy, "least_redundancy")
    m = integer("rows", rows, low=1)
    p = fraction("straggler_probability", straggler_probability, below_one=True)
    spread = 1.0 + p / (1.0 - p) * (1.0 / (m * least) + (m - 1) / (m * workers))
    moment = number("gradient_bound", gradient_bound, low=0.0) ** 2 * spread
    bound: Floats = (4.0 * moment / number("c", c, above=0.0) ** 2 / _counts("updates", updates, 1.0))[()]
    return bound


def _descent(epsilon: float, L: float, c: float, printed: bool) -> tuple[float, float, float]:
    """Return epsilon, L, and the constant that the theorem uses as the smallest eigenvalue: c, or L if printed."""
    printed, epsilon = flag("printed", printed), number("epsilon", epsilon, above=0.0)
    decay = -2.0 * math.log(epsilon)
    if decay <= 0.0 or (not printed and decay < 2.0 * (1.0 - 1e-12)):
        limit = "less than 1" if printed else "at most 1/e = 0.3679, which the proof of Theorem 3 requires"
        raise complaint("epsilon", epsilon, f"a number greater than 0 and {limit}")
    c = number("c", c, above=0.0, remedy="Theorem 3 requires strong convexity")
    L = number("L", L, low=c, remedy="L is the largest and c the smallest eigenvalue of X^T X / m")
    return epsilon, L, L if printed else c


def _counts(name: str, updates: ArrayLike, least: float) -> Floats:
    """Return numbers of updates after checking that they are not below the minimum."""
    return numbers(name, updates, f"numbers of updates, at least {least:.6g}", low=least, finite=False)
