"""Pictures of timelines: bars where the hand-timed schedule has them, and nothing that is left unsaid."""

import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import same_color, to_rgb

import clustersim as cs
from clustersim.plots.gantt import _FATES, _LINKS


def run(times, k=1, updates=2, **cluster):
    """The k fastest of workers whose q-th task takes times[q][worker] seconds."""
    return cs.simulate(
        cs.LeastSquares.synthetic(rows=400, features=2, seed=1),
        cs.Cluster(len(times[0]), cs.Replay(times), scaling="none", **cluster),
        cs.FastestK(k),
        optimizer=cs.SGD(1e-4),
        until=cs.Until(updates=updates),
        messages=True,
    )


@pytest.fixture(scope="module")
def linked():
    """Update 1 at 0.5 + 1 + 0.25; its model reaches the workers at 2.25. Then both are equally fast."""
    links = {"downlink": cs.Link(latency=0.5), "uplink": cs.Link(latency=0.25)}
    return run([[1.0, 9.0], [1.0, 1.0], [9.0, 9.0]], **links)


def bars(sheet, label):
    """Left, right and middle of the bars that have the look of this entry of the legend."""
    handles = {h.get_label(): h for h in sheet.legends[0].legend_handles}
    wanted = handles[label].get_facecolor()
    found = [c for c in sheet.axes[0].collections if isinstance(c, PolyCollection)]
    boxes = [
        path.vertices for c in found if same_color(c.get_facecolor()[0], wanted) for path in c.get_paths()
    ]  # fmt: skip
    return [(v[:, 0].min(), v[:, 0].max(), round(v[:4, 1].mean(), 2)) for v in boxes]


def labels(sheet):
    return [text.get_text() for text in sheet.legends[0].get_texts()]


def test_bars_are_where_the_schedule_has_them(linked):
    sheet = cs.plots.timeline(linked)
    assert bars(sheet, "receiving (thin, above)") == [
        (0.0, 0.5, 0.65), (1.75, 2.25, 0.65), (0.0, 0.5, 1.65), (1.75, 2.25, 1.65)
    ]  # fmt: skip
    assert bars(sheet, "computing: used") == [(0.5, 1.5, 1.0), (2.25, 3.25, 1.0)]
    assert bars(sheet, "wasted: cancelled") == [(0.5, 2.25, 2.0)]
    assert bars(sheet, "wasted: discarded") == [(2.25, 3.25, 2.0)]
    assert bars(sheet, "sending (thin, below)") == [(1.5, 1.75, 1.35), (3.25, 3.5, 1.35), (3.25, 3.5, 2.35)]
    (line,) = [line for line in sheet.axes[0].get_lines() if len(line.get_xdata()) == 2]
    assert line.get_xdata().tolist() == [1.75, 3.5]
    assert [text.get_text() for text in sheet.axes[0].texts] == ["1", "2"], "numbers of updates"
    assert sheet.axes[0].get_xlabel() == "wall-clock time (s)"
    assert sheet.get_supxlabel() == ""


def test_crosses_are_where_messages_are_lost():
    """Worker 0's first message is lost at 1; worker 1's first model never arrives."""
    down = cs.Link(latency=cs.Replay([[0.5, math.inf, 0.5], [0.5] * 3, [0.5] * 3]))
    up = cs.Link(latency=cs.Replay([[math.inf, 0.5, 0.5], [0.5] * 3, [0.5] * 3]))
    sheet = cs.plots.timeline(run([[0.5, 1.0, 2.0], [1.0, 2.0, 3.0], [9.0] * 3], downlink=down, uplink=up))
    (crosses,) = [line for line in sheet.axes[0].get_lines() if line.get_marker() == "X"]
    assert crosses.get_xdata().tolist() == [1.0, 0.0]
    assert crosses.get_ydata().tolist() == pytest.approx([1.35, 1.65]), "on the uplink, and on the downlink"
    assert labels(sheet)[-2] == "lost on a link"


def test_the_legend_has_what_occurs_and_wasted_work_is_hatched(linked):
    sheet = cs.plots.timeline(linked)
    assert labels(sheet) == [
        "receiving (thin, above)", "computing: used", "wasted: discarded", "wasted: cancelled",
        "sending (thin, below)", "update",
    ]  # fmt: skip
    for handle in sheet.legends[0].legend_handles[:-1]:
        assert bool(handle.get_hatch()) == handle.get_label().startswith("wasted")
    first = cs.plots.timeline(linked, stop=0.4)
    assert labels(first) == ["receiving (thin, above)"]


def test_fates_have_looks_of_their_own():
    looks = [(look["facecolor"], look.get("hatch")) for look in (_FATES | _LINKS).values()]
    assert len(set(looks)) == len(looks)
    hatches = [look["hatch"] for look in _FATES.values() if "hatch" in look]
    assert len(set(hatches)) == len(hatches) == 4, "also without colours"


def test_a_very_short_task_can_be_seen():
    """A bar that is narrower than its edges is as dark as these, and not as pale as the paper."""
    for look in (_FATES | _LINKS).values():
        assert np.mean(to_rgb(look["edgecolor"])) < 0.7


def test_the_first_twenty_updates_or_a_time_are_shown():
    made = run([[1.0, 2.0]] * 40, updates=30)
    assert cs.plots.timeline(made).axes[0].get_xlim() == pytest.approx((0.0, 20.2))
    assert cs.plots.timeline(made, updates=5).axes[0].get_xlim() == pytest.approx((0.0, 5.05))
    assert cs.plots.timeline(made, start=10, stop=20).axes[0].get_xlim() == pytest.approx((9.9, 20.1))
    assert cs.plots.timeline(made, updates=99).axes[0].get_xlim() == pytest.approx((0.0, 30.3))


def test_many_workers_are_chosen_and_the_picture_says_so():
    made = run([[1.0 + i / 200 for i in range(200)]] * 4, k=100)
    sheet = cs.plots.timeline(made)
    assert sheet.get_supxlabel() == "60 of 200 workers are shown, evenly spaced."
    shown = [text.get_text() for text in sheet.axes[0].get_yticklabels()]
    assert shown[:3] == ["updates", "0", "3"]
    assert shown[-1] == "199"
    assert len(shown) == 61
    some = cs.plots.timeline(made, workers=[7, 3])
    assert some.get_supxlabel() == "2 of 200 workers are shown."
    assert [text.get_text() for text in some.axes[0].get_yticklabels()] == ["updates", "7", "3"]
    assert bars(some, "computing: used")[0] == (0.0, 1.015, 2.0), "worker 3, in the second row"
    assert cs.plots.timeline(run([[1.0] * 60] * 4, k=3)).get_supxlabel() == ""


def test_updates_whose_times_are_not_known(linked):
    sheet = cs.plots.timeline(replace(linked, updates=None))
    assert sheet.get_supxlabel().replace("\n", " ").startswith("The times of updates were not recorded")


def test_a_crowd_of_updates_stays_readable():
    made = run([[0.01, 1.0]] + [[0.01, 1.0]] * 99 + [[50.0, 50.0]] * 5, updates=101)
    numbers = cs.plots.timeline(made, updates=101).axes[0].texts
    places = [text.xy[0] for text in numbers]
    assert numbers[0].get_text() == "1"
    assert len(numbers) < 10
    assert min(np.diff(places)) > 0.02 * made.totals["time"]


def test_a_run_that_takes_no_time_can_be_drawn():
    made = run([[0.0, 0.0]] * 4)
    assert cs.plots.picture(cs.plots.timeline(made))[:4] == b"\x89PNG"


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_same_bytes(linked, kind):
    one, two = (cs.plots.picture(cs.plots.timeline(linked), kind) for _ in range(2))
    assert one == two


def test_unusable_arguments(linked):
    with pytest.raises(cs.ConfigurationError, match=r"pass messages=True to cs\.simulate"):
        cs.plots.timeline(replace(linked, messages=None))
    with pytest.raises(cs.ConfigurationError, match="run = 3: expected a Run"):
        cs.plots.timeline(3)
    with pytest.raises(cs.ConfigurationError, match="workers = 2: expected a whole number from 0 to 1"):
        cs.plots.timeline(linked, workers=[2])
    with pytest.raises(cs.ConfigurationError, match="are both given"):
        cs.plots.timeline(linked, updates=1, start=1.0)
