"""The timeline of a run as a Gantt picture: a row for each worker, and the master's updates as vertical lines.

A `Run` with its message table flows in; a matplotlib figure flows out.
"""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from clustersim.checks import instance
from clustersim.engine import Run
from clustersim.engine.timeline import Timeline, whole_timeline
from clustersim.plots.style import STYLE

__all__ = ["timeline"]

MOST_ROWS, UPDATES = 60, 20
_WIDTH = 7.6  # inches
_TOP = -0.3  # the upper end of the top row
_UNFINISHED = "unfinished block"

# Colours after Okabe and Ito. Wasted work is pale and hatched, so that no colour need be told from another one. Edges
# are dark, so that a bar too narrow for its face is still seen.
_FATES: dict[str, dict[str, Any]] = {
    "used": {"facecolor": "#0072B2", "edgecolor": "#003E61"},
    "used late": {"facecolor": "#E69F00", "edgecolor": "#7A5400"},
    "in flight": {"facecolor": "#BBDDF2", "edgecolor": "#0072B2"},
    "discarded": {"facecolor": "#F9DCCB", "edgecolor": "#D55E00", "hatch": "////"},
    "cancelled": {"facecolor": "#EEEEEE", "edgecolor": "#777777", "hatch": "\\\\\\\\"},
    "lost": {"facecolor": "#CCCCCC", "edgecolor": "#000000", "hatch": "xxxx"},
    _UNFINISHED: {"facecolor": "#FFFFFF", "edgecolor": "#777777", "hatch": "...."},
}
_LINKS = {
    "receiving": {"facecolor": "#009E73", "edgecolor": "#00543D"},
    "sending": {"facecolor": "#CC79A7", "edgecolor": "#7D3A5E"},
}
_HEIGHTS = {"computing": (-0.24, 0.24), "receiving": (-0.42, -0.28), "sending": (0.28, 0.42)}  # in its row, downwards
_MARKS = {"cancelled": ("x", "#777777"), "lost": ("X", "#000000")}
_WORDS = {
    "used": "computing: used", "used late": "computing: used late", "in flight": "computing: open at the end",
    "discarded": "wasted: discarded", "cancelled": "wasted: cancelled", "lost": "wasted: lost",
    _UNFINISHED: "wasted: unfinished block", "receiving": "receiving (thin, above)", "sending": "sending (thin, below)",
}  # fmt: skip


def timeline(
    run: Run,
    updates: int | None = None,
    start: float | None = None,
    stop: float | None = None,
    workers: Sequence[int] | None = None,
) -> Figure:
    """Draw what each worker did, and when, and the updates of the master.

    A thick bar in the row of a worker is a task that it computes; its colour is the fate of the message. Wasted work is
    hatched: tasks that were cancelled, messages that were discarded or lost, and blocks that were cut short. A thin bar
    above it is a model on the downlink, a thin bar below it a message on the uplink. The worker is idle where there is
    no thick bar. Crosses are tasks that were cancelled before their work began, and models and messages that a link
    lost. A vertical line is an update.

    Parameters
    ----------
    run : Run
        Made with ``simulate(..., messages=True)``.
    updates : int, optional
        Draw the time from the start to this update: 20 by default, unless `start` or `stop` is given.
    start, stop : float, optional
        Draw the time from `start` to `stop`, in seconds; by default from the start and to the end of the run.
    workers : sequence of int, optional
        The workers, from top to bottom. By default all workers, or 60 of them, evenly spaced, if there are more; the
        text below the picture says so.

    Returns
    -------
    Figure

    Raises
    ------
    ConfigurationError
        If the run has no message table, or an argument is unusable.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=7),
    ...     cs.Cluster(workers=3, compute=cs.Exponential(mean=1.0)),
    ...     cs.FastestK(2),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=30),
    ...     messages=True,
    ... )
    >>> [text.get_text() for text in cs.plots.timeline(run, updates=5).axes[0].get_yticklabels()]
    ['updates', '0', '1', '2']
    """
    instance("run", run, Run, "a Run, as cs.simulate(..., messages=True) returns it")
    whole = whole_timeline(run)
    if updates is None and start is None and stop is None:
        updates = UPDATES
    shown = whole.part(updates, start, stop, _chosen(whole.size) if workers is None else workers)
    rows = len(shown.workers)
    height = rows * float(np.interp(rows, [10, MOST_ROWS], [0.3, 0.16]))
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(_WIDTH, 1.1 + height), layout="constrained")
        panel = sheet.subplots()
        _axes(panel, shown)
        handles = [*_bars(panel, shown), *_crosses(panel, shown), *_updates(panel, shown)]
        _frame(sheet, shown, handles, chosen=workers is None)
    return sheet


def _chosen(size: int) -> list[int]:
    """Choose the workers to show: all, or some that are evenly spaced, the first and the last among them."""
    return [round(place) for place in np.linspace(0, size - 1, min(size, MOST_ROWS)).tolist()]


def _axes(panel: Axes, shown: Timeline) -> None:
    """Set limits, ticks and labels: the updates in the top row, a worker in each of the others."""
    rows = len(shown.workers)
    margin = 0.01 * (shown.stop - shown.start) or 1.0
    panel.set_xlim(shown.start - margin * (shown.start > 0.0), shown.stop + margin)
    panel.set_ylim(rows + 0.6, _TOP)
    crowded = rows > 35
    every = 5 if crowded and shown.workers == tuple(range(rows)) else 1
    panel.set_yticks([0, *range(1, rows + 1, every)], ["updates", *map(str, shown.workers[::every])])
    panel.tick_params(axis="y", length=0.0, labelsize=7.0 if crowded and every == 1 else None)
    panel.set_xlabel("wall-clock time (s)")
    panel.set_ylabel("worker")
    panel.grid(visible=False)
    for row in range(1, rows + 1):
        panel.axhspan(row - 0.45, row + 0.45, color="#F5F5F5", linewidth=0.0, zorder=0)


def _bars(panel: Axes, shown: Timeline) -> Iterator[Patch]:
    """Draw the segments, those of one look at once; yield a patch for the legend for each look that occurs."""
    segments = shown.segments
    row_of = pd.Series(range(1, len(shown.workers) + 1), index=list(shown.workers))
    looks = segments["part"].mask(segments["part"] == "computing", segments["status"])
    unfinished = segments["wasted"] & segments["status"].isin(["used", "used late", "in flight"])
    looks = looks.mask(unfinished, _UNFINISHED)
    for name, look in {"receiving": _LINKS["receiving"], **_FATES, "sending": _LINKS["sending"]}.items():
        chosen = segments[looks == name]
        if not len(chosen):
            continue
        low, high = _HEIGHTS.get(name, _HEIGHTS["computing"])
        style = {"linewidth": 0.5, **look}
        corners = _corners(chosen["start"], chosen["stop"], row_of[chosen["worker"]].to_numpy(), low, high)
        panel.add_collection(PolyCollection(corners, zorder=2, **style), autolim=False)
        yield Patch(label=_WORDS[name], **style)


def _corners(start: Any, stop: Any, row: Any, low: float, high: float) -> Any:
    """Return the corners of a bar for each segment, shape (bars, 4, 2)."""
    x = np.stack([start, stop, stop, start], axis=1)
    y = np.stack([row + low, row + low, row + high, row + high], axis=1)
    return np.stack([x, y], axis=2)


def _crosses(panel: Axes, shown: Timeline) -> Iterator[Line2D]:
    """Draw the messages that met their fate without any work on them, or got lost."""
    row_of = pd.Series(range(1, len(shown.workers) + 1), index=list(shown.workers))
    labels = {"cancelled": "cancelled before its work began", "lost": "lost on a link"}
    for status, (marker, colour) in _MARKS.items():
        chosen = shown.marks[shown.marks["status"] == status]
        if len(chosen):
            style: dict[str, Any] = {"marker": marker, "color": colour, "markersize": 4.0, "linestyle": "none"}
            middle = chosen["part"].map({part: sum(ends) / 2.0 for part, ends in _HEIGHTS.items()})
            rows = row_of[chosen["worker"]].to_numpy() + middle.to_numpy()
            panel.plot(chosen["time"], rows, zorder=4, markeredgewidth=0.8, **style)
            yield Line2D([], [], label=labels[status], **style)


def _updates(panel: Axes, shown: Timeline) -> Iterator[Line2D]:
    """Draw the updates as lines across all rows, with a mark in the top row and, where there is room, a number."""
    times, numbers = shown.updates["time"].to_numpy(), shown.updates["update"].tolist()
    if not numbers:
        return
    style: dict[str, Any] = {"color": "black", "linewidth": 0.7 if len(numbers) <= 60 else 0.3}
    panel.vlines(times, -0.05, len(shown.workers) + 0.6, zorder=3, alpha=0.7, **style)
    panel.plot(times, np.zeros(len(times)), marker="v", markersize=3.5, linestyle="none", color="black", zorder=3)
    room, last = 0.028 * (shown.stop - shown.start), -np.inf
    for number, time in zip(numbers, times.tolist(), strict=True):
        if time - last >= room:
            panel.annotate(
                str(number), (time, _TOP), (0, 1.5), textcoords="offset points", ha="center", va="bottom", fontsize=6.5,
                annotation_clip=False,
            )  # fmt: skip
            last = time
    yield Line2D([], [], label="update", marker="v", markersize=3.5, **style)


def _frame(sheet: Figure, shown: Timeline, handles: list[Any], *, chosen: bool) -> None:
    """Add the legend above the picture, where it covers nothing, and the remarks below it."""
    entries = len(handles)
    columns = 4 if entries > 3 else max(1, entries)
    lines = [line for remark in _remarks(shown, chosen=chosen) for line in textwrap.wrap(remark, int(_WIDTH * 17))]
    sheet.legend(handles=handles, loc="outside upper center", ncols=columns, frameon=False, fontsize=7.5)
    if lines:
        sheet.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7.5, color="#444444")
    sheet.set_figheight(sheet.get_figheight() + 0.17 * -(-entries // columns) + 0.13 * len(lines))


def _remarks(shown: Timeline, *, chosen: bool) -> list[str]:
    """Make remarks on what the picture does not show."""
    remarks = []
    if len(shown.workers) < shown.size:
        spaced = ", evenly spaced" if chosen else ""
        remarks.append(f"{len(shown.workers)} of {shown.size} workers are shown{spaced}.")
    if not shown.exact:
        remarks.append(
            "The times of updates were not recorded: an update is drawn when its model was first sent to a worker, "
            "and not at all if it never was."
        )
    return remarks
