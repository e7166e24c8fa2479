"""The target of a comparison that the user does not give, and runs that begin at a target and move away from it.

`Results` of one variant come in from `clustersim.studies.comparing`.
"""

from typing import NamedTuple

import numpy as np

from clustersim.studies.display_text import in_variant
from clustersim.studies.results import Results, lower_is_better
from clustersim.studies.targets import excesses, settled

__all__ = ["Choice", "default_target", "runs_that_leave", "settled_values"]


class Choice(NamedTuple):
    """A target, NaN if there is none, and a remark on it, or an empty one."""

    target: float
    remark: str


def settled_values(results: Results, metric: str) -> dict[str, list[float]]:
    """Return the value at which each run of each policy settles: the median over the last tenth of its time."""
    return {
        policy: [settled(results.values(metric, run), run["time"]) for run in runs]
        for _, policy, runs in results.series()
    }


def default_target(results: Results, metric: str, variant: str) -> Choice:
    """Choose the best value at which some policy settles in every replication, if it is better than the first model's.

    The lowest value of a run would depend on luck.
    """
    sign, where = 1.0 if lower_is_better(metric) else -1.0, in_variant(variant)
    failed = set(results.failures["policy"])
    ends, start = {}, np.inf
    for _, policy, runs in results.series():
        values = [excesses(results.values(metric, run), 0.0, lower=sign > 0.0) for run in runs]
        start = min(start, *(value[0] for value in values))
        worst = max(settled(value, run["time"]) for value, run in zip(values, runs, strict=True))
        if np.isfinite(worst):
            ends[policy] = worst
    if not ends:
        return Choice(np.nan, f"No policy ends with finite values of {metric} in every replication{where}.")
    best = min([end for policy, end in ends.items() if policy not in failed] or ends.values())
    if best >= start:
        return Choice(
            np.nan,
            f"No policy improves on the first model{where}, so there is no target: the {metric} of the first model is "
            f"{sign * start:.6g}, and the best value at which a policy settles is {sign * best:.6g}.",
        )
    survivors = f"Every policy has failed runs{where}; the target is chosen from the finished runs."
    return Choice(sign * best, survivors if failed >= ends.keys() else "")


def runs_that_leave(results: Results, target: float, metric: str) -> list[str]:
    """Return the policies with runs that meet the target at the start but do not settle at it."""
    lower, leaving = lower_is_better(metric), []
    for _, policy, runs in results.series():
        pairs = ((excesses(results.values(metric, run), target, lower=lower), run["time"]) for run in runs)
        if any(excess[0] <= 0.0 and settled(excess, times, part=20) > 0.0 for excess, times in pairs):
            leaving.append(policy)
    return leaving
