"""The promise in a policy's `Plan`: checked when it is given, and held against what the policy does at first.

An answer flows in when the policy has been told `Updated`, and the update of the plan's first round, which is gone
through in conversation. Complaints flow out, or nothing; and the plan, once the policy has kept it.
"""

import math
import reprlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.inbox import Inbox
from clustersim.placements import Assignment
from clustersim.protocol import Decision, Dispatch, LatePlan, Plan, Round, Update, Wants
from clustersim.ticks import Ticks

__all__ = ["BrokenPromiseError", "PlannedRounds", "Promise", "waits_for"]

_WHOLE = (int, np.integer)
_REAL = (float, int, np.floating, np.integer)


class BrokenPromiseError(Exception):
    """What a policy plans makes no sense, or is not what it does; the master tells it to the user."""


class PlannedRounds(NamedTuple):
    """What is told of rounds that needed no conversation: how many, and when the last of them ended."""

    rounds: int
    until: float


class Promise:
    """The plan in force.

    Parameters
    ----------
    assignment : Assignment
    ticks : Ticks

    Attributes
    ----------
    trusted : Plan or None
        The plan, if the policy has done in conversation what it says.
    """

    def __init__(self, assignment: Assignment, ticks: Ticks) -> None:
        self.trusted: Plan | None = None
        self._assignment = assignment
        self._ticks = ticks
        self._plan: Plan | None = None
        self._kept: tuple[object, ...] = ()  # the terms of the plan that was kept last

    def give(self, decision: Decision, now: float) -> None:
        """Take the plan of an answer to `Updated`, or none; refuse one that makes no sense."""
        self.drop()
        plan = decision.plan
        if plan is None:
            return
        if not isinstance(plan, Plan):
            raise BrokenPromiseError(
                f"its plan is {plan!r}; give Plan(rounds, enough, weights), see clustersim.protocol.Plan"
            )
        if wrong := self._wrong(plan):
            raise BrokenPromiseError(f"its plan has {wrong}")
        command = decision.commands[0] if len(decision.commands) == 1 else None
        if not (isinstance(command, Dispatch) and command.workers is None and command.busy is not None):
            given = decision.commands
            raise BrokenPromiseError(
                f"it plans rounds, and answers {given}; a plan belongs to one Dispatch(busy=...) to all workers"
            )
        wants, wait = decision.wants, waits_for(decision.wants, now, self._ticks)[0]
        if wait != self._ticks.of(plan.patience):
            raise BrokenPromiseError(f"it plans to wait for {plan.patience} s at time {now:g}, and answers {wants}")
        if not callable(plan.enough) and isinstance(wants.arrivals, _WHOLE) and wants.arrivals > plan.enough:
            raise BrokenPromiseError(f"it plans to act on {plan.enough} answers, and wants {wants.arrivals}")
        self._plan = plan = _plain(plan)
        self.trusted = plan if _terms(plan) == self._kept else None

    def drop(self) -> None:
        """The plan does not speak of the round that goes on now."""
        self._plan = self.trusted = None

    def _wrong(self, plan: Plan) -> str:
        """Name a part of a plan that is of the wrong kind or out of range, and what it should be."""
        n = self._assignment.workers
        laws = {
            "rounds": (_is(_WHOLE, plan.rounds) and plan.rounds >= 1, "a whole number, at least 1"),
            "enough": (
                callable(plan.enough) or (_is(_WHOLE, plan.enough) and 1 <= plan.enough <= n),
                f"a whole number, 1 to {n}, or a function of the workers that answer",
            ),
            "weights": (
                callable(plan.weights) or (_is(_REAL, plan.weights) and math.isfinite(plan.weights)),
                "a finite number, or a function of the workers that have answered",
            ),
            "patience": (_is(_REAL, plan.patience) and plan.patience > 0.0, "seconds, more than 0"),
            "until": (_is(_REAL, plan.until) and not math.isnan(plan.until), "seconds"),
            "follow": (plan.follow is None or callable(plan.follow), "a function of Updated, or None"),
            "late": (plan.late is None or _sound_late(plan.late), "LatePlan(function, Round, function), or None"),
        }
        for name, (kept, expected) in laws.items():
            if not kept:
                return f"{name} = {reprlib.repr(getattr(plan, name))}: expected {expected}"
        return ""

    def hold(self, inbox: Inbox, update: Update, version: int, *, late: bool) -> None:
        """Hold an update against the plan, if that is still to be done; refuse one that differs.

        `late` says whether the time for which the policy was to wait is over.
        """
        plan = self._plan
        now = inbox.version == version
        if plan is None or not (now.any() and (plan.late is not None or now.all())):
            return  # answers to older models are none of the plan's business
        workers = inbox.worker[now]
        enough = plan.enough(workers) if callable(plan.enough) else plan.enough
        if not (isinstance(enough, _WHOLE) and enough >= 1):
            raise BrokenPromiseError(
                f"its plan says that {enough!r} answers are enough; give a whole number, at least 1"
            )
        if len(workers) < enough and not late:
            raise BrokenPromiseError(f"it plans to wait for {enough} answers, and updates with {len(workers)}")
        if np.count_nonzero(now[: inbox.before]) >= enough:
            raise BrokenPromiseError(f"it plans to act as soon as {enough} answers are there, and acts later")
        heard = workers[:enough]
        weights = plan.weights(heard) if callable(plan.weights) else plan.weights
        try:
            weights = weights if isinstance(weights, float) else np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            told = f"its plan says that the weights of workers {heard} are {weights!r}; give numbers"
            raise BrokenPromiseError(told) from None
        if plan.late is None:
            useful, weights = self._assignment.useful(heard, weights)
            names = inbox.name[now][:enough]
            names = names if useful is None else names[useful]
        else:
            names, weights = _with_late(plan.late, inbox, version, np.full(len(heard), weights))
        if not (np.array_equal(names, update.messages) and np.array_equal(weights, update.weights)):
            raise BrokenPromiseError(
                f"it plans to update with messages {names} at weights {weights}, and updates with {update.messages} at "
                f"{update.weights}"
            )
        self._kept = _terms(plan)


def _is(kinds: tuple[type, ...], part: object) -> bool:
    """Whether it is of one of these kinds, and no truth value."""
    return isinstance(part, kinds) and not isinstance(part, bool)


def _sound_late(late: LatePlan) -> bool:
    """Whether the part of a plan that speaks of late answers is of the right kinds."""
    return (
        isinstance(late, LatePlan) and callable(late.weights) and callable(late.resume) and isinstance(late.last, Round)
    )


def _with_late(
    late: LatePlan, inbox: Inbox, version: int, weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The messages and weights of an update by a plan with late answers."""
    last = inbox.version == version - 1
    due = late.weights(Round(inbox.name[last], inbox.worker[last], inbox.blocks[last], late.last.used))
    names = inbox.name[inbox.version == version][: len(weights)]
    if due is not None:
        names, weights = np.concatenate((names, inbox.name[last])), np.concatenate((weights, due))
    return names[weights != 0.0], weights[weights != 0.0]


def waits_for(wants: Wants, now: float, ticks: Ticks) -> tuple[float, float]:
    """The ticks for which a policy wants to wait, NaN if it names no time, and the deadline in seconds."""
    deadline, patience = wants.deadline, wants.patience
    if not (isinstance(deadline, _REAL) and isinstance(patience, _REAL)):
        return math.nan, math.nan
    if (told := now + float(patience)) <= deadline < math.inf or patience < math.inf == deadline:
        return ticks.of(float(patience)), told
    return ticks.wait(now, float(deadline)), float(deadline)


def _plain(plan: Plan) -> Plan:
    """The same, its numbers of Python's own kinds."""
    return plan._replace(
        rounds=int(plan.rounds),
        enough=plan.enough if callable(plan.enough) else int(plan.enough),
        weights=plan.weights if callable(plan.weights) else float(plan.weights),
        patience=float(plan.patience),
        until=float(plan.until),
    )


def _terms(plan: Plan) -> tuple[object, ...]:
    """What holds in every round of a plan: if the policy has kept it once, it need not show it again."""
    return plan.enough, plan.weights, plan.patience, None if plan.late is None else plan.late.weights
