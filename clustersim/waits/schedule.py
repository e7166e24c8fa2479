"""A k that rises at given times: the wait rule of Theorem 1 of the adaptive-k paper."""

import itertools
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import complaint, integer, number, several, store
from clustersim.errors import ConfigurationError
from clustersim.protocol import Setting, Updated
from clustersim.ticks import Ticks
from clustersim.waits.base import ALWAYS, Outlook, WaitRule, WaitState

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule(WaitRule):
    """Raise k by one at each of the given times.

    Parameters
    ----------
    times : sequence of float
        Simulated times in seconds, at least 0, in ascending order. A round that begins at or after ``times[j]``,
        rounded to whole ticks of the cluster, waits for one more message.
    start : int, default 1
        The first k; start + len(times) is at most n.

    Raises
    ------
    ConfigurationError
        If the times are not in order, negative or NaN, `start` is not a whole number, at least 1, or (at the start of
        a run) the last k is greater than the number of workers.

    Notes
    -----
    Source: Kas Hanna et al. 2022, Theorem 1.

    Examples
    --------
    Rounds begin at 0, 1, 2 and 4 s, and wait for 1, 1, 2 and 3 messages:

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 4.0]] * 4)),
    ...     cs.Synchronous(cs.waits.Schedule([1.5, 4.0])),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=4),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()
    [0.0, 1.0, 2.0, 4.0, 8.0]
    """

    times: Sequence[float] | NDArray[np.float64]
    start: int = 1

    def __post_init__(self) -> None:
        given = several("times", self.times, "a sequence of times in seconds")
        times = tuple(number(f"times[{j}]", time, low=0.0) for j, time in enumerate(given))
        if any(later < earlier for earlier, later in itertools.pairwise(times)):
            raise complaint("times", times, "times in ascending order", "sort them")
        store(self, times=times, start=integer("start", self.start, low=1))

    def begin(self, setting: Setting) -> WaitState:
        """Check that the last k is at most the number of workers."""
        last = self.start + len(self.times)
        if last > setting.workers:
            raise ConfigurationError(
                f"times has {len(self.times)} switches from start = {self.start}, up to k = {last}: the cluster has "
                f"{setting.workers} workers; give fewer times or use more workers"
            )
        ticks = Ticks(setting.tick)
        times = ticks.seconds(ticks.of_all(np.array(self.times, dtype=np.float64)))
        return _ScheduleState(times.tolist(), self.start)


class _ScheduleState(WaitState):
    """Compute k from the time at which a round begins."""

    def __init__(self, times: list[float], start: int) -> None:
        self._times, self._start = times, start
        self.k = start

    def opened(self, updated: Updated) -> None:
        """Count the switching times that have passed."""
        self.k = self._start + bisect_right(self._times, updated.time)

    def outlook(self) -> Outlook:
        """Promise the same k until the next switching time."""
        ahead = self._times[self.k - self._start :]
        return Outlook(ALWAYS, self.k, until=ahead[0] if ahead else math.inf)
