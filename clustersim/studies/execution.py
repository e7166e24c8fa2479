"""Carrying out the runs of a study, in this process or by any executor, with the same bytes as the outcome.

Jobs come in from `clustersim.studies.study`, and pairs of a run and its outcome go out, as soon as a run is over. An
executor gets *chunks* of jobs. Handing out one very short run at a time would take longer than the run, so a chunk
contains as many runs as take about half a second, judged by the runs that are over. Towards the end of the study chunks
become smaller, so that no worker has to wait for another one.
"""

import queue
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any

from threadpoolctl import threadpool_limits

from clustersim.errors import ClusterSimError, ConfigurationError
from clustersim.studies.executors import number_of_workers, submit
from clustersim.studies.jobs import Chunk, Job, Outcome, carry_out_here, execute, software
from clustersim.studies.pace import Pace
from clustersim.studies.parcels import Parcels
from clustersim.studies.pool import ProcessDied, WorkerPool
from clustersim.studies.results import RunKey
from clustersim.studies.user_code import first_line

__all__ = ["Progress", "carry_out"]

Progress = Callable[[int, int, RunKey | None], None]
"""Called with the number of runs that are over, of all runs, and the latest run; at the start with None for the run."""

_TICK = 0.5  # seconds between two checks of the progress of running jobs


def carry_out(
    jobs: Iterator[Job],
    count: int,
    executor: Executor | None,
    parcels: Parcels,
    watch: Callable[[float], None] | None = None,
) -> Generator[tuple[RunKey, Outcome], None, None]:
    """Yield each run as soon as it is over. If a run fails, the others continue.

    Parameters
    ----------
    jobs : iterator of Job
        The runs to carry out.
    count : int
        The number of jobs.
    executor : Executor or None
        The executor. None means this process, one run after the other.
    parcels : Parcels
        The contents of the jobs' parcels, for workers that ask for them.
    watch : callable, optional
        Called about twice a second with the finished part of the runs in progress, as a number of runs. It is called
        only if that is known: for runs in this process or in a `WorkerPool`.

    Yields
    ------
    tuple of RunKey and Outcome
        A run and its outcome.

    Raises
    ------
    ClusterSimError
        If the executor itself breaks. Pending jobs are then cancelled, as on Ctrl-C.
    """
    with threadpool_limits(limits=1, user_api="blas"):  # set here, because a thread cannot set it for another thread
        if executor is None:
            yield from _one_by_one(jobs, parcels, _unwatched if watch is None else _throttled(watch))
            return
        dispatch = _Dispatch(jobs, count, executor, parcels)
        try:
            yield from dispatch.outcomes(watch if isinstance(executor, WorkerPool) else None)
        finally:
            dispatch.cancel()


def _one_by_one(
    jobs: Iterator[Job], parcels: Parcels, report: Callable[[float], None]
) -> Iterator[tuple[RunKey, Outcome]]:
    """Carry out the jobs in this process."""
    for job in jobs:
        for outcome in carry_out_here((job,), parcels.content(job.parcel), report) or ():
            yield job.key, outcome


def _unwatched(fraction: float) -> None:
    """Take note of nothing."""


class _Dispatch:
    """The chunks that an executor is working on, and the jobs that wait.

    Twice as many chunks as there are workers are handed out at a time. So a worker finds its next chunk when it has
    finished one, and the sizes of later chunks benefit from what is known by then.
    """

    def __init__(self, jobs: Iterator[Job], count: int, executor: Executor, parcels: Parcels) -> None:
        self._jobs, self._left = jobs, count
        self._next: Job | None = next(jobs, None)
        self._executor, self._parcels = executor, parcels
        self._pace = Pace()
        self._again: deque[tuple[Chunk, bool]] = deque()  # chunks to hand out anew, and whether with the content
        self._futures: dict[Future[Any], Chunk] = {}
        self._carriers: set[Future[Any]] = set()  # those of them that carry the content of a problem
        self._finished: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    def outcomes(self, watch: Callable[[float], None] | None) -> Iterator[tuple[RunKey, Outcome]]:
        """Hand out all jobs and yield their outcomes."""
        self._hand_out()
        while self._futures:
            # Not concurrent.futures.wait: it locks all futures, and a signal during that would leave some locked.
            future = self._next_finished()
            if future is not None:
                yield from self._received(self._futures.pop(future), future)
                self._hand_out()
            if watch is not None and isinstance(self._executor, WorkerPool):
                watch(self._executor.under_way)

    def cancel(self) -> None:
        """Cancel the chunks that have not begun."""
        for future in self._futures:
            future.cancel()

    def _hand_out(self) -> None:
        """Hand out chunks until there are two for every worker.

        At most one chunk for every worker carries the content of a problem; others wait until these have arrived.
        """
        workers = number_of_workers(self._executor)
        while len(self._futures) < 2 * workers and (self._again or self._next is not None):
            if self._again and self._again[0][1] and len(self._carriers) >= workers:
                return
            chunk, carrying = self._again.popleft() if self._again else (self._chunk(workers), False)
            content = self._parcels.content(chunk.jobs[0].parcel) if carrying else None
            try:
                future = submit(self._executor, execute, chunk, content)
            except RuntimeError as error:  # it broke before this process heard of it, or has been shut down
                raise _broken(error) from error
            self._futures[future] = chunk
            if carrying:
                self._carriers.add(future)
            future.add_done_callback(self._finished.put)

    def _chunk(self, workers: int) -> Chunk:
        """Take the next jobs on one problem that fit into a chunk."""
        jobs: list[Job] = []
        room = self._pace.room(self._left, workers)
        while self._next is not None and (not jobs or self._next.parcel == jobs[0].parcel):
            room -= self._pace.seconds(self._next.key)
            if jobs and room < 0.0:
                break
            jobs.append(self._next)
            self._next = next(self._jobs, None)
        self._left -= len(jobs)
        return Chunk(tuple(jobs), software())

    def _received(self, chunk: Chunk, future: Future[Any]) -> Iterator[tuple[RunKey, Outcome]]:
        """Yield the outcomes of a chunk, or hand its jobs out anew."""
        outcomes = self._result(chunk, future)
        if future in self._carriers:
            self._carriers.discard(future)
            self._again = deque((waiting, False) for waiting, _ in self._again)  # perhaps every worker has it now
        if outcomes is None:
            self._again.append((chunk, True))
            return
        for job, outcome in zip(chunk.jobs, outcomes, strict=False):
            if outcome.seconds:  # a run that nobody has timed, because its process died, says nothing about others
                self._pace.took(job.key, outcome.seconds)
            yield job.key, outcome

    def _result(self, chunk: Chunk, future: Future[Any]) -> list[Outcome] | None:
        """Return the outcomes of a chunk; None if the worker asks for the problem.

        If a process dies, it is not known which run was the reason. So each job of the chunk is handed out by itself.
        """
        try:
            outcomes: list[Outcome] | None = future.result()
            return outcomes
        except ConfigurationError:
            raise  # the software of a worker differs
        except Exception as error:
            if isinstance(error, BrokenExecutor | CancelledError) and not isinstance(error, ProcessDied):
                raise _broken(error) from error
            if len(chunk.jobs) == 1:
                return [Outcome(failure=_why(error))]
        self._again.extend((chunk._replace(jobs=(job,)), False) for job in chunk.jobs)
        return []

    def _next_finished(self) -> Future[Any] | None:
        """Return the next finished future, or None if none finishes within half a second."""
        try:
            return self._finished.get(timeout=_TICK)
        except queue.Empty:
            return None


def _broken(error: Exception) -> ClusterSimError:
    """Return the error that ends a study whose executor carries out nothing more."""
    return ClusterSimError(
        f"the executor that was computing runs broke down ({first_line(error)}), perhaps because there was too little "
        "memory; finished runs are kept: run the study again, with fewer jobs"
    )


def _why(error: Exception) -> str:
    """Describe why an executor returned no outcome for a run."""
    if isinstance(error, ProcessDied):
        return f"{error}, perhaps because there was too little memory"
    return first_line(error)


def _throttled(watch: Callable[[float], None]) -> Callable[[float], None]:
    """Make a callback that passes values on to `watch`, but at most one in half a second."""
    last = -_TICK

    def report(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _TICK:
            last = now
            watch(fraction)

    return report
