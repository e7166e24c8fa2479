"""How much time does live gradient compensation save, and at which loss? Loss against updates and wall-clock time.

Fig. 4 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021: N = 10,
K = 7, c = 3 classes a worker, response times 0.05 s + Exp(mean 0.02 s) that stay the same for h = 10 updates.

The paper lets stragglers finish and counts X_(K) for an update. Both hold only if a new model reaches the workers late
and that time does not count. So there are three readings: stragglers finish, and the time that a model is under way
counts; it does not, the paper's clock; stragglers are cut short by a model that reaches them at once, and send the
blocks that they have finished, of s = 4 or 32.
"""

from typing import Any

import numpy as np
from _lgc import (
    BLOCKS,
    CIFAR,
    COLOURS,
    CUT,
    EVERY,
    FINISH,
    FULL,
    K_SGD,
    LGC,
    REACH,
    cluster,
    off_theory,
    perceptron,
    policies,
    ratio,
    saved,
    setting,
)
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval

C, H, FINE = 3, 10, 32
FINELY, NON_CONVEX = f"{CUT}, s = {FINE}", f"perceptron, {FINISH}"
NEAR = 1.1  # a loss this near to full synchrony's last one is a goal


def sooner(results: cs.Results, variant: str, policy: str) -> Interval:
    """Time to 1.1 times the loss with which full synchrony ends, over its own time to there, by pairs."""
    runs = results.frame[results.frame["variant"] == variant]
    goal = NEAR * float(runs[runs["policy"] == FULL].groupby("replication")["loss"].last().mean())
    times = results.time_to_target(goal, "loss")
    times = times[times["variant"] == variant].pivot_table("time", "replication", "policy", dropna=False)
    return geometric_interval(times[policy] / times[FULL])


def convergence(results: cs.Results) -> Figure:
    """Fig. 4: training loss against updates, and against time; means and 95 % bands."""
    figure = Figure(figsize=(9.6, 6.4), layout="constrained")
    clocks = {FINISH: (REACH, "the paper's clock: a model's time under way does not count"), CUT: (0.0, "")}
    for row, (variant, (under_way, remark)) in zip(figure.subplots(2, 2, sharey=True), clocks.items(), strict=True):
        for label in (FULL, K_SGD, LGC):
            _curve(row, results, variant, label, under_way, {"label": label})
        if variant == CUT:
            _curve(row, results, FINELY, LGC, under_way, {"label": f"{LGC}, s = {FINE}", "linestyle": "--"})
        row[0].set(xlabel="update", ylabel="training loss")
        row[1].set(xlabel="wall-clock time (s)")
        row[0].set_title(
            f"{variant}, s = {BLOCKS} or {FINE}" if variant == CUT else variant, loc="left", fontsize="medium"
        )
        row[1].set_title(remark, loc="left", fontsize="small")
    handles, labels = figure.axes[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
    return figure


def _curve(panels: Any, results: cs.Results, variant: str, label: str, under_way: float, look: dict[str, Any]) -> None:
    """A policy's mean loss, over updates and over their mean times."""
    runs = results.frame[(results.frame["variant"] == variant) & (results.frame["policy"] == label)]
    updates = np.unique(runs["update"])
    shown = updates >= 0.03 * updates[-1]
    bands = {}
    for column in ("loss", "time"):
        band = results.on_grid(column, over="update", grid=updates)
        chosen = (band["variant"] == variant) & (band["policy"] == label)
        bands[column] = band[chosen].reset_index(drop=True)[shown]
    loss, times = bands["loss"], bands["time"]["mean"] - under_way * updates[shown]
    for axes, places in zip(panels, (updates[shown], times), strict=True):
        axes.plot(places, loss["mean"], color=COLOURS[label], linewidth=1.4, **look)
        axes.fill_between(places, loss["low"], loss["high"], color=COLOURS[label], alpha=0.15, linewidth=0)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.grid(alpha=0.3, which="both")
        axes.spines[["top", "right"]].set_visible(False)


VARIANTS: dict[str, dict[str, Any]] = {
    FINISH: {},
    CUT: {"cluster": cluster(H, finish=False)},
    FINELY: {"cluster": cluster(H, finish=False), "policies": policies(C, blocks=FINE)},
}
NON_CONVEX_CLAIMS = [
    cs.Claim("perceptron: K-SGD ends at a higher loss than full synchrony (ratio, lower end)",
             lambda results: float(ratio(results, NON_CONVEX, K_SGD).low), low=1.0),
    cs.Claim("perceptron: LGC ends at almost its loss (ratio, upper end)",
             lambda results: float(ratio(results, NON_CONVEX, LGC).high), high=1.03),
]  # fmt: skip
if CIFAR is None:
    VARIANTS[NON_CONVEX] = {"problem": perceptron(), "optimizer": cs.SGD(0.05)}

study = cs.Study(
    name="lgc-time",
    **setting(step_size=0.1, updates=750),
    cluster=cluster(H, finish=True),
    policies=policies(C),
    variants=VARIANTS,
    replications=5,
    evaluate_every=EVERY,
    metric="loss",
    claims=[
        cs.Claim("LGC saves up to 35 % of full synchrony's time (cut short)",
                 lambda results: float(saved(results, CUT).mean), low=0.3, high=0.38),
        cs.Claim("K-SGD and LGC save 1 - mu_7 / mu_10 = 33.8 % (cut short; standard errors off, worst)",
                 lambda results: max(off_theory(results, CUT, policy) for policy in (K_SGD, LGC)), high=4.0),
        cs.Claim("where stragglers finish since a model takes 0.5 s to reach them, 6.0 % (standard errors off, worst)",
                 lambda results: max(off_theory(results, FINISH, policy, under_way=REACH) for policy in (K_SGD, LGC)),
                 high=4.0),
        cs.Claim("K-SGD ends at a higher loss than full synchrony (stragglers finish; ratio, lower end)",
                 lambda results: float(ratio(results, FINISH, K_SGD).low), low=1.0),
        cs.Claim("LGC ends at almost its loss (stragglers finish; ratio, upper end)",
                 lambda results: float(ratio(results, FINISH, LGC).high), high=1.03),
        cs.Claim("LGC ends below K-SGD (stragglers finish; ratio, upper end)",
                 lambda results: float(ratio(results, FINISH, LGC, K_SGD).high), high=1.0),
        cs.Claim("cut short, s = 4: LGC ends below K-SGD (ratio, upper end)",
                 lambda results: float(ratio(results, CUT, LGC, K_SGD).high), high=1.0),
        cs.Claim("cut short, s = 4: LGC ends at almost full synchrony's loss (ratio, upper end)",
                 lambda results: float(ratio(results, CUT, LGC).high), high=1.03),
        cs.Claim("cut short, s = 4: LGC is near that loss in less time (its time over full synchrony's, upper end)",
                 lambda results: float(sooner(results, CUT, LGC).high), high=0.8),
        *([] if CIFAR else NON_CONVEX_CLAIMS),
    ],
    figures={"convergence": convergence},
    notes="Where stragglers finish, a model is 0.5 s under way to the workers, so that little can be saved; without "
    "that time, savings are those of stragglers cut short. These have finished 2/3 of their blocks on average with "
    "s = 4, 0.79 with 32, and the others count as zero (r/s): the gradient is 0.90 (0.94) of a full one, and LGC lags "
    "as with a shorter step. A gradient that is one update late costs in proportion to (step x curvature)^2 (Theorem "
    "2): with longer steps LGC loses its lead over K-SGD.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
