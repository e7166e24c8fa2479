"""The accounts of the cohort engine: what has happened to tasks by now is entered into the ledger, once."""

import math

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.cohort_trace import CohortTrace
from clustersim.engine.ledger import Ledger
from clustersim.engine.open_tasks import ANSWER, CANCELLED, LOST, LOST_ON_UPLINK, OpenTasks
from clustersim.placements import Assignment

__all__ = ["Books"]


class Books:
    """The ledger's clerk.

    Parameters
    ----------
    tasks : OpenTasks
    ledger : Ledger
    assignment : Assignment
        The vectors in an answer, and the blocks of a task.
    trace : CohortTrace, optional
        Where the fate of every message is written down.

    Attributes
    ----------
    expecting : int
        Messages that are under way and will arrive.
    forever : ndarray of bool, shape (n,)
        Who owes an answer that a link has lost.
    """

    def __init__(self, tasks: OpenTasks, ledger: Ledger, assignment: Assignment, trace: CohortTrace | None) -> None:
        self.expecting = 0
        self.forever = np.zeros(assignment.workers, dtype=np.bool_)
        self._tasks = tasks
        self._ledger = ledger
        self._trace = trace
        self._blocks = assignment.blocks
        self._shares = assignment.block_shares
        self._vectors = None if assignment.combined else assignment.vectors

    def sent_out(self, count: int) -> None:
        """So many models are on their way."""
        self._ledger.dispatched += count
        self.expecting += count

    def sent(self, rows: NDArray[np.int64]) -> None:
        """Workers have put these answers on the uplink."""
        self._ledger.sent += len(rows)
        vectors = self._vectors
        self._ledger.sent_vectors += len(rows) if vectors is None else int(vectors[self._tasks.worker[rows]].sum())

    def enter(self, rows: NDArray[np.int64], now: float) -> None:
        """Enter what has happened by now to the tasks at `rows`."""
        if not len(rows):
            return
        tasks, ledger = self._tasks, self._ledger
        over = rows[~tasks.worked[rows] & (tasks.ended[rows] <= now)]
        if len(over):
            self._enter_work(over)
        told = rows[~tasks.told[rows] & (tasks.settled[rows] <= now) & (tasks.fate[rows] != ANSWER)]
        cancelled = int(np.count_nonzero(tasks.fate[told] == CANCELLED))
        ledger.cancelled += cancelled
        ledger.lost += len(told) - cancelled
        self.expecting -= len(told)
        tasks.told[told] = True
        if self._trace is not None:
            self._trace.write(tasks, rows, self.delivered(rows), now)

    def _enter_work(self, rows: NDArray[np.int64]) -> None:
        """Enter answers that have been sent, and the work behind those that never will be."""
        tasks, wasted = self._tasks, self._ledger.compute_wasted
        tasks.worked[rows] = True
        fates = tasks.fate[rows]
        sent = rows[(fates == ANSWER) | (fates == LOST_ON_UPLINK)]
        self.sent(sent)
        cut = sent[tasks.blocks[sent] < self._blocks]
        self._ledger.partial += len(cut)
        wasted.add_all(tasks.ended[cut] - tasks.started[cut] - self.delivered(cut))
        vain = rows[fates == LOST_ON_UPLINK]
        wasted.add_all(self.delivered(vain))
        self.forever[tasks.worker[vain]] = True
        dropped = rows[((fates == CANCELLED) | (fates == LOST)) & (tasks.started[rows] < math.inf)]
        wasted.add_all(tasks.ended[dropped] - tasks.started[dropped])

    def delivered(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Seconds of work behind answers."""
        tasks = self._tasks
        if self._blocks == 1:
            return tasks.compute[rows]
        workers = tasks.worker[rows] if len(self._shares) > 1 else 0
        delivered: NDArray[np.float64] = tasks.compute[rows] * self._shares[workers, tasks.blocks[rows] - 1]
        return delivered

    def close(self, rows: NDArray[np.int64], now: float) -> None:
        """End of the run: enter the work on the tasks at `rows`, whose fate is open."""
        tasks, ledger = self._tasks, self._ledger
        worked, begun = tasks.worked[rows], tasks.started[rows] <= now
        ledger.compute_pending.add_all(self.delivered(rows[worked]))
        at_it = rows[~worked & begun]
        spent, lost = now - tasks.started[at_it], tasks.fate[at_it] == LOST
        ledger.compute_wasted.add_all(spent[lost])
        ledger.compute_pending.add_all(spent[~lost])
        if self._trace is not None:
            self._trace.write(tasks, rows, self.delivered(rows), now)
