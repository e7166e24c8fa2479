"""Cost of an update for every policy in both engines beside the bare gradient arithmetic of it.

The arithmetic is what no simulator can save: the calls of ``problem.gradient`` that the run makes are recorded with
their arguments, and made again, alone. With n = 50 the problem is Fig. 3's; with n = 10,000 it has eight rows of five
features a worker, and only the cohort engine runs. Policies for stragglers at random meet workers that do not answer
with probability 0.2, the others exponential response times. Set-up (placements, codes) is not timed.
"""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import clustersim as cs
from benchmarks.engines import ENGINES, Engine, light_problem, trained
from benchmarks.measure import Costs, Effort, Program, calibrated, interleaved, median, table

__all__ = ["run"]

SMALL, LARGE = 50, 10_000
P = 0.2  # the probability of straggling
STEP_SIZE = 1e-6  # so small that no policy diverges
UNWIELDY = "ExactGradientCode, cyclic"
"""Not for the large n: a dense system of n workers to be solved in every round."""


def policies(n: int) -> dict[str, cs.Policy]:
    """One of each kind, for n workers."""
    fifth = n // 5
    return {
        "FullSync": cs.FullSync(),
        "FastestK": cs.FastestK(fifth),
        "FastestK, batch": cs.FastestK(fifth, batch=2),
        "AdaptiveK": cs.AdaptiveK(fifth, threshold=10, burn_in=100, step=fifth),
        "SwitchingTimes": cs.SwitchingTimes((10.0, 20.0, 30.0), start=fifth),
        "ExactGradientCode, fractional": cs.ExactGradientCode(2),
        "ExactGradientCode, cyclic": cs.ExactGradientCode(2, code="cyclic"),
        "ErasureHead": cs.ErasureHead(2, fraction=0.8),
        "StochasticGradientCoding": cs.StochasticGradientCoding(2, P),
        "BernoulliGradientCoding": cs.BernoulliGradientCoding(2, P),
        "IgnoreStragglers": cs.IgnoreStragglers(P),
        "SendAll": cs.SendAll(2, P),
        "FreshBatches": cs.FreshBatches(2, P, deadline=1.0),
        "LiveGradientCompensation": cs.LiveGradientCompensation(4 * fifth, blocks=4),
        "LiveGradientCompensation, batch": cs.LiveGradientCompensation(4 * fifth, blocks=2, batch=2),
        "KAsync": cs.KAsync(fifth),
        "KAsync, k = 1": cs.KAsync(1),
        "KAsync, batch": cs.KAsync(fifth, batch=2),
        "KBatchSync": cs.KBatchSync(fifth),
        "KBatchAsync": cs.KBatchAsync(fifth),
    }


class Recorded(cs.LeastSquares):
    """A problem that remembers which gradients it was asked for."""

    def __init__(self, problem: cs.LeastSquares) -> None:
        super().__init__(problem.X, problem.y)
        self.calls: list[tuple[Any, ...]] = []

    def gradient(
        self, w: NDArray[np.float64], rows: NDArray[np.intp] | None, weights: float | NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Remember copies, for the engine may write over its own."""
        self.calls.append(tuple(part.copy() if isinstance(part, np.ndarray) else part for part in (w, rows, weights)))
        return super().gradient(w, rows, weights)


def run(effort: Effort) -> str:
    """Gradient calls an update, and microseconds an update."""
    who: dict[int, Sequence[Engine]] = {SMALL: ENGINES} if effort.quick else {SMALL: ENGINES, LARGE: ("cohort",)}
    few = cs.LeastSquares.synthetic(rows=2000, features=100, design="integers", seed=7)
    problems = {SMALL: few, LARGE: light_problem(LARGE, rows=8, features=5)}
    lines = []
    for label in policies(SMALL):
        effort.say(f"every_policy: {label}")
        line = [label]
        for n, engines in who.items():
            if n == LARGE and label == UNWIELDY:
                line += [""] * (2 + len(engines))
                continue
            calls, costs = _costs(problems[n], n, policies(n)[label], engines, effort)
            line += [f"{calls:.1f}", *(f"{1e6 * median(cost):,.0f}" for cost in costs.values())]
        lines.append(line)
    heads = ["policy"]
    for n, engines in who.items():
        heads += [f"n = {n:,}: calls", "arithmetic (µs)", *(f"{name} (µs)" for name in engines)]
    return table(heads, lines)


def _costs(
    problem: cs.LeastSquares, n: int, policy: cs.Policy, engines: Sequence[Engine], effort: Effort
) -> tuple[float, Costs]:
    """Gradient calls an update, and what an update costs: its arithmetic, and in each engine."""
    in_time = hasattr(policy, "straggler_probability")
    cluster = cs.Cluster(n, cs.BernoulliStraggler(P), scaling="none") if in_time else cs.Cluster(n, cs.Exponential(1.0))

    def on(engine: Engine, problem: cs.Problem = problem) -> Program:
        return partial(trained, problem, cluster, policy, step_size=STEP_SIZE, engine=engine)

    updates = calibrated(on("cohort"), effort, most=1000)
    recorded = Recorded(problem)
    on("cohort", recorded)(updates)
    programs: dict[str, Program] = {
        "arithmetic": partial(_again, problem, recorded.calls),
        **{engine: on(engine) for engine in engines},
    }
    costs = interleaved({name: (program, updates) for name, program in programs.items()}, effort)
    return len(recorded.calls) / updates, costs


def _again(problem: cs.Problem, calls: Sequence[tuple[Any, ...]], _: int) -> float:
    """CPU seconds of the recorded calls, which are those of all updates."""
    begun = time.process_time()
    for call in calls:
        problem.gradient(*call)
    return time.process_time() - begun
