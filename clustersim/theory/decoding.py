"""How far decoded gradients are from the full one when each worker straggles with probability p, independently.

A decoder makes (1/m) sum_r alpha_r grad f_r of the answers that arrive, where the full gradient has alpha = 1. Its
decoding error is E[(1/m) |alpha - 1|^2]. Where the rows' gradients are orthogonal and of norm G, the estimate is off by
G^2 / m times that in mean square. Every function takes

=======================  ====================================================================================
straggler_probability    p, in [0, 1)
redundancy               d_r, on how many workers row r is: one number for all rows, or an array of one a row
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
    """Decoding error of summing all answers with weights 1 / (d_r (1-p)), whatever the placement: p / ((1-p) d).

    alpha_r is a binomial number of d_r answers over its mean d_r (1-p), hence of mean 1 and variance p / ((1-p) d_r).
    This is SGC's and BGC's decoder, and Ignore-Stragglers with d = 1. No unbiased decoder whose weights do not depend
    on who straggles does better with the same average redundancy (M. Glasgow, M. Wootters, "Approximate Gradient Coding
    with Optimal Decoding", 2021, appendix).

    Parameters
    ----------
    straggler_probability, redundancy
        See the head of this module.

    Returns
    -------
    float
        The mean over the rows.

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
    """Decoding error of using each row once if any of its d_r workers answers: p^d, or p^d / (1 - p^d) if rescaled.

    alpha_r is 0 with probability p^d_r and else 1, so that (alpha_r - 1)^2 has that mean; divided by 1 - p^d_r it is
    unbiased with variance p^d_r / (1 - p^d_r). Groups of workers with the same rows do so with one vector a message, as
    ErasureHead and exact fractional repetition; under other placements each row must be sent by itself, as rescaled in
    Send-All. This meets `optimal_decoding_error_bound`, and rescaled `unbiased_decoding_error_bound`.

    Parameters
    ----------
    straggler_probability, redundancy
        See the head of this module; for repetition groups the redundancy is the load.
    rescaled : bool
        Divide each row by 1 - p^d_r, which makes the estimate unbiased.

    Returns
    -------
    float
        The mean over the rows.

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
    """The least decoding error that any decoder can have, with any placement of that redundancy: p^d.

    With probability p^d_r all workers of row r straggle, and then alpha_r = 0. Optimal decoding, the least-squares fit
    of alpha to 1 for each set of answers, meets this on repetition groups and is above it on other placements in
    general. p^d is convex in d: a bound for an average redundancy holds however it is spread over the rows.

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
    """The least decoding error of an unbiased decoder, with any placement of that redundancy: p^d / (1 - p^d).

    If alpha_r has mean 1 and is 0 with probability p^d_r, its mean over the other cases is 1 / (1 - p^d_r), so that
    E[alpha_r^2] >= 1 / (1 - p^d_r) by Jensen's inequality (Glasgow and Wootters, 2021, appendix). This too is convex in
    d and holds for an average redundancy.

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
    """Return p and the redundancies, in range."""
    p = fraction("straggler_probability", straggler_probability, below_one=True)
    expected = "finite numbers of workers, at least 1"
    d = numbers("redundancy", redundancy, expected, low=1.0)
    if not d.size:
        raise complaint("redundancy", redundancy, expected)
    return p, d
