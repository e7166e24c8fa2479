"""The clock of a round, for wait rules that depend on when messages arrive.

Events carry simulated seconds since the start of the run. Wait rules use seconds since the dispatch of the round.
`RoundClock` converts between the two in whole ticks, so that a deadline and an arrival at the same instant are equal.
"""

import numpy as np
from numpy.typing import NDArray

from clustersim.ticks import Ticks
from clustersim.waits import asking
from clustersim.waits.base import Look, WaitState

__all__ = ["RoundClock"]


class RoundClock:
    """Record when the messages of the current round arrive, and ask a wait rule with these times.

    Parameters
    ----------
    ticks : Ticks
        Converts seconds to ticks of the cluster.

    Examples
    --------
    >>> from clustersim.waits import GracePeriod
    >>> from clustersim.waits.arrival_times import _ArrivalDeadlineWait
    >>> clock, rule = RoundClock(Ticks(1e-9)), _ArrivalDeadlineWait(GracePeriod(k=1, seconds=0.2), workers=3)
    >>> clock.begin(10.0)
    >>> clock.look(rule, 10.1, np.array([2]))  # a message of worker 2, so 0.2 s are left
    Look(needs=2, until=0.2)
    """

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._begun = 0.0  # in ticks
        self._times: list[float] = []  # of each message, in seconds after the dispatch

    def begin(self, now: float) -> None:
        """Begin a round with a dispatch at the simulated time `now`, in seconds."""
        self._begun, self._times = self._ticks.of(now), []

    def look(self, wait: WaitState, now: float, workers: NDArray[np.int64]) -> Look:
        """Ask a rule what it waits for.

        Parameters
        ----------
        wait : WaitState
            The state of the rule.
        now : float
            The current simulated time in seconds.
        workers : ndarray of int, shape (a,)
            The workers that have answered in this round, in order of arrival. Those that were not yet in the array at
            the previous call have answered now.

        Returns
        -------
        Look
            What the rule waits for, with `until` in seconds from now: zero or less if the deadline has passed.
        """
        ticks = self._ticks
        elapsed = ticks.of(now) - self._begun
        self._times += [ticks.seconds(elapsed)] * (len(workers) - len(self._times))
        needs, until = asking.look(wait, ticks.seconds(elapsed), workers, np.array(self._times))
        return Look(needs, ticks.seconds(ticks.of(until) - elapsed))
