"""The messages under way in order of arrival, sorted lazily: only as far as the order is needed.

Of n messages under way the master may want the first k. One pass over all messages splits these off, and only they are
sorted. The next pass splits off at least twice as many, so that a master that wants one message at a time needs few
passes.
"""

import math

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.cohort.task_table import TaskTable

__all__ = ["ArrivalQueue"]

_SORT_ALL = 256  # up to this number of messages all are sorted
_MOST = 1024  # the greatest number of messages that are split off for a master that wants one at a time
_FEW = 4  # up to this number of messages, new ones are inserted, and arrived ones counted, one by one


class ArrivalQueue:
    """The next messages in order of arrival, then of worker number.

    Parameters
    ----------
    tasks : TaskTable
        The table whose column ``arrived`` is sorted.
    """

    def __init__(self, tasks: TaskTable) -> None:
        self._tasks = tasks
        self._rows: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._times: NDArray[np.float64] = np.empty(0)
        self._next = 0  # the position of the first message in these that has not been taken
        self._until = -math.inf  # all messages that arrive by this time are in these
        self._length = 0

    def forget(self) -> None:
        """Forget the order, since messages were cancelled or rows have moved."""
        self._until = -math.inf
        self._next, self._rows, self._times = 0, self._rows[:0], self._times[:0]
        self._length = 0

    def insert(self, rows: NDArray[np.int64]) -> None:
        """Add further messages."""
        if self._until == -math.inf:
            return
        if len(rows) <= min(_FEW, self._next):
            for row in rows.tolist():
                self._put(row)
            return
        times = self._tasks.arrived[rows]
        if self._until < math.inf:
            soon = times <= self._until
            rows, times = rows[soon], times[soon]
        if not len(rows):
            return
        front = self._rows[self._next : int(self._times.searchsorted(math.inf))]
        self._sort(np.concatenate((front, rows)))

    def _put(self, row: int) -> None:
        """Insert one message: move the messages before it by one place, over one that has been taken."""
        tasks, rows, times, first = self._tasks, self._rows, self._times, self._next
        at = tasks.arrived.item(row)
        if at > self._until or at == math.inf:
            return
        place, who = int(times.searchsorted(at, side="right")) - 1, (tasks.worker[row], tasks.number[row])
        while place >= first and times[place] == at and (tasks.worker[rows[place]], tasks.number[rows[place]]) > who:
            place -= 1
        rows[first - 1 : place], times[first - 1 : place] = rows[first : place + 1], times[first : place + 1]
        rows[place], times[place] = row, at
        self._next = first - 1

    def nth(self, count: int) -> float:
        """Return when the `count`-th further message arrives, in ticks; infinite if there are fewer."""
        if self._next + count > len(self._rows) and self._until < math.inf:
            self._split(count)
        last = self._next + count - 1
        return float(self._times[last]) if last < len(self._rows) else math.inf

    def take(self, now: float) -> NDArray[np.int64]:
        """Return the rows of the messages that have arrived by now, and remove them from the queue."""
        if self._until < now:
            self._split(1, now)
        first, times = self._next, self._times
        end, few = first, min(first + _FEW, len(times))
        while end < few and times.item(end) <= now:
            end += 1
        if end == first + _FEW:
            end += int(times[end:].searchsorted(now, side="right"))
        self._next = end
        return self._rows[first:end]

    def _split(self, count: int, now: float = -math.inf) -> None:
        """Sort at least the next `count` messages, and all that arrive by `now`."""
        tasks = self._tasks
        arrived = tasks.arrived[: tasks.size]
        self._length = max(count, min(2 * self._length, _MOST))
        if len(arrived) <= _SORT_ALL or self._length >= len(arrived) >> 2:
            self._until = math.inf
            rows = (arrived < math.inf).nonzero()[0]
        else:
            self._until = max(now, float(np.partition(arrived, self._length - 1)[self._length - 1]))
            rows = (arrived <= self._until).nonzero()[0]
        self._sort(rows)

    def _sort(self, rows: NDArray[np.int64]) -> None:
        """Make these rows the sorted part of the queue."""
        tasks = self._tasks
        times = tasks.arrived[rows]
        order = times.argsort()  # the fastest sort; it leaves equal times in any order
        ordered = times[order]
        if (ordered[1:] == ordered[:-1]).any():
            order = np.lexsort((tasks.number[rows], tasks.worker[rows], times))
            ordered = times[order]
        self._rows, self._times, self._next = rows[order], ordered, 0
