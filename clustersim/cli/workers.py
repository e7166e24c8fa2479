"""Where the runs of a study are computed: processes on this machine, a dask cluster, or the processes of mpiexec."""

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import NamedTuple

from clustersim.errors import ConfigurationError
from clustersim.studies import process_pool
from clustersim.studies.executors import dask_executor, mpi_executor

__all__ = ["Workers"]


class Workers(NamedTuple):
    """The options that say where runs are computed.

    Attributes
    ----------
    jobs : int or None
        Processes on this machine; None stands for the number of CPUs.
    dask : str or None
        The address of a dask scheduler.
    mpi : bool
        Whether to use the processes of mpiexec.
    """

    jobs: int | None = None
    dask: str | None = None
    mpi: bool = False

    @contextmanager
    def executor(self, runs: int) -> Iterator[Executor | None]:
        """Yield the executor for a number of runs; None stands for this process.

        Raises
        ------
        ConfigurationError
            If two of the options contradict each other, or the cluster cannot be reached.
        """
        given = [name for name, value in zip(("--jobs", "--dask", "--mpi"), self, strict=True) if value]
        if len(given) > 1:
            raise ConfigurationError(f"{' and '.join(given)}: expected only one of them")
        if self.dask is not None:
            with dask_executor(self.dask) as executor:
                yield executor
        elif self.mpi:
            with mpi_executor() as executor:
                yield executor
        else:
            with process_pool(min(self.jobs or _cpus(), runs)) as pool:
                yield pool


def _cpus() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
