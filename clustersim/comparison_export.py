"""A comparison for other programs: CSV with every column, and tables for LaTeX and Markdown.

`Results` and a `Comparison` of them come in. A text goes out, which `clustersim compare --format` prints.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from clustersim.checks import choice, instance
from clustersim.comparison_tables import comparison_notes, shown_columns
from clustersim.numerals import numeral
from clustersim.studies import Comparison, Results
from clustersim.studies.display_text import printable
from clustersim.studies.files import slug

__all__ = ["exported"]

Row = Mapping[Any, Any]
MOST_ROWS_ON_A_PAGE = 40
_NARROW = {"reached", "time", "ratio", "verdict", "vectors", "bytes"}
_WIDE = _NARROW | {"uplink_vectors", "idle_share", "wasted_share"}
_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", **{sign: "\\" + sign for sign in "{}$&#_%"},
}  # fmt: skip


def exported(comparison: Comparison, results: Results, kind: str) -> str:
    r"""Write a comparison as CSV, as a table for LaTeX, or as one for Markdown.

    Parameters
    ----------
    comparison : Comparison
        The outcome of `clustersim.compare`.
    results : Results
        The results that were compared. Their name is part of the tables.
    kind : {"csv", "latex", "markdown"}
        The format:

        - ``"csv"``: all columns of ``comparison.table``, one row for each variant and policy. Unknown numbers are
          empty, and costs that are never reached are ``inf``.
        - ``"latex"``: a table for the package booktabs, with its caption. Lines of more than 40 policies go into a
          longtable, which may break between pages. Comments before it name the targets and repeat all remarks.
        - ``"markdown"``: a table with pipes, and all remarks as a list below it.

    Returns
    -------
    str
        The text, with a line end at its end.

    Raises
    ------
    ConfigurationError
        If an argument is unusable.

    Examples
    --------
    >>> rows = {"variant": "", "policy": ["a", "a", "b", "b"], "replication": 0, "time": [0.0, 4.0, 0.0, 2.0],
    ...         "error": [8.0, 1.0, 8.0, 2.0], "update": [0, 1, 0, 1]}
    >>> counts = {f"{way}_{unit}": [0, 3, 0, 3] for way in ("uplink", "downlink") for unit in ("vectors", "bytes")}
    >>> import clustersim as cs
    >>> results = cs.Results("demo", pd.DataFrame(rows | counts), pd.DataFrame(), ("a", "b"))
    >>> print(exported(cs.compare(results, target=2.0), results, "csv")[:60])
    variant,policy,target,replications,reached,at_start,failed,s
    """
    instance("comparison", comparison, Comparison, "the outcome of clustersim.compare")
    instance("results", results, Results, "the results that were compared")
    writers = {"csv": _csv, "latex": _latex, "markdown": _markdown}
    choice("format", kind, tuple(writers))
    return writers[kind](comparison, results)


def _csv(comparison: Comparison, _: Results) -> str:
    """Write all columns."""
    table = comparison.table
    texts = table.select_dtypes(["object", "string"]).columns
    return str(table.assign(**{name: table[name].map(_one_line) for name in texts}).to_csv(index=False))


def _one_line(value: Any) -> Any:
    """Make a text printable; other values stay as they are."""
    return printable(value).replace("\n", " ") if isinstance(value, str) else value


def _columns(table: pd.DataFrame, *, wide: bool) -> dict[str, Callable[[Row], str]]:
    """Return the columns of a printed table by their headings; a narrow one leaves out what it can do without."""
    kept = _WIDE if wide else _NARROW
    shown = {name: column for name, column in shown_columns(table).items() if name in kept}
    return {column.heading.replace("\n", " "): column.cell for column in shown.values()}


def _what(comparison: Comparison, results: Results) -> str:
    """Say in a sentence what the numbers are."""
    table, name = comparison.table, comparison.metric.replace("_", " ")
    targets = {target for target in comparison.targets.values() if not math.isnan(target)}
    aim = f"{name} = {targets.pop():.6g}" if len(targets) == 1 else f"a target of {name}"
    counts = sorted({*table["replications"]})
    over = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    what = "medians" if comparison.quantile == 0.5 else f"{comparison.quantile:g} quantiles"
    return f"{results.name}: what each policy needs to reach {aim} ({what} of {over} runs, 95 % intervals)."


def _group(variant: str, target: float, metric: str) -> str:
    """Head the rows of a variant."""
    aim = "there is no target" if math.isnan(target) else f"{metric.replace('_', ' ')} = {target:.6g}"
    return f"{variant} ({aim})"


def _markdown(comparison: Comparison, results: Results) -> str:
    """Write a table with pipes, with a column for the variant if there are several, and the remarks below."""
    table = comparison.table
    columns = _columns(table, wide=True)
    several = len(comparison.targets) > 1
    first = ["variant", "policy", "target"] if several else ["policy"]
    lines = [[*first, *columns], [*["---"] * len(first), *["---:"] * len(columns)]]
    for row in table.to_dict("records"):
        label = {"variant": row["variant"], "policy": row["policy"], "target": numeral(row["target"])}
        texts = [*map(label.get, first), *(cell(row) for cell in columns.values())]
        lines.append([_in_markdown(text) for text in texts])
    notes = [f"- {_in_markdown(note)}" for note in comparison_notes(comparison)]
    body = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return "\n".join([_in_markdown(_what(comparison, results)), "", body, *([""] if notes else []), *notes, ""])


def _in_markdown(text: Any) -> str:
    """Escape what Markdown would interpret."""
    return re.sub(r"([\\`*_\[\]<>|~$#&])", r"\\\1", str(_one_line(str(text))))


def _latex(comparison: Comparison, results: Results) -> str:
    """Write a table for booktabs."""
    table = comparison.table
    columns = _columns(table, wide=False)
    long = len(table) > MOST_ROWS_ON_A_PAGE
    head = " & ".join(map(_in_latex, ["policy", *columns])) + r" \\"
    caption = rf"\caption{{{_in_latex(_caption(comparison, results))}}}\label{{tab:{slug(results.name) or 'table'}}}"
    spec = "{@{}l" + "r" * len(columns) + "@{}}"
    body = [r"\toprule", head, r"\midrule", *_latex_rows(comparison, columns), r"\bottomrule"]
    if long:
        body[3:3] = [r"\endhead"]
        table_lines = [rf"\begin{{longtable}}{spec}", caption + r" \\", *body, r"\end{longtable}"]
    else:
        tabular = [rf"\begin{{tabular}}{spec}", *body, r"\end{tabular}"]
        table_lines = [r"\begin{table}", r"\centering", caption, *tabular, r"\end{table}"]
    return "\n".join([*_latex_comments(comparison, long=long), *table_lines, ""])


def _caption(comparison: Comparison, results: Results) -> str:
    """Say what the numbers are, and what is not plain in them."""
    caption = _what(comparison, results)
    if any(math.isinf(time) for time in comparison.table["time"]):
        caption += " A number after > is what the runs had spent without reaching it."
    return caption


def _latex_comments(comparison: Comparison, *, long: bool) -> list[str]:
    """Name the packages and the targets, and repeat the remarks."""
    packages = r"\usepackage{booktabs,longtable}" if long else r"\usepackage{booktabs}"
    targets = [
        f"target{f' of {variant}' if variant else ''}: {comparison.metric} = {target:.6g}"
        for variant, target in comparison.targets.items()
    ]
    lines = [f"Needs {packages} in the preamble.", *targets, *comparison_notes(comparison)]
    return [f"% {_one_line(line)}" for line in lines]


def _latex_rows(comparison: Comparison, columns: Mapping[str, Callable[[Row], str]]) -> Iterator[str]:
    """Yield the rows, those of each variant below its name and target."""
    several = len(comparison.targets) > 1
    for place, (variant, rows) in enumerate(comparison.table.groupby("variant", sort=False)):
        if several:
            name = _in_latex(_group(str(variant), comparison.targets[str(variant)], comparison.metric))
            yield (r"\addlinespace " if place else "") + rf"\multicolumn{{{1 + len(columns)}}}{{@{{}}l}}{{{name}}} \\"
        indent = r"\quad " if several else ""
        for row in rows.to_dict("records"):
            cells = [_number_in_latex(cell(row)) for cell in columns.values()]
            yield indent + " & ".join([_in_latex(row["policy"]), *cells]) + r" \\"


def _in_latex(text: Any) -> str:
    """Escape what LaTeX would interpret."""
    return "".join(_LATEX.get(sign, sign) for sign in str(_one_line(str(text))))


def _number_in_latex(text: str) -> str:
    """Set a number with its interval: dashes for ranges and for what is unknown, and powers of ten."""
    if text == "-":
        return "--"
    text = _in_latex(text).replace(" - ", "--").replace(r"\textgreater{} ", "$>$").replace(r" \%", r"\,\%")
    return re.sub(r"([0-9.]+)e([+-]?)0*([0-9]+)", lambda m: _power(m[1], m[2], m[3]), text)


def _power(factor: str, sign: str, exponent: str) -> str:
    return rf"${factor}\times10^{{{sign.replace('+', '')}{exponent}}}$"
