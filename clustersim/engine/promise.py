"""The check of a policy's `Plan`: its form, and that the policy does what it plans.

Decisions on `Updated` flow in, and the update of the plan's first round, in which the policy is asked. A
`BrokenPromiseError` flows out if they do not agree with the plan; otherwise the plan is trusted from then on.
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
    """A plan is invalid, or the policy does not do what it plans; the master turns this into a `ProtocolError`."""


class PlannedRounds(NamedTuple):
    """An entry in the list of last events: the number of planned rounds, and when the last one ended, in seconds."""

    rounds: int
    until: float


class Promise:
    """The plan in force.

    Parameters
    ----------
    assignment : Assignment
        Which worker holds which rows.
    ticks : Ticks
        Converts seconds to ticks.

    Attributes
    ----------
    trusted : Plan or None
        The plan, if the policy has already done what it plans in a round in which it was asked.
    """

    def __init__(self, assignment: Assignment, ticks: Ticks) -> None:
        self.trusted: Plan | None = None
        self._assignment = assignment
        self._ticks = ticks
        self._plan: Plan | None = None
        self._kept_terms: tuple[object, ...] = ()  # the terms of the last plan that the policy kept

    def accept(self, decision: Decision, now: float) -> None:
        """Accept the plan in a decision on `Updated`, if it has one; raise an error if the plan is invalid."""
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
                f"it plans rounds, and returns {given}; a plan belongs to one Dispatch(busy=...) to all workers"
            )
        wants, wait = decision.wants, waits_for(decision.wants, now, self._ticks)[0]
        if wait != self._ticks.of(plan.patience):
            raise BrokenPromiseError(f"it plans to wait for {plan.patience} s at time {now:g}, and returns {wants}")
        if not callable(plan.enough) and isinstance(wants.arrivals, _WHOLE) and wants.arrivals > plan.enough:
            raise BrokenPromiseError(f"it plans to act on {plan.enough} messages, and wants {wants.arrivals}")
        self._plan = plan = _plain(plan)
        self.trusted = plan if _terms(plan) == self._kept_terms else None

    def drop(self) -> None:
        """Forget the plan; it does not cover the present round."""
        self._plan = self.trusted = None

    def _wrong(self, plan: Plan) -> str:
        """Describe the first field of a plan that is of the wrong kind or out of range; empty if there is none."""
        n = self._assignment.workers
        checks = {
            "rounds": (_is_number(_WHOLE, plan.rounds) and plan.rounds >= 1, "a whole number, at least 1"),
            "enough": (
                callable(plan.enough) or (_is_number(_WHOLE, plan.enough) and 1 <= plan.enough <= n),
                f"a whole number, 1 to {n}, or a function of the workers that answer",
            ),
            "weights": (
                callable(plan.weights) or (_is_number(_REAL, plan.weights) and math.isfinite(plan.weights)),
                "a finite number, or a function of the workers that have answered",
            ),
            "patience": (_is_number(_REAL, plan.patience) and plan.patience > 0.0, "seconds, more than 0"),
            "until": (_is_number(_REAL, plan.until) and not math.isnan(plan.until), "seconds"),
            "follow": (plan.follow is None or callable(plan.follow), "a function of Updated, or None"),
            "late": (plan.late is None or _valid_late(plan.late), "LatePlan(function, Round, function), or None"),
        }
        for name, (valid, expected) in checks.items():
            if not valid:
                return f"{name} = {reprlib.repr(getattr(plan, name))}: expected {expected}"
        return ""

    def check_update(self, inbox: Inbox, update: Update, version: int, *, late: bool) -> None:
        """Compare an update with the plan, if there is one; raise an error if they differ.

        Parameters
        ----------
        inbox : Inbox
        update : Update
        version : int
            The version of the present model.
        late : bool
            Whether the policy's deadline has passed.
        """
        plan = self._plan
        now = inbox.version == version
        if plan is None or not (now.any() and (plan.late is not None or now.all())):
            return  # a plan without `late` covers messages of the present model only
        workers = inbox.worker[now]
        enough = plan.enough(workers) if callable(plan.enough) else plan.enough
        if not (isinstance(enough, _WHOLE) and enough >= 1):
            raise BrokenPromiseError(
                f"its plan says that {enough!r} messages are enough; give a whole number, at least 1"
            )
        if len(workers) < enough and not late:
            raise BrokenPromiseError(f"it plans to wait for {enough} messages, and updates with {len(workers)}")
        if np.count_nonzero(now[: inbox.before]) >= enough:
            raise BrokenPromiseError(f"it plans to act as soon as {enough} messages have arrived, and acts later")
        chosen = workers[:enough]
        weights = plan.weights(chosen) if callable(plan.weights) else plan.weights
        try:
            weights = weights if isinstance(weights, float) else np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            wrong = f"its plan says that the weights of workers {chosen} are {weights!r}; give numbers"
            raise BrokenPromiseError(wrong) from None
        if plan.late is None:
            useful, weights = self._assignment.useful(chosen, weights)
            names = inbox.name[now][:enough]
            names = names if useful is None else names[useful]
        else:
            names, weights = _with_late(plan.late, inbox, version, np.full(len(chosen), weights))
        if not (np.array_equal(names, update.messages) and np.array_equal(weights, update.weights)):
            raise BrokenPromiseError(
                f"it plans to update with messages {names} at weights {weights}, and updates with {update.messages} at "
                f"{update.weights}"
            )
        self._kept_terms = _terms(plan)


def _is_number(kinds: tuple[type, ...], part: object) -> bool:
    """Whether `part` is of one of these kinds, and not a bool."""
    return isinstance(part, kinds) and not isinstance(part, bool)


def _valid_late(late: LatePlan) -> bool:
    """Whether the fields of a `LatePlan` are of the right kinds."""
    return (
        isinstance(late, LatePlan) and callable(late.weights) and callable(late.resume) and isinstance(late.last, Round)
    )


def _with_late(
    late: LatePlan, inbox: Inbox, version: int, weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the messages and weights of an update by a plan that uses late messages."""
    last = inbox.version == version - 1
    late_weights = late.weights(Round(inbox.name[last], inbox.worker[last], inbox.blocks[last], late.last.used))
    names = inbox.name[inbox.version == version][: len(weights)]
    if late_weights is not None:
        names, weights = np.concatenate((names, inbox.name[last])), np.concatenate((weights, late_weights))
    return names[weights != 0.0], weights[weights != 0.0]


def waits_for(wants: Wants, now: float, ticks: Ticks) -> tuple[float, float]:
    """Return the ticks for which a policy wants to wait, NaN if it gives no number, and the deadline in seconds."""
    deadline, patience = wants.deadline, wants.patience
    if not (isinstance(deadline, _REAL) and isinstance(patience, _REAL)):
        return math.nan, math.nan
    if (deadline_set := now + float(patience)) <= deadline < math.inf or patience < math.inf == deadline:
        return ticks.of(float(patience)), deadline_set
    return ticks.wait(now, float(deadline)), float(deadline)


def _plain(plan: Plan) -> Plan:
    """Return the same plan with NumPy numbers converted to those of Python."""
    return plan._replace(
        rounds=int(plan.rounds),
        enough=plan.enough if callable(plan.enough) else int(plan.enough),
        weights=plan.weights if callable(plan.weights) else float(plan.weights),
        patience=float(plan.patience),
        until=float(plan.until),
    )


def _terms(plan: Plan) -> tuple[object, ...]:
    """Return the fields that must be the same for a plan to be trusted after the policy has kept one."""
    return plan.enough, plan.weights, plan.patience, None if plan.late is None else plan.late.weights
