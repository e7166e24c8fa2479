"""The comparison, the claims and the failures of a study, as tables in HTML."""

import math

from clustersim.comparison_tables import MOST_VARIANTS, comparison_notes, counted, shown_columns
from clustersim.numerals import numeral
from clustersim.reports.facts import Facts
from clustersim.reports.markup import note, paragraph, table
from clustersim.studies.results import RunKey

__all__ = ["claims", "comparison", "failures"]

_MOST_REASONS = 10


def comparison(facts: Facts) -> str:
    """Return what each policy needs to reach the target."""
    outcome = facts.comparison
    if len(outcome.targets) > MOST_VARIANTS:
        headings, counts = counted(outcome)
        caption = (
            f"In how many of {len(outcome.targets)} variants each policy reaches a target of {outcome.metric}, and is"
        )
        rows = [[policy, *map(str, numbers)] for policy, numbers in counts]
        return table(caption, ["policy", *headings], rows) + note(comparison_notes(outcome))
    columns = [*shown_columns(outcome.table).values()]
    headings = ["policy", *(column.heading for column in columns)]
    tables = []
    for variant, part in outcome.table.groupby("variant", sort=False):
        target = outcome.targets[str(variant)]
        goal = "there is no target" if math.isnan(target) else f"to reach {outcome.metric} = {target:.6g}"
        where = f"Variant {variant!s}: " if variant else ""
        caption = f"{where}{goal} (medians, 95 % intervals)"
        rows = [[str(row["policy"]), *(column.cell(row) for column in columns)] for row in part.to_dict("records")]
        tables.append(table(caption[:1].upper() + caption[1:], headings, rows, marked=("faster", "slower")))
    return "\n".join(tables) + note(comparison_notes(outcome))


def claims(facts: Facts) -> str:
    """Return the claims of the study and their verdicts; empty if it has none."""
    rows = []
    for verdict in facts.verdicts:
        word = "failed" if verdict.failure else "holds" if verdict.holds else "does not hold"
        claim = verdict.claim.statement + (f" ({verdict.failure})" if verdict.failure else "")
        rows.append([claim, word, numeral(verdict.value), verdict.claim.expected])
    if not rows:
        return ""
    headings = ["claim", "verdict", "measured", "expected"]
    return table(
        "What the study claims, and what was measured", headings, rows, words=2, marked=("does not hold", "failed")
    )


def failures(facts: Facts) -> str:
    """Return the failed runs, by their reason; empty if none failed."""
    failed = facts.results.failures
    if failed.empty:
        return ""
    groups = failed.groupby("reason", sort=False)
    rows = []
    for reason, runs in [*groups][:_MOST_REASONS]:
        first = runs.iloc[0]
        key = RunKey(str(first["variant"]), str(first["policy"]), int(first["replication"]))
        rows.append([str(reason), str(len(runs)), str(key)])
    more = len(groups) - _MOST_REASONS
    remarks = [f"There are {more} more reasons."] if more > 0 else []
    runs = len(facts.results.totals) + len(failed)
    intro = paragraph(f"{len(failed)} of {runs} runs failed. A failed run counts as one that never reaches the target.")
    return intro + table("Failed runs", ["reason", "runs", "first one"], rows) + note(remarks)
