"""The rows of a comparison: what each policy of one variant needs to reach the target, and its ratio to the baseline.

`Results` of one variant come in from `clustersim.studies.comparing`; a frame with one row per policy goes out.
"""

from typing import Any

import numpy as np
import pandas as pd

from clustersim.studies.censored import QUANTITIES, costs_to_target
from clustersim.studies.default_target import settled_values
from clustersim.studies.dominance import dominators
from clustersim.studies.paired import paired_ratio
from clustersim.studies.remarks import copies
from clustersim.studies.results import Results, lower_is_better
from clustersim.studies.statistics import Interval, mean_interval
from clustersim.studies.survival import quantile_interval, share_interval

__all__ = ["FRONT", "SHARES", "comparison_rows"]

FRONT = ("settled", "time", "bytes")
"""The columns that the Pareto front is about."""

SHARES = ("idle_share", "wasted_share", "unheard")
_UNKNOWN = Interval(*np.full((3, 1), np.nan))
_WORK = ["compute_used", "compute_wasted", "compute_pending", "idle"]


def comparison_rows(
    results: Results, variant: str, target: float, metric: str, baseline: str, probability: float = 0.5
) -> pd.DataFrame:
    """Compute the rows of one variant, without Holm's correction.

    Parameters
    ----------
    results : Results
        The results of the variant alone.
    variant, metric, baseline : str
        Its label, the column, and the policy that the others are divided by; empty if there is none.
    target : float
        The target; NaN if there is none.
    probability : float, default 0.5
        The quantile of the costs.

    Returns
    -------
    DataFrame
        The columns of `Comparison.table`.
    """
    spent = costs_to_target(results, target, metric)
    failed = results.failures["policy"].value_counts()
    alike = {policy for _, policy in copies(results, [variant])}
    runs_of = {str(policy): runs for policy, runs in spent.groupby("policy", sort=False)}
    settles, shares = settled_values(results, metric), _shares(results)
    rows = []
    for policy, runs in runs_of.items():
        row: dict[str, Any] = {"variant": variant, "policy": policy, "target": target, "replications": len(runs)}
        row |= {"reached": int(runs["reached"].sum()), "at_start": int(runs["at_start"].sum())}
        row |= {"failed": int(failed.get(policy, 0))}
        share = _UNKNOWN if np.isnan(target) else share_interval(row["reached"], len(runs))
        row |= _named("share", _no_chance(share, policy in alike))
        for quantity in QUANTITIES:
            row |= _needed(quantity, runs, probability, known=not np.isnan(target), alike=policy in alike)
        row |= _ratio(runs, runs_of.get(baseline), baseline, no_chance={policy, baseline} <= alike)
        row |= {"settled": float(np.median(settles[policy])) if policy in settles else np.nan}
        rows.append(row | shares.get(policy, dict.fromkeys(SHARES, np.nan)))
    return _with_front(pd.DataFrame(rows), metric)


def _needed(quantity: str, runs: pd.DataFrame, probability: float, *, known: bool, alike: bool) -> dict[str, float]:
    """Compute the quantile of a cost, the largest cost that a run had, and the mean if every run reached the target."""
    costs, reached = runs[quantity].to_numpy(dtype=np.float64), runs["reached"].to_numpy(dtype=bool)
    median, mean, end = _UNKNOWN, _UNKNOWN, np.nan
    if known:
        median, end = quantile_interval(costs, reached, probability), _largest(costs)
    if known and reached.all():
        mean = mean_interval(costs).at_least(0.0)
    columns = _named(quantity, _no_chance(median, alike)) | {f"{quantity}_end": end}
    return columns | _named(f"{quantity}_mean", _no_chance(mean, alike))


def _largest(costs: Any) -> float:
    finite = costs[np.isfinite(costs)]
    return float(finite.max()) if len(finite) else 0.0


def _ratio(runs: pd.DataFrame, base: pd.DataFrame | None, baseline: str, *, no_chance: bool) -> dict[str, Any]:
    """Compute the ratio of times to those of the baseline, over the replications that both have."""
    if base is None or runs["policy"].iloc[0] == baseline:
        ratio = np.nan if base is None or not base["reached"].any() else 1.0
        numbers = {"ratio": ratio, "ratio_low": np.nan, "ratio_high": np.nan, "p": np.nan}
        return {"baseline": baseline, **numbers, "greater": False, "method": ""}
    _, ours, theirs = np.intersect1d(runs["replication"], base["replication"], return_indices=True)
    times, reached = runs["time"].to_numpy()[ours], runs["reached"].to_numpy()[ours]
    base_times, base_reached = base["time"].to_numpy()[theirs], base["reached"].to_numpy()[theirs]
    found = paired_ratio(times, reached, base_times, base_reached)
    if no_chance:
        found = found._replace(low=np.nan, high=np.nan, p=np.nan, method="")
    numbers = {"ratio": found.ratio, "ratio_low": found.low, "ratio_high": found.high, "p": found.p}
    return {"baseline": baseline, **numbers, "greater": found.greater, "method": found.method}


def _shares(results: Results) -> dict[str, dict[str, float]]:
    """Return, by policy, the idle share of all seconds, the wasted share of computed ones, and unheard workers."""
    totals = results.totals
    if totals.empty or not {*_WORK} <= {*totals.columns}:
        return {}
    found = {}
    for policy, runs in totals.groupby("policy", sort=False):
        sums = runs[_WORK].sum()
        worked = float(sums.drop("idle").sum())
        found[str(policy)] = {
            "idle_share": _divided(float(sums["idle"]), float(sums.sum())),
            "wasted_share": _divided(float(sums["compute_wasted"]), worked),
            "unheard": float(runs["unheard"].mean()) if "unheard" in runs else np.nan,
        }
    return found


def _divided(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else np.nan


def _with_front(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Mark the policies that no other one dominates."""
    values = table[list(FRONT)].copy()
    if not lower_is_better(metric):
        values["settled"] = -values["settled"]
    return table.assign(front=[dominator is None for dominator in dominators(values.to_numpy(dtype=np.float64))])


def _no_chance(interval: Interval, alike: bool) -> Interval:
    """Drop the ends if the replications are identical, because nothing in them is random."""
    return interval.without_ends() if alike else interval


def _named(name: str, interval: Interval) -> dict[str, float]:
    """Return an interval as three columns."""
    ends = zip((name, f"{name}_low", f"{name}_high"), interval, strict=True)
    return {column: float(np.asarray(value).item()) for column, value in ends}
