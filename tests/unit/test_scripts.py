"""Scenario scripts: found by name from any folder, listed, run, and their own figures drawn again."""

import re
import sys

import pytest
from command_line import call, script_of
from matplotlib.figure import Figure
from small import small_study, tree

import clustersim as cs
from clustersim import scripts
from clustersim.scripts import find_script, shipped

OWN = """figures={'mine.png': lambda r: __import__('matplotlib.figure').figure.Figure(), 'odd': lambda r: {}['x']},
    replications=1"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def one_picture(monkeypatch):
    """Of the standard figures, for drawing takes most of the time."""

    monkeypatch.setattr("clustersim.plots.files.standard_figures", lambda results, **average: {"overview": Figure})


@pytest.fixture
def scenario(here, monkeypatch):
    """A scenario that is shipped under the name that belongs to its study."""
    folder = here / "shipped"
    folder.mkdir()
    (folder / "scripted.py").write_text(script_of().replace("replications=3", OWN))
    monkeypatch.setattr(scripts, "shipped", lambda: {"scripted": folder / "scripted.py"})
    return folder / "scripted.py"


@pytest.mark.parametrize("name", ["adaptive_mnist", "adaptive_mnist.py", "adaptive-mnist"])
def test_a_scenario_is_found_by_its_name_from_any_folder(here, name):
    assert find_script(name) == shipped()["adaptive_mnist"]
    (here / "adaptive_mnist").mkdir()
    assert find_script(name) == shipped()["adaptive_mnist"], "a folder is no script"
    (here / "adaptive_mnist").rmdir()
    (here / name).write_text("study = 1\n")
    assert str(find_script(name)) == name, "a file that exists wins"


NEAR = {
    "adaptive_mnis": "did you mean adaptive_mnist?",
    "adaptiv-mnist.py": "did you mean adaptive_mnist?",
    "scenarios/adaptive_mnist.py": "did you mean adaptive_mnist?",
    "mine/scriptd.py": "did you mean mine/scripted.py?",
    "mine/scripted": "did you mean mine/scripted.py?",
    "nothing_like_it.py": "expected a scenario script (`clustersim list` lists the shipped ones)",
    "_lgc": "expected a scenario script (`clustersim list` lists the shipped ones)",
    "../" * 20 + "etc/passwd.py": "expected a scenario script (`clustersim list` lists the shipped ones)",
    "x" * 5000: "expected a scenario script (`clustersim list` lists the shipped ones)",
    "a\0b": "expected a scenario script (`clustersim list` lists the shipped ones)",
}


@pytest.mark.parametrize(("text", "hint"), NEAR.items(), ids=lambda text: text[:20].replace("\0", "0"))
def test_a_near_miss_is_answered_with_what_was_meant(here, text, hint):
    (here / "mine").mkdir()
    (here / "mine" / "scripted.py").write_text("")
    with pytest.raises(cs.ConfigurationError) as caught:
        find_script(text)
    assert str(caught.value) == f"{text}: there is no such file; {hint}"


def test_list_shows_the_shipped_scenarios_by_name_and_a_folders_by_path(here):
    lines = call("list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(shipped())
    assert re.search(r"^adaptive_mnist +When does adaptive k pay\?", "\n".join(lines), re.MULTILINE)
    (here / "mine.py").write_text('"""What is mine?"""')
    assert re.search(r"^mine\.py +What is mine\?", call("list", ".").stdout, re.MULTILINE)


def test_the_format_holds_for_every_picture_of_a_run(here, scenario, one_picture):
    outcome = call("run", scenario, "--jobs", "1", "--format", "svg", "--out", "out")
    assert re.findall(r"Figure: out/figures/(\S+)", outcome.stdout) == ["overview.svg", "mine.svg"]
    assert {path.suffix for path in (here / "out" / "figures").iterdir()} == {".svg"}
    assert outcome.stderr.startswith("Error: figure 'odd' failed: ")
    assert call("run", scenario, "--format", "gif").exit_code == 2


@pytest.mark.parametrize("quick", [[], ["--quick"]])
def test_plot_draws_a_shipped_scenarios_own_figures_and_goes_on_after_one_that_fails(
    here, scenario, one_picture, quick
):
    call("run", scenario, "--jobs", "1", "--out", "out", *quick)
    for picture in (here / "out" / "figures").iterdir():
        picture.unlink()
    outcome = call("plot", "out", "--format", "pdf")
    assert re.findall(r"Figure: out/figures/(\S+)", outcome.stdout) == ["overview.pdf", "mine.pdf"]
    assert "--script" not in outcome.stdout
    assert outcome.exit_code == 1
    assert "figure 'odd' failed: " in outcome.stderr


def test_plot_never_runs_a_script_that_it_was_not_told(here, scenario, one_picture):
    others = small_study(name="../scripted", replications=1), small_study(name="mine", replications=1)
    (here / "mine.py").write_text("raise SystemExit('it was run')\n")
    for study in others:
        study.run(here / "out" / study.name[-4:])
        outcome = call("plot", here / "out" / study.name[-4:])
        assert outcome.exit_code == 0
        assert outcome.stdout.count("To draw those of the study's script too, add --script SCRIPT") == 1
    odd = small_study(name="scripted", policies={"other": cs.FastestK(1)}, replications=1)
    odd.run(here / "out" / "other")
    outcome = call("plot", here / "out" / "other")
    assert outcome.exit_code == 0, "a study that only has the name of a shipped one"
    assert "--script" in outcome.stdout


def test_plot_takes_the_script_that_it_is_told(here, one_picture):
    small_study(replications=1).run(here / "out")
    (here / "mine.py").write_text(script_of().replace("replications=3", OWN))
    outcome = call("plot", "out", "--script", "mine.py")
    assert re.findall(r"Figure: out/figures/(\S+)", outcome.stdout) == ["overview.png", "mine.png"]
    assert "--script" not in outcome.stdout
    before = tree(here)
    outcome = call("plot", "out", "--script", "min.py")
    assert outcome.exit_code == 1
    assert outcome.stderr == "Error: min.py: there is no such file; did you mean mine.py?\n"
    assert tree(here) == before
