"""Answers that have reached the master and may still be used."""

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.fleet import Batch

__all__ = ["Held"]


_COLUMNS = np.dtype(
    [
        ("name", np.int64),
        ("worker", np.int64),
        ("task", np.int64),
        ("version", np.int64),
        ("blocks", np.int64),
        ("compute", np.float64),
        ("used", np.bool_),
    ]
)


class Held:
    """The answers in the master's hands, in the order of their names.

    Attributes
    ----------
    table : structured ndarray
        One row an answer. ``name``: its number in the order of arrival over the whole run; ``worker``; ``task``;
        ``version``; ``blocks``: how many it brings; ``compute``: the worker seconds behind it; ``used``: whether an
        update has used it.
    models : dict of int to ndarray
        The model of each version among them.
    """

    def __init__(self) -> None:
        self._next_name = 0
        self.models: dict[int, NDArray[np.float64]] = {}
        self.table = np.empty(0, dtype=_COLUMNS)

    def add(self, batch: Batch) -> NDArray[np.int64]:
        """Take in a batch; returns the names of its answers."""
        count = len(batch.workers)
        names = np.arange(self._next_name, self._next_name + count)
        self._next_name += count
        rows = np.zeros(count, dtype=_COLUMNS)
        rows["name"], rows["worker"], rows["task"] = names, batch.workers, batch.tasks
        rows["version"], rows["blocks"], rows["compute"] = batch.versions, batch.blocks, batch.compute
        self.table = np.concatenate((self.table, rows)) if len(self.table) else rows
        self.models.update(batch.models)
        return names

    def find(self, names: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Positions of the named answers, or None if one of them is not here."""
        held = self.table["name"]
        positions = np.searchsorted(held, names)
        if len(positions) and positions.max() >= len(held):
            return None
        return positions if bool((held[positions] == names).all()) else None

    def release(self, keep: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Throw away all but the answers at the positions `keep`.

        Returns
        -------
        names : ndarray of int
            Of the answers thrown away unused.
        compute : ndarray of float
            Worker seconds behind each of those.
        """
        staying = np.zeros(len(self.table), dtype=np.bool_)
        if keep is not None:
            staying[keep] = True
        unused = self.table[~staying & ~self.table["used"]]
        self.table = self.table[staying]
        versions = set(self.table["version"].tolist())
        self.models = {version: model for version, model in self.models.items() if version in versions}
        return unused["name"], unused["compute"]
