"""Rounds of a plan, worked out ahead: when each ends, whose answers are used, and what the ledger will say.

All workers begin a round together, and drop what they were at when it ends. So the draws of a task tell everything of
its round, and many rounds are worked out at once, as arrays over (round, worker). What is out of the way is left to the
conversation of master and policy: the plan ends before a round that has no end, takes no time, brings no answer, lies
beyond the horizon, or in which the policy would make a mistake.

Data flows: a `Plan` and draws -> `Answers` -> `Rounds` -> round by round to the master, and by `Tally` to the ledger.
"""

import math
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.accounting import Ledger
from clustersim.engine.cohort.answers import Answers, Portion
from clustersim.engine.cohort.tally import Tally
from clustersim.engine.fleet import Round
from clustersim.errors import ClusterSimError
from clustersim.placements import Assignment
from clustersim.protocol import Plan
from clustersim.ticks import LAST, Ticks, total, totals

__all__ = ["Rounds"]

Times = NDArray[np.float64]
Numbers = NDArray[np.int64]
Weights = float | Times

_FEW = 16  # rounds that are looked at one by one before the first of them is gone through


class Rounds:
    """The rounds of a plan, in portions of as many as are drawn together.

    Parameters
    ----------
    plan : Plan
    answers : Answers
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
        Called at the end with these rounds, the version and the model of the last one, to leave the fleet as it is.

    Attributes
    ----------
    gone : int
        Rounds gone through.
    arrived : int
        Answers that have reached the master in them, once they are booked.
    """

    def __init__(
        self,
        plan: Plan,
        answers: Answers,
        assignment: Assignment,
        ledger: Ledger,
        ticks: Ticks,
        *,
        number: int,
        since: float,
        last_time: float,
        most: int,
        leave: Callable[["Rounds", int, Times], None],
    ) -> None:
        self.gone = self.arrived = 0
        self._plan = plan
        self._most = min(plan.rounds, most)
        self._answers = answers
        self._assignment = assignment
        self._vectors = None if assignment.combined else assignment.vectors
        self._ledger = ledger
        self._ticks = ticks
        self._last_time = min(last_time, LAST)
        self._leave = leave
        self._tally = Tally(ledger, assignment.workers)
        self._first, self._since = number, since
        self._before = 0  # rounds in the portions before this one
        self._rounds = self._worked_out(number, since)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._rounds)

    def __iter__(self) -> Iterator[Round]:
        """Go through the rounds."""
        while True:
            for each in self._rounds:
                self.gone += 1
                yield each
            if not self._go_on():
                return

    def _go_on(self) -> bool:
        """Work out the next portion; if there is none, all stays as it is after the last round."""
        self.book()
        if rounds := self._worked_out(self._first + len(self._rounds), self.now):
            self._since, self._first = self.now, self._first + len(self._rounds)
            self._before += len(self._rounds)
            self._rounds = rounds
        return bool(rounds)

    # ------------------------------------------------------------------ what has come of it

    @property
    def number(self) -> int:
        """The number of the tasks of the last round gone through."""
        return self._first + self.gone - self._before - 1

    @property
    def now(self) -> float:
        """When it ended, in ticks."""
        return self._rounds[self.number - self._first][0]

    @property
    def since(self) -> float:
        """When it began."""
        place = self.number - self._first
        return self._rounds[place - 1][0] if place else self._since

    def book(self) -> None:
        """Bring the ledger up to the update of the last round."""
        sent = self._ledger.sent
        self._tally.enter(self.gone - self._before)
        self.arrived += self._ledger.sent - sent

    def close(self, version: int, model: Times) -> None:
        """Leave the fleet as it is after the last round, whose tasks were to compute at this model."""
        self.book()
        self._leave(self, version, model)

    # ------------------------------------------------------------------ working out

    def _worked_out(self, number: int, now: float) -> list[Round]:
        """The rounds from this number on that are drawn together; their lines are in the tally."""
        plan, enough = self._plan, self._plan.enough
        left = self._most - self.gone
        by_count = isinstance(enough, int) and plan.patience == math.inf
        portion, place = self._answers.of(number, whole=not by_count)
        if isinstance(enough, int) and by_count and isinstance(plan.weights, float):
            first = portion.first(enough)
            if first is not None:
                rows = slice(place, place + left)
                return self._all_at_once(first[0][rows], first[1][rows], portion.lost[rows], number, now, plan.weights)
        return self._one_by_one(portion, place, left, number, now)

    def _all_at_once(
        self, workers: Numbers, times: Times, lost: list[int], number: int, now: float, weight: float
    ) -> list[Round]:
        """Rounds in each of which the same number of workers answers, and all get the same weight."""
        spans = times[:, -1]
        ends = now + np.cumsum(spans)
        good = (spans > 0.0) & (ends <= self._last_time)
        if self._plan.until < math.inf:
            good &= self._ticks.seconds(ends - spans) < self._plan.until
        rounds = len(good) if good.all() else int(good.argmin())
        if not rounds:
            return []
        workers, k = workers[:rounds], times.shape[1]
        tasks = np.broadcast_to(np.arange(number, number + rounds)[:, None], workers.shape)
        arrived = [k] * rounds
        self._tally.write(
            spans=[int(span) for span in spans[:rounds].tolist()],
            arrived=arrived,
            vectors=arrived if self._vectors is None else self._vectors[workers].sum(axis=1).tolist(),
            used=arrived,
            lost=lost[:rounds],
            ticks_used=totals(times[:rounds]),
            ticks_discarded=[0] * rounds,
        )
        return list(zip(ends.tolist(), workers, tasks, repeat(weight), strict=False))

    def _one_by_one(self, portion: Portion, place: int, left: int, number: int, now: float) -> list[Round]:
        """Rounds of which each is looked at by itself."""
        rounds: list[Round] = []
        lines: list[_Line] = []
        for row in range(place, min(len(portion), place + left, place + _FEW)):
            if self._ticks.seconds(now) >= self._plan.until:
                break
            try:
                line = self._line(portion, row, now)
            except ClusterSimError:  # the policy will come upon it when it is asked
                break
            if line is None:
                break
            now += line.span
            lines.append(line)
            tasks = np.full(len(line.used), number + row - place)
            rounds.append((now, line.used, tasks, line.weights))
        if rounds:
            self._tally.write(
                spans=[int(line.span) for line in lines],
                arrived=[line.arrived for line in lines],
                vectors=[line.vectors for line in lines],
                used=[len(line.used) for line in lines],
                lost=portion.lost[place : place + len(lines)],
                ticks_used=[line.ticks_used for line in lines],
                ticks_discarded=[line.ticks_discarded for line in lines],
            )
        return rounds

    def _line(self, portion: Portion, row: int, now: float) -> "_Line | None":
        """One round; None if it is out of the way."""
        plan, ticks = self._plan, self._ticks
        limit = math.inf
        if plan.patience < math.inf:
            limit = ticks.of(ticks.seconds(now) + plan.patience) - now
        if isinstance(plan.enough, int):
            workers, times = portion.by(row, limit)
            enough = plan.enough
        else:
            workers, times = portion.by(row, math.inf)
            enough = plan.enough(workers)
        if not enough > 0:
            return None
        span = min(limit, times.item(enough - 1) if enough <= len(times) else math.inf)
        arrived = int(times.searchsorted(span, side="right"))
        heard = workers[: min(enough, arrived)]
        if not (len(heard) and span > 0.0 and now + span <= self._last_time):
            return None
        weights = plan.weights if isinstance(plan.weights, float) else self._given(plan.weights, heard)
        useful, weights = self._assignment.useful(heard, weights)
        used, ticks_used = heard, times[: len(heard)]
        if useful is not None:
            used, ticks_used = used[useful], ticks_used[useful]
        if not (len(used) and np.isfinite(weights).all()):
            return None
        vectors = arrived if self._vectors is None else int(self._vectors[workers[:arrived]].sum())
        spent = total(ticks_used)
        return _Line(span, arrived, vectors, used, weights, spent, total(times[:arrived]) - spent)

    def _given(self, weigh: Callable[[Numbers], Weights], workers: Numbers) -> Weights:
        """The policy's weights of these answers; NaN if they are not what they have to be."""
        weights = weigh(workers)
        if isinstance(weights, float):
            return weights
        weights = np.asarray(weights, dtype=np.float64)
        wanted = len(workers) if self._vectors is None else int(self._vectors[workers].sum())
        if weights.shape == ():
            return float(weights)
        return weights if weights.shape == (wanted,) else math.nan


class _Line(NamedTuple):
    """One round, before it is entered anywhere."""

    span: float
    arrived: int
    vectors: int
    used: Numbers
    weights: Weights
    ticks_used: int
    ticks_discarded: int
