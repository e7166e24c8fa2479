"""One worker's future told model by model: for the few cases in which columns do not tell it.

Models that overtake others on the way to a worker that works through them in order, and policies that change what busy
workers do, are rare; here a worker's unfinished tasks go through the rules of `worker.Worker` one by one.
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.open_tasks import ANSWER, CANCELLED, LOST, LOST_ON_UPLINK, OpenTasks

__all__ = ["BUSY", "replay"]

BUSY = ("restart", "send", "finish", "queue")
_RESTART, _SEND, _FINISH, _QUEUE = range(4)


class _Job:
    """A row as an object."""

    __slots__ = (
        "arrived",
        "blocks",
        "busy",
        "compute",
        "ended",
        "fate",
        "number",
        "overtaken",
        "received",
        "row",
        "settled",
        "started",
        "uplink",
    )

    def __init__(self, tasks: OpenTasks, row: int) -> None:
        self.row = row
        self.number, self.busy = int(tasks.number[row]), int(tasks.busy[row])
        self.received, self.started = float(tasks.received[row]), float(tasks.started[row])
        self.compute, self.uplink = float(tasks.compute[row]), float(tasks.uplink[row])
        self.overtaken = bool(tasks.overtaken[row])
        self.ended = self.arrived = self.settled = math.inf
        self.blocks, self.fate = 0, CANCELLED

    def begin(self, at: float) -> None:
        self.started, self.ended = at, at + self.compute

    def send(self, at: float, blocks: int) -> None:
        self.ended, self.blocks, self.arrived = at, blocks, at + self.uplink
        self.fate = ANSWER if self.arrived < math.inf else LOST_ON_UPLINK
        self.settled = self.arrived if self.fate == ANSWER else at

    def lose(self) -> None:
        self.fate, self.settled, self.ended = LOST, self.started, math.inf

    def drop(self, at: float, *, begun: bool) -> None:
        self.fate, self.settled, self.ended = CANCELLED, at, at
        if not begun:
            self.started = math.inf


class _Worker:
    """The rules, as in `worker.Worker`."""

    def __init__(self, shares: list[float], *, instant: bool) -> None:
        self._shares = shares
        self._instant = instant
        self.current: _Job | None = None
        self.waiting: deque[_Job] = deque()

    def receive(self, job: _Job) -> None:
        at = job.received
        if not self._instant:
            self.proceed(at)
        current = self.current
        if job.overtaken and job.busy != _QUEUE:
            job.drop(at, begun=False)
        elif current is None:
            self._begin(job, at)
        elif job.busy in (_RESTART, _SEND) or current.ended == math.inf:
            self._give_up(current, at, send=job.busy == _SEND)
            while self.waiting:
                self.waiting.popleft().drop(at, begun=False)
            self._begin(job, at)
        else:
            if job.busy == _FINISH and self.waiting:
                self.waiting.pop().drop(at, begun=False)
            self.waiting.append(job)

    def proceed(self, until: float) -> None:
        """Finish what is finished by then, and go on."""
        while (current := self.current) is not None and current.ended <= until and current.ended < math.inf:
            current.send(current.ended, len(self._shares))
            self.current = None
            if self.waiting:
                self._begin(self.waiting.popleft(), current.ended)

    def _begin(self, job: _Job, at: float) -> None:
        job.begin(at)
        self.current = job
        if job.ended == math.inf:
            job.lose()
            if self.waiting:
                job.ended = at
                self._begin(self.waiting.popleft(), at)

    def _give_up(self, job: _Job, at: float, *, send: bool) -> None:
        if job.fate == LOST:
            job.ended = at
            return
        done = sum(job.started + job.compute * share <= at for share in self._shares) if send else 0
        if done:
            job.send(job.ended if done == len(self._shares) else at, done)
        else:
            job.drop(at, begun=True)


def replay(
    tasks: OpenTasks, rows: NDArray[np.int64], shares: list[float], now: float, first_wave: int, *, instant: bool
) -> NDArray[np.int64]:
    """Work out what the unfinished tasks of one worker are heading for.

    Parameters
    ----------
    tasks : OpenTasks
    rows : ndarray of int
        Those of the worker that are not over, the one just sent included.
    shares : list of float
        The shares of a task's time after which blocks end.
    now : float
    first_wave : int
        Tasks of this wave or a later one were sent at this very instant, since the master woke.
    instant : bool
        Whether models reach the workers at once.

    Returns
    -------
    ndarray of int
        Rows that came to an end at once.
    """
    jobs = sorted((_Job(tasks, row) for row in rows.tolist()), key=lambda job: (job.received, job.number))
    newest = max(jobs, key=lambda job: job.number)
    worker = _Worker(shares, instant=instant)
    for job in jobs:
        there = job.received <= now and not (tasks.wave[job.row] >= first_wave and not instant)
        if job is newest or not there:
            job.overtaken |= job.received > newest.received
            worker.receive(job)
        elif worker.current is None:
            worker.current = job
            job.begin(job.started)
            if job.ended == math.inf:
                job.lose()
        else:
            worker.waiting.append(job)
    worker_now = [job.row for job in jobs if job.fate == LOST or (job.ended == now and job is not worker.current)]
    worker.proceed(math.inf)
    for job in jobs:
        for name in ("started", "ended", "arrived", "settled", "blocks", "fate", "overtaken"):
            getattr(tasks, name)[job.row] = getattr(job, name)
    stopped = np.array(worker_now if instant else [], dtype=np.int64)
    tasks.wave[stopped[tasks.fate[stopped] != LOST]] = -1
    return stopped
