"""A wait that runs out: what has arrived by then must do."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import number
from clustersim.errors import ConfigurationError
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import WaitRule, WaitState

__all__ = ["Deadline"]

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Deadline(WaitRule):
    """Wait for every worker, but not longer than a time; whoever has not answered by then is a straggler.

    Parameters
    ----------
    seconds : float
        After the dispatch. An answer that arrives at that very instant counts.
    for_all : bool, default False
        Whether every worker must be able to meet it, as schemes for stragglers at random assume: the rows of a worker
        that is always late would be missing without notice.

    Raises
    ------
    ConfigurationError
        If it is not positive, or (at the start of a run) if no worker, or with `for_all` some worker, can ever answer
        so soon. Workers that hold no rows, or never answer at all, do not count.

    Notes
    -----
    Source: the random stragglers of Bitar et al. 2020, section II: the deadline ends the round of those who answer.
    """

    seconds: float
    for_all: bool = False

    def __post_init__(self) -> None:
        number("deadline", self.seconds, above=0.0)

    def begin(self, setting: Setting) -> WaitState:
        """Hold the deadline against the soonest possible answer."""
        if setting.soonest is not None:
            self._check(np.where(setting.assignment.sizes > 0, setting.soonest, math.inf))
        return _DeadlineWait(self.seconds, setting.workers)

    def _check(self, soonest: NDArray[np.float64]) -> None:
        """Hold the deadline against the soonest answers, but for rounding."""
        advice = 'use a later deadline, a faster cluster, or scaling="none" if times do not grow with the load'
        late = soonest > self.seconds * (1.0 + _ROUNDING)
        if late.all():
            when = f"before {soonest.min():g} s have passed" if np.isfinite(soonest).any() else "at all"
            raise ConfigurationError(f"deadline = {self.seconds:g}: no worker can answer {when}; {advice}")
        if self.for_all and (never := np.flatnonzero(late & np.isfinite(soonest))).size:
            raise ConfigurationError(
                f"deadline = {self.seconds:g}: worker {never[0]} can never answer before {soonest[never[0]]:g} s have "
                f"passed, so its rows would always be missing; {advice}"
            )


class _DeadlineWait(WaitState):
    """All workers, or the end of patience."""

    def __init__(self, seconds: float, workers: int) -> None:
        self.k = workers
        self.patience = seconds

    def opened(self, updated: Updated) -> None:
        """Nothing to adapt."""
