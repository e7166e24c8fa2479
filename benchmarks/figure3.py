"""Fig. 3's workload beside two NumPy loops, a bare one and one that keeps a history.

That is 50 workers, 2000 rows of 100 features, k = 10 and k = 40. All sides draw exponential response times and step
with the mean gradient of the k fastest over the same rows. The second loop and clustersim keep a history of error,
loss, messages and bytes every ten updates; clustersim also keeps its ledger: the fate of every message, and the seconds
used, wasted and pending. All are timed whole, set-up included.
"""

from functools import partial

import clustersim as cs
from benchmarks import loop
from benchmarks.engines import ENGINES, fastest_k
from benchmarks.measure import Effort, Program, interleaved, median, ratio, table, whole

__all__ = ["run"]

WORKERS, KS, STEP_SIZE = 50, (10, 40), 5e-4


def run(effort: Effort) -> str:
    """Microseconds an update, and the ratio to the loop."""
    problem = cs.LeastSquares.synthetic(rows=2000, features=100, design="integers", seed=7)
    least = problem.optimum().objective
    updates = 500 if effort.quick else 4000
    lines = []
    for k in KS:
        effort.say(f"figure3: k = {k}")
        by_hand = partial(loop.fastest_k, problem.X, problem.y, WORKERS, k, step_size=STEP_SIZE, least=least)
        quick = partial(loop.bare, problem.X, problem.y, WORKERS, k, step_size=STEP_SIZE)
        ours: dict[str, Program] = {name: whole(fastest_k(problem, WORKERS, k, name, STEP_SIZE)) for name in ENGINES}
        programs = {"bare": whole(quick), "loop": whole(by_hand)} | ours
        costs = interleaved({name: (program, updates) for name, program in programs.items()}, effort)
        micros = [f"{1e6 * median(cost):.0f}" for cost in costs.values()]
        lines.append((str(k), *micros, *(f"{ratio(costs['cohort'], costs[name]):.2f}" for name in ("bare", "loop"))))
    told = table(
        (
            "k",
            "bare loop (µs)",
            "loop with history (µs)",
            *(f"{name} engine (µs)" for name in ENGINES),
            "cohort / bare",
            "cohort / loop",
        ),
        lines,
    )
    return f"{told}\n\nWanted: the cohort engine takes at most as long as the bare loop."
