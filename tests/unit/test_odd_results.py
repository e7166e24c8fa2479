"""Odd values, missing and failed runs, and hostile text: figures and tables say what they are, and never fail."""

import dataclasses
import io
import math
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from small import made_up, small_study

import clustersim as cs
from clustersim import plots
from clustersim.cli.listing import scripts_table
from clustersim.engine.accounting.columns import RESERVED
from clustersim.studies.display_text import printable
from clustersim.studies.results import FAILURE_COLUMNS
from clustersim.tables import (
    claims_table,
    print_comparison,
    print_missing,
    print_notes,
    print_paths,
)
from clustersim.terminal import console_for_tables

ODD = [0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, 1e-300, 1e16, 1e16 + 2, 3.0, 1e-5]
LABELS = ["a", "A", "é", "_x", "$x_{$", "\x1b[31m", "x" * 300]

values = st.one_of(st.sampled_from(ODD), st.floats(1e-6, 1e6), st.floats())
runs = st.dictionaries(
    st.tuples(st.sampled_from(LABELS[:3]), st.sampled_from(LABELS), st.integers(0, 2)),
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1e-300, 1e12]), values), min_size=1, max_size=5),
    min_size=1,
    max_size=6,
)


def history(steps):
    """Rows of (time, value, uplink) from steps of time and values; the first row is at time 0."""
    times = np.cumsum([0.0, *(gap for gap, _ in steps[1:])])
    return [(time, value, 2 * place) for place, (time, (_, value)) in enumerate(zip(times, steps, strict=True))]


def failing(*keys):
    return pd.DataFrame([(*key, 1, "too large a step \x1b[2J") for key in keys], columns=FAILURE_COLUMNS)


def told(sheet):
    return sheet._supxlabel.get_text().replace("\n", " ")


@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
@given(
    runs,
    st.sampled_from(["error", "loss", "test_accuracy", "cost $a_{$"]),
    st.sampled_from(["auto", "arithmetic", "geometric", "median"]),
    st.sampled_from(["time", "uplink_vectors"]),
)
def test_no_values_make_a_figure_or_a_table_fail(data, metric, average, x):
    results = made_up({key: history(steps) for key, steps in data.items()}, metric, notes="\x1b]0;title\x07" * 9)
    results = dataclasses.replace(results, failures=failing(("a", "é", 7), ("a", results.policies[0], 8)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sheet = plots.figure(results, x=x, average=average, titles=True, notes=True)
        sheet.draw_without_rendering()
        if metric in results.metrics:
            assert "\x1b" not in written(print_comparison, results)
    for axes in sheet.axes:
        ends = (*axes.get_xlim(), *axes.get_ylim())
        assert all(math.isfinite(end) for end in ends)
        assert axes.get_lines() or axes.texts, "an empty panel says why it is empty"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("size", "words"),
    [(5e-324, "error $F(w) - F^*$"), (1e-254, "error $F(w) - F^*$"), (8e-30, "error $F(w) - F^*$ (10⁻³⁰)")],
)
def test_tiny_values_that_do_not_change_have_short_ticks(size, words):
    sheet = plots.figure(made_up({("", "a", 0): [(0, size, 0), (1, size, 1)]}))
    sheet.draw_without_rendering()
    (axes,) = sheet.axes
    assert axes.get_ylabel() == words
    assert max(len(text.get_text()) for text in axes.get_yticklabels()) < 8


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("huge", [1e308, -1e308])
def test_huge_values_are_compared_without_a_warning(huge):
    runs = {("", "a", r): [(0, 1.0, 0), *((t, huge, t) for t in range(1, 31))] for r in range(2)}
    results = made_up(runs, metric="loss")
    assert compare_reached(results, 2.0) == (0 if huge > 0 else 2)
    assert "a" in written(print_comparison, results)


def compare_reached(results, target):
    return cs.compare(results, target=target).table["reached"].item()


@pytest.mark.filterwarnings("error")
def test_a_variant_that_lacks_a_metric_and_one_whose_runs_are_infinite(tmp_path):
    finite = [(0, 8.0, 0), (4, 1.0, 3)]
    data = {("has", "a", 0): finite, ("lacks", "a", 0): [(0, math.nan, 0), (4, math.nan, 3)]}
    data |= {("has", "b", 0): [(0, math.inf, 0), (4, math.inf, 3)], ("endless", "a", 0): [(0, math.inf, 0)]}
    sheet = plots.figure(made_up(data))
    empty = {axes.get_title(): [text.get_text() for text in axes.texts] for axes in sheet.axes}
    assert empty == {
        "has": [], "lacks": ["no finite values of error"], "endless": ["no finite values of error"]
    }  # fmt: skip
    for words in (
        "Infinite or huge values of error are not drawn.",
        "There are no runs of 'b' in 'lacks'.",
        "No finite values of error: 'b' in 'has'.",
    ):
        assert words in told(sheet)
    plots.save(sheet, tmp_path / "drawn.png")
    assert plots.overview(made_up(data), "lacks").axes[0].texts


@pytest.mark.filterwarnings("error")
def test_a_single_evaluation_is_drawn_as_a_dot():
    sheet = plots.figure(made_up({("", p, r): [(0, 8.0 + r, 0)] for p in "ab" for r in range(2)}))
    sheet.draw_without_rendering()
    assert [line.get_marker() for line in sheet.axes[0].get_lines()] == ["o", "s"]
    assert [line.get_markevery() for line in sheet.axes[0].get_lines()] == [None, None]
    assert [line.get_label() for line in sheet.axes[0].get_lines()] == ["a", "b"]
    (curve,) = plots.figure(made_up({("", "a", 0): [(0, 8.0, 0), (4, 1.0, 1)]})).axes[0].get_lines()
    assert 2 <= len(curve.get_markevery()) < 10, "a few markers on a curve"


def test_failed_and_missing_runs_are_told_in_figures():
    data = {("", p, r): [(0, 8.0, 0), (4, 1.0 + r, 3)] for p in "ab" for r in range(8)}
    results = dataclasses.replace(
        made_up(data),
        policies=("a", "b", "dead"),
        failures=failing(("", "a", 8), ("", "a", 9), ("", "dead", 0)),
        missing=(cs.studies.RunKey("", "b", 9),),
    )
    for sheet in (plots.figure(results), plots.overview(results)):
        assert "2 of 10 runs of 'a' failed and are not drawn. 1 of 1 runs of 'dead' failed" in told(sheet)
        assert "1 run is not stored yet, and not drawn." in told(sheet)
        assert [text.get_text() for text in sheet.legends[0].get_texts()] == ["a", "b", "dead (failed)"]
        assert "over 8 replications" in told(sheet)


@pytest.mark.filterwarnings("error")
def test_a_study_of_which_all_runs_failed_is_drawn(tmp_path):
    results = cs.Results("dead", pd.DataFrame(), pd.DataFrame(), ("a",), failures=failing(("", "a", 0)))
    paths = plots.draw(results, tmp_path)
    assert [path.name for path in paths][:2] == ["overview.png", "error-vs-time.png"]
    assert plots.figure(results).axes[0].texts[0].get_text() == "no finished runs"


def test_copies_are_told_in_figures_and_have_no_band():
    data = {("", "copied", r): [(0, 8.0, 0), (4, 1.0, 3)] for r in range(3)}
    sheet = plots.figure(made_up(data))
    assert not sheet.axes[0].collections
    assert "The replications of 'copied' are identical" in told(sheet)
    assert "confidence band" not in told(sheet)
    data |= {("", "drawn", r): [(0, 8.0, 0), (4, 1.0 + r, 3)] for r in range(3)}
    both = plots.figure(made_up(data))
    assert len(both.axes[0].collections) == 1
    assert "The replications of 'copied' are identical" in told(both)


def test_replayed_times_are_found_to_be_copies():
    replay = cs.Replay(np.random.default_rng(1).exponential(size=(50, 6)))
    study = small_study(cluster=cs.Cluster(6, replay, scaling="none"), replications=2)
    comparison = cs.compare(study.run(), target=1e9)
    assert "'k = 1' and 'k = 4' are identical" in comparison.remarks[-1]
    assert comparison.table[["time_high", "time_mean_high", "ratio_high", "share_high"]].isna().all(axis=None)


class Measured(cs.LeastSquares):
    """Least squares with metrics of a user's own."""

    def __init__(self, measured):
        X = np.random.default_rng(3).normal(size=(12, 2))
        super().__init__(X, X @ [1.0, 2.0] + 0.1)
        self.measured = measured

    def metrics(self, w):
        return self.measured


BAD_METRICS = {
    **{name: ({name: 1.0}, f"the name '{name}' is taken by a column of clustersim's own; choose another") for name in (
        "time", "error", "loss", "k", "update", "bytes", "vectors", "messages", "uplink_bytes", "compute_wasted",
        "variant", "policy", "replication", "used", "idle", "reason", "updates", "mean", "low", "ratio",
    )},
    "no text": ({3: 1.0}, "name 3: expected one line of text"),
    "empty": ({"": 1.0}, "name '': expected one line"),
    "blank": ({" ": 1.0}, "name ' ': expected one line"),
    "blanks around": ({"a ": 1.0}, "name 'a '"),
    "escape": ({"\x1b[31m": 1.0}, r"name '\x1b[31m'"),
    "two lines": ({"a\nb": 1.0}, r"name 'a\nb'"),
    "text": ({"speed": "3"}, "metrics['speed'] = '3': expected a real number"),
    "nothing": ({"speed": None}, "metrics['speed'] = None"),
    "truth": ({"speed": True}, "metrics['speed'] = True"),
    "complex": ({"speed": 1j}, "metrics['speed'] = 1j"),
    "array": ({"speed": np.zeros(1)}, "metrics['speed'] = array([0.])"),
    "too long": ({"speed": 10**400}, "expected a real number"),
    "no mapping": ([("speed", 1.0)], "metrics = [('speed', 1.0)]: expected a mapping"),
}  # fmt: skip


@pytest.mark.parametrize(("measured", "words"), BAD_METRICS.values(), ids=BAD_METRICS.keys())
def test_metrics_that_cannot_be_are_refused_before_anything_is_run(tmp_path, measured, words):
    study = small_study(problem=Measured(measured))
    with pytest.raises(cs.ConfigurationError) as error:
        study.run(tmp_path / "out")
    assert words in str(error.value)
    assert not (tmp_path / "out").exists()
    with pytest.raises(cs.ConfigurationError) as error:
        cs.simulate(study.problem, study.cluster, cs.FastestK(1), optimizer=study.optimizer, until=study.until)
    assert words in str(error.value)


def test_a_variants_problem_is_named_and_good_metrics_pass():
    bad = small_study(variants={"good": {}, "bad": {"problem": Measured({"time": 1.0})}})
    with pytest.raises(cs.ConfigurationError, match=r"the name 'time' is taken .* in variant 'bad'"):
        bad.run()
    good = Measured(
        {"speed": np.float32(0.5), "share": Fraction(1, 4), "unknown": math.nan, "Time": 3, "far": math.inf}
    )
    results = small_study(problem=good, replications=1).run()
    assert results.frame[["speed", "share", "Time", "far"]].drop_duplicates().values.tolist() == [
        [0.5, 0.25, 3.0, math.inf]
    ]
    assert results.metrics == ("error", "loss", "speed", "share", "Time", "far"), "unknown is NaN throughout"


def test_every_column_of_a_run_is_reserved():
    study = small_study()
    run = cs.simulate(study.problem, study.cluster, cs.FastestK(1), optimizer=study.optimizer, until=study.until)
    assert {*run.history} - {"distance"} <= RESERVED
    assert {*run.totals} <= RESERVED
    results = small_study(replications=1).run()
    tables = (results.frame, results.totals, results.failures, results.on_grid(), results.time_to_target(1.0))
    for table in tables:
        names = {str(name).removesuffix("_low").removesuffix("_high") for name in table}
        assert names - {"distance"} <= RESERVED | {"failed"}


HOSTILE = "\x1b[31m\x1b]0;title\x07 [red]x[/red] :warning: \u202e\r\t"


def written(printing, *things, **more):
    console = Console(width=200, file=io.StringIO(), force_terminal=True, color_system=None)
    printing(console, *things, **more)
    return console.file.getvalue()


def test_text_of_users_and_folders_is_printed_as_it_is():
    data = {(HOSTILE, HOSTILE, r): [(0, 8.0, 0), (4, 1.0 + r, 3)] for r in range(2)}
    results = made_up(data, notes=HOSTILE + "\nsecond line")
    failures = pd.DataFrame([(HOSTILE, HOSTILE, 7, 0, HOSTILE)], columns=FAILURE_COLUMNS)
    results = dataclasses.replace(results, name=HOSTILE, failures=failures)
    verdict = cs.Claim(HOSTILE, lambda r: 1.0)._measured(results)
    failed = cs.Claim("odd", lambda r: (_ for _ in ()).throw(ValueError(HOSTILE)))._measured(results)
    shown = [
        written(print_comparison, results),
        written(print_notes, results),
        written(print_paths, [HOSTILE]),
        written(lambda console: console.print(claims_table([verdict, failed]))),
        written(lambda console: console.print(scripts_table([(HOSTILE, HOSTILE)]))),
    ]
    for text in shown:
        assert not set(text) & {"\x1b", "\x07", "\r", "\t", "\u202e"}
        flat = " ".join(text.replace("│", " ").split())
        assert r"\x1b[31m" in flat
        assert ":warning:" in flat, "no emoji is made of it"
        assert "[red]x[/red]" in flat, "and no markup"
    assert "\nsecond line" in shown[1]
    (row,) = (line for line in shown[0].splitlines() if line.startswith("│"))
    assert "[red]x[/red] :warning:" in row


def test_text_in_figures_is_printable(tmp_path):
    data = {(HOSTILE, HOSTILE, 0): [(0, 8.0, 0), (4, 1.0, 3)]}
    results = dataclasses.replace(made_up(data, "cost \x1b", notes=HOSTILE), name=HOSTILE)
    sheet = plots.figure(results, titles=True, notes=True)
    (axes,) = sheet.axes
    (legend,) = sheet.legends
    texts = [axes.title, axes.yaxis.label, legend.get_title(), *legend.get_texts(), sheet._supxlabel]
    assert all(printable(text.get_text()) == text.get_text() for text in texts)
    assert axes.get_lines()[0].get_label() == HOSTILE, "a program gets the label itself"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.save(sheet, tmp_path / "drawn.svg")


@given(st.text())
def test_printable_text_has_nothing_hidden(text):
    shown = printable(text)
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert printable(shown) == shown
    if text.isprintable():
        assert shown == text


def test_half_characters_and_rare_blanks_are_printable():
    assert printable("\udcff\u00a0a\tb\r\n\r") == "\\udcff a b\n\\r"


def test_an_unfinished_study_with_failures_counts_its_runs():
    results = dataclasses.replace(
        small_study(replications=1).run(), failures=failing(("", "k = 1", 7)), missing=(("", "k = 1", 8),)
    )
    assert "3 of 4 runs are stored" in written(print_missing, results)
    assert console_for_tables().width
