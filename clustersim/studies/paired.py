"""Ratios of costs under common random numbers, replication by replication, and Holm's correction of many tests.

The costs of a policy and of the baseline in the same replications come in from `clustersim.studies.comparison_rows`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtr

from clustersim.studies.statistics import Interval, mean_interval, median_interval

__all__ = ["CLAIMS_ERROR", "PairedRatio", "holm", "paired_ratio"]

CLAIMS_ERROR = 0.05
"""The probability that some claim of a comparison is wrong: differences are claimed if `holm` gives at most this."""


class PairedRatio(NamedTuple):
    """A ratio of costs with its interval, and the test of whether it differs from 1.

    Attributes
    ----------
    ratio, low, high : float
        The estimate and the ends of its interval; NaN where there is none. `low` is 0 or `high` is infinite if that
        side is not known.
    p : float
        Two-sided p-value of the hypothesis that neither policy is faster than the other; NaN if there is no test.
    greater : bool
        Whether the costs tend to be greater than those of the baseline.
    method : str
        "student", "sign", or empty if nothing can be said.
    """

    ratio: float
    low: float
    high: float
    p: float
    greater: bool
    method: str


def paired_ratio(costs: Any, reached: Any, base: Any, base_reached: Any, confidence: float = 0.95) -> PairedRatio:
    """Compute the ratio of costs to those of the baseline, pair by pair, with an interval and a test.

    If nothing is censored and no cost is 0, the ratio is the geometric mean of the ratios of the pairs. Its interval
    and test are Student's, on the logarithms.

    Otherwise the ratio is the median of the ratios of the pairs. A pair gives an exact ratio if both runs reached the
    target, a least ratio if only the baseline reached it, a greatest ratio if only the other run reached it, and else
    nothing. The lower end of the interval is that of `median_interval` for the least ratios, the upper end that for the
    greatest ratios. So the interval is valid however and whenever runs end, but wider than one that assumes a law. The
    test is the sign test over the pairs in which it is known who was faster.

    Parameters
    ----------
    costs, base : array_like of float, shape (R,)
        What the runs of the policy and of the baseline had spent when they reached the target, else when they ended.
        Infinite for a run that never reaches it.
    reached, base_reached : array_like of bool, shape (R,)
        Whether they reached it.
    confidence : float, default 0.95
        The probability that such an interval covers the true ratio.

    Returns
    -------
    PairedRatio

    Examples
    --------
    >>> [round(part, 2) for part in paired_ratio([4.0, 6.0, 9.0], [True] * 3, [2.0, 3.0, 4.0], [True] * 3)[:3]]
    [2.08, 1.76, 2.46]
    >>> costs, reached = [4.0] * 6 + [9.0] * 4, [True] * 6 + [False] * 4
    >>> ratio = paired_ratio(costs, reached, [2.0] * 10, [True] * 10)
    >>> ratio.low, ratio.high, ratio.p, ratio.method
    (2.0, inf, 0.001953125, 'sign')
    """
    arrived, base_arrived = np.asarray(reached, dtype=bool), np.asarray(base_reached, dtype=bool)
    logs = _log_ratios(np.asarray(costs, dtype=np.float64), np.asarray(base, dtype=np.float64))
    if not len(logs):
        return PairedRatio(np.nan, np.nan, np.nan, np.nan, greater=False, method="")
    if arrived.all() and base_arrived.all() and np.isfinite(logs).all():
        interval = mean_interval(logs, confidence)
        return _named(interval, _student(logs), bool(logs.mean() > 0.0), "student")
    least = np.where(base_arrived, logs, -np.inf)
    greatest = np.where(arrived, logs, np.inf)
    greater, smaller = int((least > 0.0).sum()), int((greatest < 0.0).sum())
    decided = greater + smaller
    p = min(1.0, 2.0 * float(bdtr(min(greater, smaller), decided, 0.5))) if decided else np.nan
    low, high = median_interval(least, confidence), median_interval(greatest, confidence)
    middle = low.mean if low.mean == high.mean else np.full_like(low.mean, np.nan)
    return _named(Interval(middle, low.low, high.high), p, greater > smaller, "sign" if decided else "")


def _log_ratios(costs: NDArray[np.float64], base: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of the ratios; two equal costs have the ratio 1, also if both are 0 or infinite."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(costs == base, 0.0, np.log(costs / base))


def _student(logs: NDArray[np.float64]) -> float:
    """Return the two-sided p-value of Student's test that the mean is 0; NaN for a single value."""
    if len(logs) < 2:
        return np.nan
    error = float(logs.std(ddof=1)) / np.sqrt(len(logs))
    mean = abs(float(logs.mean()))
    if error <= 1e-12 * mean or error == 0.0:
        return 0.0 if mean > 0.0 else 1.0
    return 2.0 * float(stdtr(len(logs) - 1, -mean / error))


def _named(logs: Interval, p: float, greater: bool, method: str) -> PairedRatio:
    with np.errstate(over="ignore"):
        ratio, low, high = (float(np.exp(part)) for part in logs)
    nothing_known = low == 0.0 and high == np.inf
    ends = (np.nan, np.nan) if nothing_known else (low, high)
    return PairedRatio(ratio, *ends, float(p), greater, method)


def holm(p_values: Any) -> NDArray[np.float64]:
    """Adjust p-values for their number, so that all claims with an adjusted value of at most 5 % hold together.

    The probability that any of these claims is wrong is at most 5 %, whatever the dependence between the tests. The
    smallest of m values is multiplied by m, the next one by m - 1, and so on; no adjusted value is less than the one
    before it, or greater than 1.

    Parameters
    ----------
    p_values : array_like of float, shape (m,)
        Values of NaN stand for tests that could not be made; they do not count.

    Returns
    -------
    ndarray of float, shape (m,)
        In the order of the p-values; NaN where they are.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979),
    65-70.

    Examples
    --------
    >>> holm([0.04, 0.01, float("nan")]).tolist()
    [0.04, 0.02, nan]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")  # NaN are sorted to the end
    tests = int(np.count_nonzero(~np.isnan(values)))
    factors = np.maximum(tests - np.arange(len(values)), 1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return adjusted
