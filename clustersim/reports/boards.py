"""Boards: charts and the controls that they share, as HTML with the figures as JSON.

Figures come in as plain mappings in plotly's format, https://plotly.com/javascript/reference. `page.js` finds each
board, draws the figure of each chart that the controls choose, and follows what the reader does.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from clustersim.reports.markup import text

__all__ = ["LEGEND", "Board", "Chart", "Control", "Plotly", "array", "label_text", "layout"]

Plotly = dict[str, Any]
"""A figure, a trace or a layout in plotly's format."""

LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0.0, "xanchor": "left"}
"""The place of a legend: above the chart."""

_INK, _GRID = "#333333", "#E3E6EA"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Control:
    """A drop-down list.

    Attributes
    ----------
    name : str
        Its name, unique in the page: letters and dashes.
    label : str
        What it chooses.
    options : tuple of str
        The labels of the options. With a single one, the control is not shown.
    """

    name: str
    label: str
    options: tuple[str, ...]

    def html(self) -> str:
        """Return the control as HTML."""
        options = "".join(f'<option value="{n}">{text(option)}</option>' for n, option in enumerate(self.options))
        hidden = " hidden" if len(self.options) < 2 else ""
        return (
            f'<label{hidden}>{text(self.label)} <select id="{self.name}" autocomplete="off">{options}</select></label>'
        )


@dataclass(frozen=True)
class Chart:
    """A place for a figure, and the figures to choose from.

    Attributes
    ----------
    name : str
        The id of the place, unique in the page: letters and dashes.
    title : str
        The heading.
    about : str
        What it shows, for readers who cannot see it.
    controls : tuple of str
        The names of the controls that choose the figure.
    figures : mapping of str to dict
        By the numbers of the chosen options, such as ``"0/2"``.
    """

    name: str
    title: str
    about: str
    controls: tuple[str, ...]
    figures: Mapping[str, Plotly]

    def html(self) -> str:
        """Return the empty place as HTML."""
        height = next(iter(self.figures.values()))["layout"]["height"]
        return (
            f'<figure class="chart"><figcaption><h3>{text(self.title)}</h3></figcaption>'
            f'<div id="{self.name}" class="plot" role="img" aria-label="{text(self.about)}" '
            f'style="min-height:{height}px"></div></figure>'
        )


@dataclass(frozen=True)
class Board:
    """Charts with common controls.

    Attributes
    ----------
    name : str
        The id, unique in the page: letters and dashes.
    controls : tuple of Control
        The drop-down lists.
    charts : tuple of Chart
        The charts. Entries of their legends that have the same group are hidden together.
    scales : bool
        Whether there are buttons for linear and logarithmic axes.
    hidden : tuple of str
        The groups that are hidden at first.
    """

    name: str
    controls: tuple[Control, ...]
    charts: tuple[Chart, ...]
    scales: bool = False
    hidden: tuple[str, ...] = ()

    def html(self) -> str:
        """Return the board as HTML."""
        controls = "".join(control.html() for control in self.controls)
        if self.scales:
            controls += _scale(self.name, "y", "Vertical axis") + _scale(self.name, "x", "Horizontal axis")
        charts = "\n".join(chart.html() for chart in self.charts)
        shown = any(len(control.options) > 1 for control in self.controls) or self.scales
        bar = f'<div class="controls"{"" if shown else " hidden"}>{controls}</div>'
        return (
            f'<div class="board" id="{self.name}">{bar}\n<div class="charts">{charts}</div>\n'
            f'<script type="application/json">{self._json()}</script></div>'
        )

    def _json(self) -> str:
        """Return the figures as JSON in which no character ends a script element."""
        content = {
            "hidden": list(self.hidden),
            "charts": {
                chart.name: {"controls": list(chart.controls), "figures": dict(chart.figures)} for chart in self.charts
            },
        }
        return (
            json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e")
        )


def _scale(board: str, axis: str, label: str) -> str:
    """Return the buttons for the scale of an axis."""
    buttons = "".join(
        f'<button type="button" data-axis="{axis}" data-scale="{kind}" aria-pressed="false">{word}</button>'
        for kind, word in (("log", "logarithmic"), ("linear", "linear"))
    )
    return f'<span class="scale" role="group" aria-label="{label}" id="{board}-{axis}">{label} {buttons}</span>'


def layout(x: str, y: str, height: int = 430, **more: Any) -> Plotly:
    """Return a calm layout of a plotly figure.

    Parameters
    ----------
    x, y : str
        The titles of the axes, as HTML that plotly knows.
    height : int, default 430
        In pixels.
    **more
        Further parts of the layout; those of the axes are added to what is set here.
    """
    axis = {"gridcolor": _GRID, "linecolor": "#9AA0A6", "zeroline": False, "automargin": True, "ticks": "outside"}
    axis |= {"tickcolor": "#9AA0A6", "exponentformat": "power"}
    return {
        "height": height, "paper_bgcolor": "#FFFFFF", "plot_bgcolor": "#FFFFFF",
        "font": {"family": _FONT, "size": 13, "color": _INK}, "hoverlabel": {"namelength": -1},
        "modebar": {"bgcolor": "rgba(255,255,255,0.85)"},
        "margin": {"l": 60, "r": 16, "t": 12, "b": 52}, **more,
        "xaxis": {**axis, "title": {"text": x}, **more.get("xaxis", {})},
        "yaxis": {**axis, "title": {"text": y}, **more.get("yaxis", {})},
    }  # fmt: skip


def array(values: Any) -> dict[str, str]:
    """Return numbers as plotly's typed array: bytes as text, in single precision unless they are too large for it.

    Examples
    --------
    >>> array([1.0, 2.0])
    {'dtype': 'f4', 'bdata': 'AACAPwAAAEA='}
    """
    numbers = np.asarray(values, dtype="<f8")
    known = np.abs(numbers[np.isfinite(numbers) & (numbers != 0.0)])
    fits = not known.size or (known.max() < 1e37 and known.min() > 1e-37)
    packed = np.ascontiguousarray(numbers.astype("<f4") if fits else numbers)
    shape = {"shape": ", ".join(map(str, packed.shape))} if packed.ndim > 1 else {}
    return {"dtype": "f4" if fits else "f8", "bdata": base64.b64encode(packed.tobytes()).decode(), **shape}


def label_text(label: str) -> str:
    """Return a label for plotly, which would take tags in it as markup."""
    return escape(label)
