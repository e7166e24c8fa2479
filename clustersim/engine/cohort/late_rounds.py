"""Planned rounds in which stopped workers send their finished blocks, which the next update may use.

They work like `Rounds`. In addition each round passes on to the next one the messages that were in time with their
weights, and the messages of stopped workers.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.cohort.arrival_order import Portion
from clustersim.engine.cohort.rounds import FEW, Line, Rounds, Start
from clustersim.engine.fleet import Batch
from clustersim.protocol import LatePlan, Round
from clustersim.ticks import total

__all__ = ["LateRounds", "PreviousRound"]

Times = NDArray[np.float64]


class PreviousRound(NamedTuple):
    """The messages of a round, and the ticks of work spent on each."""

    messages: Round
    ticks: Times


class LateRounds(Rounds):
    """Rounds of a plan with late messages.

    Parameters
    ----------
    start : Start
        The state in which they begin.
    late : LatePlan
        How the plan uses late messages.
    shares : ndarray of float, shape (n, s) or (1, s)
        The shares of a task's time after which its blocks end.
    previous : PreviousRound
        The messages of the round before the first one.
    """

    def __init__(self, start: Start, late: LatePlan, shares: Times, previous: PreviousRound) -> None:
        self._late = late
        self._shares = shares
        self._previous = previous  # of the last computed round: messages in time, then those of stopped workers
        self._in_time: dict[int, PreviousRound] = {}  # messages in time, by the number of the round
        super().__init__(start)

    def kept(self, version: int, model: Times) -> tuple[Batch, Times]:
        """Return the messages of the last round that were in time, and their weights."""
        (_, workers, blocks, used), ticks = self._in_time[self.number]
        numbers, versions = np.full(len(workers), self.number), np.full(len(workers), version)
        weights = np.zeros(len(workers))
        weights[: len(used)] = used
        return Batch(workers, numbers, versions, blocks, ticks, {version: model}).sealed(), weights

    def _line(self, portion: Portion, row: int, number: int, now: float) -> Line | None:
        """Compute one round; None if it is unusual."""
        arrivals = self._arrivals(portion, row, now)
        if arrivals is None:
            return None
        span, workers, times, enough = arrivals
        weights = np.full(enough, self._weights(workers[:enough]))
        chosen = weights != 0.0
        if not (chosen.any() and np.isfinite(weights).all()):
            return None
        late_part = self._late_part(number - 1)
        if late_part is None:
            return None
        late, updates = late_part
        used = workers[:enough][chosen]
        updates["compute_used"] += total(times[:enough][chosen])
        updates |= {"sent": len(workers), "sent_vectors": len(workers), "used": len(used)}
        blocks = np.full(len(workers), self._shares.shape[1])
        in_time = PreviousRound(Round(np.arange(len(workers)), workers, blocks, weights), times)
        self._in_time.pop(number - 2 * FEW, None)
        self._in_time[number] = in_time
        ends = self._stop(portion, row, span, in_time)
        return Line(span, (used, weights[chosen], np.full(len(used), number)), late, updates, ends)

    def _late_part(self, number: int) -> tuple[tuple[Any, ...] | None, dict[str, int]] | None:
        """Return the messages of the previous round that the update uses, and the amounts for the ledger.

        None if the policy's weights of these messages are invalid.
        """
        (_, workers, blocks, before), ticks = self._previous
        weights = self._late.weights(self._previous.messages)
        try:
            weights = np.zeros(len(workers)) if weights is None else np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            return None
        if weights.shape != (len(workers),) or not np.isfinite(weights).all():
            return None
        again = weights != 0.0
        unused = np.ones(len(workers), dtype=np.bool_)
        unused[: len(before)] = before == 0.0
        first, discarded = again & unused, unused & ~again
        count = int(np.count_nonzero(first))
        chosen = workers[again]
        late = (chosen, weights[again], np.full(len(chosen), number), blocks[again]) if len(chosen) else None
        return late, {
            "used_late": count,
            "staleness": count,
            "used_partial": int(np.count_nonzero(blocks[first] < self._shares.shape[1])),
            "discarded": int(np.count_nonzero(discarded)),
            "compute_used": total(ticks[first]),
            "compute_wasted": total(ticks[discarded]),
        }

    def _stop(self, portion: Portion, row: int, span: float, in_time: PreviousRound) -> dict[str, int]:
        """Stop the unfinished workers, which send their finished blocks; return the amounts for the ledger."""
        times = portion.times(row)
        stopped = np.flatnonzero((times > span) & (times < np.inf))
        times = times[stopped]
        shares = self._shares if len(self._shares) == 1 else self._shares[stopped]
        done = np.count_nonzero(np.rint(times[:, None] * shares) <= span, axis=1)
        cut = done > 0
        senders, blocks = stopped[cut], done[cut]
        ticks = np.rint(times[cut] * (shares[0, blocks - 1] if len(shares) == 1 else shares[cut, blocks - 1]))
        messages, spent = in_time
        workers = np.concatenate((messages.workers, senders))
        previous = Round(np.arange(len(workers)), workers, np.concatenate((messages.blocks, blocks)), messages.used)
        self._previous = PreviousRound(previous, np.concatenate((spent, ticks)))
        left, sent = self._assignment.workers - len(messages.workers), len(senders)
        return {
            "sent": sent,
            "sent_vectors": sent,
            "partial": sent,
            "cancelled": len(stopped) - sent,
            "lost": left - len(stopped),
            "compute_wasted": left * int(span) - total(ticks),
        }
