"""Heat maps: one number for each place of a sweep, with the best policy or value framed."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from clustersim.plots.style import shortened
from clustersim.reports.boards import Board, Chart, Control, Plotly, array, label_text, layout
from clustersim.reports.facts import Facts
from clustersim.studies import Results
from clustersim.studies.results import lower_is_better
from clustersim.studies.summaries import summary
from clustersim.studies.sweeps import column_of

__all__ = ["heat_maps"]

_MOST_PLACES = 60
_COLOURS = [[0.0, "#F4F6F8"], [1.0, "#7FB8DD"]]  # pale enough for dark digits everywhere
_SUMMARY = ("variant", "policy", "value", "low", "high")


def heat_maps(facts: Facts) -> Board | None:
    """Return a board with the heat maps of a sweep; None if the study is none.

    The horizontal axis is the first swept parameter. The vertical one is the policy or, if there is only one, the
    second parameter. The other parameters are fixed by a control.
    """
    results = facts.results
    if not results.sweep or results.frame.empty:
        return None
    axes = [*results.sweep, "policy"]
    x = axes[0]
    y = "policy" if len(results.policies) > 1 or len(axes) == 2 else axes[1]
    values = _values(facts)
    places = _places(results, [name for name in axes if name not in (x, y)])
    figures = {}
    for number, (_, column, target) in enumerate(values):
        table = summary(results, column, target=target).rename(columns={column_of(n, _SUMMARY): n for n in axes})
        lower = target is not None or lower_is_better(column)
        for place, fixed in enumerate(places):
            rows = (
                table[np.logical_and.reduce([table[name] == value for name, value in fixed.items()], axis=0)]
                if fixed
                else table
            )
            figures[f"{number}/{place}"] = _figure(_laid_out(rows, table, x, y), x, y, lower=lower)
    controls = (
        Control("map-value", "Quantity", tuple(name for name, _, _ in values)),
        Control("map-place", "At", tuple(_label(fixed) for fixed in places)),
    )
    about = f"A number for each {x} and each {y}, as a colour and in digits; the best {y} for each {x} is framed."
    chart = Chart("map", f"{_words(y)} against {x}", about, ("map-value", "map-place"), figures)
    return Board("map-board", controls, (chart,))


def _values(facts: Facts) -> list[tuple[str, str, float | None]]:
    """Return what can be shown: its name, the column, and the target if there is one for all variants."""
    results = facts.results
    values: list[tuple[str, str, float | None]] = []
    target = float(facts.options["target"]) if "target" in facts.options else None
    if target is not None and facts.comparison.metric == results.metric:
        values = [(f"time (s) to {results.metric} = {target:g}", "time", target)]
    return values + [(f"{name.replace('_', ' ')} at the end", name, None) for name in results.metrics]


def _places(results: Results, names: list[str]) -> list[dict[str, Any]]:
    """Return the combinations of values of the parameters that are on no axis."""
    options = {
        name: results.policies if name == "policy" else dict.fromkeys(values[name] for values in results.swept.values())
        for name in names
    }
    return [dict(zip(options, place, strict=True)) for place in product(*options.values())][:_MOST_PLACES]


def _label(fixed: dict[str, Any]) -> str:
    """Return the label of a combination."""
    return ", ".join(shortened(str(v), 40) if name == "policy" else f"{name} = {v}" for name, v in fixed.items())


def _words(name: str) -> str:
    return name[:1].upper() + name[1:].replace("_", " ")


def _laid_out(rows: pd.DataFrame, table: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Return the values of some rows over the axes of the whole table."""
    order = {axis: pd.Index(table[axis].unique(), name=axis) for axis in (x, y)}
    return rows.pivot(index=y, columns=x, values="value").reindex(index=order[y], columns=order[x])


def _figure(table: pd.DataFrame, x: str, y: str, *, lower: bool) -> Plotly:
    """Return one heat map."""
    numbers = table.to_numpy(dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    wide = bool(finite.size and finite.min() > 0.0 and finite.max() > 10.0 * finite.min())
    with np.errstate(divide="ignore", invalid="ignore"):
        colours = np.where(np.isfinite(numbers), np.log10(numbers) if wide else numbers, np.nan)
    frames = _frames(numbers, lower=lower)
    texts = [[f"{number:.3g}" if np.isfinite(number) else "–" for number in row] for row in numbers]
    names = [[label_text(shortened(str(name), 40)) for name in axis] for axis in (table.columns, table.index)]
    hover = f"{label_text(x)} = %{{x}}<br>%{{y}}<br>%{{text}}<extra></extra>"
    picture = {
        "type": "heatmap", "z": array(colours), "x": names[0], "y": names[1], "text": texts, "texttemplate": "%{text}",
        "hovertemplate": hover, "showscale": False, "colorscale": _COLOURS, "reversescale": lower, "xgap": 1, "ygap": 1,
        "textfont": {"color": "#22262B"},
    }  # fmt: skip
    axis = {"type": "category", "showgrid": False, "ticks": ""}
    title = "" if y == "policy" else label_text(y.replace("_", " "))
    upright, height = {**axis, "autorange": "reversed"}, 140 + 38 * len(table)
    look = layout(label_text(x.replace("_", " ")), title, height, xaxis=axis, yaxis=upright, shapes=frames)
    return {"data": [picture], "layout": look}


def _frames(numbers: Any, *, lower: bool) -> list[dict[str, Any]]:
    """Return frames around the best number of each column."""
    worst = np.inf if lower else -np.inf
    filled = np.where(np.isfinite(numbers), numbers, worst)
    best = np.argmin(filled, axis=0) if lower else np.argmax(filled, axis=0)
    line = {"color": "#D55E00", "width": 3}
    return [
        {
            "type": "rect",
            "x0": column - 0.48,
            "x1": column + 0.48,
            "y0": int(row) - 0.46,
            "y1": int(row) + 0.46,
            "line": line,
        }
        for column, row in enumerate(best)
        if np.isfinite(numbers[row, column]) and len(numbers) > 1
    ]
