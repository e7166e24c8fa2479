"""Means over replications with Student's t intervals.

Data flows in as arrays with one entry (or one row) a replication, and out to `clustersim.studies.results` and
`clustersim.studies.compare`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

__all__ = ["Interval", "geometric_interval", "mean_interval"]


class Interval(NamedTuple):
    """A mean and the ends of its confidence interval; the ends are NaN if there is only one replication."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def mean_interval(values: Any, confidence: float = 0.95) -> Interval:
    r"""Mean over the first axis and its t interval, ``mean -+ t_{(1 + confidence) / 2, R - 1} s / sqrt(R)``.

    Parameters
    ----------
    values : array_like, shape (R, ...)
        One entry a replication.
    confidence : float, default 0.95
        How often such intervals hold the true mean.

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
    mean = np.asarray(sample.mean(axis=0)) if count else np.full(sample.shape[1:], np.nan)
    if count < 2:
        unknown = np.full_like(mean, np.nan)
        return Interval(mean, unknown, unknown)
    quantile = float(stdtrit(count - 1, (1.0 + confidence) / 2.0))
    half = quantile * np.asarray(sample.std(axis=0, ddof=1)) / np.sqrt(count)
    return Interval(mean, mean - half, mean + half)


def geometric_interval(values: Any, confidence: float = 0.95) -> Interval:
    """Geometric mean of positive values and its t interval, computed on their logarithms.

    Parameters
    ----------
    values : array_like, shape (R, ...)
        Positive numbers, one entry a replication.
    confidence : float, default 0.95
        How often such intervals hold the true mean.

    Returns
    -------
    Interval

    Examples
    --------
    >>> round(float(geometric_interval([1.0, 100.0]).mean), 9)
    10.0
    """
    logs = mean_interval(np.log(np.asarray(values, dtype=np.float64)), confidence)
    return Interval(*(np.exp(part) for part in logs))
