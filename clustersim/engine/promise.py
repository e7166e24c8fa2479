"""The promise in a policy's `Plan`: checked when it is given, and held against what the policy does at first.

An answer flows in when the policy has been told `Updated`, and the update of the plan's first round, which is gone
through in conversation. Complaints flow out, or nothing; and the plan, once the policy has kept it.
"""

import math

import numpy as np

from clustersim.engine.inbox import Inbox, Positions
from clustersim.placements import Assignment
from clustersim.protocol import Answer, Dispatch, Plan, Update
from clustersim.ticks import Ticks

__all__ = ["Promise"]

_WHOLE = (int, np.integer)
_REAL = (float, int, np.floating, np.integer)


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

    def give(self, answer: Answer, now: float) -> str:
        """Take the plan of an answer to `Updated`, or none; returns a complaint if it makes no sense."""
        self._plan = self.trusted = plan = answer.plan
        if plan is None:
            return ""
        if not (isinstance(plan, Plan) and self._sound(plan)):
            return f"its plan is {plan!r}; give Plan(rounds, enough, weights), see clustersim.protocol.Plan"
        command = answer.commands[0] if len(answer.commands) == 1 else None
        if not (isinstance(command, Dispatch) and command.workers is None):
            return f"it plans rounds, and answers {answer.commands}; a plan belongs to one Dispatch to all workers"
        deadline = answer.wants.deadline
        if not (isinstance(deadline, _REAL) and self._ticks.of(now + plan.patience) == self._ticks.of(float(deadline))):
            return f"it plans to wait for {plan.patience} s at time {now:g}, and waits until {deadline}"
        if _terms(plan) != self._kept:
            self.trusted = None
        return ""

    def _sound(self, plan: Plan) -> bool:
        """Whether a plan is of the right kinds and in range."""
        counts = isinstance(plan.enough, _WHOLE) and 1 <= plan.enough <= self._assignment.workers
        weighs = isinstance(plan.weights, _REAL) and math.isfinite(plan.weights)
        return (
            (isinstance(plan.rounds, _WHOLE) and plan.rounds >= 1)
            and (counts or callable(plan.enough))
            and (weighs or callable(plan.weights))
            and (isinstance(plan.patience, _REAL) and plan.patience > 0.0)
            and (isinstance(plan.until, _REAL) and not math.isnan(plan.until))
            and (plan.follow is None or callable(plan.follow))
        )

    def broken(self, inbox: Inbox, positions: Positions, update: Update, version: int, *, late: bool) -> str:
        """Hold an update against the plan, if that is still to be done; returns a complaint if they differ.

        `late` says whether the time for which the policy was to wait is over.
        """
        plan = self._plan
        if plan is None or self.trusted is not None or not (inbox.name.size and (inbox.version == version).all()):
            return ""  # answers to older models are none of the plan's business
        enough = plan.enough(inbox.worker) if callable(plan.enough) else plan.enough
        if not (isinstance(enough, _WHOLE) and enough >= 1):
            return f"its plan says that {enough!r} answers are enough; give a whole number, at least 1"
        heard = inbox.worker[:enough]
        if len(heard) < enough and not late:
            return f"it plans to wait for {enough} answers, and updates with {len(heard)}"
        weights = plan.weights(heard) if callable(plan.weights) else float(plan.weights)
        useful, weights = self._assignment.useful(heard, weights)
        planned, taken = heard if useful is None else heard[useful], inbox.worker[positions]
        if not (np.array_equal(planned, taken) and np.array_equal(weights, update.weights)):
            return (
                f"it plans to update with workers {planned} at weights {weights}, and updates with workers {taken} at "
                f"weights {update.weights}"
            )
        self._kept = _terms(plan)
        return ""


def _terms(plan: Plan) -> tuple[object, ...]:
    """What a plan says of every round."""
    return plan.enough, plan.weights, plan.patience
