"""The accounting of the cohort engine: it counts what happens to tasks in the ledger, once."""

import math

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.cohort.message_log import MessageLog
from clustersim.engine.cohort.task_table import CANCELLED, LOST, LOST_ON_UPLINK, MESSAGE, TaskTable
from clustersim.placements import Assignment
from clustersim.ticks import total

__all__ = ["TaskAccounting"]

_NO_ROWS = np.empty(0, dtype=np.int64)


class TaskAccounting:
    """The counting of tasks and messages in the ledger, and in the message log if there is one.

    Parameters
    ----------
    tasks : TaskTable
        The open tasks.
    ledger : Ledger
        The running totals.
    assignment : Assignment
        The vectors in a message, and the blocks of a task.
    log : MessageLog, optional
        The records of all messages.

    Attributes
    ----------
    expecting : int
        The number of messages in flight: those that have neither arrived nor been cancelled or lost so far.
    lost_on_link : ndarray of bool, shape (n,)
        Workers with a task whose model or message a link has lost.
    """

    def __init__(self, tasks: TaskTable, ledger: Ledger, assignment: Assignment, log: MessageLog | None) -> None:
        self.expecting = 0
        self._losses = False  # whether any task has been lost or will be
        self.lost_on_link = np.zeros(assignment.workers, dtype=np.bool_)
        self._tasks = tasks
        self._ledger = ledger
        self._log = log
        self._blocks = assignment.blocks
        self._shares = assignment.block_shares
        self._vectors = None if assignment.combined else assignment.vectors

    def sent_out(self, count: int) -> None:
        """Count this number of dispatched models."""
        self._ledger.dispatched += count
        self.expecting += count

    def lose(self, rows: NDArray[np.int64], now: float, *, instant: bool) -> None:
        """Mark new tasks as lost; `instant` says whether the downlink has no delay."""
        self._losses = True
        never_received, endless = self._tasks.lose(rows, now)
        self.lost_on_link[rows[never_received]] = True
        self.enter(rows[never_received | (endless & instant)], now)

    def take(self, rows: NDArray[np.int64], now: float) -> NDArray[np.float64]:
        """Count messages that the master collects; return the ticks of work spent on the blocks in each."""
        tasks, compute = self._tasks, self.delivered(rows)
        self.sent(rows[~tasks.work_recorded[rows]])
        self.expecting -= len(rows)
        tasks.record_work(rows)
        tasks.record_message(rows)
        if self._log is not None:
            self._log.write(tasks, rows, compute, now)
            self._log.name(tasks, rows)
        tasks.deliver(rows)
        return compute

    def restart(self) -> None:
        """Set the count of messages in flight: one from each worker, and no older ones."""
        self.expecting = self._tasks.workers

    def resume(self, rows: NDArray[np.int64]) -> None:
        """Close the tasks at `rows`, whose messages have been collected and counted in planned rounds."""
        self.expecting -= len(rows)
        self._tasks.deliver(rows)

    def sent(self, rows: NDArray[np.int64]) -> None:
        """Count messages that workers have put on the uplink."""
        self._ledger.sent += len(rows)
        vectors = self._vectors
        self._ledger.sent_vectors += len(rows) if vectors is None else int(vectors[self._tasks.worker[rows]].sum())

    def catch_up(self, now: float) -> None:
        """Count everything that has happened by now."""
        tasks, used = self._tasks, slice(0, self._tasks.size)
        over = (~tasks.work_recorded[used] & (tasks.ended[used] <= now)).nonzero()[0]
        if len(over):
            self._enter_work(over, now)
        if self._losses:
            self._enter_losses((~tasks.message_recorded[used] & (tasks.decided[used] <= now)).nonzero()[0], now)

    def enter(self, rows: NDArray[np.int64], now: float) -> None:
        """Count what has happened by now to the tasks at `rows`."""
        tasks = self._tasks
        over = rows[~tasks.work_recorded[rows] & (tasks.ended[rows] <= now)]
        if len(over):
            self._enter_work(over, now)
        if self._losses:
            self._enter_losses(rows[~tasks.message_recorded[rows] & (tasks.decided[rows] <= now)], now)

    def _enter_work(self, rows: NDArray[np.int64], now: float) -> None:
        """Count messages that have been sent, and the work on tasks that were cancelled or never ended."""
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
        if self._log is not None:
            self._log.write(tasks, rows, self.delivered(rows), now)

    def _enter_losses(self, rows: NDArray[np.int64], now: float) -> None:
        """Count messages that are lost by now."""
        tasks, ledger = self._tasks, self._ledger
        fates = tasks.fate[rows]
        undelivered = rows[fates == LOST_ON_UPLINK]
        ledger.compute_wasted += total(self.delivered(undelivered))
        self.lost_on_link[tasks.worker[undelivered]] = True
        lost = rows[(fates == LOST) | (fates == LOST_ON_UPLINK)]
        ledger.lost += len(lost)
        self.expecting -= len(lost)
        tasks.record_message(lost)
        if self._log is not None:
            self._log.write(tasks, lost, self.delivered(lost), now)

    def delivered(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the ticks of work spent on the blocks in the messages of these tasks."""
        tasks = self._tasks
        if self._blocks == 1:
            return tasks.compute[rows]
        workers = tasks.worker[rows] if len(self._shares) > 1 else 0
        delivered: NDArray[np.float64] = np.rint(tasks.compute[rows] * self._shares[workers, tasks.blocks[rows] - 1])
        return delivered

    def close(self, rows: NDArray[np.int64], now: float) -> None:
        """End the run: count the work on the tasks at `rows`, whose fate is open."""
        tasks, ledger = self._tasks, self._ledger
        worked, begun = tasks.work_recorded[rows], tasks.started[rows] <= now
        ledger.compute_pending += total(self.delivered(rows[worked]))
        unfinished = rows[~worked & begun]
        spent, lost = now - tasks.started[unfinished], tasks.fate[unfinished] == LOST
        ledger.compute_wasted += total(spent[lost])
        ledger.compute_pending += total(spent[~lost])
        if self._log is not None:
            self._log.write(tasks, rows, self.delivered(rows), now)
