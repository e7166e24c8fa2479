"""The tasks whose fate is open, as columns of a table: what the cohort engine knows of every worker.

Row i < n is the newest task of worker i; the rows beyond are older ones that are still of account: on a link, waiting,
or being computed while a newer model waits. What a row says of the future holds as long as no newer model is sent.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.protocol import BUSY

__all__ = ["MESSAGE", "CANCELLED", "LOST", "LOST_ON_UPLINK", "RESTART", "SEND", "TaskTable", "Versions"]

MESSAGE, CANCELLED, LOST, LOST_ON_UPLINK = range(4)
"""What a task is heading for."""

RESTART, SEND = BUSY.index("restart"), BUSY.index("send")
"""What a busy worker does with a newer model, by number."""

_SPARE_BYTES = 1 << 20  # models that nobody will answer may take so much, and no more than the others

Lane = NDArray[np.int64] | slice
Times = NDArray[np.float64] | float

_INTEGERS = ("worker", "number", "version", "wave", "blocks", "serial")
_TIMES = ("received", "started", "compute", "ended", "arrived", "decided", "uplink")
_CODES = ("fate", "busy")
_FLAGS = ("work_recorded", "message_recorded", "overtaken")


class TaskTable:
    """Columns of equal length; times in ticks, infinite where it will never come to that.

    Parameters
    ----------
    workers : int
        n.
    blocks : int
        Blocks of a task.

    Attributes
    ----------
    workers : int
        n.
    size : int
        Rows in use.
    worker, number, version : ndarray of int
        Who, which of its tasks (from 0), and the version of the model.
    wave : ndarray of int
        The dispatch that it belongs to, counted over the run; -1 where it does not matter any more.
    blocks : ndarray of int
        Blocks that its answer will bring.
    serial : ndarray of int
        Its position in the trace.
    received, started, compute : ndarray of float
        When the model reaches the worker, when the work begins, and how long it takes.
    ended : ndarray of float
        When the worker turns to something else, be the work done or not.
    arrived, settled : ndarray of float
        When its answer arrives; when that, or that there will be none, comes to pass.
    uplink : ndarray of float
        The delay of its answer.
    fate : ndarray of int
        `MESSAGE`, `CANCELLED`, `LOST` (it never ends, or the model never reaches the worker), `LOST_ON_UPLINK`.
    busy : ndarray of int
        What a busy worker does with this model.
    work_recorded, message_recorded : ndarray of bool
        Whether the ledger knows of the work, and of the message.
    overtaken : ndarray of bool
        Whether a newer model reaches the worker first.
    """

    worker: NDArray[np.int64]
    number: NDArray[np.int64]
    version: NDArray[np.int64]
    wave: NDArray[np.int64]
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
        self.wave -= 1
        self.arrived += np.inf
        self.work_recorded[:] = self.message_recorded[:] = True  # a worker that never got a model owes nothing

    def open(self, rows: Lane | None = None) -> NDArray[np.bool_]:
        """Which of these rows, or of all in use, are of account."""
        rows = slice(0, self.size) if rows is None else rows
        return ~(self.work_recorded[rows] & self.message_recorded[rows])

    def begin(
        self, lane: Lane, version: int, wave: int, busy: int, compute: Times, received: Times,
        started: Times, uplink: Times | None,
    ) -> float:  # fmt: skip
        """Write down new tasks of the workers in `lane`, all of which will be answered if nothing comes between.

        Returns
        -------
        float
            When the last answer arrives.
        """
        at: Lane | int = lane
        if isinstance(lane, np.ndarray) and len(lane) == 1:  # numbers are written several times as fast as arrays
            at = lane.item()
            compute, received, started, uplink = map(_number, (compute, received, started, uplink))
        ended = started + compute
        arrived = ended if uplink is None else ended + uplink
        self.number[at] += 1
        self.version[at], self.wave[at], self.busy[at], self.fate[at] = version, wave, busy, MESSAGE
        self.blocks[at] = self._blocks
        self.received[at], self.started[at], self.compute[at] = received, started, compute
        self.ended[at], self.arrived[at], self.decided[at] = ended, arrived, arrived
        self.work_recorded[at] = self.message_recorded[at] = self.overtaken[at] = False
        if uplink is not None:
            self.uplink[at] = uplink
        return float(arrived.max()) if isinstance(arrived, np.ndarray) else arrived

    # ------------------------------------------------------------------ what becomes of tasks

    def set_start(self, rows: NDArray[np.int64], started: Times) -> None:
        """Work begins at another time than when it was written down; infinite if it never will."""
        self.started[rows] = started

    def set_end(self, rows: NDArray[np.int64], at: Times) -> None:
        """The worker turns to something else, be the work done or not."""
        self.ended[rows] = at

    def decide_now(self, rows: NDArray[np.int64]) -> None:
        """What becomes of these comes true before the master turns to anything else."""
        self.wave[rows] = -1

    def cancel(self, rows: NDArray[np.int64], at: Times) -> None:
        """The work is dropped: there will be no answer."""
        self.fate[rows], self.arrived[rows] = CANCELLED, np.inf
        self.ended[rows] = self.decided[rows] = at

    def cancel_overtaken(self, rows: NDArray[np.int64]) -> None:
        """A newer model reaches the worker first: the work never begins."""
        self.overtaken[rows] = True
        self.started[rows] = np.inf
        self.cancel(rows, self.received[rows])

    def cut(self, rows: NDArray[np.int64], at: NDArray[np.float64], blocks: NDArray[np.int64]) -> None:
        """The work is stopped; the answer brings the finished blocks, and is sent at once."""
        arrived = at + self.uplink[rows]
        comes = arrived < np.inf
        self.blocks[rows], self.arrived[rows] = blocks, arrived
        self.fate[rows] = np.where(comes, MESSAGE, LOST_ON_UPLINK)
        self.decided[rows] = np.where(comes, arrived, at)

    def lose(self, rows: NDArray[np.int64], now: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """New tasks bring no answer.

        Returns
        -------
        never_there, endless : ndarray of bool
            For which the model never reaches the worker, and which never end.
        """
        never_there, endless = np.isinf(self.received[rows]), np.isinf(self.ended[rows])
        self.fate[rows] = np.where(endless, LOST, LOST_ON_UPLINK)
        self.decided[rows] = np.where(never_there, now, np.where(endless, self.started[rows], self.ended[rows]))
        self.work_recorded[rows[never_there]] = True
        return never_there, endless

    def rewrite(
        self, row: int, fate: int, started: float, ended: float, arrived: float, decided: float, blocks: int | None
    ) -> None:
        """Write anew all that one task is heading for; the blocks only if it brings any."""
        self.fate[row], self.started[row], self.ended[row] = fate, started, ended
        self.arrived[row], self.decided[row] = arrived, decided
        if blocks is not None:
            self.blocks[row] = blocks

    def note_overtaken(self, rows: NDArray[np.int64]) -> None:
        """Note which of these models reach their workers after newer ones; row i is the newest task of worker i."""
        self.overtaken[rows] |= self.received[rows] > self.received[self.worker[rows]]

    def record_work(self, rows: NDArray[np.int64]) -> None:
        """The ledger knows of the work."""
        self.work_recorded[rows] = True

    def record_message(self, rows: NDArray[np.int64]) -> None:
        """The ledger knows of the message."""
        self.message_recorded[rows] = True

    def deliver(self, rows: NDArray[np.int64]) -> None:
        """The master has taken in these answers, and all of them is in the ledger."""
        self.work_recorded[rows] = self.message_recorded[rows] = True
        self.arrived[rows] = np.inf

    def set_number(self, number: int) -> None:
        """All workers have gone through their tasks up to this number."""
        self.number[: self.workers] = number

    def set_serials(self, rows: NDArray[np.int64], serials: NDArray[np.int64]) -> None:
        """Their places in the trace."""
        self.serial[rows] = serials

    def close(self, first_wave: int, now: float, *, instant: bool) -> NDArray[np.int64]:
        """End of the run: what was sent out in the master's last turn has not begun; returns the rows of account."""
        used = slice(0, self.size)
        new = self.wave[used] >= first_wave
        if not instant:  # models that take no time on the way are received after that turn
            late = (new & (self.received[used] <= now)).nonzero()[0]
            self.received[late] = self.started[late] = np.inf
        else:  # nor is work done that takes no time, and what waits for it does not begin
            rows = (~self.work_recorded[used] & new & (self.started[used] <= now)).nonzero()[0]
            rows = rows[np.lexsort((self.number[rows], self.worker[rows]))]
            self.started[rows[1:][self.worker[rows[1:]] == self.worker[rows[:-1]]]] = np.inf
        return self.open().nonzero()[0]

    # ------------------------------------------------------------------ room

    def retire(self, rows: NDArray[np.int64]) -> None:
        """Copy rows of newest tasks behind the others, to make room for newer ones."""
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
        """Make room, once most of the older rows are closed."""
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
    """The models of the versions that may still be answered, by version; those on which nobody works are dropped.

    Parameters
    ----------
    tasks : TaskTable
        Whose versions are those that may be answered.
    """

    def __init__(self, tasks: TaskTable) -> None:
        self._tasks = tasks
        self._models: dict[int, NDArray[np.float64]] = {}
        self._most = 1

    def only(self, version: int, model: NDArray[np.float64]) -> None:
        """All workers begin with this one."""
        self._models = {version: model}

    def add(self, version: int, model: NDArray[np.float64]) -> None:
        """Keep this one too; those of which nobody will need are dropped now and then."""
        self._models[version] = model
        if len(self._models) > self._most:
            tasks = self._tasks
            needed = set(tasks.version[: tasks.size][tasks.open()].tolist()) | {version}
            self._models = {each: self._models[each] for each in needed}
            self._most = len(needed) + max(1, min(len(needed), _SPARE_BYTES // model.nbytes))

    def of(self, versions: NDArray[np.int64]) -> dict[int, NDArray[np.float64]]:
        """The model of each version that is among these."""
        return {version: self._models[version] for version in set(versions.tolist())}


def _number(times: Any) -> Any:
    """The only one of some times, if they are an array."""
    return times.item() if isinstance(times, np.ndarray) else times
