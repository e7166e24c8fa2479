"""The style of figures: colours and dashes of policies, labels of axes, matplotlib settings."""

from typing import Any

from clustersim.studies import Results
from clustersim.studies.display_text import printable

__all__ = ["LABELS", "STYLE", "label", "look", "shortened"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")  # after Okabe and Ito
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
LABELS = {
    "time": "wall-clock time (s)",
    "update": "update",
    "error": r"error $F(w) - F^*$",
    "loss": "loss (mean over the training rows)",
    "distance": r"distance $\|w - w^*\|_2$",
    "test_auc": "AUC on the test rows",
    "k": "k",
    "uplink_messages": "uplink messages",
    "messages": "uplink + downlink messages",
    "uplink_vectors": r"uplink (vectors of $\mathbb{R}^d$)",
    "vectors": r"uplink + downlink (vectors of $\mathbb{R}^d$)",
    "compute_wasted": "compute time wasted (worker-seconds)",
}
STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.labelsize": 9, "axes.titlesize": 10, "legend.fontsize": 8.5,
    "axes.grid": True, "grid.alpha": 0.3, "grid.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "svg.hashsalt": "clustersim", "pdf.fonttype": 42, "hatch.linewidth": 0.5,
}  # fmt: skip


def look(results: Results, policy: str) -> dict[str, Any]:
    """Return colour, dashes and line width of a policy, the same in every panel and figure.

    Curves that are drawn later are thinner, so that a curve does not hide an earlier one that it coincides with.
    """
    place = results.policies.index(policy)
    width = 2.2 - 0.8 * place / max(1, len(results.policies) - 1)
    dashes = DASHES[(place // len(COLOURS)) % len(DASHES)]
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": dashes, "linewidth": width}


def label(column: str, average: str = "arithmetic") -> str:
    """Return the label of an axis, with the kind of average unless it is the arithmetic mean of a metric."""
    name = LABELS.get(column, shortened(column.replace("_", " "), 60))
    usual = " (mean over replications)" if column == "k" else ""
    return name + {"geometric": "\ngeometric mean", "median": "\nmedian"}.get(average, usual)


def shortened(text: str, most: int) -> str:
    """Return a text as one printable line of at most `most` characters; a longer text loses its middle.

    Examples
    --------
    >>> shortened("a very long label, k = 4", 15)
    'a very …, k = 4'
    """
    line = printable(text).replace("\n", " ")
    kept = (most - 1) // 2
    return line if len(line) <= most else f"{line[:kept]}…{line[kept + 1 - most :]}"
