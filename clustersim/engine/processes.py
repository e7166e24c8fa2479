"""The workers and the links as SimPy processes and events: the fleet that every other one is held against.

Data flows: `Dispatch` -> downlink -> `Worker.receive` -> compute -> uplink -> inbox -> `Batch` -> the master.
"""

import math
from functools import partial

import numpy as np
import simpy
from numpy.typing import NDArray
from simpy.events import EventPriority

from clustersim.engine.alarm import ARRIVAL, DELIVERY, MASTER, Alarm, Ring
from clustersim.engine.draws import Delays
from clustersim.engine.fleet import Batch
from clustersim.engine.ledger import Ledger
from clustersim.engine.trace import STATUSES, Records
from clustersim.engine.worker import Task, Worker
from clustersim.placements import Assignment

__all__ = ["ProcessFleet"]


class ProcessFleet:
    """n worker processes and their links.

    Parameters
    ----------
    env : simpy.Environment
    assignment : Assignment
        Who computes what: vectors in an answer, and the blocks of a task.
    delays : Delays
        The delays of every task of every worker.
    ledger : Ledger
        Where the fate of messages is booked.
    trace : bool
        Keep every `Task`, for the table of messages.

    Attributes
    ----------
    alarm : Alarm
        What the master sleeps on: it rings when what the master wants has arrived, or nothing more will.
    expecting : int
        Messages that are under way and will arrive.
    """

    def __init__(
        self, env: simpy.Environment, assignment: Assignment, delays: Delays, ledger: Ledger, *, trace: bool
    ) -> None:
        workers = assignment.workers
        self.alarm = Alarm(env, MASTER)
        self.traced = trace
        self.expecting = 0
        self._tasks: list[Task] = []
        self._env = env
        self._delays = delays
        self._ledger = ledger
        self._trace = trace
        self._blocks = assignment.blocks
        self._vectors = assignment.vectors.tolist()
        self._named: list[Task] = []
        self._inbox: list[Task] = []
        self._wanted = 1
        self._next_task = [0] * workers
        self._owed = [0] * workers
        self._on_the_uplink: dict[Task, float] = {}
        self._workers = [Worker(env, self, ends) for ends in assignment.block_ends]
        for worker in self._workers:
            env.process(worker.life())

    # ------------------------------------------------------------------ what the master does

    def dispatch(self, workers: NDArray[np.int64] | None, version: int, model: NDArray[np.float64], busy: str) -> None:
        """Send `model` to the workers, now; None is all of them."""
        now = self._env.now
        numbers = range(len(self._workers)) if workers is None else workers.tolist()
        next_task, owed = self._next_task, self._owed
        compute, downlink = self._delays.compute, self._delays.downlink
        count, row_number, row = 0, -1, []
        for i in numbers:
            number = next_task[i]
            next_task[i] = number + 1
            if number != row_number:
                row_number, row = number, compute.row(number)
            owed[i] += 1
            task = Task(i, number, version, model, now, row[i])
            if self._trace:
                self._tasks.append(task)
            count += 1
            self.expecting += 1
            if downlink is None:
                self._workers[i].receive(task, busy)
            else:
                self._deliver(task, downlink.row(number)[i], busy)
        self._ledger.dispatched += count

    def want(self, arrivals: int) -> None:
        """Ring the master's alarm after so many arrivals, or when nothing will arrive."""
        self._wanted = arrivals
        self._ring_if_due()

    def due(self) -> bool:
        """Whether what the master wants is there, or nothing more will come."""
        return len(self._inbox) >= self._wanted or self.expecting == 0

    def collect(self) -> Batch | None:
        """Hand over the answers that have arrived; None if there are none."""
        if not self._inbox:
            return None
        tasks = sorted(self._inbox, key=lambda task: (task.arrived, task.worker, task.number))
        self._inbox = []
        if self._trace:
            self._named += tasks
        models = {task.version: task.model for task in tasks if task.model is not None}
        for task in tasks:
            task.model = None  # a trace must not keep every version alive
        return Batch(
            workers=np.array([task.worker for task in tasks]),
            tasks=np.array([task.number for task in tasks]),
            versions=np.array([task.version for task in tasks]),
            blocks=np.array([task.blocks for task in tasks]),
            compute=np.array([task.delivered for task in tasks]),
            models=models,
        )

    def owing(self, workers: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Those of the workers of whom an answer is due, be it one that will never come; None is all of them."""
        owed = np.array(self._owed)
        return np.flatnonzero(owed) if workers is None else workers[owed[workers] > 0]

    def sleep(self, until: float) -> simpy.Event:
        """What the master sleeps on."""
        self.alarm.set(until)
        return self.alarm.event

    def wake(self) -> None:
        """The master is awake; all has been booked as it happened."""
        self.alarm.rung()

    def mark(self, names: NDArray[np.int64], status: str, staleness: NDArray[np.int64] | None = None) -> None:
        """Write the fate of answers, named in order of arrival, into the trace, and how stale they are if used."""
        if self._trace:
            ages = [-1] * len(names) if staleness is None else staleness.tolist()
            for name, age in zip(names.tolist(), ages, strict=True):
                self._named[name].status, self._named[name].staleness = status, age

    def close(self) -> None:
        """End of the run: book the work that was never finished and the answers that are on their way."""
        ledger = self._ledger
        for worker in self._workers:
            if (task := worker.task) is not None:
                task.ended = self._env.now
                spent = ledger.compute_wasted if task.status == "lost" else ledger.compute_pending
                spent.add(task.ended - task.started)
        for delivered in self._on_the_uplink.values():
            ledger.compute_pending.add(delivered)

    def records(self) -> Records:
        """What became of every message, if a trace is kept."""
        tasks = self._tasks

        def whole(name: str) -> NDArray[np.int64]:
            return np.array([getattr(task, name) for task in tasks], dtype=np.int64)

        def real(name: str) -> NDArray[np.float64]:
            return np.array([getattr(task, name) for task in tasks], dtype=np.float64)

        return Records(
            whole("worker"), whole("number"), whole("version"), whole("blocks"), whole("staleness"),
            real("dispatched"), real("received"), real("started"), real("finished"), real("arrived"),
            real("compute"), real("ended"), real("delivered"),
            status=np.array([STATUSES.index(task.status) for task in tasks], dtype=np.int64),
        )  # fmt: skip

    # ------------------------------------------------------------------ what happens on the way

    def finished(self, task: Task) -> None:
        """A worker has its answer: send it."""
        task.ended = task.finished
        task.blocks, task.delivered = self._blocks, task.compute
        self._send(task)

    def cut(self, task: Task, blocks: int, share: float) -> None:
        """A worker was stopped: send the blocks that it has finished."""
        task.ended = task.finished = self._env.now
        task.blocks, task.delivered = blocks, task.compute * share
        self._ledger.partial += 1
        self._ledger.compute_wasted.add(task.dropped)
        self._send(task)

    def _send(self, task: Task) -> None:
        """Put an answer on the uplink."""
        self._ledger.sent += 1
        self._ledger.sent_vectors += self._vectors[task.worker]
        if self._delays.uplink is None:
            self._arrive(task)
            return
        delay = self._delays.uplink.row(task.number)[task.worker]
        if delay == math.inf:
            self.lost(task)
            self._ledger.compute_wasted.add(task.delivered)
            return
        self._on_the_uplink[task] = task.delivered
        self._call(task.finished + delay, ARRIVAL, partial(self._arrive, task))

    def abandoned(self, task: Task) -> None:
        """A worker drops the work that it was at."""
        task.ended = self._env.now
        self._ledger.compute_wasted.add(task.ended - task.started)
        if task.status == "lost":
            self._owed[task.worker] -= 1
        else:
            self.cancelled(task)

    def cancelled(self, task: Task) -> None:
        """A task will never be worked on."""
        self._ledger.cancelled += 1
        self._owed[task.worker] -= 1
        task.finished = math.nan
        self._gone(task, "cancelled")

    def lost(self, task: Task) -> None:
        """A task will never end."""
        self._ledger.lost += 1
        self._gone(task, "lost")

    def _deliver(self, task: Task, delay: float, busy: str) -> None:
        """Put a model on the downlink."""
        if delay == math.inf:
            self.lost(task)
        else:
            receive = partial(self._workers[task.worker].receive, task, busy)
            self._call(self._env.now + delay, DELIVERY, receive)

    def _arrive(self, task: Task) -> None:
        """An answer reaches the master."""
        task.arrived = self._env.now
        self._on_the_uplink.pop(task, None)
        self._owed[task.worker] -= 1
        self.expecting -= 1
        self._inbox.append(task)
        self._ring_if_due()

    def _gone(self, task: Task, status: str) -> None:
        """A message will not arrive."""
        task.status, task.model = status, None
        self.expecting -= 1
        if self.expecting == 0:
            self.alarm.set(self._env.now)

    def _ring_if_due(self) -> None:
        if self.due():
            self.alarm.set(self._env.now)

    def _call(self, at: float, priority: EventPriority, action: "partial[None]") -> None:
        """Do `action` at a later instant."""
        event = Ring(self._env, at, priority)
        event.callbacks.append(lambda _: action())
