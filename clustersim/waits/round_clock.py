"""The clock of a round, for wait rules that depend on when messages arrive.

Events carry simulated seconds since the run began; rules think in seconds since the dispatch. `RoundClock` converts
between the two in whole ticks, so that a deadline and an arrival at one instant are equal.
"""

import numpy as np
from numpy.typing import NDArray

from clustersim.ticks import Ticks
from clustersim.waits.base import Look, WaitState

__all__ = ["RoundClock"]


class RoundClock:
    """When the messages of the present round have arrived.

    Parameters
    ----------
    ticks : Ticks
        Of the cluster's clock.
    """

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._begun = 0.0  # in ticks
        self._times: list[float] = []

    def begin(self, now: float) -> None:
        """Begin a round with a dispatch at this time."""
        self._begun, self._times = self._ticks.of(now), []

    def look(self, wait: WaitState, now: float, workers: NDArray[np.int64]) -> Look:
        """Ask a rule what it waits for.

        Parameters
        ----------
        wait : WaitState
            The state of the rule.
        now : float
            The present, in simulated seconds.
        workers : ndarray of int
            Who has answered in this round. Those who were not there the last time have answered now.

        Returns
        -------
        Look
            With `until` counted in seconds from now: zero or less if the time is up.
        """
        ticks = self._ticks
        elapsed = ticks.of(now) - self._begun
        self._times += [ticks.seconds(elapsed)] * (len(workers) - len(self._times))
        needs, until = wait.look(ticks.seconds(elapsed), workers, np.array(self._times))
        return Look(needs, ticks.seconds(ticks.of(until) - elapsed))
