"""A worker as a SimPy process: it sleeps until its task is done, sends the answer, and takes the next model.

A `Task` is one message's life, from the dispatch of a model to what becomes of the answer. A worker goes through the
blocks of a task in order; nobody hears of them one by one, so when it is stopped it works out how many it has finished.
"""

import math
from collections import deque
from collections.abc import Generator, Sequence
from typing import Protocol

import numpy as np
import simpy
from numpy.typing import NDArray

from clustersim.engine.alarm import ARRIVAL, Alarm

__all__ = ["Task", "Worker"]


class Task:
    """What a worker is asked for by one dispatch; times in seconds, NaN where it never came to that.

    Attributes
    ----------
    worker, number, version : int
        Who, which of its tasks (counted from 0), and the version of the model.
    model : ndarray of float, shape (d,), or None
        The model itself, as long as the task needs it.
    compute : float
        How long the work takes.
    blocks : int
        Finished blocks that the answer brings; 0 if there is none.
    delivered : float
        Seconds of work behind the answer.
    dispatched, received, started, finished, arrived : float
        When the model left the master and reached the worker; when the work began and is done; when the answer arrived.
    ended : float
        When the worker turned to something else: at `finished`, or before if it dropped the work.
    status : str
        What became of it.
    staleness : int
        Updates between its model and the first one that used it; -1 if none did.
    """

    __slots__ = (
        "arrived",
        "blocks",
        "compute",
        "delivered",
        "dispatched",
        "ended",
        "finished",
        "model",
        "number",
        "received",
        "staleness",
        "started",
        "status",
        "version",
        "worker",
    )

    def __init__(
        self, worker: int, number: int, version: int, model: NDArray[np.float64], dispatched: float, compute: float
    ) -> None:
        self.worker = worker
        self.number = number
        self.version = version
        self.model: NDArray[np.float64] | None = model
        self.dispatched = dispatched
        self.compute = compute
        self.received = self.started = self.finished = self.ended = self.arrived = math.nan
        self.blocks = 0
        self.delivered = 0.0
        self.staleness = -1
        self.status = "in flight"

    @property
    def dropped(self) -> float:
        """Seconds spent on a block that a newer model cut short; 0 unless there is an answer that lacks blocks."""
        cut = self.blocks and self.delivered < self.compute
        return self.ended - self.started - self.delivered if cut else 0.0


class Reports(Protocol):
    """Whom a worker tells what becomes of its tasks."""

    def finished(self, task: Task) -> None:
        """The answer is there."""

    def cut(self, task: Task, blocks: int, share: float) -> None:
        """The work was cut short; the answer brings the finished blocks, which took that share of its time."""

    def abandoned(self, task: Task) -> None:
        """The work was dropped for a newer model."""

    def cancelled(self, task: Task) -> None:
        """The work will never begin."""

    def lost(self, task: Task) -> None:
        """The work will never end."""


class Worker:
    """One worker; `life` is its process.

    Parameters
    ----------
    env : simpy.Environment
    reports : Reports
        Whom it tells.
    ends : sequence of float
        The shares of a task's time after which its blocks end; the last one is 1.

    Attributes
    ----------
    task : Task or None
        What it is computing.
    """

    __slots__ = ("_alarm", "_ends", "_env", "_newest", "_reports", "_waiting", "task")

    def __init__(self, env: simpy.Environment, reports: Reports, ends: Sequence[float]) -> None:
        self._env = env
        self._reports = reports
        self._ends = ends
        self._alarm = Alarm(env, ARRIVAL)
        self._newest = -1
        self._waiting: deque[Task] = deque()
        self.task: Task | None = None

    def life(self) -> Generator[simpy.Event]:
        """The process: wake when the present task may be done; it may also have been replaced by a longer one."""
        while True:
            yield self._alarm.event
            self._alarm.rung()
            task = self.task
            if task is None:
                continue
            if task.finished > self._env.now:
                self._alarm.set(task.finished)
                continue
            self._reports.finished(task)
            self.task = None
            if self._waiting:
                self._begin(self._waiting.popleft())

    def receive(self, task: Task, busy: str) -> None:
        """Take in a model at this instant; `busy` says what becomes of unfinished work.

        A model that was overtaken on the way by a newer one is put aside, unless the worker works through them all.
        Work that will never end gives way to a newer model whatever `busy` says: a straggler that does not answer in
        one round is not dead.
        """
        task.received = self._env.now
        if not (overtaken := task.number < self._newest):
            self._newest = task.number
        current = self.task
        if overtaken and busy != "queue":
            self._reports.cancelled(task)
        elif current is None:
            self._begin(task)
        elif busy in ("restart", "send") or current.finished == math.inf:
            self._give_up(current, send=busy == "send")
            while self._waiting:
                self._reports.cancelled(self._waiting.popleft())
            self._begin(task)
        else:
            if busy == "finish" and self._waiting:
                self._reports.cancelled(self._waiting.pop())
            self._waiting.append(task)

    def _give_up(self, task: Task, *, send: bool) -> None:
        """Drop the present work, or send what is finished of it."""
        done = 0
        while send and done < len(self._ends) and task.started + task.compute * self._ends[done] <= self._env.now:
            done += 1
        if done == len(self._ends):
            self._reports.finished(task)
        elif done:
            self._reports.cut(task, done, self._ends[done - 1])
        else:
            self._reports.abandoned(task)

    def _begin(self, task: Task) -> None:
        """Start to compute."""
        now = self._env.now
        self.task = task
        task.started = now
        task.finished = finished = now + task.compute
        if finished < math.inf:
            self._alarm.set(finished)
            return
        self._reports.lost(task)
        if self._waiting:
            self._reports.abandoned(task)
            self._begin(self._waiting.popleft())
