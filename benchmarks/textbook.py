"""The program that one writes after reading SimPy's guide: a store a worker, and interrupts for stragglers."""

import time
from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

__all__ = ["fastest_k"]


def fastest_k(workers: int, k: int, updates: int) -> float:
    """CPU seconds of fastest-k with exponential response times: the clock alone, no model, no ledger, no history."""
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

    begun = time.process_time()
    env.run(until=env.process(master()))
    return time.process_time() - begun
