"""Quantiles of what runs need to reach a target, and the share that reaches it, with confidence intervals.

Costs such as times come in from `clustersim.studies.censored`: what a run had spent when it reached the target, or when
it ended without having reached it. A run that did not reach the target is not left out: it is known to need more than
it had spent. So its cost is *right-censored*, and the estimates are those of survival analysis.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtri  # not scipy.stats, which takes a second to import

from clustersim.checks import fraction
from clustersim.studies.statistics import Interval, between, interpolation_weight

__all__ = ["quantile_interval", "share_interval"]

_ROUNDING = 1e-9  # of a survival probability


def quantile_interval(costs: Any, reached: Any, probability: float = 0.5, confidence: float = 0.95) -> Interval:
    r"""Compute the Kaplan-Meier median, or another quantile, of costs that may be right-censored, with an interval.

    The estimate is the least cost at which the Kaplan-Meier curve has fallen to ``1 - probability``. If it stays at
    that value until the next cost, the estimate is halfway, as usual for a median. It is infinite if the curve does not
    fall so far: then the quantile is greater than the largest cost.

    Let Y_i be the number of runs that had neither reached the target nor ended before the i-th cost x_i at which a run
    reached it. Without censoring, the true survival probability at x_j is distributed as the product of independent
    Beta(Y_i, 1), i <= j. With censoring this holds nearly; the product is replaced by the beta distribution with its
    mean and variance. This gives the probability that x_j lies above the true quantile. The lower end of the interval
    is where this is ``(1 - confidence) / 2``, interpolated between two costs as in `median_interval`, to which the
    interval is equal if nothing is censored. Runs that end after the last x_j raise the lower end: they are known to
    need more. The upper end mirrors the lower one, and is infinite if too few runs reached the target.

    Parameters
    ----------
    costs : array_like of float, shape (R,)
        What each run had spent when it reached the target, else when it ended; at least 0. Infinite for a run that is
        known never to reach the target.
    reached : array_like of bool, shape (R,)
        Whether the run reached the target.
    probability : float, default 0.5
        The part of the runs that needs at most the quantile; 0.5 means the median.
    confidence : float, default 0.95
        The probability that such an interval covers the true quantile.

    Returns
    -------
    Interval
        The estimate is the entry ``mean``. The ends are NaN if there are too few runs for an interval.

    Raises
    ------
    ConfigurationError
        If the probability is not between 0 and 1.

    References
    ----------
    M. P. Fay, E. H. Brittain and M. A. Proschan, "Pointwise confidence intervals for a survival distribution with small
    samples or heavy censoring", Biostatistics 14 (2013), 723-736, for the product of beta distributions and the beta
    distribution that replaces it; R. Brookmeyer and J. Crowley, "A confidence interval for the median survival time",
    Biometrics 38 (1982), 29-41, for its inversion. The interpolation is that of `median_interval`.

    Examples
    --------
    Three of ten runs ended at 9 s without having reached the target:

    >>> costs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0, 9.0, 9.0]
    >>> median, low, high = quantile_interval(costs, [cost < 9.0 for cost in costs])
    >>> float(median), round(float(low), 2), float(high)
    (5.5, 2.66, inf)
    """
    fraction("probability", probability)
    spent, events = np.asarray(costs, dtype=np.float64), np.asarray(reached, dtype=bool)
    order = np.lexsort((~events, spent))  # a run that ends when another reaches the target was still under way
    spent, events = spent[order], events[order]
    if not len(spent):
        return Interval(*np.full(3, np.nan))
    tail, alpha = 1.0 - probability, (1.0 - confidence) / 2.0
    last = int(np.flatnonzero(events)[-1]) + 1 if events.any() else 0
    counting = events | (np.arange(len(spent)) >= last)  # for the lower end, later ends count as if they reached it
    at_risk = len(spent) - np.arange(len(spent))
    low = _lower_end(spent[counting], at_risk[counting], tail, alpha)
    high = _upper_end(spent[events], at_risk[events], tail, alpha)
    ends = (np.nan, np.nan) if low == 0.0 and np.isinf(high) else (low, high)
    return Interval(*(np.float64(part) for part in (_quantile(spent[events], at_risk[events], tail), *ends)))  # type: ignore[arg-type]


def _quantile(costs: NDArray[np.float64], at_risk: NDArray[np.int64], tail: float) -> float:
    """Return the least cost at which the Kaplan-Meier curve is at most `tail`; or halfway to the next one."""
    if not len(costs):
        return np.inf
    jumps = np.append(costs[1:] > costs[:-1], True)  # of runs with the same cost, the last one completes the fall
    costs, survival = costs[jumps], _survival(at_risk)[1:][jumps]
    fallen = np.flatnonzero(survival <= tail + _ROUNDING)
    if not len(fallen):
        return np.inf
    first = int(fallen[0])
    stays = abs(survival[first] - tail) <= _ROUNDING and first + 1 < len(costs)
    return float(costs[first : first + 1 + stays].mean())


def _below(at_risk: NDArray[np.int64], tail: float) -> NDArray[np.float64]:
    """Return the probability that each cost lies above the true quantile, that is, that survival there is below `tail`.

    The product of independent Beta(Y_i, 1) has the mean of ``prod Y_i / (Y_i + 1)``, and the second moment
    ``prod Y_i / (Y_i + 2)``.
    """
    mean = np.cumprod(at_risk / (at_risk + 1.0))
    variance = np.cumprod(at_risk / (at_risk + 2.0)) - mean**2
    size = mean * (1.0 - mean) / variance - 1.0
    return np.asarray(betainc(mean * size, (1.0 - mean) * size, tail))


def _survival(at_risk: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the Kaplan-Meier curve before each of the costs, and after the last one."""
    return np.concatenate([[1.0], np.cumprod(1.0 - 1.0 / at_risk)])


def _lower_end(costs: NDArray[np.float64], at_risk: NDArray[np.int64], tail: float, alpha: float) -> float:
    """Return the cost that lies above the quantile with probability `alpha`; 0 if there is none."""
    above = _below(at_risk, tail)
    inner = int(np.count_nonzero(above <= alpha))
    if inner == 0:
        return 0.0
    if inner == len(costs):
        return float(costs[-1])
    share = (alpha - above[inner - 1]) / (above[inner] - above[inner - 1])
    survival = _survival(at_risk)[inner]
    weight = interpolation_weight(share, (1.0 - survival) / survival * tail / (1.0 - tail))
    return float(between(costs[inner - 1], costs[inner], weight))


def _upper_end(costs: NDArray[np.float64], at_risk: NDArray[np.int64], tail: float, alpha: float) -> float:
    """Return the cost that lies below the quantile with probability `alpha`; infinite if there is none."""
    below = 1.0 - _below(at_risk, tail)
    outer = int(np.count_nonzero(below > alpha))
    if outer == len(costs):
        return np.inf
    if outer == 0:
        return float(costs[0])
    share = (alpha - below[outer]) / (below[outer - 1] - below[outer])
    survival = _survival(at_risk)[outer]
    weight = interpolation_weight(share, survival / (1.0 - survival) * (1.0 - tail) / tail)
    return float(between(costs[outer], costs[outer - 1], weight))


def share_interval(reached: int, replications: int, confidence: float = 0.95) -> Interval:
    """Compute the share of the runs that reached the target, with Wilson's interval.

    Parameters
    ----------
    reached, replications : int
        The number of runs that reached the target, and of all runs.
    confidence : float, default 0.95
        The probability that such an interval covers the true share, on average over the shares.

    Returns
    -------
    Interval
        The share is the entry ``mean``.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927), 209-212.

    Examples
    --------
    >>> [round(float(part), 3) for part in share_interval(8, 10)]
    [0.8, 0.49, 0.943]
    """
    share, z = reached / replications, float(ndtri((1.0 + confidence) / 2.0))
    squeeze = 1.0 + z**2 / replications
    centre = (share + z**2 / (2.0 * replications)) / squeeze
    half = z * math.sqrt(share * (1.0 - share) / replications + z**2 / (4.0 * replications**2)) / squeeze
    low = 0.0 if reached == 0 else centre - half
    high = 1.0 if reached == replications else centre + half
    return Interval(*(np.float64(part) for part in (share, low, high)))  # type: ignore[arg-type]
