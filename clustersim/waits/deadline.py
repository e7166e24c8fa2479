"""A deadline: update with the messages that have arrived by then."""

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
    """Wait for every worker, but not longer than a given time; workers that have not answered by then are stragglers.

    Parameters
    ----------
    seconds : float
        Deadline in seconds after the dispatch, above 0. A message that arrives exactly then counts.
    for_all : bool, default False
        Whether every worker must be able to meet the deadline, as schemes for random stragglers assume. Otherwise each
        row must be on at least one worker that can meet it.

    Raises
    ------
    ConfigurationError
        If `seconds` is not positive, or (at the start of a run) no worker can ever meet the deadline, some rows would
        always be missing, or with `for_all` some worker can never meet it. Workers that never answer any task are left
        out of the last two checks.

    Notes
    -----
    Source: the random stragglers of Bitar et al. 2020, section II. Times are added exactly, in whole ticks of the
    cluster: a message whose delays add up to the deadline is in time.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 1.5, 4.0], [1.0, 0.5, 0.5]])),
    ...     cs.Synchronous(cs.waits.Deadline(1.5)),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=2),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()  # at the deadline; then all have answered after 1 s
    [0.0, 1.5, 2.5]
    """

    seconds: float
    for_all: bool = False

    def __post_init__(self) -> None:
        store(self, seconds=seconds("deadline", self.seconds, above=0.0), for_all=flag("for_all", self.for_all))

    def begin(self, setting: Setting) -> WaitState:
        """Check that the workers can meet the deadline, as far as their latencies are known."""
        ticks = Ticks(setting.tick)
        ticks.check_wait("deadline", self.seconds)
        if setting.soonest is not None:
            late = ticks.of_all(setting.soonest) > ticks.of(self.seconds)
            self._check(late, setting.soonest, setting.assignment)
        return _DeadlineWait(self.seconds, setting.workers)

    def _check(self, late: NDArray[np.bool_], soonest: NDArray[np.float64], placed: Assignment) -> None:
        """Refuse a deadline that the workers marked in `late` can never meet, if that leaves out too much."""
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
    """Wait for all workers, or until the deadline."""

    def __init__(self, seconds: float, workers: int) -> None:
        self.k = workers
        self.patience = seconds

    def opened(self, updated: Updated) -> None:
        """Do nothing: the rule does not adapt."""

    def outlook(self) -> Outlook:
        """Promise the same for all rounds."""
        return Outlook(ALWAYS, self.k)
