"""Remarks under tables and figures, in whole sentences: failed, missing and identical runs.

`Results` come in; sentences go out to `clustersim.studies.comparing` and `clustersim.plots`.
"""

from collections import Counter
from collections.abc import Collection

from clustersim.studies.display_text import enumerated, named
from clustersim.studies.results import Results
from clustersim.studies.statistics import are_copies

__all__ = ["copies", "copies_remark", "failed_runs", "failure_remarks", "missing_remark"]


def failed_runs(results: Results, variants: Collection[str]) -> dict[str, tuple[int, int, str]]:
    """Return, for each policy with failed runs: their number, the number of all its runs, and the first reason."""
    failures = results.failures[results.failures["variant"].isin(list(variants))]
    counts = Counter(failures["policy"])
    finished: Counter[str] = Counter()
    for variant, policy, runs in results.series() if counts else ():
        finished[policy] += len(runs) * (variant in variants)
    summary = {}
    for policy in filter(counts.get, results.policies):
        reason = str(failures["reason"][failures["policy"] == policy].iloc[0])
        first = (reason.strip().splitlines() or ["the reason is not known"])[0]
        summary[policy] = (counts[policy], finished[policy] + counts[policy], first)
    return summary


def failure_remarks(results: Results, variants: Collection[str], consequence: str = "") -> list[str]:
    """Make a sentence for each policy with failed runs: with the first reason, or with `consequence` instead."""
    return [
        f"{failed} of {runs} runs of {named(policy)} failed{consequence or ': ' + reason.rstrip('.')}."
        for policy, (failed, runs, reason) in failed_runs(results, variants).items()
    ]


def copies(results: Results, variants: Collection[str]) -> set[tuple[str, str]]:
    """Return the pairs of variant and policy whose replications are all identical."""
    return {(variant, policy) for variant, policy, runs in results.series() if variant in variants and are_copies(runs)}


def copies_remark(results: Results, variants: Collection[str]) -> list[str]:
    """Make a remark on identical replications, if there are any."""
    found = copies(results, variants)
    everywhere = [p for p in results.policies if found and all((v, p) in found for v in variants)]
    names = [named(policy) for policy in everywhere]
    for variant in variants:
        some = [p for p in results.policies if (variant, p) in found and p not in everywhere]
        names += [f"{named(policy)} in {named(variant)}" for policy in some]
    if not names:
        return []
    fact = f"The replications of {enumerated(names)} are identical, because nothing in them is random (as with replayed"
    return [f"{fact} times). So there is no confidence interval."]


def missing_remark(results: Results, consequence: str) -> list[str]:
    """Make a sentence about runs that are not stored, if there are any."""
    count = len(results.missing)
    return [f"{count} {'run is' if count == 1 else 'runs are'} not stored yet{consequence}."] if count else []
