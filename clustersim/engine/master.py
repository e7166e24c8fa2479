"""The master: it carries events to the policy, and the policy's commands to the fleet and the model.

The policy decides, the `Master` obeys, and refuses what makes no sense. Data flows: fleet -> `Inbox` -> `Arrivals` ->
policy -> `Update` -> one weighted gradient a version -> optimiser -> `Updated` -> policy -> `Dispatch` -> fleet.

The master has no clock of its own. `Master.life` is a generator that says what it sleeps on, so that SimPy can run it
as a process, and a test or a real cluster can step through it. It counts in ticks; policies are told seconds.
"""

import math
from collections import deque
from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.fleet import Clock, Fleet, RoundsAhead
from clustersim.engine.inbox import Inbox, Positions
from clustersim.engine.model import Model
from clustersim.engine.promise import BrokenPromiseError, PlannedRounds, Promise, waits_for
from clustersim.engine.stopping import StoppingRule
from clustersim.errors import ProtocolError, StalledError
from clustersim.protocol import (
    BUSY,
    Arrivals,
    Command,
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

_WHOLE = (int, np.integer)
_NONE = np.empty(0, dtype=np.int64)
_REMEMBERED = 8  # events and commands shown when something makes no sense


class Master:
    """One run's master.

    Parameters
    ----------
    clock : Clock
    ticks : Ticks
        Converts its time to seconds.
    policy : Policy
    state : PolicyState
        The policy's state for this run.
    fleet : Fleet
    model : Model
        The problem, the optimiser and who holds which rows.
    ledger : Ledger
    horizon : Horizon
        Says when the run is over.

    Attributes
    ----------
    reason : str
        Why the run ended; empty while it goes on.
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
        self._clock = clock
        self._ticks = ticks
        self._policy = policy
        self._state = state
        self._fleet = fleet
        self._model = model
        self._ledger = ledger
        self._stopping = stopping
        self._partly = model.assignment.blocks > 1
        self._inbox = Inbox()
        self._past: deque[Event | Command | PlannedRounds] = deque(maxlen=_REMEMBERED)
        self._deadline = self._told_deadline = math.inf
        self._promise = Promise(model.assignment, ticks)

    def life(self) -> Generator[Any]:
        """Tell the policy what happened whenever it wants to know, until the run is over.

        Yields
        ------
        object
            What `Fleet.sleep` returns: whoever drives the master goes on when that has come.
        """
        fleet, last_time = self._fleet, self._stopping.last_time
        self.reason = self._stopping.updated(0.0, 0)
        if not self.reason:
            self._tell(Updated(0.0, 0, None))
        while not self.reason:
            plan = self._promise.trusted
            if plan is not None and (rounds := self._ahead(plan)) is not None:
                yield from self._go_through(plan, rounds)
                continue
            yield fleet.sleep(min(last_time, self._deadline))
            now = self._clock.now
            if now > LAST:
                raise self._ticks.passed(now)
            if not self._wake(now, due=fleet.wake(now)) and now >= last_time:
                self.reason = f"time {self._ticks.seconds(last_time):g} reached"

    # ------------------------------------------------------------------ rounds that are planned

    def _ahead(self, plan: Plan) -> RoundsAhead | None:
        """The rounds that need no conversation."""
        held = self._inbox
        if not np.array_equal(held.name, _NONE if plan.late is None else plan.late.last.messages):
            return None  # the plan does not speak of what the master holds
        most = self._stopping.updates_left(self._model.version)
        return self._fleet.ahead(plan, self._stopping.last_time, most, held.compute)

    def _go_through(self, plan: Plan, rounds: RoundsAhead) -> Generator[Any]:
        """Step with the answers of rounds that need no conversation, then go on with it."""
        model, ticks, stopping, follow, now = self._model, self._ticks, self._stopping, plan.follow, 0.0
        first, look, gradient = model.version, stopping.next_look(model.version), None
        for end, present, late in rounds:
            if follow is not None and gradient is not None:
                follow(Updated(ticks.seconds(now), model.version, gradient))
            gradient, now = model.step_ahead(present, late), end
            if model.version >= look:
                rounds.book()
                self.reason = stopping.updated(ticks.seconds(end), model.version)
                if self.reason:
                    break
                look = stopping.next_look(model.version)
        yield self._fleet.sleep(rounds.now)
        self._fleet.wake(self._clock.now)
        rounds.close(model.version - 1, model.before)
        self._inbox.skip(rounds.arrived)
        if plan.late is not None and (kept := rounds.kept(model.version - 1, model.before)) is not None:
            batch, used = kept
            names = self._inbox.begin_with(batch, used != 0.0)
            plan.late.resume(Round(names, batch.workers, batch.blocks, used))
        self._past.append(PlannedRounds(model.version - first, ticks.seconds(rounds.now)))
        if not self.reason:
            self._tell(Updated(ticks.seconds(rounds.now), model.version, gradient))

    def close(self) -> None:
        """End of the run: what is in the master's hands is thrown away."""
        self._receive(self._clock.now)
        self._release(None)

    # ------------------------------------------------------------------ events

    def _wake(self, now: float, *, due: bool) -> bool:
        """Find out whether something happened at this instant, and tell it.

        Arrivals come first, then time-outs; a loss is the last resort. The alarm may also have rung for nothing.
        """
        if (due or now >= self._deadline) and (arrivals := self._receive(now)) is not None:
            self._tell(arrivals)
        elif now >= self._deadline:
            self._tell(Timeout(self._ticks.seconds(now)))
        elif self._fleet.expecting == 0 and self._deadline == math.inf:
            self._tell_lost(now)
        else:
            return False
        return True

    def _receive(self, now: float) -> Arrivals | None:
        """Take in what has arrived."""
        batch = self._fleet.collect(now)
        if batch is None:
            return None
        workers, tasks, versions, blocks, _, _ = batch
        return Arrivals(self._ticks.seconds(now), self._inbox.add(batch), workers, versions, tasks, blocks)

    def _tell_lost(self, now: float) -> None:
        """Nothing will arrive and no deadline is set: the policy must find a way on now."""
        lost = self._fleet.owing(None)
        commands = self._tell(Lost(self._ticks.seconds(now), lost))
        if self._fleet.expecting == 0 and self._deadline == math.inf and not self.reason and not commands:
            wanted = self._state.k
            raise StalledError(
                f"{self._policy!r} waits for {wanted} answers at version {self._model.version}, but at time "
                f"{self._ticks.seconds(now):g} nothing is on its way any more: {len(lost)} of "
                f"{self._model.assignment.workers} workers will never answer{_some(lost)}; wait for fewer workers, set "
                f"a deadline, or use a model without infinite times. Last events:\n{self._story()}"
            )

    def _tell(self, event: Event) -> int:
        """Give the policy an event and carry out what it answers; returns how many commands there were."""
        try:
            return self._told(event)
        except BrokenPromiseError as complaint:
            raise self._refusal(str(complaint)) from None

    def _told(self, event: Event) -> int:
        now, version = event.time, self._model.version
        self._past.append(event)
        if self._stopping.stuck(now, version):
            raise self._standstill(now)
        decision, commands = self._obey(self._checked(self._state.react(event)), now)
        opened = isinstance(event, Updated) or version != self._model.version
        if opened and not self.reason:
            self._promise.give(decision, now)
        if decision.plan is not None and not opened:
            raise BrokenPromiseError("it plans rounds in an answer to something else than Updated")
        if commands and not opened:
            self._promise.drop()  # the round takes another course than a plan knows
        self._wait(decision.wants, now)
        return commands

    def _obey(self, decision: Decision, now: float) -> tuple[Decision, int]:
        """Carry out commands; returns the last answer, that to `Updated` if there was one, and how many they were."""
        commands = list(decision.commands)
        for command in commands:  # it grows on the way
            self._past.append(command)
            if isinstance(command, Update):
                updated = self._update(command, now)
                if not self.reason:
                    self._past.append(updated)
                    decision = self._checked(self._state.react(updated))
                    commands += decision.commands
                    self._check_progress(updated, len(commands))
            elif isinstance(command, Dispatch):
                self._dispatch(command)
            elif isinstance(command, Stop):
                self.reason = command.reason or "the policy stopped"
            else:
                raise self._refusal(f"it answers {command!r}; give Update, Dispatch or Stop")
            if self.reason:
                break
        return decision, len(commands)

    def _check_progress(self, updated: Updated, commands: int) -> None:
        """Notice a policy that updates and updates in one turn, which has no end."""
        stopping = self._stopping
        if commands > stopping.standstill and stopping.stuck(updated.time, updated.version, commands):
            raise self._standstill(updated.time)

    def _wait(self, wants: Wants, now: float) -> None:
        """Have the master woken when the policy wants it."""
        arrivals, deadline, patience = wants
        counts = isinstance(arrivals, _WHOLE) and arrivals >= 1
        wait, told = waits_for(wants, now, self._ticks)
        if not (counts and wait >= 0.0):
            until = f"until {deadline!r}" if patience == math.inf else f"for {patience!r} s"
            raise self._refusal(f"it wants {arrivals!r} arrivals {until} at time {now:g}")
        if told != self._told_deadline:  # the one that is in force stays as it is, to the tick
            self._deadline, self._told_deadline = self._clock.now + wait, told
        self._fleet.want(int(arrivals))

    def _checked(self, decision: Decision) -> Decision:
        """Refuse what is not an answer at all."""
        if isinstance(decision, Decision) and isinstance(decision.wants, Wants):
            return decision
        raise self._refusal(f"it answers {decision!r}; give Decision(commands, Wants(...))")

    # ------------------------------------------------------------------ commands

    def _dispatch(self, command: Dispatch) -> None:
        """Send the current model out."""
        if command.busy is not None and command.busy not in BUSY:
            raise self._refusal(f"it dispatches with busy = {command.busy!r}; choose among {BUSY}")
        workers = None if command.workers is None else self._numbers(command.workers)
        if command.busy is None and len(owing := self._fleet.owing(workers)):
            raise self._refusal(
                f"it dispatches to {_some(owing).strip()}, which still owe an answer, without saying what becomes of "
                "that work; give Dispatch(..., busy=...)"
            )
        self._fleet.dispatch(workers, self._model.version, self._model.w, command.busy or "restart")

    def _numbers(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The workers of a dispatch in ascending order; each must exist, and be named once."""
        named, count = np.asarray(workers), self._model.assignment.workers
        valid = named.ndim == 1 and (named.dtype.kind in "iu" or not len(named))
        numbers = np.sort(named) if valid else named
        if valid and len(numbers):
            valid = numbers[0] >= 0 and numbers[-1] < count and bool((numbers[1:] > numbers[:-1]).all())
        if not valid:
            shown = named.tolist()
            raise self._refusal(f"it dispatches to workers {shown}; they are 0 .. {count - 1}, each at most once")
        return numbers.astype(np.int64, copy=False)

    def _update(self, command: Update, now: float) -> Updated:
        """Step the model."""
        messages, weights, keep = command
        if (positions := self._inbox.find(messages)) is None:
            raise self._unknown("updates with", messages)
        kept = None
        if keep is not None and (kept := self._inbox.find(keep)) is None:
            raise self._unknown("keeps", keep)
        if not (isinstance(weights, float) and math.isfinite(weights)):
            weights = self._weights(command, positions)
        self._promise.hold(self._inbox, command, self._model.version, late=self._clock.now >= self._deadline)
        self._record_use(positions)
        gradient = self._model.step(self._inbox, positions, weights)
        self._release(kept)
        version = self._model.version
        self.reason = self._stopping.updated(now, version)
        return Updated(now, version, gradient)

    def _weights(self, command: Update, positions: Positions) -> float | NDArray[np.float64]:
        """The weights of an update: finite, and one for each vector in the messages, or one for all."""
        weights = np.asarray(command.weights, dtype=np.float64)
        wanted = int(self._model.assignment.vectors[self._inbox.worker[positions]].sum())
        if np.isfinite(weights).all() and weights.shape in ((), (wanted,)):
            return weights if weights.ndim else float(weights)
        raise self._refusal(
            f"it updates {len(command.messages)} messages with weights {command.weights}; give {wanted} finite "
            "weights, or one for all"
        )

    def _record_use(self, positions: Positions) -> None:
        """Count answers that are used for the first time, apart by whether they are of the current version."""
        held, ledger, version = self._inbox, self._ledger, self._model.version
        first = held.use(positions)
        compute = held.compute[first]
        ledger.used += len(compute)
        ledger.compute_used += total(compute)
        if self._partly:
            ledger.used_partial += int(np.count_nonzero(held.blocks[first] < self._model.assignment.blocks))
        if len(held.models) == 1 and version in held.models and not self._fleet.traced:
            return  # none is late
        staleness = version - held.version[first]
        late = staleness > 0
        if lates := int(np.count_nonzero(late)):
            ledger.used -= lates
            ledger.used_late += lates
            ledger.staleness += int(staleness.sum())
            ledger.max_staleness = max(ledger.max_staleness, int(staleness.max()))
        if self._fleet.traced:
            names = held.name[first]
            self._fleet.mark(names[~late], "used", staleness[~late])
            self._fleet.mark(names[late], "used late", staleness[late])

    def _release(self, kept: Positions | None) -> None:
        """Throw away what will not be used."""
        names, compute = self._inbox.release(kept)
        if len(names):
            self._ledger.discarded += len(names)
            self._ledger.compute_wasted += total(compute)
            self._fleet.mark(names, "discarded")

    # ------------------------------------------------------------------ complaints

    def _standstill(self, now: float) -> StalledError:
        return StalledError(
            f"{self._stopping.standstill} events at time {now:g}, and the run comes no nearer to its end; use a policy "
            f"that waits, a latency model with positive times, or Until(updates=...). Last events:\n{self._story()}"
        )

    def _refusal(self, what: str) -> ProtocolError:
        return ProtocolError(f"{self._policy!r} asks for what makes no sense: {what}. Last events:\n{self._story()}")

    def _unknown(self, what: str, names: NDArray[np.int64]) -> ProtocolError:
        return self._refusal(f"it {what} messages {np.asarray(names).tolist()}; it must hold each, and name it once")

    def _story(self) -> str:
        with np.printoptions(threshold=10, edgeitems=4):
            return "\n".join(f"  {item!r}" for item in self._past)


def _some(workers: NDArray[np.int64] | list[int]) -> str:
    """The first few of a list of workers, in words."""
    shown = ", ".join(str(i) for i in list(workers)[:5])
    more = ", ..." if len(workers) > 5 else ""
    return f" (workers {shown}{more})" if len(workers) else ""
