"""Answers that have reached the master and may still be used."""

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.fleet import Batch

__all__ = ["Inbox", "Positions"]

Positions = NDArray[np.int64] | slice
"""Which answers: their positions, or all of them as a slice, so that the usual case copies nothing."""

_ALL = slice(None)


class Inbox:
    """The answers in the master's hands, in the order of their names: columns of equal length.

    Attributes
    ----------
    name : ndarray of int
        Number of each in the order of arrival over the whole run.
    worker, task, version, blocks : ndarray of int
        See `Batch`.
    compute : ndarray of float
        Ticks of work behind each.
    models : dict of int to ndarray
        The model of each version among them.
    before : int
        How many were held before the last batch came.
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
        self._used: NDArray[np.bool_] | bool = False  # of each whether an update has used it, or of all
        self._count = 0
        self._new: list[tuple[NDArray[np.int64], Batch]] = []  # not yet in the columns: many may come one by one
        self.models: dict[int, NDArray[np.float64]] = {}

    def add(self, batch: Batch) -> NDArray[np.int64]:
        """Take in a batch; returns the names of its answers."""
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
        """So many answers have come and gone in planned rounds."""
        self._next_name += count

    def begin_with(self, batch: Batch, used: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Hold nothing but a batch, some of which has been used; returns the names of its answers."""
        self._clear()
        names = self.add(batch)
        self._used = used
        return names

    def _join(self) -> None:
        """Put into the columns what has come since."""
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
        """Positions of the named answers, or None if one of them is not here, or named twice."""
        if self._new:
            self._join()
        held = self.name
        if names is held:
            return _ALL
        names = np.asarray(names)
        if names.ndim != 1 or (len(names) and names.dtype.kind not in "iu"):
            return None
        if len(names) == len(held) and np.count_nonzero(names == held) == len(held):
            return _ALL
        positions = np.searchsorted(held, names)
        if len(positions) and positions.max() >= len(held):
            return None
        here = bool((held[positions] == names).all())
        return positions if here and not (len(positions) > 1 and np.bincount(positions).max() > 1) else None

    def use(self, positions: Positions) -> Positions:
        """Note that an update uses the answers at `positions`; returns those of them that none has used before."""
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
        """Throw away all but the answers at the positions `keep`.

        Returns
        -------
        names : ndarray of int
            Of the answers thrown away unused.
        compute : ndarray of float
            Ticks of work behind each of those.
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
