"""Runs of a study as jobs, and their execution in whatever process they have reached.

A `Job` contains what a run needs as bytes made by `clustersim.studies.packing`, because scripts contain lambdas and
classes that plain pickle cannot handle. An `Outcome` comes back: the content of the finished Parquet file, or the
reason why the run failed. Jobs on the same problem travel together, as a `Chunk`; `clustersim.studies.execution` sends
chunks to an executor, and `execute` works through them there.
"""

import platform
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import clustersim
from clustersim.engine import simulate
from clustersim.errors import ClusterSimError, ConfigurationError
from clustersim.studies import child
from clustersim.studies.manifest import numerics
from clustersim.studies.messagefile import encode_messages
from clustersim.studies.packing import unpack
from clustersim.studies.parcels import Content, Parcel, opened
from clustersim.studies.results import RunKey
from clustersim.studies.runfile import encode
from clustersim.studies.signals import Stopped
from clustersim.studies.sweeps import Scalar
from clustersim.studies.user_code import first_line, place_in_users_code
from clustersim.threads import limit_blas_threads

__all__ = ["Chunk", "Job", "Outcome", "carry_out_here", "execute", "software"]


class Job(NamedTuple):
    """A run to carry out.

    Attributes
    ----------
    key : RunKey
        The labels of the run.
    parcel : Parcel
        The problem.
    setting : bytes
        Cluster, horizon and evaluations of the variant, packed.
    policy : bytes
        The policy and its optimiser, packed.
    seed : int
        The seed of the study.
    run_hash : str
        The hash of everything that the numbers of the run depend on.
    swept : mapping of str to bool, int, float or str
        The values of a sweep, for the file of the run.
    messages : bool
        Whether the message table is wanted.
    """

    key: RunKey
    parcel: Parcel
    setting: bytes
    policy: bytes
    seed: int
    run_hash: str
    swept: Mapping[str, Scalar]
    messages: bool = False


class Outcome(NamedTuple):
    """The outcome of a run.

    Attributes
    ----------
    content : bytes
        The content of its Parquet file; empty if the run failed.
    failure : str
        The reason why the run failed.
    seconds : float
        How long it took, in seconds of real time.
    messages : bytes
        The content of the file of its message table; empty unless it was wanted.
    """

    content: bytes = b""
    failure: str = ""
    seconds: float = 0.0
    messages: bytes = b""


class Chunk(NamedTuple):
    """Jobs on one problem that travel together.

    Attributes
    ----------
    jobs : tuple of Job
        The jobs.
    software : dict of str to str
        The versions that the study was started with, see `software`.
    """

    jobs: tuple[Job, ...]
    software: dict[str, str]


def software() -> dict[str, str]:
    """Return the versions that must be the same wherever runs of a study are computed.

    Python's version counts without its last part: packed code cannot be carried from one minor version to another.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    return {"clustersim": clustersim.__version__, "python": python, **numerics()}


def execute(chunk: Chunk, content: Content | None = None) -> list[Outcome] | None:
    """Carry out the jobs of a chunk in a worker, which reports its progress if it is a process of a pool.

    Linear algebra is limited to one thread, so that runs do not compete for cores and give the same bits everywhere.
    The limit stays after the chunk: lifting it would disturb another run of the same process.

    Parameters
    ----------
    chunk : Chunk
        The jobs.
    content : Content, optional
        The content of their problem, if this worker has asked for it.

    Returns
    -------
    list of Outcome or None
        The outcomes in the order of the jobs. None asks for the content of the problem, which this worker lacks.

    Raises
    ------
    ConfigurationError
        If this process has other versions than the study.
    """
    limit_blas_threads()
    _check_software(chunk.software)
    return carry_out_here(chunk.jobs, content, child.report)


def carry_out_here(
    jobs: Sequence[Job], content: Content | None, report: Callable[[float], None]
) -> list[Outcome] | None:
    """Carry out jobs on one problem in the present process; None if it lacks the content of the problem.

    `report` is called with the number of runs that are over, and the finished part of the present one.
    """
    try:
        problem = opened(jobs[0].parcel, content)
    except Exception as error:
        return [Outcome(failure=_reason(error))] * len(jobs)
    if problem is None:
        return None
    return [_outcome(job, problem, partial(_add, report, done)) for done, job in enumerate(jobs)]


def _add(report: Callable[[float], None], done: int, part: float) -> None:
    """Report the number of runs that are over and the finished part of the present one."""
    report(done + part)


def _check_software(wanted: dict[str, str]) -> None:
    """Refuse to compute runs with other versions than those that the study was started with."""
    here = software()
    if differing := [name for name in wanted if here.get(name) != wanted[name]]:
        which = ", ".join(f"{name} {here.get(name, 'missing')} instead of {wanted[name]}" for name in differing)
        raise ConfigurationError(
            f"a worker on {platform.node()} has {which}; install the same versions on every machine"
        )


def _outcome(job: Job, problem: Any, progress: Callable[[float], None]) -> Outcome:
    """Carry out one run."""
    begun = time.perf_counter()
    try:
        cluster, until, evaluate_every = unpack(job.setting)
        policy, optimizer = unpack(job.policy)
        run = simulate(
            problem, cluster, policy, optimizer=optimizer, until=until, seed=job.seed,
            replication=job.key.replication, evaluate_every=evaluate_every, progress=progress,
            messages=job.messages,
        )  # fmt: skip
        content = encode(job.key, run.history, run.totals, job.run_hash, job.swept)
        messages = encode_messages(job.key, run, job.run_hash) if job.messages else b""
        return Outcome(content, seconds=time.perf_counter() - begun, messages=messages)
    except Stopped:
        raise
    except (Exception, SystemExit) as error:
        return Outcome(failure=_reason(error), seconds=time.perf_counter() - begun)


def _reason(error: BaseException) -> str:
    """Describe why a run failed, with the place in the user's code or, for a defect of clustersim, in its code."""
    place = place_in_users_code(error)
    if isinstance(error, ClusterSimError):
        return f"{place}: {error}" if place else str(error)
    if place is None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}, line {last.lineno}"
    return f"{place}: {first_line(error)}"
