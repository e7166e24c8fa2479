"""Waiting until the answers determine the full gradient: what exact gradient codes do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import ALWAYS, Outlook, WaitRule, WaitState

__all__ = ["Covered"]


@dataclass(frozen=True)
class Covered(WaitRule):
    """Act as soon as the full gradient can be decoded from the answers.

    With groups of workers that hold the same rows (fractional repetition) that is when every group is heard; with a
    code that promises to survive s stragglers when n - s workers have answered; with any other placement when the
    answers' coefficients span the sum of all rows. Without redundancy it is all workers.

    Notes
    -----
    Source: Tandon et al. 2017; Wang et al. 2019 (ErasureHead), Algorithm 1. History's column ``k`` shows the number of
    answers that always suffice; fewer do if they are the right ones.
    """

    def begin(self, setting: Setting) -> WaitState:
        """Learn who holds which rows; raises `ConfigurationError` if not even all workers determine the gradient."""
        placed = setting.assignment
        if placed.recovery is None and not placed.decodes(np.arange(placed.workers)):
            raise ConfigurationError(
                "Covered(): with this placement (and mini-batch) not even the answers of all workers determine the full"
                " gradient; wait for a number of workers instead, with Fastest(k) or All()"
            )
        return _CoveredWait(setting.assignment)


class _CoveredWait(WaitState):
    """Asks the assignment."""

    def __init__(self, assignment: Assignment) -> None:
        self.k = assignment.recovery or assignment.workers
        self._assignment = assignment

    def opened(self, updated: Updated) -> None:
        """Nothing to adapt."""

    def needs(self, workers: NDArray[np.int64]) -> int:
        """The answers still missing, by the assignment."""
        return self._assignment.missing(workers)

    def outlook(self) -> Outlook:
        """The same for ever."""
        return Outlook(ALWAYS, self._enough)

    def _enough(self, workers: NDArray[np.int64]) -> int:
        """How many of these answers determine the gradient; more than there are if they do not."""
        missing = self._assignment.missing
        if self._assignment.groups is not None:
            return len(workers) + missing(workers)  # told at once, however many there are
        count = missing(workers[:0])
        while count <= len(workers):
            if (more := missing(workers[:count])) <= 0:
                return count + more
            count += more
        return count
