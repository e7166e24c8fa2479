"""The inbox of the master: messages that have arrived and may still be used.

A `Batch` from the fleet flows in; the model reads the columns; the names of discarded messages flow out.
"""

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.fleet import Batch

__all__ = ["Inbox", "Positions"]

Positions = NDArray[np.int64] | slice
"""Positions of messages in the inbox, or a slice of all of them, so that the usual case copies nothing."""

_ALL = slice(None)


class Inbox:
    """The messages that the master keeps, in the order of their names, as columns of equal length.

    Attributes
    ----------
    name : ndarray of int
        The name of each message: its number in the order of arrival over the whole run.
    worker, task, version, blocks : ndarray of int
        See `Batch`.
    compute : ndarray of float
        Ticks of work spent on the blocks in each message.
    models : dict of int to ndarray
        The model of each version among them.
    before : int
        How many messages were in the inbox before the last batch arrived.
    """

    name: NDArray[np.int64]
    worker: NDArray[np.int64]
    task: NDArray[np.int64]
    version: NDArray[np.int64]
    blocks: NDArray[np.int64]
    compute: NDArray[np.float64]

    def __init__(self) -> None:
        self._next_name = self.before = 0
        self._clear()

    def _clear(self) -> None:
        self.name = self.worker = self.task = self.version = self.blocks = _NONE
        self.compute = _NO_TIME
        self._used: NDArray[np.bool_] | bool = False  # for each message, or for all, whether an update has used it
        self._count = 0
        self._new: list[tuple[NDArray[np.int64], Batch]] = []  # batches that are not in the columns yet
        self.models: dict[int, NDArray[np.float64]] = {}

    def add(self, batch: Batch) -> NDArray[np.int64]:
        """Add a batch; return the names of its messages."""
        first = self._next_name
        self._next_name = first + len(batch.workers)
        self.before, self._count = self._count, self._count + len(batch.workers)
        names = np.arange(first, self._next_name)
        names.flags.writeable = False
        if len(self.name):
            self._new.append((names, batch))
        else:
            self.name = names
            self.worker, self.task, self.version, self.blocks, self.compute, self.models = batch
            self._used = False
        return names

    def skip(self, count: int) -> None:
        """Skip the names of messages that arrived, and were used or discarded, in planned rounds."""
        self._next_name += count

    def begin_with(self, batch: Batch, used: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Replace the content by a batch, some of which has been used; return the names of its messages."""
        self._clear()
        names = self.add(batch)
        self._used = used
        return names

    def _join(self) -> None:
        """Append the new batches to the columns."""
        names, batches = zip(*self._new, strict=True)
        count = sum(map(len, names))
        if self._used is not False:
            used = self._flags(self._used, len(self.name))
            self._used = np.concatenate((used, np.zeros(count, dtype=np.bool_)))
        self.name = np.concatenate((self.name, *names))
        for place, column in enumerate(_COLUMNS[1:]):
            setattr(self, column, np.concatenate((getattr(self, column), *(batch[place] for batch in batches))))
        self.models = self.models.copy()
        for batch in batches:
            self.models.update(batch.models)
        self._new = []

    def find(self, names: NDArray[np.int64]) -> Positions | None:
        """Return the positions of the named messages, or None if one of them is not here, or is named twice."""
        if self._new:
            self._join()
        present = self.name
        if names is present:
            return _ALL
        names = np.asarray(names)
        if names.ndim != 1 or (len(names) and names.dtype.kind not in "iu"):
            return None
        if len(names) == len(present) and np.count_nonzero(names == present) == len(present):
            return _ALL
        positions = np.searchsorted(present, names)
        if len(positions) and positions.max() >= len(present):
            return None
        here = bool((present[positions] == names).all())
        return positions if here and not (len(positions) > 1 and np.bincount(positions).max() > 1) else None

    def use(self, positions: Positions) -> Positions:
        """Mark the messages at `positions` as used; return the positions of those that no update has used before."""
        used = self._used
        if isinstance(positions, slice) and used is False:
            self._used = True
            return positions
        flags = self._flags(used, len(self.name))
        fresh = np.arange(len(flags))[positions]
        fresh = fresh[~flags[fresh]]
        flags[fresh] = True
        self._used = flags
        return fresh

    def release(self, keep: Positions | None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Drop all messages but those at the positions `keep`.

        Returns
        -------
        names : ndarray of int
            Names of the dropped messages that no update has used.
        compute : ndarray of float
            Ticks of work spent on each of those.
        """
        if self._new:
            self._join()
        if keep is None and self._used is True:
            self._clear()
            return _NONE, _NO_TIME
        used = self._flags(self._used, len(self.name))
        staying = np.zeros(len(used), dtype=np.bool_)
        if keep is not None:
            staying[keep] = True
        unused = ~(staying | used)
        names, compute = self.name[unused], self.compute[unused]
        for column in _COLUMNS:
            setattr(self, column, getattr(self, column)[staying])
        self._used = used[staying]
        self._count = len(self.name)
        versions = set(self.version.tolist())
        self.models = {version: model for version, model in self.models.items() if version in versions}
        return names, compute

    @staticmethod
    def _flags(used: NDArray[np.bool_] | bool, count: int) -> NDArray[np.bool_]:
        return np.full(count, used) if isinstance(used, bool) else used


_COLUMNS = ("name", "worker", "task", "version", "blocks", "compute")
_NONE = np.empty(0, dtype=np.int64)
_NO_TIME = np.empty(0)
