"""Tables and remarks on the terminal: comparisons, and verdicts on claims.

Data comes in from `clustersim.studies` and goes out to the terminal through rich. Text from a user or a folder passes
through `clustersim.studies.display_text.printable` and is printed literally: rich does not interpret it as markup or as
names of emoji.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from clustersim.comparison_tables import MOST_VARIANTS, comparison_notes, comparison_tables, left_out
from clustersim.numerals import numeral
from clustersim.studies import Results, RunKey, Verdict, compare
from clustersim.studies.display_text import enumerated, printable
from clustersim.terminal import Words

__all__ = [
    "claims_table",
    "comparison_notes",
    "comparison_tables",
    "failed_runs",
    "print_comparison",
    "print_left_out",
    "print_missing",
    "print_notes",
    "print_paths",
    "print_runs",
    "tuning_table",
]


def claims_table(verdicts: Iterable[Verdict]) -> Table:
    """Make the table of claims and their verdicts."""
    table = Table(title="Claims", title_justify="left", title_style="bold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("claim", overflow="fold")
    table.add_column("measured", justify="right")
    table.add_column("expected", justify="right")
    for verdict in verdicts:
        word = "[green]holds[/green]" if verdict.holds else "[red]does not hold[/red]"
        word = "[red]failed[/red]" if verdict.failure else word
        claim = verdict.claim.statement + (f"\n{verdict.failure}" if verdict.failure else "")
        table.add_row(word, Words(printable(claim)), numeral(verdict.value), verdict.claim.expected)
    return table


def tuning_table(rows: pd.DataFrame) -> Table:
    """Make the table of what each step size gave, from `clustersim.studies.Tuning.table`; picked ones have a mark."""
    table = Table(title="Tuning", title_justify="left", title_style="bold")
    table.add_column("policy", overflow="fold")
    for heading in ("step size", "runs", "failed", "reached", "median time (s)", "settles at", "picked"):
        table.add_column(heading, justify="right")
    for row in rows.to_dict("records"):
        reached = "-" if row["reached"] is None or math.isnan(row["reached"]) else f"{row['reached']:g}"
        cells = [f"{row['step_size']:g}", str(row["replications"]), str(row["failed"]), reached]
        time, value = ("-" if math.isinf(row[name]) else numeral(row[name]) for name in ("time", "value"))
        table.add_row(Words(printable(row["policy"])), *cells, time, value, "yes" if row["picked"] else "")
    return table


def print_comparison(
    console: Console,
    results: Results,
    target: float | None = None,
    metric: str | None = None,
    *,
    baseline: str | None = None,
) -> None:
    """Print what each policy needs to reach the target, and the notes on it."""
    comparison = compare(results, target, metric, baseline=baseline)
    for table in comparison_tables(comparison, results.name, console.width):
        console.print(table)
    for note in comparison_notes(comparison):
        _say(console, note)
    if hidden := left_out(comparison, console.width):
        _say(console, f"Left out, because the lines are too short: {enumerated(hidden)}.")
    if len(comparison.targets) > MOST_VARIANTS:
        _say(console, "To see every variant, write the table to a file: clustersim compare DIR --format csv.")
    print_missing(console, results)


def print_runs(console: Console, results: Results) -> None:
    """Print how many runs were already stored, of how many, and how many failed."""
    runs = len(results.totals) + len(results.failures)
    failed = f"; {len(results.failures)} failed" if len(results.failures) else ""
    console.print(f"{results.reused} of {runs} runs were already stored{failed}.", markup=False, highlight=False)


def failed_runs(results: Results, most: int = 3) -> list[str]:
    """Describe the failed runs: their number, and a line for each of the first `most` reasons; [] if none failed."""
    failures = results.failures
    if failures.empty:
        return []
    runs = len(results.totals) + len(failures)
    first = failures.groupby("reason", sort=False).first().reset_index().head(most)
    reasons = [
        f"{RunKey(row['variant'], row['policy'], row['replication'])}: {row['reason']}"
        for row in first.to_dict("records")
    ]
    return [f"{len(failures)} of {runs} runs failed; --retry-failed repeats them", *reasons]


def print_missing(console: Console, results: Results) -> None:
    """Print a remark if the study is unfinished."""
    if results.missing:
        stored = len(results.totals) + len(results.failures)
        runs = stored + len(results.missing)
        _say(
            console, f"The study is not finished: {stored} of {runs} runs are stored; run the study again to finish it."
        )


def print_notes(console: Console, results: Results) -> None:
    """Print the study's notes."""
    if results.notes:
        _say(console, f"Notes: {results.notes}")


def print_paths(console: Console, paths: list[Path]) -> None:
    """Print the paths of the figures, one per line, without line breaks."""
    for path in paths:
        console.print(Words(printable(f"Figure: {path}")), soft_wrap=True)


def print_left_out(console: Console, sentences: list[str]) -> None:
    """Print what is left out of the figures of a large study, if anything is."""
    if sentences:
        _say(console, " ".join(["Figures:", *sentences]))


def _say(console: Console, text: str) -> None:
    console.print(Words(printable(text)))
