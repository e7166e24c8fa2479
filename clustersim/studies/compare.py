"""What each policy needs to reach a target: time, vectors and bytes, with confidence intervals.

Data flows in as `Results`, and out as a frame that `clustersim.tables` prints.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from clustersim.checks import number
from clustersim.errors import ConfigurationError
from clustersim.studies.arguments import expect
from clustersim.studies.results import Results, lower_is_better
from clustersim.studies.statistics import geometric_interval, mean_interval

__all__ = ["QUANTITIES", "Comparison", "compare"]

QUANTITIES = ("time", "uplink_vectors", "vectors", "bytes")


@dataclass(frozen=True, eq=False)
class Comparison:
    """The outcome of `compare`.

    Attributes
    ----------
    metric : str
        The column that the target belongs to.
    targets : dict of str to float
        The target of each variant.
    why : str
        Where the targets come from.
    table : DataFrame
        One row a variant and policy: variant, policy, target, replications, reached (how many of them); for each of
        time (s), uplink_vectors, vectors (uplink and downlink, of R^d) and bytes (both ways) the mean and the
        ends of its 95 % interval, such as time, time_low, time_high, over the replications that reached the target;
        ratio, ratio_low, ratio_high: time over the time of the variant's fastest policy, replication by replication
        (geometric mean).
    """

    metric: str
    targets: dict[str, float]
    why: str
    table: pd.DataFrame = field(repr=False)


def compare(results: Results, target: float | None = None, metric: str | None = None) -> Comparison:
    """Compare policies by what they need to reach a target for the first time.

    Parameters
    ----------
    results : Results
        The runs.
    target : float, optional
        A value of the metric. If not given, the best value at which some policy settles in every one of its
        replications (the median over the last tenth of a run), for each variant by itself.
    metric : str, optional
        Error, loss or a metric of the problem; the study's metric if not given. Lower is better, except for accuracies.

    Returns
    -------
    Comparison

    Raises
    ------
    ConfigurationError
        If the metric is none or holds no numbers, or the target is not finite, or not positive for an error or a loss.

    Examples
    --------
    >>> rows = {"variant": "", "policy": ["a", "a", "b", "b"], "replication": 0, "time": [0.0, 4.0, 0.0, 2.0],
    ...         "error": [8.0, 1.0, 8.0, 2.0], "update": [0, 1, 0, 1]}
    >>> counts = {f"{way}_{unit}": [0, 3, 0, 3] for way in ("uplink", "downlink") for unit in ("vectors", "bytes")}
    >>> outcome = compare(Results("demo", pd.DataFrame(rows | counts), pd.DataFrame(), ("a", "b")), target=2.0)
    >>> outcome.table[["policy", "reached", "time", "vectors", "ratio"]].values.tolist()
    [['a', 1, 4.0, 6.0, 2.0], ['b', 1, 2.0, 6.0, 1.0]]
    """
    expect("results", results, Results)
    metric = metric or results.metric
    _check_metric(results, metric)
    if target is None:
        targets = _default_targets(results, metric)
        best = "lowest" if lower_is_better(metric) else "highest"
        why = f"the {best} {metric} at which some policy settles in every replication: median over the last tenth"
    else:
        above = 0.0 if metric in ("error", "loss") else None
        goal = number("target", target, above=above, remedy=f"give a value of {metric}")
        targets = dict.fromkeys(_variants(results), goal)
        why = "as asked for"
    parts = []
    for variant, goal in targets.items():
        spent = results.time_to_target(goal, metric)
        parts.append(_table(spent[spent["variant"] == variant], variant, goal))
    return Comparison(metric, targets, why, pd.concat(parts, ignore_index=True))


def _check_metric(results: Results, metric: str) -> None:
    """Refuse what is no metric, and a metric that has no numbers."""
    if metric not in results.metrics:
        hint = " (there are no errors; has the problem an optimum?)" if metric == "error" else ""
        known = ", ".join(results.metrics)
        raise ConfigurationError(f"metric = {metric!r}: expected one of {known}{hint}")


def _variants(results: Results) -> list[str]:
    """The variants of which at least one run is there."""
    return list(dict.fromkeys(variant for variant, _, _ in results.series()))


def _default_targets(results: Results, metric: str) -> dict[str, float]:
    """For each variant the best value at which some policy settles in every replication.

    A run settles at its median over the last tenth of its time: the lowest value that it ever touches is luck.
    """
    sign = 1.0 if lower_is_better(metric) else -1.0
    targets: dict[str, float] = {}
    for variant, _, runs in results.series():
        worst = max(sign * _settled(results, metric, run) for run in runs)
        if not np.isnan(worst):
            targets[variant] = sign * min(worst, sign * targets.get(variant, sign * np.inf))
    if not targets:
        raise ConfigurationError(f"target: no policy has values of {metric} in every replication; give a target")
    return targets


def _settled(results: Results, metric: str, run: pd.DataFrame) -> float:
    """The median of a metric over the last tenth of a run."""
    return float(results.values(metric, run)[run["time"] >= 0.9 * run["time"].max()].median())


def _table(spent: pd.DataFrame, variant: str, target: float) -> pd.DataFrame:
    """The rows of one variant."""
    times = {policy: runs.set_index("replication")["time"] for policy, runs in spent.groupby("policy", sort=False)}
    always = {policy: time.mean() for policy, time in times.items() if time.notna().all()}
    best = min(always, key=lambda policy: float(always[policy])) if always else None
    rows = []
    for policy, runs in spent.groupby("policy", sort=False):
        there = runs[runs["reached"]]
        row: dict[str, Any] = {"variant": variant, "policy": policy, "target": target}
        row |= {"replications": len(runs), "reached": len(there)}
        for quantity in QUANTITIES:
            row |= _named(quantity, mean_interval(there[quantity]))
        pairs = np.array([]) if best is None else (times[policy] / times[best]).dropna().to_numpy()
        row |= _named("ratio", geometric_interval(pairs[np.isfinite(pairs) & (pairs > 0)]))
        rows.append(row)
    return pd.DataFrame(rows)


def _named(name: str, interval: Any) -> dict[str, float]:
    """An interval as three columns."""
    return {name: float(interval.mean), f"{name}_low": float(interval.low), f"{name}_high": float(interval.high)}
