"""Panels: the curves and bands of one variant each, also if values are infinite, huge or missing.

`Results` come in. The curves go out to matplotlib axes, and a `Panel` says what each panel shows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from clustersim.errors import ConfigurationError
from clustersim.plots.axes import LABELLED, LARGEST, PLAIN, SMALLEST, Unit, label, logarithmic, ticked
from clustersim.plots.style import Look, curve_style, shortened
from clustersim.studies import Results

__all__ = ["Panel", "averaged", "axis_limits", "bands", "clip_to_axis", "draw_panels"]

SHARES = ("accuracy", "auc")  # endings of the names of metrics between 0 and 1

MARKS = 8  # markers on a curve that is as long as the panel


class Pencil(NamedTuple):
    """What the panels of a figure have in common.

    Attributes
    ----------
    results : Results
        The results that are shown.
    x, y : str
        The columns of the axes.
    look : Look
        How they look.
    x_unit, y_unit : Unit
        What their ticks are counted in.
    """

    results: Results
    x: str
    y: str
    look: Look
    x_unit: Unit
    y_unit: Unit


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
    panels: Sequence[Axes],
    results: Results,
    variants: Sequence[str],
    x: str,
    y: str,
    average: str,
    look: Look | None = None,
) -> list[Panel]:
    """Draw the curves of each variant in a panel of its own; surplus panels are left alone."""
    look = look or Look()
    words = shortened(y.replace("_", " "), 60)
    for panel, _ in zip(panels, variants, strict=False):
        panel.set_xlabel(label(x), parse_math=x in LABELLED)
        panel.set_ylabel(label(y), parse_math=y in LABELLED)
    missing = [shortened(column, 60) for column in (y, x) if not results.has(column)]
    if missing or results.frame.empty:
        why = f"no column {missing[0]}" if len(results.frame) else "no finished runs"
        return [_left_empty(panel, words, why) for panel, _ in zip(panels, variants, strict=False)]
    band = bands(results, y, x, averaged(results, y, average))
    band = band[band["variant"].isin([*variants])]
    ends = (_largest(band[x]), _largest(band["mean"]))
    pencil = Pencil(results, x, y, look, Unit.of(ends[0]), Unit.of(ends[1]))
    parts = (band[band["variant"] == variant].copy() for variant in variants)
    return [_draw_panel(panel, pencil, part) for panel, part in zip(panels, parts, strict=False)]


def _largest(numbers: pd.Series) -> float:
    """Return the largest number that is drawn, without its sign."""
    sizes = numbers.abs()
    return float(sizes[sizes <= LARGEST].max())


def _draw_panel(panel: Axes, pencil: Pencil, band: pd.DataFrame) -> Panel:
    """Draw the curves of one variant."""
    results, x, y = pencil.results, pencil.x, pencil.y
    words, seen = shortened(y.replace("_", " "), 60), band["mean"].abs() <= LARGEST
    shown, infinite = band["mean"][seen], bool((band["mean"].abs() > LARGEST).any())
    if shown.empty:
        why = f"no finite values of {words}" if len(band) else "no finished runs"
        return _left_empty(panel, words, why)._replace(infinite=infinite)
    average = str(band["average"].iloc[0])
    absent = tuple(str(p) for p, drawn in seen.groupby(band["policy"], sort=False) if not drawn.any())
    log = results.on_log_scale(y) and bool(shown.max() > 3.0 * shown.min())
    panel.set_xlabel(label(x, unit=pencil.x_unit))
    panel.set_ylabel(label(y, average if band["replications"].max() > 1 else "", None if log else pencil.y_unit))
    cut, banded = bool(log and (band["low"] < SMALLEST).any()), bool(band["low"].notna().any())
    positive = results.values(y)[results.values(y) > 0.0]
    clip_to_axis(band, float(positive.min()) if log else None)
    _curves(panel, pencil, band)
    _scales(panel, pencil, band, log=log)
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


def _curves(panel: Axes, pencil: Pencil, band: pd.DataFrame) -> None:
    """Draw curves and bands; k is drawn in steps, and a single point as a marker with a bar."""
    x, steps = pencil.x, pencil.y == "k"
    groups = list(band[band[x].abs() <= LARGEST].groupby("policy", sort=False))
    for place, (policy, curve) in enumerate(groups):
        style = curve_style(pencil.results, str(policy), pencil.look)
        single = curve["mean"].notna().sum() == 1
        style |= {"drawstyle": "steps-post" if steps else "default"}
        every = None if single else _marked(curve, x, float(band[x].max()), (place + 0.5) / len(groups))
        panel.plot(curve[x], curve["mean"], label=str(policy), clip_on=not single, markevery=every, **style)
        if single:
            panel.vlines(curve[x], curve["low"], curve["high"], color=style["color"], alpha=0.5)
        elif curve["low"].notna().any():
            shade = {"color": style["color"], "alpha": 0.18, "linewidth": 0.0, "zorder": 1}
            panel.fill_between(curve[x], curve["low"], curve["high"], step="post" if steps else None, **shade)


def _marked(curve: pd.DataFrame, x: str, end: float, shift: float) -> list[int]:
    """Choose the points that get a marker: at equal distances, shifted, so that curves on each other can be told."""
    places = curve[x].to_numpy(dtype=np.float64)
    drawn = np.flatnonzero(np.isfinite(curve["mean"].to_numpy(dtype=np.float64)))
    if not drawn.size:
        return []
    wanted = (np.arange(MARKS) + shift) * end / MARKS
    wanted = wanted[(places[drawn[0]] <= wanted) & (wanted <= places[drawn[-1]])]
    if wanted.size < 2:
        wanted = np.linspace(places[drawn[0]], places[drawn[-1]], 4)[1:]
    nearest = np.searchsorted(places[drawn], wanted).clip(0, drawn.size - 1)
    return sorted({int(row) for row in drawn[nearest]})


def _scales(panel: Axes, pencil: Pencil, band: pd.DataFrame, *, log: bool) -> None:
    """Set the scales, limits and ticks of both axes."""
    few = panel.bbox.width < 2.2 * panel.figure.dpi
    panel.set_xlim(left=0.0)
    ticked(panel.xaxis, pencil.x_unit, 4 if few else 6)
    if log:
        panel.set_yscale("log")
        logarithmic(panel.yaxis)
    else:
        ticked(panel.yaxis, pencil.y_unit, 5 if few else 7)
    panel.set_ylim(*axis_limits(band, log=log))
    if pencil.y == "k":
        panel.set_ylim(0.0, 1.05 * panel.get_ylim()[1])
        ticked(panel.yaxis, pencil.y_unit, 5 if few else 9, whole=True)


def axis_limits(band: pd.DataFrame, *, log: bool) -> tuple[float, float]:
    """Compute the ends of the y-axis: they include all curves, but not very wide bands, as of two replications."""
    curves, low, high = (np.log10(band[name]) if log else band[name] for name in ("mean", "low", "high"))
    bottom, top = float(curves.min()), float(curves.max())
    room = 0.3 * (top - bottom)
    size = max(abs(top), abs(bottom))
    if room <= 1e-9 * size or size < SMALLEST:
        in_a_unit = not log and SMALLEST <= size < PLAIN
        room = max(0.05 * size, 0.0 if in_a_unit else 0.05)
    edge = 0.15 * room
    ends = (
        max(np.nanmin([bottom, low.min()]), bottom - room) - edge,
        min(np.nanmax([top, high.max()]), top + room) + edge,
    )
    return (10.0 ** max(ends[0], -220.0), 10.0 ** min(ends[1], 220.0)) if log else ends
