"""What a reader of a table or a figure must know of the runs behind it, in whole sentences.

Data flows in as `Results`, and out to `clustersim.studies.compare`, `clustersim.tables` and `clustersim.plots`.
"""

from collections import Counter
from collections.abc import Collection

from clustersim.studies.display_text import enumerated, named
from clustersim.studies.results import Results
from clustersim.studies.statistics import are_copies

__all__ = ["copies", "copies_remark", "failed_runs", "failure_remarks", "missing_remark"]


def failed_runs(results: Results, variants: Collection[str]) -> dict[str, tuple[int, int, str]]:
    """For each policy of which runs failed: how many did, of how many that were carried out, and the first reason."""
    failures = results.failures[results.failures["variant"].isin(list(variants))]
    counts = Counter(failures["policy"])
    finished: Counter[str] = Counter()
    for variant, policy, runs in results.series() if counts else ():
        finished[policy] += len(runs) * (variant in variants)
    told = {}
    for policy in filter(counts.get, results.policies):
        reason = str(failures["reason"][failures["policy"] == policy].iloc[0])
        first = (reason.strip().splitlines() or ["no reason is known"])[0]
        told[policy] = (counts[policy], finished[policy] + counts[policy], first)
    return told


def failure_remarks(results: Results, variants: Collection[str], consequence: str = "") -> list[str]:
    """One sentence a policy of which runs failed: with the first reason, or with what follows from it."""
    return [
        f"{failed} of {runs} runs of {named(policy)} failed{consequence or ': ' + reason.rstrip('.')}."
        for policy, (failed, runs, reason) in failed_runs(results, variants).items()
    ]


def copies(results: Results, variants: Collection[str]) -> set[tuple[str, str]]:
    """Variants and policies whose replications are copies of one another."""
    return {(variant, policy) for variant, policy, runs in results.series() if variant in variants and are_copies(runs)}


def copies_remark(results: Results, variants: Collection[str]) -> list[str]:
    """One sentence about replications that say nothing about chance, if there are such."""
    found = copies(results, variants)
    everywhere = [p for p in results.policies if found and all((v, p) in found for v in variants)]
    names = [named(policy) for policy in everywhere]
    for variant in variants:
        some = [p for p in results.policies if (variant, p) in found and p not in everywhere]
        names += [f"{named(policy)} in {named(variant)}" for policy in some]
    if not names:
        return []
    told = f"The replications of {enumerated(names)} are copies of one another: nothing in them is random, as with"
    return [f"{told} replayed times. They say nothing about chance, so that there is no interval."]


def missing_remark(results: Results, consequence: str) -> list[str]:
    """One sentence about runs that are not stored, if there are such."""
    count = len(results.missing)
    return [f"{count} {'run is' if count == 1 else 'runs are'} not stored yet{consequence}."] if count else []
