"""How much time does live gradient compensation (LGC) save, and at which loss? Loss against updates and time.

Fig. 4 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021: N = 10,
K = 7, c = 3 classes on each worker, response times of 0.05 s + Exp(mean 0.02 s) that stay the same for h = 10 updates.
The setting is in `_lgc.py`.

The paper lets stragglers finish and counts X_(K) for an update. Both are possible only if the downlink is slow and its
time does not count. So there are three readings. Stragglers finish, and the time of the downlink counts. Stragglers
finish, and it does not count: the paper's clock. Or the downlink takes no time: the new model cuts stragglers short,
and they send the blocks that they have finished, of s = 4 or 32.
"""

from typing import Any

import _lgc as lgc
import numpy as np
from _drawing import band, plain_log, tidy
from _lgc import COLOURS, CUT, DOWNLINK, FINISH, FULL, K_SGD, LGC, cluster, off_theory, policies, ratio
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval

C, H, FINE = 3, 10, 32
FINELY, NON_CONVEX = f"{CUT}, s = {FINE}", f"perceptron, {FINISH}"
NEAR = 1.1  # the goal is this many times full synchrony's last loss


def sooner(results: cs.Results, variant: str, policy: str) -> Interval:
    """A policy's time to 1.1 times full synchrony's last loss, over full synchrony's time to it, pair by pair."""
    runs = results.frame[results.frame["variant"] == variant]
    goal = NEAR * float(runs[runs["policy"] == FULL].groupby("replication")["loss"].last().mean())
    times = results.time_to_target(goal, "loss")
    times = times[times["variant"] == variant].pivot_table("time", "replication", "policy", dropna=False)
    return geometric_interval(times[policy] / times[FULL])


def convergence(results: cs.Results) -> Figure:
    """Draw Fig. 4: training loss against updates, and against time; means and 95 % bands."""
    figure = Figure(figsize=(9.6, 6.4), layout="constrained")
    grid = figure.subplots(2, 2, sharey=True)
    for label in (FULL, K_SGD, LGC):
        _curve(grid[0], results, FINISH, label, DOWNLINK, label=label)
        _curve(grid[1], results, CUT, label, 0.0, label=label)
    _curve(grid[1], results, FINELY, LGC, 0.0, style="--", label=f"{LGC}, s = {FINE}")
    titles = [FINISH, "the paper's clock: the time of the downlink does not count"], [f"{CUT}, s = 4 or {FINE}", ""]
    for axes, title in zip(grid.flat, titles[0] + titles[1], strict=True):
        axes.set_title(title, loc="left", fontsize="medium")
        plain_log(axes.yaxis)
        axes.grid(alpha=0.3, which="both")
        tidy(axes, grid=None)
    for row in grid:
        row[0].set(xlabel="update", ylabel="training loss")
        row[1].set(xlabel="wall-clock time (s)")
    figure.legend(*grid[1, 1].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    return figure


def _curve(panels: Any, results: cs.Results, variant: str, policy: str, downlink: float, **look: Any) -> None:
    """Draw a policy's mean loss, over updates and over their mean times less the downlink's seconds."""
    runs = results.frame[(results.frame["variant"] == variant) & (results.frame["policy"] == policy)]
    updates = np.unique(runs["update"])
    shown = updates >= 0.03 * updates[-1]
    bands = {}
    for column in ("loss", "time"):
        curves = results.on_grid(column, over="update", grid=updates)
        chosen = (curves["variant"] == variant) & (curves["policy"] == policy)
        bands[column] = curves[chosen].reset_index(drop=True)[shown]
    for axes, x in zip(panels, (updates[shown], bands["time"]["mean"] - downlink * updates[shown]), strict=True):
        band(axes, x, bands["loss"], COLOURS[policy], **look)


VARIANTS: dict[str, dict[str, Any]] = {
    FINISH: {},
    CUT: {"cluster": cluster(H, finish=False)},
    FINELY: {"cluster": cluster(H, finish=False), "policies": policies(C, blocks=FINE)},
}
NON_CONVEX_CLAIMS = [
    cs.Claim("perceptron: K-SGD ends at a higher loss than full synchrony (ratio, lower end)",
             lambda results: float(ratio(results, NON_CONVEX, K_SGD).low), low=1.0),
    cs.Claim("perceptron: LGC ends at almost the loss of full synchrony (ratio, upper end)",
             lambda results: float(ratio(results, NON_CONVEX, LGC).high), high=1.03),
]  # fmt: skip
if lgc.CIFAR is None:
    VARIANTS[NON_CONVEX] = {"problem": lgc.perceptron(), "optimizer": cs.SGD(0.05)}

study = cs.Study(
    name="lgc-time",
    **lgc.setting(step_size=0.1, updates=750),
    cluster=cluster(H, finish=True),
    policies=policies(C),
    variants=VARIANTS,
    replications=5,
    evaluate_every=lgc.EVERY,
    metric="loss",
    claims=[
        cs.Claim("cut short: LGC saves up to 35 % of full synchrony's time (part saved)",
                 lambda results: float(lgc.saved(results, CUT).mean), low=0.3, high=0.38),
        cs.Claim("cut short: K-SGD and LGC save 1 - mu_7 / mu_10 = 33.8 % (largest difference, standard errors)",
                 lambda results: max(off_theory(results, CUT, policy) for policy in (K_SGD, LGC)), high=4.0),
        cs.Claim("stragglers finish: they save 6.0 %, with a downlink of 0.5 s (largest difference, standard errors)",
                 lambda results: max(off_theory(results, FINISH, policy, downlink=DOWNLINK) for policy in (K_SGD, LGC)),
                 high=4.0),
        cs.Claim("stragglers finish: K-SGD ends at a higher loss than full synchrony (ratio, lower end)",
                 lambda results: float(ratio(results, FINISH, K_SGD).low), low=1.0),
        cs.Claim("stragglers finish: LGC ends at almost the loss of full synchrony (ratio, upper end)",
                 lambda results: float(ratio(results, FINISH, LGC).high), high=1.03),
        cs.Claim("stragglers finish: LGC ends at a lower loss than K-SGD (ratio, upper end)",
                 lambda results: float(ratio(results, FINISH, LGC, K_SGD).high), high=1.0),
        cs.Claim("cut short, s = 4: LGC ends at a lower loss than K-SGD (ratio, upper end)",
                 lambda results: float(ratio(results, CUT, LGC, K_SGD).high), high=1.0),
        cs.Claim("cut short, s = 4: LGC ends at almost the loss of full synchrony (ratio, upper end)",
                 lambda results: float(ratio(results, CUT, LGC).high), high=1.03),
        cs.Claim("cut short, s = 4: LGC reaches 1.1 times that loss sooner (its time over full synchrony's, upper end)",
                 lambda results: float(sooner(results, CUT, LGC).high), high=0.8),
        *([] if lgc.CIFAR else NON_CONVEX_CLAIMS),
    ],
    figures={"convergence": convergence},
    notes="Where stragglers finish, the downlink takes 0.5 s, so little time can be saved; without that time, the "
    "savings are those of stragglers that are cut short. Those have finished 2/3 of their blocks on average with "
    "s = 4, 0.79 with s = 32. The other blocks count as zero (r/s): the gradient is 0.90 (0.94) of a full one, and LGC "
    "falls behind as it would with a shorter step. The cost of a gradient that is one update late is proportional to "
    "(step x curvature)^2 (Theorem 2): with longer steps LGC loses its lead over K-SGD.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
