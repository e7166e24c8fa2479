"""Deadlines that follow from the messages that have arrived: a grace period, and multiples of typical times.

Each rule is told how long after the dispatch each message of the round has arrived, and answers how long after the
dispatch the master may go on waiting. All of them act at once when every worker has answered.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer, number, seconds, store
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import Look, WaitRule, WaitState, workers_to_wait_for

__all__ = ["GracePeriod", "MedianDeadline", "RelativeDeadline"]


class _FromArrivals(WaitRule):
    """A rule whose deadline is a function of the arrival times of the round."""

    @abstractmethod
    def deadline(self, times: NDArray[np.float64]) -> float:
        """Say when the round ends, in seconds after the dispatch; infinite as long as that is not known.

        Parameters
        ----------
        times : ndarray of float, shape (n,)
            When the message of each worker has arrived, in seconds after the dispatch, in order of arrival; infinite
            for those that are still missing.
        """

    def begin(self, setting: Setting) -> WaitState:
        """Make the state of one run."""
        return _FromArrivalsWait(self, setting.workers)


class _FromArrivalsWait(WaitState):
    """All workers, or the deadline that the messages so far have set."""

    watches = True

    def __init__(self, rule: _FromArrivals, workers: int) -> None:
        self.k = workers
        self._rule = rule

    def opened(self, updated: Updated) -> None:
        """Nothing to adapt."""

    def look(self, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:  # noqa: ARG002
        """Compute the deadline from the arrival times."""
        missing = self.needs(workers)
        return Look(missing, self._rule.deadline(np.pad(times, (0, missing), constant_values=math.inf)))


@dataclass(frozen=True)
class GracePeriod(_FromArrivals):
    """Wait for k messages, and then a little longer for whoever else comes.

    Parameters
    ----------
    k : int
        Messages after which the grace period begins, 1 .. n.
    seconds : float
        Its length, at least 0.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) k is more than the number of workers.

    Examples
    --------
    >>> GracePeriod(k=3, seconds=0.5).deadline(np.array([1.0, 1.25, 2.0, np.inf]))
    2.5
    """

    k: int
    seconds: float

    def __post_init__(self) -> None:
        store(self, k=integer("k", self.k, low=1), seconds=seconds("seconds", self.seconds))

    def begin(self, setting: Setting) -> WaitState:
        """Check that the cluster has k workers."""
        workers_to_wait_for("k", self.k, setting)
        return super().begin(setting)

    def deadline(self, times: NDArray[np.float64]) -> float:
        """Add the grace period to the arrival of the k-th message."""
        return float(times[self.k - 1]) + self.seconds


@dataclass(frozen=True)
class RelativeDeadline(_FromArrivals):
    """Wait until (1 + mu) times the time of the first message.

    Parameters
    ----------
    mu : float
        How much longer than the fastest worker any other one may take, as a fraction of its time; at least 0.

    Raises
    ------
    ConfigurationError
        If mu is negative or not finite.

    Examples
    --------
    >>> RelativeDeadline(mu=0.5).deadline(np.array([2.0, 2.5, np.inf]))
    3.0
    """

    mu: float

    def __post_init__(self) -> None:
        store(self, mu=number("mu", self.mu, low=0.0))

    def deadline(self, times: NDArray[np.float64]) -> float:
        """Multiply the time of the first message."""
        return (1.0 + self.mu) * float(times[0])


@dataclass(frozen=True)
class MedianDeadline(_FromArrivals):
    """Wait until the median time plus a multiple of the median absolute deviation.

    Both are those of all n workers: missing messages count as later than all others. So the rule waits for at least
    half of the workers. Until the workers that are close to the median have answered, the deviation is estimated from
    above; it can only fall while more messages arrive.

    Parameters
    ----------
    multiple : float
        Median absolute deviations beyond the median, at least 0.

    Raises
    ------
    ConfigurationError
        If the multiple is negative or not finite.

    Notes
    -----
    For an even number of values the lower one of the two in the middle is taken.

    Examples
    --------
    With four of five messages the median is 1.2 s and the deviations are 0.2, 0.1, 0 and 0.3 s; the third smallest of
    them is the median deviation, however late the last message is:

    >>> round(MedianDeadline(multiple=3.0).deadline(np.array([1.0, 1.1, 1.2, 1.5, np.inf])), 9)
    1.8
    """

    multiple: float

    def __post_init__(self) -> None:
        store(self, multiple=number("multiple", self.multiple, low=0.0))

    def deadline(self, times: NDArray[np.float64]) -> float:
        """Compute median and deviation, as soon as half of the times are known."""
        middle = (len(times) - 1) // 2
        median = float(times[middle])
        if median == math.inf:
            return math.inf
        return median + self.multiple * float(np.sort(np.abs(times - median))[middle])
