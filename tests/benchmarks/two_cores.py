"""A study of 5 policies x 20 replications on two cores beside the same on one.

It is Fig. 3 as its scenario has it. Wall time, for that is what a second core saves: the start and the end of the
processes are in it, and so is the keeping of results, in memory. Both must give the same results.
"""

import time
from dataclasses import replace
from pathlib import Path

import clustersim as cs
from clustersim.scripts import load_study
from clustersim.studies.execution import process_pool
from tests.benchmarks.measure import Effort, median, ratio, table

__all__ = ["run"]

SCENARIO = Path(__file__).parents[2] / "scenarios" / "adaptive_linear.py"


def run(effort: Effort) -> str:
    """Seconds, and how many times as fast."""
    study = replace(load_study(SCENARIO), replications=20)
    if effort.quick:
        study = study.quick()
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(1 if effort.quick else 2):
        frames = []
        for jobs in (1, 2):
            effort.say(f"two_cores: round {turn + 1}, {jobs} jobs")
            begun = time.perf_counter()
            frames.append(_results(study, jobs).frame)
            seconds[jobs].append(time.perf_counter() - begun)
        assert frames[0].equals(frames[1]), "one core and two give different results"
    runs = len(study.policies) * study.replications
    told = (f"{runs}", *(f"{median(seconds[jobs]):.1f}" for jobs in seconds), f"{ratio(seconds[1], seconds[2]):.2f}")
    shown = table(("runs", "one core (s)", "two cores (s)", "times as fast"), [told])
    return f"{shown}\n\nWanted: at least 1.8 times as fast."


def _results(study: cs.Study, jobs: int) -> cs.Results:
    with process_pool(jobs) as executor:
        return study.run(seed=0, executor=executor)
