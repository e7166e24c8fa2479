"""Panels: the curves and bands of one variant each, also if values are infinite, huge or missing.

`Results` come in. The curves go out to matplotlib axes, and a `Panel` says what each panel shows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator

from clustersim.errors import ConfigurationError
from clustersim.plots.style import LABELS, label, look, shortened
from clustersim.studies import Results

__all__ = ["Panel", "averaged", "axis_limits", "bands", "clip_to_axis", "draw_panels"]

SHARES = ("accuracy", "auc")  # endings of the names of metrics between 0 and 1
LARGEST, SMALLEST = 1e150, 1e-150  # far from overflow, because matplotlib computes ticks far outside the axes


class Panel(NamedTuple):
    """A description of what a panel shows.

    Attributes
    ----------
    column : str
        The column that is drawn, in words.
    kind : str
        The kind of average, in words; empty if nothing is drawn.
    absent : tuple of str
        Policies that have runs, but no value that can be drawn.
    infinite : bool
        Whether some values are too large to be drawn.
    cut : bool
        Whether a band reaches below the least value that a logarithmic axis can show.
    banded : bool
        Whether there is a band.
    """

    column: str
    kind: str = ""
    absent: tuple[str, ...] = ()
    infinite: bool = False
    cut: bool = False
    banded: bool = False


def averaged(results: Results, y: str, average: str) -> str:
    """Return the kind of average to draw: `average`, or the default one if there is no geometric mean."""
    try:
        return results.average(y, average)
    except ConfigurationError:
        if average != "geometric":
            raise
        return results.average(y)


def draw_panels(
    panels: Sequence[Axes], results: Results, variants: Sequence[str], x: str, y: str, average: str
) -> list[Panel]:
    """Draw the curves of each variant in a panel of its own; surplus panels are left alone."""
    words = shortened(y.replace("_", " "), 60)
    for panel, _ in zip(panels, variants, strict=False):
        panel.set_xlabel(label(x), parse_math=x in LABELS)
        panel.set_ylabel(label(y), parse_math=y in LABELS)
    missing = [shortened(column, 60) for column in (y, x) if not results.has(column)]
    if missing or results.frame.empty:
        why = f"no column {missing[0]}" if len(results.frame) else "no finished runs"
        return [_left_empty(panel, words, why) for panel, _ in zip(panels, variants, strict=False)]
    band = bands(results, y, x, averaged(results, y, average))
    parts = (band[band["variant"] == variant].copy() for variant in variants)
    return [_draw_panel(panel, results, part, x, y) for panel, part in zip(panels, parts, strict=False)]


def _draw_panel(panel: Axes, results: Results, band: pd.DataFrame, x: str, y: str) -> Panel:
    """Draw the curves of one variant."""
    words, seen = shortened(y.replace("_", " "), 60), band["mean"].abs() <= LARGEST
    shown, infinite = band["mean"][seen], bool((band["mean"].abs() > LARGEST).any())
    if shown.empty:
        why = f"no finite values of {words}" if len(band) else "no finished runs"
        return _left_empty(panel, words, why)._replace(infinite=infinite)
    average = str(band["average"].iloc[0])
    if band["replications"].max() > 1:
        panel.set_ylabel(label(y, average))
    absent = tuple(str(p) for p, drawn in seen.groupby(band["policy"], sort=False) if not drawn.any())
    log = results.on_log_scale(y) and bool(shown.max() > 3.0 * shown.min())
    cut, banded = bool(log and (band["low"] < SMALLEST).any()), bool(band["low"].notna().any())
    positive = results.values(y)[results.values(y) > 0.0]
    clip_to_axis(band, float(positive.min()) if log else None)
    _curves(panel, results, band, x, y)
    _scales(panel, band, y, log=log)
    return Panel(words, f"{average}{'' if average == 'median' else ' mean'}", absent, infinite, cut, banded)


def _left_empty(panel: Axes, words: str, why: str) -> Panel:
    """Write into an empty panel why it is empty."""
    panel.text(0.5, 0.5, why, transform=panel.transAxes, ha="center", va="center", color="#666666", parse_math=False)
    panel.set_xticks([])
    panel.set_yticks([])
    return Panel(words)


def bands(results: Results, y: str, x: str, average: str, points: int = 400) -> pd.DataFrame:
    """Compute means and bands; bands of k stay within the values of the policy, bands of shares within 0 to 1."""
    band = results.on_grid(y, over=x, average=average, points=points)
    if y == "k":
        ks = results.frame.groupby(["variant", "policy"])["k"].agg(["min", "max"])
        own = ks.loc[pd.MultiIndex.from_frame(band[["variant", "policy"]])].to_numpy(dtype=np.float64).T
        for end in ("low", "high"):
            band[end] = band[end].clip(own[0], own[1])
    elif y.endswith(SHARES):
        band[["low", "high"]] = band[["low", "high"]].clip(0.0, 1.0)
    return band


def clip_to_axis(band: pd.DataFrame, floor: float | None) -> None:
    """Leave out means that are too large, and clip bands to the range that an axis can show.

    A `floor` means a logarithmic axis. It is the smallest positive value of the column, and zeros count as that value.
    """
    band.loc[band["mean"].abs() > LARGEST, ["mean", "low", "high"]] = np.nan
    least = -LARGEST if floor is None else SMALLEST
    band[["mean", "low", "high"]] = band[["mean", "low", "high"]].clip(least, LARGEST)
    if floor is not None:
        band["mean"] = band["mean"].clip(lower=max(floor, SMALLEST))


def _curves(panel: Axes, results: Results, band: pd.DataFrame, x: str, y: str) -> None:
    """Draw curves and bands; k is drawn in steps, and a single point as a dot with a bar."""
    for policy, curve in band[band[x].abs() <= LARGEST].groupby("policy", sort=False):
        style = look(results, str(policy))
        single = curve["mean"].notna().sum() == 1
        style |= {"drawstyle": "steps-post" if y == "k" else "default", "marker": "o" if single else ""}
        panel.plot(curve[x], curve["mean"], label=str(policy), clip_on=not single, **style)
        if single:
            panel.vlines(curve[x], curve["low"], curve["high"], color=style["color"], alpha=0.5)
        elif curve["low"].notna().any():
            shade = {"color": style["color"], "alpha": 0.18, "linewidth": 0.0, "zorder": 1}
            panel.fill_between(curve[x], curve["low"], curve["high"], step="post" if y == "k" else None, **shade)


def _scales(panel: Axes, band: pd.DataFrame, y: str, *, log: bool) -> None:
    """Set the scales, limits and ticks of both axes."""
    panel.set_xlim(left=0.0)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    if log:
        panel.set_yscale("log")
        panel.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(1.7, 0.5)))
    panel.set_ylim(*axis_limits(band, log=log))
    if y == "k":
        panel.set_ylim(0.0, 1.05 * panel.get_ylim()[1])
        panel.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def axis_limits(band: pd.DataFrame, *, log: bool) -> tuple[float, float]:
    """Compute the ends of the y-axis: they include all curves, but not very wide bands, as of two replications."""
    curves, low, high = (np.log10(band[name]) if log else band[name] for name in ("mean", "low", "high"))
    bottom, top = float(curves.min()), float(curves.max())
    room = 0.3 * (top - bottom)
    if room <= 1e-9 * max(abs(top), abs(bottom)):
        room = max(0.05 * abs(top), 0.05)
    edge = 0.15 * room
    ends = (
        max(np.nanmin([bottom, low.min()]), bottom - room) - edge,
        min(np.nanmax([top, high.max()]), top + room) + edge,
    )
    return (10.0 ** max(ends[0], -220.0), 10.0 ** min(ends[1], 220.0)) if log else ends
