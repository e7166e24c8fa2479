"""Wait until the messages determine the full gradient, as exact gradient codes do."""

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
    """Act as soon as the full gradient can be decoded from the messages.

    When that is depends on the placement:

    - With groups of workers that hold the same rows (fractional repetition): when a message of every group has arrived.
    - With a code that survives any s stragglers: when n - s workers have answered.
    - With any other placement: when the coefficients of the messages span the sum of all rows. Without redundancy that
      takes all workers.

    Raises
    ------
    ConfigurationError
        At the start of a run, if not even the messages of all workers determine the full gradient.

    Notes
    -----
    Source: Tandon et al. 2017; Wang et al. 2019 (ErasureHead), Algorithm 1. The column ``k`` of the history shows the
    recovery threshold, the number of messages that are always enough. Fewer may be enough.

    Examples
    --------
    Workers 0 and 1 hold the same rows, and so do 2 and 3. A message of each pair has arrived after 3 s:

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=4, compute=cs.Replay([[1.0, 2.0, 3.0, 9.0]]), scaling="none"),
    ...     cs.Synchronous(cs.waits.Covered(), placement=cs.placements.FractionalRepetition(2)),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=1),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()
    [0.0, 3.0]
    """

    def begin(self, setting: Setting) -> WaitState:
        """Check that the messages of all workers determine the full gradient."""
        placed = setting.assignment
        if placed.recovery is None and not placed.decodes(np.arange(placed.workers)):
            raise ConfigurationError(
                "Covered(): with this placement (and mini-batch) not even the messages of all workers determine the "
                "full gradient; wait for a number of workers instead, with Fastest(k) or All()"
            )
        return _CoveredWait(setting.assignment)


class _CoveredWait(WaitState):
    """Wait for what the assignment says is missing."""

    def __init__(self, assignment: Assignment) -> None:
        self.k = assignment.recovery or assignment.workers
        self._assignment = assignment

    def opened(self, updated: Updated) -> None:
        """Do nothing: the rule does not adapt."""

    def needs(self, workers: NDArray[np.int64]) -> int:
        """Return how many messages are still missing."""
        return self._assignment.missing(workers)

    def outlook(self) -> Outlook:
        """Promise the same for all rounds."""
        return Outlook(ALWAYS, self._enough)

    def _enough(self, workers: NDArray[np.int64]) -> int:
        """Return how many of these messages determine the gradient; more than there are if all do not."""
        missing = self._assignment.missing
        if self._assignment.groups is not None:
            return len(workers) + missing(workers)  # with groups, one call is enough
        count = missing(workers[:0])
        while count <= len(workers):
            if (more := missing(workers[:count])) <= 0:
                return count + more
            count += more
        return count
