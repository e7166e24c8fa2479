"""Who answers when, among workers that begin together: draws in order."""

import numpy as np
from numpy.typing import NDArray

from clustersim.draws import Draws

__all__ = ["Ranks"]

Times = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Ranks:
    """The workers of each task in order of their draws; all rows of a block are sorted by one call.

    Parameters
    ----------
    draws : Draws
        Of times.
    """

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._first = -1
        self._order: Numbers = np.empty((0, 0), dtype=np.int64)
        self._times: Times = np.empty((0, 0))

    def of(self, task: int) -> tuple[Numbers, Times]:
        """The workers in order of their draws for `task`, equal draws by worker number, and the draws in that order."""
        offset = task - self._first
        if not 0 <= offset < len(self._order):
            self._first, block = self._draws.block(task)
            self._order, self._times = _sorted(block)
            offset = task - self._first
        return self._order[offset], self._times[offset]


def _sorted(block: Times) -> tuple[Numbers, Times]:
    """Each row's order, equal draws in the order of the columns, and the ordered rows."""
    order = block.argsort(axis=1)  # the fastest way to sort; it leaves equal draws in any order
    ranked = np.take_along_axis(block, order, axis=1)
    if (ranked[:, 1:] == ranked[:, :-1]).any():
        order = block.argsort(axis=1, kind="stable")
    return order, ranked
