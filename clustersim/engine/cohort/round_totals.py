"""What planned rounds come to: a line a round, entered into the ledger bit by bit.

A round is opened by a dispatch and ends with an update. Work that its end cancels is booked by the dispatch that
cancels it, so it counts in the line of the next round.
"""

from clustersim.engine.accounting import Ledger

__all__ = ["Columns", "RoundTotals"]

Columns = dict[str, list[int]]
"""Amounts by the name of a total of the ledger, one a round."""


class RoundTotals:
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
        self._columns: Columns = {}
        self._entered = 0
        self._carried: dict[str, int] | None = None  # what the end of the round before does

    def write(self, updates: Columns, ends: Columns) -> None:
        """Write the lines of further rounds, in place of those before, all of which have been entered.

        Parameters
        ----------
        updates : dict of str to list of int
            What is true once the update of each round is made.
        ends : dict of str to list of int
            What the end of each round does to workers that have not finished.
        """
        rounds = len(next(iter(updates.values())))
        dispatched = [self._workers] * rounds
        if self._carried is None:
            dispatched[0], ends["lost"][0], self._carried = 0, 0, {}
        self._columns = {"dispatched": dispatched, **updates}
        for name, amounts in ends.items():
            shifted = [self._carried.get(name, 0), *amounts[:-1]]
            if name in updates:
                shifted = [a + b for a, b in zip(shifted, updates[name], strict=True)]
            self._columns[name] = shifted
        self._carried = {name: amounts[-1] for name, amounts in ends.items()}
        self._entered = 0

    def enter(self, rounds: int) -> None:
        """Enter the first so many lines, as far as they have not been entered."""
        ledger, new = self._ledger, slice(self._entered, rounds)
        for name, column in self._columns.items():
            setattr(ledger, name, getattr(ledger, name) + sum(column[new]))
        if ledger.used_late:
            ledger.max_staleness = max(1, ledger.max_staleness)  # an answer may be late by one round, not by more
        self._entered = rounds
