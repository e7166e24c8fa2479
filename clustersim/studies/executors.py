"""What differs between executors: the number of their workers, and how large data reaches these.

Any `concurrent.futures.Executor` carries out a study: a `clustersim.studies.WorkerPool`, the pools of the standard
library, ``distributed.Client.get_executor()`` of dask, or ``mpi4py.futures.MPIPoolExecutor``.
`clustersim.studies.execution` submits through this module.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from clustersim.errors import ConfigurationError
from clustersim.studies.pool import WorkerPool

__all__ = ["dask_executor", "mpi_executor", "number_of_workers", "submit"]


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


@contextmanager
def dask_executor(address: str, timeout: float = 10.0) -> Iterator[Executor]:
    """Connect to a dask cluster, and yield its executor.

    Parameters
    ----------
    address : str
        The address of the scheduler, such as ``tcp://10.0.0.5:8786``, or the path of a scheduler file.
    timeout : float, default 10.0
        Seconds to wait for the scheduler, and then for a first worker.

    Raises
    ------
    ConfigurationError
        If dask is not installed, the scheduler does not answer, or it has no workers.
    """
    try:
        from distributed import Client  # noqa: PLC0415 - only with the extra
    except ImportError as error:
        raise ConfigurationError("dask is not installed; run: pip install 'clustersim[dask]'") from error
    where = {"scheduler_file": address} if os.path.isfile(address) else {"address": address}
    try:
        connect: Any = Client
        client = connect(**where, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigurationError(
            f"{address}: no dask scheduler answers there within {timeout:g} s; expected the address that "
            "`dask scheduler` has printed, such as tcp://10.0.0.5:8786"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=timeout)
        except TimeoutError as error:
            raise ConfigurationError(
                f"{address}: this dask scheduler has no workers; start some with `dask worker {address}`"
            ) from error
        yield client.get_executor()


@contextmanager
def mpi_executor() -> Iterator[Executor]:
    """Yield the executor of the processes that ``mpiexec`` has started.

    Raises
    ------
    ConfigurationError
        If mpi4py is not installed, or this process has no others to work with.
    """
    command = "mpiexec -n 3 python -m mpi4py.futures -m clustersim run SCRIPT --mpi"
    try:
        from mpi4py import MPI  # noqa: PLC0415 - only with the extra
        from mpi4py.futures import MPIPoolExecutor  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError("MPI is not installed; run: pip install 'clustersim[mpi]'") from error
    if MPI.COMM_WORLD.Get_size() < 2:
        raise ConfigurationError(f"there is only one MPI process; start several, for example with: {command}")
    with MPIPoolExecutor() as executor:
        yield executor
