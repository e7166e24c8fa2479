"""Reports: what the page holds, that it is harmless whatever the labels are, and that it is the same every time."""

import json
import re
import shlex
import sys

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from command_line import call, script_of
from html_pages import Page, numbers
from small import made_up, small_study

import clustersim as cs
from clustersim.cli.tune import with_tuned_steps
from clustersim.plots.style import COLOURS
from clustersim.scripts import load_study
from clustersim.studies.sweeps import grid

EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


@pytest.fixture(autouse=True)
def short(request, monkeypatch):
    """No five megabytes of plotly's, which take a second to parse, and timelines in one test only."""
    if request.node.name != "test_a_report_of_a_folder":
        monkeypatch.setattr("clustersim.reports.page.timelines", lambda facts: "")
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "/* plotly */")


def page_of(results, tmp_path, **options):
    return Page(cs.report(results, tmp_path / "report.html", **options).read_text(encoding="utf-8"))


def headings(page):
    return [element["text"] for element in page.all("h2")]


def test_a_report_of_a_folder(tmp_path):
    study = small_study(
        claims=[cs.Claim("the error falls", lambda r: r.frame["error"].iloc[-1] / r.frame["error"].iloc[0], high=1.0)]
    )
    study.run(tmp_path / "runs", seed=3)
    page = page_of(tmp_path / "runs", tmp_path, study=study, script="mine.py", target=1.0)
    assert headings(page) == ["Curves", "Comparison", "Claims", "Timelines", "What was run", "How to reproduce it"]
    assert "small" in page.all("h1")[0]["text"]
    text = page.all("body")[0]["text"]
    for words in (
        "compares 2 policies, with 2 replications of each", "FastestK(k = 4", "workers = 6", "rows = 60",
        "time (s)", "the error falls", "clustersim run mine.py --out results/small --seed 3 --replications 2",
        "clustersim report results/small --target 1.0 --script mine.py", f"clustersim {cs.__version__}",
    ):  # fmt: skip
        assert words in text, words
    assert "sha256" not in text.split("Plotly")[0]
    names = [element["id"] for element in page.elements if "id" in element]
    assert len(names) == len(set(names))
    links = [element["href"] for element in page.all("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(names), "links lead to sections"
    pictures = page.all("img")
    assert [p["alt"].split(":")[0] for p in pictures] == ["Timeline of k = 1", "Timeline of k = 4"]


def test_the_page_loads_nothing_and_runs_only_its_own_scripts(tmp_path):
    page = page_of(small_study().run(), tmp_path)
    (policy,) = (e["content"] for e in page.all("meta") if e.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; script-src 'sha256-")
    script_source = policy.split("script-src")[1].split(";")[0]
    assert "unsafe" not in script_source
    assert script_source.count("sha256-") == 2
    for element in page.elements:
        assert "src" not in element or element["src"].startswith("data:")
        assert "href" not in element or element["href"].startswith("#")
        assert not [name for name in element if name.startswith("on")]


def test_texts_of_users_stay_texts(tmp_path):
    def build(p):
        return {"until": cs.Until(updates=5)}

    study = small_study(
        policies={EVIL: cs.FastestK(1), "k = 4": cs.FastestK(4)}, name=EVIL, notes=EVIL,
        variants=grid(build, p=[EVIL, 1]), claims=[cs.Claim(EVIL, lambda results: 1 / 0)],
    )  # fmt: skip
    plain = small_study(claims=[cs.Claim("x", lambda results: 1.0)], variants={"a": {}, "b": {}})
    page, usual = (
        page_of(one.run(tmp_path / name), tmp_path, study=one, script=name)
        for one, name in ((study, "evil"), (plain, "plain"))
    )
    assert len(page.all("script")) == len(usual.all("script")) + 1, "one board more, for the sweep"
    assert not [e for e in page.all("img") if not e["src"].startswith("data:")]
    assert EVIL in page.all("h1")[0]["text"]
    assert EVIL in page.all("ul", **{"class": "notes"})[-1]["text"] or EVIL in page.all("main")[0]["text"]
    names = [trace.get("name") for f in page.charts()["curves-time"].values() for trace in f["data"]]
    assert not [name for name in names if name and "<" in name], "plotly would take tags in a label as markup"


def test_failed_runs_are_listed_with_their_reason_as_text(tmp_path):
    rows = {"variant": "", "policy": "b", "replication": [0], "seed": 0, "reason": [EVIL]}
    results = made_up({("", "a", 0): [(0, 8.0, 0), (4, 1.0, 5)]}, failures=pd.DataFrame(rows))
    page = page_of(results, tmp_path)
    assert "Failed runs" in headings(page)
    assert EVIL in [cell["text"] for cell in page.all("th")]
    assert "1 of 1 runs failed" in page.all("header")[0]["text"]


def test_the_same_results_give_the_same_bytes(tmp_path):
    study = small_study()
    study.run(tmp_path / "a", seed=1)
    study.run(tmp_path / "b", seed=1)
    one, other = (cs.report(tmp_path / name, tmp_path / f"{name}.html", study=study) for name in "ab")
    assert one.read_bytes() == other.read_bytes()


def test_curves_are_averages_in_the_colours_of_the_figures(tmp_path):
    runs = {("", "a", r): [(0, 8.0, 0), (2, value, 3), (4, value / 4.0, 6)] for r, value in enumerate((1.0, 4.0))}
    runs |= {("", "b", r): [(0, 8.0, 0), (4, 3.0, 9)] for r in range(2)}
    charts = page_of(made_up(runs), tmp_path).charts()
    figure = charts["curves-time"]["0/0"]
    lines = {trace["name"]: trace for trace in figure["data"] if "name" in trace}
    assert {name: line["line"]["color"] for name, line in lines.items()} == {"a": COLOURS[0], "b": COLOURS[1]}
    x, y = numbers(lines["a"]["x"]), numbers(lines["a"]["y"])
    assert (x[0], x[-1]) == (0.0, 4.0)
    assert y[np.searchsorted(x, 3.0)] == pytest.approx(2.0), "the geometric mean of 1 and 4"
    assert y[-1] == pytest.approx(0.5)
    low, high = numbers(lines["a"]["customdata"])[np.searchsorted(x, 3.0)]
    assert low * high == pytest.approx(4.0, rel=1e-3), "the band is on the log scale"
    assert [t["fill"] for t in figure["data"] if "name" not in t] == ["none", "tonexty"], "copies have no band"
    assert numbers(charts["curves-communication"]["0/0/0"]["data"][-1]["x"])[-1] == pytest.approx(9.0)
    assert numbers(charts["curves-communication"]["0/0/1"]["data"][-1]["x"])[-1] == pytest.approx(27.0)
    assert figure["layout"]["yaxis"]["type"] == "log"
    ends = figure["layout"]["meta"]["ranges"]
    assert 10 ** ends["log"][0] < 0.5
    assert 10 ** ends["log"][1] > 8.0
    assert ends["linear"][0] < 0.5
    assert ends["linear"][1] > 8.0


def test_many_policies_and_variants_stay_readable(tmp_path):
    runs = {(f"v{v}", f"k = {k}", 0): [(0, 8.0, 0), (4, 1.0 / k, k)] for v in range(13) for k in range(1, 11)}
    page = page_of(made_up(runs), tmp_path)
    board = json.loads(page.all("script", type="application/json")[0]["text"])
    assert board["hidden"] == ["8", "9"], "at most eight curves at first"
    assert len(page.all("table")) == 1, "verdicts are counted"
    assert len(board["charts"]["curves-time"]["figures"]) == 12
    text = page.all("main")[0]["text"]
    assert "The curves of 12 of 13 variants are here." in text
    assert "At first 8 of 10 policies are shown" in text


def test_a_sweep_is_a_heat_map_with_the_best_framed(tmp_path):
    swept = {f"p = {p}, n = {n}": {"p": p, "n": n} for p in (0.1, 0.5) for n in (4, 8)}
    value = {(0.1, "a"): 1.0, (0.1, "b"): 2.0, (0.5, "a"): 4.0, (0.5, "b"): 3.0}
    ends = {(label, policy): value[at["p"], policy] * at["n"] for label, at in swept.items() for policy in "ab"}
    runs = {(*key, r): [(0, 90.0, 0), (5, end, 5), (10, end, 9)] for key, end in ends.items() for r in range(2)}
    page = page_of(made_up(runs, swept=swept), tmp_path)
    figures = page.charts()["map"]
    assert [o["text"] for o in page.all("option") if "n = " in o["text"] and "p" not in o["text"]] == ["n = 4", "n = 8"]
    eight = figures["0/1"]
    assert eight["data"][0]["text"] == [["8", "32"], ["16", "24"]]
    frames = [(round(s["x0"] + 0.48), round(s["y0"] + 0.46)) for s in eight["layout"]["shapes"]]
    assert frames == [(0, 0), (1, 1)], "a for p = 0.1, b for p = 0.5"


def test_what_was_tuned_is_shown_and_whether_it_was_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "scripted.py").write_text(script_of())
    call("tune", "scripted.py", "--step-size", "0.00001,0.0001", "--replications", "1", "--jobs", "1", "--out", "t")
    study = load_study(tmp_path / "scripted.py")
    with_tuned_steps(study, tmp_path / "t").run("tuned")
    study.run("plain")
    for name, words in (("tuned", "uses the picked step sizes."), ("plain", "does not use them")):
        done = call("report", name, "--script", "scripted.py", "--tuned", "t", "--out", f"{name}.html")
        assert done.exit_code == 0, done.output
        page = Page((tmp_path / f"{name}.html").read_text(encoding="utf-8"))
        assert f"The comparison {words}" in page.all("main")[0]["text"]
        (figure,) = page.charts()["tuning"].values()
        assert [line["marker"]["symbol"].count("star") for line in figure["data"]] == [1, 1]
        commands = page.all("pre")[0]["text"]
        assert ("clustersim tune scripted.py --step-size 1e-05,0.0001" in commands) == (name == "tuned")
        assert ("--tuned results/scripted-tuning" in commands) == (name == "tuned")


def run_files(folder):
    return {path.name: path.read_bytes() for path in (folder / "runs").iterdir()}


def test_the_commands_of_a_tuned_study_make_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("clustersim.plots.draw", lambda *args, **options: [])
    (tmp_path / "scripted.py").write_text(script_of())
    tune = ("--step-size", "1e-5,1e-4", "--target", "3", "--replications", "2", "--seed", "5", "--jobs", "1")
    assert call("tune", "scripted.py", *tune, "--out", "first-tuning").exit_code == 0
    run = ("--tuned", "first-tuning", "--seed", "5", "--replications", "2", "--jobs", "1", "--out", "first")
    assert call("run", "scripted.py", *run).exit_code == 0
    page = page_of(tmp_path / "first", tmp_path, study=load_study(tmp_path / "scripted.py"), script="scripted.py")
    _, *commands = page.all("pre")[0]["text"].splitlines()
    for command in commands[:2]:
        assert call(*shlex.split(command)[1:], "--jobs", "1").exit_code == 0, command
    assert run_files(tmp_path / "results" / "scripted-tuning") == run_files(tmp_path / "first-tuning")
    assert run_files(tmp_path / "results" / "scripted") == run_files(tmp_path / "first")
    file = tmp_path / "first-tuning" / "tuning.json"
    file.write_text(file.read_text().replace('"seed": 5,', ""))  # as clustersim wrote it before
    page = page_of(tmp_path / "first", tmp_path, study=load_study(tmp_path / "scripted.py"), script="scripted.py")
    assert "The seed of the tuning is not stored" in page.all("main")[0]["text"]


def test_every_figure_is_valid_in_plotly(tmp_path):
    swept = {f"p = {p}": {"p": p} for p in (0.1, 0.5)}
    runs = {(v, p, r): [(0, 9.0, 0), (5, 1.0 + r, 5)] for v in swept for p in "ab" for r in range(2)}
    charts = page_of(made_up(runs, swept=swept), tmp_path).charts()
    assert charts.keys() == {"curves-time", "curves-communication", "map"}
    for figures in charts.values():
        for figure in figures.values():
            go.Figure(figure)  # raises if it does not know a property or a value


def test_a_script_that_has_changed_is_told(stored, tmp_path):
    changed = small_study(cluster=cs.Cluster(workers=7, compute=cs.Exponential(mean=1.0)))
    page = page_of(stored / "runs", tmp_path, study=changed, script="mine.py")
    assert "The script differs from what was run: study: cluster.workers" in page.all("main")[0]["text"]


def test_without_plotly_the_error_says_what_to_install(tmp_path, monkeypatch):
    results = small_study().run()
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(cs.ConfigurationError, match=re.escape("pip install 'clustersim[report]'")):
        cs.report(results, tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    small_study().run(folder / "runs")
    return folder


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("no_such_folder",), "no_such_folder: there is no such folder"),
        (("runs", "--baseline", "k = 9"), "baseline = 'k = 9'"),
        (("runs", "--metric", "speed"), "metric = 'speed'"),
        (("runs", "--tuned", "runs"), "expected a folder that `clustersim tune` has made"),
        (("runs", "--script", "none.py"), "none.py: there is no such file"),
        (("runs", "--out", "runs"), "cannot be written"),
    ],
)
def test_errors_on_the_command_line(stored, monkeypatch, arguments, words):
    monkeypatch.chdir(stored)
    done = call("report", *arguments)
    assert done.exit_code == 1
    assert words in done.stderr
    assert not list(stored.rglob("*.html"))


def test_arguments_in_python_are_checked(tmp_path):
    results = small_study().run()
    with pytest.raises(cs.ConfigurationError, match="path = None: expected a path"):
        cs.report(results, None)
    with pytest.raises(cs.ConfigurationError, match="results = 5: expected a path"):
        cs.report(5, tmp_path / "r.html")
    with pytest.raises(cs.ConfigurationError, match="study"):
        cs.report(results, tmp_path / "r.html", study="scripted.py")


def test_a_claim_is_measured_once(stored, tmp_path):
    measured = []
    study = small_study(claims=[cs.Claim("it is about 1", lambda results: measured.append(results) or 1.0, low=0.5)])
    page = page_of(stored / "runs", tmp_path, study=study)
    assert "The study's claim holds." in page.all("header")[0]["text"]
    assert "it is about 1" in page.all("main")[0]["text"]
    assert len(measured) == 1
