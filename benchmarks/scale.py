"""Cost of an update for n = 10 .. 1,000,000 workers beside a bare NumPy loop and a textbook SimPy program.

The master waits for k = n / 100 of them, at least for one; response times are exponential. The problem is light, a row
of two features a worker, so that what is compared is the simulation. The loop trains and keeps nothing, clustersim
trains and keeps history and ledger; the textbook has only a clock. Dead timeouts swell its heap for about n / k
updates, so that short runs flatter it. Set-up is not timed, but told for the largest n, with the memory of a process
that makes nothing but that run.
"""

from functools import partial

import numpy as np

from benchmarks import loop, picture, textbook
from benchmarks.engines import ENGINES, fastest_k, light_problem, peak_memory
from benchmarks.measure import Costs, Effort, Program, calibrated, interleaved, median, ratio, table, whole

__all__ = ["run"]

SIZES = tuple(10**digits for digits in range(1, 7))
LENGTHS = (10_000, 100_000, 1_000_000)  # updates
LEAST = {"loop": 100, "cohort": 100}  # updates, so that the first round of a run, which nobody plans, does not decide
LARGEST = {"textbook": 10_000, "process": 100_000}  # beyond, an update takes seconds
NAMES = {
    "loop": "bare NumPy loop",
    "textbook": "textbook SimPy",
    "process": "process engine",
    "cohort": "cohort engine",
}


def run(effort: Effort) -> str:
    """Milliseconds an update, worker tasks a second, memory; draws the picture if there is a place for it."""
    sizes = SIZES[:3] if effort.quick else SIZES
    measured = {workers: _costs(workers, effort) for workers in sizes}
    if effort.picture is not None:
        picture.draw(
            {n: {NAMES[name]: median(c) for name, c in costs.items()} for n, costs in measured.items()}, effort.picture
        )
    lines = [
        (
            f"{n:,}",
            f"{_k(n):,}",
            *(f"{1e3 * median(costs[name]):,.3g}" if name in costs else "" for name in NAMES),
            f"{n / median(costs['cohort']):,.0f}",
            f"{ratio(costs['cohort'], costs['loop']):.2f}",
        )
        for n, costs in measured.items()
    ]
    heads = (*(f"{name} (ms)" for name in NAMES.values()), "cohort engine (tasks/s)", "cohort / loop")
    return f"{table(('workers', 'k', *heads), lines)}\n\n{_memory(sizes[-1], effort)}\n\n{_length(effort)}"


def _k(workers: int) -> int:
    return max(1, workers // 100)


def _costs(workers: int, effort: Effort) -> Costs:
    """Measure all programs that can simulate this number of workers."""
    problem, k = light_problem(workers), _k(workers)
    programs: dict[str, Program] = {
        "loop": whole(partial(loop.bare, np.asarray(problem.X), problem.y, workers, k, step_size=0.01)),
        "textbook": partial(textbook.fastest_k, workers, k),
        **{engine: fastest_k(problem, workers, k, engine) for engine in ENGINES},
    }
    timed = {}
    for name, program in programs.items():
        if workers <= LARGEST.get(name, SIZES[-1]):
            effort.say(f"scale: n = {workers:,}, {NAMES[name]}")
            timed[name] = (program, calibrated(program, effort, least=LEAST.get(name, 1)))
    return interleaved(timed, effort)


def _memory(workers: int, effort: Effort) -> str:
    """What a run of its own takes at the largest n."""
    updates = 100
    effort.say(f"scale: memory of a run with n = {workers:,}")
    memory, seconds = peak_memory(workers, _k(workers), updates, "cohort")
    return (
        f"A process of its own, n = {workers:,}, {updates} updates, cohort engine: {seconds:.1f} s, set-up "
        f"included, and at most {memory:.2f} GiB of memory.\n"
        "Wanted: at most 1.2 times the bare loop from n = 1,000 on, and 1.5 times below; n = 1,000,000 in under 2 GiB."
    )


def _length(effort: Effort) -> str:
    """Memory, and the time of an update, of short and long runs of ten workers, each with eleven rows of history."""
    lines = []
    for updates in LENGTHS[:2] if effort.quick else LENGTHS:
        effort.say(f"scale: {updates:,} updates")
        memory, seconds = peak_memory(10, 1, updates, "cohort", every=updates // 10)
        lines.append((f"{updates:,}", f"{1e6 * seconds / updates:.1f}", f"{1024 * memory:.0f}"))
    heads = ("updates", "an update, set-up included (µs)", "memory (MiB)")
    return f"{table(heads, lines)}\n\nWanted: neither grows with the number of updates."
