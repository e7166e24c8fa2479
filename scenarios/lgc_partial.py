"""Does it help to use the blocks that stragglers have finished, and to scale them? Softmax regression, a perceptron.

Fig. 6 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021: workers cut a
mini-batch into s = 4 blocks, and all stragglers have finished r = 1, 2, 3 or 4 of them when the next model stops them,
or r is drawn for each straggler. LGC with and without linear scaling (eq. 6: r blocks count r / s) is compared with
K-SGD and full synchrony. Stragglers stay the same for h = 10 updates, N = 10, K = 7. Workers have data of c = 3
classes; of c = 2 for the perceptron, with momentum and a step of 0.1: there `lgc_nonconvex.py` finds the widest gap.

The stragglers are the same workers as in the other scenarios (`_lgc.py`). The response times of these N - K workers are
then replaced, so that exactly r blocks are finished when the new model arrives, 1 ms after the K-th message. "r as it
comes" leaves the response times as they are: 0.05 s plus an exponential part of mean 0.02 s. Accuracy and loss are
averaged over the last 200 of 500 updates.
"""

from dataclasses import dataclass, replace
from typing import Any

import _lgc as lgc
import numpy as np
import pandas as pd
from _drawing import legend_above, points, tidy
from _lgc import BLOCKS, COLOURS, FULL, K_SGD, LGC, K, averaged, policies, setting
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval, mean_interval

H, UPDATES, LAST = 10, 500, 0.4
CLASSES = {"VGG-11": 3, "softmax": 3, "perceptron": 2}
DOWNLINK = 0.001  # seconds that the new model, which stops the stragglers, takes to reach them
SCALED, UNSCALED = f"{LGC}, scaled", f"{LGC}, not scaled"
LOOKS = {K_SGD: COLOURS[K_SGD], SCALED: COLOURS[LGC], UNSCALED: "#cc79a7"}
DRAWN, AS_IT_COMES = "r at random", "r as it comes"
FIXED = {f"r = {r}": r for r in range(1, BLOCKS + 1)}
PARTIAL = tuple(FIXED)[:-1]


@dataclass(frozen=True)
class CutShort(cs.LatencyModel):
    """Response times of stragglers that are all within block r + 1 when the K-th message arrives.

    With `finished` equal to the number of blocks, they finish just after that message; with 0, each straggler's r is
    drawn from 1 .. s.
    """

    model: cs.LatencyModel
    finished: int

    def quantile(self, u: Any) -> Any:
        """The model's quantile, without the change for stragglers."""
        return self.model.quantile(u)

    def times(self, uniforms: Any, first_task: int, tasks: int, workers: int, lane: int = 0) -> Any:
        """The model's times, changed for the N - K slowest workers of each task."""
        times = self.model.times(uniforms, first_task, tasks, workers, lane)
        kth = np.sort(times, axis=1)[:, [K - 1]]
        drawn = 1 + np.floor(BLOCKS * uniforms.block(first_task, tasks, workers, lane + 1))
        r = self.finished or drawn
        return np.where(times > kth, kth * np.maximum(1.001, BLOCKS / (r + 0.5)), times)


def schemes(c: int) -> dict[str, cs.Policy]:
    """The policies with data of c classes on each worker."""
    usual = policies(c)
    scaled: Any = usual[LGC]
    return {FULL: usual[FULL], K_SGD: usual[K_SGD], SCALED: scaled, UNSCALED: replace(scaled, scaled=False)}


def cluster(label: str) -> cs.Cluster:
    """The cluster of the other scenarios, with stragglers that finish the blocks that the label says."""
    compute: cs.LatencyModel = cs.ShiftedExponential(shift=lgc.SHIFT, mean=lgc.MEAN)
    if label != AS_IT_COMES:
        compute = CutShort(compute, FIXED.get(label, 0))
    return replace(
        lgc.cluster(H, finish=False), compute=cs.Persistent(compute, rounds=H), downlink=cs.Link(latency=DOWNLINK)
    )


PROBLEMS: dict[str, dict[str, Any]] = (
    {"VGG-11": setting()}
    if lgc.CIFAR
    else {
        "softmax": setting(step_size=0.1, updates=UPDATES),
        "perceptron": {"problem": lgc.perceptron(), "optimizer": cs.Momentum(0.1, momentum=0.9)},
    }
)
AMOUNTS = (*FIXED, DRAWN, AS_IT_COMES)
NAMES = tuple(PROBLEMS)
FIRST, NETWORK = NAMES[0], NAMES[-1]


def variant(problem: str, amount: str) -> str:
    """Label of a problem and of the blocks that stragglers finish."""
    return f"{problem}, {amount}"


def points_above(results: cs.Results, problem: str, amounts: tuple[str, ...], above: str, below: str) -> Interval:
    """Points of test accuracy by which one policy ends above another, pair by pair: mean over amounts of work."""
    ends = [averaged(results, variant(problem, amount), last=LAST) for amount in amounts]
    return mean_interval(100.0 * np.mean([values[above] - values[below] for values in ends], axis=0))


def loss_ratio(results: cs.Results, problem: str, amounts: tuple[str, ...], above: str, below: str) -> Interval:
    """One policy's training loss over another's, pair by pair: geometric mean over amounts of work."""
    ends = [averaged(results, variant(problem, amount), "loss", LAST) for amount in amounts]
    return geometric_interval(np.exp(np.mean([np.log(values[above] / values[below]) for values in ends], axis=0)))


def finished_blocks(amount: str) -> pd.Series:
    """The share of stragglers' messages with each number of finished blocks, measured on 3000 updates."""
    problem = cs.LeastSquares.synthetic(rows=400, features=2, design="gaussian", seed=7)
    policy = cs.LiveGradientCompensation(K, BLOCKS)
    until = cs.Until(updates=3000)
    run = cs.simulate(problem, cluster(amount), policy, optimizer=cs.SGD(1e-6), until=until, messages=True)
    messages = pd.DataFrame(run.messages)
    late = messages[messages["status"].isin(("used late", "cancelled"))]
    return late["blocks"].value_counts(normalize=True).sort_index()


def by_amount(results: cs.Results) -> Figure:
    """Draw points lost and training loss against full synchrony, by amount of work; 95 % intervals of pairs."""
    figure = Figure(figsize=(9.6, 5.8), layout="constrained")
    grid = figure.subplots(2, len(PROBLEMS), sharex=True, squeeze=False)
    for (top, bottom), problem in zip(grid.T, PROBLEMS, strict=True):
        for place, label in enumerate(LOOKS):
            x = np.arange(len(AMOUNTS)) + 0.16 * (place - 1)
            lost = [points_above(results, problem, (amount,), FULL, label) for amount in AMOUNTS]
            points(top, x, lost, LOOKS[label], label=label)
            losses = [loss_ratio(results, problem, (amount,), label, FULL) for amount in AMOUNTS]
            points(bottom, x, losses, LOOKS[label])
        tidy(top, bottom, grid="y")
        top.axhline(0.0, color=COLOURS[FULL], linewidth=1)
        bottom.axhline(1.0, color=COLOURS[FULL], linewidth=1)
        top.set_title(f"{problem}, c = {CLASSES[problem]}", loc="left", fontsize="medium")
        bottom.set_xticks(range(len(AMOUNTS)), [*FIXED, "r at\nrandom", "r as it\ncomes"])
    grid[0, 0].set_ylabel("points of test accuracy lost\nagainst full synchrony")
    grid[1, 0].set_ylabel("training loss over\nthat of full synchrony")
    legend_above(figure, 3)
    return figure


study = cs.Study(
    name="lgc-partial",
    **{"until": cs.Until(updates=UPDATES)} | PROBLEMS[NETWORK],
    cluster=cluster("r = 1"),
    policies=schemes(CLASSES[NETWORK]),
    variants={
        variant(label, amount): {
            "problem": rest["problem"],
            "optimizer": rest["optimizer"],
            "cluster": cluster(amount),
            "policies": schemes(CLASSES[label]),
        }
        for label, rest in PROBLEMS.items()
        for amount in AMOUNTS
    },
    replications=5,
    evaluate_every=lgc.EVERY,
    metric="test_accuracy",
    claims=[
        cs.Claim("stragglers finish exactly two blocks if r = 2 (share of their messages)",
                 lambda _: float(finished_blocks("r = 2").get(2, 0.0)), low=1.0),
        cs.Claim("r as it comes: stragglers mostly finish 3 of 4 blocks (share of their messages)",
                 lambda _: float(finished_blocks(AS_IT_COMES).get(3, 0.0)), low=0.5, high=0.8),
        cs.Claim(f"{NETWORK}: with partial work, scaled LGC ends above K-SGD (points, mean over r < 4, lower end)",
                 lambda results: float(points_above(results, NETWORK, PARTIAL, SCALED, K_SGD).low), low=0.0),
        cs.Claim(f"{NETWORK}: scaling helps (points above LGC without scaling, mean over r < 4, lower end)",
                 lambda results: float(points_above(results, NETWORK, PARTIAL, SCALED, UNSCALED).low), low=0.0),
        cs.Claim(f"{NETWORK}: scaling helps with r = 1 (points above LGC without scaling, lower end)",
                 lambda results: float(points_above(results, NETWORK, PARTIAL[:1], SCALED, UNSCALED).low), low=0.0),
        cs.Claim(f"{FIRST}: LGC with scaling and r = 1 ends at a higher loss than K-SGD (ratio, lower end)",
                 lambda results: float(loss_ratio(results, FIRST, PARTIAL[:1], SCALED, K_SGD).low), low=1.0),
        cs.Claim(f"{FIRST}: LGC ends at a lower loss without scaling (ratio, mean over r < 4, upper end)",
                 lambda results: float(loss_ratio(results, FIRST, PARTIAL, UNSCALED, SCALED).high), high=1.0),
    ],
    figures={"by-amount": by_amount},
    notes="If r blocks count r / s, the weights of stragglers' gradients add up to less than (N - K) / N: steps are "
    "shorter by the factor 1 - (N - K) / N (1 - r / s), and the stragglers' classes count less. Softmax regression "
    "loses by that. The perceptron, at a large step, gains: late gradients get a smaller weight. Full synchrony waits "
    "for stragglers that were slowed down so that they finish r blocks; only that determines its wall-clock time.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
