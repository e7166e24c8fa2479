"""The amounts that planned rounds add to the ledger, one line for each round.

A round begins with a dispatch and ends with an update. The next dispatch cancels the work that is unfinished at the end
of a round. This work therefore counts in the line of the next round.
"""

from clustersim.engine.accounting import Ledger

__all__ = ["Columns", "RoundTotals"]

Columns = dict[str, list[int]]
"""Amounts by the name of an entry of the ledger, one for each round."""


class RoundTotals:
    """Lines of planned rounds, which are added to the ledger when the master has gone through the rounds.

    Parameters
    ----------
    ledger : Ledger
        It already contains the dispatch of the first round, and the losses of that dispatch.
    workers : int
        n; all of them take part in every round.

    Attributes
    ----------
    entered : int
        The number of lines that have been added to the ledger.
    """

    def __init__(self, ledger: Ledger, workers: int) -> None:
        self._ledger = ledger
        self._workers = workers
        self._columns: Columns = {}
        self.entered = 0
        self._carried: dict[str, int] | None = None  # what the end of the previous round adds

    def write(self, updates: Columns, ends: Columns) -> None:
        """Replace the lines, all of which have been added to the ledger, by those of further rounds.

        Parameters
        ----------
        updates : dict of str to list of int
            The amounts of each round up to its update.
        ends : dict of str to list of int
            The amounts of the tasks that are unfinished at the end of each round.
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
        self.entered = 0

    def enter(self, rounds: int) -> None:
        """Add the first `rounds` lines to the ledger, except those that were added before."""
        ledger, new = self._ledger, slice(self.entered, rounds)
        for name, column in self._columns.items():
            setattr(ledger, name, getattr(ledger, name) + sum(column[new]))
        if ledger.used_late:
            ledger.max_staleness = max(1, ledger.max_staleness)  # a message is late by one round at most
        self.entered = rounds
