"""Plots that one would publish: error against time and communication, k against time, one colour a policy.

Every figure has one panel a variant and draws the mean over the replications with its 95 % confidence band (see
`clustersim.studies.results.Results.on_grid`). Data flows in as `Results`, and out as matplotlib figures and as picture
files. No figure touches pyplot's global state, and the same results give the same bytes.

The adaptive-k paper (Kas Hanna et al. 2022) counts from the workers' side: its "download" is our uplink (worker to
master), its "upload" our downlink (master to worker). Its Fig. 4 and 6 are ``uplink`` and ``communication`` here.
"""

import io
import math
import reprlib
import textwrap
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator

from clustersim.checks import choice
from clustersim.errors import ConfigurationError
from clustersim.studies import Results
from clustersim.studies.files import slug, write_atomically
from clustersim.studies.origin import tell
from clustersim.studies.signals import Stopped

__all__ = ["Format", "draw", "draw_own", "figure", "overview", "picture", "save", "standard_figures"]


class Format(StrEnum):
    """Kinds of picture files."""

    PNG = "png"
    PDF = "pdf"
    SVG = "svg"


COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")  # after Okabe and Ito
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
LABELS = {
    "time": "wall-clock time (s)",
    "update": "update",
    "error": r"error $F(w) - F^*$",
    "loss": "loss (mean over the training rows)",
    "distance": r"distance $\|w - w^*\|_2$",
    "test_auc": "AUC on the test rows",
    "k": "k (mean over replications)",
    "uplink_messages": "uplink messages",
    "messages": "uplink + downlink messages",
    "uplink_vectors": r"uplink (vectors of $\mathbb{R}^d$)",
    "vectors": r"uplink + downlink (vectors of $\mathbb{R}^d$)",
    "compute_wasted": "compute time wasted (worker-seconds)",
}
SHARES = ("accuracy", "auc")  # endings of the names of metrics between 0 and 1
MOST_OVERVIEWS = 6
_STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.labelsize": 9, "axes.titlesize": 10, "legend.fontsize": 8.5,
    "axes.grid": True, "grid.alpha": 0.3, "grid.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "svg.hashsalt": "clustersim", "pdf.fonttype": 42,
}  # fmt: skip


def figure(results: Results, y: str | None = None, x: str = "time") -> Figure:
    """Draw one column of the history against another, one panel a variant.

    Parameters
    ----------
    results : Results
        The runs.
    y : str, optional
        What to draw; the study's metric if not given.
    x : str, default "time"
        Against what: ``time`` (s), ``uplink_vectors`` (adaptive-k's paper: "download") or ``vectors``, uplink and
        downlink together (its "upload" is our downlink).

    Returns
    -------
    Figure

    Raises
    ------
    ConfigurationError
        If there is no such column.

    Examples
    --------
    >>> rows = {"variant": "", "policy": "a", "replication": [0, 0, 1, 1], "time": [0.0, 2.0, 0.0, 4.0],
    ...         "error": [8.0, 2.0, 8.0, 0.5]}
    >>> drawn = figure(Results("demo", pd.DataFrame(rows), pd.DataFrame(), ("a",)))
    >>> drawn.axes[0].get_xlabel(), drawn.axes[0].get_yscale()
    ('wall-clock time (s)', 'log')
    """
    y = y or results.metric
    band = _band(results, y, x)
    variants = [variant for variant in results.variants if (band["variant"] == variant).any()]
    columns = 2 if len(variants) == 4 else min(len(variants), 3)
    rows = math.ceil(len(variants) / columns)
    with mpl.rc_context(_STYLE):
        size = (6.4, 4.6) if len(variants) == 1 else (1.0 + 3.6 * columns, 1.3 + 3.1 * rows)
        sheet = Figure(figsize=size, layout="constrained")
        panels = sheet.subplots(rows, columns, squeeze=False).flat
        for variant, panel in zip(variants, panels, strict=False):
            _panel(panel, results, band[band["variant"] == variant], x, y)
            panel.set_title(variant, parse_math=False)
        for panel in list(sheet.axes)[len(variants) :]:
            panel.remove()
        _frame(sheet, results, _drawn_policies(results, variants))
    return sheet


def overview(results: Results, variant: str = "") -> Figure:
    """Four panels: the metric against time, uplink and total communication, and k (or another metric) against time.

    Parameters
    ----------
    results : Results
        The runs.
    variant : str, default ""
        Which variant.

    Returns
    -------
    Figure
    """
    metric = results.metric
    pairs = [("time", metric), ("uplink_vectors", metric), ("vectors", metric), ("time", _fourth(results))]
    with mpl.rc_context(_STYLE):
        sheet = Figure(figsize=(9.6, 7.4), layout="constrained")
        for panel, (x, y) in zip(sheet.subplots(2, 2).flat, pairs, strict=True):
            band = _band(results, y, x)
            _panel(panel, results, band[band["variant"] == variant], x, y)
        _frame(sheet, results, _drawn_policies(results, [variant]), variant)
    return sheet


def standard_figures(results: Results) -> dict[str, Callable[[], Figure]]:
    """The figures that every study gets, by file name, each drawn when called.

    Each variant has an overview, unless there are more than six of them: then the panels of the others have to do.
    """
    metric = results.metric
    pairs = [(metric, "time", "time"), (metric, "uplink_vectors", "uplink"), (metric, "vectors", "communication")]
    others = [name for name in results.metrics if name != metric]
    if _k_changes(results):
        others.insert(0, "k")
    pairs += [(name, "time", "time") for name in others]
    figures: dict[str, Callable[[], Figure]] = {}
    variants = list(dict.fromkeys(variant for variant, _, _ in results.series()))
    for variant in variants if len(variants) <= MOST_OVERVIEWS else ():
        name = f"overview-{slug(variant)}" if variant else "overview"
        figures[name] = partial(overview, results, variant)
    for y, x, word in pairs:
        figures[f"{slug(y)}-vs-{word}"] = partial(figure, results, y, x)
    return figures


def picture(sheet: Figure, kind: str = "png") -> bytes:
    """A figure as the bytes of a picture file: PNG at 160 dots an inch, PDF or SVG; without dates.

    Raises
    ------
    ConfigurationError
        If the kind is unknown.
    """
    choice("format", str(kind), tuple(Format))
    dated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}[kind]
    sink = io.BytesIO()
    with mpl.rc_context(_STYLE):
        sheet.savefig(sink, format=kind, dpi=160, metadata=dated)
    return sink.getvalue()


def save(sheet: Figure, path: Path) -> Path:
    """Write a figure to a file whose ending says the format; the file is complete or not there."""
    write_atomically(path, picture(sheet, path.suffix.lstrip(".")))
    return path


def draw(
    results: Results,
    folder: Path,
    kind: str = "png",
    extra: Mapping[str, Callable[[Results], Figure]] | None = None,
) -> list[Path]:
    """Draw and write the standard figures and a study's own.

    Parameters
    ----------
    results : Results
        The runs.
    folder : Path
        Where the pictures go.
    kind : {"png", "pdf", "svg"}
        The format.
    extra : mapping of str to callable, optional
        The study's own figures by file name, drawn from the results.

    Returns
    -------
    list of Path
        The files, in the order in which they were drawn.
    """
    choice("format", str(kind), tuple(Format))
    paths = [save(make(), folder / f"{name}.{kind}") for name, make in standard_figures(results).items()]
    return paths + [draw_own(results, folder, name, own, kind) for name, own in (extra or {}).items()]


def draw_own(results: Results, folder: Path, name: str, own: Callable[[Results], Figure], kind: str = "png") -> Path:
    """Draw and write one of a study's own figures.

    Raises
    ------
    ConfigurationError
        If the function fails or returns no figure; the message names it.
    """
    stem = name[: -len(Path(name).suffix)] if Path(name).suffix.lstrip(".") in tuple(Format) else name
    path = folder / f"{slug(stem)}.{kind}"
    try:
        sheet: Any = own(results)
        if not isinstance(sheet, Figure):
            raise ConfigurationError(f"it returned {reprlib.repr(sheet)}; expected a matplotlib Figure")
        content = picture(sheet, kind)
    except Stopped:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"figure {name!r} failed: {tell(error)}") from error
    write_atomically(path, content)
    return path


def _band(results: Results, y: str, x: str) -> pd.DataFrame:
    """Means and bands; a band of k does not leave the values that the policy gives it, one of a share 0 to 1."""
    band = results.on_grid(y, over=x)
    if y == "k":
        ks = results.frame.groupby(["variant", "policy"])["k"].agg(["min", "max"])
        own = ks.loc[pd.MultiIndex.from_frame(band[["variant", "policy"]])].to_numpy(dtype=np.float64).T
        for end in ("low", "high"):
            band[end] = band[end].clip(own[0], own[1])
    elif y.endswith(SHARES):
        band[["low", "high"]] = band[["low", "high"]].clip(0.0, 1.0)
    return band


def _panel(panel: Axes, results: Results, band: pd.DataFrame, x: str, y: str) -> None:
    """Draw the curves of one variant; k is constant between two of its values."""
    for policy, curve in band.groupby("policy", sort=False):
        look = _look(results, str(policy))
        panel.plot(curve[x], curve["mean"], drawstyle="steps-post" if y == "k" else "default", **look)
        if curve["low"].notna().any():
            shade = {"color": look["color"], "alpha": 0.18, "linewidth": 0.0, "zorder": 1}
            panel.fill_between(curve[x], curve["low"], curve["high"], step="post" if y == "k" else None, **shade)
    panel.set_xlabel(_label(x))
    panel.set_ylabel(_label(y))
    panel.set_xlim(left=0.0)
    log = results.on_log_scale(y) and band["mean"].max() > 3.0 * band["mean"].min()
    if log:
        panel.set_yscale("log")
        panel.yaxis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(1.7, 0.5)))
    panel.set_ylim(*_limits(band, log))
    if y == "k":
        panel.set_ylim(bottom=0.0)
        panel.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def _limits(band: pd.DataFrame, log: bool) -> tuple[float, float]:
    """Ends of the y-axis: room for all curves and for most bands; those of two replications can be very wide."""
    curves, low, high = (np.log(band[name]) if log else band[name] for name in ("mean", "low", "high"))
    bottom, top = float(curves.min()), float(curves.max())
    room = 0.3 * (top - bottom) or max(0.05 * abs(top), 0.05)
    edge = 0.15 * room
    ends = (
        max(np.nanmin([bottom, low.min()]), bottom - room) - edge,
        min(np.nanmax([top, high.max()]), top + room) + edge,
    )
    return (math.exp(ends[0]), math.exp(ends[1])) if log else ends


def _look(results: Results, policy: str) -> dict[str, Any]:
    """Colour, dashes and width of a policy, the same in every panel and figure.

    The later a curve is drawn, the thinner, so that it does not hide an earlier one with which it coincides.
    """
    place = results.policies.index(policy)
    width = 2.2 - 0.8 * place / max(1, len(results.policies) - 1)
    dashes = DASHES[(place // len(COLOURS)) % len(DASHES)]
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": dashes, "linewidth": width}


def _drawn_policies(results: Results, variants: list[str]) -> list[str]:
    drawn = {policy for variant, policy, _ in results.series() if variant in variants}
    return [policy for policy in results.policies if policy in drawn]


def _frame(sheet: Figure, results: Results, policies: list[str], variant: str = "") -> None:
    """Legend above the panels, where it covers no curve; what the band is and the notes below them."""
    handles = [Line2D([], [], **_look(results, policy)) for policy in policies]
    title = results.name + (f": {variant}" if variant else "")
    most = max(1, int(sheet.get_figwidth() * 12) // (7 + max(map(len, policies))))
    columns = math.ceil(len(policies) / math.ceil(len(policies) / most))
    labels = [f" {policy}" if policy.startswith("_") else policy for policy in policies]  # "_" would hide the entry
    legend = sheet.legend(handles, labels, loc="outside upper center", ncols=columns, title=title, frameon=False)
    legend.get_title().set_fontweight("bold")
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)  # a dollar in a name is a dollar
    runs = results.frame["replication"].nunique()
    about = f"Mean and 95 % confidence band over {runs} replications." if runs > 1 else "One replication."
    width = int(sheet.get_figwidth() * 17)
    lines = [line for part in (about, *results.notes.splitlines()) for line in textwrap.wrap(part, width) or [""]]
    sheet.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7.5, color="#444444", parse_math=False)


def _label(column: str) -> str:
    return LABELS.get(column, column.replace("_", " "))


def _fourth(results: Results) -> str:
    """What the overview shows last: k if some policy changes it, else another metric, if there is one."""
    others = [name for name in results.metrics if name not in (results.metric, "loss", "error")]
    return "k" if _k_changes(results) or not others else others[0]


def _k_changes(results: Results) -> bool:
    """Whether some policy changes the number of workers for which it waits; a picture of flat lines says nothing."""
    return bool(results.frame.groupby(["variant", "policy", "replication"])["k"].nunique().max() > 1)
