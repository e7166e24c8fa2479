"""The order of arrival in rounds that all workers begin together, for many rounds at once.

The order is sorted lazily: only as far as it is needed. For few workers, whole rows of times are sorted. For many, only
the first k are selected. Where times are an increasing function of uniform draws, the selection uses the draws: the
fastest k of a million workers are then known before a single logarithm is computed.

Data flows: `DrawCache` of compute times -> `Portion` -> `clustersim.engine.cohort.rounds`.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clustersim.draw_cache import DrawCache
from clustersim.engine.delays import Keys

__all__ = ["ArrivalOrder", "Portion", "in_order"]

_SORTED = 128  # the greatest number of workers for which whole rows are sorted
_MANY = 8  # if more than one in eight neighbours are equal, one stable sort puts all of them in order
_APART = 1e-14  # fraction of a time: draws whose times differ by more are certainly in the order of their times

Times = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Portion:
    """The times of arrival in consecutive rounds.

    Parameters
    ----------
    times : ndarray of float, shape (rounds, n)
        When each worker answers, in ticks since the round began; infinite if it never does.
    """

    def __init__(self, times: Times) -> None:
        self._times = times

    def __len__(self) -> int:
        """The number of rounds."""
        return len(self._times)

    def first(self, k: int) -> tuple[Numbers, Times] | None:
        """Return the first k workers of each round, in order of arrival, and their times in ticks.

        Returns
        -------
        workers : ndarray of int, shape (rounds, k)
        times : ndarray of float, shape (rounds, k)
            Both are None if in any round another worker answers at the same time as the k-th, or fewer than k answer.
        """
        last = np.partition(self._times, k - 1, axis=1)[:, k - 1]
        return _firsts(self._times, last, k) if np.isfinite(last).all() else None

    def by(self, place: int, span: float) -> tuple[Numbers, Times]:
        """Return who answers within `span` in the round at `place`, and when; in order of arrival, then of number."""
        times = self._times[place]
        workers = (times <= span).nonzero()[0] if span < np.inf else np.isfinite(times).nonzero()[0]
        order, ranked = in_order(times[workers])
        return workers[order], ranked

    def times(self, place: int) -> Times:
        """Return when each worker answers in the round at `place`, in order of worker numbers."""
        row: Times = self._times[place]
        return row

    @cached_property
    def lost(self) -> list[int]:
        """The number of workers that never answer, for each round."""
        never: list[int] = np.count_nonzero(np.isinf(self._times), axis=1).tolist()
        return never


class _Sorted(Portion):
    """Rounds of few workers: one call sorts all rows."""

    def __init__(self, times: Times) -> None:
        super().__init__(times)
        self._order, self._ranked = in_order(times)

    def first(self, k: int) -> tuple[Numbers, Times] | None:
        """Return the first k workers of each round and their times, or None, see `Portion.first`."""
        ranked = self._ranked
        if not (ranked[:, k - 1] < (ranked[:, k] if k < ranked.shape[1] else np.inf)).all():
            return None
        return self._order[:, :k], ranked[:, :k]

    def by(self, place: int, span: float) -> tuple[Numbers, Times]:
        """Return who answers within `span` in the round at `place`, and when; in order of arrival, then of number."""
        ranked = self._ranked[place]
        end = int(ranked.searchsorted(span, side="right" if span < np.inf else "left"))
        return self._order[place, :end], ranked[:end]


class _Keyed(Portion):
    """Rounds whose times are an increasing function of uniform draws; only the first k draws are turned into times.

    Parameters
    ----------
    keys : ndarray of float, shape (rounds, n)
        The uniform draws.
    timed : callable
        The increasing function that turns draws into times in ticks.
    """

    def __init__(self, keys: Times, timed: Callable[[Times], Times]) -> None:
        self._keys = keys
        self._timed = timed

    @cached_property
    def _times(self) -> Times:  # type: ignore[override]  # computed only where the draws do not decide the order
        return self._timed(self._keys)

    def __len__(self) -> int:
        """The number of rounds."""
        return len(self._keys)

    @cached_property
    def lost(self) -> list[int]:
        """The number of workers that never answer, for each round: none, since these times are finite."""
        return [0] * len(self)

    def first(self, k: int) -> tuple[Numbers, Times] | None:
        """Return the first k workers of each round and their times, or None, see `Portion.first`."""
        keys = self._keys
        if k == keys.shape[1]:
            return _firsts(keys, keys.max(axis=1), k, self._timed)
        split = np.partition(keys, k, axis=1)
        key = split[:, :k].max(axis=1)
        last, after = self._timed(key), self._timed(split[:, k].copy())
        if not (after > last * (1.0 + _APART) + 1.0).all():
            return super().first(k)
        return _firsts(keys, key, k, self._timed)


class ArrivalOrder:
    """The order of arrival in all rounds of a run.

    Parameters
    ----------
    draws : DrawCache
        Compute times in ticks.
    keys : Keys, optional
        The uniform draws, if compute times are an increasing function of them.
    workers : int
        n.
    """

    def __init__(self, draws: DrawCache, keys: Keys | None, workers: int) -> None:
        self._draws = draws
        self._keys = keys if workers > _SORTED else None
        self._kind = _Sorted if workers <= _SORTED else Portion
        self._first = -1
        self._latest: Portion = Portion(np.empty((0, workers)))

    def of(self, number: int, *, whole: bool) -> tuple[Portion, int]:
        """Return the rounds that are drawn together with the round of this task number, and its place among them.

        Parameters
        ----------
        number : int
            The number of the tasks of the round.
        whole : bool
            Whether `Portion.by` will be called, and not only `Portion.first`.
        """
        if not 0 <= number - self._first < len(self._latest):
            if self._keys is None or whole:
                self._first, block = self._draws.block(number)
                self._latest = self._kind(block)
            else:
                self._first, block = self._keys.draws.block(number)
                self._latest = _Keyed(block, self._keys.timed)
        return self._latest, number - self._first


def in_order(times: Times) -> tuple[Numbers, Times]:
    """Return the stable order of times along the last axis, and the times in that order."""
    order = times.argsort(axis=-1)  # the fastest way to sort; it leaves equal times in any order
    ranked = np.take_along_axis(times, order, axis=-1)
    equal = ranked[..., 1:] == ranked[..., :-1]
    if not (count := np.count_nonzero(equal)):
        return order, ranked
    if _MANY * count > equal.size:
        return times.argsort(axis=-1, kind="stable"), ranked
    tied = np.zeros(times.shape, dtype=np.bool_)
    tied[..., 1:] = equal
    tied[..., :-1] |= equal
    numbers = order[tied]
    order[tied] = numbers[np.lexsort((numbers, ranked[tied], *tied.nonzero()[:-1]))]
    return order, ranked


def _firsts(
    rows: Times, last: Times, k: int, timed: Callable[[Times], Times] | None = None
) -> tuple[Numbers, Times] | None:
    """Return the k entries of each row up to `last`, in order, as times; None if a row has more or fewer of them."""
    near = np.flatnonzero(rows <= last[:, None])
    if len(near) != k * len(rows):
        return None
    workers = near.reshape(-1, k) - rows.shape[1] * np.arange(len(rows))[:, None]
    times = np.take_along_axis(rows, workers, axis=1)
    if timed is not None:
        times = timed(times)
    order, ranked = in_order(times)
    return np.take_along_axis(workers, order, axis=1), ranked
