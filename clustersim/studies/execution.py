"""Carry out runs, here or in other processes, with the same bytes as the outcome.

A task crosses to an executor as byte strings made by cloudpickle, for scripts hold lambdas and classes that plain
pickle cannot carry: the *problem*, made once for each that differs, the *setting* (cluster, optimiser, horizon) of the
variant, and the *run* (policy and numbers). What comes back is the finished Parquet file. Data flows in from
`clustersim.studies.study`, through `clustersim.engine.simulate`, and out to `clustersim.studies.store`.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from clustersim.engine import simulate
from clustersim.errors import ClusterSimError, ConfigurationError
from clustersim.studies.origin import first_line, place_in_users_code
from clustersim.studies.packing import unpack
from clustersim.studies.results import RunKey
from clustersim.studies.store import encode

__all__ = ["Progress", "Task", "carry_out", "process_pool"]

Progress = Callable[[int, int, RunKey | None], None]
"""Called with the number of finished runs, the number of all, and the run just finished; at the start with None."""


class Task(NamedTuple):
    """One run to be done: its name, and as bytes the problem and the setting of its variant, and the rest."""

    key: RunKey
    problem: bytes
    setting: bytes
    run: bytes


def carry_out(tasks: Iterable[Task], executor: Executor | None) -> Generator[tuple[RunKey, bytes], None, None]:
    """Yield each run as soon as it is finished, as the content of its Parquet file.

    Parameters
    ----------
    tasks : iterable of Task
        The runs.
    executor : Executor or None
        Where; None is this process, one after the other.

    Yields
    ------
    tuple of RunKey and bytes

    Raises
    ------
    ClusterSimError
        If a run fails; it names the run. What was pending is cancelled then, as it is by Ctrl-C.
    """
    with threadpool_limits(limits=1, user_api="blas"):  # held here, for threads cannot hold it for one another
        if executor is None:
            for task in tasks:
                yield task.key, execute(*task)
        else:
            yield from _scattered(tasks, executor)


def _scattered(tasks: Iterable[Task], executor: Executor) -> Iterator[tuple[RunKey, bytes]]:
    """Hand all tasks to the executor, and cancel what is left when anything stops this."""
    futures: dict[Future[bytes], RunKey] = {}
    try:
        for task in tasks:
            futures[executor.submit(execute, *task)] = task.key
        for future in as_completed(futures):
            yield futures.pop(future), future.result()
    except BrokenExecutor as error:
        raise ClusterSimError(
            "a process that was computing runs has died, perhaps for want of memory; finished runs are kept: run the "
            "study again, with fewer jobs"
        ) from error
    finally:
        for future in futures:
            future.cancel()


def execute(key: RunKey, packed_problem: bytes, setting: bytes, run: bytes) -> bytes:
    """Do one run, in whatever process this is.

    Linear algebra is held to one thread, so that runs do not compete and get the same bits everywhere. In a worker
    process it stays so: giving threads back would disturb another run of that process.
    """
    threadpool_limits(limits=1, user_api="blas")
    try:
        _heed(0.0)
        problem = _unpacked(packed_problem)
        cluster, optimizer, until = unpack(setting)
        policy, seed, evaluate_every, run_hash = unpack(run)
        finished = simulate(
            problem, cluster, policy, optimizer=optimizer, until=until, seed=seed,
            replication=key.replication, evaluate_every=evaluate_every, progress=_heed,
        )  # fmt: skip
        return encode(key, finished.history, finished.totals, run_hash)
    except ClusterSimError as error:
        raise type(error)(f"{key}: {error}") from error
    except Exception as error:
        place = place_in_users_code(error)
        if place is None:  # a mistake of ours: let it be seen as it is
            raise
        raise ConfigurationError(f"{key}: {place}: {first_line(error)}") from error


_kept = threading.local()


def _unpacked(problem: bytes) -> Any:
    """The problem, made once for each thread while it stays the same, so that it computes its optimum once."""
    if getattr(_kept, "packed", None) != problem:
        _kept.packed, _kept.unpacked = problem, unpack(problem)
    return _kept.unpacked


@contextmanager
def process_pool(jobs: int) -> Iterator[Executor | None]:
    """A pool of `jobs` fresh processes ("spawn"), or None for one job.

    When an exception leaves the block, such as Ctrl-C, the processes end at the next evaluation of their runs.

    Parameters
    ----------
    jobs : int
        Number of processes, at least 1.

    Yields
    ------
    Executor or None
        To be handed to `Study.run`.

    Examples
    --------
    >>> with process_pool(1) as executor:
    ...     print(executor)
    None
    """
    if jobs == 1:
        yield None
        return
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.RawValue("b", 0)  # without a lock, which a process that is killed could hold for ever
    pool = ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_begin_worker, initargs=(stop,))
    try:
        yield pool
    except BaseException:
        stop.value = 1
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_stop: Any = None  # in a process of the pool: its value is 1 when its work is no longer wanted


def _begin_worker(stop: Any) -> None:
    """Leave Ctrl-C to the parent, which says by `stop` that it is over: killing processes would leave a broken pool."""
    global _stop  # noqa: PLW0603 - an initializer has no other place to leave what the tasks need
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is gone, however that ended: nobody would take its runs, nor stop it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _heed(fraction: float) -> None:  # noqa: ARG001 - the engine tells how far the run is
    """End a run that is no longer wanted, at its next evaluation."""
    if _stop is not None and _stop.value:
        raise ClusterSimError("stopped")
