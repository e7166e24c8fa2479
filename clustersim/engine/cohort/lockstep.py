"""The plainest case, and the most frequent: every worker gets each model at once and drops what it was at.

Then all tasks are of one version and began together, so that the order of their ends is the order of their draws, and a
few numbers tell what `TaskTable` would say n times over. They are written out there as soon as anything else happens.
"""

import math

import numpy as np
from numpy.typing import NDArray

from clustersim.draws import Draws
from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.cohort.arrival_queue import ArrivalQueue
from clustersim.engine.cohort.ranks import Ranks
from clustersim.engine.cohort.task_table import ANSWER, LOST, RESTART, TaskTable
from clustersim.engine.fleet import Batch

__all__ = ["Lockstep"]

_RANKED = 1024  # up to so many workers the draws are sorted, block by block; of more, only the first are looked for
_INTEGER = np.dtype(np.int64)


class Lockstep:
    """A round of tasks that all workers began together, at once.

    Parameters
    ----------
    tasks : TaskTable
        Its columns are not kept up to date while there is a round; `write_out` does that.
    order : ArrivalQueue
        Of these tasks.
    draws : Draws
        Compute times.
    ledger : Ledger
    blocks : int
        Blocks of a task; all of them come at once here.

    Attributes
    ----------
    on : bool
        Whether there is such a round.
    next : int or None
        The number of the next task, while it is the same for all workers.
    """

    def __init__(self, tasks: TaskTable, order: ArrivalQueue, draws: Draws, ledger: Ledger, blocks: int) -> None:
        self.on = False
        self.next: int | None = 0
        self._tasks = tasks
        self._order = order
        self._draws = draws
        self._in_order = Ranks(draws)
        self._ledger = ledger
        self._ranked = tasks.workers <= _RANKED
        self._blocks = np.full(tasks.workers, blocks)
        self._number = self._version = self._wave = self._lost = self._taken = self._asked = 0
        self._models: dict[int, NDArray[np.float64]] = {}
        self._since = 0.0
        self._ranks: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._times: NDArray[np.float64] = np.empty(0)

    def begin(self, version: int, model: NDArray[np.float64], wave: int, now: float) -> int:
        """All workers drop what they are at and begin their next task.

        Returns
        -------
        int
            How many messages will not arrive: those that are dropped, and those of new tasks that never end.
        """
        gone = self._stop(now) if self.on else 0
        assert self.next is not None  # noqa: S101 - the caller has looked
        self._number = number = self.next
        self.on, self.next, self._taken = True, number + 1, 0
        self._version, self._wave, self._since = version, wave, now
        self._models = {version: model}
        if self._ranked:
            self._ranks, self._times = self._in_order.of(number)
            last = self._times.item(-1)
        else:
            self._times = self._draws.array(number)
            np.add(now, self._times, out=self._tasks.arrived[: self._tasks.workers])
            self._order.forget()
            last = float(self._times.max())
        self._lost = 0
        if last == math.inf:
            self._lost = int(np.count_nonzero(np.isinf(self._times)))
            self._ledger.lost += self._lost
        return gone + self._lost

    def nth(self, count: int) -> float:
        """When the `count`-th further answer arrives; infinite if there are fewer."""
        if not self._ranked:
            return self._order.nth(count)
        self._asked = last = self._taken + count - 1
        return self._since + self._times.item(last) if last < len(self._times) else math.inf

    def collect(self, now: float) -> Batch | None:
        """Answers that have arrived by now, None if there are none; they are not told again."""
        if self._ranked:
            first, end = self._taken, self._arrived_by(now)
            workers, compute = self._ranks[first:end], self._times[first:end]
        else:
            workers = self._order.take(now)
            self._tasks.arrived[workers] = math.inf
            compute = self._times[workers]
        count = len(workers)
        if not count:
            return None
        self._taken += count
        tasks = versions = _equal(self._number, count)
        if self._version != self._number:
            versions = _equal(self._version, count)
        return Batch(workers, tasks, versions, self._blocks[:count], compute, self._models).sealed()

    def _arrived_by(self, now: float) -> int:
        """How many answers have arrived by now."""
        since, times = self._since, self._times
        end, n = self._asked + 1, len(times)
        if end > n or since + times.item(end - 1) > now:
            return int((since + times).searchsorted(now, side="right"))
        while end < n and since + times.item(end) <= now:
            end += 1
        return end

    def _stop(self, now: float) -> int:
        """All who are still at work drop it; returns how many messages will not arrive for that."""
        at_work = self._tasks.workers - self._taken
        self._ledger.compute_wasted += int(now - self._since) * at_work
        self._ledger.cancelled += at_work - self._lost
        return at_work - self._lost

    def write_out(self) -> None:
        """Fill in the columns."""
        if not self.on:
            return
        self.on = False
        tasks, lane, since = self._tasks, slice(0, self._tasks.workers), self._since
        compute = self._draws.array(self._number)
        endless, ended = np.isinf(compute), since + compute
        if self._ranked:
            tasks.arrived[lane] = ended
            tasks.arrived[self._ranks[: self._taken]] = math.inf
        answered = np.isinf(tasks.arrived[lane]) & ~endless
        tasks.number[lane], tasks.version[lane] = self._number, self._version
        tasks.received[lane] = tasks.started[lane] = since
        tasks.compute[lane], tasks.ended[lane] = compute, ended
        tasks.settled[lane] = np.where(endless, since, ended)
        tasks.wave[lane] = self._wave
        tasks.busy[lane] = RESTART
        tasks.fate[lane] = np.where(endless, LOST, ANSWER)
        tasks.worked[lane] = answered
        tasks.told[lane] = answered | endless
        tasks.overtaken[lane] = False
        self._order.forget()


def _equal(value: int, count: int) -> NDArray[np.int64]:
    """So many equal numbers: what `numpy.full` gives, in a third of its time."""
    numbers = np.empty(count, _INTEGER)
    numbers.fill(value)
    return numbers
