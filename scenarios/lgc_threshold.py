"""For how many workers should the master wait? The frontier of training loss against time, K = 5 to 10.

Fig. 5 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021: N = 10,
c = 3 classes on each worker, response times of 0.05 s + Exp(mean 0.02 s) that stay the same for h = 10 updates, a fixed
number of updates. Also the paper's advice for a budget of time (eq. 25): the more time there is, the more workers the
master should wait for. The setting is in `_lgc.py`.

The model is a perceptron. Where stragglers finish, the time of the downlink does not count: the paper's clock. Where
they are cut short, they send those of s = 4 blocks that they have finished, and all time counts.
"""

from typing import Any

import _lgc as lgc
import numpy as np
import pandas as pd
from _drawing import band, legend_above, plain_log, tidy
from _lgc import COLOURS, CUT, DOWNLINK, FINISH, FULL, K_SGD, LGC, N, averaged, cluster, update_times
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval, mean_interval

C = 3
KS = (5, 6, 7, 8, 9)  # K = N is full synchrony
LAST = 1 / 6  # part of the updates over which loss and accuracy at the end are averaged
LONG = f"{FINISH}, h = 50"
DOWNLINKS = {FINISH: DOWNLINK, CUT: 0.0, LONG: DOWNLINK}
BUDGETS = (1 / 8, 1 / 4, 1 / 2, 1)  # parts of the time of all updates with K = 5
SHADES = ("#9ecae1", "#4a98c9", "#1764ab", "#08306b")


def label(scheme: str, k: int) -> str:
    """Label of a scheme that waits for k workers; if k = N, it is full synchrony."""
    return f"{scheme}, K = {k}" if k < N else FULL


def all_policies() -> dict[str, cs.Policy]:
    """Full synchrony, and K-SGD and LGC for every K."""
    by_k = {k: lgc.policies(C, k) for k in KS}
    return {FULL: by_k[KS[0]][FULL]} | {label(scheme, k): by_k[k][scheme] for scheme in (K_SGD, LGC) for k in KS}


def over_full(results: cs.Results, variant: str, scheme: str, k: int = KS[0]) -> Interval:
    """A scheme's loss at the end over full synchrony's, pair by pair."""
    return lgc.ratio(results, variant, label(scheme, k), last=LAST)


def over_k_sgd(results: cs.Results, variant: str, ks: tuple[int, ...] = KS) -> float:
    """LGC's loss at the end over K-SGD's with the same K, pair by pair: geometric mean over K, upper end."""
    ends = averaged(results, variant, "loss", LAST)
    logs = [np.log(ends[label(LGC, k)] / ends[label(K_SGD, k)]) for k in ks]
    return float(geometric_interval(np.exp(np.mean(logs, axis=0))).high)


def points_lost(results: cs.Results, variant: str, scheme: str, k: int = KS[0]) -> Interval:
    """Points of test accuracy that a scheme loses against full synchrony, pair by pair."""
    return lgc.lost(results, variant, label(scheme, k), last=LAST)


def points_gained(results: cs.Results, variant: str) -> float:
    """Points of test accuracy by which LGC ends above K-SGD with the same K, pair by pair: mean over K, lower end."""
    ends = averaged(results, variant, last=LAST)
    return float(mean_interval(100 * np.mean([ends[label(LGC, k)] - ends[label(K_SGD, k)] for k in KS], axis=0)).low)


def within(results: cs.Results, variant: str, scheme: str) -> pd.DataFrame:
    """The loss at the end of a budget of time; rows are replications, columns parts of the largest budget and K."""
    times = {k: update_times(results, variant, DOWNLINKS[variant])[label(scheme, k)] for k in (*KS, N)}
    runs = results.frame[results.frame["variant"] == variant]
    largest = float(runs["update"].max() * times[KS[0]].mean())
    values = {}
    for k in times:
        for replication, run in runs[runs["policy"] == label(scheme, k)].groupby("replication"):
            clock = run["time"] - DOWNLINKS[variant] * run["update"]
            for part in BUDGETS:
                loss = float(np.exp(np.interp(part * largest, clock, np.log(run["loss"]))))
                values[replication, part, k] = loss
    return pd.Series(values).unstack([1, 2])


def best_k(results: cs.Results, variant: str, scheme: str, part: float) -> int:
    """The K with the lowest loss at the end of a budget of time, by geometric mean."""
    return int(np.log(within(results, variant, scheme)[part]).mean().idxmin())


def frontier(results: cs.Results) -> Figure:
    """Draw Fig. 5: loss and test accuracy at the end against the time of all updates; labels are K; 95 % intervals."""
    figure = Figure(figsize=(11.0, 6.6), layout="constrained")
    panels = figure.subplots(2, len(DOWNLINKS), sharex=True, sharey="row")
    for (top, bottom), (variant, downlink) in zip(panels.T, DOWNLINKS.items(), strict=True):
        last = float(results.frame.loc[results.frame["variant"] == variant, "update"].max())
        times = last * update_times(results, variant, downlink)
        for axes, column, upper in ((top, "loss", K_SGD), (bottom, "test_accuracy", LGC)):
            for scheme in (K_SGD, LGC):
                _curve(axes, times, averaged(results, variant, column, LAST), scheme, above=scheme == upper)
            axes.grid(alpha=0.3, which="both")
            tidy(axes, grid=None)
        top.set_title(variant, loc="left", fontsize="medium")
        plain_log(top.yaxis)
        bottom.set_xlabel("time of all updates (s)")
    panels[0, 0].set_ylabel("training loss at the end")
    panels[1, 0].set_ylabel("test accuracy at the end")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    labels = [f"{each}, numbers are K" if each != FULL else each for each in labels]
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _curve(axes: Any, times: pd.DataFrame, ends: pd.DataFrame, scheme: str, *, above: bool) -> None:
    """Draw where a scheme ends and when, with intervals, joined in the order of K; the last is full synchrony."""
    names = {k: label(scheme, k) for k in (*KS, N)}
    y, x = (np.transpose([mean_interval(table[name]) for name in names.values()]) for table in (ends, times))
    reach = [np.nan_to_num([each[0] - each[1], each[2] - each[0]]) for each in (y, x)]
    axes.errorbar(
        x[0], y[0], *reach, marker="o", color=COLOURS[scheme], label=scheme, markersize=5, linewidth=1.0,
        elinewidth=0.7, capsize=2,
    )  # fmt: skip
    axes.plot(x[0][-1:], y[0][-1:], "o", color=COLOURS[FULL], markersize=6, zorder=3, label=FULL if above else None)
    for k, *place in zip(names, x[0], y[0], strict=True):
        offset, colour = (5, 5) if above else (-10, -12), COLOURS[FULL if k == N else scheme]
        if k < N or above:
            axes.annotate(str(k), place, offset, textcoords="offset points", color=colour, fontsize="small")


def budgets(results: cs.Results) -> Figure:
    """Draw the loss within a budget of time against K; a ring marks the best K of each budget."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    for axes, scheme in zip(figure.subplots(1, 2, sharey=True), (K_SGD, LGC), strict=True):
        table = within(results, FINISH, scheme)
        for part, shade in zip(BUDGETS, SHADES, strict=True):
            interval, ks = geometric_interval(table[part]), table[part].columns
            band(axes, ks, interval._asdict(), shade, "o-", label=f"{part:g}")
            axes.plot(ks[interval.mean.argmin()], interval.mean.min(), "o", color=shade, markersize=9, mfc="none")
        axes.set(xlabel="K", xticks=(*KS, N))
        plain_log(axes.yaxis)
        axes.set_title(f"{scheme}, {FINISH}", loc="left", fontsize="medium")
        axes.grid(alpha=0.3, which="both")
        tidy(axes, grid=None)
    figure.axes[0].set_ylabel("training loss at the end of the budget")
    legend_above(figure, 4, title=f"budget, over the time of all updates with K = {KS[0]}; rings: the best K")
    return figure


study = cs.Study(
    name="lgc-threshold",
    **lgc.setting(lgc.perceptron(), step_size=0.1, updates=600),
    cluster=cluster(10, finish=True),
    policies=all_policies(),
    variants={FINISH: {}, CUT: {"cluster": cluster(10, finish=False)}, LONG: {"cluster": cluster(50, finish=True)}},
    replications=5,
    evaluate_every=lgc.EVERY,
    metric="loss",
    claims=[
        cs.Claim("K-SGD's loss rises as K falls (K = 5 over full synchrony, lower end)",
                 lambda results: float(over_full(results, FINISH, K_SGD).low), low=1.0),
        cs.Claim("K-SGD loses accuracy (points lost at K = 5, lower end)",
                 lambda results: float(points_lost(results, FINISH, K_SGD).low), low=1.0),
        cs.Claim("LGC loses only a little accuracy (points lost at K = 5, upper end)",
                 lambda results: float(points_lost(results, FINISH, LGC).high), high=1.5),
        cs.Claim("LGC's losses are below K-SGD's (ratio, mean over K, upper end)",
                 lambda results: over_k_sgd(results, FINISH), high=1.0),
        cs.Claim("LGC's losses are below K-SGD's for K = 7, 8 and 9 alone (ratio, mean over K, upper end)",
                 lambda results: over_k_sgd(results, FINISH, (7, 8, 9)), high=1.0),
        cs.Claim("h = 50: LGC's losses are below K-SGD's (ratio, mean over K, upper end)",
                 lambda results: over_k_sgd(results, LONG), high=1.0),
        cs.Claim("h = 50: LGC's accuracy is above K-SGD's (points, mean over K, lower end)",
                 lambda results: points_gained(results, LONG), low=0.0),
        cs.Claim("h = 50: LGC loses only a little accuracy (points lost at K = 5, upper end)",
                 lambda results: float(points_lost(results, LONG, LGC).high), high=1.5),
        cs.Claim("cut short: LGC's losses are below K-SGD's (ratio, mean over K, upper end)",
                 lambda results: over_k_sgd(results, CUT), high=1.0),
        cs.Claim("eq. 25: LGC's best K grows with the budget of time (largest less smallest budget)",
                 lambda results: float(best_k(results, FINISH, LGC, 1) - best_k(results, FINISH, LGC, 1 / 8)),
                 low=1.0),
        cs.Claim("eq. 25: K-SGD's best K grows with the budget of time (largest less smallest budget)",
                 lambda results: float(best_k(results, FINISH, K_SGD, 1) - best_k(results, FINISH, K_SGD, 1 / 8)),
                 low=1.0),
    ],
    figures={"frontier": frontier, "budgets": budgets},
    notes="The cost of ignoring stragglers grows with the step and with h: for K >= 7 and h = 10, K-SGD and LGC tie. "
    "Where stragglers are cut short, unfinished blocks count as zero, so LGC's gradient is too short, the more so "
    "the smaller K is. The best K is read from noisy curves with flat minima.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
