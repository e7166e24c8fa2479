"""Decoding error: the deviation of decoded gradients if each worker straggles independently with probability p.

From the messages that arrive, a decoder computes (1/m) sum_r alpha_r grad f_r; the full gradient has alpha = 1. The
decoding error is E[(1/m) |alpha - 1|^2]. If the gradients of the rows are orthogonal and have norm G, the mean squared
error of the estimate is G^2 / m times the decoding error. The functions take these parameters:

=======================  ====================================================================================
straggler_probability    p, in [0, 1)
redundancy               d_r, the number of workers that hold row r: one number for all rows, or one for each
=======================  ====================================================================================
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import complaint, flag, fraction, numbers
from clustersim.theory.float_range import represented

__all__ = [
    "fixed_weights_decoding_error",
    "optimal_decoding_error_bound",
    "repetition_decoding_error",
    "unbiased_decoding_error_bound",
]

Floats = NDArray[np.float64]


@represented
def fixed_weights_decoding_error(straggler_probability: float, redundancy: ArrayLike) -> float:
    """Return the decoding error of weights 1 / (d_r (1-p)) for all messages, for any placement: p / ((1-p) d).

    alpha_r is the number of messages that contain row r, divided by its mean d_r (1-p). The number is binomial, so
    alpha_r has mean 1 and variance p / ((1-p) d_r). This is the decoder of SGC and BGC, and of Ignore-Stragglers with
    d = 1. No unbiased decoder whose weights do not depend on the stragglers has a smaller error with the same average
    redundancy (M. Glasgow, M. Wootters, "Approximate Gradient Coding with Optimal Decoding", 2021, appendix).

    Parameters
    ----------
    straggler_probability, redundancy
        See the head of this module.

    Returns
    -------
    float
        The decoding error, a mean over the rows.

    Raises
    ------
    ConfigurationError
        If p is not in [0, 1) or a redundancy is less than 1.

    Examples
    --------
    >>> fixed_weights_decoding_error(0.5, 2), fixed_weights_decoding_error(0.5, [1, 2, 2, 4])
    (0.5, 0.5625)
    """
    p, d = _checked(straggler_probability, redundancy)
    return float(np.mean(p / ((1.0 - p) * d)))


@represented
def repetition_decoding_error(straggler_probability: float, redundancy: ArrayLike, *, rescaled: bool = False) -> float:
    """Return the decoding error of using each row once if a worker with it responds: p^d, rescaled p^d / (1 - p^d).

    alpha_r is 0 with probability p^d_r and otherwise 1, so (alpha_r - 1)^2 has mean p^d_r. Divided by 1 - p^d_r, it is
    unbiased with variance p^d_r / (1 - p^d_r). Groups of workers with the same rows achieve this with one vector in
    each message, as in ErasureHead and exact fractional repetition. Under other placements, workers must send the
    gradient of each row separately, as in Send-All, which rescales. The error equals `optimal_decoding_error_bound`,
    and rescaled `unbiased_decoding_error_bound`.

    Parameters
    ----------
    straggler_probability, redundancy
        See the head of this module; for repetition groups, the redundancy is the load.
    rescaled : bool, default False
        Divide each row by 1 - p^d_r, which makes the estimate unbiased.

    Returns
    -------
    float
        The decoding error, a mean over the rows.

    Raises
    ------
    ConfigurationError
        If p is not in [0, 1) or a redundancy is less than 1.

    Examples
    --------
    >>> repetition_decoding_error(0.5, 2), round(repetition_decoding_error(0.5, 2, rescaled=True), 4)
    (0.25, 0.3333)
    """
    p, d = _checked(straggler_probability, redundancy)
    missing = p**d
    return float(np.mean(missing / (1.0 - missing) if flag("rescaled", rescaled) else missing))


@represented
def optimal_decoding_error_bound(straggler_probability: float, redundancy: ArrayLike) -> float:
    """Return a lower bound on the decoding error of any decoder and any placement with this redundancy: p^d.

    With probability p^d_r all workers with row r straggle, and then alpha_r = 0. Optimal decoding is the least-squares
    fit of alpha to 1 for each set of messages. Its error equals the bound on repetition groups and generally exceeds it
    on other placements. p^d is convex in d, so the bound for an average redundancy is valid for any distribution of the
    redundancy over the rows.

    Parameters
    ----------
    straggler_probability, redundancy
        See the head of this module.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If p is not in [0, 1) or a redundancy is less than 1.

    Examples
    --------
    >>> optimal_decoding_error_bound(0.5, 3)
    0.125
    """
    return repetition_decoding_error(straggler_probability, redundancy)


@represented
def unbiased_decoding_error_bound(straggler_probability: float, redundancy: ArrayLike) -> float:
    """Return a lower bound on the error of any unbiased decoder, any placement of this redundancy: p^d / (1 - p^d).

    alpha_r has mean 1 and is 0 with probability p^d_r. So its mean over the other cases is 1 / (1 - p^d_r), and
    E[alpha_r^2] >= 1 / (1 - p^d_r) by Jensen's inequality (Glasgow and Wootters, 2021, appendix). This bound is convex
    in d, too, so it is valid for an average redundancy.

    Parameters
    ----------
    straggler_probability, redundancy
        See the head of this module.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If p is not in [0, 1) or a redundancy is less than 1.

    Examples
    --------
    >>> round(unbiased_decoding_error_bound(0.5, 3), 4)
    0.1429
    """
    return repetition_decoding_error(straggler_probability, redundancy, rescaled=True)


def _checked(straggler_probability: float, redundancy: ArrayLike) -> tuple[float, Floats]:
    """Return p and the redundancies after checking their ranges."""
    p = fraction("straggler_probability", straggler_probability, below_one=True)
    expected = "finite numbers of workers, at least 1"
    d = numbers("redundancy", redundancy, expected, low=1.0)
    if not d.size:
        raise complaint("redundancy", redundancy, expected)
    return p, d
