"""When a run reaches a target, and where it settles.

Data flows in as the history of one run, and out to `clustersim.studies.results` and `clustersim.studies.compare`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["excesses", "first_that_lasts", "settled"]


def excesses(values: Any, target: float, *, lower: bool) -> NDArray[np.float64]:
    """How much worse each value is than the target; not above 0 where it is met, infinite where there is no number."""
    with np.errstate(over="ignore"):
        worse = (1.0 if lower else -1.0) * (np.asarray(values, dtype=np.float64) - target)
    return np.where(np.isnan(worse), np.inf, worse)


def first_that_lasts(excess: NDArray[np.float64], times: Any) -> int | None:
    """The row at which a run reaches a target, as `Results.time_to_target` says; None if it never does.

    Parameters
    ----------
    excess : ndarray
        How much worse than the target each evaluation is.
    times : array_like
        When it was made.

    Returns
    -------
    int or None

    Examples
    --------
    >>> first_that_lasts(np.array([3.0, 1.0, -1.0, -2.0]), [0.0, 1.0, 2.0, 3.0])
    2
    >>> first_that_lasts(np.array([0.0, 1.0, 2.0, 3.0]), [0.0, 1.0, 2.0, 3.0]) is None
    True
    """
    moments = np.asarray(times, dtype=np.float64)
    if excess[0] <= 0.0 and settled(excess, moments, part=20) > 0.0:
        return None  # the first model meets the target, and the run leaves it
    ends = np.searchsorted(moments, moments + moments[-1] / 20.0, side="right")
    judged = (moments <= 0.95 * moments[-1]) | (excess <= np.minimum.accumulate(excess))
    hits = np.flatnonzero((excess <= 0.0) & judged)
    return next((int(hit) for hit in hits if _median(excess[hit : ends[hit]]) <= 0.0), None)


def settled(values: Any, times: Any, part: int = 10) -> float:
    """The median over the last tenth (or another part) of a run's time.

    Examples
    --------
    >>> settled([9.0, 5.0, 2.0, 4.0, 3.0], [0.0, 5.0, 9.0, 9.5, 10.0])
    3.0
    """
    numbers, moments = np.asarray(values, dtype=np.float64), np.asarray(times, dtype=np.float64)
    return _median(numbers[moments >= (1.0 - 1.0 / part) * moments[-1]])


def _median(values: NDArray[np.float64]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):  # the mean of two values in the middle may be beyond all numbers
        return float(np.median(values))
