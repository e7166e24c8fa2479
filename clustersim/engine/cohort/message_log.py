"""The records of all messages of a cohort run, written when a task is dispatched and when its fate is decided."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.accounting.messages import STATUSES, Records
from clustersim.engine.cohort.task_table import CANCELLED, LOST, LOST_ON_UPLINK, MESSAGE, TaskTable

__all__ = ["MessageLog"]

_KINDS = {name: np.dtype(np.int64) for name in ("worker", "task", "version", "blocks", "staleness", "status")} | {
    name: np.dtype(np.float64)
    for name in ("dispatched", "received", "started", "finished", "arrived", "compute", "ended", "delivered")
}
_STATUS = np.zeros(4, dtype=np.int64)
_STATUS[[CANCELLED, LOST, LOST_ON_UPLINK]] = [STATUSES.index(name) for name in ("cancelled", "lost", "lost")]


class MessageLog:
    """Records as columns that grow with every dispatch; the source of the message table.

    Attributes
    ----------
    size : int
        The number of messages so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._columns = {name: np.empty(0, dtype=kind) for name, kind in _KINDS.items()}
        self._named = np.empty(0, dtype=np.int64)  # positions in order of arrival, with spare room
        self._names = 0

    def begin(self, tasks: TaskTable, rows: NDArray[np.int64], now: float) -> None:
        """Add records of the tasks that are dispatched now."""
        first, self.size = self.size, self.size + len(rows)
        if self.size > len(self._columns["worker"]):
            for name, column in self._columns.items():
                grown = np.full(2 * self.size, np.nan if column.dtype.kind == "f" else 0, dtype=column.dtype)
                grown[:first] = column[:first]
                self._columns[name] = grown
        tasks.set_serials(rows, np.arange(first, self.size))
        places = slice(first, self.size)
        for name, values in (("worker", rows), ("task", tasks.number[rows]), ("version", tasks.version[rows])):
            self._columns[name][places] = values
        self._columns["compute"][places] = tasks.compute[rows]
        self._columns["dispatched"][places] = now
        self._columns["staleness"][places] = -1

    def write(self, tasks: TaskTable, rows: NDArray[np.int64], delivered: NDArray[np.float64], now: float) -> None:
        """Write what has happened to some tasks by now; a later call may overwrite it."""
        columns, places = self._columns, tasks.serial[rows]
        begun = tasks.started[rows] <= now
        worked = tasks.work_recorded[rows]
        sent = worked & ((tasks.fate[rows] == MESSAGE) | (tasks.fate[rows] == LOST_ON_UPLINK))
        received = tasks.received[rows]
        columns["received"][places] = np.where(received <= now, received, np.nan)
        columns["started"][places] = np.where(begun, tasks.started[rows], np.nan)
        columns["ended"][places] = np.where(begun, np.where(worked, tasks.ended[rows], now), np.nan)
        columns["finished"][places] = np.where(sent, tasks.ended[rows], np.nan)
        columns["arrived"][places] = np.where(sent & (tasks.arrived[rows] <= now), tasks.arrived[rows], np.nan)
        columns["blocks"][places] = np.where(sent, tasks.blocks[rows], 0)
        columns["delivered"][places] = np.where(sent, delivered, 0.0)
        columns["status"][places] = np.where(tasks.message_recorded[rows], _STATUS[tasks.fate[rows]], 0)

    def name(self, tasks: TaskTable, rows: NDArray[np.int64]) -> None:
        """Give names to the messages that the master collects, in order of arrival."""
        first, self._names = self._names, self._names + len(rows)
        if self._names > len(self._named):
            self._named = np.resize(self._named, 2 * self._names)
        self._named[first : self._names] = tasks.serial[rows]

    def mark(self, names: NDArray[np.int64], status: str, staleness: NDArray[np.int64] | None) -> None:
        """Record the fate and, if given, the staleness of messages by their names."""
        places = self._named[names]
        self._columns["status"][places] = STATUSES.index(status)
        if staleness is not None:
            self._columns["staleness"][places] = staleness

    def records(self) -> Records:
        """Return all records."""
        columns: dict[str, Any] = {name: column[: self.size] for name, column in self._columns.items()}
        return Records(**columns)
