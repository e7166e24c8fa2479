"""The workers and the links as arrays: what becomes of all tasks of a dispatch is worked out at once.

Workers do not depend on one another, and delays are known beforehand. So when a model is sent out, everything that
follows from it is settled until the next one is: when it is received, when the work begins and ends, when the answer
arrives. The clock need not stop on the way; it goes from one instant at which the master wants to act to the next.

Data flows: `Dispatch` -> draws -> `TaskTable` (what older tasks are heading for is mended by `Preemption`) ->
`ArrivalQueue` -> `Batch` -> the master. `ProcessFleet` does the same event by event; both agree to the last bit.
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
from clustersim.engine.cohort.late_rounds import PreviousRound, LateRounds
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
Lane = Numbers | slice

_NOBODY = np.empty(0, dtype=np.int64)


class CohortFleet:
    """n workers and their links.

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
        Keep a record of every task, for the table of messages.

    Attributes
    ----------
    traced : bool
        Whether the fate of every message is written down.
    expecting : int
        Messages that are under way and will arrive.
    """

    def __init__(
        self,
        env: simpy.Environment,
        assignment: Assignment,
        delays: Delays,
        ledger: Ledger,
        *,
        trace: bool,
    ) -> None:
        n = assignment.workers
        self.traced = trace
        self._ready_at = math.inf  # when what the master wants has arrived, or nothing more will
        self._ready = False
        self._env = env
        self._compute, self._links = delays.compute, (delays.downlink, delays.uplink)
        self._shares = assignment.block_shares
        self._all, self._numbers = slice(0, n), np.arange(n)
        self._tasks = TaskTable(n, assignment.blocks)
        self._queue = ArrivalQueue(self._tasks)
        self._trace = MessageLog() if trace else None
        self._accounting = TaskAccounting(self._tasks, ledger, assignment, self._trace)
        self._ledger, self._assignment, self._ticks = ledger, assignment, delays.ticks
        self._arrival_order = ArrivalOrder(delays.compute, delays.keys, n)
        self._common: int | None = 0  # the number of everybody's next task, while it is the same for all
        self._common_start = (math.nan, "")  # when all workers began their newest tasks at once, and what they dropped
        self._instant = delays.downlink is None
        self._preemption = Preemption(self._tasks, self._shares, instant=self._instant)
        self._immediate = self._instant and delays.uplink is None  # and nothing has waited: all happens when it is decided
        self._versions = Versions(self._tasks)
        self._waves = 0  # dispatches so far
        self._first_wave = 1  # the first one since the master woke

    @property
    def expecting(self) -> int:
        """Messages that are under way and will arrive."""
        return self._accounting.expecting

    @property
    def _older(self) -> slice:
        """The rows of older tasks."""
        return slice(self._tasks.workers, self._tasks.size)

    # ------------------------------------------------------------------ models go out

    def dispatch(self, workers: Numbers | None, version: int, model: Times, busy: str) -> None:
        """Send `model` to `workers`, or to all, now."""
        tasks, now = self._tasks, self._env.now
        count = tasks.workers if workers is None else len(workers)
        if not count:
            return
        self._waves += 1
        self._accounting.sent_out(count)
        compute, received, uplink = self._draw(workers, now)
        lane = self._all if workers is None else workers
        if self._immediate and busy in ("restart", "send"):
            started, unclear = received, _NOBODY
            changed = self._stop(lane, busy)
        else:
            self._immediate = False
            started, changed, unclear = self._preempt(workers, received, busy)
        self._common_start = (now if self._immediate and workers is None else math.nan, busy)
        self._versions.add(version, model)
        self._begin(lane, version, busy, compute, received, started, uplink)
        if len(unclear):
            self._replay(unclear)
        if workers is None or changed or len(unclear):
            self._queue.forget()
        else:
            self._queue.insert(workers)

    def rounds_ahead(self, plan: Plan, last_time: float, most: int, held: Times) -> Rounds | None:
        """Work out at most so many rounds of a plan, by `last_time`; None if workers do not begin together."""
        tasks, now, number = self._tasks, self._env.now, self._common
        older = tasks.workers + tasks.open(self._older).nonzero()[0]
        just_sent = plan.late is not None and bool((tasks.arrived[older] <= now).all())  # by workers that were stopped
        begun = self._common_start == (now, "restart" if plan.late is None else "send")
        if number is None or self.traced or not begun or (len(older) and not just_sent):
            return None
        start = Start(
            plan, self._arrival_order, self._assignment, self._ledger, self._ticks, number - 1, now, last_time, most,
            self._resume_after,
        )  # fmt: skip
        if plan.late is None:
            rounds = Rounds(start)
        else:
            older = older[tasks.worker[older].argsort()]
            previous = self._previous(plan.late.last, held, older)
            rounds = LateRounds(start, plan.late, self._shares, previous)
        if not rounds:
            return None
        self._ready_at = math.inf  # the master sleeps through what it has wanted
        if len(older):
            self._accounting.take(older, now)
        return rounds

    def _previous(self, last: Round, held: Times, rows: Numbers) -> PreviousRound:
        """The answers to the model before the present one: those that the master holds, and those that are here."""
        tasks = self._tasks
        workers = np.concatenate((last.workers, tasks.worker[rows]))
        blocks = np.concatenate((last.blocks, tasks.blocks[rows]))
        ticks = np.concatenate((held, self._accounting.delivered(rows)))
        return PreviousRound(Round(np.arange(len(workers)), workers, blocks, last.used), ticks)

    def _resume_after(self, rounds: Rounds, version: int, model: Times) -> None:
        """All workers are at the tasks of the last round, and the first of them have answered."""
        tasks, accounting = self._tasks, self._accounting
        if rounds.done > 1:
            self._waves += rounds.done - 1
            self._common = rounds.number + 1
            self._versions.only(version, model)
            accounting.restart()
            tasks.set_number(rounds.number - 1)
            compute = self._compute.array(rounds.number)
            self._begin(self._all, version, self._common_start[1], compute, rounds.since, rounds.since, None)
        accounting.resume((tasks.arrived[: tasks.workers] <= rounds.now).nonzero()[0])
        self._queue.forget()

    def _draw(self, workers: Numbers | None, now: float) -> tuple[Times, float | Times, Times | None]:
        """Compute times, when the models are received, and uplink delays."""
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

    def _stop(self, lane: Lane, busy: str) -> bool:
        """Give up what workers are at, where nothing takes its time on the way; returns whether that was anything."""
        tasks, now = self._tasks, self._env.now
        rows = (~tasks.work_recorded[lane]).nonzero()[0]
        if not len(rows):
            return False
        if not isinstance(lane, slice):
            rows = lane[rows]
        self._accounting.enter(self._preemption.give_up(rows, np.full(len(rows), now), busy, self._first_wave), now)
        self._retire(lane)
        return True

    def _preempt(self, workers: Numbers | None, received: float | Times, busy: str) -> tuple[Times, bool, Numbers]:
        """Mend what older tasks are heading for, see `Preemption.preempt`."""
        who = self._numbers if workers is None else workers
        at = np.full(len(who), received) if isinstance(received, float) else received
        started, stopped, unclear = self._preemption.preempt(who, at, busy, self._first_wave)
        if self._instant and len(stopped):
            self._accounting.enter(stopped, self._env.now)
        moved = self._retire(who)
        return started, moved or len(stopped) > 0, unclear

    def _retire(self, lane: Lane) -> bool:
        """Keep newest tasks that are still of account as older ones; returns whether there are any."""
        tasks = self._tasks
        if not isinstance(lane, slice) and len(lane) == 1 and tasks.work_recorded[row := lane[0]] and tasks.message_recorded[row]:
            return False  # the usual case, in a fraction of the time
        rows = tasks.open(lane).nonzero()[0]
        if not len(rows):
            return False
        tasks.retire(rows if isinstance(lane, slice) else lane[rows])
        return True

    def _begin(
        self, lane: Lane, version: int, busy: str, compute: Times, received: float | Times, started: float | Times,
        uplink: Times | None,
    ) -> None:  # fmt: skip
        """Write what new tasks are heading for."""
        tasks = self._tasks
        last = tasks.begin(lane, version, self._waves, BUSY.index(busy), compute, received, started, uplink)
        if self._trace is not None:
            self._trace.begin(tasks, self._numbers[lane], self._env.now)
        if last == math.inf:
            self._accounting.lose(
                self._numbers[lane][np.isinf(tasks.arrived[lane])], self._env.now, instant=self._instant
            )

    def _replay(self, workers: Numbers) -> None:
        """Work out one by one what the tasks of these workers are heading for."""
        tasks, now = self._tasks, self._env.now
        rows = self._preemption.unfinished(workers)
        at_once = replay(tasks, rows, self._shares, now, self._first_wave, instant=self._instant)
        self._accounting.enter(at_once, now)

    # ------------------------------------------------------------------ answers come in

    def want(self, arrivals: int) -> None:
        """Ring the master's alarm after so many arrivals, or when nothing will arrive."""
        ready_at = self._queue.nth(arrivals)
        if ready_at == math.inf:  # fewer will arrive
            tasks = self._tasks
            awaited = ~tasks.message_recorded[: tasks.size]
            ready_at = max(self._env.now, float(tasks.decided[: tasks.size][awaited].max(initial=0.0)))
        self._ready, self._ready_at = False, ready_at

    def sleep(self, until: float) -> simpy.Event:
        """What the master sleeps on."""
        return Ring(self._env, min(until, self._ready_at), MASTER)

    def wake(self, now: float) -> bool:
        """The master is awake: book what has happened by now; returns whether what it wants is there, or never will."""
        self._first_wave = self._waves + 1
        if now >= self._ready_at:
            self._ready, self._ready_at = True, math.inf  # nothing comes twice
        if not self._immediate:
            self._accounting.catch_up(now)
        return self._ready

    def collect(self, now: float) -> Batch | None:
        """Hand over the answers that have arrived by now; None if there are none."""
        tasks, late = self._tasks, self._waves >= self._first_wave
        rows = self._queue.take(now)
        if late:  # the run ends, and what was sent out at this very instant is not done
            rows = rows[tasks.wave[rows] < self._first_wave if self._immediate else tasks.work_recorded[rows]]
        if not len(rows):
            return None
        compute = self._accounting.take(rows, now)
        versions = tasks.version[rows]
        models = self._versions.of(versions)
        return Batch(tasks.worker[rows], tasks.number[rows], versions, tasks.blocks[rows], compute, models).sealed()

    def unanswered(self, workers: Numbers | None) -> Numbers:
        """Those of the workers (None: of all) of whom an answer is due, be it one that will never come."""
        tasks, who = self._tasks, self._numbers if workers is None else workers
        older = self._older
        owes = self._accounting.lost_on_link[who] | tasks.open(who)
        if tasks.size > tasks.workers:
            owes |= np.isin(who, tasks.worker[older][tasks.open(older)])
        return who[owes]

    # ------------------------------------------------------------------ what is left behind

    def mark(self, names: Numbers, status: str, staleness: Numbers | None = None) -> None:
        """Write the fate of answers, named in order of arrival, into the trace, and how stale they are if used."""
        if self._trace is not None:
            self._trace.mark(names, status, staleness)

    def close(self) -> None:
        """End of the run: book the work whose fate is open."""
        now = self._env.now
        self._accounting.close(self._tasks.close(self._first_wave, now, instant=self._instant), now)

    def records(self) -> Records:
        """What became of every message."""
        assert self._trace is not None  # noqa: S101 - the caller has asked for a trace
        return self._trace.records()
