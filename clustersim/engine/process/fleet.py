"""`ProcessFleet`: the workers and the links as SimPy processes and events. It is the reference for other fleets.

Data flows: `Dispatch` -> downlink -> `Worker.receive` -> compute -> uplink -> inbox -> `Batch` -> the master.
"""

import math
from collections.abc import Generator, Sequence
from operator import attrgetter

import numpy as np
import simpy
from numpy.typing import NDArray
from simpy.events import EventCallbacks

from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.accounting.messages import STATUSES, Records
from clustersim.engine.alarm import ARRIVAL, DELIVERY, MASTER, Alarm, Ring
from clustersim.engine.delays import Delays
from clustersim.engine.fleet import Batch
from clustersim.engine.worker import Task, Worker
from clustersim.placements import Assignment
from clustersim.protocol import Plan

__all__ = ["ProcessFleet"]

_by_arrival = attrgetter("arrived", "worker", "number")
_batch_fields = attrgetter("worker", "number", "version", "blocks", "delivered")


class ProcessFleet:
    """n worker processes and their links.

    Parameters
    ----------
    env : simpy.Environment
        The clock, in ticks.
    assignment : Assignment
        Which worker holds which rows, the vectors in a message, and the blocks of a task.
    delays : Delays
        The delays of every task of every worker.
    ledger : Ledger
        The running totals.
    recording : bool
        Whether to keep every `Task`, for the message table.

    Attributes
    ----------
    recording : bool
        Whether every task is kept.
    expecting : int
        The number of messages in flight: those that have neither arrived nor been cancelled or lost so far.
    """

    def __init__(
        self,
        env: simpy.Environment,
        assignment: Assignment,
        delays: Delays,
        ledger: Ledger,
        *,
        recording: bool,
    ) -> None:
        workers = assignment.workers
        self.recording = recording
        self.expecting = 0
        self._alarm = Alarm(env, MASTER)  # the master sleeps on it
        self._env = env
        self._delays = delays
        self._ledger = ledger
        self._blocks = assignment.blocks
        self._vectors = assignment.vectors.tolist()
        self._tasks: list[Task] = []
        self._named: list[Task] = []
        self._inbox: list[Task] = []
        self._wanted = 1
        self._next_task = [0] * workers
        self._open_tasks = [0] * workers
        self._on_the_uplink: set[Task] = set()
        self._on_delivery: EventCallbacks = [self._left_downlink]
        self._on_arrival: EventCallbacks = [self._left_uplink]
        self._workers = [self._make_worker(ends) for ends in assignment.block_ends]

    def _make_worker(self, ends: Sequence[float]) -> Worker:
        """Make a worker and start its process."""
        alarm = Alarm(self._env, ARRIVAL)
        worker = Worker(self, ends, alarm)
        self._env.process(self._process(worker, alarm))
        return worker

    def _process(self, worker: Worker, alarm: Alarm) -> Generator[simpy.Event]:
        """The process of a worker: sleep until its work may be finished, then wake it."""
        env = self._env
        while True:
            yield alarm
            alarm.rung()
            worker.wake(env.now)

    # ------------------------------------------------------------------ calls of the master

    def dispatch(self, workers: NDArray[np.int64] | None, version: int, model: NDArray[np.float64], busy: str) -> None:
        """Send `model` now to `workers`, or to all workers if None."""
        numbers = range(len(self._workers)) if workers is None else workers.tolist()
        now, recording = self._env.now, self.recording
        next_task, open_tasks, addressees = self._next_task, self._open_tasks, self._workers
        compute, downlink, uplink = self._delays.compute, self._delays.downlink, self._delays.uplink
        recorded = None if uplink is None else uplink.recorded
        self.expecting += len(numbers)
        self._ledger.dispatched += len(numbers)
        common = next_task[0] if workers is None else -1  # usually the number of the next task of every worker
        times = [] if workers is not None else compute.row(common)
        delays = [] if workers is not None or downlink is None else downlink.row(common)
        for i in numbers:
            number = next_task[i]
            next_task[i] = number + 1
            open_tasks[i] += 1
            time = times[i] if number == common else compute.one(number, i)
            if uplink is not None and recorded is not None:
                uplink.one(number, i)  # a recording must cover every task, even one that sends no message
            task = Task(i, number, version, model, busy, now, time)
            if recording:
                self._tasks.append(task)
            if downlink is None:
                addressees[i].receive(task, now)
            else:
                self._deliver(task, delays[i] if number == common else downlink.one(number, i), now)

    def rounds_ahead(self, plan: Plan, last_time: float, most: int, inbox_compute: NDArray[np.float64]) -> None:  # noqa: ARG002 - it happens event by event
        """Return None: this fleet computes nothing ahead."""
        return

    def want(self, arrivals: int) -> None:
        """Wake the master after this number of further arrivals, or when no message can arrive any more."""
        self._wanted = arrivals
        if self._is_ready():
            self._alarm.set(self._env.now)

    def _is_ready(self) -> bool:
        """Whether the master's want is met, or no message can arrive any more."""
        return len(self._inbox) >= self._wanted or self.expecting == 0

    def collect(self, now: float) -> Batch | None:  # noqa: ARG002 - what is in the inbox has arrived
        """Return the messages that have arrived by now; None if there are none."""
        if not self._inbox:
            return None
        tasks = sorted(self._inbox, key=_by_arrival)
        self._inbox = []
        models = {task.version: task.model for task in tasks if task.model is not None}
        if self.recording:
            self._named += tasks
            for task in tasks:
                task.model = None  # the records must not keep every version alive
        workers, numbers, versions, blocks, compute = map(np.array, zip(*map(_batch_fields, tasks), strict=True))
        return Batch(workers, numbers, versions, blocks, compute, models).sealed()

    def unanswered(self, workers: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Return those of the workers (None: all) that have an unanswered task, even if it will never be answered."""
        numbers = range(len(self._open_tasks)) if workers is None else workers.tolist()
        return np.array([i for i in numbers if self._open_tasks[i]], dtype=np.int64)

    def sleep(self, until: float) -> simpy.Event:
        """Return the alarm of the master, set to `until` at the latest."""
        self._alarm.set(until)
        return self._alarm

    def wake(self, now: float) -> bool:  # noqa: ARG002 - the ledger is always up to date
        """Return whether the master's want is met or never will be."""
        self._alarm.rung()
        return self._is_ready()

    def mark(self, names: NDArray[np.int64], status: str, staleness: NDArray[np.int64] | None = None) -> None:
        """Record the fate and, if used, the staleness of messages; names rise in order of arrival."""
        if self.recording:
            stalenesses = [-1] * len(names) if staleness is None else staleness.tolist()
            for name, updates in zip(names.tolist(), stalenesses, strict=True):
                self._named[name].status, self._named[name].staleness = status, updates

    def close(self) -> None:
        """End the run: count the work on tasks that are not finished, and on messages that are on the uplink."""
        ledger, now = self._ledger, self._env.now
        for worker in self._workers:
            if (task := worker.task) is not None:
                task.ended = now
                spent = int(now - task.started)
                if task.finished == math.inf:
                    ledger.compute_wasted += spent
                else:
                    ledger.compute_pending += spent
                task.finished = math.nan
        for task in self._on_the_uplink:
            ledger.compute_pending += int(task.delivered)

    def records(self) -> Records:
        """Return the records of all messages; only for a fleet that is recording."""
        tasks = self._tasks

        def whole(name: str, otherwise: int = 0) -> NDArray[np.int64]:
            return np.array([getattr(task, name, otherwise) for task in tasks], dtype=np.int64)

        def real(name: str) -> NDArray[np.float64]:
            return np.array([getattr(task, name, math.nan) for task in tasks], dtype=np.float64)

        statuses = [STATUSES.index(getattr(task, "status", "in flight")) for task in tasks]
        return Records(
            whole("worker"), whole("number"), whole("version"), whole("blocks"), whole("staleness", -1),
            real("dispatched"), real("received"), real("started"), real("finished"), real("arrived"),
            real("compute"), real("ended"), real("delivered"),
            status=np.array(statuses, dtype=np.int64),
        )  # fmt: skip

    # ------------------------------------------------------------------ reports of workers, and links

    def finished(self, task: Task, now: float) -> None:
        """A worker has finished a task: send the message."""
        task.ended = task.finished
        task.blocks, task.delivered = self._blocks, task.compute
        self._send(task, now)

    def cut(self, task: Task, blocks: int, share: float, now: float) -> None:
        """A worker was stopped: send a message with its finished blocks."""
        task.ended = task.finished = now
        task.blocks, task.delivered = blocks, float(round(task.compute * share))
        self._ledger.partial += 1
        self._ledger.compute_wasted += int(now - task.started - task.delivered)
        self._send(task, now)

    def _send(self, task: Task, now: float) -> None:
        """Put a message on the uplink."""
        self._ledger.sent += 1
        self._ledger.sent_vectors += self._vectors[task.worker]
        delay = 0.0 if self._delays.uplink is None else self._delays.uplink.one(task.number, task.worker)
        if delay == 0.0:
            self._arrive(task, now)
            return
        if delay == math.inf:
            self.lost(task, now)
            self._ledger.compute_wasted += int(task.delivered)
            return
        self._on_the_uplink.add(task)
        Ring(self._env, now + delay, ARRIVAL, self._on_arrival, task)

    def abandoned(self, task: Task, now: float) -> None:
        """A worker drops the task that it has begun."""
        task.ended = now
        self._ledger.compute_wasted += int(now - task.started)
        if task.finished == math.inf:
            self._open_tasks[task.worker] -= 1
        else:
            self.cancelled(task, now)

    def cancelled(self, task: Task, now: float) -> None:
        """A task ends without a message: count it as cancelled."""
        self._ledger.cancelled += 1
        self._open_tasks[task.worker] -= 1
        self._will_not_arrive(task, "cancelled", now)

    def lost(self, task: Task, now: float) -> None:
        """A task will never end, or a link has lost its model or message: count it as lost."""
        self._ledger.lost += 1
        self._will_not_arrive(task, "lost", now)

    def _deliver(self, task: Task, delay: float, now: float) -> None:
        """Put a model on the downlink."""
        if delay == math.inf:
            self.lost(task, now)
        else:
            Ring(self._env, now + delay, DELIVERY, self._on_delivery, task)

    def _left_downlink(self, message: Ring) -> None:
        """A model reaches its worker."""
        task: Task = message.about
        self._workers[task.worker].receive(task, self._env.now)

    def _left_uplink(self, message: Ring) -> None:
        """A message leaves the uplink."""
        task: Task = message.about
        self._on_the_uplink.remove(task)
        self._arrive(task, self._env.now)

    def _arrive(self, task: Task, now: float) -> None:
        """A message reaches the master."""
        task.arrived = now
        self._open_tasks[task.worker] -= 1
        self.expecting -= 1
        self._inbox.append(task)
        if self.expecting == 0 or len(self._inbox) >= self._wanted:
            self._alarm.set(now)

    def _will_not_arrive(self, task: Task, status: str, now: float) -> None:
        """Record the fate of a message that will not arrive."""
        task.status, task.model = status, None
        self.expecting -= 1
        if self.expecting == 0:
            self._alarm.set(now)
