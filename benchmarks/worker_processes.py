"""Worker processes beside a textbook SimPy program of the same fastest-k loop.

The textbook has stores and interrupts, and only a clock; clustersim's processes have a model (of two features), ledger
and history as well. Neither side's set-up is timed.
"""

from functools import partial

from benchmarks import textbook
from benchmarks.engines import fastest_k, light_problem
from benchmarks.measure import Effort, Program, calibrated, interleaved, median, ratio, table

__all__ = ["run"]

CASES = ((100, 10), (1000, 10), (1000, 500), (10_000, 10), (10_000, 5000))


def run(effort: Effort) -> str:
    """Worker tasks a second."""
    lines = []
    for workers, k in CASES[:3] if effort.quick else CASES:
        effort.say(f"worker_processes: n = {workers:,}, k = {k:,}")
        programs: dict[str, Program] = {
            "textbook": partial(textbook.fastest_k, workers, k),
            "process": fastest_k(light_problem(workers), workers, k, "process"),
        }
        costs = interleaved({name: (each, calibrated(each, effort)) for name, each in programs.items()}, effort)
        rates = [f"{workers / median(costs[name]):,.0f}" for name in programs]
        lines.append((f"{workers:,}", f"{k:,}", *rates, f"{ratio(costs['textbook'], costs['process']):.1f}"))
    told = table(("workers", "k", "textbook (tasks/s)", "process engine (tasks/s)", "ratio"), lines)
    return f"{told}\n\nWanted: at least 150,000 worker tasks a second at n = 1,000, and no collapse at n = 10,000."
