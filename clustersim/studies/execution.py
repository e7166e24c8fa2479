"""Carrying out the runs of a study, in this process or in others, with the same bytes as the outcome.

A job goes to an executor as three byte strings made by `clustersim.studies.packing`, because scripts contain lambdas
and classes that plain pickle cannot handle. They are the *problem*, packed once for each different one; the *setting*
(cluster, optimiser, horizon) of the variant; and the *run* (policy and numbers). An `Outcome` comes back: the content
of the finished Parquet file, or the reason why the run failed. `clustersim.studies.study` sends the jobs,
`clustersim.engine.simulate` does the work, and `clustersim.studies.store` keeps the outcomes.
"""

import queue
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from pathlib import Path
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from clustersim.engine import simulate
from clustersim.errors import ClusterSimError
from clustersim.studies import child
from clustersim.studies.packing import unpack
from clustersim.studies.pool import ProcessDied, WorkerPool
from clustersim.studies.results import RunKey
from clustersim.studies.runfile import encode
from clustersim.studies.signals import Stopped
from clustersim.studies.user_code import first_line, place_in_users_code

__all__ = ["Job", "Outcome", "Progress", "carry_out"]

Progress = Callable[[int, int, RunKey | None], None]
"""Called with the number of runs that are over, of all runs, and the latest run; at the start with None for the run."""

_TICK = 0.5  # seconds between two checks of the progress of running jobs


class Job(NamedTuple):
    """A run to carry out: its key and, as bytes, the problem and the setting of its variant, and the rest."""

    key: RunKey
    problem: bytes
    setting: bytes
    run: bytes


class Outcome(NamedTuple):
    """The outcome of a run: the content of its Parquet file, or the reason why it failed."""

    content: bytes = b""
    failure: str = ""


def carry_out(
    jobs: Iterable[Job], executor: Executor | None, watch: Callable[[float], None] | None = None
) -> Generator[tuple[RunKey, Outcome], None, None]:
    """Yield each run as soon as it is over. If a run fails, the others continue.

    Parameters
    ----------
    jobs : iterable of Job
        The runs to carry out.
    executor : Executor or None
        The executor. None means this process, one run after the other.
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
            progress = None if watch is None else _throttled(watch)
            for job in jobs:
                yield job.key, execute(*job, progress=progress)
        else:
            yield from _distributed(jobs, executor, watch)


def _distributed(
    jobs: Iterable[Job], executor: Executor, watch: Callable[[float], None] | None
) -> Iterator[tuple[RunKey, Outcome]]:
    """Submit all jobs to the executor and yield the outcomes; if interrupted, cancel the remaining jobs."""
    futures: dict[Future[Outcome], RunKey] = {}
    finished: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
    try:
        for job in jobs:
            future = executor.submit(execute, *job)
            futures[future] = job.key
            future.add_done_callback(finished.put)
        while futures:
            # Not concurrent.futures.wait: it locks all futures, and a signal during that would leave some locked.
            future_done = _next(finished)
            if future_done is not None:
                yield futures.pop(future_done), _outcome(future_done)
            if watch is not None and isinstance(executor, WorkerPool):
                watch(executor.under_way)
    finally:
        for future in futures:
            future.cancel()


def _next(finished: "queue.SimpleQueue[Future[Outcome]]") -> "Future[Outcome] | None":
    """Return the next finished future, or None if none finishes within half a second."""
    try:
        return finished.get(timeout=_TICK)
    except queue.Empty:
        return None


def _outcome(future: "Future[Outcome]") -> Outcome:
    """Return the outcome of a run. The death of its process is an outcome, but a broken executor raises an error."""
    try:
        return future.result()
    except ProcessDied as error:
        return Outcome(failure=f"{error}, perhaps because there was too little memory")
    except (BrokenExecutor, CancelledError) as error:
        raise ClusterSimError(
            "the executor that was computing runs broke down, perhaps because there was too little memory; "
            "finished runs are kept: run the study again, with fewer jobs"
        ) from error
    except Exception as error:
        return Outcome(failure=first_line(error))


def execute(
    key: RunKey,
    packed_problem: bytes,
    setting: bytes,
    run: bytes,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Carry out one run in the present process.

    Linear algebra is limited to one thread, so that runs do not compete for cores and give the same bits everywhere.
    The limit stays after the run: lifting it would disturb another run of the same process.
    """
    threadpool_limits(limits=1, user_api="blas")
    try:
        problem = _unpacked(packed_problem)
        cluster, optimizer, until = unpack(setting)
        policy, seed, evaluate_every, run_hash = unpack(run)
        finished = simulate(
            problem, cluster, policy, optimizer=optimizer, until=until, seed=seed,
            replication=key.replication, evaluate_every=evaluate_every, progress=progress or child.report,
        )  # fmt: skip
        return Outcome(encode(key, finished.history, finished.totals, run_hash))
    except Stopped:
        raise
    except (Exception, SystemExit) as error:
        return Outcome(failure=_reason(error))


def _reason(error: BaseException) -> str:
    """Describe why a run failed, with the place in the user's code or, for a defect of clustersim, in its code."""
    place = place_in_users_code(error)
    if isinstance(error, ClusterSimError):
        return f"{place}: {error}" if place else str(error)
    if place is None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}, line {last.lineno}"
    return f"{place}: {first_line(error)}"


_cache = threading.local()


def _unpacked(problem: bytes) -> Any:
    """Unpack a problem, or return the one that this thread unpacked last if it is the same."""
    if getattr(_cache, "packed", None) != problem:
        _cache.packed, _cache.unpacked = problem, unpack(problem)
    return _cache.unpacked


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
