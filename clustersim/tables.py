"""Tables for people: comparisons, scripts and verdicts.

Data flows in from `clustersim.studies` and out to the terminal, through rich.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from rich.markup import escape
from rich.table import Table

from clustersim.studies import Comparison, Verdict
from clustersim.studies.compare import QUANTITIES

__all__ = ["claims_table", "comparison_notes", "comparison_table", "scripts_table"]

_HEADINGS = {
    "time": "time (s)",
    "uplink_messages": "uplink (vectors)",
    "messages": "uplink + downlink (vectors)",
    "bytes": "bytes, both ways",
}


def comparison_table(comparison: Comparison, title: str) -> Table:
    """What each policy needs to the target: means with 95 % intervals over the replications that reached it.

    Parameters
    ----------
    comparison : Comparison
        The outcome of `clustersim.studies.compare`.
    title : str
        Stands above the table.

    Returns
    -------
    Table
    """
    variants = len(comparison.targets) > 1 or "" not in comparison.targets
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    if variants:
        table.add_column("variant", overflow="fold")
    table.add_column("policy", overflow="fold")
    if variants:
        table.add_column("target", justify="right")
    for heading in ("reached", *(_HEADINGS[quantity] for quantity in QUANTITIES), "time / fastest"):
        table.add_column(heading, justify="right")
    last = None
    for row in comparison.table.to_dict("records"):
        if last not in (None, row["variant"]):
            table.add_section()
        last = row["variant"]
        always = row["reached"] == row["replications"]
        mark = "" if always or not row["reached"] else "*"
        cells = [escape(row["policy"])]
        if variants:
            cells = [escape(row["variant"]), *cells, f"{row['target']:.4g}"]
        cells.append(f"{row['reached']} of {row['replications']}")
        cells += [_plus_minus(row, quantity) + mark for quantity in QUANTITIES]
        cells.append(_from_to(row) + mark)
        table.add_row(*cells)
    return table


def comparison_notes(comparison: Comparison) -> list[str]:
    """What a reader of the table must know: the target, where it comes from, and what the marks mean."""
    goals = {f"{target:.6g}" for target in comparison.targets.values()}
    target = f"{comparison.metric} = {goals.pop()}" if len(goals) == 1 else f"a value of {comparison.metric} for each variant"
    notes = [f"Target: {target} ({comparison.why}); costs are those at the first evaluation there."]
    table = comparison.table
    if ((table["reached"] > 0) & (table["reached"] < table["replications"])).any():
        notes.append("* mean and interval only over the replications that reached the target")
    if (table["replications"] > 1).any():
        notes.append("Intervals: 95 %, Student's t over replications; ratios are geometric means of paired replications.")
    else:
        notes.append("One replication: no intervals.")
    return notes


def claims_table(verdicts: Iterable[Verdict]) -> Table:
    """Claims and whether they hold."""
    table = Table(title="Claims", title_justify="left", title_style="bold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("claim", overflow="fold")
    table.add_column("measured", justify="right")
    table.add_column("expected", justify="right")
    for verdict in verdicts:
        word = "[green]holds[/green]" if verdict.holds else "[red]does not hold[/red]"
        table.add_row(word, escape(verdict.claim.statement), _number(verdict.value), verdict.claim.expected)
    return table


def scripts_table(scripts: Iterable[tuple[Path, str]]) -> Table:
    """Scenario scripts and what they are about."""
    table = Table(box=None, pad_edge=False)
    table.add_column("script", no_wrap=True)
    table.add_column("what it is about", overflow="fold")
    for path, about in scripts:
        table.add_row(escape(str(path)), escape(about))
    return table


def _number(value: float) -> str:
    """A number with four significant digits, plainly written as long as it is short."""
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:,.{digits}f}".replace(",", " ")
    return f"{value:.3e}"


def _plus_minus(row: "dict[str, float] | pd.Series", name: str) -> str:
    """A mean with half the width of its interval, which lies evenly around it."""
    mean, high = row[name], row[f"{name}_high"]
    if math.isnan(mean):
        return "-"
    if math.isnan(high):
        return _number(mean)
    digits = max(0, 3 - math.floor(math.log10(abs(mean)))) if mean and abs(mean) < 1e7 else 0
    half = high - mean
    spread = f"{half:,.{digits}f}".replace(",", " ") if abs(mean) < 1e7 else f"{half:.1e}"
    return f"{_number(mean)} ± {spread}"


def _from_to(row: "dict[str, float] | pd.Series") -> str:
    """A ratio with its interval."""
    ratio, low, high = row["ratio"], row["ratio_low"], row["ratio_high"]
    if math.isnan(ratio):
        return "-"
    return f"{ratio:.3g}" if math.isnan(low) or low == high else f"{ratio:.3g} ({low:.3g} - {high:.3g})"
