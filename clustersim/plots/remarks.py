"""The text of a figure: the entries of its legend, and the remarks below its panels.

`Results` and descriptions of the panels come in; lines of text go out to `clustersim.plots.figures`.
"""

import textwrap
from collections.abc import Sequence

from clustersim.plots.panels import Panel
from clustersim.studies import Results
from clustersim.studies.display_text import enumerated, named, printable
from clustersim.studies.remarks import copies_remark, failed_runs, failure_remarks, missing_remark
from clustersim.studies.statistics import FEWEST_FOR_A_MEDIAN

__all__ = ["entries", "lines_below"]

MOST_LINES = 14


def entries(results: Results, variants: Sequence[str]) -> dict[str, str]:
    """Return the entries of the legend: policies with finished runs, and those whose runs all failed."""
    finished = {policy for variant, policy, _ in results.series() if variant in variants}
    failed = failed_runs(results, variants)
    texts = {policy: policy for policy in results.policies if policy in finished | failed.keys()}
    texts |= {policy: f"{policy} (failed)" for policy in failed if policy not in finished}
    return {policy: f" {text}" if text.startswith("_") else text for policy, text in texts.items()}  # "_" hides it


def lines_below(
    results: Results, variants: Sequence[str], drawn: Sequence[Panel], more: Sequence[str], width: int, *, notes: bool
) -> list[str]:
    """Return the wrapped lines below the panels: what one needs to read them, and the notes of the study on request."""
    remarks = [_about(results, variants, drawn), *_odd_values(drawn)]
    remarks += failure_remarks(results, variants, " and are not drawn")
    remarks += [*missing_remark(results, ", and not drawn"), *copies_remark(results, variants)]
    remarks += [*_absences(results, variants, drawn), *more]
    parts = [" ".join(filter(None, remarks)), *(printable(results.notes).splitlines() if notes else ())]
    lines = [line for part in parts for line in textwrap.wrap(part, width)]
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "... (the tables have the full notes)"]


def _about(results: Results, variants: Sequence[str], drawn: Sequence[Panel]) -> str:
    """Describe the curves and bands."""
    counts = {len(runs) for variant, _, runs in results.series() if variant in variants}
    if not counts:
        return ""
    if counts == {1}:
        return "There is only one replication."
    columns: dict[str, list[str]] = {panel.kind: [] for panel in drawn if panel.kind}
    for column, kind in dict.fromkeys((panel.column, panel.kind) for panel in drawn if panel.kind):
        columns[kind].append(column)
    curves = [f"{kind} of {enumerated(names)}" for kind, names in columns.items()]
    over = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
    bands = ", each with its 95 % confidence band" if any(panel.banded for panel in drawn) else ""
    if not bands and "median" in {panel.kind for panel in drawn} and max(counts) < FEWEST_FOR_A_MEDIAN:
        bands = f"; a confidence band for a median needs at least {FEWEST_FOR_A_MEDIAN}"
    return f"Curves: {enumerated(curves)} over {over} replications{bands}." if curves else ""


def _odd_values(drawn: Sequence[Panel]) -> list[str]:
    """Make remarks on values that are not drawn as they are."""
    infinite = dict.fromkeys(panel.column for panel in drawn if panel.infinite)
    remarks = [f"Infinite or huge values of {enumerated([*infinite])} are not drawn."] if infinite else []
    cut = any(panel.cut for panel in drawn)
    return [*remarks, "A band that reaches 0 is drawn down to the bottom of the panel."] if cut else remarks


def _absences(results: Results, variants: Sequence[str], drawn: Sequence[Panel]) -> list[str]:
    """Make remarks on missing curves."""
    finished = {(variant, policy) for variant, policy, _ in results.series()}
    failed = {*results.failures[["variant", "policy"]].itertuples(index=False, name=None)}
    remarks = []
    for variant in variants:
        where = f" in {named(variant)}" if variant else ""
        none = [p for p in entries(results, variants) if (variant, p) not in finished | failed]
        remarks += [f"There are no runs of {named(*none)}{where}."] if none else []
    for place, panel in enumerate(drawn):
        where = f" in {named(variants[place])}" if len(variants) == len(drawn) and variants[place] else ""
        remarks += [f"No finite values of {panel.column}: {named(*panel.absent)}{where}."] if panel.absent else []
    return [*dict.fromkeys(remarks)]
