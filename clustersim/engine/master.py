"""The master: it passes events to the policy and carries out the policy's commands on the fleet and the model.

The policy decides. The `Master` carries out the decision, or refuses an invalid one. Data flows: fleet -> `Inbox` ->
`Arrivals` -> policy -> `Update` -> one weighted gradient for each version -> optimiser -> `Updated` -> policy ->
`Dispatch` -> fleet.

The master has no clock of its own. `Master.run` is a generator that yields what it sleeps on, so that SimPy can run it
as a process, and a test or a real cluster can step through it. The master counts time in ticks; policies receive
seconds.
"""

import math
from collections.abc import Generator
from typing import Any

import numpy as np

from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.decision_checks import DecisionChecks, is_whole, listed
from clustersim.engine.fleet import Clock, Fleet, RoundsAhead
from clustersim.engine.inbox import Inbox, Positions
from clustersim.engine.model import Model
from clustersim.engine.promise import BrokenPromiseError, PlannedRounds, Promise, waits_for
from clustersim.engine.stopping import StoppingRule
from clustersim.protocol import (
    BUSY,
    Arrivals,
    Decision,
    Dispatch,
    Event,
    Lost,
    Plan,
    Policy,
    PolicyState,
    Round,
    Stop,
    Timeout,
    Update,
    Updated,
    Wants,
)
from clustersim.ticks import LAST, Ticks, total

__all__ = ["Master"]

_NONE = np.empty(0, dtype=np.int64)


class Master:
    """The master of one run.

    Parameters
    ----------
    clock : Clock
        The source of the simulated time, in ticks.
    ticks : Ticks
        Converts ticks to seconds.
    policy : Policy
        The policy, which error messages name.
    state : PolicyState
        The policy's state for this run.
    fleet : Fleet
        The workers and their links.
    model : Model
        The model, with problem, optimiser and assignment.
    ledger : Ledger
        The running totals.
    stopping : StoppingRule
        It says when the run is over.

    Attributes
    ----------
    reason : str
        Why the run ended; empty while it goes on.
    update_times : list of float
        The time of each update in seconds, if the fleet records every message; else empty.
    """

    def __init__(
        self,
        clock: Clock,
        ticks: Ticks,
        policy: Policy,
        state: PolicyState,
        fleet: Fleet,
        model: Model,
        ledger: Ledger,
        stopping: StoppingRule,
    ) -> None:
        self.reason = ""
        self.update_times: list[float] = []
        self._clock = clock
        self._ticks = ticks
        self._checks = DecisionChecks(policy)
        self._recent = self._checks.recent
        self._state = state
        self._fleet = fleet
        self._model = model
        self._ledger = ledger
        self._stopping = stopping
        self._partly = model.assignment.blocks > 1
        self._dispatched = False
        self._inbox = Inbox()
        self._deadline = self._wanted_deadline = math.inf
        self._promise = Promise(model.assignment, ticks)

    def run(self) -> Generator[Any]:
        """Notify the policy of events whenever it wants to be notified, until the run is over.

        Yields
        ------
        object
            What `Fleet.sleep` returns; the driver resumes the master when that event has happened.
        """
        fleet, last_time = self._fleet, self._stopping.last_time
        self.reason = self._stopping.updated(0.0, 0)
        if not self.reason:
            self._notify(Updated(0.0, 0, None))
        while not self.reason:
            plan = self._promise.trusted
            if plan is not None and (rounds := self._rounds_ahead(plan)) is not None:
                yield from self._run_rounds(plan, rounds)
                continue
            yield fleet.sleep(min(last_time, self._deadline))
            now = self._clock.now
            if now > LAST:
                raise self._ticks.passed(now)
            if not self._check_events(now, ready=fleet.wake(now)) and now >= last_time:
                self.reason = f"time {self._ticks.seconds(last_time):g} reached"

    # ------------------------------------------------------------------ planned rounds

    def _rounds_ahead(self, plan: Plan) -> RoundsAhead | None:
        """Return the rounds in which the policy need not be asked."""
        inbox = self._inbox
        if not np.array_equal(inbox.name, _NONE if plan.late is None else plan.late.last.messages):
            return None  # the inbox contains messages that the plan does not cover
        most = self._stopping.updates_left(self._model.version)
        return self._fleet.rounds_ahead(plan, self._stopping.last_time, most, inbox.compute)

    def _run_rounds(self, plan: Plan, rounds: RoundsAhead) -> Generator[Any]:
        """Take the updates of planned rounds without asking the policy; then notify it of the last update."""
        model, ticks, stopping, follow, now = self._model, self._ticks, self._stopping, plan.follow, 0.0
        first, gradient, (look, look_time) = model.version, None, stopping.next_look(model.version)
        for end, present, late in rounds:
            if follow is not None and gradient is not None:
                follow(Updated(ticks.seconds(now), model.version, gradient))
            gradient, now = model.step_ahead(present, late), end
            if model.version >= look or end >= look_time:
                rounds.update_ledger()
                self.reason = stopping.updated(end, model.version)
                if self.reason:
                    break
                look, look_time = stopping.next_look(model.version)
        yield self._fleet.sleep(rounds.now)
        self._fleet.wake(self._clock.now)
        rounds.close(model.version - 1, model.before)
        self._inbox.skip(rounds.arrived)
        if plan.late is not None and (kept := rounds.kept(model.version - 1, model.before)) is not None:
            batch, used = kept
            names = self._inbox.begin_with(batch, used != 0.0)
            plan.late.resume(Round(names, batch.workers, batch.blocks, used))
        self._recent.append(PlannedRounds(model.version - first, ticks.seconds(rounds.now)))
        if not self.reason:
            self._notify(Updated(ticks.seconds(rounds.now), model.version, gradient))

    def close(self) -> None:
        """End the run: discard the messages in the inbox and those that have arrived by now."""
        self._receive(self._clock.now)
        self._release(None)

    # ------------------------------------------------------------------ events

    def _check_events(self, now: float, *, ready: bool) -> bool:
        """Notify the policy of what happened at this instant; return whether anything did.

        Arrivals come before time-outs; a loss is the last resort. The alarm may also have rung without an event.
        `ready` says whether the fleet has what the policy wants, or never will.
        """
        if (ready or now >= self._deadline) and (arrivals := self._receive(now)) is not None:
            self._notify(arrivals)
        elif now >= self._deadline:
            self._notify(Timeout(self._ticks.seconds(now)))
        elif self._fleet.expecting == 0 and self._deadline == math.inf:
            self._notify_lost(now)
        else:
            return False
        return True

    def _receive(self, now: float) -> Arrivals | None:
        """Move the messages that have arrived into the inbox."""
        batch = self._fleet.collect(now)
        if batch is None:
            return None
        workers, tasks, versions, blocks, _, _ = batch
        return Arrivals(self._ticks.seconds(now), self._inbox.add(batch), workers, versions, tasks, blocks)

    def _notify_lost(self, now: float) -> None:
        """Notify the policy that no message can arrive and no deadline is set; it must act now, or the run ends."""
        lost = self._fleet.unanswered(None)
        commands = self._notify(Lost(self._ticks.seconds(now), lost))
        if self._fleet.expecting == 0 and self._deadline == math.inf and not self.reason and not commands:
            workers = self._model.assignment.workers
            time = self._ticks.seconds(now)
            raise self._checks.stalled(
                self._state.k, self._model.version, time, lost, workers, dispatched=self._dispatched
            )

    def _notify(self, event: Event) -> int:
        """Pass an event to the policy and carry out its decision; return the number of commands."""
        try:
            return self._handle(event)
        except BrokenPromiseError as error:
            raise self._checks.invalid(str(error)) from None

    def _handle(self, event: Event) -> int:
        """Do the work of `_notify`; a plan that the policy does not keep raises a `BrokenPromiseError`."""
        now, version = event.time, self._model.version
        self._recent.append(event)
        if self._stopping.stuck(now, version):
            raise self._checks.standstill(self._stopping.standstill, now)
        decision, commands = self._carry_out(self._checks.decision(self._state.react(event)), now)
        opened = isinstance(event, Updated) or version != self._model.version
        if opened and not self.reason:
            self._promise.accept(decision, now)
        if decision.plan is not None and not opened:
            raise BrokenPromiseError("it plans rounds in a decision on an event other than Updated")
        if commands and not opened:
            self._promise.drop()  # the round differs from what a plan can describe
        self._set_wait(decision.wants, now)
        return commands

    def _carry_out(self, decision: Decision, now: float) -> tuple[Decision, int]:
        """Carry out commands, also those on `Updated`; return the last decision and the number of commands."""
        commands = list(decision.commands)
        for command in commands:  # the list grows during the loop
            self._recent.append(command)
            if isinstance(command, Update):
                updated = self._update(command, now)
                if not self.reason:
                    self._recent.append(updated)
                    decision = self._checks.decision(self._state.react(updated))
                    commands += decision.commands
                    self._check_progress(updated, len(commands))
            elif isinstance(command, Dispatch):
                self._dispatch(command)
            elif isinstance(command, Stop):
                if not isinstance(command.reason, str):
                    raise self._checks.invalid(f"it stops for the reason {command.reason!r}; give a text")
                self.reason = command.reason or "the policy stopped"
            else:
                raise self._checks.invalid(f"one of its commands is {command!r}; give Update, Dispatch or Stop")
            if self.reason:
                break
        return decision, len(commands)

    def _check_progress(self, updated: Updated, commands: int) -> None:
        """Raise an error if the policy updates without end in one turn."""
        stopping = self._stopping
        if commands > stopping.standstill and stopping.stuck(updated.time, updated.version, commands):
            raise self._checks.standstill(stopping.standstill, updated.time)

    def _set_wait(self, wants: Wants, now: float) -> None:
        """Set when the master is to be woken next."""
        arrivals = wants.arrivals
        counts = (type(arrivals) is int or is_whole(arrivals)) and arrivals >= 1
        wait, wanted_deadline = waits_for(wants, now, self._ticks)
        if not (counts and wait >= 0.0 and wants.patience >= 0.0):
            raise self._checks.wants(wants, now)
        if wanted_deadline != self._wanted_deadline:  # a repeated deadline stays the same, to the tick
            self._deadline, self._wanted_deadline = self._clock.now + wait, wanted_deadline
        self._fleet.want(int(arrivals))

    # ------------------------------------------------------------------ commands

    def _dispatch(self, command: Dispatch) -> None:
        """Send the current model to workers."""
        if command.busy is not None and command.busy not in BUSY:
            raise self._checks.invalid(f"it dispatches with busy = {command.busy!r}; choose among {BUSY}")
        workers = command.workers
        if workers is not None:
            workers = self._checks.workers(workers, self._model.assignment.workers)
        if command.busy is None and len(unanswered := self._fleet.unanswered(workers)):
            raise self._checks.invalid(
                f"it dispatches to {listed(unanswered).strip()}, which have unanswered tasks, without saying what to "
                "do with them; give Dispatch(..., busy=...)"
            )
        self._dispatched = True
        self._fleet.dispatch(workers, self._model.version, self._model.w, command.busy or "restart")

    def _update(self, command: Update, now: float) -> Updated:
        """Update the model with messages from the inbox."""
        messages, weights, keep = command
        if (positions := self._inbox.find(messages)) is None:
            raise self._checks.unknown("updates with", messages)
        kept = None
        if keep is not None and (kept := self._inbox.find(keep)) is None:
            raise self._checks.unknown("keeps", keep)
        if not (isinstance(weights, float) and math.isfinite(weights)):
            vectors = self._model.assignment.vectors[self._inbox.worker[positions]]
            weights = self._checks.weights(command, int(vectors.sum()))
        self._promise.check_update(self._inbox, command, self._model.version, late=self._clock.now >= self._deadline)
        self._record_use(positions)
        gradient = self._model.step(self._inbox, positions, weights)
        if self._fleet.recording:
            self.update_times.append(now)
        self._release(kept)
        version = self._model.version
        self.reason = self._stopping.updated(self._clock.now, version)
        return Updated(now, version, gradient)

    def _record_use(self, positions: Positions) -> None:
        """Count messages that are used for the first time in the ledger, those of older versions as late."""
        inbox, ledger, version = self._inbox, self._ledger, self._model.version
        first = inbox.use(positions)
        compute = inbox.compute[first]
        ledger.used += len(compute)
        ledger.compute_used += total(compute)
        ledger.heard[inbox.worker[first]] = True
        if self._partly:
            ledger.used_partial += int(np.count_nonzero(inbox.blocks[first] < self._model.assignment.blocks))
        if len(inbox.models) == 1 and version in inbox.models and not self._fleet.recording:
            return  # no message is late
        staleness = version - inbox.version[first]
        late = staleness > 0
        if lates := int(np.count_nonzero(late)):
            ledger.used -= lates
            ledger.used_late += lates
            ledger.staleness += int(staleness.sum())
            ledger.max_staleness = max(ledger.max_staleness, int(staleness.max()))
        if self._fleet.recording:
            names = inbox.name[first]
            self._fleet.mark(names[~late], "used", staleness[~late])
            self._fleet.mark(names[late], "used late", staleness[late])

    def _release(self, kept: Positions | None) -> None:
        """Drop the messages that no later update may use, and count the unused ones as discarded."""
        names, compute = self._inbox.release(kept)
        if len(names):
            self._ledger.discarded += len(names)
            self._ledger.compute_wasted += total(compute)
            self._fleet.mark(names, "discarded")
