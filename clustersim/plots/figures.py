"""Whole figures: panels, the legend above them, and the remarks below them."""

import math
import textwrap
from collections.abc import Callable
from functools import partial

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clustersim.checks import choice
from clustersim.plots.panels import Panel, averaged, draw_panels
from clustersim.plots.style import STYLE, look, shortened
from clustersim.studies import Results
from clustersim.studies.arguments import expect
from clustersim.studies.display_text import enumerated, named, printable
from clustersim.studies.pictures import standard_names
from clustersim.studies.remarks import copies_remark, failed_runs, failure_remarks, missing_remark
from clustersim.studies.statistics import INTERVALS

__all__ = ["figure", "overview", "standard_figures"]

MOST_OVERVIEWS, MOST_LINES, FEWEST_FOR_A_MEDIAN = 6, 14, 6


def figure(results: Results, y: str | None = None, x: str = "time", *, average: str = "auto") -> Figure:
    """Draw one column of the history against another, with one panel per variant.

    Parameters
    ----------
    results : Results
        The results of a study.
    y : str, optional
        The column to draw; the study's metric if not given.
    x : str, default "time"
        The column of the horizontal axis: ``time`` (s), ``uplink_vectors`` (the adaptive-k paper calls the uplink
        "download") or ``vectors``, uplink and downlink together (it calls the downlink "upload").
    average : {"auto", "arithmetic", "geometric", "median"}, default "auto"
        The kind of average over the replications, as in `Results.on_grid`. If a column has no geometric mean, because a
        value is negative or all are 0, its default average is drawn instead; the text below the panels says so.

    Returns
    -------
    Figure
        The figure. The label of a curve (``fig.axes[0].get_lines()[0].get_label()``) is that of its policy.

    Raises
    ------
    ConfigurationError
        If there is no such column or average.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"variant": "", "policy": "a", "replication": [0, 0, 1, 1], "time": [0.0, 2.0, 0.0, 4.0],
    ...         "error": [8.0, 2.0, 8.0, 0.5]}
    >>> fig = figure(Results("demo", pd.DataFrame(rows), pd.DataFrame(), ("a",)))
    >>> fig.axes[0].get_xlabel(), fig.axes[0].get_yscale()
    ('wall-clock time (s)', 'log')
    """
    expect("results", results, Results)
    y = y or results.metric
    if len(results.frame):
        results.values(y)
        results.values(x)
        averaged(results, y, average)
    variants = _shown_variants(results)
    columns = 2 if len(variants) == 4 else min(len(variants), 3)
    rows = math.ceil(len(variants) / columns)
    with mpl.rc_context(STYLE):
        size = (6.4, 3.9) if len(variants) == 1 else (1.0 + 3.6 * columns, 0.6 + 3.1 * rows)
        sheet = Figure(figsize=size, layout="constrained")
        panels = list(sheet.subplots(rows, columns, squeeze=False).flat)
        drawn = draw_panels(panels, results, variants, x, y, average)
        for variant, panel in zip(variants, panels, strict=False):
            panel.set_title(shortened(variant, 44), parse_math=False)
        for panel in panels[len(variants) :]:
            panel.remove()
        _frame(sheet, results, variants, drawn)
    return sheet


def overview(results: Results, variant: str = "", *, average: str = "auto") -> Figure:
    """Draw four panels: the metric against time, uplink and all communication, and k (or a metric) against time.

    Parameters
    ----------
    results : Results
        The results of a study.
    variant : str, default ""
        The variant to draw.
    average : {"auto", "arithmetic", "geometric", "median"}, default "auto"
        The kind of average over the replications, as in `figure`.

    Returns
    -------
    Figure

    Raises
    ------
    ConfigurationError
        If there is no such variant or average.
    """
    expect("results", results, Results)
    choice("variant", variant, results.variants)
    choice("average", average, ("auto", *INTERVALS))
    metric = results.metric
    pairs = [("time", metric), ("uplink_vectors", metric), ("vectors", metric), ("time", _fourth(results))]
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(9.6, 6.8), layout="constrained")
        panels = zip(sheet.subplots(2, 2).flat, pairs, strict=True)
        drawn = [draw_panels([panel], results, [variant], x, y, average)[0] for panel, (x, y) in panels]
        _frame(sheet, results, [variant], drawn, variant)
    return sheet


def standard_figures(results: Results, *, average: str = "auto") -> dict[str, Callable[[], Figure]]:
    """Return functions that draw the standard figures of a study, by file name.

    Each variant gets an overview, unless there are more than six variants; then the panels of the other figures must
    suffice. File names consist of letters, digits, dots and dashes. Names that would be equal end with a short hash.
    """
    metric = results.metric
    pairs = [(metric, "time"), (metric, "uplink_vectors"), (metric, "vectors")]
    others = [name for name in results.metrics if name != metric]
    pairs += [(name, "time") for name in (["k", *others] if _k_changes(results) else others)]
    variants = _shown_variants(results)
    names = standard_names(variants if len(variants) <= MOST_OVERVIEWS else (), pairs)
    draw: dict[tuple[str, ...], Callable[[], Figure]] = {
        (variant,): partial(overview, results, variant, average=average) for variant in variants
    }
    draw |= {(y, x): partial(figure, results, y, x, average=average) for y, x in pairs}
    return {name: draw[key] for key, name in names.items()}


def _fourth(results: Results) -> str:
    """Return the column of the fourth panel: k if some policy changes it or there is no other metric, else a metric."""
    others = [name for name in results.metrics if name not in (results.metric, "loss", "error")]
    return "k" if _k_changes(results) or not others else others[0]


def _k_changes(results: Results) -> bool:
    """Return whether some policy changes the number of workers that it waits for; otherwise k is not worth a figure."""
    if results.frame.empty or not results.has("k"):
        return False
    return bool(results.frame.groupby(["variant", "policy", "replication"])["k"].nunique().max() > 1)


def _shown_variants(results: Results) -> list[str]:
    """Return the variants with runs; if there are none, the first variant, whose panel stays empty."""
    carried_out = {variant for variant, _, _ in results.series()} | {*results.failures["variant"]}
    return [variant for variant in results.variants if variant in carried_out] or [*results.variants[:1]]


def _frame(sheet: Figure, results: Results, variants: list[str], drawn: list[Panel], variant: str = "") -> None:
    """Add the legend above the panels, where it covers no curve, and the remarks below them."""
    width = float(sheet.get_figwidth())
    lines = _lines(results, variants, drawn, int(width * 17))
    labels = {policy: shortened(text, int(width * 11)) for policy, text in _legend(results, variants).items()}
    most = max(1, int(width * 12) // (7 + max(map(len, labels.values()), default=0)))
    rows = math.ceil(len(labels) / most)
    title = shortened(results.name + (f": {variant}" if variant else ""), int(width * 11))
    handles = [Line2D([], [], **look(results, policy)) for policy in labels]
    legend = sheet.legend(
        handles, labels.values(), loc="outside upper center", ncols=math.ceil(len(labels) / max(1, rows)), title=title,
        frameon=False,
    )  # fmt: skip
    legend.get_title().set_fontweight("bold")
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)  # a dollar sign in a name stays a dollar sign
    sheet.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7.5, color="#444444", parse_math=False)
    sheet.set_figheight(sheet.get_figheight() + 0.35 + 0.19 * rows + 0.13 * len(lines))


def _legend(results: Results, variants: list[str]) -> dict[str, str]:
    """Return the entries of the legend: policies with finished runs, and those whose runs all failed."""
    finished = {policy for variant, policy, _ in results.series() if variant in variants}
    failed = failed_runs(results, variants)
    entries = {policy: policy for policy in results.policies if policy in finished | failed.keys()}
    entries |= {policy: f"{policy} (failed)" for policy in failed if policy not in finished}
    return {policy: f" {text}" if text.startswith("_") else text for policy, text in entries.items()}  # "_" hides it


def _lines(results: Results, variants: list[str], drawn: list[Panel], width: int) -> list[str]:
    """Return the wrapped lines below the panels: a paragraph about the figure, and the notes of the study."""
    remarks = [_about(results, variants, drawn), *_odd_values(drawn)]
    remarks += failure_remarks(results, variants, " and are not drawn")
    remarks += [*missing_remark(results, ", and not drawn"), *copies_remark(results, variants)]
    remarks += _absences(results, variants, drawn)
    parts = [" ".join(filter(None, remarks)), *printable(results.notes).splitlines()]
    lines = [line for part in parts for line in textwrap.wrap(part, width)]
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "... (the tables have the full notes)"]


def _about(results: Results, variants: list[str], drawn: list[Panel]) -> str:
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


def _odd_values(drawn: list[Panel]) -> list[str]:
    """Make remarks on values that are not drawn as they are."""
    infinite = dict.fromkeys(panel.column for panel in drawn if panel.infinite)
    remarks = [f"Infinite or huge values of {enumerated([*infinite])} are not drawn."] if infinite else []
    cut = any(panel.cut for panel in drawn)
    return [*remarks, "A band that reaches 0 is drawn down to the bottom of the panel."] if cut else remarks


def _absences(results: Results, variants: list[str], drawn: list[Panel]) -> list[str]:
    """Make remarks on missing curves."""
    finished = {(variant, policy) for variant, policy, _ in results.series()}
    failed = {*results.failures[["variant", "policy"]].itertuples(index=False, name=None)}
    remarks = []
    for variant in variants:
        where = f" in {named(variant)}" if variant else ""
        none = [p for p in _legend(results, variants) if (variant, p) not in finished | failed]
        remarks += [f"There are no runs of {named(*none)}{where}."] if none else []
    for place, panel in enumerate(drawn):
        where = f" in {named(variants[place])}" if len(variants) == len(drawn) and variants[place] else ""
        remarks += [f"No finite values of {panel.column}: {named(*panel.absent)}{where}."] if panel.absent else []
    return [*dict.fromkeys(remarks)]
