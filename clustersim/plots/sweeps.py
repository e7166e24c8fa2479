"""Figures of a sweep: `heatmap` over two swept parameters, and `lines` over one.

Numbers come from `clustersim.studies.summaries`, as for `Results.pivot`; matplotlib figures go out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from clustersim.errors import ConfigurationError
from clustersim.plots.axes import Unit, label, logarithmic, ticked
from clustersim.plots.style import Look, curve_style, shortened, style_at
from clustersim.studies import Results
from clustersim.studies.results import lower_is_better
from clustersim.studies.summaries import laid_out, summary

__all__ = ["heatmap", "lines"]

_MOST_LINES = 12
_LEAST_POINTS = 5.5


def heatmap(
    results: Results,
    x: str,
    y: str = "policy",
    value: str | None = None,
    *,
    where: Mapping[str, Any] | None = None,
    target: float | None = None,
    best: str | None = "y",
    width: float | None = None,
    style: str | Iterable[str] = "colour",
) -> Figure:
    """Draw one number for each place of a sweep as a colour, and mark the best place of each column.

    Parameters
    ----------
    results : Results
        The results of a study with a sweep, see `clustersim.grid`.
    x, y : str
        The axes: the name of a swept parameter, or ``"policy"``.
    value, where, target
        As for `Results.pivot`.
    best : {"x", "y", None}, default "y"
        Along which axis the best number is marked: ``"y"`` marks the best y for each x.
    width, style
        As for `figure`. Numbers are left out where there is no room for them.

    Returns
    -------
    Figure

    Raises
    ------
    ConfigurationError
        As for `Results.pivot`, or if there is no number to show. If no target is reached anywhere, dashes say so.

    Examples
    --------
    >>> import clustersim as cs
    >>> def build(workers):
    ...     return {"cluster": cs.Cluster(workers, cs.Exponential(1.0))}
    >>> study = cs.Study(
    ...     name="demo", problem=cs.TimingOnly(rows=80, dimension=10), cluster=cs.Cluster(8, cs.Constant(1.0)),
    ...     policies={"all": cs.FullSync(), "half": cs.FastestK(2)}, optimizer=cs.SGD(1.0), metric="update",
    ...     until=cs.Until(updates=10), variants=cs.grid(build, workers=[4, 8]), replications=2,
    ... )
    >>> cs.plots.heatmap(study.run(), x="workers", value="time").axes[0].get_xlabel()
    'workers'
    """
    if best not in ("x", "y", None):
        raise ConfigurationError(f"best = {best!r}: expected 'x', 'y' or None")
    table = results.pivot(y, x, value, where=where, target=target)
    numbers = table.to_numpy(dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size and target is None:
        raise ConfigurationError(f"value = {value or results.metric!r}: there is no finite number to show")
    lower = target is not None or lower_is_better(value or results.metric)
    look = Look.of(width, style=style)
    colours = str(look.settings.get("image.cmap", "viridis")) + ("_r" if lower else "")
    with mpl.rc_context(look.settings | {"axes.grid": False}):
        figure = Figure(figsize=_map_size(table, width), layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(numbers, aspect="auto", origin="lower", norm=_norm(finite), cmap=colours)
        _ticks(axes, table, x, y)
        marked = _best_places(numbers, best, lower=lower)
        _write(axes, image, numbers, marked, _texts(numbers, len(table.columns), width))
        if finite.size:
            figure.colorbar(image, ax=axes, label=_value_label(results, value, target))
        reached = target is None or bool(np.isfinite(numbers).all())
        _say_below(figure, look, [_fixed(where), _remark(x, y, best if finite.size else None, reached=reached)])
    return figure


def lines(
    results: Results,
    x: str,
    value: str | None = None,
    *,
    by: str = "policy",
    where: Mapping[str, Any] | None = None,
    target: float | None = None,
    width: float | None = None,
    style: str | Iterable[str] = "colour",
) -> Figure:
    """Draw one number against a swept parameter, with a line and 95 % intervals for each policy.

    Parameters
    ----------
    results : Results
        The results of a study with a sweep, see `clustersim.grid`.
    x : str
        The name of a swept parameter.
    value, where, target
        As for `Results.pivot`.
    by : str, default "policy"
        What the lines stand for: ``"policy"``, or the name of another swept parameter.
    width, style
        As for `figure`.

    Returns
    -------
    Figure

    Raises
    ------
    ConfigurationError
        As for `Results.pivot`, or if there would be more than twelve lines.

    Examples
    --------
    >>> import clustersim as cs
    >>> def build(workers):
    ...     return {"cluster": cs.Cluster(workers, cs.Exponential(1.0))}
    >>> study = cs.Study(
    ...     name="demo", problem=cs.TimingOnly(rows=80, dimension=10), cluster=cs.Cluster(8, cs.Constant(1.0)),
    ...     policies={"all": cs.FullSync(), "half": cs.FastestK(2)}, optimizer=cs.SGD(1.0), metric="update",
    ...     until=cs.Until(updates=10), variants=cs.grid(build, workers=[4, 8]), replications=2,
    ... )
    >>> len(cs.plots.lines(study.run(), x="workers", value="time").axes[0].get_lines())
    2
    """
    table = laid_out(summary(results, value or results.metric, where=where, target=target), [x, by])
    groups = list(table.groupby(by, sort=False))
    if len(groups) > _MOST_LINES:
        raise ConfigurationError(
            f"by = {by!r}: that would be {len(groups)} lines, expected at most {_MOST_LINES}; choose with "
            f"where={{{by!r}: [...]}}, or draw a heatmap"
        )
    look = Look.of(width, style=style)
    numbers = table["value"].to_numpy(dtype=np.float64)
    with mpl.rc_context(look.settings):
        figure = Figure(figsize=(5.2, 3.4) if width is None else (width, 0.72 * width), layout="constrained")
        axes = figure.add_subplot()
        for place, (name, rows) in enumerate(groups):
            drawn = curve_style(results, str(name), look) if by == "policy" else style_at(place, len(groups), look)
            _line(axes, rows, x, shortened(str(name) if by == "policy" else f"{by} = {name}", 40), drawn)
        axes.set_xlabel(x.replace("_", " "), parse_math=False)
        unit = Unit.of(float(np.max(np.abs(numbers[np.isfinite(numbers)]), initial=0.0)))
        if _wide(numbers):
            axes.set_yscale("log")
            logarithmic(axes.yaxis)
        else:
            ticked(axes.yaxis, unit)
        axes.set_ylabel(_value_label(results, value, target, None if _wide(numbers) else unit))
        names = max(len(text) for text in axes.get_legend_handles_labels()[1])
        columns = max(1, int(figure.get_figwidth() * 94 / look.size("legend.font")) // (7 + names))
        figure.legend(loc="outside upper center", ncols=min(columns, len(groups)), frameon=False, handlelength=3.2)
        figure.set_figheight(figure.get_figheight() + 0.2 * -(-len(groups) // columns))
        _say_below(figure, look, [_fixed(where)])
    return figure


def _map_size(table: pd.DataFrame, width: float | None) -> tuple[float, float]:
    """Return width and height of a heat map, in inches."""
    if width is None:
        return 1.6 + 0.85 * len(table.columns), 1.6 + 0.42 * len(table)
    return width, min(1.2 * width, 1.0 + 0.25 * len(table))


def _texts(numbers: Any, columns: int, width: float | None) -> tuple[dict[tuple[int, ...], str], float]:
    """Return the numbers of a heat map as texts, and their size in points; empty texts if there is no room for them."""
    for digits in (3, 2):
        texts = {
            place: f"{float(f'{x:.{digits}g}'):g}" if np.isfinite(x) else "–" for place, x in np.ndenumerate(numbers)
        }
        if width is None:
            return texts, 8.0
        room = 0.62 * width * 72.0 / columns / (0.62 * (1 + max(map(len, texts.values()))))
        if room >= _LEAST_POINTS:
            return texts, min(7.0, room)
    return {place: text if text == "–" else "" for place, text in texts.items()}, _LEAST_POINTS


def _fixed(where: Mapping[str, Any] | None) -> str:
    """Return what is the same everywhere in a figure."""
    one = {name: value for name, value in (where or {}).items() if isinstance(value, str) or not np.iterable(value)}
    return ", ".join(f"{name}: {value}" if name == "policy" else f"{name} = {value}" for name, value in one.items())


def _say_below(figure: Figure, look: Look, parts: list[str]) -> None:
    """Write the remarks below a figure, one per line."""
    if lines := [shortened(part, int(figure.get_figwidth() * 15)) for part in parts if part]:
        figure.supxlabel("\n".join(lines), fontsize=look.size("figure.title"), parse_math=False)
        figure.set_figheight(figure.get_figheight() + 0.13 * len(lines))


def _remark(x: str, y: str, best: str | None, *, reached: bool) -> str:
    """Return what frames and dashes in a heat map mean."""
    along, across = (y, x) if best == "y" else (x, y)
    parts = [f"framed: the best {along} for each {across}"] if best is not None else []
    return "; ".join(parts if reached else [*parts, "–: most runs end before they reach the target"])


def _line(axes: Axes, rows: pd.DataFrame, x: str, name: str, style: Mapping[str, Any]) -> None:
    """Draw a line with its intervals."""
    centre = rows["value"].to_numpy(dtype=np.float64)
    low, high = (rows[end].fillna(rows["value"]).to_numpy(dtype=np.float64) for end in ("low", "high"))
    places = rows[x].astype(str) if rows[x].dtype == object else rows[x]
    axes.plot(places, centre, label=name, **style)
    low, high = (np.where(np.isfinite(end), end, centre) for end in (low, high))
    axes.vlines(places, low, high, color=style["color"], linewidth=1.0, alpha=0.7)


def _norm(finite: Any) -> Normalize:
    """Return a logarithmic scale of colours for numbers that differ by more than ten times."""
    if not finite.size:
        return Normalize(0.0, 1.0)
    return LogNorm(finite.min(), finite.max()) if _wide(finite) else Normalize(finite.min(), finite.max())


def _wide(numbers: Any) -> bool:
    finite = numbers[np.isfinite(numbers)]
    return bool(finite.size and finite.min() > 0.0 and finite.max() > 10.0 * finite.min())


def _ticks(axes: Axes, table: pd.DataFrame, x: str, y: str) -> None:
    """Label the places of both axes."""
    axes.set_xticks(range(len(table.columns)), [shortened(str(name), 24) for name in table.columns])
    axes.set_yticks(range(len(table)), [shortened(str(name), 40) for name in table.index])
    axes.tick_params(length=0)
    axes.set(xlabel=x.replace("_", " "), ylabel="" if y == "policy" else y.replace("_", " "))


def _best_places(numbers: Any, best: str | None, *, lower: bool) -> set[tuple[int, int]]:
    """Return the places of the best numbers along an axis."""
    if best is None:
        return set()
    worst = np.inf if lower else -np.inf
    filled = np.where(np.isfinite(numbers), numbers, worst)
    along = 0 if best == "y" else 1
    places = np.argmin(filled, axis=along) if lower else np.argmax(filled, axis=along)
    pairs = ((place, other) if along == 0 else (other, place) for other, place in enumerate(places))
    return {(int(row), int(column)) for row, column in pairs if np.isfinite(numbers[row, column])}


def _write(
    axes: Axes, image: Any, numbers: Any, marked: set[tuple[int, int]], texts: tuple[dict[tuple[int, ...], str], float]
) -> None:
    """Write each number into its place, in a colour that is legible there; frame the marked ones."""
    for (row, column), number in np.ndenumerate(numbers):
        shade = image.cmap(image.norm(number)) if np.isfinite(number) else (1.0, 1.0, 1.0, 1.0)
        bright = 0.299 * shade[0] + 0.587 * shade[1] + 0.114 * shade[2] > 0.55
        colour = "black" if bright else "white"
        axes.text(column, row, texts[0][row, column], ha="center", va="center", fontsize=texts[1], color=colour)
        if (row, column) in marked:
            box = mpl.patches.Rectangle(
                (column - 0.47, row - 0.46), 0.94, 0.92, fill=False, edgecolor="#D55E00", lw=2.0
            )
            axes.add_patch(box)


def _value_label(results: Results, value: str | None, target: float | None, unit: Unit | None = None) -> str:
    """Return the label of the numbers."""
    name = value or results.metric
    if target is not None:
        return f"{label(name, unit=unit)}\nto {results.metric} = {target:g}"
    return label(name, results.average(name) if name in results.metrics else "arithmetic", unit)
