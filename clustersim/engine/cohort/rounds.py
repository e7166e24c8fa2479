"""Rounds of a plan, worked out ahead: when each ends, whose answers are used, and what the ledger will say.

All workers begin a round together, and drop what they were at when it ends. So the draws of a task tell everything of
its round, and many rounds are worked out at once, as arrays over (round, worker). Unusual rounds are left to the
conversation of master and policy: the plan ends before a round that has no end, takes no time, brings no answer, lies
beyond the horizon, or in which the policy would make a mistake.

Data flows: a `Plan` and draws -> `ArrivalOrder` -> `Rounds` -> round by round to the master, and
by `RoundTotals` to the ledger.
"""

import math
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.accounting import Ledger
from clustersim.engine.cohort.arrival_order import ArrivalOrder, Portion
from clustersim.engine.cohort.round_totals import Columns, RoundTotals
from clustersim.engine.fleet import Batch, Rows, Step
from clustersim.errors import ClusterSimError
from clustersim.placements import Assignment
from clustersim.protocol import Plan
from clustersim.ticks import LAST, Ticks, total, totals

__all__ = ["FEW", "Line", "Rounds", "Start"]

Times = NDArray[np.float64]
Numbers = NDArray[np.int64]
Weights = float | Times

FEW = 16
"""Rounds that are looked at one by one before the first of them is gone through."""


class Start(NamedTuple):
    """Where planned rounds begin, and what they need.

    Attributes
    ----------
    plan : Plan
    order : ArrivalOrder
        Who answers when.
    assignment : Assignment
        The vectors in an answer, and which answers are of use.
    ledger : Ledger
        It holds the dispatch of the first round already.
    ticks : Ticks
    number : int
        The number of the tasks of the first round.
    since : float
        When that began, in ticks.
    last_time : float
        When the last round must have ended.
    most : int
        Rounds that the master will go through at most.
    leave : callable
        ``leave(rounds, version, model)`` leaves the fleet as it is after the last round, whose tasks were to compute at
        this model.
    """

    plan: Plan
    order: ArrivalOrder
    assignment: Assignment
    ledger: Ledger
    ticks: Ticks
    number: int
    since: float
    last_time: float
    most: int
    leave: "Callable[[Rounds, int, Times], None]"


class Rounds:
    """The rounds of a plan, in portions of as many as are drawn together.

    Parameters
    ----------
    start : Start

    Attributes
    ----------
    done : int
        Rounds gone through.
    arrived : int
        Answers that have reached the master in them, once they are booked.
    """

    def __init__(self, start: Start) -> None:
        self.done = self.arrived = 0
        self._plan = start.plan
        self._most = min(start.plan.rounds, start.most)
        self._arrival_order = start.order
        self._assignment = start.assignment
        self._vectors = None if start.assignment.combined else start.assignment.vectors
        self._ledger = start.ledger
        self._ticks = start.ticks
        self._last_time = min(start.last_time, LAST)
        self._until = start.ticks.of(start.plan.until)
        self._resume_after = start.leave
        self._totals = RoundTotals(start.ledger, start.assignment.workers)
        self._first, self._since = start.number, start.since
        self._before = 0  # rounds in the portions before this one
        self._gathered: Iterator[tuple[Rows, Rows | None]] = iter(())
        self._ends = self._compute_ends(start.number, start.since)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._ends)

    def __iter__(self) -> Iterator[Step]:
        """Go through the rounds."""
        while True:
            for end, (present, late) in zip(self._ends, self._gathered, strict=False):
                self.done += 1
                yield end, present, late
            if not self._next_portion():
                return

    def _next_portion(self) -> bool:
        """Work out the next portion; if there is none, all stays as it is after the last round."""
        self.update_ledger()
        if ends := self._compute_ends(self._first + len(self._ends), self.now):
            self._since, self._first = self.now, self._first + len(self._ends)
            self._before += len(self._ends)
            self._ends = ends
        return bool(ends)

    # ------------------------------------------------------------------ what has come of it

    @property
    def number(self) -> int:
        """The number of the tasks of the last round gone through."""
        return self._first + self.done - self._before - 1

    @property
    def now(self) -> float:
        """When it ended, in ticks."""
        return self._ends[self.number - self._first]

    @property
    def since(self) -> float:
        """When it began."""
        place = self.number - self._first
        return self._ends[place - 1] if place else self._since

    def update_ledger(self) -> None:
        """Bring the ledger up to the update of the last round."""
        sent = self._ledger.sent
        self._totals.enter(self.done - self._before)
        self.arrived += self._ledger.sent - sent

    def kept(self, version: int, model: Times) -> tuple[Batch, Times] | None:  # noqa: ARG002 - they are thrown away
        """The answers of the last round that were in time, and the weights that they got; None if none is kept."""
        return None

    def close(self, version: int, model: Times) -> None:
        """Leave the fleet as it is after the last round, whose tasks were to compute at this model."""
        self.update_ledger()
        self._resume_after(self, version, model)

    # ------------------------------------------------------------------ working out

    def _compute_ends(self, number: int, now: float) -> list[float]:
        """When the rounds from this number on end, as far as they are drawn together; their lines are in the tally."""
        plan, left = self._plan, self._most - self.done
        if left <= 0:
            return []
        by_count = isinstance(plan.enough, int) and plan.patience == math.inf
        portion, place = self._arrival_order.of(number, whole=not by_count)
        if by_count and isinstance(plan.weights, float) and plan.late is None:
            assert isinstance(plan.enough, int)  # noqa: S101 - for the type checker
            if (first := portion.first(plan.enough)) is not None:
                rows = slice(place, place + left)
                return self._all_at_once(first[0][rows], first[1][rows], portion.lost[rows], number, now, plan.weights)
        return self._one_by_one(portion, place, min(left, FEW), number, now)

    def _all_at_once(
        self, workers: Numbers, times: Times, lost: list[int], number: int, now: float, weight: float
    ) -> list[float]:
        """Rounds in each of which the same number of workers answers, and all get the same weight."""
        spans = times[:, -1]
        ends = now + np.cumsum(spans)
        good = (spans > 0.0) & (ends <= self._last_time)
        if self._until < math.inf:
            good &= ends - spans < self._until
        rounds = len(good) if good.all() else int(good.argmin())
        if not rounds:
            return []
        workers, lost, k, n = workers[:rounds], lost[:rounds], times.shape[1], self._assignment.workers
        answers = [k] * rounds
        self._totals.write(
            {
                "sent": answers,
                "sent_vectors": answers if self._vectors is None else self._vectors[workers].sum(axis=1).tolist(),
                "used": answers,
                "compute_used": totals(times[:rounds]),
            },
            {
                "cancelled": [n - k - never for never in lost],
                "lost": lost,
                "compute_wasted": [(n - k) * int(span) for span in spans[:rounds].tolist()],
            },
        )
        self._gathered = zip(self._assignment.gather_rounds(workers, weight, number), repeat(None), strict=False)
        ended: list[float] = ends[:rounds].tolist()
        return ended

    def _one_by_one(self, portion: Portion, place: int, left: int, number: int, now: float) -> list[float]:
        """Rounds of which each is looked at by itself."""
        ends: list[float] = []
        lines: list[Line] = []
        for row in range(place, min(len(portion), place + left)):
            if now >= self._until:
                break
            try:
                line = self._line(portion, row, number + row - place, now)
            except ClusterSimError:  # the policy will come upon it when it is asked
                break
            if line is None:
                break
            now += line.span
            lines.append(line)
            ends.append(now)
        if lines:
            self._totals.write(_columns([line.updates for line in lines]), _columns([line.ends for line in lines]))
            self._gathered = map(self._gather, lines)
        return ends

    def _gather(self, line: "Line") -> tuple[Rows, Rows | None]:
        """The rows of a round: of answers to the present model, and of late ones."""
        gather = self._assignment.gather
        return gather(*line.present), None if line.late is None else gather(*line.late)

    def _line(self, portion: Portion, row: int, number: int, now: float) -> "Line | None":
        """One round; None if it is unusual."""
        arrivals = self._arrivals(portion, row, now)
        if arrivals is None:
            return None
        span, workers, times, enough = arrivals
        chosen = workers[:enough]
        useful, weights = self._assignment.useful(chosen, self._weights(chosen))
        spent = times[:enough]
        if useful is not None:
            chosen, spent = chosen[useful], spent[useful]
        if not (len(chosen) and np.isfinite(weights).all()):
            return None
        used = total(spent)
        left = self._assignment.workers - len(workers)
        never = portion.lost[row]
        return Line(
            span,
            (chosen, weights, np.full(len(chosen), number)),
            None,
            {
                "sent": len(workers),
                "sent_vectors": self._count(workers),
                "used": len(chosen),
                "discarded": len(workers) - len(chosen),
                "compute_used": used,
                "compute_wasted": total(times) - used,
            },
            {"cancelled": left - never, "lost": never, "compute_wasted": left * int(span)},
        )

    def _arrivals(self, portion: Portion, row: int, now: float) -> tuple[float, Numbers, Times, int] | None:
        """How long a round takes, who has answered by then and when, and how many of those are enough.

        None if the round is unusual.
        """
        plan, ticks = self._plan, self._ticks
        limit = math.inf
        if plan.patience < math.inf:
            limit = ticks.of(plan.patience)
        if isinstance(plan.enough, int):
            enough = plan.enough
            workers, times = portion.by(row, limit)
        else:
            workers, times = portion.by(row, math.inf)
            enough = plan.enough(workers)
        if not (isinstance(enough, int | np.integer) and enough > 0):
            return None
        span = min(limit, times.item(enough - 1) if enough <= len(times) else math.inf)
        arrived = int(times.searchsorted(span, side="right"))
        if not (arrived and span > 0.0 and now + span <= self._last_time):
            return None
        return span, workers[:arrived], times[:arrived], min(enough, arrived)

    def _count(self, workers: Numbers) -> int:
        """The vectors in the answers of some workers."""
        return len(workers) if self._vectors is None else int(self._vectors[workers].sum())

    def _weights(self, workers: Numbers) -> Weights:
        """The policy's weights of these answers; NaN if they are not what they have to be."""
        weigh = self._plan.weights
        weights = weigh if isinstance(weigh, float) else weigh(workers)
        if isinstance(weights, float):
            return weights
        try:
            weights = np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            return math.nan
        if weights.shape == ():
            return float(weights)
        return weights if weights.shape == (self._count(workers),) else math.nan


class Line(NamedTuple):
    """One round, before it is entered anywhere.

    Attributes
    ----------
    span : float
        How long it takes, in ticks.
    present : tuple
        What `Assignment.gather` needs to know of the answers to the present model that are used.
    late : tuple or None
        The same of answers to the model before.
    updates, ends : dict of str to int
        See `RoundTotals.write`.
    """

    span: float
    present: tuple[Any, ...]
    late: tuple[Any, ...] | None
    updates: dict[str, int]
    ends: dict[str, int]


def _columns(lines: list[dict[str, int]]) -> Columns:
    """Amounts by name, one a line."""
    return {name: [line[name] for line in lines] for name in lines[0]}
