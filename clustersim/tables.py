"""Tables and remarks on the terminal: comparisons, scenario scripts and verdicts on claims.

Data comes in from `clustersim.studies` and goes out to the terminal through rich. Text from a user or a folder passes
through `clustersim.studies.display_text.printable` and is printed literally: rich does not interpret it as markup or as
names of emoji.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clustersim.studies import Comparison, Results, RunKey, Verdict, compare
from clustersim.studies.display_text import printable
from clustersim.terminal import PlainConsole, Words

__all__ = [
    "claims_table",
    "comparison_notes",
    "comparison_tables",
    "console_for_tables",
    "failed_runs",
    "print_comparison",
    "print_missing",
    "print_notes",
    "print_paths",
    "print_runs",
    "scripts_table",
    "tuning_table",
]

_HEADINGS = {
    "time": "time (s)",
    "uplink_vectors": "uplink (vectors)",
    "vectors": "uplink + downlink (vectors)",
    "bytes": "bytes, both ways",
}
_LEAST_WIDTH = {"bytes": 110, "ratio": 80}  # width of a terminal, in characters, from which a column is shown


def comparison_tables(comparison: Comparison, title: str, width: int = 160) -> Iterator[Table]:
    """Make tables of what each policy needs to reach the target: means with 95 % intervals.

    Means are over the replications that reached the target.

    Parameters
    ----------
    comparison : Comparison
        The outcome of `clustersim.studies.comparison`.
    title : str
        The first words of the title of each table.
    width : int, default 160
        Characters per line: below 110 the bytes are left out, below 80 the ratio too.

    Yields
    ------
    Table
        One table per variant.
    """
    for variant, rows in comparison.table.groupby("variant", sort=False):
        name, target = f"{title}, {variant!s}" if variant else title, comparison.targets[str(variant)]
        aim = f"what each policy needs to reach {comparison.metric} = {target:.6g}"
        heading = f"{name}: {'there is no target' if math.isnan(target) else aim}"
        table = Table(title=Text(printable(heading), style="italic"), title_justify="left")
        table.add_column("policy", overflow="fold")
        quantities = [name for name in _HEADINGS if width >= _LEAST_WIDTH.get(name, 0)]
        ratio = ["time / fastest"] if width >= _LEAST_WIDTH["ratio"] else []
        for heading in ("reached", *(_HEADINGS[name] for name in quantities), *ratio):
            table.add_column(heading, justify="right")
        for row in rows.to_dict("records"):
            mark = "*" if 0 < row["reached"] < row["replications"] else ""
            reached = "-" if math.isnan(target) else f"{row['reached']} of {row['replications']}"
            cells = [reached, *(_plus_minus(row, quantity) + mark for quantity in quantities)]
            cells += [_from_to(row) + mark] if ratio else []
            table.add_row(Words(printable(row["policy"])), *cells)
        yield table


def comparison_notes(comparison: Comparison) -> list[str]:
    """Return the remarks under the tables: the target, where it comes from, and what the marks mean."""
    table = comparison.table
    costs = "Costs are measured at the first evaluation that meets the target and lasts for a while."
    notes = [f"Target: {comparison.why}. {costs}"] if table["target"].notna().any() else []
    notes += comparison.remarks
    if ((table["reached"] > 0) & (table["reached"] < table["replications"])).any():
        notes.append("* Mean and interval are over only those replications that reached the target.")
    if table["time_high"].notna().any():
        notes.append(
            "Intervals: 95 %, Student's t over replications, cut off at 0, because costs cannot be negative; ratios "
            "are geometric means of paired replications."
        )
    elif (table["replications"] == 1).all():
        notes.append("There is only one replication, so there are no intervals.")
    return notes


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
        table.add_row(word, Words(printable(claim)), _number(verdict.value), verdict.claim.expected)
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
        time = "-" if math.isinf(row["time"]) else _number(row["time"])
        value = "-" if math.isinf(row["value"]) else _number(row["value"])
        table.add_row(Words(printable(row["policy"])), *cells, time, value, "yes" if row["picked"] else "")
    return table


def scripts_table(scripts: Iterable[tuple[str, str]]) -> Table:
    """Make the table of scenario scripts: name or path, and the first line of the docstring."""
    table = Table(box=None, pad_edge=False)
    table.add_column("script", no_wrap=True)
    table.add_column("what it is about", overflow="fold")
    for name, about in scripts:
        table.add_row(Words(printable(name)), Words(printable(about)))
    return table


def console_for_tables() -> Console:
    """Return the console for tables; in a pipe it is wide, so that no table is cut."""
    console = PlainConsole()
    return console if console.is_terminal else PlainConsole(width=160)


def print_comparison(
    console: Console, results: Results, target: float | None = None, metric: str | None = None
) -> None:
    """Print what each policy needs to reach the target, and the remarks on it."""
    comparison = compare(results, target, metric)
    for table in comparison_tables(comparison, results.name, console.width):
        console.print(table)
    left_out = " and ".join(name for name, width in _LEAST_WIDTH.items() if console.width < width)
    hint = f"Left out: {left_out}; the terminal is too narrow. Widen it, or redirect the output to a file."
    for note in comparison_notes(comparison) + ([hint] if left_out else []):
        _say(console, note)
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


def _say(console: Console, text: str) -> None:
    console.print(Words(printable(text)))


def _number(value: float) -> str:
    """Format a number with four significant digits, without an exponent unless it is very large or small."""
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:.{digits}f}"
    return f"{value:.3e}"


def _plus_minus(row: Mapping[Any, Any], name: str) -> str:
    """Format a mean with half the width of its interval, or with both ends if the interval is cut off at 0."""
    mean, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if math.isnan(mean):
        return "-"
    if math.isnan(high):
        return _number(mean)
    half = high - mean
    if low > mean - 0.999 * half:
        return f"{_number(mean)} ({_number(low)} - {_number(high)})"
    digits = max(0, 3 - math.floor(math.log10(abs(mean)))) if 0.0 < abs(mean) < 1e7 else 0
    spread = f"{half:.{digits}f}" if abs(mean) < 1e7 else f"{half:.1e}"
    return f"{_number(mean)} ± {spread}"


def _from_to(row: Mapping[Any, Any]) -> str:
    """Format a ratio with its interval."""
    ratio, low, high = row["ratio"], row["ratio_low"], row["ratio_high"]
    if math.isnan(ratio):
        return "-"
    return f"{ratio:.3g}" if math.isnan(low) or low == high else f"{ratio:.3g} ({low:.3g} - {high:.3g})"
