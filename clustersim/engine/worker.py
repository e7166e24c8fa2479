"""The rules of a worker, and its tasks: what a worker computes, sends and drops when models reach it.

Data flows: models in order of arrival -> `Worker` -> calls of a `Reports`, which say what happened to each task. A
worker has no clock; it asks its `Timer` to be woken. In the process engine SimPy wakes it. The cohort engine uses it to
replay the unfinished tasks of a few workers.

A `Task` is the work that one dispatch gives to a worker, from the dispatch to the fate of the message. A worker goes
through the blocks of a task in order. There is no event for a single block: when the worker is stopped, it computes how
many blocks it has finished.
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
    """The work that one dispatch gives to a worker.

    Times are in ticks. An attribute that describes an event is not set before that event.

    Attributes
    ----------
    worker, number, version : int
        The worker, the number of the task (from 0 for each worker), and the version of the model.
    model : ndarray of float, shape (d,), or None
        The model, as long as the task needs it.
    busy : str
        What the worker does with its unfinished work when the model reaches it, see `clustersim.protocol.Busy`.
    compute : float
        How long the task takes.
    dispatched, received, started, finished, arrived : float
        When the master sent the model and the worker received it; when the work began, and when it is finished; when
        the message reached the master.
    ended : float
        When the worker stopped working on the task: at `finished`, or earlier if it dropped the work.
    blocks : int
        Finished blocks in the message.
    delivered : float
        Ticks of work spent on the blocks in the message.
    status : str
        The fate of the message, once it is known.
    staleness : int
        Updates between the model and the first update that used the message, if one did.
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
    """The receiver of a worker's reports on its tasks."""

    def finished(self, task: Task, now: float, /) -> None:
        """The task is finished; its message is sent."""

    def cut(self, task: Task, blocks: int, share: float, now: float, /) -> None:
        """The work was stopped; a message with the finished blocks is sent, which took `share` of the compute time."""

    def abandoned(self, task: Task, now: float, /) -> None:
        """The work was dropped in favour of a newer model."""

    def cancelled(self, task: Task, now: float, /) -> None:
        """The work will never begin."""

    def lost(self, task: Task, now: float, /) -> None:
        """The work will never end."""


class Timer(Protocol):
    """The clock's side of a worker: it wakes the worker."""

    def set(self, at: float, /) -> None:
        """Call `Worker.wake` at the time `at`; additional earlier calls are harmless."""


class Worker:
    """One worker, as a state machine.

    Parameters
    ----------
    reports : Reports
        The receiver of its reports.
    ends : sequence of float
        The shares of a task's time after which its blocks end; the last one is 1.
    timer : Timer
        It calls `wake` at the time that the worker sets.

    Attributes
    ----------
    task : Task or None
        The task that it computes.
    waiting : deque of Task
        The tasks that it will compute next, in order.
    newest : int
        The highest number of a task that it has received.
    """

    __slots__ = ("_ends", "_reports", "_timer", "newest", "task", "waiting")

    def __init__(self, reports: Reports, ends: Sequence[float], timer: Timer) -> None:
        self._reports = reports
        self._ends = ends
        self._timer = timer
        self.task: Task | None = None
        self.waiting: deque[Task] = deque()
        self.newest = -1

    def wake(self, now: float) -> None:
        """Begin the next task if the present one is finished; it may also have been replaced by a longer one."""
        task = self.task
        if task is None:
            return
        if task.finished > now:
            self._timer.set(task.finished)
            return
        self._reports.finished(task, now)
        self.task = None
        if self.waiting:
            self.begin(self.waiting.popleft(), now)

    def receive(self, task: Task, now: float) -> None:
        """Receive a model now; ``task.busy`` says what happens to unfinished work.

        A model that a newer one has overtaken on the downlink is cancelled, unless ``task.busy`` is "queue". Work that
        will never end is dropped when a newer model arrives, whatever ``task.busy`` says: a worker that does not answer
        in one round may answer in the next.
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
        """Drop the present work, or send its finished blocks."""
        sends = send and task.finished < math.inf
        done = bisect_right(self._ends, now, key=lambda end: task.started + round(task.compute * end)) if sends else 0
        if done == 0:
            self._reports.abandoned(task, now)
        elif done == len(self._ends):
            self._reports.finished(task, now)
        else:
            self._reports.cut(task, done, self._ends[done - 1], now)

    def begin(self, task: Task, now: float) -> None:
        """Start to compute a task."""
        while True:
            self.task = task
            task.started = now
            task.finished = finished = now + task.compute
            if finished < math.inf:
                self._timer.set(finished)
                return
            self._reports.lost(task, now)
            if not self.waiting:
                return
            self._reports.abandoned(task, now)
            task = self.waiting.popleft()
