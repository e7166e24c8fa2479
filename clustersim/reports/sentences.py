"""The outcome of a study in plain words: what was run, which policy is ahead, and how sure that is."""

import math
from typing import Any

import pandas as pd

from clustersim.comparison_tables import counted, shown_columns
from clustersim.reports.facts import Facts
from clustersim.studies.display_text import enumerated, in_variant, named

__all__ = ["outcome", "summary"]

_MOST_SENTENCES = 4
Row = dict[Any, Any]


def summary(facts: Facts) -> str:
    """Return one paragraph about the study."""
    return " ".join([_what(facts), *_ahead(facts), *_claims(facts), *_gaps(facts)])


def _what(facts: Facts) -> str:
    """Say what was run."""
    results = facts.results
    policies, variants = len(results.policies), len(results.variants)
    counts = results.frame.groupby(["variant", "policy"])["replication"].nunique() if len(results.frame) else [0]
    low, high = int(min(counts)), int(max(counts))
    times = f"{high}" if low == high else f"{low} to {high}"
    where = f" in {variants} variants" if variants > 1 else ""
    return (
        f"This study compares {policies} {'policy' if policies == 1 else 'policies'}{where}, with {times} "
        f"{'replication' if times == '1' else 'replications'} of each."
        + (" It is a quick look, of a tenth of the simulated time." if facts.quick else "")
    )


def _ahead(facts: Facts) -> list[str]:
    """Say which policy is ahead, by variant or, for many variants, in how many of them."""
    comparison = facts.comparison
    if len(facts.results.policies) < 2:
        return ["With a single policy there is nothing to compare."]
    if len(comparison.targets) > _MOST_SENTENCES:
        return _counted(facts)
    parts = comparison.table.groupby("variant", sort=False)
    return [outcome(rows, str(variant), comparison.metric) for variant, rows in parts]


def outcome(rows: pd.DataFrame, variant: str, metric: str) -> str:
    """Say which policy of a variant is ahead and how sure that is.

    Parameters
    ----------
    rows : DataFrame
        The rows of one variant in `Comparison.table`.
    variant : str
        Its label.
    metric : str
        The metric of the target.

    Returns
    -------
    str
        One or more sentences.
    """
    target, where = float(rows["target"].iloc[0]), in_variant(variant)
    if math.isnan(target):
        return f"No policy improves on the first model{where}, so no policy is ahead."
    aim = f"{metric.replace('_', ' ')} = {target:.4g}"
    reaching = rows[rows["time"].map(math.isfinite)]
    if reaching.empty:
        return f"No policy reaches {aim} in more than half of its runs{where}, so no policy is ahead."
    lead: Row = reaching.sort_values("time", kind="stable").to_dict("records")[0]
    time = shown_columns(rows)["time"].cell(lead)
    start = f"By the median time to reach {aim}{where}, {named(lead['policy'])} comes first, with {time} s"
    return f"{start}. {_how_sure(rows, lead)}"


def _how_sure(rows: pd.DataFrame, lead: Row) -> str:
    """Say whether the lead is more than chance."""
    others = rows[rows["policy"] != lead["policy"]]
    baseline = str(rows["baseline"].iloc[0])
    if lead["verdict"] == "baseline":
        slower = [*others["policy"][others["verdict"] == "slower"]]
        if len(slower) == len(others):
            return (
                "It is the baseline, and every other policy is slower beyond chance (95 % confidence for all together)."
            )
        if slower:
            open_ = [*others["policy"][others["verdict"] != "slower"]]
            return f"Beyond chance it is ahead of {named(*slower)}; against {named(*open_)} that is undecided."
        return "That is undecided: beyond chance, no other policy is slower than it."
    if lead["verdict"] == "faster":
        ratio = shown_columns(rows)["ratio"].cell(lead)
        sure = f"It is faster than the baseline, {named(baseline)}, beyond chance: it takes {ratio} times as long."
        return sure + (" Its lead over the other policies was not tested." if len(others) > 1 else "")
    if lead["verdict"] in ("undecided", "slower"):
        return f"That is undecided: a difference from the baseline, {named(baseline)}, could be chance."
    return f"That is undecided: with so few runs no difference from the baseline, {named(baseline)}, can be tested."


def _counted(facts: Facts) -> list[str]:
    """Say in how many variants each policy is ahead."""
    comparison = facts.comparison
    headings, rows = counted(comparison)
    place = {name: number for number, name in enumerate(headings)}
    total = len(comparison.targets)
    leads = sorted(((counts[place["least median time"]], policy) for policy, counts in rows), key=lambda one: -one[0])
    ahead = [f"{named(policy)} in {count}" for count, policy in leads if count][:_MOST_SENTENCES]
    none = total - sum(count for count, _ in leads)
    metric = comparison.metric.replace("_", " ")
    words = f"By the median time to reach the target of {metric} in each of the {total} variants, "
    words += f"the policy that comes first is {enumerated(ahead)}" if ahead else "no policy comes first"
    words += f"; in {none} no policy reaches it in more than half of its runs." if none and ahead else "."
    faster, slower, open_ = (
        sum(counts[place[name]] for _, counts in rows) for name in ("faster", "slower", "undecided")
    )
    if not faster + slower:
        return [words, "All of that is undecided: no difference from the baseline is beyond chance."]
    known = f"{faster + slower} are beyond chance ({faster} faster, {slower} slower)"
    return [words, f"Of the differences from the baseline, {known} and {open_} are undecided."]


def _claims(facts: Facts) -> list[str]:
    """Say how many claims hold."""
    verdicts = facts.verdicts
    if not verdicts:
        return []
    holding = sum(verdict.holds for verdict in verdicts)
    verb = "holds" if holding == 1 else "hold"
    return [
        f"Of the study's {len(verdicts)} claims, {holding} {verb}."
        if len(verdicts) > 1
        else f"The study's claim {'holds' if holding else 'does not hold'}."
    ]


def _gaps(facts: Facts) -> list[str]:
    """Say what is missing."""
    results = facts.results
    failed, missing = len(results.failures), len(results.missing)
    runs = len(results.totals) + failed + missing
    gaps = [f"{failed} of {runs} runs failed."] if failed else []
    return gaps + ([f"The study is not finished: {missing} of {runs} runs are not stored yet."] if missing else [])
