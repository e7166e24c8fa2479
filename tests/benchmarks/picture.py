"""The picture of `scale`: cost of an update against the number of workers, every line named where it ends."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["draw"]

# after Okabe and Ito, who chose colours that the colour-blind tell apart
LOOKS = {
    "textbook SimPy": ("#D55E00", "s"),
    "processes": ("#0072B2", "^"),
    "NumPy loop": ("#000000", "D"),
    "cohort": ("#009E73", "o"),
}
RATES = {1e4: "10,000", 1e5: "100,000", 1e6: "1 million", 1e7: "10 million", 1e8: "100 million"}


def draw(costs: Mapping[int, Mapping[str, float]], path: Path) -> None:
    """Draw CPU seconds an update, by number of workers and program, into a PNG file."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        sheet = Figure(figsize=(7.2, 4.6), layout="constrained")
        axes = sheet.add_subplot(xscale="log", yscale="log")
        for name, (colour, marker) in LOOKS.items():
            if line := [(n, row[name]) for n, row in costs.items() if name in row]:
                axes.plot(*zip(*line, strict=True), color=colour, marker=marker, markersize=4.5, linewidth=1.6)
                place = {"xytext": (8, 0), "textcoords": "offset points", "va": "center", "weight": "bold"}
                axes.annotate(name, line[-1], color=colour, **place)
        _guides(axes, max(costs))
        axes.set_xlabel("number of workers n, of which k = n / 100 are waited for")
        axes.set_ylabel("CPU time of an update (s)")
        sheet.savefig(path, dpi=160)


def _guides(axes: Axes, most: int) -> None:
    """Grey lines of equally many worker tasks a second."""
    low, high = axes.get_ylim()
    for rate, name in RATES.items():
        axes.plot((1, most), (1 / rate, most / rate), color="0.75", linewidth=0.7, zorder=0)
