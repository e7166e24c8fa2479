"""Rounds of a plan, computed ahead: when each ends, which messages its update uses, and what the ledger counts.

All workers begin a round together, and drop their work when it ends. The draws of one task number therefore determine
the whole round, and many rounds are computed at once, as arrays over (round, worker). In unusual rounds the policy is
asked instead: the planned rounds end before a round that never ends, takes no time, has no message, ends after the
horizon, or in which the policy would raise an error.

Data flows: a `Plan` and draws -> `ArrivalOrder` -> `Rounds` -> round by round to the master, and through `RoundTotals`
to the ledger.
"""

import math
from collections.abc import Callable, Iterator, Sequence
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
"""The greatest number of rounds that are computed one by one before the master goes through them."""


class Start(NamedTuple):
    """The state in which planned rounds begin, and the parts that they need.

    Attributes
    ----------
    plan : Plan
    order : ArrivalOrder
        The order of arrival in each round.
    assignment : Assignment
        The vectors in a message, and which messages the update can use.
    ledger : Ledger
        It already contains the dispatch of the first round.
    ticks : Ticks
        Converts seconds to ticks.
    number : int
        The number of the tasks of the first round.
    since : float
        When the first round began, in ticks.
    last_time : float
        When the last round must have ended, in ticks.
    most : int
        The greatest number of rounds that the master goes through.
    resume_after : callable
        ``resume_after(rounds, version, model)`` brings the fleet into its state after the last round, whose tasks were
        computed at this model.
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
    resume_after: "Callable[[Rounds, int, Times], None]"


class Rounds:
    """The rounds of a plan, in portions that are drawn together.

    Parameters
    ----------
    start : Start
        The state in which they begin.

    Attributes
    ----------
    done : int
        The number of rounds that the master has gone through.
    arrived : int
        Messages that have reached the master in these rounds, as of the last call of `update_ledger`.
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
        self._resume_after = start.resume_after
        self._totals = RoundTotals(start.ledger, start.assignment.workers)
        self._first, self._since = start.number, start.since
        self._before = 0  # the number of rounds in earlier portions
        self._gathered: Iterator[tuple[Rows, Rows | None]] = iter(())
        self._used: Sequence[Numbers] | Numbers = ()  # the workers whose messages the update of each round uses
        self._ends = self._compute_ends(start.number, start.since)

    def __bool__(self) -> bool:
        """Whether there are any rounds."""
        return bool(self._ends)

    def __iter__(self) -> Iterator[Step]:
        """Yield the rounds in order."""
        while True:
            for end, (present, late) in zip(self._ends, self._gathered, strict=False):
                self.done += 1
                yield end, present, late
            if not self._next_portion():
                return

    def _next_portion(self) -> bool:
        """Compute the next portion and return whether it has rounds; if not, the present portion stays."""
        self.update_ledger()
        if ends := self._compute_ends(self._first + len(self._ends), self.now):
            self._since, self._first = self.now, self._first + len(self._ends)
            self._before += len(self._ends)
            self._ends = ends
        return bool(ends)

    # ------------------------------------------------------------------ the last round

    @property
    def number(self) -> int:
        """The number of the tasks of the last round that the master has gone through."""
        return self._first + self.done - self._before - 1

    @property
    def now(self) -> float:
        """When this round ended, in ticks."""
        return self._ends[self.number - self._first]

    @property
    def since(self) -> float:
        """When this round began, in ticks."""
        place = self.number - self._first
        return self._ends[place - 1] if place else self._since

    def update_ledger(self) -> None:
        """Count everything up to the update of the last round in the ledger."""
        sent = self._ledger.sent
        new = slice(self._totals.entered, self.done - self._before)
        self._totals.enter(new.stop)
        for workers in self._used[new]:
            self._ledger.heard[workers] = True
        self.arrived += self._ledger.sent - sent

    def kept(self, version: int, model: Times) -> tuple[Batch, Times] | None:  # noqa: ARG002 - the interface
        """Return None: these rounds keep no messages."""
        return None

    def close(self, version: int, model: Times) -> None:
        """Bring the fleet into its state after the last round, whose tasks were computed at this model."""
        self.update_ledger()
        self._resume_after(self, version, model)

    # ------------------------------------------------------------------ computing rounds

    def _compute_ends(self, number: int, now: float) -> list[float]:
        """Compute the rounds from this number on that are drawn together; return when they end, in ticks."""
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
        """Compute rounds whose updates use the same number of messages, all with the same weight."""
        spans = times[:, -1]
        ends = now + np.cumsum(spans)
        good = (spans > 0.0) & (ends <= self._last_time)
        if self._until < math.inf:
            good &= ends - spans < self._until
        rounds = len(good) if good.all() else int(good.argmin())
        if not rounds:
            return []
        workers, lost, k, n = workers[:rounds], lost[:rounds], times.shape[1], self._assignment.workers
        self._used = workers
        messages = [k] * rounds
        self._totals.write(
            {
                "sent": messages,
                "sent_vectors": messages if self._vectors is None else self._vectors[workers].sum(axis=1).tolist(),
                "used": messages,
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
        """Compute at most `left` rounds, each by itself."""
        ends: list[float] = []
        lines: list[Line] = []
        for row in range(place, min(len(portion), place + left)):
            if now >= self._until:
                break
            try:
                line = self._line(portion, row, number + row - place, now)
            except ClusterSimError:  # the policy will raise it again when it is asked
                break
            if line is None:
                break
            now += line.span
            lines.append(line)
            ends.append(now)
        if lines:
            self._totals.write(_columns([line.updates for line in lines]), _columns([line.ends for line in lines]))
            self._gathered = map(self._gather, lines)
            self._used = [np.concatenate([part[0] for part in (line.present, line.late) if part]) for line in lines]
        return ends

    def _gather(self, line: "Line") -> tuple[Rows, Rows | None]:
        """Return the rows of a round: those of the present model, and those of late messages."""
        gather = self._assignment.gather
        return gather(*line.present), None if line.late is None else gather(*line.late)

    def _line(self, portion: Portion, row: int, number: int, now: float) -> "Line | None":
        """Compute one round; None if it is unusual."""
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
        """Return how long a round takes, who has answered by then and when, and how many of these are enough.

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
        """Return the number of vectors in the messages of some workers."""
        return len(workers) if self._vectors is None else int(self._vectors[workers].sum())

    def _weights(self, workers: Numbers) -> Weights:
        """Return the policy's weights of the messages of these workers; NaN if they are invalid."""
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
    """One round that the master has not gone through yet.

    Attributes
    ----------
    span : float
        How long the round takes, in ticks.
    present : tuple
        The arguments of `Assignment.gather` for the used messages of the present model.
    late : tuple or None
        The arguments for the used messages of the previous model.
    updates, ends : dict of str to int
        See `RoundTotals.write`.
    """

    span: float
    present: tuple[Any, ...]
    late: tuple[Any, ...] | None
    updates: dict[str, int]
    ends: dict[str, int]


def _columns(lines: list[dict[str, int]]) -> Columns:
    """Return the amounts by name, as one list for each name."""
    return {name: [line[name] for line in lines] for name in lines[0]}
