"""Cluster, policies, measures, claims and figures that the ErasureHead scenarios share (section 5 of the paper).

H. Wang, Z. Charles, D. Papailiopoulos, "ErasureHead: Distributed Gradient Descent without Delays Using Approximate
Gradient Coding", 2019. A script passes its problem, its optimiser and the compute time of a share to `experiment`, and
gets a study.

*With delays*, a load of c shares takes c times the compute time of a share plus an exponential time of mean 0.5 s,
whatever the load: the authors let workers sleep for it. *Without delays*, it is the model of the paper's section 4 with
straggling parameter 1: one share takes its compute time plus an exponential time of the same mean, and c shares take c
times as long. Transfers take no time.

The *goal* is the metric that uncoded gradient descent has reached after 100 updates, the paper's number of updates. A
*speed-up* is the ratio of the times at which two policies reach the goal. It is measured pair by pair, since all
policies meet the same stragglers. In claims, "upper end" is that of the 95 % interval.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from _drawing import legend_above, tidy
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval, mean_interval

N, UPDATES = 30, 100
DELAY = 0.5  # mean of the added sleep, seconds; the paper's "lambda = 1/2"
LOADS = (2, 3)
DELAYS, NONE = "with delays", "without delays"
UNCODED = "uncoded"
NOTES = (
    "Compute times are assumed, and transfers take no time; the figure speed-up-by-share shows how the result depends "
    "on the compute time. ErasureHead needs more updates, because its gradient is 1 - p times the full one on average. "
    "The result without delays depends on section 4's model with lambda = 1."
)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "black", "#e69f00", "#56b4e9")


def exact(c: int) -> str:
    """Label of the exact code with load c."""
    return f"exact, c = {c}"


def head(c: int, r: int = 11) -> str:
    """Label of ErasureHead with load c that waits for at most r of 30 messages."""
    return f"ErasureHead, c = {c}, {r}/30"


SCHEMES: Mapping[str, tuple[int, int]] = (  # load, and number of messages that is always enough
    {UNCODED: (1, N)} | {exact(c): (c, N) for c in LOADS} | {head(c, r): (c, r) for r in (11, 6) for c in LOADS}
)
POLICIES: Mapping[str, cs.Policy] = (
    {UNCODED: cs.FullSync()}
    | {exact(c): cs.ExactGradientCode(c) for c in LOADS}
    | {head(c, r): cs.ErasureHead(c, r / N) for r in (11, 6) for c in LOADS}
)


def experiment(share: float, **rest: Any) -> cs.Study:
    """Build the study of section 5.

    Parameters
    ----------
    share : float
        Compute time of one share, seconds.
    **rest
        Problem, optimiser and whatever else differs between the scripts, as for `clustersim.Study`.
    """
    delayed = cs.Cluster(N, cs.ShiftedExponential(shift=share, mean=DELAY), scaling="data-dependent")
    undelayed = cs.Cluster(N, cs.ShiftedExponential(shift=share, mean=share), scaling="proportional")
    figures = {
        "time-per-update": time_per_update,
        "speed-up": speed_up_by_target,
        "speed-up-by-share": lambda results: speed_up_by_share(results, share),
    }
    return cs.Study(
        cluster=delayed,
        policies=POLICIES,
        variants={DELAYS: {"cluster": delayed}, NONE: {"cluster": undelayed}},
        replications=10,
        figures=figures,
        notes=NOTES,
        **rest,
    )


def goal(results: cs.Results) -> float:
    """The metric of uncoded gradient descent, which is not random, after 100 updates."""
    frame = results.frame
    run = frame[(frame["policy"] == UNCODED) & (frame["update"] <= UPDATES)]
    return float(run[results.metric].iloc[run["update"].argmax()])


@lru_cache(maxsize=32)
def reached(results: cs.Results, target: float) -> pd.DataFrame:
    """`Results.time_to_target`, cached: it reads all runs, and is needed for one policy after the other."""
    return results.time_to_target(target)


@lru_cache(maxsize=256)
def spent(results: cs.Results, variant: str, column: str = "time", target: float | None = None) -> pd.DataFrame:
    """What each run had spent at the goal, or at a target; one row for each replication, one column for each policy."""
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
    """What another policy spends to reach the goal, over what this one spends, pair by pair."""
    table = spent(results, variant, column, target)
    return geometric_interval((table[over] / table[policy]).dropna())


def over_exact(results: cs.Results, variant: str, r: int = 11) -> list[float]:
    """Speed-ups of ErasureHead over the exact code with the same load."""
    return [float(speed_up(results, variant, head(c, r), exact(c)).mean) for c in LOADS]


def over_uncoded(results: cs.Results, variant: str, r: int = 11) -> list[float]:
    """Speed-ups of ErasureHead over uncoded gradient descent."""
    return [float(speed_up(results, variant, head(c, r)).mean) for c in LOADS]


def update_times(results: cs.Results, variant: str) -> pd.DataFrame:
    """Mean time of an update, seconds; one row for each replication, one column for each policy."""
    runs = results.totals[results.totals["variant"] == variant]
    return runs.assign(each=runs["time"] / runs["updates"]).pivot_table("each", "replication", "policy")


def smallest_ratio(results: cs.Results, variant: str, order: Sequence[str]) -> float:
    """The smallest ratio of a policy's update time to the next one's; above 1 if `order` goes from slow to fast."""
    means = update_times(results, variant).mean()
    return min(float(means[slow] / means[fast]) for slow, fast in pairwise(order))


def smallest_speed_up(results: cs.Results, variant: str, r: int = 11) -> float:
    """The smallest upper end of ErasureHead's speed-ups over uncoded gradient descent and the exact codes."""
    pairs = [(head(c, r), other) for c in LOADS for other in (UNCODED, exact(c))]
    return min(float(speed_up(results, variant, policy, other).high) for policy, other in pairs)


def gain_of_six(results: cs.Results, variant: str) -> float:
    """The best speed-up over uncoded gradient descent with 6 messages, over the best with 11."""
    return float(pd.Series(over_uncoded(results, variant, 6)).max()) / max(over_uncoded(results, variant))


def worst_updates(results: cs.Results) -> float:
    """ErasureHead's updates over the exact code's, times sqrt(1 - p): for the c of 2 and 3 that is further from 1."""
    ratios = [float(speed_up(results, DELAYS, exact(c), head(c), "update").mean) for c in LOADS]
    missing = [cs.theory.missing_probabilities(N, c, 11).p for c in LOADS]
    return max((ratio * math.sqrt(1 - p) for ratio, p in zip(ratios, missing, strict=True)), key=lambda x: abs(x - 1))


def expected_time(c: int, r: int, share: float) -> float:
    """Expected time of an update with delays: c shares, and Lemma 8's random part, which ends with the r-th message."""
    return c * share + DELAY * (N / c * cs.theory.erasurehead_update_time(N, c, r, straggling_rate=1.0) - 1)


def time_per_update(results: cs.Results) -> Figure:
    """Draw Fig. 2 and 4, d to f: mean time of an update, 95 % intervals."""
    figure = Figure(figsize=(9.0, 3.2), layout="constrained")
    for axes, variant in zip(figure.subplots(1, 2, sharey=True), (DELAYS, NONE), strict=True):
        mean, low, high = mean_interval(update_times(results, variant)[list(POLICIES)])
        reach = np.nan_to_num([mean - low, high - mean])
        axes.barh(list(POLICIES), mean, xerr=reach, color=COLOURS, error_kw={"elinewidth": 1})
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(f"{variant}: time of an update (s)")
        tidy(axes)
    figure.axes[0].invert_yaxis()  # the first policy on top, in both panels
    return figure


def speed_up_by_target(results: cs.Results) -> Figure:
    """Draw Fig. 3: uncoded gradient descent's time to a target over that of each policy; dashed: the goal."""
    end, start = goal(results), float(results.values(results.metric).iloc[0])
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    targets = np.linspace(start + 0.8 * (end - start), end, 25)
    for axes, variant in zip(figure.subplots(1, 2), (DELAYS, NONE), strict=True):
        curves = [[float(speed_up(results, variant, label, target=t).mean) for label in POLICIES] for t in targets]
        for label, colour, curve in zip(POLICIES, COLOURS, np.transpose(curves), strict=True):
            axes.plot(targets, curve, color=colour, label=label)
        axes.axvline(end, color="0.6", linestyle="--", linewidth=0.8)
        axes.set_ylim(bottom=0.0)
        axes.set(xlabel=results.metric.replace("_", " "), ylabel=f"speed-up over uncoded, {variant}")
        tidy(axes)
        if end < start:
            axes.invert_xaxis()
    legend_above(figure, 4)
    return figure


def speed_up_by_share(results: cs.Results, share: float) -> Figure:
    """Draw the speed-up with delays against the compute time of a share: measured updates, expected times of them."""
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
    axes.set(xlabel="compute time of a share (s); dashed: assumed here", ylabel=f"speed-up over uncoded, {DELAYS}")
    tidy(axes)
    axes.legend(frameon=False, fontsize="small")
    return figure


def up_to_3_times(goal_name: str) -> cs.Claim:
    """The paper's claim on the exact code, for a metric of that name."""
    return cs.Claim(
        f"delays: ErasureHead is up to 3 times as fast as the exact code to the same {goal_name} (better of c = 2, 3)",
        lambda results: max(over_exact(results, DELAYS)), low=2.5,
    )  # fmt: skip


CLAIMS = (  # of all three data sets
    cs.Claim("delays: ErasureHead is up to 6 times as fast as uncoded gradient descent (better of c = 2, 3)",
             lambda results: max(over_uncoded(results, DELAYS)), low=5.0),
    cs.Claim("delays: updates take longest uncoded, then exact c = 2, exact c = 3, ErasureHead (smallest ratio)",
             lambda results: smallest_ratio(results, DELAYS, (UNCODED, exact(2), exact(3), head(3), head(2))), low=1.0),
    cs.Claim("no delays: ErasureHead is at least as fast as uncoded and exact (smallest speed-up, upper end)",
             lambda results: smallest_speed_up(results, NONE), low=1.0),
    cs.Claim("delays: ErasureHead is even faster with 6 of 30 messages than with 11 (ratio of the best speed-ups)",
             lambda results: gain_of_six(results, DELAYS), low=1.0),
)  # fmt: skip
