"""The plainest case, and the most frequent: every worker gets each model at once and drops what it was at.

Then all tasks are of one version and began together, the columns of `OpenTasks` say the same thing n times, and one
round is told by a few numbers and two arrays. It is written out into the columns as soon as anything else happens.
"""

import math

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.ledger import Ledger
from clustersim.engine.open_tasks import ANSWER, LOST, OpenTasks

__all__ = ["Lockstep"]


class Lockstep:
    """A round of tasks that all workers began together.

    Parameters
    ----------
    tasks : OpenTasks
        Its columns ``number``, ``version`` and ``arrived`` are kept up to date, the others are not.
    ledger : Ledger

    Attributes
    ----------
    on : bool
        Whether there is such a round.
    compute : ndarray of float, shape (n,)
        Seconds that each task takes.
    lost : int
        How many of them never end.
    """

    def __init__(self, tasks: OpenTasks, ledger: Ledger) -> None:
        self.on = False
        self.compute: NDArray[np.float64] = np.empty(0)
        self.lost = 0
        self._tasks = tasks
        self._ledger = ledger
        self._since = 0.0
        self._at_work = 0

    def begin(self, number: int, version: int, wave: int, compute: NDArray[np.float64], now: float) -> None:
        """All workers begin their task `number`."""
        tasks, n = self._tasks, self._tasks.workers
        tasks.number[:n].fill(number)
        tasks.version[:n].fill(version)
        np.add(compute, now, out=tasks.arrived[:n])
        self.on, self.compute, self._since, self._at_work, self._wave = True, compute, now, n, wave
        self.lost = int(np.count_nonzero(compute == math.inf)) if compute.max() == math.inf else 0
        self._ledger.lost += self.lost

    def take(self, rows: NDArray[np.int64]) -> None:
        """These have answered."""
        self._at_work -= len(rows)
        self._tasks.arrived[rows] = math.inf

    def stop(self, now: float) -> int:
        """All who are still at work drop it; returns how many messages will not arrive for that."""
        self._ledger.compute_wasted.add(now - self._since, times=self._at_work)
        dropped = self._at_work - self.lost
        self._ledger.cancelled += dropped
        return dropped

    def write_out(self) -> None:
        """Fill in the columns."""
        if not self.on:
            return
        self.on = False
        tasks, lane, compute = self._tasks, slice(0, self._tasks.workers), self.compute
        endless = np.isinf(compute)
        tasks.received[lane] = tasks.started[lane] = self._since
        tasks.compute[lane] = compute
        tasks.ended[lane] = ended = self._since + compute
        tasks.settled[lane] = np.where(endless, self._since, ended)
        tasks.wave[lane] = self._wave
        tasks.busy[lane] = 0
        tasks.fate[lane] = np.where(endless, LOST, ANSWER)
        tasks.worked[lane] = np.isinf(tasks.arrived[lane]) & ~endless
        tasks.told[lane] = tasks.worked[lane] | endless
        tasks.overtaken[lane] = False
