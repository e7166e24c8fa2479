"""Comparison of policies: the time, vectors and bytes that each needs to reach a target, with confidence intervals.

`Results` come in; a `Comparison` goes out, which `clustersim.tables` prints.
"""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from clustersim.checks import number
from clustersim.errors import ConfigurationError
from clustersim.studies.arguments import expect
from clustersim.studies.display_text import named
from clustersim.studies.remarks import copies, copies_remark, failure_remarks
from clustersim.studies.results import Results, lower_is_better
from clustersim.studies.statistics import geometric_interval, mean_interval
from clustersim.studies.targets import excesses, settled

__all__ = ["QUANTITIES", "Comparison", "compare"]

QUANTITIES = ("time", "uplink_vectors", "vectors", "bytes")


@dataclass(frozen=True, eq=False)
class Comparison:
    """The outcome of `compare`.

    Attributes
    ----------
    metric : str
        The column that the runs are compared by.
    targets : dict of str to float
        The target of each variant; NaN if there is none, because no policy improves on the first model.
    why : str
        How the targets were chosen, in words.
    table : DataFrame
        One row for each variant and policy, with these columns:

        - variant, policy, target;
        - replications: the number of runs carried out; reached: how many of them reached the target; at_start: how many
          of these reached it at the first evaluation; failed: how many failed;
        - for each of time (s), uplink_vectors, vectors (uplink and downlink, of R^d) and bytes (both ways): the mean
          over the replications that reached the target and the ends of its 95 % interval, such as time, time_low,
          time_high;
        - ratio, ratio_low, ratio_high: the time divided by that of the variant's fastest policy, replication by
          replication (geometric mean). The fastest policy must reach the target in every replication.

        Intervals are Student's. They are cut off at 0: costs are never negative, so no possible value of the true mean
        is lost. If all replications are identical, the ends are NaN.
    remarks : tuple of str
        Remarks that a reader of the table needs, one sentence or more each: failed runs, targets that the first model
        meets, identical replications.
    """

    metric: str
    targets: dict[str, float]
    why: str
    table: pd.DataFrame = field(repr=False)
    remarks: tuple[str, ...] = field(default=(), repr=False)


def compare(results: Results, target: float | None = None, metric: str | None = None) -> Comparison:
    """Compare policies by what they need to reach a target and to stay there for a while.

    `Results.time_to_target` defines when a run reaches the target. A failed run counts as a replication that does not
    reach it.

    Parameters
    ----------
    results : Results
        The results of a study.
    target : float, optional
        A value of the metric. If not given, it is chosen for each variant: the best value at which some policy settles
        in every one of its replications (the median over the last tenth of a run). Policies with failed runs are left
        out of this choice, unless all policies have failed runs. There is no target if no policy settles at a better
        value than that of the first model.
    metric : str, optional
        Error, loss or a metric of the problem; the study's metric if not given. Lower is better, except for accuracies
        and AUC.

    Returns
    -------
    Comparison

    Raises
    ------
    ConfigurationError
        If the metric is unknown or has no values, the target is not finite (for an error or a loss: not positive), or
        there are no runs.

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
    carried_out = {*results.frame.get("variant", ()), *results.failures["variant"]}
    parts = {variant: _only(results, variant) for variant in results.variants if variant in carried_out}
    if not parts:
        raise ConfigurationError("results: there are no runs to compare; expected at least one")
    if len(results.frame):
        _check_metric(results, metric)
    if target is None:
        best = "lowest" if lower_is_better(metric) else "highest"
        why = f"the {best} {metric} at which some policy settles in every replication (median over its last tenth)"
        chosen = {variant: _default_target(part, metric, variant) for variant, part in parts.items()}
    else:
        why = "as given"
        above = 0.0 if metric in ("error", "loss") else None
        given = number("target", target, above=above, remedy=f"give a value of {metric}")
        chosen = dict.fromkeys(parts, _Choice(given, ""))
    remarks = [choice.remark for choice in chosen.values() if choice.remark]
    tables = []
    for variant, choice in chosen.items():
        tables.append(_table(parts[variant], variant, choice.target, metric))
        remarks += _remarks_on(parts[variant], tables[-1], metric)
    remarks += failure_remarks(results, parts) + copies_remark(results, parts)
    targets = {variant: choice.target for variant, choice in chosen.items()}
    return Comparison(metric, targets, why, pd.concat(tables, ignore_index=True), tuple(remarks))


def _only(results: Results, variant: str) -> Results:
    """Return the results of one variant."""
    frame = results.frame if results.frame.empty else results.frame[results.frame["variant"] == variant]
    failures = results.failures[results.failures["variant"] == variant]
    return replace(results, frame=frame, failures=failures, variants=(variant,))


def _check_metric(results: Results, metric: str) -> None:
    """Refuse an unknown metric, and one without values."""
    if metric not in results.metrics:
        hint = " (no errors are stored; does the problem know its optimum?)" if metric == "error" else ""
        known = ", ".join(results.metrics)
        raise ConfigurationError(f"metric = {metric!r}: expected one of {known}{hint}")


class _Choice(NamedTuple):
    """A target, NaN if there is none, and a remark on it, or an empty one."""

    target: float
    remark: str


def _default_target(results: Results, metric: str, variant: str) -> _Choice:
    """Choose the best value at which some policy settles in every replication, if it is better than the first model's.

    A run settles at the median over the last tenth of its time; the lowest value of a run would depend on luck.
    """
    lower, where = lower_is_better(metric), _in_variant(variant)
    sign = 1.0 if lower else -1.0
    failed = set(results.failures["policy"])
    ends, start = {}, np.inf
    for _, policy, runs in results.series():
        values = [excesses(results.values(metric, run), 0.0, lower=lower) for run in runs]
        start = min(start, *(value[0] for value in values))
        worst = max(settled(value, run["time"]) for value, run in zip(values, runs, strict=True))
        if np.isfinite(worst):
            ends[policy] = worst
    if not ends:
        return _Choice(np.nan, f"No policy ends with finite values of {metric} in every replication{where}.")
    best = min([end for policy, end in ends.items() if policy not in failed] or ends.values())
    if best >= start:
        return _Choice(
            np.nan,
            f"No policy improves on the first model{where}, so there is no target: the {metric} of the first model is "
            f"{sign * start:.6g}, and the best value at which a policy settles is {sign * best:.6g}.",
        )
    survivors = f"Every policy has failed runs{where}; the target is chosen from the finished runs."
    return _Choice(sign * best, survivors if failed >= ends.keys() else "")


def _table(results: Results, variant: str, target: float, metric: str) -> pd.DataFrame:
    """Compute the rows of one variant."""
    spent = results.time_to_target(0.0 if np.isnan(target) else target, metric)
    if np.isnan(target):
        spent = spent.assign(reached=False, at_start=False, **dict.fromkeys(QUANTITIES, np.nan))
    times = {policy: runs.set_index("replication")["time"] for policy, runs in spent.groupby("policy", sort=False)}
    always = {policy: time.mean() for policy, time in times.items() if time.notna().all()}
    best = min(always, key=lambda policy: float(always[policy])) if always else None
    failed = results.failures["policy"].value_counts()
    alike = copies(results, [variant])
    rows = []
    for policy, runs in spent.groupby("policy", sort=False):
        there = runs[runs["reached"]]
        row: dict[str, Any] = {"variant": variant, "policy": policy, "target": target, "replications": len(runs)}
        row |= {"reached": len(there), "at_start": int(there["at_start"].sum()), "failed": int(failed.get(policy, 0))}
        for quantity in QUANTITIES:
            interval = mean_interval(there[quantity]).at_least(0.0)
            row |= _named(quantity, interval.without_ends() if (variant, policy) in alike else interval)
        pairs = np.array([]) if best is None else (times[policy] / times[best]).dropna().to_numpy()
        ratio = geometric_interval(pairs[np.isfinite(pairs) & (pairs > 0)])
        no_chance = policy != best and {(variant, policy), (variant, best)} <= alike
        rows.append(row | _named("ratio", ratio.without_ends() if no_chance else ratio))
    return pd.DataFrame(rows)


def _remarks_on(results: Results, table: pd.DataFrame, metric: str) -> list[str]:
    """Make the remarks on one variant: targets that the first model meets, and that no policy is the fastest."""
    rows, variant = table.to_dict("records"), str(table["variant"].iloc[0])
    where, left = _in_variant(variant), _left(results, rows[0]["target"], metric)
    remarks = [
        f"The first model already meets the target in {row['at_start']} of {row['replications']} runs of "
        f"{named(row['policy'])}{where}: a time of 0 says nothing about the policy."
        for row in rows
        if row["at_start"]
    ]
    if left:
        remarks.append(
            f"The first model meets the target, but runs of {named(*left)}{where} move away from it and do not return: "
            "they count as not having reached it."
        )
    if any(row["reached"] for row in rows) and all(row["reached"] < row["replications"] for row in rows):
        remarks.append(f"No policy reaches the target in every replication{where}, so none counts as the fastest.")
    return remarks


def _left(results: Results, target: float, metric: str) -> list[str]:
    """Return the policies with runs that meet the target at the start but do not settle at it."""
    lower, left = lower_is_better(metric), []
    for _, policy, runs in results.series():
        pairs = ((excesses(results.values(metric, run), target, lower=lower), run["time"]) for run in runs)
        if any(excess[0] <= 0.0 and settled(excess, times, part=20) > 0.0 for excess, times in pairs):
            left.append(policy)
    return left


def _in_variant(variant: str) -> str:
    return f" in variant {named(variant)}" if variant else ""


def _named(name: str, interval: Any) -> dict[str, float]:
    """Return an interval as three columns."""
    return {name: float(interval.mean), f"{name}_low": float(interval.low), f"{name}_high": float(interval.high)}
