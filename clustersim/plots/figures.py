"""Whole figures: `figure` with a panel for each variant, and `overview` with four panels for one variant."""

import math
from collections.abc import Iterable, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clustersim.checks import choice
from clustersim.plots.axes import fitted
from clustersim.plots.panels import Panel, averaged, draw_panels
from clustersim.plots.remarks import entries, lines_below
from clustersim.plots.selection import Selection, select
from clustersim.plots.style import Look, curve_style, shortened
from clustersim.studies import Results
from clustersim.studies.arguments import expect
from clustersim.studies.statistics import INTERVALS

__all__ = ["changing_k", "figure", "overview"]

_NARROW = 5.0  # inches: below, four panels of an overview stand on each other
_LEAST_PANEL = 1.7  # inches


def figure(
    results: Results,
    y: str | None = None,
    x: str = "time",
    *,
    average: str = "auto",
    policies: Iterable[str] | None = None,
    variants: Iterable[str] | None = None,
    width: float | None = None,
    titles: bool = False,
    notes: bool = False,
    style: str | Iterable[str] = "colour",
    page: int = 1,
) -> Figure:
    """Draw one column of the history against another, with one panel per variant.

    Parameters
    ----------
    results : Results
        The results of a study.
    y : str, optional
        The column to draw; the study's metric if not given.
    x : str, default "time"
        The column of the horizontal axis: ``time`` (s), ``uplink_vectors`` (the adaptive-k paper calls the uplink
        "download") or ``vectors``, uplink and downlink together (it calls the downlink "upload"), or any other column
        that never falls, such as ``update``.
    average : {"auto", "arithmetic", "geometric", "median"}, default "auto"
        The kind of average over the replications, as in `Results.on_grid`. If a column has no geometric mean, because a
        value is negative or all are 0, its default average is drawn instead; the text below the panels says so.
    policies : iterable of str, optional
        The labels of the policies to show; if not given, all of them, or twelve in a variant that has more. A policy
        looks the same whichever others are shown.
    variants : iterable of str, optional
        The labels of the variants to show; if not given, all of them, or six if there are more than twelve.
    width : float, optional
        The width in inches, such as 3.5 for a column of a paper. Text is then 7 to 8 points high. If not given, the
        size suits a screen.
    titles : bool, default False
        Whether the figure has the name of the study as its title. Panels have the names of variants in any case.
    notes : bool, default False
        Whether the notes of the study are below the panels. The kind of average, failed runs, and what else one must
        know to read the curves are there in any case.
    style : str or iterable of str, default "colour"
        ``"colour"``, ``"grey"``, ``"serif"`` (a typeface like Times), the name of a style of matplotlib, or the path of
        an ``.mplstyle`` file. Of several, later ones override earlier ones. Dashes and markers tell policies apart in
        every style.
    page : int, default 1
        A page has at most six panels. This is the page to draw.

    Returns
    -------
    Figure
        The figure. The label of a curve (``fig.axes[0].get_lines()[0].get_label()``) is that of its policy.

    Raises
    ------
    ConfigurationError
        If there is no such column, average, policy, variant, style or page, or the width is not between 2 and 40.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"variant": "", "policy": "a", "replication": [0, 0, 1, 1], "time": [0.0, 2.0, 0.0, 4.0],
    ...         "error": [8.0, 2.0, 8.0, 0.5]}
    >>> fig = figure(Results("demo", pd.DataFrame(rows), pd.DataFrame(), ("a",)), width=3.5)
    >>> fig.axes[0].get_xlabel(), fig.axes[0].get_yscale(), float(fig.get_figwidth())
    ('wall-clock time (s)', 'log', 3.5)
    """
    expect("results", results, Results)
    look = Look.of(width, titles, notes, style)
    y = y or results.metric
    if len(results.frame):
        results.values(y)
        results.values(x)
        averaged(results, y, average)
    shown = select(results, policies, variants).page(page)
    count = len(shown.variants)
    columns = _columns(count, look.width)
    rows = math.ceil(count / columns)
    with mpl.rc_context(look.settings):
        sheet = Figure(figsize=_size(rows, columns, look.width), layout="constrained")
        panels = list(sheet.subplots(rows, columns, squeeze=False).flat)
        width_of_one = float(sheet.get_figwidth()) / columns - 0.1
        drawn = draw_panels(panels, shown.results, shown.variants, x, y, average, look)
        for variant, panel in zip(shown.variants, panels, strict=False):
            panel.set_title(shortened(variant, _characters(width_of_one, look.size("axes.title"))), parse_math=False)
        for panel in panels[count:]:
            panel.remove()
        _labels(sheet, panels[:count], columns, look)
        _frame(sheet, shown, drawn, look)
    return sheet


def overview(
    results: Results,
    variant: str = "",
    *,
    average: str = "auto",
    policies: Iterable[str] | None = None,
    width: float | None = None,
    titles: bool = False,
    notes: bool = False,
    style: str | Iterable[str] = "colour",
) -> Figure:
    """Draw four panels: the metric against time, uplink and all communication, and k (or a metric) against time.

    Parameters
    ----------
    results : Results
        The results of a study.
    variant : str, default ""
        The variant to draw; its name is above the panels.
    average : {"auto", "arithmetic", "geometric", "median"}, default "auto"
        The kind of average over the replications, as in `figure`.
    policies, width, titles, notes, style
        As in `figure`. Below 5 inches, the panels stand on each other.

    Returns
    -------
    Figure

    Raises
    ------
    ConfigurationError
        If there is no such variant, average, policy or style, or the width is not between 2 and 40.
    """
    expect("results", results, Results)
    choice("variant", variant, results.variants)
    choice("average", average, ("auto", *INTERVALS))
    look = Look.of(width, titles, notes, style)
    shown = select(results, policies, [variant])
    metric = results.metric
    pairs = [("time", metric), ("uplink_vectors", metric), ("vectors", metric), ("time", _fourth(results))]
    columns = 2 if look.width is None or look.width >= _NARROW else 1
    with mpl.rc_context(look.settings):
        size = (9.6, 6.8) if look.width is None else _size(4 // columns, columns, look.width)
        sheet = Figure(figsize=size, layout="constrained")
        panels = list(sheet.subplots(4 // columns, columns, squeeze=False).flat)
        both = zip(panels, pairs, strict=True)
        drawn = [draw_panels([panel], shown.results, [variant], x, y, average, look)[0] for panel, (x, y) in both]
        _labels(sheet, panels, columns, look)
        _frame(sheet, shown, drawn, look, variant)
    return sheet


def _fourth(results: Results) -> str:
    """Return the column of the fourth panel: k if some policy changes it or there is no other metric, else a metric."""
    others = [name for name in results.metrics if name not in (results.metric, "loss", "error")]
    return "k" if changing_k(results) or not others else others[0]


def changing_k(results: Results) -> bool:
    """Return whether some policy changes the number of workers that it waits for; otherwise k is not worth a figure."""
    if results.frame.empty or not results.has("k"):
        return False
    return bool(results.frame.groupby(["variant", "policy", "replication"])["k"].nunique().max() > 1)


def _columns(count: int, width: float | None) -> int:
    """Return the number of panels side by side."""
    if width is None:
        return 2 if count == 4 else min(count, 3)
    room = max(1, int(width / _LEAST_PANEL))
    if count <= 3 and room < count:
        return 1
    return min(room, 2 if count == 4 else 3, count)


def _size(rows: int, columns: int, width: float | None) -> tuple[float, float]:
    """Return width and height of a figure before its legend and remarks are added, in inches."""
    if width is None:
        return (6.4, 3.9) if rows == columns == 1 else (1.0 + 3.6 * columns, 0.6 + 3.1 * rows)
    height = min(2.8, max(1.45, min(0.66 * width / columns, 7.0 / rows)))
    return width, height * rows


def _characters(inches: float, points: float) -> int:
    """Estimate how many characters of a size fit."""
    return int(inches * 127.0 / points)


def _panel_width(sheet: Figure, columns: int) -> float:
    """Estimate the width of a panel without its ticks and labels, in inches."""
    return float(sheet.get_figwidth()) / columns - 0.5


def _labels(sheet: Figure, panels: Sequence[Axes], columns: int, look: Look) -> None:
    """Break labels that are too long, and leave out those that the panel to the left or below has as well.

    In a paper, several rows of panels with one label share it.
    """
    points, height = look.size("axes.label"), float(sheet.get_figheight()) / math.ceil(len(panels) / columns) - 0.4
    texts = [(panel.get_xlabel(), panel.get_ylabel()) for panel in panels]
    for place, panel in enumerate(panels):
        below, left = place + columns, place - 1
        if below < len(panels) and texts[below][0] == texts[place][0]:
            panel.set_xlabel("")
        if place % columns and texts[left][1] == texts[place][1]:
            panel.set_ylabel("")
        panel.set_xlabel(fitted(panel.get_xlabel(), _panel_width(sheet, columns), points))
        panel.set_ylabel(fitted(panel.get_ylabel(), height, points))
    if look.thin and len(panels) > columns > 1 and len({y for _, y in texts}) == 1:
        plain = not panels[0].yaxis.label.get_parse_math()
        for place, panel in enumerate(panels):
            panel.set_ylabel("")
            if place + columns >= len(panels) and place // columns < (len(panels) - 1) // columns:
                panel.set_xlabel("")  # nothing is below it, but a label there would push the last row down
        sheet.supylabel(texts[0][1].replace("\n", ", "), fontsize=points, parse_math=not plain)


def _frame(sheet: Figure, shown: Selection, drawn: list[Panel], look: Look, variant: str = "") -> None:
    """Add the legend above the panels, where it covers no curve, and the remarks below them."""
    width, points, small = float(sheet.get_figwidth()), look.size("legend.font"), look.size("figure.title")
    lines = lines_below(
        shown.results, shown.variants, drawn, shown.remarks, _characters(width, small), notes=look.notes
    )
    room = _characters(0.75 * width, points)
    labels = {policy: shortened(text, room) for policy, text in entries(shown.results, shown.variants).items()}
    most = max(1, int(room * 1.1) // (7 + max(map(len, labels.values()), default=0)))
    rows = math.ceil(len(labels) / most)
    title = ": ".join(filter(None, [shown.results.name if look.titles else "", variant]))
    handles = [Line2D([], [], **curve_style(shown.results, policy, look)) for policy in labels]
    legend = sheet.legend(
        handles, labels.values(), loc="outside upper center", ncols=math.ceil(len(labels) / max(1, rows)),
        title=shortened(title, room) or None, frameon=False, handlelength=3.2,
    )  # fmt: skip
    legend.get_title().set_fontweight("bold")
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)  # a dollar sign in a name stays a dollar sign
    sheet.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=small, color="#444444", parse_math=False)
    above = (1.3 * bool(title) + 1.6 * rows) * points / 72.0
    sheet.set_figheight(sheet.get_figheight() + above + 0.15 + 1.25 * small / 72.0 * len(lines))
