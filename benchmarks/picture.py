"""The picture of `scale`: what an update costs against the number of workers, every line with its name beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["draw"]

_ABOVE: dict[str, Any] = {"xytext": (-6, 3), "ha": "right", "va": "bottom"}
_BELOW: dict[str, Any] = {"xytext": (6, -4), "ha": "left", "va": "top"}
# colours after Okabe and Ito, who chose them so that the colour-blind can tell them apart
LOOKS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "textbook SimPy": ("#D55E00", "s", _ABOVE),
    "process engine": ("#0072B2", "^", _BELOW),
    "cohort engine": ("#009E73", "o", _ABOVE),
    "bare NumPy loop": ("#000000", "D", _BELOW),
}
RATES = {1e5: "100,000 worker\ntasks a second", 1e6: "1 million", 1e7: "10 million", 1e8: "100 million"}


def draw(costs: Mapping[int, Mapping[str, float]], path: Path) -> None:
    """Draw CPU seconds an update, by number of workers and program, into a PNG file."""
    unknown = {name for row in costs.values() for name in row} - LOOKS.keys()
    if unknown:
        raise ValueError(f"no colour is known for {sorted(unknown)}: add them to LOOKS")
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        sheet = Figure(figsize=(7.0, 4.4), layout="constrained")
        axes = sheet.add_subplot(xscale="log", yscale="log")
        for name, (colour, marker, place) in LOOKS.items():
            line = [(n, row[name]) for n, row in costs.items() if name in row]
            if line:
                axes.plot(*zip(*line, strict=True), color=colour, marker=marker, ms=4.5, lw=1.6, clip_on=False)
                axes.annotate(name, line[-2], color=colour, weight="bold", textcoords="offset points", **place)
        axes.set_xlim(min(costs) / 1.4, max(costs))
        _guides(axes, max(costs))
        axes.set_xlabel("workers n (the master waits for n / 100 of them)")
        axes.set_ylabel("CPU time of an update (s)")
        sheet.savefig(path, dpi=160)


def _guides(axes: Axes, most: int) -> None:
    """Grey lines of equally many worker tasks a second, with their rate at the right end."""
    low, _ = axes.get_ylim()
    axes.set_ylim(low, 1.5 * most / min(RATES))
    for rate, name in RATES.items():
        axes.plot((low * rate, most), (low, most / rate), color="0.8", linewidth=0.8, zorder=0)
        axes.annotate(
            name, (most, most / rate), (4, 0), textcoords="offset points", color="0.4", va="center", fontsize=8
        )
