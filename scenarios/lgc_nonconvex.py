"""Where does ignoring stragglers cost accuracy if the loss is not convex? A perceptron on Fashion-MNIST.

Fig. 3 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021, has gaps for
workers with two and three classes that softmax regression hardly shows (`lgc_accuracy.py`). This scenario maps them:
points of test accuracy that K-SGD and LGC lose against full synchrony, by step and by the number h of updates for which
stragglers stay the same. N = 10, K = 7, c = 1, 2 or 3 classes on each worker, stragglers finish. The setting is in
`_lgc.py`.

The paper's optimiser has momentum 0.9 and a step of 0.1 that is divided by 10 halfway, so the map has steps with
momentum and steps of plain SGD. Accuracy is averaged over the last 200 of 400 updates, which are 64 epochs; the paper
has 60.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from _lgc import EVERY, FULL, K_SGD, LGC, averaged, cluster, perceptron, policies
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, mean_interval

CLASSES, HS = (1, 2, 3), (1, 10, 40)
LONG = HS[1:]
UPDATES, LAST = 400, 0.5
PLAIN: Mapping[str, cs.Optimizer] = {f"step {step:g}": cs.SGD(step) for step in (0.05, 0.2, 0.4)}
WITH_MOMENTUM: Mapping[str, cs.Optimizer] = {f"momentum, step {step:g}": cs.Momentum(step) for step in (0.02, 0.1)}
AS_PRINTED = "momentum, step 0.1 then 0.01"
OPTIMIZERS = {**PLAIN, **WITH_MOMENTUM, AS_PRINTED: cs.Momentum(cs.schedules.StepDecay(0.1, at=[UPDATES // 2]))}
LARGE = "momentum, step 0.1"


def variant(optimizer: str, h: int) -> str:
    """Label of an optimiser and h updates with the same stragglers."""
    return f"{optimizer}, h = {h}"


def scheme(policy: str, c: int) -> str:
    """Label of a policy with data of c classes on each worker."""
    return f"{policy}, c = {c}"


def losses(results: cs.Results, optimizer: str, h: int, policy: str, c: int) -> Any:
    """Points of test accuracy below full synchrony, one for each replication."""
    values = averaged(results, variant(optimizer, h), last=LAST)
    return 100.0 * (values[scheme(FULL, c)] - values[scheme(policy, c)])


def mean_loss(
    results: cs.Results, policy: str, optimizers: Iterable[str], hs: Iterable[int], classes: Iterable[int]
) -> Interval:
    """Points below full synchrony, pair by pair: mean over cells of the map."""
    cells = [(o, h, c) for o in optimizers for h in hs for c in classes]
    return mean_interval(np.mean([losses(results, o, h, policy, c) for o, h, c in cells], axis=0))


def advantage(results: cs.Results, optimizers: Iterable[str], hs: Iterable[int], classes: Iterable[int]) -> Interval:
    """Points by which LGC ends above K-SGD, pair by pair: mean over cells of the map."""
    cells = [(o, h, c) for o in optimizers for h in hs for c in classes]
    gains = [losses(results, o, h, K_SGD, c) - losses(results, o, h, LGC, c) for o, h, c in cells]
    return mean_interval(np.mean(gains, axis=0))


def extra_loss(results: cs.Results, large: str, small: str, c: int) -> Interval:
    """Points that K-SGD loses with one optimiser more than with another, pair by pair: mean over h = 10 and 40."""
    gains = [losses(results, large, h, K_SGD, c) - losses(results, small, h, K_SGD, c) for h in LONG]
    return mean_interval(np.mean(gains, axis=0))


def map_of_losses(results: cs.Results) -> Figure:
    """Draw the points lost against full synchrony by step, h and c; bold if the 95 % interval excludes 0."""
    figure = Figure(figsize=(11.0, 5.4), layout="constrained")
    grid = figure.subplots(2, len(CLASSES), sharex=True, sharey=True)
    for row, policy in enumerate((K_SGD, LGC)):
        for axes, c in zip(grid[row], CLASSES, strict=True):
            cells = [[mean_interval(losses(results, o, h, policy, c)) for o in OPTIMIZERS] for h in HS]
            means = np.array([[float(cell.mean) for cell in line] for line in cells])
            image = axes.imshow(means, cmap="RdBu_r", vmin=-12, vmax=12, aspect="auto", origin="lower")
            for (y, x), value in np.ndenumerate(means):
                sure = float(cells[y][x].low) > 0.0 or float(cells[y][x].high) < 0.0
                weight, colour = "bold" if sure else "normal", "white" if abs(value) > 8.0 else "black"
                axes.text(x, y, f"{value:.1f}", ha="center", va="center", weight=weight, color=colour, fontsize=9)
            axes.axvline(len(PLAIN) - 0.5, color="black", linewidth=1)
            axes.set_title(f"{policy}, c = {c}", loc="left", fontsize="medium")
            axes.set_yticks(range(len(HS)), [str(h) for h in HS])
            steps = [label.rpartition("step ")[2].replace(" then ", "\nthen ") for label in OPTIMIZERS]
            axes.set_xticks(range(len(OPTIMIZERS)), steps)
            axes.tick_params(length=0)
    for axes in grid[1]:
        axes.set_xlabel("step: plain SGD | momentum 0.9")
    for axes in grid[:, 0]:
        axes.set_ylabel("h (updates)")
    figure.colorbar(image, ax=grid, label="points of test accuracy lost", shrink=0.8, extend="max")
    figure.supxlabel("bold: the 95 % interval over paired replications excludes 0", fontsize="small")
    return figure


study = cs.Study(
    name="lgc-nonconvex",
    problem=perceptron(),
    cluster=cluster(10, finish=True),
    policies={scheme(label, c): policy for c in CLASSES for label, policy in policies(c, warm_up=0.0).items()},
    optimizer=cs.SGD(0.05),
    variants={
        variant(label, h): {"optimizer": optimizer, "cluster": cluster(h, finish=True)}
        for label, optimizer in OPTIMIZERS.items() for h in HS
    },
    until=cs.Until(updates=UPDATES),
    replications=3,
    evaluate_every=EVERY,
    metric="test_accuracy",
    claims=[
        cs.Claim("c = 2, momentum 0.9, step 0.1: K-SGD loses accuracy for h = 10 (points, lower end)",
                 lambda results: float(mean_loss(results, K_SGD, [LARGE], [10], [2]).low), low=1.0),
        cs.Claim("c = 2, momentum 0.9, step 0.1: K-SGD loses accuracy for h = 40 (points, lower end)",
                 lambda results: float(mean_loss(results, K_SGD, [LARGE], [40], [2]).low), low=1.0),
        cs.Claim("c = 2, momentum 0.9, step 0.1: LGC loses little (points, mean over h = 10 and 40, upper end)",
                 lambda results: float(mean_loss(results, LGC, [LARGE], LONG, [2]).high), high=2.5),
        cs.Claim("c = 2: K-SGD loses less if that step is divided by 10 halfway (points, h = 10 and 40, lower end)",
                 lambda results: float(extra_loss(results, LARGE, AS_PRINTED, 2).low), low=0.0),
        cs.Claim("c = 1, momentum 0.9, step 0.1: K-SGD fails (points, h = 10 and 40, lower end)",
                 lambda results: float(mean_loss(results, K_SGD, [LARGE], LONG, [1]).low), low=10.0),
        cs.Claim("c = 1, h = 10 and 40: LGC ends above K-SGD (points, mean over all steps, lower end)",
                 lambda results: float(advantage(results, OPTIMIZERS, LONG, [1]).low), low=3.0),
        cs.Claim("c = 3, plain SGD, step 0.4: K-SGD loses accuracy (points, h = 10 and 40, lower end)",
                 lambda results: float(mean_loss(results, K_SGD, ["step 0.4"], LONG, [3]).low), low=0.0),
        cs.Claim("c = 3, momentum 0.9, step 0.1: K-SGD loses hardly any accuracy (points, h = 10 and 40)",
                 lambda results: float(mean_loss(results, K_SGD, [LARGE], LONG, [3]).mean), high=1.0),
        cs.Claim("h = 1, plain SGD: LGC ends below K-SGD (points above K-SGD, c = 2 and 3, upper end)",
                 lambda results: float(advantage(results, PLAIN, [1], [2, 3]).high), high=0.0),
        cs.Claim("h = 1, plain SGD, step 0.4: LGC loses accuracy (points, mean over c, lower end)",
                 lambda results: float(mean_loss(results, LGC, ["step 0.4"], [1], CLASSES).low), low=1.0),
    ],
    figures={"map-of-losses": map_of_losses},
    notes="Wall-clock times include the 0.5 s of the downlink, in which stragglers finish. With two classes on each "
    "worker, the gap is widest with momentum and a large step. With one class K-SGD does not learn there; with three "
    "it hardly loses accuracy. LGC applies the missing gradients one update late: at large steps of plain SGD that "
    "delay costs more than LGC gains if stragglers change with every update (h = 1).",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
