"""The evaluation at which a run reaches a target, and the value at which it settles.

The history of one run comes in from `clustersim.studies.results`, `clustersim.studies.default_target` and others.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["excesses", "first_that_lasts", "settled"]


def excesses(values: Any, target: float, *, lower: bool) -> NDArray[np.float64]:
    """Return how much worse than the target each value is: at most 0 if it meets the target, infinite if it is NaN."""
    with np.errstate(over="ignore"):
        worse = (1.0 if lower else -1.0) * (np.asarray(values, dtype=np.float64) - target)
    return np.where(np.isnan(worse), np.inf, worse)


def first_that_lasts(excess: NDArray[np.float64], times: Any) -> int | None:
    """Find the row at which a run reaches a target, as `Results.time_to_target` defines it.

    Parameters
    ----------
    excess : ndarray
        How much worse than the target each evaluation is.
    times : array_like
        The simulated time of each evaluation, in seconds.

    Returns
    -------
    int or None
        The row; None if the run never reaches the target.

    Examples
    --------
    >>> first_that_lasts(np.array([3.0, 1.0, -1.0, -2.0]), [0.0, 1.0, 2.0, 3.0])
    2
    >>> first_that_lasts(np.array([0.0, 1.0, 2.0, 3.0]), [0.0, 1.0, 2.0, 3.0]) is None
    True
    """
    moments = np.asarray(times, dtype=np.float64)
    if excess[0] <= 0.0 and settled(excess, moments, part=20) > 0.0:
        return None  # the first model meets the target, but the run moves away from it
    ends = np.searchsorted(moments, moments + moments[-1] / 20.0, side="right")
    eligible = (moments <= 0.95 * moments[-1]) | (excess <= np.minimum.accumulate(excess))
    meeting = np.concatenate([[0], np.cumsum(excess <= 0.0)])  # how many evaluations before each one meet the target
    half = 2 * (meeting[ends] - meeting[:-1]) >= ends - np.arange(len(ends))  # fewer, and no median can meet it
    hits = np.flatnonzero((excess <= 0.0) & eligible & half)
    return next((int(hit) for hit in hits if _median(excess[hit : ends[hit]]) <= 0.0), None)


def settled(values: Any, times: Any, part: int = 10) -> float:
    """Compute the median of the values over the last tenth, or another part, of the time of a run.

    `part` = 10 means the last tenth.

    Examples
    --------
    >>> settled([9.0, 5.0, 2.0, 4.0, 3.0], [0.0, 5.0, 9.0, 9.5, 10.0])
    3.0
    """
    numbers, moments = np.asarray(values, dtype=np.float64), np.asarray(times, dtype=np.float64)
    return _median(numbers[moments >= (1.0 - 1.0 / part) * moments[-1]])


def _median(values: NDArray[np.float64]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):  # the mean of the two middle values may overflow
        return float(np.median(values))
