"""What the ErasureHead scenarios share: the cluster and the policies of section 5, and how speed-ups are measured.

H. Wang, Z. Charles, D. Papailiopoulos, "ErasureHead: Distributed Gradient Descent without Delays Using Approximate
Gradient Coding", 2019. A script gives problem, optimiser and compute time of a share, and gets its study back.

*With delays* a load of c shares takes c times the share plus an exponential time of mean 0.5 s, whatever the load: the
sleep that the authors add. *Without delays* it is the model of the paper's section 4 with straggling parameter 1: a
share takes its compute time plus an exponential time of the same mean, and c shares c times that. Transfers take none.

A speed-up compares the times at which two policies reach the goal: what uncoded gradient descent has after 100 updates,
the paper's number. It is measured pair by pair, for all policies meet the same stragglers.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval, mean_interval

N, UPDATES = 30, 100
DELAY = 0.5  # mean of the added sleep, seconds; the paper's "lambda = 1/2"
LOADS = (2, 3)
DELAYS, NONE = "with delays", "without delays"
UNCODED = "uncoded"
NOTES = (
    "Compute times are assumed, and transfers left out; speed-up-by-share tells how the outcome turns with that. "
    "ErasureHead needs more updates, for its gradient is 1 - p times the full one on average. Without delays all rests "
    "on section 4's model with lambda = 1."
)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "black", "#e69f00", "#56b4e9")


def exact(c: int) -> str:
    """Label of the exact code."""
    return f"exact, c = {c}"


def head(c: int, r: int = 11) -> str:
    """Label of ErasureHead that waits for r of 30 workers."""
    return f"ErasureHead, c = {c}, {r}/30"


SCHEMES: Mapping[str, tuple[int, int]] = (  # load and answers after which the master stops at the latest
    {UNCODED: (1, N)} | {exact(c): (c, N) for c in LOADS} | {head(c, r): (c, r) for r in (11, 6) for c in LOADS}
)
POLICIES: Mapping[str, cs.Policy] = (
    {UNCODED: cs.FullSync()}
    | {exact(c): cs.ExactGradientCode(c) for c in LOADS}
    | {head(c, r): cs.ErasureHead(c, r / N) for r in (11, 6) for c in LOADS}
)
HEADS = tuple(label for label in POLICIES if label.startswith("ErasureHead"))


def experiment(share: float, **rest: Any) -> cs.Study:
    """The study of section 5 where the compute time of one share is `share` seconds; `rest` as for `cs.Study`."""
    slept = cs.Cluster(N, cs.ShiftedExponential(shift=share, mean=DELAY), scaling="data-dependent")
    own = cs.Cluster(N, cs.ShiftedExponential(shift=share, mean=share), scaling="proportional")
    figures = {
        "time-per-update": time_per_update,
        "speed-up": speed_up_by_target,
        "speed-up-by-share": lambda results: speed_up_by_share(results, share),
    }
    return cs.Study(
        cluster=slept,
        policies=POLICIES,
        variants={DELAYS: {"cluster": slept}, NONE: {"cluster": own}},
        figures=figures,
        **rest,
    )


def goal(results: cs.Results) -> float:
    """What uncoded gradient descent, which is not random, has after 100 updates."""
    frame = results.frame
    run = frame[(frame["policy"] == UNCODED) & (frame["update"] <= UPDATES)]
    return float(run[results.metric].iloc[run["update"].argmax()])


@lru_cache(maxsize=32)
def reached(results: cs.Results, target: float) -> pd.DataFrame:
    """`Results.time_to_target`, which looks at all runs at once and is asked for one policy after the other."""
    return results.time_to_target(target)


def spent(results: cs.Results, variant: str, column: str = "time", target: float | None = None) -> pd.DataFrame:
    """What each run had spent at the goal, or at a target; one row a replication, one column a policy."""
    table = reached(results, goal(results) if target is None else target)
    return table[table["variant"] == variant].pivot(index="replication", columns="policy", values=column)


def speed_up(
    results: cs.Results,
    variant: str,
    policy: str,
    over: str = UNCODED,
    column: str = "time",
    target: float | None = None,
) -> Interval:
    """What one policy spends to get to the goal, over what another spends, by pairs."""
    table = spent(results, variant, column, target)
    return geometric_interval((table[over] / table[policy]).dropna())


def over_exact(results: cs.Results, variant: str, r: int = 11) -> list[float]:
    """Speed-ups of ErasureHead over the exact code with the same load."""
    return [float(speed_up(results, variant, head(c, r), exact(c)).mean) for c in LOADS]


def over_uncoded(results: cs.Results, variant: str, r: int = 11) -> list[float]:
    """Speed-ups of ErasureHead over uncoded gradient descent."""
    return [float(speed_up(results, variant, head(c, r)).mean) for c in LOADS]


def update_times(results: cs.Results, variant: str) -> pd.DataFrame:
    """Mean time of an update; one row a replication, one column a policy, seconds."""
    runs = results.totals[results.totals["variant"] == variant]
    return runs.assign(each=runs["time"] / runs["updates"]).pivot_table("each", "replication", "policy")


def least_step(results: cs.Results, variant: str, order: Sequence[str]) -> float:
    """The least ratio between the times of an update of policies, each with the next one; above 1 if so ordered."""
    means = update_times(results, variant).mean()
    return min(float(means[slow] / means[fast]) for slow, fast in pairwise(order))


def least_speed_up(results: cs.Results, variant: str, r: int = 11) -> float:
    """The least upper end of the speed-ups of ErasureHead over uncoded gradient descent and the exact codes."""
    pairs = [(head(c, r), other) for c in LOADS for other in (UNCODED, exact(c))]
    return min(float(speed_up(results, variant, policy, other).high) for policy, other in pairs)


def gain_of_six(results: cs.Results, variant: str) -> float:
    """How much the best speed-up over uncoded gradient descent gains from waiting for 6 workers instead of 11."""
    return float(pd.Series(over_uncoded(results, variant, 6)).max()) / max(over_uncoded(results, variant))


def worst_updates(results: cs.Results) -> float:
    """Updates of ErasureHead over those of the exact code, times sqrt(1 - p): of c = 2, 3 what is further from 1."""
    ratios = [float(speed_up(results, DELAYS, exact(c), head(c), "update").mean) for c in LOADS]
    missing = [cs.theory.missing_probabilities(N, c, 11).p for c in LOADS]
    return max((ratio * math.sqrt(1 - p) for ratio, p in zip(ratios, missing, strict=True)), key=lambda x: abs(x - 1))


def expected_time(c: int, r: int, share: float) -> float:
    """Expected time of an update with delays: c shares, and the random part of Lemma 8 that ends at the r-th answer."""
    return c * share + DELAY * (N / c * cs.theory.erasurehead_update_time(N, c, r, straggling_rate=1.0) - 1)


def time_per_update(results: cs.Results) -> Figure:
    """Fig. 2 and 4, d to f: mean time of an update, 95 % intervals."""
    figure = Figure(figsize=(9.0, 3.2), layout="constrained")
    for axes, variant in zip(figure.subplots(1, 2, sharey=True), (DELAYS, NONE), strict=True):
        mean, low, high = mean_interval(update_times(results, variant)[list(POLICIES)])
        reach = np.nan_to_num([mean - low, high - mean])
        axes.barh(list(POLICIES), mean, xerr=reach, color=COLOURS, error_kw={"elinewidth": 1})
        axes.locator_params(axis="x", nbins=5)
        _dress(axes, f"{variant}: time of an update (s)", "")
    figure.axes[0].invert_yaxis()  # the first policy on top, in both panels
    return figure


def speed_up_by_target(results: cs.Results) -> Figure:
    """Fig. 3: the time of uncoded gradient descent to a target over that of each policy; dashed: the goal."""
    end, start = goal(results), float(results.values(results.metric).iloc[0])
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    targets = np.linspace(start + 0.8 * (end - start), end, 25)
    for axes, variant in zip(figure.subplots(1, 2), (DELAYS, NONE), strict=True):
        curves = [[float(speed_up(results, variant, label, target=t).mean) for label in POLICIES] for t in targets]
        for label, colour, curve in zip(POLICIES, COLOURS, np.transpose(curves), strict=True):
            axes.plot(targets, curve, color=colour, label=label)
        axes.axvline(end, color="0.6", linestyle="--", linewidth=0.8)
        axes.set_ylim(bottom=0.0)
        _dress(axes, results.metric.replace("_", " "), f"speed-up over uncoded, {variant}")
        if end < start:
            axes.invert_xaxis()
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    return figure


def speed_up_by_share(results: cs.Results, share: float) -> Figure:
    """How the speed-up with delays turns with the time of a share: updates as measured, their times expected."""
    shares = np.geomspace(3e-4, 2.0, 60)
    table = spent(results, DELAYS, "update").mean()
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for (label, (c, r)), colour in zip(SCHEMES.items(), COLOURS, strict=True):
        if np.isfinite(table[label]):
            times = [expected_time(1, N, x) / expected_time(c, r, x) for x in shares]
            axes.plot(shares, table[UNCODED] / table[label] * np.array(times), color=colour, label=label)
    axes.axvline(share, color="0.6", linestyle="--", linewidth=0.8)
    axes.set_xscale("log")
    _dress(axes, "compute time of a share (s); dashed: assumed here", f"speed-up over uncoded, {DELAYS}")
    axes.legend(frameon=False, fontsize="small")
    return figure


def _dress(axes: Any, x: str, y: str) -> None:
    axes.set(xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
