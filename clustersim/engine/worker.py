"""The rules of a worker: it computes, sends what it has finished, and takes the next model.

Data flows: models as they come -> `Worker` -> what becomes of them, told to a `Reports`. A worker has no clock: it asks
to be woken. The process engine has SimPy do that; the cohort engine replays what is still to come of a few workers.

A `Task` is one message's life, from the dispatch of a model to what becomes of the answer. A worker goes through the
blocks of a task in order; nobody hears of them one by one, so when it is stopped it works out how many it has finished.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Task", "Worker"]


@dataclass(slots=True, eq=False)
class Task:
    """What a worker is asked for by one dispatch; times in ticks, and not set before it has come to that.

    Attributes
    ----------
    worker, number, version : int
        Who, which of its tasks (counted from 0), and the version of the model.
    model : ndarray of float, shape (d,), or None
        The model itself, as long as the task needs it.
    busy : str
        What becomes of the work that the worker is at when the model reaches it.
    compute : float
        How long the work takes.
    dispatched, received, started, finished, arrived : float
        When the model left the master and reached the worker; when the work began and is done; when the answer arrived.
    ended : float
        When the worker turned to something else: at `finished`, or before if it dropped the work.
    blocks : int
        Finished blocks that the answer brings.
    delivered : float
        Ticks of work behind the answer.
    status : str
        What became of it, once that is known.
    staleness : int
        Updates between its model and the first one that used it, if one did.
    """

    worker: int
    number: int
    version: int
    model: NDArray[np.float64] | None
    busy: str
    dispatched: float
    compute: float
    received: float = field(init=False)
    started: float = field(init=False)
    finished: float = field(init=False)
    arrived: float = field(init=False)
    ended: float = field(init=False)
    blocks: int = field(init=False)
    delivered: float = field(init=False)
    status: str = field(init=False)
    staleness: int = field(init=False)


class Reports(Protocol):
    """Whom a worker tells what becomes of its tasks, and when."""

    def finished(self, task: Task, now: float, /) -> None:
        """The answer is there."""

    def cut(self, task: Task, blocks: int, share: float, now: float, /) -> None:
        """The work was cut short; the answer brings the finished blocks, which took that share of its time."""

    def abandoned(self, task: Task, now: float, /) -> None:
        """The work was dropped for a newer model."""

    def cancelled(self, task: Task, now: float, /) -> None:
        """The work will never begin."""

    def lost(self, task: Task, now: float, /) -> None:
        """The work will never end."""


class Wakes(Protocol):
    """What a worker asks to be woken by."""

    def set(self, at: float, /) -> None:
        """See that it is woken at `at`; it may happen before, too."""


class Worker:
    """One worker, as a state machine.

    Parameters
    ----------
    reports : Reports
        Whom it tells.
    ends : sequence of float
        The shares of a task's time after which its blocks end; the last one is 1.
    alarm : Wakes
        Who calls `wake` when it has asked for it.

    Attributes
    ----------
    task : Task or None
        What it is computing.
    waiting : deque of Task
        What it will compute next, in order.
    newest : int
        The highest number of a task that it has received.
    """

    __slots__ = ("_alarm", "_ends", "_reports", "newest", "task", "waiting")

    def __init__(self, reports: Reports, ends: Sequence[float], alarm: Wakes) -> None:
        self._reports = reports
        self._ends = ends
        self._alarm = alarm
        self.task: Task | None = None
        self.waiting: deque[Task] = deque()
        self.newest = -1

    def wake(self, now: float) -> None:
        """Go on with what is next if the present task is done; it may also have been replaced by a longer one."""
        task = self.task
        if task is None:
            return
        if task.finished > now:
            self._alarm.set(task.finished)
            return
        self._reports.finished(task, now)
        self.task = None
        if self.waiting:
            self.begin(self.waiting.popleft(), now)

    def receive(self, task: Task, now: float) -> None:
        """Take in a model at this instant; ``task.busy`` says what becomes of unfinished work.

        A model that was overtaken on the way by a newer one is put aside, unless the worker works through them all.
        Work that will never end gives way to a newer model whatever `busy` says: a straggler that does not answer in
        one round is not dead.
        """
        task.received = now
        busy = task.busy
        if not (overtaken := task.number < self.newest):
            self.newest = task.number
        current = self.task
        if overtaken and busy != "queue":
            self._reports.cancelled(task, now)
        elif current is None:
            self.begin(task, now)
        elif busy in ("restart", "send") or current.finished == math.inf:
            self._give_up(current, now, send=busy == "send")
            while self.waiting:
                self._reports.cancelled(self.waiting.popleft(), now)
            self.begin(task, now)
        else:
            if busy == "finish" and self.waiting:
                self._reports.cancelled(self.waiting.pop(), now)
            self.waiting.append(task)

    def _give_up(self, task: Task, now: float, *, send: bool) -> None:
        """Drop the present work, or send what is finished of it."""
        sends = send and task.finished < math.inf
        done = bisect_right(self._ends, now, key=lambda end: task.started + round(task.compute * end)) if sends else 0
        if done == 0:
            self._reports.abandoned(task, now)
        elif done == len(self._ends):
            self._reports.finished(task, now)
        else:
            self._reports.cut(task, done, self._ends[done - 1], now)

    def begin(self, task: Task, now: float) -> None:
        """Start to compute."""
        while True:
            self.task = task
            task.started = now
            task.finished = finished = now + task.compute
            if finished < math.inf:
                self._alarm.set(finished)
                return
            self._reports.lost(task, now)
            if not self.waiting:
                return
            self._reports.abandoned(task, now)
            task = self.waiting.popleft()
