"""A study of 5 policies x 20 replications on two cores beside the same on one.

It is Fig. 3 as its scenario has it, once each, for it takes minutes. Wall time, for that is what a second core saves:
the start and the end of the processes are in it, and so is the keeping of results, in memory. Both must give the same.
"""

import time
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Effort, table
from clustersim.scripts import load_study
from clustersim.studies.pool import process_pool

__all__ = ["run"]

SCENARIO = Path(__file__).parents[1] / "scenarios" / "adaptive_linear.py"


def run(effort: Effort) -> str:
    """Seconds, and how many times as fast."""
    study = replace(load_study(SCENARIO), replications=20)
    if effort.quick:
        study = study.quick()
    seconds, frames = [], []
    for jobs in (1, 2):
        effort.say(f"two_cores: {jobs} of them")
        begun = time.perf_counter()
        with process_pool(jobs) as executor:
            frames.append(study.run(seed=0, executor=executor).frame)
        seconds.append(time.perf_counter() - begun)
    assert frames[0].equals(frames[1]), "one core and two give different results"
    runs = len(study.policies) * study.replications
    told = (f"{runs}", *(f"{value:.1f}" for value in seconds), f"{seconds[0] / seconds[1]:.2f}")
    shown = table(("runs", "one core (s)", "two cores (s)", "times as fast"), [told])
    return f"{shown}\n\nWanted: at least 1.8 times as fast."
