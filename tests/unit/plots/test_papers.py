"""Figures for papers: the width that was asked for, text that can be read, and nothing that nobody asked for."""

import dataclasses
import re
import zlib

import numpy as np
import pytest
from command_line import call
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from small import made_up, small_study

import clustersim as cs
from clustersim import plots
from clustersim.plots.axes import Unit, _Counted, label
from clustersim.plots.selection import select


def results_of(variants=("",), policies=("a", "b", "c"), times=(0, 2, 4), scale=3.0, **more):
    runs = {
        (v, p, r): [(t, 8.0 / (1 + t) + 0.1 * r + 0.2 * place, t * scale) for t in times]
        for v in variants for place, p in enumerate(policies) for r in range(2)
    }  # fmt: skip
    return made_up(runs, **more)


def texts_of(sheet):
    """What is written, with its place and size in points; matplotlib hides ticks outside the limits."""
    renderer = FigureCanvasAgg(sheet).get_renderer()
    sheet.draw(renderer)
    found = [text for text in sheet.findobj(Text) if text.get_text().strip() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent(renderer), text.get_fontsize()) for text in found]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("width", "variants"), [(3.5, ("",)), (7.0, ("one", "two")), (3.5, tuple("vwxyz"))])
def test_text_is_legible_and_covers_no_other_text(width, variants):
    results = results_of(variants, notes="A note.", scale=1e6, metric="loss")
    sheet = plots.figure(results, x="vectors", width=width, titles=True, notes=True)
    assert sheet.get_figwidth() == width
    assert sheet.get_figheight() < 9.0, "it fits on a page"
    dots = sheet.bbox
    labels = [axis.label for axes in sheet.axes for axis in (axes.xaxis, axes.yaxis)]
    words = {text.get_text() for text in labels} | {*variants, *"abc", "made up", sheet._supxlabel.get_text()}
    words |= {sheet._supylabel.get_text()} if sheet._supylabel else set()
    boxes = [(text, box, size) for text, box, size in texts_of(sheet) if text.strip() in words]
    assert {size for _, _, size in boxes} <= {7.0, 7.5, 8.0}
    assert sum(text.startswith("loss on") for text, _, _ in boxes) == 1
    for place, (text, box, _) in enumerate(boxes):
        assert box.x0 >= dots.x0 - 1 and box.x1 <= dots.x1 + 1 and box.y0 >= dots.y0 - 1 and box.y1 <= dots.y1 + 1, text  # noqa: PT018
        for other, area, _ in boxes[:place]:
            assert not box.shrunk(0.98, 0.98).overlaps(area.shrunk(0.98, 0.98)), (text, other)


def test_titles_and_notes_are_drawn_on_request_only():
    results = results_of(notes="A note.")
    for draw in (plots.figure, plots.overview):
        plain, full = draw(results), draw(results, titles=True, notes=True)
        assert "geometric mean of error" in plain._supxlabel.get_text().replace("\n", " ")
        for sheet, wanted in ((plain, False), (full, True)):
            assert ("A note." in sheet._supxlabel.get_text()) == wanted
            assert ("made up" in sheet.legends[0].get_title().get_text()) == wanted


def test_chosen_policies_keep_their_looks_and_their_curves():
    results = results_of()
    (full,), (some,) = plots.figure(results).axes, plots.figure(results, policies=["c", "b"]).axes
    kept = {line.get_label(): line for line in some.get_lines()}
    assert [*kept] == ["b", "c"], "in the order of the study"
    for line in full.get_lines()[1:]:
        same = kept[line.get_label()]
        for part in ("color", "linestyle", "marker", "linewidth"):
            assert getattr(line, f"get_{part}")() == getattr(same, f"get_{part}")()
        np.testing.assert_array_equal(line.get_ydata(), same.get_ydata())
    legend = plots.figure(results, policies="c").legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["c"]


def test_every_curve_has_markers_of_its_own_even_where_curves_coincide():
    runs = {("", p, 0): [(0, 8.0, 0), (4, 1.0, 1), (9, 0.5, 2)] for p in "abc"}
    marked = [{*line.get_xdata()[line.get_markevery()]} for line in plots.figure(made_up(runs)).axes[0].get_lines()]
    assert all(len(places) >= 3 for places in marked)
    assert not marked[0] & marked[1]
    assert not marked[1] & marked[2]


@given(st.floats(1e-30, 1e30), st.integers(1, 9))
@settings(max_examples=50)
def test_ticks_and_unit_together_say_the_number(largest, count):
    unit = Unit.of(largest)
    ticks = np.linspace(0.0, 10.0 ** np.floor(np.log10(largest)), count + 1)
    texts = _Counted(unit).format_ticks(ticks)
    assert len({*texts}) == len(ticks)
    assert not any("e" in text for text in texts)
    back = np.array([float(text.replace("\N{MINUS SIGN}", "-")) for text in texts]) * 10.0**unit.power
    step = ticks[1] - ticks[0]
    np.testing.assert_allclose(back, ticks, rtol=0, atol=0.51 * step)


@pytest.mark.parametrize(
    ("column", "largest", "words"),
    [
        ("vectors", 2e6, "uplink + downlink (millions of vectors)"),
        ("vectors", 2e4, r"uplink + downlink (vectors of $\mathbb{R}^d$)"),
        ("time", 3e5, "wall-clock time (thousands of seconds)"),
        ("time", 3e-6, "wall-clock time (millionths of seconds)"),
        ("update", 3e9, "update (billions)"),
        ("cost", 3e17, "cost (10¹⁵)"),
        ("cost", float("nan"), "cost"),
    ],
)
def test_large_units_are_spelled_out(column, largest, words):
    assert label(column, unit=Unit.of(largest)) == words


def test_no_axis_has_an_offset():
    axes = plots.figure(results_of(scale=2e6, metric="test_accuracy"), x="vectors").axes[0]
    axes.figure.draw_without_rendering()
    assert axes.get_xlabel() == "uplink + downlink (millions of vectors)"
    assert axes.xaxis.get_offset_text().get_text() == ""
    assert [text.get_text() for text in axes.get_xticklabels()][:3] == ["0", "5", "10"]
    assert axes.get_lines()[0].get_xdata().max() == 4 * 3 * 2e6, "the data stay"


def test_logarithmic_ticks_are_short_numbers():
    axes = plots.figure(results_of()).axes[0]
    axes.figure.draw_without_rendering()
    shown = [text.get_text() for text in [*axes.get_yticklabels(), *axes.get_yticklabels(minor=True)]]
    assert {"2", "5"} & {*shown}
    assert not any("times" in text for text in shown)


@pytest.mark.parametrize("count", [6, 7, 13])
def test_pages_show_every_variant_once_or_say_what_they_leave_out(count):
    labels = tuple(f"v{i}" for i in range(count))
    results = results_of(labels, policies=("a",), times=(0, 4))
    figures = plots.standard_figures(results)
    pages = [name for name in figures if name.startswith("error-vs-time")]
    assert pages == ["error-vs-time", "error-vs-time-2"][: 1 + (6 < count <= 12)]
    assert sum(name.startswith("overview") for name in figures) == (count if count <= 6 else 0)
    sheets = [figures[name]() for name in pages]
    shown = [axes.get_title() for sheet in sheets for axes in sheet.axes]
    assert max(len(sheet.axes) for sheet in sheets) <= 6
    if count <= 12:
        assert shown == [*labels]
    else:
        assert (len(shown), shown[0], shown[-1]) == (6, labels[0], labels[-1])
        assert f"6 of {count} variants are shown" in sheets[0]._supxlabel.get_text().replace("\n", " ")
    if len(pages) > 1:
        assert "Page 2 of 2." in sheets[1]._supxlabel.get_text()
        with pytest.raises(cs.ConfigurationError, match="page = 3: expected at most 2, the number of pages"):
            plots.figure(results, page=3)


def test_forty_policies_are_not_drawn_in_a_panel(tmp_path, monkeypatch):
    results = results_of(policies=[f"p{i}" for i in range(40)], times=(0, 4))
    sheet, left_out = plots.figure(results), []
    assert len(sheet.axes[0].get_lines()) == 12
    assert "12 of 40 policies are shown, evenly spaced." in sheet._supxlabel.get_text().replace("\n", " ")
    monkeypatch.setattr(plots.files, "standard_figures", lambda results, **options: {})
    plots.draw(results, tmp_path, left_out=left_out)
    assert left_out[0] == "12 of 40 policies are shown, evenly spaced."
    assert select(results, policies=results.policies).remarks == ()


def sweep(names, values=5):
    def build(**values):
        return {"cluster": cs.Cluster(6, cs.Exponential(1.0 + sum(values.values())))}

    axes = {name: range(values) for name in names}
    study = small_study(variants=cs.grid(build, **axes), until=cs.Until(updates=2), replications=1)
    return study.run()


def test_a_sweep_gets_lines_or_heat_maps():
    one = plots.standard_figures(sweep(["s"], 3))
    sheet = one["error-over-s"]()
    assert [line.get_label() for line in sheet.axes[0].get_lines()] == ["k = 1", "k = 4"]
    results = sweep("st", 3)
    assert not any(name.startswith("overview") for name in plots.standard_figures(results))
    two = plots.standard_figures(results, policies=["k = 4"])
    assert [name for name in two if "over" in name] == ["error-over-s-and-t-k-4"], "no overviews of nine variants"
    sheet = two["error-over-s-and-t-k-4"]()
    assert (sheet.axes[0].get_xlabel(), sheet.axes[0].get_ylabel()) == ("s", "t")
    assert len(sheet.axes[0].texts) == 9
    assert "policy: k = 4" in sheet._supxlabel.get_text()
    assert "there are 9" in " ".join(plots.standard.not_drawn(results))


def test_pdf_embeds_truetype_fonts_and_svg_needs_none():
    sheet = plots.figure(results_of(), width=3.5)
    pdf = plots.picture(sheet, "pdf")
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    content = pdf + b"".join(zlib.decompressobj().decompress(part) for part in streams if part[:1] == b"x")
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"/MediaBox [ 0 0 252 " in content, "3.5 inches"
    svg = plots.picture(sheet, "svg").decode()
    assert 'width="252pt"' in svg
    assert "<text" not in svg
    assert "font-family" not in svg


def test_styles(tmp_path):
    sheet_of = lambda style: plots.figure(results_of(), width=3.5, style=style)  # noqa: E731
    own = tmp_path / "own.mplstyle"
    own.write_text("axes.labelsize: 11\naxes.prop_cycle: cycler(color=['112233'])\nsvg.fonttype: none\n")
    sheet = sheet_of(["serif", str(own)])
    (axes,) = sheet.axes
    assert axes.xaxis.label.get_fontsize() == 11
    assert axes.xaxis.label.get_fontfamily()[0] == "STIXGeneral"
    assert {line.get_color() for line in axes.get_lines()} == {"#112233"}
    assert "<text" not in plots.picture(sheet, "svg").decode()
    assert sheet_of("ggplot").axes[0].get_facecolor() != sheet_of("colour").axes[0].get_facecolor()
    broken = tmp_path / "broken.mplstyle"
    broken.write_bytes(b"\xff\xfe\x00")
    for style, words in {
        "nope": "style = 'nope': expected 'colour'",
        str(broken): "it cannot be read",
        3: "style = 3: expected",
    }.items():
        with pytest.raises(cs.ConfigurationError, match=words):
            sheet_of([style])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"policies": ["a", "x"]}, "policies: 'x': expected one or more of 'a', 'b', 'c'"),
        ({"policies": []}, r"policies: \[\]: expected one or more"),
        ({"policies": 3}, "policies = 3: expected a text, or several"),
        ({"x": 3}, "x = 3: expected a text, or several"),
        ({"style": 3}, "style = 3: expected a text, or several"),
        ({"variants": ["x"]}, "variants: 'x': expected one or more of ''"),
        ({"width": 0.5}, "width = 0.5: expected a finite number, at least 2"),
        ({"width": "wide"}, "width = 'wide'"),
        ({"x": "nope"}, "column = 'nope'"),
        ({"y": "nope"}, "column = 'nope'"),
    ],
)
def test_bad_choices_draw_nothing(tmp_path, options, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        plots.draw(results_of(), tmp_path / "figures", **options)
    assert not (tmp_path / "figures").exists()


def test_the_command_line_draws_what_was_chosen_without_a_run(tmp_path, monkeypatch):
    results = small_study(until=cs.Until(updates=8), notes="A note.").run(tmp_path / "out")
    monkeypatch.setattr(cs.Study, "run", None)
    call_plot = ["plot", tmp_path / "out", "--format", "svg", "--width", "3.5", "--policies", "k = 4"]
    outcome = call(*call_plot, "--x", "update", "--y", "loss", "--style", "grey")
    assert outcome.exit_code == 0, outcome.output
    names = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert names == {"loss-vs-update.svg"}
    expected = plots.figure(results, "loss", "update", width=3.5, policies=["k = 4"], style="grey")
    drawn = (tmp_path / "out" / "figures" / "loss-vs-update.svg").read_text()
    plain = re.sub(r"<metadata>.*</metadata>", "", drawn, flags=re.DOTALL)
    assert plain == re.sub(r"<metadata>.*</metadata>", "", plots.picture(expected, "svg").decode(), flags=re.DOTALL)
    bad = call(*call_plot, "--policies", "nope")
    assert bad.exit_code == 1
    assert "Error: policies: 'nope': expected one or more of 'k = 1', 'k = 4'" in bad.stderr


def test_unfinished_and_failed_runs_are_still_told_if_policies_are_chosen():
    missing = tuple(cs.studies.RunKey("", policy, 7) for policy in "ab")
    results = dataclasses.replace(results_of(), missing=missing)
    assert "1 run is not stored yet" in plots.figure(results, policies=["a"])._supxlabel.get_text().replace("\n", " ")
    assert "2 runs are not stored" in plots.figure(results)._supxlabel.get_text().replace("\n", " ")
