"""What `clustersim tune` tried and picked: a table, and the value over the step size as a chart."""

from clustersim.numerals import numeral
from clustersim.plots.style import curve_style, shortened
from clustersim.reports.boards import LEGEND, Board, Chart, Plotly, label_text, layout
from clustersim.reports.curves import axis_title
from clustersim.reports.facts import Facts
from clustersim.reports.markup import paragraph, table
from clustersim.studies.tuning_file import StoredTuning

__all__ = ["tunings"]

_USED = {
    True: "The comparison uses the picked step sizes.",
    False: "The comparison does not use them: its step sizes are those of the script.",
    None: "Whether the comparison uses them is not known, because the script is not.",
}


def tunings(facts: Facts) -> str:
    """Return what was tuned; empty if nothing was."""
    tuned = facts.tuned
    if tuned is None:
        return ""
    how = (
        "the value at which the runs settle"
        if tuned.target is None
        else f"the median time to {facts.results.metric} = {tuned.target:g} and, where that is not reached, the "
        "value at which the runs settle"
    )
    used = _USED[facts.tuning_used]
    intro = f"A step size was picked for each policy by {how}, on runs that the comparison never uses. {used}"
    return "\n".join([paragraph(intro), _chart(facts, tuned), _table(tuned)])


def _table(tuned: StoredTuning) -> str:
    """Return the table of what each step size gave."""
    headings = ["policy", "picked", "step size", "runs", "failed", "reached", "median time (s)", "settles at"]
    rows = [
        [
            row["policy"], "picked" if row["picked"] else "", f"{row['step_size']:g}",
            *("-" if row[name] is None else f"{row[name]:g}" for name in ("replications", "failed", "reached")),
            *("-" if row[name] is None else numeral(row[name]) for name in ("time", "value")),
        ]
        for row in tuned.rows
    ]  # fmt: skip
    return table("Step sizes that were tried", headings, rows, words=2, marked=("picked",))


def _chart(facts: Facts, tuned: StoredTuning) -> str:
    """Return the chart of the value at the end over the step size; the picked ones have large marks."""
    metric = facts.results.metric
    positive = all(row["value"] > 0.0 for row in tuned.rows if row["value"] is not None)
    axis = {"type": "log" if positive else "linear", "hoverformat": ".4g"}
    title = f"{axis_title(metric)} at the end"
    figure = {
        "data": [_line(facts, tuned, policy, place) for place, policy in enumerate(tuned.step_sizes)],
        "layout": layout("step size", title, 400, xaxis={"type": "log"}, yaxis=axis, legend=LEGEND),
    }
    about = f"{metric} at which the runs settle over the step size: a line for each policy, a star at the picked one."
    return Board(
        "tuning-board", (), (Chart("tuning", "Value over step size", about, (), {"": figure}),), scales=True
    ).html()


def _line(facts: Facts, tuned: StoredTuning, policy: str, place: int) -> Plotly:
    """Return the line of a policy."""
    rows = sorted((row for row in tuned.rows if row["policy"] == policy), key=lambda row: row["step_size"])
    colour, name = curve_style(facts.results, policy)["color"], label_text(shortened(policy, 40))
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "legendgroup": str(place),
        "x": [row["step_size"] for row in rows], "y": [row["value"] for row in rows],
        "line": {"color": colour, "width": 2},
        "marker": {
            "color": colour, "opacity": 1, "size": [15 if row["picked"] else 7 for row in rows],
            "symbol": ["star" if row["picked"] else "circle" for row in rows],
        },
        "hovertemplate": f"step size %{{x:.4g}}: %{{y:.4g}}<extra>{name}</extra>",
    }  # fmt: skip
