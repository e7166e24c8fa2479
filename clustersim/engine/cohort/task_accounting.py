"""The accounts of the cohort engine: what has happened to tasks by now is entered into the ledger, once."""

import math

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.cohort.message_log import MessageLog
from clustersim.engine.cohort.task_table import MESSAGE, CANCELLED, LOST, LOST_ON_UPLINK, TaskTable
from clustersim.placements import Assignment
from clustersim.ticks import total

__all__ = ["TaskAccounting"]

_NO_ROWS = np.empty(0, dtype=np.int64)


class TaskAccounting:
    """The ledger's clerk.

    Parameters
    ----------
    tasks : TaskTable
    ledger : Ledger
    assignment : Assignment
        The vectors in an answer, and the blocks of a task.
    trace : MessageLog, optional
        Where the fate of every message is written down.

    Attributes
    ----------
    expecting : int
        Messages that are under way and will arrive.
    lost_on_link : ndarray of bool, shape (n,)
        Who owes an answer that a link has lost.
    """

    def __init__(self, tasks: TaskTable, ledger: Ledger, assignment: Assignment, trace: MessageLog | None) -> None:
        self.expecting = 0
        self._losses = False  # whether any task may be lost
        self.lost_on_link = np.zeros(assignment.workers, dtype=np.bool_)
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

    def lose(self, rows: NDArray[np.int64], now: float, *, instant: bool) -> None:
        """New tasks will bring no answer; `instant` says whether models reach the workers at once."""
        self._losses = True
        never_there, endless = self._tasks.lose(rows, now)
        self.lost_on_link[rows[never_there]] = True
        self.enter(rows[never_there | (endless & instant)], now)

    def take(self, rows: NDArray[np.int64], now: float) -> NDArray[np.float64]:
        """The master takes answers in; returns the ticks of work behind each."""
        tasks, compute = self._tasks, self.delivered(rows)
        self.sent(rows[~tasks.work_recorded[rows]])
        self.expecting -= len(rows)
        tasks.record_work(rows)
        tasks.record_message(rows)
        if self._trace is not None:
            self._trace.write(tasks, rows, compute, now)
            self._trace.name(tasks, rows)
        tasks.deliver(rows)
        return compute

    def restart(self) -> None:
        """All workers begin anew, and nothing older is under way."""
        self.expecting = self._tasks.workers

    def resume(self, rows: NDArray[np.int64]) -> None:
        """All workers are at their newest tasks, and the answers at `rows` have been taken in and booked elsewhere."""
        self.expecting -= len(rows)
        self._tasks.deliver(rows)

    def sent(self, rows: NDArray[np.int64]) -> None:
        """Workers have put these answers on the uplink."""
        self._ledger.sent += len(rows)
        vectors = self._vectors
        self._ledger.sent_vectors += len(rows) if vectors is None else int(vectors[self._tasks.worker[rows]].sum())

    def catch_up(self, now: float) -> None:
        """Enter all that has happened by now."""
        tasks, used = self._tasks, slice(0, self._tasks.size)
        over = (~tasks.work_recorded[used] & (tasks.ended[used] <= now)).nonzero()[0]
        if len(over):
            self._enter_work(over, now)
        if self._losses:
            self._enter_losses((~tasks.message_recorded[used] & (tasks.decided[used] <= now)).nonzero()[0], now)

    def enter(self, rows: NDArray[np.int64], now: float) -> None:
        """Enter what has happened by now to the tasks at `rows`."""
        tasks = self._tasks
        over = rows[~tasks.work_recorded[rows] & (tasks.ended[rows] <= now)]
        if len(over):
            self._enter_work(over, now)
        if self._losses:
            self._enter_losses(rows[~tasks.message_recorded[rows] & (tasks.decided[rows] <= now)], now)

    def _enter_work(self, rows: NDArray[np.int64], now: float) -> None:
        """Enter answers that have been sent, and the work behind those that never will be."""
        tasks, ledger = self._tasks, self._ledger
        tasks.record_work(rows)
        fates = tasks.fate[rows]
        if np.count_nonzero(fates) == 0:
            sent, dropped = rows, _NO_ROWS
        else:
            sent = rows[(fates == MESSAGE) | (fates == LOST_ON_UPLINK)]
            dropped = rows[(fates == CANCELLED) | (fates == LOST)]
        if len(sent):
            self.sent(sent)
            if self._blocks > 1:
                cut = sent[tasks.blocks[sent] < self._blocks]
                ledger.partial += len(cut)
                ledger.compute_wasted += total(tasks.ended[cut] - tasks.started[cut] - self.delivered(cut))
        if len(dropped):
            cancelled = dropped[tasks.fate[dropped] == CANCELLED]
            ledger.cancelled += len(cancelled)
            self.expecting -= len(cancelled)
            tasks.record_message(cancelled)
            begun = dropped[tasks.started[dropped] < math.inf]
            ledger.compute_wasted += total(tasks.ended[begun] - tasks.started[begun])
        if self._trace is not None:
            self._trace.write(tasks, rows, self.delivered(rows), now)

    def _enter_losses(self, rows: NDArray[np.int64], now: float) -> None:
        """Enter messages of which it is known by now that they will not arrive."""
        tasks, ledger = self._tasks, self._ledger
        fates = tasks.fate[rows]
        vain = rows[fates == LOST_ON_UPLINK]
        ledger.compute_wasted += total(self.delivered(vain))
        self.lost_on_link[tasks.worker[vain]] = True
        lost = rows[(fates == LOST) | (fates == LOST_ON_UPLINK)]
        ledger.lost += len(lost)
        self.expecting -= len(lost)
        tasks.record_message(lost)
        if self._trace is not None:
            self._trace.write(tasks, lost, self.delivered(lost), now)

    def delivered(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Ticks of work behind answers."""
        tasks = self._tasks
        if self._blocks == 1:
            return tasks.compute[rows]
        workers = tasks.worker[rows] if len(self._shares) > 1 else 0
        delivered: NDArray[np.float64] = np.rint(tasks.compute[rows] * self._shares[workers, tasks.blocks[rows] - 1])
        return delivered

    def close(self, rows: NDArray[np.int64], now: float) -> None:
        """End of the run: enter the work on the tasks at `rows`, whose fate is open."""
        tasks, ledger = self._tasks, self._ledger
        worked, begun = tasks.work_recorded[rows], tasks.started[rows] <= now
        ledger.compute_pending += total(self.delivered(rows[worked]))
        at_it = rows[~worked & begun]
        spent, lost = now - tasks.started[at_it], tasks.fate[at_it] == LOST
        ledger.compute_wasted += total(spent[lost])
        ledger.compute_pending += total(spent[~lost])
        if self._trace is not None:
            self._trace.write(tasks, rows, self.delivered(rows), now)
