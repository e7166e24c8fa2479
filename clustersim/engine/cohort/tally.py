"""What planned rounds come to: a line a round, entered into the ledger bit by bit.

A line holds what happens from the dispatch that opens a round to its update. That dispatch also calls off what workers
have not finished of the round before, and it is only then that the ledger learns of answers lost in that round.
"""

from clustersim.engine.accounting import Ledger

__all__ = ["Tally"]


class Tally:
    """Lines that wait to be entered.

    Parameters
    ----------
    ledger : Ledger
        It holds the dispatch of the very first round already, and the losses of that.
    workers : int
        n; all of them take part in every round.
    """

    def __init__(self, ledger: Ledger, workers: int) -> None:
        self._ledger = ledger
        self._workers = workers
        self._columns: dict[str, list[int]] = {}
        self._entered = 0
        self._before: tuple[int, int, int] | None = None  # the round before: called off, lost, ticks called off

    def write(
        self,
        *,
        spans: list[int],
        arrived: list[int],
        vectors: list[int],
        used: list[int],
        lost: list[int],
        ticks_used: list[int],
        ticks_discarded: list[int],
    ) -> None:
        """Write the lines of further rounds, in place of those before, all of which have been entered.

        Parameters
        ----------
        spans : list of int
            How long each round takes, in ticks.
        arrived, vectors, used, lost : list of int
            Answers that reach the master, the vectors in them, answers that it uses, and workers that never answer.
        ticks_used, ticks_discarded : list of int
            Ticks of work behind answers that are used, and behind those that are not.
        """
        n = self._workers
        called_off = [n - came - never for came, never in zip(arrived, lost, strict=True)]
        dropped = [span * (n - came) for span, came in zip(spans, arrived, strict=True)]
        opened = [n] * len(spans)
        if self._before is None:
            opened[0], lost, self._before = 0, [0, *lost[1:]], (0, 0, 0)
        before, self._before = self._before, (called_off[-1], lost[-1], dropped[-1])
        self._entered = 0
        self._columns = {
            "dispatched": opened,
            "cancelled": [before[0], *called_off[:-1]],
            "lost": [before[1], *lost[:-1]],
            "compute_wasted": [a + b for a, b in zip((before[2], *dropped), ticks_discarded, strict=False)],
            "sent": arrived,
            "sent_vectors": vectors,
            "used": used,
            "discarded": [came - made for came, made in zip(arrived, used, strict=True)],
            "compute_used": ticks_used,
        }

    def enter(self, rounds: int) -> None:
        """Enter the first so many lines, as far as they have not been entered."""
        ledger, new = self._ledger, slice(self._entered, rounds)
        for name, column in self._columns.items():
            setattr(ledger, name, getattr(ledger, name) + sum(column[new]))
        self._entered = rounds
