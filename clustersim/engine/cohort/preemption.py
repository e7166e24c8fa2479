"""What becomes of older tasks when a newer model is sent, for many workers at once.

A worker meets its models in the order in which they reach it, and a model on the way is put aside if a newer one comes
first. So a new model can change only what lies beyond the instant at which it is received, and in most cases only what
the newest older task is heading for. The few workers for which that is not so are replayed one by one.
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
    """The rules of a worker, on columns.

    Parameters
    ----------
    tasks : TaskTable
    shares : ndarray of float, shape (n, s) or (1, s)
        The shares of a task's time after which its blocks end.
    instant : bool
        Whether models reach the workers at once: then what the master does at an instant comes after all else.
    """

    def __init__(self, tasks: TaskTable, shares: Times, *, instant: bool) -> None:
        self._tasks = tasks
        self._shares = shares
        self._instant = instant
        self._latest = np.zeros(tasks.workers)  # when each worker has received all that queues up there

    def preempt(self, workers: Numbers, received: Times, busy: str, first_wave: int) -> tuple[Times, Numbers, Numbers]:
        """Mend what the tasks of `workers` are heading for, now that newer models will be received.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
        received : ndarray of float, shape (a,)
            When; infinite where the model is lost on the way.
        busy : str
        first_wave : int
            Tasks of this wave or a later one were sent at this very instant, since the master woke.

        Returns
        -------
        started : ndarray of float, shape (a,)
            When the new tasks begin; infinite where that is unclear.
        stopped : ndarray of int
            Rows of tasks that are heading for something else now.
        unclear : ndarray of int
            Workers for which none of that was found out: they are to be replayed.
        """
        tasks, rows = self._tasks, self.unfinished(workers)
        if not len(rows) and busy != "queue":
            return received, _NOBODY, _NOBODY
        whose = tasks.worker[rows]
        places = whose if len(workers) == tasks.workers else workers.searchsorted(whose)
        rule = np.maximum(tasks.busy[rows], SEND)  # "restart" and "send" are one
        unclear = np.zeros(len(workers), dtype=np.bool_)
        unclear[places[rule != max(BUSY.index(busy), SEND)]] = True  # rules mix
        if busy in ("finish", "queue"):
            return self._wait_for_older(workers, received, busy, first_wave, unclear)
        unclear &= received < np.inf
        clear = ~unclear[places]
        stopped = self.give_up(rows[clear], received[places[clear]], busy, first_wave)
        return np.where(unclear, np.inf, received), stopped, workers[unclear]

    def unfinished(self, workers: Numbers) -> Numbers:
        """Rows of tasks of these workers, in ascending order, that are not over."""
        tasks = self._tasks
        n, end = tasks.workers, tasks.size
        if len(workers) == n:
            return (~tasks.work_recorded[:end]).nonzero()[0]
        newest = workers[~tasks.work_recorded[workers]]
        if end == n:
            return newest
        older = n + (~tasks.work_recorded[n:end]).nonzero()[0]
        return np.concatenate((newest, older[np.isin(tasks.worker[older], workers)]))

    def give_up(self, rows: Numbers, at: Times, busy: str, first_wave: int) -> Numbers:
        """Newer models are received at `at`: the work is dropped, or what is finished of it is sent.

        Returns
        -------
        ndarray of int
            Those of the rows to which something happens.
        """
        tasks = self._tasks
        late = tasks.ended[rows] > at
        if self._instant:
            late |= (tasks.ended[rows] == at) & (tasks.wave[rows] >= first_wave)
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
        """How many blocks are finished by then."""
        tasks = self._tasks
        shares = self._shares if len(self._shares) == 1 else self._shares[tasks.worker[rows]]
        ends = tasks.started[rows, None] + np.rint(tasks.compute[rows, None] * shares)
        done: Numbers = np.count_nonzero(ends <= at[:, None], axis=1)
        return done

    def _wait_for_older(
        self, workers: Numbers, received: Times, busy: str, first_wave: int, unclear: Flags
    ) -> tuple[Times, Numbers, Numbers]:
        """Newer models wait until older work is done, `preempt` for "finish" and "queue".

        What a new task has to wait for is the end of the newest older one; with "finish" it takes the place of one
        that is still waiting. Work that never ends gives way.
        """
        tasks = self._tasks
        unclear |= tasks.received[workers] > received
        if busy == "queue" and not self._instant:
            latest = self._latest[workers]
            unclear |= (latest > received) | (latest > tasks.received[workers])
            self._latest[workers] = np.maximum(latest, np.where(received < np.inf, received, 0.0))
        unclear &= received < np.inf  # a model that never comes changes nothing
        waits = ~tasks.work_recorded[workers]
        if self._instant:
            unclear |= waits & (tasks.wave[workers] >= first_wave)
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
