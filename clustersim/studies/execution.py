"""Carry out runs, here or in other processes, with the same bytes as the outcome.

A task crosses to an executor as byte strings made by `clustersim.studies.packing`, for scripts hold lambdas and classes
that plain pickle cannot carry: the *problem*, made once for each that differs, the *setting* (cluster, optimiser,
horizon) of the variant, and the *run* (policy and numbers). What comes back is an `Outcome`: the finished Parquet file,
or why the run failed. Data flows in from `clustersim.studies.study`, through `clustersim.engine.simulate`, and out to
`clustersim.studies.store`.
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

__all__ = ["Outcome", "Progress", "Task", "carry_out"]

Progress = Callable[[int, int, RunKey | None], None]
"""Called with the number of finished runs, the number of all, and the run just finished; at the start with None."""

_TICK = 0.5  # seconds between two looks at how far the runs under way are


class Task(NamedTuple):
    """One run to be done: its name, and as bytes the problem and the setting of its variant, and the rest."""

    key: RunKey
    problem: bytes
    setting: bytes
    run: bytes


class Outcome(NamedTuple):
    """What came of a run: the content of its Parquet file, or in words why it failed."""

    content: bytes = b""
    failure: str = ""


def carry_out(
    tasks: Iterable[Task], executor: Executor | None, watch: Callable[[float], None] | None = None
) -> Generator[tuple[RunKey, Outcome], None, None]:
    """Yield each run as soon as it is over; one that fails does not keep the others from being done.

    Parameters
    ----------
    tasks : iterable of Task
        The runs.
    executor : Executor or None
        Where; None is this process, one after the other.
    watch : callable, optional
        Called several times a second with what is done of the runs under way, as a number of runs, if that is known:
        it is for runs in this process or in a `WorkerPool`.

    Yields
    ------
    tuple of RunKey and Outcome

    Raises
    ------
    ClusterSimError
        If the executor itself breaks. What was pending is cancelled then, as it is by Ctrl-C.
    """
    with threadpool_limits(limits=1, user_api="blas"):  # held here, for threads cannot hold it for one another
        if executor is None:
            heard = None if watch is None else _seldom(watch)
            for task in tasks:
                yield task.key, execute(*task, heard=heard)
        else:
            yield from _scattered(tasks, executor, watch)


def _scattered(
    tasks: Iterable[Task], executor: Executor, watch: Callable[[float], None] | None
) -> Iterator[tuple[RunKey, Outcome]]:
    """Hand all tasks to the executor, and cancel what is left when anything stops this."""
    futures: dict[Future[Outcome], RunKey] = {}
    over: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
    try:
        for task in tasks:
            future = executor.submit(execute, *task)
            futures[future] = task.key
            future.add_done_callback(over.put)
        while futures:
            # Not concurrent.futures.wait: it locks every future, and a signal in the midst of that leaves some locked.
            finished = _next(over)
            if finished is not None:
                yield futures.pop(finished), _outcome(finished)
            if watch is not None and isinstance(executor, WorkerPool):
                watch(executor.under_way)
    finally:
        for future in futures:
            future.cancel()


def _next(over: "queue.SimpleQueue[Future[Outcome]]") -> "Future[Outcome] | None":
    """The next future that is over, or None if there is none for a while."""
    try:
        return over.get(timeout=_TICK)
    except queue.Empty:
        return None


def _outcome(future: "Future[Outcome]") -> Outcome:
    """What came of a run; that its process died is an outcome, that the whole executor is broken is none."""
    try:
        return future.result()
    except ProcessDied as error:
        return Outcome(failure=f"{error}, perhaps for want of memory")
    except (BrokenExecutor, CancelledError) as error:
        raise ClusterSimError(
            "the executor that was computing runs has broken down, perhaps for want of memory; finished runs are kept: "
            "run the study again, with fewer jobs"
        ) from error
    except Exception as error:
        return Outcome(failure=first_line(error))


def execute(
    key: RunKey,
    packed_problem: bytes,
    setting: bytes,
    run: bytes,
    heard: Callable[[float], None] | None = None,
) -> Outcome:
    """Do one run, in whatever process this is.

    Linear algebra is held to one thread, so that runs do not compete and get the same bits everywhere. In a worker
    process it stays so: giving threads back would disturb another run of that process.
    """
    threadpool_limits(limits=1, user_api="blas")
    try:
        problem = _unpacked(packed_problem)
        cluster, optimizer, until = unpack(setting)
        policy, seed, evaluate_every, run_hash = unpack(run)
        finished = simulate(
            problem, cluster, policy, optimizer=optimizer, until=until, seed=seed,
            replication=key.replication, evaluate_every=evaluate_every, progress=heard or child.report,
        )  # fmt: skip
        return Outcome(encode(key, finished.history, finished.totals, run_hash))
    except Stopped:
        raise
    except (Exception, SystemExit) as error:
        return Outcome(failure=_told(error))


def _told(error: BaseException) -> str:
    """Why a run failed: in the user's code, by the words of clustersim, or by a defect of it, whose place is named."""
    place = place_in_users_code(error)
    if isinstance(error, ClusterSimError):
        return f"{place}: {error}" if place else str(error)
    if place is None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}, line {last.lineno}"
    return f"{place}: {first_line(error)}"


_kept = threading.local()


def _unpacked(problem: bytes) -> Any:
    """The problem, made once for each thread while it stays the same."""
    if getattr(_kept, "packed", None) != problem:
        _kept.packed, _kept.unpacked = problem, unpack(problem)
    return _kept.unpacked


def _seldom(watch: Callable[[float], None]) -> Callable[[float], None]:
    """Pass on what is told, but not more often than a person can see."""
    last = -_TICK

    def told(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _TICK:
            last = now
            watch(fraction)

    return told
