"""Carry out runs, here or in other processes, with the same bytes as the outcome.

A task crosses to an executor as two byte strings made by cloudpickle, for scripts hold lambdas and classes that plain
pickle cannot carry: the *setting* (problem, cluster, optimiser, horizon), made once for each variant, and the *run*
(policy and numbers). What comes back is the finished Parquet file. Data flows in from `clustersim.studies.study`,
through `clustersim.engine.simulate`, and out to `clustersim.studies.store`.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, NamedTuple

import cloudpickle
from threadpoolctl import threadpool_limits

from clustersim.engine import simulate
from clustersim.errors import ClusterSimError, ConfigurationError
from clustersim.studies.origin import first_line, place_in_users_code
from clustersim.studies.results import RunKey
from clustersim.studies.store import encode

__all__ = ["Progress", "Task", "carry_out", "process_pool"]

Progress = Callable[[int, int, RunKey | None], None]
"""Called with the number of finished runs, the number of all, and the run just finished; at the start with None."""


class Task(NamedTuple):
    """One run to be done: its name, the setting of its variant, and the rest; both as bytes."""

    key: RunKey
    setting: bytes
    run: bytes


def carry_out(tasks: Iterable[Task], executor: Executor | None) -> Iterator[tuple[RunKey, bytes]]:
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
    if executor is None:
        for task in tasks:
            yield task.key, execute(task.key, task.setting, task.run)
        return
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


def execute(key: RunKey, setting: bytes, run: bytes) -> bytes:
    """Do one run, in whatever process this is."""
    try:
        with _ONE_THREAD:
            problem, cluster, optimizer, until = _unpacked(setting)
            policy, seed, evaluate_every, run_hash = cloudpickle.loads(run)
            finished = simulate(
                problem, cluster, policy, optimizer=optimizer, until=until, seed=seed,
                replication=key.replication, evaluate_every=evaluate_every,
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


def _unpacked(setting: bytes) -> Any:
    """The setting, made once for each thread and variant, so that a problem computes its optimum once."""
    if getattr(_kept, "packed", None) != setting:
        _kept.packed, _kept.unpacked = setting, cloudpickle.loads(setting)
    return _kept.unpacked


class _OneThread:
    """While anybody is inside, linear algebra uses one thread: no rivalry between runs, and the same bits everywhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limits: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limits = threadpool_limits(limits=1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limits.restore_original_limits()


_ONE_THREAD = _OneThread()


@contextmanager
def process_pool(jobs: int) -> Iterator[Executor | None]:
    """A pool of `jobs` fresh processes ("spawn"), or None for one job; when interrupted it ends them at once.

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
    others = set(multiprocessing.active_children())
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_leave_interrupts_to_the_parent)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    pool.shutdown()


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
