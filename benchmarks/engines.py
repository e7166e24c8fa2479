"""The engines, named in one place, and runs on them whose updates are timed; ledger and history are on, as always."""

import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import cast, get_args

import numpy as np

import clustersim as cs
from benchmarks.measure import Program
from clustersim.engine.simulate import Engine

__all__ = ["ENGINES", "Engine", "fastest_k", "light_problem", "peak_memory", "trained"]

ENGINES = tuple(cast("Engine", name) for name in get_args(Engine) if name != "auto")


def light_problem(workers: int, rows: int = 1, features: int = 2) -> cs.LeastSquares:
    """So few rows a worker, and features, that arithmetic hardly counts."""
    random = np.random.default_rng(1)
    X = random.normal(size=(rows * workers, features))
    return cs.LeastSquares(X, X.sum(axis=1) + random.normal(size=len(X)))


def trained(
    problem: cs.Problem, cluster: cs.Cluster, policy: cs.Policy, updates: int, *, step_size: float, engine: Engine
) -> float:
    """Return the CPU seconds of a run, from the evaluation of the first model to the finished run."""
    begun: list[float] = []
    cs.simulate(
        problem, cluster, policy, optimizer=cs.SGD(step_size), until=cs.Until(updates=updates), engine=engine,
        evaluate_every=10, progress=lambda _: begun.append(time.process_time()) if not begun else None,
    )  # fmt: skip
    return time.process_time() - begun[0]


def fastest_k(problem: cs.Problem, workers: int, k: int, engine: Engine, step_size: float = 0.01) -> Program:
    """Fastest-k with exponential response times and links without delay."""
    cluster = cs.Cluster(workers, cs.Exponential(mean=1.0))
    return partial(trained, problem, cluster, cs.FastestK(k), step_size=step_size, engine=engine)


def peak_memory(workers: int, k: int, updates: int, engine: Engine, every: int = 10) -> tuple[float, float]:
    """Largest resident memory, in GiB, of a process that makes one run and nothing else; the run's wall time in s."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_alone, workers, k, updates, engine, every).result()


def _alone(workers: int, k: int, updates: int, engine: Engine, every: int) -> tuple[float, float]:
    """One run, and the memory of this process after it."""
    problem = light_problem(workers)
    begun = time.perf_counter()
    cs.simulate(
        problem, cs.Cluster(workers, cs.Exponential(mean=1.0)), cs.FastestK(k), optimizer=cs.SGD(0.01),
        until=cs.Until(updates=updates), engine=engine, evaluate_every=every,
    )  # fmt: skip
    return _peak() / 2**30, time.perf_counter() - begun


def _peak() -> int:
    """Largest resident memory of this process in bytes.

    Linux lets `getrusage` of a new process begin with the memory of its parent; the status file tells its own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return next(1024 * int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
