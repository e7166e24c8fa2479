"""The table of tasks whose fate is open: the state of all workers in the cohort engine, as columns.

Row i < n is the newest task of worker i. The rows beyond are older tasks that are still open: on a link, waiting, or
being computed while a newer model waits. The future in a row is valid until the next dispatch to its worker.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.protocol import BUSY

__all__ = ["CANCELLED", "LOST", "LOST_ON_UPLINK", "MESSAGE", "RESTART", "SEND", "TaskTable", "Versions"]

MESSAGE, CANCELLED, LOST, LOST_ON_UPLINK = range(4)
"""How a task will end: its message arrives, it is cancelled, it is lost, or its message is lost on the uplink."""

RESTART, SEND = BUSY.index("restart"), BUSY.index("send")
"""Rules of busy workers by number, as in the column `busy`."""

_SPARE_BYTES = 1 << 20  # the greatest size of models kept without need; also, no more than the needed ones

Selection = NDArray[np.int64] | slice
Times = NDArray[np.float64] | float

_INTEGERS = ("worker", "number", "version", "dispatch", "blocks", "serial")
_TIMES = ("received", "started", "compute", "ended", "arrived", "decided", "uplink")
_CODES = ("fate", "busy")
_FLAGS = ("work_recorded", "message_recorded", "overtaken")


class TaskTable:
    """Columns of equal length; times in ticks, infinite if an event will never happen.

    Parameters
    ----------
    workers : int
        n.
    blocks : int
        The number of blocks of a task.

    Attributes
    ----------
    workers : int
        n.
    size : int
        Rows in use.
    worker, number, version : ndarray of int
        Worker, number of the task (from 0 for each worker), and version of the model.
    dispatch : ndarray of int
        The number of the dispatch over the run, from 1; -1 if it does not matter any more.
    blocks : ndarray of int
        Blocks that the message will contain.
    serial : ndarray of int
        The position in the `MessageLog`.
    received, started, compute : ndarray of float
        When the worker receives the model, when the work begins, and how long it takes.
    ended : ndarray of float
        When the worker stops working on the task, finished or not.
    arrived : ndarray of float
        When the message arrives.
    decided : ndarray of float
        When the message arrives, or when it is decided that none will.
    uplink : ndarray of float
        The delay of the message on the uplink.
    fate : ndarray of int
        `MESSAGE`, `CANCELLED`, `LOST` (it never ends, or the model never reaches the worker), `LOST_ON_UPLINK`.
    busy : ndarray of int
        What a busy worker does with this model, as a position in `clustersim.protocol.BUSY`.
    work_recorded, message_recorded : ndarray of bool
        Whether the ledger contains the work, and the fate of the message.
    overtaken : ndarray of bool
        Whether a newer model reaches the worker first.
    """

    worker: NDArray[np.int64]
    number: NDArray[np.int64]
    version: NDArray[np.int64]
    dispatch: NDArray[np.int64]
    blocks: NDArray[np.int64]
    serial: NDArray[np.int64]
    received: NDArray[np.float64]
    started: NDArray[np.float64]
    compute: NDArray[np.float64]
    ended: NDArray[np.float64]
    arrived: NDArray[np.float64]
    decided: NDArray[np.float64]
    uplink: NDArray[np.float64]
    fate: NDArray[np.int8]
    busy: NDArray[np.int8]
    work_recorded: NDArray[np.bool_]
    message_recorded: NDArray[np.bool_]
    overtaken: NDArray[np.bool_]

    def __init__(self, workers: int, blocks: int) -> None:
        self._blocks = blocks
        self.size = self.workers = workers
        kinds = ((_INTEGERS, np.int64), (_TIMES, np.float64), (_CODES, np.int8), (_FLAGS, np.bool_))
        self._names = tuple(name for names, _ in kinds for name in names)
        for names, kind in kinds:
            for name in names:
                setattr(self, name, np.zeros(workers, dtype=kind))
        self.worker[:] = np.arange(workers)
        self.blocks[:] = blocks
        self.number -= 1
        self.dispatch -= 1
        self.arrived += np.inf
        self.work_recorded[:] = self.message_recorded[:] = True  # a worker without a task has nothing to record

    def open(self, rows: Selection | None = None) -> NDArray[np.bool_]:
        """Return which of these rows, or of all rows in use, are open: not completely recorded in the ledger."""
        rows = slice(0, self.size) if rows is None else rows
        return ~(self.work_recorded[rows] & self.message_recorded[rows])

    def begin(
        self, selected: Selection, version: int, dispatch: int, busy: int, compute: Times, received: Times,
        started: Times, uplink: Times | None,
    ) -> float:  # fmt: skip
        """Write new tasks of the selected workers; their futures assume that no newer model arrives.

        Returns
        -------
        float
            When the last message arrives, in ticks; infinite if one never does.
        """
        at: Selection | int = selected
        if isinstance(selected, np.ndarray) and len(selected) == 1:  # several times as fast as writing arrays
            at = selected.item()
            compute, received, started, uplink = map(_number, (compute, received, started, uplink))
        ended = started + compute
        arrived = ended if uplink is None else ended + uplink
        self.number[at] += 1
        self.version[at], self.dispatch[at], self.busy[at], self.fate[at] = version, dispatch, busy, MESSAGE
        self.blocks[at] = self._blocks
        self.received[at], self.started[at], self.compute[at] = received, started, compute
        self.ended[at], self.arrived[at], self.decided[at] = ended, arrived, arrived
        self.work_recorded[at] = self.message_recorded[at] = self.overtaken[at] = False
        if uplink is not None:
            self.uplink[at] = uplink
        return float(arrived.max()) if isinstance(arrived, np.ndarray) else arrived

    # ------------------------------------------------------------------ changes of the future of tasks

    def set_start(self, rows: NDArray[np.int64], started: Times) -> None:
        """Set another time at which work begins; infinite if it never will."""
        self.started[rows] = started

    def set_end(self, rows: NDArray[np.int64], at: Times) -> None:
        """Set when the worker stops working on the tasks, finished or not."""
        self.ended[rows] = at

    def decide_now(self, rows: NDArray[np.int64]) -> None:
        """Mark the tasks as not belonging to the latest dispatches, so that the end of the run does not undo them."""
        self.dispatch[rows] = -1

    def cancel(self, rows: NDArray[np.int64], at: Times) -> None:
        """Cancel tasks: the work is dropped, and no message is sent."""
        self.fate[rows], self.arrived[rows] = CANCELLED, np.inf
        self.ended[rows] = self.decided[rows] = at

    def cancel_overtaken(self, rows: NDArray[np.int64]) -> None:
        """Cancel tasks whose model is overtaken by a newer one: the work never begins."""
        self.overtaken[rows] = True
        self.started[rows] = np.inf
        self.cancel(rows, self.received[rows])

    def cut(self, rows: NDArray[np.int64], at: NDArray[np.float64], blocks: NDArray[np.int64]) -> None:
        """Stop tasks: a message with the finished blocks is sent at once."""
        arrived = at + self.uplink[rows]
        comes = arrived < np.inf
        self.blocks[rows], self.arrived[rows] = blocks, arrived
        self.fate[rows] = np.where(comes, MESSAGE, LOST_ON_UPLINK)
        self.decided[rows] = np.where(comes, arrived, at)

    def lose(self, rows: NDArray[np.int64], now: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Mark new tasks as lost.

        Returns
        -------
        never_received, endless : ndarray of bool
            Tasks whose model never reaches the worker, and tasks that never end.
        """
        never_received, endless = np.isinf(self.received[rows]), np.isinf(self.ended[rows])
        self.fate[rows] = np.where(endless, LOST, LOST_ON_UPLINK)
        self.decided[rows] = np.where(never_received, now, np.where(endless, self.started[rows], self.ended[rows]))
        self.work_recorded[rows[never_received]] = True
        return never_received, endless

    def rewrite(
        self, row: int, fate: int, started: float, ended: float, arrived: float, decided: float, blocks: int | None
    ) -> None:
        """Overwrite the whole future of one task; `blocks` only if it sends a message."""
        self.fate[row], self.started[row], self.ended[row] = fate, started, ended
        self.arrived[row], self.decided[row] = arrived, decided
        if blocks is not None:
            self.blocks[row] = blocks

    def note_overtaken(self, rows: NDArray[np.int64]) -> None:
        """Mark the tasks whose model reaches the worker after the model of its newest task."""
        self.overtaken[rows] |= self.received[rows] > self.received[self.worker[rows]]

    def record_work(self, rows: NDArray[np.int64]) -> None:
        """Mark the work as recorded in the ledger."""
        self.work_recorded[rows] = True

    def record_message(self, rows: NDArray[np.int64]) -> None:
        """Mark the fate of the message as recorded in the ledger."""
        self.message_recorded[rows] = True

    def deliver(self, rows: NDArray[np.int64]) -> None:
        """Close tasks whose messages the master has collected and the ledger has recorded."""
        self.work_recorded[rows] = self.message_recorded[rows] = True
        self.arrived[rows] = np.inf

    def set_number(self, number: int) -> None:
        """Set the number of the newest task of all workers."""
        self.number[: self.workers] = number

    def set_serials(self, rows: NDArray[np.int64], serials: NDArray[np.int64]) -> None:
        """Set the positions of tasks in the `MessageLog`."""
        self.serial[rows] = serials

    def close(self, first_dispatch: int, now: float, *, instant: bool) -> NDArray[np.int64]:
        """End the run: tasks of the master's last turn have not begun; return the rows that are open."""
        used = slice(0, self.size)
        new = self.dispatch[used] >= first_dispatch
        if not instant:  # models without delay are received after that turn
            late = (new & (self.received[used] <= now)).nonzero()[0]
            self.received[late] = self.started[late] = np.inf
        else:  # work of zero time is not done, and a task that waits for it does not begin
            rows = (~self.work_recorded[used] & new & (self.started[used] <= now)).nonzero()[0]
            rows = rows[np.lexsort((self.number[rows], self.worker[rows]))]
            self.started[rows[1:][self.worker[rows[1:]] == self.worker[rows[:-1]]]] = np.inf
        return self.open().nonzero()[0]

    # ------------------------------------------------------------------ memory

    def retire(self, rows: NDArray[np.int64]) -> None:
        """Copy rows of newest tasks to the end of the table, so that newer tasks can take their place."""
        self._drop_closed()
        end = self.size + len(rows)
        for name in self._names:
            column = getattr(self, name)
            if end > len(column):
                column = np.resize(column, 2 * end)
                setattr(self, name, column)
            column[self.size : end] = column[rows]
        self.size = end

    def _drop_closed(self) -> None:
        """Remove closed rows of older tasks once they are more than half of these rows."""
        n, end = self.workers, self.size
        if end == n:
            return
        kept = n + self.open(slice(n, end)).nonzero()[0]
        if 2 * len(kept) > end - n:
            return
        self.size = n + len(kept)
        for name in self._names:
            column = getattr(self, name)
            column[n : self.size] = column[kept]


class Versions:
    """The models of all versions on which an open task depends; models without an open task are dropped.

    Parameters
    ----------
    tasks : TaskTable
        The table of open tasks.
    """

    def __init__(self, tasks: TaskTable) -> None:
        self._tasks = tasks
        self._models: dict[int, NDArray[np.float64]] = {}
        self._most = 1

    def only(self, version: int, model: NDArray[np.float64]) -> None:
        """Keep this model only; all workers begin with it."""
        self._models = {version: model}

    def add(self, version: int, model: NDArray[np.float64]) -> None:
        """Keep this model as well; models that no open task needs are dropped from time to time."""
        self._models[version] = model
        if len(self._models) > self._most:
            tasks = self._tasks
            needed = set(tasks.version[: tasks.size][tasks.open()].tolist()) | {version}
            self._models = {each: self._models[each] for each in needed}
            self._most = len(needed) + max(1, min(len(needed), _SPARE_BYTES // model.nbytes))

    def of(self, versions: NDArray[np.int64]) -> dict[int, NDArray[np.float64]]:
        """Return the model of each of these versions."""
        return {version: self._models[version] for version in set(versions.tolist())}


def _number(times: Any) -> Any:
    """Return the only entry of an array of times, or a number unchanged."""
    return times.item() if isinstance(times, np.ndarray) else times
