"""For how many workers should the master wait? The frontier of training loss against time, K = 5 to 10.

Fig. 5 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021: N = 10,
c = 3 classes a worker, h = 10, response times 0.05 s + Exp(mean 0.02 s), a fixed number of updates. And the paper's
advice for a budget of time (eq. 25): the more time there is, the more workers to wait for.

Here with a perceptron. Where stragglers finish, the time that a model is under way does not count: the paper's clock.
Where they are cut short, they send what they have finished of s = 4 blocks, and all time counts.
"""

from typing import Any

import numpy as np
import pandas as pd
from _lgc import (
    COLOURS,
    CUT,
    EVERY,
    FINISH,
    FULL,
    K_SGD,
    LGC,
    REACH,
    N,
    averaged,
    cluster,
    lost,
    perceptron,
    policies,
    ratio,
    setting,
    update_times,
)
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval, mean_interval

C = 3
KS = (5, 6, 7, 8, 9)  # besides N
LAST = 1 / 6  # of the updates, over which the last loss and accuracy are averaged
LONG = f"{FINISH}, h = 50"
UNDER_WAY = {FINISH: REACH, CUT: 0.0, LONG: REACH}
BUDGETS = (1 / 8, 1 / 4, 1 / 2, 1)  # parts of the time that K = 5 needs for all updates
SHADES = ("#9ecae1", "#4a98c9", "#1764ab", "#08306b")


def label(scheme: str, k: int) -> str:
    """Label of a scheme that waits for k workers; for all of them it is full synchrony."""
    return f"{scheme}, K = {k}" if k < N else FULL


def waits() -> dict[str, cs.Policy]:
    """Full synchrony, and K-SGD and LGC for every K."""
    by_k = {k: policies(C, k) for k in KS}
    return {FULL: by_k[KS[0]][FULL]} | {label(scheme, k): by_k[k][scheme] for scheme in (K_SGD, LGC) for k in KS}


def over_full(results: cs.Results, variant: str, scheme: str, k: int = KS[0]) -> Interval:
    """Where a scheme's loss ends, over full synchrony's, by pairs."""
    return ratio(results, variant, label(scheme, k), last=LAST)


def over_k_sgd(results: cs.Results, variant: str, ks: tuple[int, ...] = KS) -> float:
    """Where LGC's loss ends, over K-SGD's with the same K: geometric mean over K, by pairs, upper end."""
    ends = averaged(results, variant, "loss", LAST)
    logs = [np.log(ends[label(LGC, k)] / ends[label(K_SGD, k)]) for k in ks]
    return float(geometric_interval(np.exp(np.mean(logs, axis=0))).high)


def points_lost(results: cs.Results, variant: str, scheme: str, k: int = KS[0]) -> Interval:
    """Points of test accuracy that a scheme loses against full synchrony."""
    return lost(results, variant, label(scheme, k), last=LAST)


def points_gained(results: cs.Results, variant: str) -> float:
    """Points of test accuracy by which LGC is above K-SGD with the same K, mean over K, lower end."""
    ends = averaged(results, variant, last=LAST)
    return float(mean_interval(100 * np.mean([ends[label(LGC, k)] - ends[label(K_SGD, k)] for k in KS], axis=0)).low)


def within(results: cs.Results, variant: str, scheme: str) -> pd.DataFrame:
    """Loss within a budget of time, by replication (rows), part of the longest budget and K (columns)."""
    times = {k: update_times(results, variant, UNDER_WAY[variant])[label(scheme, k)] for k in (*KS, N)}
    runs = results.frame[results.frame["variant"] == variant]
    shortest = float(runs["update"].max() * times[KS[0]].mean())
    values = {}
    for k in times:
        for replication, run in runs[runs["policy"] == label(scheme, k)].groupby("replication"):
            clock = run["time"] - UNDER_WAY[variant] * run["update"]
            for part in BUDGETS:
                loss = float(np.exp(np.interp(part * shortest, clock, np.log(run["loss"]))))
                values[replication, part, k] = loss
    return pd.Series(values).unstack([1, 2])


def best_k(results: cs.Results, variant: str, scheme: str, part: float) -> int:
    """The K that ends lowest within a budget of time, on geometric average."""
    return int(np.log(within(results, variant, scheme)[part]).mean().idxmin())


def frontier(results: cs.Results) -> Figure:
    """Fig. 5: loss and test accuracy at the end against the time that all updates take, 95 % intervals; labels: K."""
    figure = Figure(figsize=(11.0, 6.6), layout="constrained")
    panels = figure.subplots(2, len(UNDER_WAY), sharex=True, sharey="row")
    for (top, bottom), (variant, under_way) in zip(panels.T, UNDER_WAY.items(), strict=True):
        last = float(results.frame.loc[results.frame["variant"] == variant, "update"].max())
        times = last * update_times(results, variant, under_way)
        for axes, column, up in ((top, "loss", K_SGD), (bottom, "test_accuracy", LGC)):
            for scheme in (K_SGD, LGC):
                _curve(axes, times, averaged(results, variant, column, LAST), scheme, above=scheme == up)
            axes.grid(alpha=0.3, which="both")
            axes.spines[["top", "right"]].set_visible(False)
        top.set_title(variant, loc="left", fontsize="medium")
        top.set_yscale("log")
        top.yaxis.set_major_formatter("{x:g}")
        top.yaxis.set_minor_formatter("{x:g}")
        bottom.set_xlabel("time of all updates (s)")
    panels[0, 0].set_ylabel("training loss at the end")
    panels[1, 0].set_ylabel("test accuracy at the end")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    labels = [f"{each}, numbers are K" if each != FULL else each for each in labels]
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _curve(axes: Any, times: pd.DataFrame, ends: pd.DataFrame, scheme: str, *, above: bool) -> None:
    """A scheme's ends and times with their intervals, joined in the order of K; the last is full synchrony."""
    names = {k: label(scheme, k) for k in (*KS, N)}
    y, x = (np.transpose([mean_interval(table[name]) for name in names.values()]) for table in (ends, times))
    reach = [np.nan_to_num([each[0] - each[1], each[2] - each[0]]) for each in (y, x)]
    axes.errorbar(
        x[0], y[0], *reach, marker="o", color=COLOURS[scheme], label=scheme, markersize=5, linewidth=1.0,
        elinewidth=0.7, capsize=2,
    )  # fmt: skip
    axes.plot(x[0][-1:], y[0][-1:], "o", color=COLOURS[FULL], markersize=6, zorder=3, label=FULL if above else None)
    for k, *place in zip(names, x[0], y[0], strict=True):
        aside, colour = (5, 5) if above else (-10, -12), COLOURS[FULL if k == N else scheme]
        if k < N or above:
            axes.annotate(str(k), place, aside, textcoords="offset points", color=colour, fontsize="small")


def budgets(results: cs.Results) -> Figure:
    """Loss within a budget of time against K; the lowest point of a curve is the best K."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    for axes, scheme in zip(figure.subplots(1, 2, sharey=True), (K_SGD, LGC), strict=True):
        table = within(results, FINISH, scheme)
        for part, shade in zip(BUDGETS, SHADES, strict=True):
            mean, low, high = geometric_interval(table[part])
            ks = table[part].columns
            axes.plot(ks, mean, "o-", color=shade, markersize=4, label=f"{part:g}")
            axes.fill_between(ks, low, high, color=shade, alpha=0.15, linewidth=0)
            axes.plot(ks[mean.argmin()], mean.min(), "o", color=shade, markersize=9, mfc="none")
        axes.set(xlabel="K", xticks=(*KS, N), yscale="log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.set_title(f"{scheme}, {FINISH}", loc="left", fontsize="medium")
        axes.grid(alpha=0.3, which="both")
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("training loss when the time is up")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    title = f"time, over what all updates take with K = {KS[0]}; rings: the best K"
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False, title=title)
    return figure


study = cs.Study(
    name="lgc-threshold",
    **setting(perceptron(), step_size=0.1, updates=600),
    cluster=cluster(10, finish=True),
    policies=waits(),
    variants={FINISH: {}, CUT: {"cluster": cluster(10, finish=False)}, LONG: {"cluster": cluster(50, finish=True)}},
    replications=5,
    evaluate_every=EVERY,
    metric="loss",
    claims=[
        cs.Claim("K-SGD's loss rises as K falls (K = 5 over full synchrony, lower end)",
                 lambda results: float(over_full(results, FINISH, K_SGD).low), low=1.0),
        cs.Claim("K-SGD loses accuracy (points lost at K = 5, lower end)",
                 lambda results: float(points_lost(results, FINISH, K_SGD).low), low=1.0),
        cs.Claim("LGC loses only a little accuracy (points lost at K = 5, upper end)",
                 lambda results: float(points_lost(results, FINISH, LGC).high), high=1.5),
        cs.Claim("LGC's frontier lies below K-SGD's (ratio of losses, mean over K, upper end)",
                 lambda results: over_k_sgd(results, FINISH), high=1.0),
        cs.Claim("it does so too for K = 7, 8, 9 alone (as above)",
                 lambda results: over_k_sgd(results, FINISH, (7, 8, 9)), high=1.0),
        cs.Claim("h = 50: LGC's frontier lies below K-SGD's (as above)",
                 lambda results: over_k_sgd(results, LONG), high=1.0),
        cs.Claim("h = 50: LGC is above K-SGD in accuracy (points, mean over K, lower end)",
                 lambda results: points_gained(results, LONG), low=0.0),
        cs.Claim("h = 50: LGC loses only a little accuracy (points lost at K = 5, upper end)",
                 lambda results: float(points_lost(results, LONG, LGC).high), high=1.5),
        cs.Claim("cut short: LGC's frontier lies below K-SGD's (ratio of losses, mean over K, upper end)",
                 lambda results: over_k_sgd(results, CUT), high=1.0),
        cs.Claim("eq. 25: LGC's best K grows with the budget of time (longest less shortest)",
                 lambda results: float(best_k(results, FINISH, LGC, 1) - best_k(results, FINISH, LGC, 1 / 8)),
                 low=1.0),
        cs.Claim("K-SGD's best K does (longest less shortest)",
                 lambda results: float(best_k(results, FINISH, K_SGD, 1) - best_k(results, FINISH, K_SGD, 1 / 8)),
                 low=1.0),
    ],
    figures={"frontier": frontier, "budgets": budgets},
    notes="What ignored stragglers cost grows with the step and with h: at K = 7 and more, h = 10, K-SGD and LGC tie. "
    "Where stragglers are cut short, unfinished blocks count as zero, so that LGC's gradient is too short, the more so "
    "the smaller K. The best K is read from noisy curves with flat minima.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
