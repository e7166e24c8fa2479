"""Plots: the right numbers on the right axes, one colour a policy, no global state, the same bytes each time."""

import dataclasses
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
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
@pytest.mark.usefixtures("coarse")
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
def test_the_same_results_give_the_same_bytes_in_every_format(kind, magic):
    results = made_up({("", LABELS[2], r): [(0, 8.0, 0), (4, 1.0 + r, 3)] for r in range(2)}, notes="Notes.")
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
    results = made_up(runs)
    lines = plots.figure(results, policies=results.policies).axes[0].lines
    assert len({(line.get_color(), str(line._dash_pattern)) for line in lines}) == 20
    grey = plots.figure(results, policies=results.policies, style="grey").axes[0].lines
    assert len({(str(line._dash_pattern), line.get_marker()) for line in grey}) == 20, "without any colour"
    assert all(len({*to_rgb(line.get_color())}) == 1 for line in grey)


def test_legend_title_and_notes(results):
    sheet = plots.overview(results, "b", titles=True, notes=True)
    (legend,) = sheet.legends
    assert [text.get_text().strip() for text in legend.get_texts()] == LABELS
    assert legend.get_title().get_text() == "small: b"
    note = sheet._supxlabel.get_text()
    assert note.startswith(
        "Curves: geometric mean of error and distance over 3 replications, each with its 95 % confidence band."
    )
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
    assert distance.get_ylabel() == "distance $\\|w - w^*\\|_2$\ngeometric mean"
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
    runs |= {("", "b", r): [(0, 1.0, 0), (9, 0.5 + r, 1)] for r in range(3)}
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


def test_dollars_in_the_name_of_a_metric_are_dollars(tmp_path):
    for replications in (1, 2):
        runs = {("", "a", r): [(0, 1.0, 0), (5, 0.5 + r, 1)] for r in range(replications)}
        plots.save(plots.figure(made_up(runs, metric="cost $x_{$")), tmp_path / "drawn.svg")  # mathematics would raise


def test_dollars_are_dollars(coarse, tmp_path):
    label = "from $3 to $4"
    runs = {(variant, label, 0): [(0, 1.0, 0), (5, 0.5, 1)] for variant in ("$a^2$", "b")}
    results = dataclasses.replace(made_up(runs, notes="It costs $x_{ and $y."), name="all $\\for$ one")
    options = {"titles": True, "notes": True}
    for sheet in (plots.figure(results, **options), plots.overview(results, "$a^2$", **options)):
        (legend,) = sheet.legends
        told = [legend.get_title(), *legend.get_texts(), sheet._supxlabel, *(axes.title for axes in sheet.axes)]
        for text in told:
            assert text._preprocess_math(text.get_text()) == (text.get_text(), False)
        plots.save(sheet, tmp_path / "drawn.png")  # broken mathematics would raise


@pytest.mark.parametrize(("own", "words"), [(lambda r: 1 / 0, "ZeroDivisionError"), (lambda r: 3, "it returned 3;")])
def test_an_own_figure_that_fails_is_named(results, tmp_path, monkeypatch, own, words):
    monkeypatch.setattr("clustersim.plots.files.standard_figures", lambda results, **options: {})
    with pytest.raises(cs.ConfigurationError, match=f"figure 'odd' failed: .*{words}"):
        plots.draw(results, tmp_path, extra={"odd": own})
    assert not list(tmp_path.glob("odd*"))


def test_a_label_that_the_font_lacks_is_drawn_without_a_word(results):
    sheet = plots.figure(made_up({("", "k \N{SLIGHTLY SMILING FACE}", 0): [(0, 8.0, 0), (1, 1.0, 1)]}))
    assert plots.picture(sheet).startswith(b"\x89PNG")


def test_no_global_state_is_touched():
    before = dict(mpl.rcParams)
    plots.picture(plots.figure(made_up({("", "a", r): [(0, 8.0, 0), (4, 1.0 + r, 3)] for r in range(2)})))
    assert dict(mpl.rcParams) == before


def test_own_figures_and_bad_formats(results, tmp_path, monkeypatch):
    monkeypatch.setattr("clustersim.plots.files.standard_figures", lambda results, **options: {})
    paths = plots.draw(results, tmp_path, "svg", {"Switching times.png": lambda r: Figure(), "b": lambda r: Figure()})
    assert [path.name for path in paths] == ["switching-times.svg", "b.svg"]
    with pytest.raises(cs.ConfigurationError, match="format = 'gif'"):
        plots.draw(results, tmp_path, "gif")
    with pytest.raises(cs.ConfigurationError, match="column = 'speed'"):
        plots.figure(results, "speed")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r, p: plots.save(3, p / "a.png"), "sheet = 3: expected a Figure"),
        (lambda r, p: plots.save(Figure(), 3), "path = 3: expected a path"),
        (lambda r, p: plots.save(Figure(), b"a.png"), "path = b'a.png': expected a path"),
        (
            lambda r, p: plots.save(Figure(), p / "a.gif"),
            "a.gif': expected a file name that ends with .png, .pdf or .svg",
        ),
        (lambda r, p: plots.save(Figure(), ""), "expected a file name that ends with"),
        (lambda r, p: plots.draw(r, None), "folder = None: expected a path"),
        (lambda r, p: plots.draw(3, p), "results = 3: expected a Results"),
        (lambda r, p: plots.draw(r, p, extra=[1]), r"extra = \[1\]: expected a mapping"),
        (lambda r, p: plots.overview(r, "c"), "variant = 'c': expected one of 'a', 'b'"),
        (lambda r, p: plots.overview(r, "a", average="mode"), "average = 'mode': expected one of 'auto', 'arith"),
        (lambda r, p: plots.figure(r, average="mode"), "average = 'mode'"),
    ],
)
def test_arguments_of_figures_are_checked(results, tmp_path, call, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        call(results, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["drawn.png", Path("new") / "drawn.PDF", "drawn.svg"])
def test_figures_are_saved_under_texts_and_paths(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    assert plots.save(Figure(), path) == Path(path)
    assert Path(path).stat().st_size > 0


def test_a_name_with_a_nul_and_a_folder_in_the_way_are_told(tmp_path):
    (tmp_path / "a.png").mkdir()
    for name in ("a.png", "a\0.png"):
        with pytest.raises(cs.ResultsError, match="cannot be written"):
            plots.save(Figure(), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_curves_carry_the_labels_of_their_policies(results):
    for sheet in (plots.figure(results), plots.overview(results, "a")):
        for axes in sheet.axes:
            assert [line.get_label() for line in axes.get_lines()] == LABELS
        assert len(sheet.legends) == 1


def test_the_average_is_chosen_and_told():
    runs = {("", "a", 0): [(0, 8.0, 0), (4, 1.0, 1)], ("", "a", 1): [(0, 8.0, 0), (4, 100.0, 1)]}
    results = made_up(runs)
    ends, told = {}, {}
    for average in ("auto", "arithmetic", "geometric", "median"):
        sheet = plots.figure(results, average=average)
        (line,) = sheet.axes[0].get_lines()
        ends[average], told[average] = line.get_ydata()[-1], (sheet.axes[0].get_ylabel(), sheet._supxlabel.get_text())
    assert ends == pytest.approx({"auto": 10.0, "arithmetic": 50.5, "geometric": 10.0, "median": 50.5})
    for average, words in {"auto": "geometric mean", "geometric": "geometric mean", "median": "median"}.items():
        assert told[average][0].endswith("\n" + words)
        assert told[average][1].startswith(f"Curves: {words} of error over 2 replications")
    assert told["arithmetic"][0] == r"error $F(w) - F^*$"
    assert told["arithmetic"][1].startswith("Curves: arithmetic mean of error over 2 replications")
    assert "a confidence band for a median needs at least 6" in told["median"][1]


def test_what_has_no_geometric_mean_is_averaged_arithmetically_and_told():
    runs = {("", "a", r): [(0, 8.0, 0), (4, -1.0 - r, 1)] for r in range(2)}
    sheet = plots.figure(made_up(runs, metric="loss"), average="geometric")
    assert sheet.axes[0].get_lines()[0].get_ydata()[-1] == -1.5
    assert "arithmetic mean of loss" in sheet._supxlabel.get_text()


@pytest.mark.filterwarnings("error")
def test_a_band_that_reaches_0_goes_to_the_bottom_of_a_logarithmic_axis():
    runs = {("", "a", 0): [(0, 8.0, 0), (4, 1e-3, 1)], ("", "a", 1): [(0, 8.0, 0), (4, 1.0, 1)]}
    sheet = plots.figure(made_up(runs), average="arithmetic")
    (axes,) = sheet.axes
    sheet.draw_without_rendering()
    assert axes.get_yscale() == "log"
    bottom, top = axes.get_ylim()
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert 0.0 < heights.min() < bottom < 0.5 < top
    assert "A band that reaches 0 is drawn down to the bottom of the panel." in sheet._supxlabel.get_text().replace(
        "\n", " "
    )
