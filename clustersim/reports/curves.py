"""Curves: each metric against time and against communication, with a line and a band for each policy."""

from typing import Any

import numpy as np
import pandas as pd

from clustersim.comparison_tables import MOST_VARIANTS
from clustersim.plots.axes import LABELS, LARGEST, SMALLEST, label
from clustersim.plots.figures import changing_k
from clustersim.plots.panels import averaged, axis_limits, bands, clip_to_axis
from clustersim.plots.style import curve_style, shortened
from clustersim.reports.boards import LEGEND, Board, Chart, Control, Plotly, array, label_text, layout
from clustersim.studies import Results

__all__ = ["OPEN_CURVES", "axis_title", "charted_variants", "curves"]

OPEN_CURVES = 8
"""The number of policies whose curves are shown at first; the others are a click away."""

_POINTS = 160
_FORMULAS = {r"\mathbb{R}^d": "ℝᵈ", r"\|w - w^*\|_2": "‖w − w*‖₂", "F(w) - F^*": "F(w) − F*", "$": ""}


def axis_title(column: str, average: str = "arithmetic") -> str:
    """Return the title of an axis for plotly.

    Examples
    --------
    >>> axis_title("error")
    'error F(w) − F*'
    """
    title = label(column, average)
    for formula, plain in _FORMULAS.items() if column in LABELS else ():
        title = title.replace(formula, plain)
    return label_text(title).replace("\n", "<br>")


def charted_variants(results: Results) -> list[str]:
    """Return the variants whose curves are in the report: those with runs, and at most twelve."""
    finished = {variant for variant, _, _ in results.series()}
    return [variant for variant in results.variants if variant in finished][:MOST_VARIANTS]


def curves(results: Results) -> Board:
    """Return a board with each metric against time and against communication."""
    variants, metrics = charted_variants(results), _metrics(results)
    ways = [column for column in ("uplink_vectors", "vectors") if results.has(column)]
    controls = [
        Control("curves-variant", "Variant", tuple(variants)),
        Control("curves-metric", "Quantity", tuple(shortened(name.replace("_", " "), 60) for name in metrics)),
    ]
    names = tuple(control.name for control in controls)
    about = "of each policy: the average over the replications, with a 95 % band. The comparison below has the numbers."
    figures = {x: _figures(results, variants, metrics, x) for x in ("time", *ways)}
    charts = [Chart("curves-time", "Against time", f"Curves over wall-clock time {about}", names, figures["time"])]
    if ways:
        controls.append(Control("curves-way", "Communication", ("uplink", "uplink + downlink")[: len(ways)]))
        both = {f"{key}/{place}": figure for place, way in enumerate(ways) for key, figure in figures[way].items()}
        words = f"Curves over the vectors that were sent {about}"
        charts.append(Chart("curves-communication", "Against communication", words, (*names, "curves-way"), both))
    hidden = tuple(map(str, range(OPEN_CURVES, len(results.policies))))
    return Board("curves-board", tuple(controls), tuple(charts), scales=True, hidden=hidden)


def _metrics(results: Results) -> list[str]:
    """Return the columns to draw: the metric of the study, k if some policy changes it, and the other metrics."""
    others = [name for name in results.metrics if name != results.metric]
    return [results.metric, *others, *(["k"] if changing_k(results) and results.metric != "k" else [])]


def _figures(results: Results, variants: list[str], metrics: list[str], x: str) -> dict[str, Plotly]:
    """Return a figure for each variant and metric, by their numbers."""
    figures = {}
    for place, metric in enumerate(metrics):
        average = averaged(results, metric, "auto")
        band = bands(results, metric, x, average, points=_POINTS)
        parts = {str(variant): part.copy() for variant, part in band.groupby("variant", sort=False)}
        for number, variant in enumerate(variants):
            figures[f"{number}/{place}"] = _figure(results, parts[variant], x, metric, average)
    return figures


def _figure(results: Results, band: pd.DataFrame, x: str, y: str, average: str) -> Plotly:
    """Return the figure of one variant."""
    shown = band["mean"][band["mean"].abs() <= LARGEST]
    positive = bool((shown > 0.0).all()) and not shown.empty
    log = results.on_log_scale(y) and positive and bool(shown.max() > 3.0 * shown.min())
    least = results.values(y)[results.values(y) > 0.0].min()
    clip_to_axis(band, float(least) if results.on_log_scale(y) and positive else None)
    several = bool(band["replications"].max() > 1)
    rows = 1 + len(results.policies) // 3
    ranges = {"linear": _range(band, log=False), "log": _range(band, log=True) if positive else None}
    look_ = layout(
        axis_title(x), axis_title(y, average if several else "arithmetic"), 400 + 22 * rows,
        hovermode="x", legend=LEGEND, xaxis={"rangemode": "tozero", "hoverformat": ".4g"},
        yaxis={"type": "log" if log else "linear", "hoverformat": ".4g"}, meta={"ranges": ranges},
    )  # fmt: skip
    drawn = band[band[x].abs() <= LARGEST].groupby("policy", sort=False)
    return {
        "data": [one for policy, curve in drawn for one in _traces(results, str(policy), curve, x, y)],
        "layout": look_,
    }


def _range(band: pd.DataFrame, *, log: bool) -> list[float] | None:
    """Return the ends of the vertical axis, as plotly wants them; None if they are not known."""
    part = band.assign(**{name: band[name].where(band[name] > SMALLEST) for name in ("low", "high")}) if log else band
    if part["mean"].notna().sum() == 0:
        return None
    ends = axis_limits(part, log=log)
    return [float(end) for end in (np.log10(ends) if log else ends)]


def _traces(results: Results, policy: str, curve: pd.DataFrame, x: str, y: str) -> list[Plotly]:
    """Return the line of a policy and, if there is one, its band."""
    style, group = curve_style(results, policy), str(results.policies.index(policy))
    shape, single = ("hv" if y == "k" else "linear"), curve["mean"].notna().sum() == 1
    places = array(curve[x])
    common = {
        "type": "scatter",
        "x": places,
        "legendgroup": group,
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
    }
    banded = bool(curve["low"].notna().any())
    traces = []
    for end, fill in (("low", "none"), ("high", "tonexty")) if banded else ():
        line = {"width": 0, "color": style["color"], "shape": shape}
        band = {"y": array(curve[end]), "line": line, "fill": fill, "fillcolor": _pale(style["color"])}
        traces.append({**common, **band})
    name = label_text(shortened(policy, 40))
    interval = " (%{customdata[0]:.4g} – %{customdata[1]:.4g})" if banded else ""
    more: Plotly = {"customdata": array(curve[["low", "high"]])} if banded else {}
    line = {"color": style["color"], "width": style["linewidth"], "dash": _dash(style), "shape": shape}
    more |= {"mode": "lines+markers" if single else "lines", "hoverinfo": "all", "showlegend": True}
    more |= {"hovertemplate": f"%{{y:.4g}}{interval}<extra>{name}</extra>"}
    traces.append({**common, **more, "y": array(curve["mean"]), "name": name, "line": line})
    return traces


def _pale(colour: str) -> str:
    """Return a colour as the colour of a band."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"


def _dash(style: dict[str, Any]) -> str:
    """Return the dashes of matplotlib, which are multiples of the line width, in pixels."""
    dashes = style["linestyle"]
    return "solid" if dashes == "-" else ",".join(f"{length * style['linewidth']:.3g}px" for length in dashes[1])
