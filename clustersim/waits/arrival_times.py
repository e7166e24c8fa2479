"""Deadlines that depend on arrival times: a grace period, and multiples of the first or the median arrival time.

Each rule gets the arrival times of the messages of the round so far, in seconds after the dispatch, and returns the
deadline of the round in the same unit. When every worker has answered, the master updates at once.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer, number, seconds, store
from clustersim.errors import ConfigurationError
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import Look, WaitRule, WaitState, workers_to_wait_for

__all__ = ["ArrivalDeadline", "GracePeriod", "MedianDeadline", "RelativeDeadline"]


class ArrivalDeadline(WaitRule):
    """Base class of rules whose deadline is a function of the arrival times of the round.

    A rule of your own is a frozen dataclass with one method, `deadline`.

    Examples
    --------
    Wait until one second after the second message:

    >>> @dataclass(frozen=True)
    ... class SecondPlusOne(ArrivalDeadline):
    ...     def deadline(self, times):
    ...         return times[1] + 1.0
    >>> SecondPlusOne().deadline(np.array([0.5, 2.0, np.inf])).item()
    3.0
    """

    @abstractmethod
    def deadline(self, times: NDArray[np.float64]) -> float:
        """Return the deadline of the round in seconds after the dispatch; infinite as long as it is not known.

        It is called at the dispatch, when all times are infinite, and at each arrival. Note that the difference of two
        infinite times is NaN, which is refused.

        Parameters
        ----------
        times : ndarray of float, shape (n,)
            When the message of each worker arrived, in seconds after the dispatch, in ascending order; infinite for
            those that are still missing.

        Returns
        -------
        float
            A message that arrives exactly at the deadline counts.
        """

    def begin(self, setting: Setting) -> WaitState:
        """Return the state of one run."""
        return _ArrivalDeadlineWait(self, setting.workers)


class _ArrivalDeadlineWait(WaitState):
    """Wait for all workers, or until the deadline that follows from the messages so far."""

    watches = True

    def __init__(self, rule: ArrivalDeadline, workers: int) -> None:
        self.k = workers
        self._rule = rule

    def opened(self, updated: Updated) -> None:
        """Do nothing: the rule does not adapt."""

    def look(self, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:  # noqa: ARG002
        """Compute the deadline from the arrival times."""
        missing = self.needs(workers)
        arrivals = np.pad(times, (0, missing), constant_values=math.inf)
        deadline = self._rule.deadline(arrivals)
        if not (isinstance(deadline, float | int | np.floating | np.integer) and deadline >= 0.0):
            raise ConfigurationError(
                f"{self._rule!r}: deadline({arrivals}) returns {deadline!r}: expected seconds after the dispatch, "
                "infinite as long as they are not known"
            )
        return Look(missing, float(deadline))


@dataclass(frozen=True)
class GracePeriod(ArrivalDeadline):
    """Wait for k messages, and then for a grace period in which others may arrive.

    Parameters
    ----------
    k : int
        Messages after which the grace period begins, 1 .. n.
    seconds : float
        Length of the grace period in seconds, at least 0. With 0 it differs from ``Fastest(k)`` only in that it uses
        all messages that arrive at the same instant as the k-th.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) k is more than the number of workers.

    Examples
    --------
    >>> GracePeriod(k=3, seconds=0.5).deadline(np.array([1.0, 1.25, 2.0, np.inf]))
    2.5

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 1.25, 2.0]])),
    ...     cs.Synchronous(cs.waits.GracePeriod(k=1, seconds=0.5)),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=1),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()  # two messages have arrived
    [0.0, 1.5]
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
class RelativeDeadline(ArrivalDeadline):
    """Wait until (1 + mu) times the arrival time of the first message.

    Parameters
    ----------
    mu : float
        How much longer than the fastest worker the others may take, as a fraction of its time; at least 0. With 0.5
        they may take one and a half times as long.

    Raises
    ------
    ConfigurationError
        If mu is negative or not finite.

    Examples
    --------
    >>> RelativeDeadline(mu=0.5).deadline(np.array([2.0, 2.5, np.inf]))
    3.0

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=4, compute=cs.Replay([[1.0, 1.5, 1.9, 9.0], [0.5, 3.0, 3.0, 3.0]]), scaling="none"),
    ...     cs.Synchronous(cs.waits.RelativeDeadline(mu=1)),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=2),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()  # 3 messages, then 1
    [0.0, 2.0, 3.0]
    """

    mu: float

    def __post_init__(self) -> None:
        store(self, mu=number("mu", self.mu, low=0.0))

    def deadline(self, times: NDArray[np.float64]) -> float:
        """Multiply the time of the first message."""
        return (1.0 + self.mu) * float(times[0])


@dataclass(frozen=True)
class MedianDeadline(ArrivalDeadline):
    """Wait until the median arrival time plus a multiple of the median absolute deviation.

    Both statistics are over all n workers, where missing messages count as later than all others. So the rule waits for
    at least half of the workers. The deviation is first estimated from above, and can only fall as more messages
    arrive. If the deadline falls behind the present time in this way, the master updates at once.

    Parameters
    ----------
    multiple : float
        Number of median absolute deviations beyond the median, at least 0.

    Raises
    ------
    ConfigurationError
        If the multiple is negative or not finite.

    Notes
    -----
    The median of an even number of values is the lower one of the two in the middle.

    Examples
    --------
    With four of five messages the median is 1.2 s and the deviations are 0.2, 0.1, 0 and 0.3 s; the third smallest of
    them is the median deviation, however late the last message is:

    >>> round(MedianDeadline(multiple=3.0).deadline(np.array([1.0, 1.1, 1.2, 1.5, np.inf])), 9)
    1.8

    In a run, the round ends at that time:

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=5, compute=cs.Replay([[1.0, 1.1, 1.2, 1.5, 9.0]])),
    ...     cs.Synchronous(cs.waits.MedianDeadline(multiple=3.0)),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=1),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()
    [0.0, 1.8]
    """

    multiple: float

    def __post_init__(self) -> None:
        store(self, multiple=number("multiple", self.multiple, low=0.0))

    def deadline(self, times: NDArray[np.float64]) -> float:
        """Compute the median and the deviation, as soon as half of the times are known."""
        middle = (len(times) - 1) // 2
        median = float(times[middle])
        if median == math.inf:
            return math.inf
        return median + self.multiple * float(np.sort(np.abs(times - median))[middle])
