"""Drawing helpers that the scenarios share: bands, points with intervals, plain axes.

Axes of Matplotlib and intervals of `clustersim.studies.statistics` come in; nothing is returned, the axes are drawn on.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clustersim.studies.statistics import Interval


def tidy(*panels: Any, grid: str | None = "both") -> None:
    """Remove the top and right border of each panel and add a faint grid along "x", "y" or "both" axes, or none."""
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        if grid is not None:
            axes.grid(alpha=0.3, axis=grid)


def band(axes: Any, x: Any, values: Any, colour: str, style: str = "-", **look: Any) -> None:
    """Draw means as a line and their interval as a band.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    x : array_like, shape (P,)
        Places of the means.
    values : pandas.DataFrame or mapping
        The columns "mean", "low" and "high", each of shape (P,); `Interval._asdict` gives them too.
    colour : str
        Colour of line and band.
    style : str, default "-"
        Line and marker as in Matplotlib's format strings.
    **look
        Passed on to ``axes.plot``.
    """
    axes.plot(x, values["mean"], style, color=colour, **{"linewidth": 1.4, "markersize": 4} | look)
    axes.fill_between(x, values["low"], values["high"], color=colour, alpha=0.15, linewidth=0)


def points(axes: Any, x: Any, intervals: Sequence[Interval], colour: str, **look: Any) -> None:
    """Draw one marker for each mean, with its interval as an error bar; a single replication has no bar.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    x : sequence of float, length P
        Places of the means.
    intervals : sequence of Interval, length P
        Means and ends of the intervals, each a scalar.
    colour : str
        Colour of markers and bars.
    **look
        Passed on to ``axes.errorbar``.
    """
    mean, low, high = np.transpose(np.array(intervals, dtype=float))
    reach = np.nan_to_num([mean - low, high - mean])
    axes.errorbar(x, mean, reach, color=colour, **{"fmt": "o", "markersize": 5, "capsize": 2.5} | look)


def plain_log(axis: Any) -> None:
    """Label a logarithmic axis with plain decimal numbers."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter("{x:g}")


def legend_above(figure: Any, columns: int, **look: Any) -> None:
    """Put the legend of the first panel above the figure, with that many columns."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False, **look)
