"""Plots: the right numbers on the right axes, one colour a policy, no global state, the same bytes each time."""

import dataclasses

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from small import made_up, small_study

import clustersim as cs
from clustersim import plots

LABELS = ["k = 1", "k = 2", "_odd $label"]


@pytest.fixture(scope="module")
def results():
    study = small_study(
        policies={label: cs.FastestK(k) for k, label in enumerate(LABELS, start=1)},
        variants={"a": {}, "b": {"cluster": cs.Cluster(6, cs.Exponential(mean=2.0))}},
        notes="A long note. " * 30,
        replications=3,
    )
    return study.run()


@pytest.mark.filterwarnings("error")
def test_every_standard_figure_is_drawn(results, tmp_path):
    paths = plots.draw(results, tmp_path)
    assert [path.name for path in paths] == [
        "overview-a.png", "overview-b.png", "error-vs-time.png", "error-vs-uplink.png", "error-vs-communication.png",
        "loss-vs-time.png", "distance-vs-time.png",
    ]  # fmt: skip
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize("variants", [6, 7])
def test_many_variants_have_no_overviews_of_their_own(variants):
    runs = {(f"v{i}", "a", r): [(0, 8.0, 0), (1, 1.0, 1)] for i in range(variants) for r in range(2)}
    results = dataclasses.replace(made_up(runs), variants=tuple(f"v{i}" for i in range(variants)))
    names = plots.standard_figures(results)
    assert sum(name.startswith("overview") for name in names) == (6 if variants == 6 else 0)
    assert "error-vs-time" in names


@pytest.mark.parametrize(("kind", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_the_same_results_give_the_same_bytes_in_every_format(results, kind, magic):
    first, second = (plots.picture(plots.figure(results), kind) for _ in range(2))
    assert first.startswith(magic)
    assert first == second


def test_curves_are_the_bands_of_the_results(results):
    sheet = plots.figure(results, "error", "uplink_vectors")
    band = results.on_grid("error", over="uplink_vectors")
    assert [axes.get_title() for axes in sheet.axes] == ["a", "b"]
    for axes, variant in zip(sheet.axes, "ab", strict=True):
        assert len(axes.lines) == 3
        for line, policy in zip(axes.lines, LABELS, strict=True):
            expected = band[(band["variant"] == variant) & (band["policy"] == policy)]
            np.testing.assert_array_equal(line.get_xdata(), expected["uplink_vectors"])
            np.testing.assert_array_equal(line.get_ydata(), expected["mean"])
        assert len(axes.collections) == 3, "one band a policy"
        assert axes.get_xlabel() == r"uplink (vectors of $\mathbb{R}^d$)"


def test_a_policy_keeps_its_colour_in_every_figure(results):
    looks = set()
    for make in plots.standard_figures(results).values():
        for axes in make().axes:
            looks.add(tuple((to_hex(line.get_color()), line.get_linestyle()) for line in axes.lines))
    assert len(looks) == 1
    assert len(set(looks.pop())) == 3


def test_many_policies_are_told_apart():
    runs = {("", f"policy {i}", 0): [(0, 1.0, 0), (1, 0.5, 1)] for i in range(20)}
    lines = plots.figure(made_up(runs)).axes[0].lines
    assert len({(line.get_color(), str(line._dash_pattern)) for line in lines}) == 20


def test_legend_title_and_notes(results):
    sheet = plots.overview(results, "b")
    (legend,) = sheet.legends
    assert [text.get_text().strip() for text in legend.get_texts()] == LABELS
    assert legend.get_title().get_text() == "small: b"
    note = sheet._supxlabel.get_text()
    assert "95 % confidence band over 3 replications" in note
    assert note.replace("\n", " ").count("A long note.") == 30
    renderer = FigureCanvasAgg(sheet).get_renderer()
    sheet.draw_without_rendering()
    boxes = [axes.get_window_extent(renderer) for axes in sheet.axes]
    above, below = legend.get_window_extent(renderer), sheet._supxlabel.get_window_extent(renderer)
    assert not any(box.overlaps(above) or box.overlaps(below) for box in boxes), "legend and notes cover no panel"
    assert below.x1 <= sheet.bbox.x1, "the notes are wrapped"
    assert above.y1 <= sheet.bbox.y1


def test_scales_and_units():
    fall = {("", "a", r): [(0, 100.0, 0), (5, 0.1 + r, 1)] for r in range(2)}
    axes = plots.figure(made_up(fall)).axes[0]
    assert axes.get_yscale() == "log"
    assert axes.get_xlabel() == "wall-clock time (s)"
    flat = {("", "a", 0): [(0, 0.7, 0), (5, 0.6, 1)]}
    assert plots.figure(made_up(flat, metric="loss")).axes[0].get_yscale() == "linear"
    accuracy = plots.figure(made_up(fall, metric="test_accuracy")).axes[0]
    assert accuracy.get_yscale() == "linear"
    assert accuracy.get_ylabel() == "test accuracy"
    distance = plots.figure(made_up(fall, metric="distance")).axes[0]
    assert distance.get_yscale() == "log"
    assert distance.get_ylabel() == r"distance $\|w - w^*\|_2$"
    distance.figure.draw_without_rendering()  # matplotlib can set the formula


def test_wide_bands_of_two_replications_leave_the_curves_readable():
    runs = {("", "a", 0): [(0, 1.0, 0), (5, 1e-3, 1)], ("", "a", 1): [(0, 1.0, 0), (5, 1e-1, 1)]}
    axes = plots.figure(made_up(runs)).axes[0]
    low, high = axes.get_ylim()
    assert low < 1e-2
    assert high > 1.0
    assert np.log10(high / low) < 2 * 2.0, "the curve spans two decades, the band about thirty"


def test_a_band_of_accuracies_stays_between_0_and_1():
    runs = {("", "a", 0): [(0, 0.1, 0), (5, 0.4, 1)], ("", "a", 1): [(0, 0.1, 0), (5, 0.9, 1)]}
    results = made_up(runs, metric="test_accuracy")
    raw = results.on_grid("test_accuracy")
    assert raw["low"].min() < 0.0, "Student's interval of two replications is wide"
    assert raw["high"].max() > 1.0
    heights = plots.figure(results).axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.0, 1.0)


def test_k_is_drawn_in_steps_with_whole_numbers(results):
    axes = plots.figure(results, "k").axes[0]
    assert {line.get_drawstyle() for line in axes.lines} == {"steps-post"}
    assert all(float(tick).is_integer() for tick in axes.get_yticks())


def test_a_band_of_k_stays_between_the_values_that_occur():
    runs = {("", "a", r): [(0, 1.0, 0), (5, 0.5, 1), (9, 0.4, 2)] for r in range(3)}
    runs |= {("", "b", r): [(0, 1.0, 0), (9, 0.5, 1)] for r in range(3)}
    results = made_up(runs)
    frame = results.frame
    frame.loc[(frame["policy"] == "a") & (frame["replication"] == 1) & (frame["time"] >= 5), "k"] = 8
    frame.loc[frame["policy"] == "b", "k"] = 20
    raw = results.on_grid("k")
    assert raw["low"].min() < 1.0, "Student's interval about 10 / 3 reaches below the smallest k"
    assert raw.loc[raw["policy"] == "a", "high"].max() > 8.0
    for sheet in (plots.figure(results, "k"), plots.overview(results)):
        axes = sheet.axes[-1]
        assert axes.get_ylabel() == "k (mean over replications)"
        heights = [band.get_paths()[0].vertices[:, 1] for band in axes.collections]
        assert [(height.min(), height.max()) for height in heights] == [(1.0, 8.0), (20.0, 20.0)]


def test_dollars_are_dollars(tmp_path):
    label = "from $3 to $4"
    runs = {(variant, label, 0): [(0, 1.0, 0), (5, 0.5, 1)] for variant in ("$a^2$", "b")}
    results = dataclasses.replace(made_up(runs, notes="It costs $x_{ and $y."), name="all $\\for$ one")
    for sheet in (plots.figure(results), plots.overview(results, "$a^2$")):
        (legend,) = sheet.legends
        told = [legend.get_title(), *legend.get_texts(), sheet._supxlabel, *(axes.title for axes in sheet.axes)]
        for text in told:
            assert text._preprocess_math(text.get_text()) == (text.get_text(), False)
        plots.save(sheet, tmp_path / "drawn.png")  # broken mathematics would raise


@pytest.mark.parametrize(("own", "words"), [(lambda r: 1 / 0, "ZeroDivisionError"), (lambda r: 3, "it returned 3;")])
def test_an_own_figure_that_fails_is_named(results, tmp_path, own, words):
    with pytest.raises(cs.ConfigurationError, match=f"figure 'odd' failed: .*{words}"):
        plots.draw_own(results, tmp_path, "odd", own)
    assert not list(tmp_path.iterdir())


def test_no_global_state_is_touched(results):
    before = dict(mpl.rcParams)
    plots.picture(plots.figure(results))
    assert dict(mpl.rcParams) == before


def test_own_figures_and_bad_formats(results, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "standard_figures", lambda results: {})
    paths = plots.draw(results, tmp_path, "svg", {"Switching times.png": plots.figure, "b": plots.figure})
    assert [path.name for path in paths] == ["switching-times.svg", "b.svg"]
    with pytest.raises(cs.ConfigurationError, match="format = 'gif'"):
        plots.draw(results, tmp_path, "gif")
    with pytest.raises(cs.ConfigurationError, match="column = 'speed'"):
        plots.figure(results, "speed")
