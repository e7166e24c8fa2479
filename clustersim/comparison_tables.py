"""The tables of a comparison and the notes under them: medians with intervals, ratios to the baseline, and verdicts.

A `Comparison` comes in from `clustersim.studies`; tables and sentences go out, which `clustersim.tables` prints.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd
from rich.table import Table
from rich.text import Text

from clustersim.numerals import numeral, span
from clustersim.studies import Comparison
from clustersim.studies.display_text import in_variant, named, printable
from clustersim.terminal import Words

__all__ = [
    "MOST_VARIANTS",
    "Column",
    "comparison_notes",
    "comparison_tables",
    "counted",
    "left_out",
    "shown_columns",
]

MOST_VARIANTS = 12
"""The number of variants up to which each of them has a table."""

_MOST_REMARKS = 12
_WIDEST_LABEL = 24
_AT_LEAST = ("reached", "time")

Row = Mapping[Any, Any]


class Column(NamedTuple):
    """A column of a table: its heading and the text of its cells."""

    heading: str
    cell: Callable[[Row], str]


def _cost(name: str, unit: float = 1.0) -> Callable[[Row], str]:
    return lambda row: span(*(row[f"{name}{part}"] / unit for part in ("", "_low", "_high", "_end")))


def _share(name: str) -> Callable[[Row], str]:
    return lambda row: "-" if math.isnan(row[name]) else f"{100.0 * row[name]:.3g} %"


def _reached(row: Row) -> str:
    return "-" if math.isnan(row["target"]) else f"{row['reached']} of {row['replications']}"


def _percent(low: float, high: float) -> str:
    return "-" if math.isnan(low) else f"{100.0 * low:.0f} - {100.0 * high:.0f} %"


def _ratio(row: Row) -> str:
    """Format a ratio with its interval, of which one end may be unknown."""
    if row["verdict"] == "baseline":
        return "1" if row["ratio"] == 1.0 else "-"
    ratio, low, high = row["ratio"], row["ratio_low"], row["ratio_high"]
    below_one = max((end for end in (ratio, low, high) if math.isfinite(end)), default=1.0) < 1.0
    return span(ratio, low, high, math.nan, digits=2 if below_one else 3)


def shown_columns(table: pd.DataFrame) -> dict[str, Column]:
    """Make the columns that have values, in the order of the table."""
    unit, prefix = _unit(table)
    columns = {
        "reached": Column("reached", _reached),
        "share": Column("share\nreached", lambda row: _percent(row["share_low"], row["share_high"])),
        "time": Column("time (s)", _cost("time")),
        "ratio": Column("time /\nbaseline", _ratio),
        "verdict": Column("verdict", lambda row: str(row["verdict"]) or "-"),
        "uplink_vectors": Column("uplink\n(vectors)", _cost("uplink_vectors")),
        "vectors": Column("both ways\n(vectors)", _cost("vectors")),
        "uplink_bytes": Column(f"uplink\n({prefix})", _cost("uplink_bytes", unit)),
        "bytes": Column(f"both ways\n({prefix})", _cost("bytes", unit)),
        "idle_share": Column("idle", _share("idle_share")),
        "wasted_share": Column("wasted", _share("wasted_share")),
        "unheard": Column(
            "workers\nunheard", lambda row: "-" if math.isnan(row["unheard"]) else f"{row['unheard']:.3g}"
        ),
        "front": Column("Pareto\nfront", lambda row: "yes" if row["front"] else "no"),
    }
    alone = len(table) == table["variant"].nunique()
    empty = {name for name in ("idle_share", "wasted_share") if table[name].isna().all()}
    empty |= set() if (table["unheard"] > 0.0).any() else {"unheard"}
    hidden = empty | ({"ratio", "verdict", "front"} if alone else set())
    return {name: column for name, column in columns.items() if name not in hidden}


def _unit(table: pd.DataFrame) -> tuple[float, str]:
    """Choose the unit of bytes."""
    most = table["bytes_end"].max()
    power = min(5, max(0, int(math.log10(most) - 1) // 3)) if most > 0.0 else 0
    return 1000.0**power, ("bytes", "kB", "MB", "GB", "TB", "PB")[power]


_PRIORITY = (
    *_AT_LEAST, "ratio", "verdict", "uplink_vectors", "bytes", "idle_share", "wasted_share", "unheard", "front",
    "share", "vectors", "uplink_bytes",
)  # fmt: skip


def comparison_tables(comparison: Comparison, title: str, width: int = 160) -> Iterator[Table]:
    """Make tables of what each policy needs to reach the target: medians with 95 % intervals.

    Parameters
    ----------
    comparison : Comparison
        The outcome of `clustersim.compare`.
    title : str
        The first words of the title of each table.
    width : int, default 160
        Characters per line. Columns that do not fit are left out, the least important ones first.

    Yields
    ------
    Table
        One table per variant; for more than twelve variants a single one, which counts verdicts.
    """
    if len(comparison.targets) > MOST_VARIANTS:
        yield _summary(comparison, title)
        return
    columns = shown_columns(comparison.table)
    names, fits = _fitting(comparison.table, columns, width)
    shown = [columns[name] for name in names]
    for variant, rows in comparison.table.groupby("variant", sort=False):
        name, target = f"{title}, {variant!s}" if variant else title, comparison.targets[str(variant)]
        what = "medians" if comparison.quantile == 0.5 else f"{comparison.quantile:g} quantiles"
        aim = f"what each policy needs to reach {comparison.metric} = {target:.6g} ({what}, 95 % intervals)"
        heading = f"{name}: {'there is no target' if math.isnan(target) else aim}"
        table = Table(title=Text(printable(heading), style="italic"), title_justify="left")
        table.add_column("policy", overflow="fold")
        for column in shown:
            table.add_column(column.heading, justify="right", no_wrap=fits)
        for row in rows.to_dict("records"):
            table.add_row(Words(printable(row["policy"])), *(column.cell(row) for column in shown))
        yield table


def left_out(comparison: Comparison, width: int) -> list[str]:
    """Return the headings of the columns that have values but do not fit."""
    if len(comparison.targets) > MOST_VARIANTS:
        return []
    columns = shown_columns(comparison.table)
    shown, _ = _fitting(comparison.table, columns, width)
    return [column.heading.replace("\n", " ") for name, column in columns.items() if name not in shown]


def _fitting(table: pd.DataFrame, columns: dict[str, Column], width: int) -> tuple[list[str], bool]:
    """Choose the columns that fit, the most important ones first; return them in order, and whether they do fit."""
    rows, chosen = table.to_dict("records"), set[str]()
    labels = max(len("policy"), *(len(str(row["policy"])) for row in rows))
    room = width - len("│  │") - min(_WIDEST_LABEL, labels)
    for name in filter(columns.__contains__, _PRIORITY):
        lines = [columns[name].cell(row) for row in rows] + columns[name].heading.split("\n")
        needed = len("  │") + max(map(len, lines))
        if needed <= room or name in _AT_LEAST:
            room -= needed
            chosen.add(name)
    return [name for name in columns if name in chosen], room >= 0


def counted(comparison: Comparison) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Count in how many variants each policy is what: the headings, and for each policy its label and the numbers."""
    table = comparison.table
    words = ("faster", "slower", "undecided", "baseline")
    finite = table[table["time"].map(math.isfinite)]
    least = finite.loc[finite.groupby("variant")["time"].idxmin(), "policy"].value_counts()
    always = table[table["reached"] == table["replications"]]["policy"].value_counts()
    rows = []
    for policy, mine in table.groupby("policy", sort=False):
        verdicts = mine["verdict"].value_counts()
        counts = [always.get(policy, 0), least.get(policy, 0), *(verdicts.get(word, 0) for word in words)]
        rows.append((str(policy), [int(count) for count in counts]))
    return ["reaches it always", "least median time", *words], rows


def _summary(comparison: Comparison, title: str) -> Table:
    """Make the table for many variants: in how many of them each policy is what."""
    variants, (headings, rows) = len(comparison.targets), counted(comparison)
    heading = f"{title}: in how many of {variants} variants each policy reaches a target of {comparison.metric}, and is"
    shown = Table(title=Text(printable(heading), style="italic"), title_justify="left")
    shown.add_column("policy", overflow="fold")
    for words in headings:
        shown.add_column(words, justify="right")
    for policy, counts in rows:
        shown.add_row(Words(printable(policy)), *map(str, counts))
    return shown


def comparison_notes(comparison: Comparison) -> list[str]:
    """Return the notes under the tables: the target, where it comes from, the remarks, and what the verdicts mean."""
    table = comparison.table
    costs = "Costs are measured at the first evaluation that meets the target and lasts for a while."
    notes = [f"Target: {comparison.why}. {costs}"] if table["target"].notna().any() else []
    notes += comparison.remarks[:_MOST_REMARKS]
    if (more := len(comparison.remarks) - _MOST_REMARKS) > 0:
        notes.append(f"There are {more} more remarks; Comparison.remarks has all of them.")
    if ((table["reached"] < table["replications"]) & table["target"].notna()).any():
        notes.append("A run that ends before the target is known to need more than it had spent; > marks such a cost.")
    tests = int(table["p"].notna().sum())
    if tests:
        which = "that this" if tests == 1 else f"that any of {tests} such verdicts"
        notes.append(
            f"Faster, slower: than the baseline, in the same replications; the probability {which} is wrong is at most "
            f"5 %{' (Holm)' if tests > 1 else ''}."
        )
    return notes + _front(comparison) + _precision(comparison)


def _front(comparison: Comparison) -> list[str]:
    """Name the policies on the Pareto front, unless there are many variants."""
    if len(comparison.targets) > 3 or not comparison.table["target"].notna().any():
        return []
    return [
        f"Pareto front of {comparison.metric} at the end, time and bytes{in_variant(str(variant))}: "
        f"{named(*rows['policy'][rows['front']])}."
        for variant, rows in comparison.table.groupby("variant", sort=False)
        if len(rows) > 1
    ]


def _precision(comparison: Comparison) -> list[str]:
    """Say how many replications would make the intervals of the ratios narrow."""
    needed = comparison.replications_for(0.05)
    if needed["ratio"].isna().all() or needed["ratio"].max() <= comparison.table["replications"].max():
        return []
    most = needed.iloc[int(needed["ratio"].argmax())]
    number, which = numeral(most["ratio"], whole=True), named(most["policy"]) + in_variant(str(most["variant"]))
    fewer = "; fewer for the others" if needed["ratio"].notna().sum() > 1 else ""
    return [f"For a ratio to within 5 %, about {number} replications are needed (for {which}{fewer})."]
