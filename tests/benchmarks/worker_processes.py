"""Worker tasks a second of the process engine, beside a textbook SimPy program with stores and interrupts.

Both simulate fastest-k with exponential response times, in turn in one process, and the ratio is what counts:

    python tests/benchmarks/worker_processes.py [--rounds 5]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy

import clustersim as cs

CASES = ((100, 10, 300), (1000, 10, 60), (1000, 500, 40), (10_000, 10, 10))  # workers, k, updates


def textbook(workers: int, k: int, updates: int) -> None:
    """The program that one writes after reading SimPy's guide: an inbox each, interrupts for stragglers."""
    env, draw = simpy.Environment(), np.random.default_rng(0)
    answers = simpy.Store(env)
    inboxes = [simpy.Store(env) for _ in range(workers)]
    computing = [False] * workers

    def worker(i: int) -> Generator[simpy.Event, Any, None]:
        while True:
            version = yield inboxes[i].get()
            try:
                computing[i] = True
                yield env.timeout(draw.exponential())
                computing[i] = False
                yield answers.put((i, version))
            except simpy.Interrupt:
                computing[i] = False

    processes = [env.process(worker(i)) for i in range(workers)]

    def master() -> Generator[simpy.Event, Any, None]:
        for version in range(updates):
            for i in range(workers):
                if computing[i]:
                    processes[i].interrupt()
                inboxes[i].put(version)
            fresh = 0
            while fresh < k:
                _, answered = yield answers.get()
                fresh += answered == version

    env.run(until=env.process(master()))


def clustersim(workers: int, k: int, updates: int) -> None:
    """The same on a problem of two features, so that arithmetic hardly counts; ledger and history are on."""
    problem = cs.LeastSquares(np.ones((workers, 2)) * [1.0, -1.0], np.zeros(workers))
    cs.simulate(
        problem, cs.Cluster(workers, cs.Exponential(1.0)), cs.FastestK(k),
        optimizer=cs.SGD(0.1), until=cs.Until(updates=updates), engine="process",
    )  # fmt: skip


def rate(program: Callable[[int, int, int], None], case: tuple[int, int, int]) -> float:
    """Worker tasks a second."""
    begun = time.process_time()
    program(*case)
    return case[0] * case[2] / (time.process_time() - begun)


def main() -> None:
    """Print a table of medians over the rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print("Worker tasks a second, medians:")
    print(f"{'workers':>8} {'k':>5} {'textbook':>12} {'clustersim':>12} {'ratio':>7}")
    for case in CASES:
        pairs = [(rate(textbook, case), rate(clustersim, case)) for _ in range(rounds)]
        theirs, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{case[0]:8d} {case[1]:5d} {theirs:12,.0f} {ours:12,.0f} {ratio:7.1f}")


if __name__ == "__main__":
    main()
