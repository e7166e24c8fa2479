"""The future of single workers, task by task, for the few cases that `Preemption` does not cover.

These cases are rare: a model overtakes another on the way to a worker that finishes its work first; several models are
sent at one instant; a policy changes the rule of busy workers. The unfinished tasks of such workers go through a
`Worker` one by one.

Data flows: rows of `TaskTable` -> `Task` -> `Worker` -> its reports -> the same rows.
"""

import math
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.cohort.task_table import CANCELLED, LOST, LOST_ON_UPLINK, MESSAGE, TaskTable
from clustersim.engine.worker import Task, Worker
from clustersim.protocol import BUSY

__all__ = ["replay"]


class _Timer:
    """A timer of a worker; the replay reads its time instead of being called."""

    def __init__(self) -> None:
        self.at = math.inf

    def set(self, at: float, /) -> None:
        """Set the time; it replaces the earlier one."""
        self.at = at


class _ReplayedWorker:
    """The tasks of one worker: a `Worker` computes their future, and its reports are written into their rows."""

    def __init__(self, tasks: TaskTable, shares: list[float], *, instant: bool) -> None:
        self._tasks = tasks
        self._blocks = len(shares)
        self._instant = instant
        self._rows: dict[int, int] = {}
        self._timer = _Timer()
        self._worker = Worker(self, shares, self._timer)
        self.changed: set[int] = set()  # rows of tasks on which the worker has reported

    def receive(self, row: int, *, there: bool) -> None:
        """Let the worker receive its next model; `there` says that it has received the model already."""
        tasks, worker = self._tasks, self._worker
        number, received = int(tasks.number[row]), float(tasks.received[row])
        task = Task(0, number, 0, None, BUSY[tasks.busy[row]], math.nan, float(tasks.compute[row]))
        self._rows[number] = row
        if not there:
            if not self._instant:
                self.proceed(received)
            if tasks.overtaken[row]:  # perhaps by a model whose task has left the table
                worker.newest = max(worker.newest, number + 1)
            worker.receive(task, received)
        elif worker.task is None:
            worker.begin(task, float(tasks.started[row]))
        else:
            worker.waiting.append(task)

    def proceed(self, until: float) -> None:
        """Let the worker continue up to the time `until`."""
        while (now := self._timer.at) <= until and now < math.inf:
            self._timer.at = math.inf
            self._worker.wake(now)

    # ------------------------------------------------------------------ reports of the worker

    def finished(self, task: Task, _now: float) -> None:
        """The task is finished; its message is sent."""
        self._send(task, self._blocks, task.finished)

    def cut(self, task: Task, blocks: int, _share: float, now: float) -> None:
        """The work was stopped; a message with the finished blocks is sent."""
        self._send(task, blocks, now)

    def _send(self, task: Task, blocks: int, at: float) -> None:
        row = self._rows[task.number]
        arrived = at + float(self._tasks.uplink[row])
        comes = arrived < math.inf
        fate, decided = (MESSAGE, arrived) if comes else (LOST_ON_UPLINK, at)
        self._write(row, fate, task.started, at, arrived, decided, blocks)

    def abandoned(self, task: Task, now: float) -> None:
        """The work was dropped in favour of a newer model."""
        row = self._rows[task.number]
        if task.finished < math.inf:
            self._write(row, CANCELLED, task.started, now, math.inf, now)
        else:
            self._write(row, LOST, task.started, now, math.inf, task.started)

    def cancelled(self, task: Task, now: float) -> None:
        """The work will never begin."""
        self._write(self._rows[task.number], CANCELLED, math.inf, now, math.inf, now)

    def lost(self, task: Task, now: float) -> None:
        """The work will never end."""
        self._write(self._rows[task.number], LOST, now, math.inf, math.inf, now)

    def _write(
        self,
        row: int,
        fate: int,
        started: float,
        ended: float,
        arrived: float,
        decided: float,
        blocks: int | None = None,
    ) -> None:
        self._tasks.rewrite(row, fate, started, ended, arrived, decided, blocks)
        self.changed.add(row)


def replay(
    tasks: TaskTable,
    rows: NDArray[np.int64],
    shares: NDArray[np.float64],
    now: float,
    first_dispatch: int,
    *,
    instant: bool,
) -> NDArray[np.int64]:
    """Compute the future of the unfinished tasks of some workers, and write it into the table.

    Parameters
    ----------
    tasks : TaskTable
    rows : ndarray of int
        All unfinished tasks of these workers, including those just sent.
    shares : ndarray of float, shape (n, s) or (1, s)
        The shares of a task's time after which its blocks end.
    now : float
        The present time in ticks.
    first_dispatch : int
        Tasks of this dispatch and of later ones were sent at the present instant, since the master woke.
    instant : bool
        Whether the downlink has no delay.

    Returns
    -------
    ndarray of int
        Rows of tasks that have changed at once; only if `instant`.
    """
    rows = rows[np.lexsort((tasks.number[rows], tasks.received[rows], tasks.worker[rows]))]
    workers, received = tasks.worker[rows], tasks.received[rows]
    tasks.note_overtaken(rows)
    there = (received <= now) & (rows != workers)
    if not instant:
        there &= tasks.dispatch[rows] < first_dispatch
    at_once: set[int] = set()
    for worker, group in groupby(zip(workers.tolist(), rows.tolist(), there.tolist(), strict=True), itemgetter(0)):
        replayed = _ReplayedWorker(tasks, shares[worker % len(shares)].tolist(), instant=instant)
        for _, row, received_before in group:
            replayed.receive(row, there=received_before)
        if instant:
            at_once |= replayed.changed
        replayed.proceed(math.inf)
    return np.array(sorted(at_once), dtype=np.int64)
