"""Is the finished part of a straggler's work of use, and should it be scaled? Softmax regression and a perceptron.

Fig. 6 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021: workers cut a
mini-batch into s = 4 blocks, and all stragglers have finished r = 1, 2, 3 or 4 of them when the next model stops them,
or r is drawn for each straggler. LGC with and without linear scaling (eq. 6: r blocks count r / s) against K-SGD and
full synchrony; stragglers stay the same for h = 10 updates, N = 10, K = 7. Workers hold c = 3 classes, and 2 where the
perceptron learns with momentum and a step of 0.1: there `lgc_nonconvex.py` finds the widest gap.

Who straggles is as in the other scenarios. Then the response times of these N - K workers are replaced, so that exactly
r blocks end before the stop arrives, 1 ms after the K-th answer. "r as it comes" leaves them as they are: that is what
0.05 s plus an exponential part of mean 0.02 s gives. Accuracy and loss are averaged over the last 200 of 500 updates.
"""

from dataclasses import dataclass, replace
from typing import Any

import _lgc as section_v
import numpy as np
import pandas as pd
from _lgc import BLOCKS, COLOURS, FULL, K_SGD, LGC, K, averaged, policies, setting
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval, mean_interval

H, UPDATES, LATE = 10, 500, 0.4
CLASSES = {"VGG-11": 3, "softmax": 3, "perceptron": 2}
STOP = 0.001  # seconds that a new model, which stops the stragglers, takes to reach them
SCALED, UNSCALED = f"{LGC}, scaled", f"{LGC}, not scaled"
LOOKS = {K_SGD: COLOURS[K_SGD], SCALED: COLOURS[LGC], UNSCALED: "#cc79a7"}
DRAWN, AS_IT_COMES = "r at random", "r as it comes"
FIXED = {f"r = {r}": r for r in range(1, BLOCKS + 1)}
PARTIAL = tuple(FIXED)[:-1]


@dataclass(frozen=True)
class CutShort(cs.LatencyModel):
    """Response times with which the slowest workers are within block r + 1 when the k-th of the others answers.

    With `finished` = r = all blocks they end just after that answer; with 0 each straggler draws r from 1 .. s.
    """

    model: cs.LatencyModel
    finished: int

    def quantile(self, u: Any) -> Any:
        """That of the model, before stragglers are slowed down."""
        return self.model.quantile(u)

    def times(self, uniforms: Any, first_task: int, tasks: int, workers: int, lane: int = 0) -> Any:
        """Those of the model, but for the workers beyond the K-th."""
        times = self.model.times(uniforms, first_task, tasks, workers, lane)
        kth = np.sort(times, axis=1)[:, [K - 1]]
        drawn = 1 + np.floor(BLOCKS * uniforms.block(first_task, tasks, workers, lane + 1))
        r = self.finished or drawn
        return np.where(times > kth, kth * np.maximum(1.001, BLOCKS / (r + 0.5)), times)


def schemes(c: int) -> dict[str, cs.Policy]:
    """The policies where each worker holds c classes."""
    usual = policies(c)
    lgc: Any = usual[LGC]
    return {FULL: usual[FULL], K_SGD: usual[K_SGD], SCALED: lgc, UNSCALED: replace(lgc, scaled=False)}


def stopped(label: str) -> cs.Cluster:
    """The cluster of the other scenarios, with stragglers that finish so many blocks."""
    compute: cs.LatencyModel = cs.ShiftedExponential(shift=section_v.SHIFT, mean=section_v.MEAN)
    if label != AS_IT_COMES:
        compute = CutShort(compute, FIXED.get(label, 0))
    return replace(
        section_v.cluster(H, finish=False), compute=cs.Persistent(compute, rounds=H), downlink=cs.Link(latency=STOP)
    )


PROBLEMS: dict[str, dict[str, Any]] = (
    {"VGG-11": setting()}
    if section_v.CIFAR
    else {
        "softmax": setting(step_size=0.1, updates=UPDATES),
        "perceptron": {"problem": section_v.perceptron(), "optimizer": cs.Momentum(0.1, momentum=0.9)},
    }
)
AMOUNTS = (*FIXED, DRAWN, AS_IT_COMES)
NAMES = tuple(PROBLEMS)
FIRST, NETWORK = NAMES[0], NAMES[-1]


def variant(problem: str, amount: str) -> str:
    """Label of a problem and the blocks that stragglers finish."""
    return f"{problem}, {amount}"


def points(results: cs.Results, problem: str, amounts: tuple[str, ...], above: str, below: str) -> Interval:
    """Points of test accuracy by which one policy ends above another, by pairs, mean over amounts of partial work."""
    ends = [averaged(results, variant(problem, amount), last=LATE) for amount in amounts]
    return mean_interval(100.0 * np.mean([values[above] - values[below] for values in ends], axis=0))


def loss_ratio(results: cs.Results, problem: str, amounts: tuple[str, ...], above: str, below: str) -> Interval:
    """One policy's training loss over another's, by pairs, mean over amounts of partial work."""
    ends = [averaged(results, variant(problem, amount), "loss", LATE) for amount in amounts]
    return geometric_interval(np.exp(np.mean([np.log(values[above] / values[below]) for values in ends], axis=0)))


def finished_blocks(amount: str) -> pd.Series:
    """How often stragglers finish so many blocks, shares, measured on 3000 updates."""
    problem = cs.LeastSquares.synthetic(rows=400, features=2, design="gaussian", seed=7)
    policy = cs.LiveGradientCompensation(K, BLOCKS)
    until = cs.Until(updates=3000)
    run = cs.simulate(problem, stopped(amount), policy, optimizer=cs.SGD(1e-6), until=until, messages=True)
    messages = pd.DataFrame(run.messages)
    late = messages[messages["status"].isin(("used late", "cancelled"))]
    return late["blocks"].value_counts(normalize=True).sort_index()


def by_amount(results: cs.Results) -> Figure:
    """Points lost and training loss against full synchrony, by amount of partial work; 95 % intervals of pairs."""
    figure = Figure(figsize=(9.6, 5.8), layout="constrained")
    grid = figure.subplots(2, len(PROBLEMS), sharex=True, squeeze=False)
    for (top, bottom), problem in zip(grid.T, PROBLEMS, strict=True):
        for place, label in enumerate(LOOKS):
            x = np.arange(len(AMOUNTS)) + 0.16 * (place - 1)
            _draw(top, x, [points(results, problem, (amount,), FULL, label) for amount in AMOUNTS], label)
            _draw(bottom, x, [loss_ratio(results, problem, (amount,), label, FULL) for amount in AMOUNTS], label)
        top.axhline(0.0, color=COLOURS[FULL], linewidth=1)
        bottom.axhline(1.0, color=COLOURS[FULL], linewidth=1)
        top.set_title(f"{problem}, c = {CLASSES[problem]}", loc="left", fontsize="medium")
        bottom.set_xticks(range(len(AMOUNTS)), [*FIXED, "r at\nrandom", "r as it\ncomes"])
    grid[0, 0].set_ylabel("points of test accuracy lost\nagainst full synchrony")
    grid[1, 0].set_ylabel("training loss over\nthat of full synchrony")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    return figure


def _draw(axes: Any, x: Any, intervals: list[Interval], label: str) -> None:
    mean, low, high = np.array(intervals, dtype=float).T
    axes.errorbar(
        x, mean, yerr=[mean - low, high - mean], fmt="o", color=LOOKS[label], label=label, markersize=5, capsize=2.5
    )
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


study = cs.Study(
    name="lgc-partial",
    **{"until": cs.Until(updates=UPDATES)} | PROBLEMS[NETWORK],
    cluster=stopped("r = 1"),
    policies=schemes(CLASSES[NETWORK]),
    variants={
        variant(label, amount): {
            "problem": rest["problem"],
            "optimizer": rest["optimizer"],
            "cluster": stopped(amount),
            "policies": schemes(CLASSES[label]),
        }
        for label, rest in PROBLEMS.items()
        for amount in AMOUNTS
    },
    replications=5,
    evaluate_every=section_v.EVERY,
    metric="test_accuracy",
    claims=[
        cs.Claim("stragglers finish exactly r = 2 of the blocks where they should (share of answers)",
                 lambda _: float(finished_blocks("r = 2").get(2, 0.0)), low=1.0),
        cs.Claim("as it comes, stragglers mostly finish 3 of 4 blocks (share of answers)",
                 lambda _: float(finished_blocks(AS_IT_COMES).get(3, 0.0)), low=0.5, high=0.8),
        cs.Claim(f"{NETWORK}: scaled LGC uses partial work: it ends above K-SGD (points, mean over r < 4, lower end)",
                 lambda results: float(points(results, NETWORK, PARTIAL, SCALED, K_SGD).low), low=0.0),
        cs.Claim(f"{NETWORK}: scaling helps (points above LGC without, mean over r = 1..3, lower end)",
                 lambda results: float(points(results, NETWORK, PARTIAL, SCALED, UNSCALED).low), low=0.0),
        cs.Claim(f"{NETWORK}: it helps most where r = 1 (points above LGC without, lower end)",
                 lambda results: float(points(results, NETWORK, PARTIAL[:1], SCALED, UNSCALED).low), low=0.0),
        cs.Claim(f"{FIRST}: scaled LGC that gets one block ends at a higher loss than K-SGD (ratio, r = 1, lower end)",
                 lambda results: float(loss_ratio(results, FIRST, PARTIAL[:1], SCALED, K_SGD).low), low=1.0),
        cs.Claim(f"{FIRST}: without scaling the loss is lower (loss over that of scaled LGC, r = 1..3, upper end)",
                 lambda results: float(loss_ratio(results, FIRST, PARTIAL, UNSCALED, SCALED).high), high=1.0),
    ],
    figures={"by-amount": by_amount},
    notes="Where r blocks count r / s, the weights of stragglers' gradients add up to less than (N - K) / N: steps are "
    "shorter, 1 - (N - K) / N (1 - r / s) of what they were, and stragglers' classes count less. Softmax regression "
    "loses by that. The perceptron, at a large step, gains: what comes late weighs less. Full synchrony waits for "
    "stragglers that were slowed down so that they finish r blocks: its wall-clock time follows from that alone.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
