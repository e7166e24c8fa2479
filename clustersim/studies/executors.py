"""What differs between executors: the number of their workers, and how large data reaches these.

Any `concurrent.futures.Executor` carries out a study: a `clustersim.studies.WorkerPool`, the pools of the standard
library, ``distributed.Client.get_executor()`` of dask, or ``mpi4py.futures.MPIPoolExecutor``.
`clustersim.studies.execution` submits through this module.
"""

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from clustersim.studies.pool import WorkerPool

__all__ = ["number_of_workers", "submit"]


def number_of_workers(executor: Executor) -> int:
    """Return how many tasks an executor carries out at once; for an unknown kind, the number of CPUs of this machine.

    A dask cluster may grow while a study runs, so the number is asked for again and again.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> number_of_workers(ThreadPoolExecutor(3))
    3
    """
    if isinstance(executor, WorkerPool):
        return executor.jobs
    if (client := _dask_client(executor)) is not None:
        return max(1, sum(int(threads) for threads in client.nthreads().values()))
    for name in ("num_workers", "_max_workers"):
        if isinstance(number := getattr(executor, name, None), int) and number > 0:
            return number
    return os.cpu_count() or 1


def submit(executor: Executor, function: Callable[..., Any], chunk: Any, content: Any) -> "Future[Any]":
    """Submit a chunk of jobs; on dask, its content travels to each worker once, whatever the number of chunks."""
    client = _dask_client(executor)
    if content is not None and client is not None:
        content = client.scatter([content], hash=False)[0]
    return executor.submit(function, chunk, content)


def _dask_client(executor: Executor) -> Any:
    """Return the client of dask's executor; None for any other."""
    return getattr(executor, "_client", None) if type(executor).__module__.startswith("distributed.") else None
