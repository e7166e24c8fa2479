"""Problem, cluster, policies, measures and figures that the stochastic gradient coding (SGC) scenarios share.

R. Bitar, M. Wootters, S. El Rouayheb, "Stochastic gradient coding for straggler mitigation in distributed learning",
2020. Linear regression on 1000 rows of 100 features, drawn from N(0, 100), which means a standard deviation of 100.
Each worker responds after one second, whatever its load, or straggles and never responds. The probability p of
straggling is known to the policies.

The *floor* of a policy is its distance to the optimum after the last update. Policies are compared pair by pair, since
all of them meet the same stragglers. In claims, "lower end" and "upper end" are the ends of the 95 % interval.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from _drawing import band, tidy

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval

SGC, BGC, HEAD, IGNORE, ALL, FRESH = "SGC", "BGC", "ErasureHead", "Ignore-Stragglers", "SGC-Send-All", "fresh batches"
COLOURS: Mapping[str, str] = {
    SGC: "#0072b2", BGC: "#56b4e9", HEAD: "#d55e00", IGNORE: "#009e73", ALL: "black", FRESH: "#cc79a7",
}  # fmt: skip
ROWS, UPDATES = 1000, 5000
DISTANCE = r"distance $\|w - w^*\|_2$"

problem = cs.LeastSquares.synthetic(rows=ROWS, features=100, design="gaussian", seed=7)


def optimizer(least_squares: cs.LeastSquares = problem) -> cs.SGD:
    """Gradient descent with the step of eq. 11.

    The paper's 7 ln(10^100) / t^0.7 is divided by the spectral norm of X^T X and applied to the mean gradient.
    """
    initial = 7 * math.log(1e100) / (least_squares.rows * least_squares.smoothness())
    return cs.SGD(cs.schedules.PowerDecay(initial, power=0.7))


def cluster(p: float, workers: int = 10, rounds: int | None = None) -> cs.Cluster:
    """Workers that respond after a second or not at all; the stragglers stay the same for that many `rounds`."""
    compute: cs.LatencyModel = cs.BernoulliStraggler(p, time=1.0)
    if rounds is not None:
        compute = cs.Persistent(compute, rounds=rounds)
    return cs.Cluster(workers=workers, compute=compute, scaling="none")


def policies(p: float, copies: int = 2) -> dict[str, cs.Policy]:
    """Build the policies of Table I; each row is on `copies` (the paper's d) workers, on average."""
    return {
        SGC: cs.StochasticGradientCoding(copies, p),
        BGC: cs.BernoulliGradientCoding(copies, p),
        HEAD: cs.ErasureHead(load=copies, fraction=1.0, deadline=1.0),
        IGNORE: cs.IgnoreStragglers(p),
        ALL: cs.SendAll(copies, p),
    }


def fresh_batches(p: float, workers: int = 10) -> dict[str, cs.Policy]:
    """Mini-batch gradient descent: each worker draws new rows for each task."""
    return {FRESH: cs.FreshBatches(batch=ROWS // workers, straggler_probability=p, deadline=1.0)}


def floors(results: cs.Results, variant: str) -> pd.DataFrame:
    """The distance after the last update; one row for each replication, one column for each policy."""
    runs = results.frame[results.frame["variant"] == variant]
    return runs.groupby(["replication", "policy"])["distance"].last().unstack("policy")


def ratios(results: cs.Results, variants: Iterable[str], above: str, below: str) -> Interval:
    """One policy's floor over another's, pair by pair; one entry for each variant."""
    chosen = [floors(results, variant) for variant in variants]
    return geometric_interval(np.column_stack([values[above] / values[below] for values in chosen]))


def mean_ratio(results: cs.Results, variants: Iterable[str], above: str, below: str) -> Interval:
    """One policy's floor over another's, pair by pair: geometric mean over the variants."""
    chosen = [floors(results, variant) for variant in variants]
    return geometric_interval(np.exp(np.mean([np.log(values[above] / values[below]) for values in chosen], axis=0)))


def largest_ratio_either_way(results: cs.Results, variants: Iterable[str], one: str, other: str) -> float:
    """The largest ratio of the higher to the lower of two floors, over the variants."""
    return float(np.exp(np.abs(np.log(ratios(results, variants, one, other).mean)).max()))


def updates_to(results: cs.Results, variant: str, policy: str, distance: float) -> pd.Series:
    """The first evaluated update at which each replication is within a distance of the optimum."""
    runs = results.frame[(results.frame["variant"] == variant) & (results.frame["policy"] == policy)]
    return runs[runs["distance"] <= distance].groupby("replication")["update"].min()


def draw_curves(axes: Any, results: cs.Results, curves: Mapping[str, tuple[str, str, str]]) -> None:
    """Draw the distance against the number of updates, with 95 % bands.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    results : Results
        The results of one of the SGC studies.
    curves : mapping of str to (str, str, str)
        Policy, variant and colour of each curve, by its label in the legend.
    """
    last = int(results.frame["update"].max())
    bands = results.on_grid("distance", over="update", grid=np.linspace(0, last, 251)).set_index(["policy", "variant"])
    drawn: dict[str, Any] = {label: bands.loc[policy].loc[variant] for label, (policy, variant, _) in curves.items()}
    for (label, (_, _, colour)), curve in zip(curves.items(), drawn.values(), strict=True):
        band(axes, curve["update"], curve, colour, label=label)
    axes.set(xlabel="update", ylabel=DISTANCE)
    _finish(axes, drawn.values())


def draw_floors(
    axes: Any, results: cs.Results, x: Sequence[float], rows: Mapping[str, tuple[str, Sequence[str], str]]
) -> None:
    """Draw the distance after the last update against a parameter, with 95 % bands.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    results : Results
        The results of one of the SGC studies.
    x : sequence of float, length P
        The values of the parameter.
    rows : mapping of str to (str, sequence of str, str)
        Policy, the variant for each value of the parameter, and colour of each line, by its label in the legend.
    """
    last = int(results.frame["update"].max())
    ends = results.on_grid("distance", over="update", grid=[last]).set_index(["policy", "variant"])
    drawn: dict[str, Any] = {
        label: ends.loc[policy].loc[list(variants)] for label, (policy, variants, _) in rows.items()
    }
    for (label, (_, _, colour)), line in zip(rows.items(), drawn.values(), strict=True):
        band(axes, x, line, colour, "o-", label=label)
    axes.set_ylabel(f"{DISTANCE} after {last} updates")
    _finish(axes, drawn.values())


def _finish(axes: Any, drawn: Iterable[Any]) -> None:
    """Use a logarithmic axis that fits the means, not the bands."""
    means = pd.concat([table["mean"] for table in drawn])
    axes.set(yscale="log", ylim=(0.5 * means.min(), 2 * means.max()))
    tidy(axes)
