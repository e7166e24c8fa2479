"""The effect of a newer model on older tasks, for many workers at once.

A worker receives its models in the order in which they reach it. A model that is overtaken by a newer one is cancelled.
A new model can therefore change only what happens after the worker receives it, in most cases only the future of the
newest older task. The few workers for which more changes are replayed one by one, see `one_by_one`.
"""

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.cohort.task_table import SEND, TaskTable
from clustersim.protocol import BUSY

__all__ = ["Preemption"]

Times = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


_NOBODY = np.empty(0, dtype=np.int64)


class Preemption:
    """The rules of `clustersim.engine.worker.Worker`, applied to columns.

    Parameters
    ----------
    tasks : TaskTable
        The table whose tasks are changed.
    shares : ndarray of float, shape (n, s) or (1, s)
        The shares of a task's time after which its blocks end.
    instant : bool
        Whether the downlink has no delay. Then the dispatches of an instant come after all other events.
    """

    def __init__(self, tasks: TaskTable, shares: Times, *, instant: bool) -> None:
        self._tasks = tasks
        self._shares = shares
        self._instant = instant
        self._latest = np.zeros(tasks.workers)  # when each worker will have received all models for its queue

    def preempt(
        self, workers: Numbers, received: Times, busy: str, first_dispatch: int
    ) -> tuple[Times, Numbers, Numbers]:
        """Correct the future of the tasks of `workers`, which will receive newer models.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            In ascending order.
        received : ndarray of float, shape (a,)
            When each worker receives the newer model, in ticks; infinite if the downlink loses it.
        busy : str
            What busy workers do with it, see `clustersim.protocol.Busy`.
        first_dispatch : int
            Tasks of this dispatch and of later ones were sent at the present instant, since the master woke.

        Returns
        -------
        started : ndarray of float, shape (a,)
            When the new tasks begin, in ticks; infinite for workers that are to be replayed.
        stopped : ndarray of int
            Rows of tasks whose future has changed.
        unclear : ndarray of int
            Workers that are to be replayed; nothing was changed for them.
        """
        tasks, rows = self._tasks, self.unfinished(workers)
        if not len(rows) and busy != "queue":
            return received, _NOBODY, _NOBODY
        whose = tasks.worker[rows]
        places = whose if len(workers) == tasks.workers else workers.searchsorted(whose)
        rule = np.maximum(tasks.busy[rows], SEND)  # "restart" and "send" count as one rule
        unclear = np.zeros(len(workers), dtype=np.bool_)
        unclear[places[rule != max(BUSY.index(busy), SEND)]] = True  # a task of another rule
        if busy in ("finish", "queue"):
            return self._wait_for_older(workers, received, busy, first_dispatch, unclear)
        unclear &= received < np.inf
        clear = ~unclear[places]
        stopped = self.give_up(rows[clear], received[places[clear]], busy, first_dispatch)
        return np.where(unclear, np.inf, received), stopped, workers[unclear]

    def unfinished(self, workers: Numbers) -> Numbers:
        """Return the rows of unfinished tasks of these workers, which are in ascending order."""
        tasks = self._tasks
        n, end = tasks.workers, tasks.size
        if len(workers) == n:
            return (~tasks.work_recorded[:end]).nonzero()[0]
        newest = workers[~tasks.work_recorded[workers]]
        if end == n:
            return newest
        older = n + (~tasks.work_recorded[n:end]).nonzero()[0]
        return np.concatenate((newest, older[np.isin(tasks.worker[older], workers)]))

    def give_up(self, rows: Numbers, at: Times, busy: str, first_dispatch: int) -> Numbers:
        """Stop tasks at `at`, when newer models are received: drop the work, or send the finished blocks.

        Returns
        -------
        ndarray of int
            Those of the rows whose future has changed.
        """
        tasks = self._tasks
        late = tasks.ended[rows] > at
        if self._instant:
            late |= (tasks.ended[rows] == at) & (tasks.dispatch[rows] >= first_dispatch)
        rows, at = rows[late], at[late]
        aside = tasks.received[rows] > at
        if aside.any():
            tasks.cancel_overtaken(rows[aside])
            rows, at = rows[~aside], at[~aside]
        tasks.set_end(rows, at)
        if self._instant:
            tasks.decide_now(rows)
        ends = (tasks.started[rows] + tasks.compute[rows]) < np.inf
        rows, at, stopped = rows[ends], at[ends], rows
        done = self._finished(rows, at) if busy == "send" else np.zeros(len(rows), dtype=np.int64)
        tasks.cancel(rows[done == 0], at[done == 0])
        if done.any():
            tasks.cut(rows[done > 0], at[done > 0], done[done > 0])
        return stopped

    def _finished(self, rows: Numbers, at: Times) -> Numbers:
        """Return how many blocks of each task are finished by `at`."""
        tasks = self._tasks
        shares = self._shares if len(self._shares) == 1 else self._shares[tasks.worker[rows]]
        ends = tasks.started[rows, None] + np.rint(tasks.compute[rows, None] * shares)
        done: Numbers = np.count_nonzero(ends <= at[:, None], axis=1)
        return done

    def _wait_for_older(
        self, workers: Numbers, received: Times, busy: str, first_dispatch: int, unclear: Flags
    ) -> tuple[Times, Numbers, Numbers]:
        """Let newer models wait until older work is done: `preempt` for "finish" and "queue".

        A new task waits for the end of the newest older task. With "finish" it replaces an older task that is still
        waiting. Work that never ends is dropped.
        """
        tasks = self._tasks
        unclear |= tasks.received[workers] > received
        if busy == "queue" and not self._instant:
            latest = self._latest[workers]
            unclear |= (latest > received) | (latest > tasks.received[workers])
            self._latest[workers] = np.maximum(latest, np.where(received < np.inf, received, 0.0))
        unclear &= received < np.inf  # a model that is never received changes nothing
        waits = ~tasks.work_recorded[workers]
        if self._instant:
            unclear |= waits & (tasks.dispatch[workers] >= first_dispatch)
        else:
            waits &= tasks.ended[workers] > received
        waits &= ~unclear
        rows, at = workers[waits], received[waits]
        starts, ends = tasks.started[rows], tasks.ended[rows]
        replaced = (starts > at) if busy == "finish" else np.zeros(len(rows), dtype=np.bool_)
        stuck = np.isinf(ends) & ~replaced
        gives_way = np.maximum(starts, at)
        tasks.set_end(rows[stuck], gives_way[stuck])
        tasks.set_start(rows[replaced], np.inf)
        tasks.cancel(rows[replaced], at[replaced])
        started = received.copy()
        started[waits] = np.where(replaced, starts, np.where(stuck, gives_way, ends))
        started[unclear] = np.inf
        return started, rows[stuck | replaced], workers[unclear]
