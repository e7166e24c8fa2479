"""`CohortFleet`: the workers and the links as arrays. It computes the future of all tasks of a dispatch at once.

Workers do not depend on one another, and all delays can be drawn in advance. When the master sends a model, its
consequences are therefore known until the next dispatch: when each worker receives the model, when the work begins and
ends, and when the message arrives. The clock jumps from one instant at which the master wants to act to the next.

Data flows: `Dispatch` -> draws -> `TaskTable`, where `Preemption` corrects the future of older tasks -> `ArrivalQueue`
-> `Batch` -> the master. `ProcessFleet` does the same event by event; both agree to the last bit.
"""

import math

import numpy as np
import simpy
from numpy.typing import NDArray

from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.accounting.messages import Records
from clustersim.engine.alarm import MASTER, Ring
from clustersim.engine.cohort.arrival_order import ArrivalOrder
from clustersim.engine.cohort.arrival_queue import ArrivalQueue
from clustersim.engine.cohort.late_rounds import LateRounds, PreviousRound
from clustersim.engine.cohort.message_log import MessageLog
from clustersim.engine.cohort.one_by_one import replay
from clustersim.engine.cohort.preemption import Preemption
from clustersim.engine.cohort.rounds import Rounds, Start
from clustersim.engine.cohort.task_accounting import TaskAccounting
from clustersim.engine.cohort.task_table import TaskTable, Versions
from clustersim.engine.delays import Delays
from clustersim.engine.fleet import Batch
from clustersim.placements import Assignment
from clustersim.protocol import BUSY, Plan, Round

__all__ = ["CohortFleet"]

Times = NDArray[np.float64]
Numbers = NDArray[np.int64]
Selection = Numbers | slice

_NOBODY = np.empty(0, dtype=np.int64)


class CohortFleet:
    """n workers and their links.

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
        Whether to record every message, for the message table.

    Attributes
    ----------
    recording : bool
        Whether every message is recorded.
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
        n = assignment.workers
        self.recording = recording
        self._ready_at = math.inf  # when the master's want is met, or never will be
        self._ready = False
        self._env = env
        self._compute, self._links = delays.compute, (delays.downlink, delays.uplink)
        self._shares = assignment.block_shares
        self._all, self._numbers = slice(0, n), np.arange(n)
        self._tasks = TaskTable(n, assignment.blocks)
        self._queue = ArrivalQueue(self._tasks)
        self._log = MessageLog() if recording else None
        self._accounting = TaskAccounting(self._tasks, ledger, assignment, self._log)
        self._ledger, self._assignment, self._ticks = ledger, assignment, delays.ticks
        self._arrival_order = ArrivalOrder(delays.compute, delays.keys, n)
        self._common: int | None = 0  # the number of the next task, while it is the same for all workers
        self._common_begin = (math.nan, "")  # when all workers began their newest tasks together, and the rule `busy`
        self._instant = delays.downlink is None
        self._preemption = Preemption(self._tasks, self._shares, instant=self._instant)
        self._immediate = self._instant and delays.uplink is None  # no delays, and no task has waited
        self._versions = Versions(self._tasks)
        self._dispatches = 0  # the number of dispatches so far
        self._first_dispatch = 1  # the number of the first dispatch since the master woke

    @property
    def expecting(self) -> int:
        """The number of messages in flight."""
        return self._accounting.expecting

    @property
    def _older(self) -> slice:
        """The rows of older tasks."""
        return slice(self._tasks.workers, self._tasks.size)

    # ------------------------------------------------------------------ dispatches

    def dispatch(self, workers: Numbers | None, version: int, model: Times, busy: str) -> None:
        """Send `model` now to `workers`, or to all workers if None."""
        tasks, now = self._tasks, self._env.now
        count = tasks.workers if workers is None else len(workers)
        if not count:
            return
        self._dispatches += 1
        self._accounting.sent_out(count)
        compute, received, uplink = self._draw(workers, now)
        selected = self._all if workers is None else workers
        if self._immediate and busy in ("restart", "send"):
            started, unclear = received, _NOBODY
            changed = self._stop(selected, busy)
        else:
            self._immediate = False
            started, changed, unclear = self._preempt(workers, received, busy)
        self._common_begin = (now if self._immediate and workers is None else math.nan, busy)
        self._versions.add(version, model)
        self._begin(selected, version, busy, compute, received, started, uplink)
        if len(unclear):
            self._replay(unclear)
        if workers is None or changed or len(unclear):
            self._queue.forget()
        else:
            self._queue.insert(workers)

    def rounds_ahead(self, plan: Plan, last_time: float, most: int, inbox_compute: Times) -> Rounds | None:
        """Compute at most `most` rounds of a plan, up to `last_time`; None if the workers do not begin together."""
        tasks, now, number = self._tasks, self._env.now, self._common
        older = tasks.workers + tasks.open(self._older).nonzero()[0]
        partial_only = plan.late is not None and bool((tasks.arrived[older] <= now).all())  # of stopped workers
        begun = self._common_begin == (now, "restart" if plan.late is None else "send")
        if number is None or self.recording or not begun or (len(older) and not partial_only):
            return None
        start = Start(
            plan, self._arrival_order, self._assignment, self._ledger, self._ticks, number - 1, now, last_time, most,
            self._resume_after,
        )  # fmt: skip
        if plan.late is None:
            rounds = Rounds(start)
        else:
            older = older[tasks.worker[older].argsort()]
            previous = self._previous_round(plan.late.last, inbox_compute, older)
            rounds = LateRounds(start, plan.late, self._shares, previous)
        if not rounds:
            return None
        self._ready_at = math.inf  # the planned rounds replace what the master wanted
        if len(older):
            self._accounting.take(older, now)
        return rounds

    def _previous_round(self, last: Round, inbox_compute: Times, rows: Numbers) -> PreviousRound:
        """Return the messages of the previous model: those in the inbox, and those of the tasks at `rows`."""
        tasks = self._tasks
        workers = np.concatenate((last.workers, tasks.worker[rows]))
        blocks = np.concatenate((last.blocks, tasks.blocks[rows]))
        ticks = np.concatenate((inbox_compute, self._accounting.delivered(rows)))
        return PreviousRound(Round(np.arange(len(workers)), workers, blocks, last.used), ticks)

    def _resume_after(self, rounds: Rounds, version: int, model: Times) -> None:
        """Set the state after the last round: all workers are at its tasks, and the fastest have answered."""
        tasks, accounting = self._tasks, self._accounting
        if rounds.done > 1:
            self._dispatches += rounds.done - 1
            self._common = rounds.number + 1
            self._versions.only(version, model)
            accounting.restart()
            tasks.set_number(rounds.number - 1)
            compute = self._compute.array(rounds.number)
            self._begin(self._all, version, self._common_begin[1], compute, rounds.since, rounds.since, None)
        accounting.resume((tasks.arrived[: tasks.workers] <= rounds.now).nonzero()[0])
        self._queue.forget()

    def _draw(self, workers: Numbers | None, now: float) -> tuple[Times, float | Times, Times | None]:
        """Draw the compute times, the times when the models are received, and the uplink delays."""
        if workers is None and (number := self._common) is not None:
            self._common = number + 1
            compute = self._compute.array(number)
            downlink, uplink = (None if link is None else link.array(number) for link in self._links)
        else:
            self._common = None
            who = self._numbers if workers is None else workers
            numbers = self._tasks.number[who] + 1
            compute = self._compute.at(numbers, who)
            downlink, uplink = (None if link is None else link.at(numbers, who) for link in self._links)
        return compute, now if downlink is None else now + downlink, uplink

    def _stop(self, selected: Selection, busy: str) -> bool:
        """Stop the present work of workers, where links have no delay; return whether there was any."""
        tasks, now = self._tasks, self._env.now
        rows = (~tasks.work_recorded[selected]).nonzero()[0]
        if not len(rows):
            return False
        if not isinstance(selected, slice):
            rows = selected[rows]
        self._accounting.enter(self._preemption.give_up(rows, np.full(len(rows), now), busy, self._first_dispatch), now)
        self._retire(selected)
        return True

    def _preempt(self, workers: Numbers | None, received: float | Times, busy: str) -> tuple[Times, bool, Numbers]:
        """Correct the future of older tasks, see `Preemption.preempt`."""
        who = self._numbers if workers is None else workers
        at = np.full(len(who), received) if isinstance(received, float) else received
        started, stopped, unclear = self._preemption.preempt(who, at, busy, self._first_dispatch)
        if self._instant and len(stopped):
            self._accounting.enter(stopped, self._env.now)
        moved = self._retire(who)
        return started, moved or len(stopped) > 0, unclear

    def _retire(self, selected: Selection) -> bool:
        """Move newest tasks that are still open to rows of older tasks; return whether there are any."""
        tasks = self._tasks
        if not isinstance(selected, slice) and len(selected) == 1:  # the usual case, faster
            row = selected[0]
            if tasks.work_recorded[row] and tasks.message_recorded[row]:
                return False
        rows = tasks.open(selected).nonzero()[0]
        if not len(rows):
            return False
        tasks.retire(rows if isinstance(selected, slice) else selected[rows])
        return True

    def _begin(
        self, selected: Selection, version: int, busy: str, compute: Times, received: float | Times,
        started: float | Times, uplink: Times | None,
    ) -> None:  # fmt: skip
        """Write the future of new tasks into the table."""
        tasks = self._tasks
        last = tasks.begin(selected, version, self._dispatches, BUSY.index(busy), compute, received, started, uplink)
        if self._log is not None:
            self._log.begin(tasks, self._numbers[selected], self._env.now)
        if last == math.inf:
            self._accounting.lose(
                self._numbers[selected][np.isinf(tasks.arrived[selected])], self._env.now, instant=self._instant
            )

    def _replay(self, workers: Numbers) -> None:
        """Compute the future of the tasks of these workers one by one."""
        tasks, now = self._tasks, self._env.now
        rows = self._preemption.unfinished(workers)
        at_once = replay(tasks, rows, self._shares, now, self._first_dispatch, instant=self._instant)
        self._accounting.enter(at_once, now)

    # ------------------------------------------------------------------ messages

    def want(self, arrivals: int) -> None:
        """Wake the master after this number of further arrivals, or when no message can arrive any more."""
        ready_at = self._queue.nth(arrivals)
        if ready_at == math.inf:  # fewer will arrive
            tasks = self._tasks
            undecided = ~tasks.message_recorded[: tasks.size]
            ready_at = max(self._env.now, float(tasks.decided[: tasks.size][undecided].max(initial=0.0)))
        self._ready, self._ready_at = False, ready_at

    def sleep(self, until: float) -> simpy.Event:
        """Return an event at the time when the master's want is met, at `until` at the latest."""
        return Ring(self._env, min(until, self._ready_at), MASTER)

    def wake(self, now: float) -> bool:
        """Count what has happened by now in the ledger; return whether the master's want is met or never will be."""
        self._first_dispatch = self._dispatches + 1
        if now >= self._ready_at:
            self._ready, self._ready_at = True, math.inf  # each want is met once
        if not self._immediate:
            self._accounting.catch_up(now)
        return self._ready

    def collect(self, now: float) -> Batch | None:
        """Return the messages that have arrived by now; None if there are none."""
        tasks, late = self._tasks, self._dispatches >= self._first_dispatch
        rows = self._queue.take(now)
        if late:  # the run ends: tasks that were dispatched at this instant have not begun
            rows = rows[tasks.dispatch[rows] < self._first_dispatch if self._immediate else tasks.work_recorded[rows]]
        if not len(rows):
            return None
        compute = self._accounting.take(rows, now)
        versions = tasks.version[rows]
        models = self._versions.of(versions)
        return Batch(tasks.worker[rows], tasks.number[rows], versions, tasks.blocks[rows], compute, models).sealed()

    def unanswered(self, workers: Numbers | None) -> Numbers:
        """Return those of the workers (None: all) that have an unanswered task, even if it will never be answered."""
        tasks, who = self._tasks, self._numbers if workers is None else workers
        older = self._older
        is_open = self._accounting.lost_on_link[who] | tasks.open(who)
        if tasks.size > tasks.workers:
            is_open |= np.isin(who, tasks.worker[older][tasks.open(older)])
        return who[is_open]

    # ------------------------------------------------------------------ message table and end of the run

    def mark(self, names: Numbers, status: str, staleness: Numbers | None = None) -> None:
        """Record the fate and, if used, the staleness of messages; names rise in order of arrival."""
        if self._log is not None:
            self._log.mark(names, status, staleness)

    def close(self) -> None:
        """End the run: count the work on tasks whose fate is open."""
        now = self._env.now
        self._accounting.close(self._tasks.close(self._first_dispatch, now, instant=self._instant), now)

    def records(self) -> Records:
        """Return the records of all messages; only for a fleet that is recording."""
        assert self._log is not None  # noqa: S101 - the caller has asked for records
        return self._log.records()
