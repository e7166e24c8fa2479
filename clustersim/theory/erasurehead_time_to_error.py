"""Bounds on the expected time to an error (Theorem 3), for ErasureHead, an exact repetition code and no code.

H. Wang, Z. Charles, D. Papailiopoulos, "ErasureHead", 2019, section 4. `clustersim.theory.erasurehead_times` describes
the setting and the unit of time, and `clustersim.theory.erasurehead` the constants of the objective:

===================  ====================================================================
workers              n, the number of workers
load                 c, must divide n; each of the n/c groups of c workers holds the same rows
messages             r, the number of messages that ErasureHead waits for
===================  ====================================================================
"""

import math
from typing import NamedTuple

from clustersim.checks import flag, integer, number
from clustersim.theory.erasurehead import checked_groups, exponent
from clustersim.theory.float_range import represented

__all__ = ["TimesToError", "erasurehead_noise_level", "times_to_error_bound"]


class TimesToError(NamedTuple):
    """Bounds on the expected wall-clock time to an error, for three schemes; see `times_to_error_bound`.

    Parameters
    ----------
    uncoded : float
        Bound for uncoded gradient descent.
    exact_code : float
        Bound for exact fractional repetition.
    erasurehead : float
        Bound for ErasureHead.

    Examples
    --------
    >>> setting = dict(workers=30, load=3, messages=11, beta=1.0, mu=0.1, sigma=0.1, initial_error=1.0)
    >>> times_to_error_bound(0.05, **setting)._fields
    ('uncoded', 'exact_code', 'erasurehead')
    """

    uncoded: float
    exact_code: float
    erasurehead: float


@represented
def erasurehead_noise_level(workers: int, load: int, messages: int, *, mu: float, sigma: float) -> float:
    """Return the smallest error to which Theorem 3 applies, epsilon_0 = 3 c exp(-c r / n) sigma^2 / (mu n).

    At this error, the noise of Theorem 2 with step (1-p)/beta is two thirds of the error; the rest is for the initial
    error. (The paper's proof omits the factor c of the noise, but its epsilon_0 includes it.)

    Parameters
    ----------
    workers, load, messages
        See the head of this module; c r / n must be at least ln 2.
    mu : float
        Constant of the Polyak-Lojasiewicz condition, see `clustersim.theory.erasurehead`.
    sigma : float
        Bound on the norm of gradients, see `clustersim.theory.erasurehead`.

    Returns
    -------
    float

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> round(erasurehead_noise_level(30, 3, 11, mu=0.1, sigma=1.0), 4)
    0.9986
    """
    workers, load = checked_groups(workers, load)
    noise = 3.0 * load * math.exp(-exponent(workers, load, messages)) / workers
    return noise * number("sigma", sigma, low=0.0) ** 2 / number("mu", mu, above=0.0)


@represented
def times_to_error_bound(
    error: float,
    workers: int,
    load: int,
    messages: int,
    *,
    beta: float,
    mu: float,
    sigma: float,
    initial_error: float,
    printed: bool = False,
) -> TimesToError:
    """Return bounds on the expected time to an error for three schemes, if lambda = 1/c (corrected Theorem 3).

    Each bound is a number of updates times a bound on the time of an update. With kappa = mu / beta, the number of
    updates of the first two schemes with step 1/beta is ln(e_0 / e) / ln(1 / (1 - kappa)). For ErasureHead with step
    (1-p)/beta it is ln(3 e_0 / e) / ln(1 / (1 - (1 - exp(-c r / n)) kappa)). Both are rounded up. The times of an
    update are (c ln n + c + 1) / n without code, (c ln(n/c) + 2 c) / n with the exact code, and
    (c^2 ln(n / (n-r)) + c^2 + c) / n with ErasureHead. The paper does not round. For the exact code, it prints
    (c ln(n/c) + c + 1) / n, which is less than the expected time for every c > 1. The times of Lemma 8 are sharper than
    all three.

    Parameters
    ----------
    error : float
        e, less than the initial error and at least `erasurehead_noise_level`.
    workers, load, messages
        See the head of this module; there must be fewer messages than workers, and c r / n must be at least ln 2.
    beta, mu, sigma, initial_error
        See `clustersim.theory.erasurehead`.
    printed : bool, default False
        Return the theorem as printed in the paper, for comparison.

    Returns
    -------
    TimesToError

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Examples
    --------
    >>> setting = dict(workers=30, load=3, messages=11, beta=1.0, mu=0.1, sigma=0.1, initial_error=1.0)
    >>> [round(time, 2) for time in times_to_error_bound(0.05, **setting)]
    [13.73, 12.48, 32.22]
    """
    workers, load = checked_groups(workers, load)
    remedy = "Theorem 3 assumes fewer messages than workers"
    messages, printed = integer("messages", messages, low=1, high=workers - 1, remedy=remedy), flag("printed", printed)
    error = number("error", error, low=erasurehead_noise_level(workers, load, messages, mu=mu, sigma=sigma))
    start = number("initial_error", initial_error, above=error, remedy="the initial model already has this error")
    mu = number("mu", mu, above=0.0)
    kappa = mu / number("beta", beta, low=mu, remedy="the smoothness beta of a function is at least mu")
    covered = -math.expm1(-exponent(workers, load, messages))
    full = _updates(start / error, kappa, printed)
    partial = _updates(3.0 * start / error, covered * kappa, printed)
    groups = load * math.log(workers / load) + load + (1 if printed else load)
    stopped = load**2 * (math.log(workers / (workers - messages)) + 1.0) + load
    return TimesToError(
        uncoded=full * (load * math.log(workers) + load + 1) / workers,
        exact_code=full * groups / workers,
        erasurehead=partial * stopped / workers,
    )


def _updates(ratio: float, rate: float, printed: bool) -> float:
    """Return the number of updates, each with the factor 1 - rate, that reduce the error by the given ratio."""
    count = math.log(ratio) / -math.log1p(-rate) if rate < 1.0 else 0.0
    return count if printed else max(math.ceil(count), 1)
