"""What each policy needs to reach a target: time, vectors and bytes, with confidence intervals.

Data flows in as `Results`, and out as a frame that `clustersim.tables` prints.
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
        The column that the target belongs to.
    targets : dict of str to float
        The target of each variant; NaN where there is none, because no policy improves on the first model.
    why : str
        Where the targets come from.
    table : DataFrame
        One row a variant and policy: variant, policy, target; replications, the runs that were carried out, reached,
        how many of them reached the target, at_start, how many of these at the first evaluation, and failed; for each
        of time (s), uplink_vectors, vectors (uplink and downlink, of R^d) and bytes (both ways) the mean and the
        ends of its 95 % interval, such as time, time_low, time_high, over the replications that reached the target;
        ratio, ratio_low, ratio_high: time over the time of the variant's fastest policy, replication by replication
        (geometric mean). The fastest policy is one that reached the target in every replication. Intervals are
        Student's; since what is spent is never negative, they end at 0 at the latest, which takes away nothing that
        the true mean could be. Where all replications are copies of one another the ends are NaN.
    remarks : tuple of str
        What else a reader of the table must know, in sentences: failed runs, targets that the first model meets,
        replications that are copies of one another.
    """

    metric: str
    targets: dict[str, float]
    why: str
    table: pd.DataFrame = field(repr=False)
    remarks: tuple[str, ...] = field(default=(), repr=False)


def compare(results: Results, target: float | None = None, metric: str | None = None) -> Comparison:
    """Compare policies by what they need to reach a target and to stay there for a while.

    A run reaches the target at its first evaluation there or better that lasts, as `Results.time_to_target` says. A
    failed run counts among the replications of its policy, and reaches nothing.

    Parameters
    ----------
    results : Results
        The runs.
    target : float, optional
        A value of the metric. If not given, the best value at which some policy settles in every one of its
        replications (the median over the last tenth of a run), for each variant by itself. A policy with failed runs
        sets the target only if all have some. There is no target where none settles at a better value than that of the
        first model.
    metric : str, optional
        Error, loss or a metric of the problem; the study's metric if not given. Lower is better, except for accuracies.

    Returns
    -------
    Comparison

    Raises
    ------
    ConfigurationError
        If the metric is none or holds no numbers, the target is not finite, or not positive for an error or a loss, or
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
        why = f"the {best} {metric} at which some policy settles in every replication: median over the last tenth"
        chosen = {variant: _default_target(part, metric, variant) for variant, part in parts.items()}
    else:
        why = "as asked for"
        above = 0.0 if metric in ("error", "loss") else None
        goal = number("target", target, above=above, remedy=f"give a value of {metric}")
        chosen = dict.fromkeys(parts, _Choice(goal, ""))
    remarks = [choice.remark for choice in chosen.values() if choice.remark]
    tables = []
    for variant, choice in chosen.items():
        tables.append(_table(parts[variant], variant, choice.target, metric))
        remarks += _remarks_on(parts[variant], tables[-1], metric)
    remarks += failure_remarks(results, parts) + copies_remark(results, parts)
    targets = {variant: choice.target for variant, choice in chosen.items()}
    return Comparison(metric, targets, why, pd.concat(tables, ignore_index=True), tuple(remarks))


def _only(results: Results, variant: str) -> Results:
    """The part of the results that belongs to one variant."""
    frame = results.frame if results.frame.empty else results.frame[results.frame["variant"] == variant]
    failures = results.failures[results.failures["variant"] == variant]
    return replace(results, frame=frame, failures=failures, variants=(variant,))


def _check_metric(results: Results, metric: str) -> None:
    """Refuse what is no metric, and a metric that has no numbers."""
    if metric not in results.metrics:
        hint = " (there are no errors; has the problem an optimum?)" if metric == "error" else ""
        known = ", ".join(results.metrics)
        raise ConfigurationError(f"metric = {metric!r}: expected one of {known}{hint}")


class _Choice(NamedTuple):
    """A target, NaN if there is none, and what must be said about it."""

    target: float
    remark: str


def _default_target(results: Results, metric: str, variant: str) -> _Choice:
    """The best value at which some policy settles in every replication, if the first model does not have it already.

    A run settles at its median over the last tenth of its time: the lowest value that it ever touches is luck.
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
            f"No policy improves on the first model{where}: the first model's {metric} is {sign * start:.6g}, and the "
            f"best that a policy settles at is {sign * best:.6g}. So there is no target.",
        )
    survivors = f"Every policy has failed runs{where}; the target is chosen among the runs that finished."
    return _Choice(sign * best, survivors if failed >= ends.keys() else "")


def _table(results: Results, variant: str, target: float, metric: str) -> pd.DataFrame:
    """The rows of one variant."""
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
    """What must be said about the rows of one variant: targets met by the first model, and that none is fastest."""
    rows, variant = table.to_dict("records"), str(table["variant"].iloc[0])
    where, left = _in_variant(variant), _left(results, rows[0]["target"], metric)
    remarks = [
        f"The first model meets the target already in {row['at_start']} of {row['replications']} runs of "
        f"{named(row['policy'])}{where}: a time of 0 says nothing about the policy."
        for row in rows
        if row["at_start"]
    ]
    if left:
        remarks.append(
            f"The first model meets the target, but runs of {named(*left)}{where} leave it and do not come back: they "
            "have not reached it."
        )
    if any(row["reached"] for row in rows) and all(row["reached"] < row["replications"] for row in rows):
        remarks.append(f"No policy reaches the target in every replication{where}, so that none counts as the fastest.")
    return remarks


def _left(results: Results, target: float, metric: str) -> list[str]:
    """Policies with runs that begin at the target and do not settle there."""
    lower, left = lower_is_better(metric), []
    for _, policy, runs in results.series():
        pairs = ((excesses(results.values(metric, run), target, lower=lower), run["time"]) for run in runs)
        if any(excess[0] <= 0.0 and settled(excess, times, part=20) > 0.0 for excess, times in pairs):
            left.append(policy)
    return left


def _in_variant(variant: str) -> str:
    return f" in variant {named(variant)}" if variant else ""


def _named(name: str, interval: Any) -> dict[str, float]:
    """An interval as three columns."""
    return {name: float(interval.mean), f"{name}_low": float(interval.low), f"{name}_high": float(interval.high)}
