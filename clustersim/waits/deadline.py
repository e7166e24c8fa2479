"""A wait that runs out: what has arrived by then must do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import flag, seconds, store
from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment
from clustersim.protocol import Setting, Updated
from clustersim.ticks import Ticks
from clustersim.waits.base import ALWAYS, Outlook, WaitRule, WaitState

__all__ = ["Deadline"]


@dataclass(frozen=True)
class Deadline(WaitRule):
    """Wait for every worker, but not longer than a time; whoever has not answered by then is a straggler.

    Parameters
    ----------
    seconds : float
        After the dispatch. An answer that arrives at that very instant counts.
    for_all : bool, default False
        Whether every worker must be able to meet it, as schemes for stragglers at random assume; otherwise it is enough
        that every row is on a worker that can.

    Raises
    ------
    ConfigurationError
        If it is not positive, or (at the start of a run) if no worker can ever answer so soon, or some rows would
        always be missing, or with `for_all` some worker would. Workers that never answer at all do not count.

    Notes
    -----
    Source: the random stragglers of Bitar et al. 2020, section II: the deadline ends the round of those who answer.
    Times are added exactly, in whole ticks of the cluster: an answer whose delays add up to the deadline is in time.
    """

    seconds: float
    for_all: bool = False

    def __post_init__(self) -> None:
        store(self, seconds=seconds("deadline", self.seconds, above=0.0), for_all=flag("for_all", self.for_all))

    def begin(self, setting: Setting) -> WaitState:
        """Hold the deadline against the soonest possible answer."""
        ticks = Ticks(setting.tick)
        ticks.check_wait("deadline", self.seconds)
        if setting.soonest is not None:
            late = ticks.of_all(setting.soonest) > ticks.of(self.seconds)
            self._check(late, setting.soonest, setting.assignment)
        return _DeadlineWait(self.seconds, setting.workers)

    def _check(self, late: NDArray[np.bool_], soonest: NDArray[np.float64], placed: Assignment) -> None:
        """Refuse a deadline that some workers, whose soonest answers are `late`, can never meet."""
        advice = 'use a later deadline, a faster cluster, or scaling="none" if times do not grow with the load'
        if late.all():
            when = f"before {soonest.min():.12g} s have passed" if np.isfinite(soonest).any() else "at all"
            raise ConfigurationError(f"deadline = {self.seconds:.12g}: no worker can answer {when}; {advice}")
        slow = np.flatnonzero(late & np.isfinite(soonest))
        if not slow.size:
            return
        missing = np.setdiff1d(placed.rows_of(slow), placed.rows_of(np.flatnonzero(~late)))
        if self.for_all or missing.size:
            raise ConfigurationError(
                f"deadline = {self.seconds:.12g}: worker {slow[0]} can never answer before {soonest[slow[0]]:.12g} s "
                f"have passed, so its rows would be missing in every round; {advice}"
            )


class _DeadlineWait(WaitState):
    """All workers, or the end of patience."""

    def __init__(self, seconds: float, workers: int) -> None:
        self.k = workers
        self.patience = seconds

    def opened(self, updated: Updated) -> None:
        """Nothing to adapt."""

    def outlook(self) -> Outlook:
        """The same for ever."""
        return Outlook(ALWAYS, self.k)
