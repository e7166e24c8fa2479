"""Averages over replications with confidence intervals.

Arrays with one entry (or one row) per replication come in from `clustersim.studies.results` and
`clustersim.studies.comparison`. Values may be NaN or infinite. What cannot be computed from them
is NaN, without a warning.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import bdtr, stdtrit  # not scipy.stats, which takes a second to import

__all__ = ["INTERVALS", "Interval", "are_copies", "geometric_interval", "mean_interval", "median_interval"]


class Interval(NamedTuple):
    """A mean and the ends of its confidence interval; the ends are NaN if there is only one replication."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def without_ends(self) -> "Interval":
        """Return the mean with NaN as ends, for replications without information about randomness."""
        unknown = np.full_like(self.mean, np.nan)
        return Interval(self.mean, unknown, unknown)

    def at_least(self, least: float) -> "Interval":
        """Cut the interval off at the least possible value, such as 0 for times.

        The true mean cannot lie below that value, so the interval covers it as often as before.

        Examples
        --------
        >>> float(mean_interval([1.0, 2.0, 3.0]).at_least(0.0).low)
        0.0
        """
        return self._replace(low=np.maximum(self.low, least))


def mean_interval(values: Any, confidence: float = 0.95) -> Interval:
    r"""Compute the mean over the first axis and its t interval ``mean -+ t_{(1 + confidence) / 2, R - 1} s / sqrt(R)``.

    Parameters
    ----------
    values : array_like, shape (R, ...)
        One entry per replication.
    confidence : float, default 0.95
        The probability that such an interval covers the true mean.

    Returns
    -------
    Interval

    Examples
    --------
    >>> mean, low, high = mean_interval([1.0, 2.0, 3.0])
    >>> round(float(mean), 3), round(float(low), 3), round(float(high), 3)
    (2.0, -0.484, 4.484)
    """
    sample = np.asarray(values, dtype=np.float64)
    count = len(sample)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.asarray(sample.mean(axis=0)) if count else np.full(sample.shape[1:], np.nan)
        if count < 2:
            return Interval(mean, mean, mean).without_ends()
        quantile = float(stdtrit(count - 1, (1.0 + confidence) / 2.0))
        half = quantile * np.asarray(sample.std(axis=0, ddof=1)) / np.sqrt(count)
        return Interval(mean, mean - half, mean + half)


def geometric_interval(values: Any, confidence: float = 0.95) -> Interval:
    """Compute the geometric mean of positive values and its t interval, on their logarithms.

    Parameters
    ----------
    values : array_like, shape (R, ...)
        Positive numbers, one entry per replication.
    confidence : float, default 0.95
        The probability that such an interval covers the true mean.

    Returns
    -------
    Interval

    Examples
    --------
    >>> round(float(geometric_interval([1.0, 100.0]).mean), 9)
    10.0
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        logs = mean_interval(np.log(np.asarray(values, dtype=np.float64)), confidence)
        return Interval(*(np.exp(part) for part in logs))


def median_interval(values: Any, confidence: float = 0.95) -> Interval:
    """Compute the median over the first axis and an interval that is valid for every distribution.

    The ends are the j-th smallest and the j-th largest value, with the largest j for which the true median lies outside
    with a probability of at most 1 - confidence. For 95 % this needs six replications; with fewer, the ends are NaN.

    Parameters
    ----------
    values : array_like, shape (R, ...)
        One entry per replication.
    confidence : float, default 0.95
        The least probability that such an interval covers the true median.

    Returns
    -------
    Interval

    Examples
    --------
    >>> [float(part) for part in median_interval([1.0, 2.0, 3.0, 4.0, 5.0, 60.0])]
    [3.5, 1.0, 60.0]
    """
    sample = np.sort(np.asarray(values, dtype=np.float64), axis=0)
    count = len(sample)
    if not count:
        return mean_interval(sample)
    middle = sample[(count - 1) // 2 : count // 2 + 1]
    centre = np.where(np.isnan(sample[-1]), np.nan, mean_interval(middle).mean)  # NaN are sorted to the end
    below = bdtr(np.arange(count), count, 0.5)  # P(at most j of the values lie below the median), j = 0, 1, ...
    rank = np.count_nonzero(below < (1.0 - confidence) / 2.0)
    if rank < 1:
        return Interval(centre, centre, centre).without_ends()
    ends = (np.where(np.isnan(centre), np.nan, sample[place]) for place in (rank - 1, count - rank))
    return Interval(centre, *ends)


def are_copies(runs: list[pd.DataFrame]) -> bool:
    """Return whether there are several replications and all have the same history."""
    first, *others = (run.drop(columns="replication").reset_index(drop=True) for run in runs)
    return bool(others) and all(first.equals(other) for other in others)


INTERVALS: dict[str, Callable[[Any, float], Interval]] = {
    "arithmetic": mean_interval, "geometric": geometric_interval, "median": median_interval
}  # fmt: skip
"""The kinds of average, by name."""
