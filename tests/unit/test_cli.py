"""The command line: what it prints, its exit codes, and that no mistake of the user's ends in a traceback."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from itertools import islice
from pathlib import Path

import pytest
from command_line import SCRIPT, call, script_of
from small import small_study, tree
from typer.testing import CliRunner

import clustersim as cs
from clustersim import plots
from clustersim.cli import program
from clustersim.studies.signals import Stopped, stoppable


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def script(here):
    path = here / "scripted.py"
    path.write_text(script_of())
    return path


@pytest.fixture
def no_pictures(monkeypatch):
    """Drawing takes most of the time, and is tested elsewhere."""
    monkeypatch.setattr("clustersim.plots.files.standard_figures", lambda results, **average: {})


@pytest.fixture
def few_pictures(coarse, monkeypatch):
    """Draw only the first two of the standard figures."""
    every = plots.standard_figures
    two = lambda results, **average: dict(islice(every(results, **average).items(), 2))  # noqa: E731
    monkeypatch.setattr("clustersim.plots.files.standard_figures", two)


def spawn(*args, **kwargs):
    """A real process, whose output is a pipe."""
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *map(str, args)], capture_output=True, text=True, timeout=120, check=False, **kwargs
    )


PROGRAM = ("-c", "from clustersim.cli import main; main()")


def test_run_prints_table_claims_notes_and_paths(here, few_pictures, script):
    outcome = call("run", script, "--jobs", "1", "--seed", "5")
    assert outcome.exit_code == 0, outcome.output
    for words in (
        "k = 1",
        "k = 4",
        "3 of 3",
        "time (s)",
        "95 % intervals",
        "the error falls",
        "holds",
        "Notes: A made-up study.",
        "Target: ",
    ):
        assert words in outcome.stdout
    assert outcome.stderr == ""
    pictures = re.findall(r"Figure: (\S+)", outcome.stdout)
    assert "results/scripted/figures/overview.png" in pictures
    assert all((here / path).exists() for path in pictures)
    assert cs.load_results("results/scripted").frame.equals(small_study(replications=3).run(seed=5).frame), (
        "the same study built here gives the same numbers"
    )


def test_quick_is_small_and_has_its_own_folder(here, no_pictures, script):
    outcome = call("run", script, "--quick", "--jobs", "1")
    assert outcome.exit_code == 0
    results = cs.load_results(here / "results" / "scripted-quick")
    assert len(results.totals) == 4
    assert set(results.totals["updates"]) == {3}
    assert "the error falls" not in outcome.stdout, "claims are for the whole study"
    assert "A made-up study" not in outcome.stdout, "and so are notes"
    assert "Notes: A quick look" in outcome.stdout


def test_compare_and_plot(here, few_pictures):
    small_study().run("out")
    outcome = call("compare", "out", "--metric", "loss", "--target", "1e9")
    assert outcome.exit_code == 0
    assert "what each policy needs to reach loss = 1e+09" in outcome.stdout
    outcome = call("compare", "out", "--metric", "loss", "--target", "1e9", "--baseline", "k = 4")
    assert re.search(r"k = 4 .* baseline", outcome.stdout)
    outcome = call("plot", "out", "--format", "svg")
    assert outcome.exit_code == 0
    assert (here / "out" / "figures" / "error-vs-time.svg").exists()


def test_list_reads_scripts_without_running_them(here, script):
    (here / "boom.py").write_text('"""Would fail."""\nraise SystemExit(7)\n')
    (here / "broken.py").write_text("def (\n")
    (here / "silent.py").write_text("x = 1\n")
    (here / "_helper.py").write_text('"""Hidden."""\n')
    outcome = call("list", here)
    assert outcome.exit_code == 0
    for words in ("scripted.py", "Waits for one worker or for four.", "Would fail.", "SyntaxError", "(no docstring)"):
        assert words in outcome.stdout
    assert "Hidden" not in outcome.stdout
    assert "More about it" not in outcome.stdout


def test_version_and_help_show_how_to_use_it():
    assert call("--version").stdout == f"clustersim {cs.__version__}\n"
    assert "clustersim run adaptive_mnist" in call("--help").stdout
    for command in ("run", "list", "compare", "plot"):
        text = call(command, "--help").stdout
        assert re.search(r"Examples?:", text)
        assert "clustersim" in text


HEAD = "import clustersim as cs\n"
BAD_SCRIPTS = {
    "no study": (HEAD, "bad.py builds no study: expected a variable named study"),
    "misnamed": (SCRIPT.replace("study = ", "experiment = ").split("if __name__")[0], "rename experiment"),
    "wrong kind": ("study = 3\n", "its variable study is an int; expected a clustersim.Study"),
    "syntax": ("x = 1\ndef (\n", r"bad.py, line 2: SyntaxError"),
    "fails": ("x = 1\ny = 1 / 0\n", r"bad.py, line 2 (y = 1 / 0): ZeroDivisionError: division by zero"),
    "bad argument": (HEAD + "p = cs.FastestK(0)\n", "bad.py, line 2 (p = cs.FastestK(0)): k = 0: expected"),
    "missing module": ("import no_such_module\n", "line 1 (import no_such_module): ModuleNotFoundError"),
    "too large a k": (SCRIPT.replace("FastestK(4)", "FastestK(44)"), "policy 'k = 4': k = 44"),
    "no workers": (SCRIPT.replace("workers=6", "workers=0"), "workers = 0"),
    "negative delay": (SCRIPT.replace("mean=1.0", "mean=-1.0"), "mean = -1.0"),
    "diverges": (SCRIPT.replace("1e-5", "10.0"), "replication 0: "),
    "unknown metric": (
        SCRIPT.replace("replications=3", "metric='speed'"),
        "metric = 'speed': expected one of error, loss",
    ),
    "ends itself": ("import sys\nsys.exit(0)\n", "bad.py ended itself before it built a study"),
    "interrupts itself": ("raise KeyboardInterrupt\n", "bad.py ended itself before it built a study"),
    "NUL bytes": ("x = 1\0\n", "bad.py contains NUL bytes; expected a Python script"),
    "broken policy": (
        SCRIPT.replace("study =", "class Odd(cs.FullSync):\n    def begin(self, setting): 1 / 0\nstudy =").replace(
            "cs.FastestK(4)", "Odd()"
        ),
        "policy 'k = 4': it failed: ",
    ),
}


@pytest.mark.parametrize(("text", "words"), BAD_SCRIPTS.values(), ids=BAD_SCRIPTS.keys())
def test_bad_scripts_end_in_one_clear_line(here, no_pictures, text, words):
    (here / "bad.py").write_text(text.strip().replace("UPDATES", "30") + "\n")
    outcome = call("run", "bad.py", "--jobs", "1")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: ")
    assert words in outcome.stderr
    assert outcome.stderr.count("\n") == 1


CLAIMS = {
    "raises": ('lambda r: r.frame["eror"]', "KeyError: 'eror'"),
    "returns nothing": ("lambda r: None", "its measure returned None; expected a number"),
    "returns too much": ("lambda r: 10**400", "expected a number"),
    "returns text": ("lambda r: '3'", "its measure returned '3'; expected a number"),
    "ends": ("lambda r: exit(0)", "SystemExit: 0"),
    "builtin": ("__import__('math').sqrt", "TypeError: must be real number, not Results"),
}


@pytest.mark.parametrize(("measure", "reason"), CLAIMS.values(), ids=CLAIMS.keys())
def test_a_claim_that_cannot_be_measured_is_told_and_the_rest_goes_on(here, no_pictures, measure, reason):
    text = script_of().replace("claims=[", f"claims=[cs.Claim('it is odd', {measure}), ")
    (here / "bad.py").write_text(text)
    outcome = call("run", "bad.py", "--jobs", "1")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: claim 'it is odd' failed: ")
    assert outcome.stderr.endswith(f"{reason}\n")
    assert re.search(r"failed +│ it is odd", outcome.stdout)
    assert reason in re.sub(r"[│\s]+", " ", outcome.stdout) or measure in outcome.stdout
    assert re.search(r"holds +│ the error falls", outcome.stdout)
    assert "Results: results/scripted" in outcome.stdout


FIGURES = {
    "raises": ("lambda r: 1 / 0", "ZeroDivisionError: division by zero"),
    "returns nothing": ("lambda r: None", "it returned None; expected a matplotlib Figure"),
    "ends": ("lambda r: exit(0)", "SystemExit: 0"),
    "builtin": ("__import__('math').sqrt", "TypeError: must be real number, not Results"),
}


@pytest.mark.parametrize(("own", "reason"), FIGURES.values(), ids=FIGURES.keys())
def test_a_figure_that_fails_is_told_and_the_rest_goes_on(here, no_pictures, own, reason):
    figures = f"figures={{'odd': {own}, 'fine': lambda r: __import__('matplotlib.figure').figure.Figure()}}"
    text = script_of().replace("replications=3", figures)
    (here / "bad.py").write_text(text)
    outcome = call("run", "bad.py", "--jobs", "1")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: figure 'odd' failed: ")
    assert outcome.stderr.endswith(f"{reason}\n")
    assert "Results: results/scripted" in outcome.stdout
    assert re.findall(r"Figure: (\S+)", outcome.stdout) == ["results/scripted/figures/fine.png"]


MISTAKES = {
    "unknown script": (("run", "nothing.py"), 1, "nothing.py: there is no such file"),
    "folder as script": (("run", "."), 1, "it is a folder"),
    "no Python": (("run", "data.csv"), 1, "data.csv: expected a Python script"),
    "no script": (("run",), 2, "SCRIPT"),
    "unknown option": (("run", "scripted.py", "--fast"), 2, "--fast"),
    "unknown command": (("walk",), 2, "walk"),
    "replications 0": (("run", "scripted.py", "--replications", "0"), 2, "0"),
    "replications word": (("run", "scripted.py", "--replications", "many"), 2, "many"),
    "jobs 0": (("run", "scripted.py", "--jobs", "0"), 2, "--jobs"),
    "seed -1": (("run", "scripted.py", "--seed", "-1"), 2, "-1"),
    "out is a file": (("run", "scripted.py", "--out", "data.csv"), 1, "data.csv is a file"),
    "out is foreign": (("run", "scripted.py", "--out", "."), 1, "is not empty and contains no manifest.json"),
    "compare nothing": (("compare", "nothing"), 1, "nothing: there is no such folder"),
    "compare a file": (("compare", "data.csv"), 1, "data.csv is a file"),
    "compare foreign": (("compare", "."), 1, "contains no manifest.json"),
    "target word": (("compare", "out", "--target", "low"), 2, "low"),
    "target 0": (("compare", "out", "--target", "0"), 1, "target = 0.0: expected a finite number greater than 0"),
    "metric time": (("compare", "out", "--metric", "time"), 1, "metric = 'time': expected one of error, loss"),
    "unknown baseline": (("compare", "out", "--baseline", "k = 9"), 1, "baseline = 'k = 9': expected the label of a"),
    "target nan": (("compare", "out", "--target", "nan"), 1, "target = nan"),
    "unknown metric": (("compare", "out", "--metric", "speed"), 1, "'speed'"),
    "unknown format": (("plot", "out", "--format", "gif"), 2, "gif"),
    "plot nothing": (("plot", "nothing"), 1, "nothing: there is no such folder"),
    "list nothing": (("list", "nothing"), 1, "nothing: there is no such folder"),
    "list a file": (("list", "data.csv"), 1, "data.csv: it is a file"),
    "list empty": (("list", "empty"), 1, "there are no scenario scripts"),
}


@pytest.mark.parametrize(("args", "code", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_named_and_harm_nothing(here, script, args, code, words):
    (here / "data.csv").write_text("a,b\n")
    (here / "empty").mkdir()
    small_study(policies={"k = 1": cs.FastestK(1)}, replications=1).run(here / "out")
    before = tree(here)
    outcome = call(*args)
    assert outcome.exit_code == code
    assert words in outcome.stderr
    assert outcome.stdout == ""
    assert tree(here) == before


def test_another_configuration_and_damaged_results(here, script, no_pictures):
    call("run", script, "--jobs", "1", "--out", "out")
    before = tree(here / "out")
    outcome = call("run", script, "--jobs", "1", "--out", "out", "--seed", "9")
    assert outcome.exit_code == 1
    assert "seed is 0 in the folder, 9 now" in outcome.stderr
    assert "--out" in outcome.stderr
    assert tree(here / "out") == before
    victim = sorted((here / "out" / "runs").iterdir())[0]
    victim.write_bytes(b"PAR1 but no more")
    for command in (("compare", "out"), ("plot", "out"), ("run", script, "--out", "out", "--jobs", "1")):
        outcome = call(*command)
        assert outcome.exit_code == 1
        assert victim.name in outcome.stderr


def test_an_unfinished_study_is_shown_as_far_as_it_is(here):
    study = small_study(replications=3)

    def stop(done, runs, key):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run("out", progress=stop)
    outcome = call("compare", "out")
    assert outcome.exit_code == 0
    assert "4 of 6 runs are stored" in outcome.stdout
    assert "2 of 2" in outcome.stdout


def test_a_script_in_a_process_of_its_own_and_the_command_line_do_the_same(here, script):
    by_itself = spawn(script, "--out", "out-a", "--jobs", "1", "--replications", "2")
    by_command = call("run", script, "--out", "out-b", "--jobs", "1", "--replications", "2")
    assert by_itself.returncode == 0, by_itself.stderr
    assert by_command.exit_code == 0, by_command.stderr
    assert by_itself.stdout.replace("out-a", "out-b") == by_command.stdout
    assert tree(here / "out-a") == tree(here / "out-b"), "pictures included"


def test_a_scripts_own_options(here):
    single = program._single(small_study())
    wrong = CliRunner().invoke(single, ["--seed", "x"])
    assert wrong.exit_code == 2
    assert "'x'" in wrong.stderr
    text = CliRunner().invoke(single, ["--help"]).stdout
    assert all(option in text for option in ("--out", "--replications", "--jobs", "--seed", "--quick"))
    assert "SCRIPT" not in text
    (here / "file").touch()
    taken = CliRunner().invoke(single, ["--out", "file"])
    assert (taken.exit_code, taken.stderr) == (1, "Error: file is a file; choose a folder with --out\n")
    nonsense = CliRunner().invoke(program._single("study"), [])
    assert nonsense.exit_code == 1
    assert "main('study'): expected a clustersim.Study" in nonsense.stderr


def test_an_empty_folder_name_is_refused(here, script):
    outcome = call("run", script, "--out", "")
    assert outcome.exit_code == 2
    assert "it is empty" in outcome.stderr


def test_a_script_without_the_guard_still_runs_once(here, no_pictures, script):
    script.write_text(script.read_text().replace('if __name__ == "__main__":', "if True:"))
    outcome = call("run", script, "--jobs", "2", "--replications", "1")
    assert outcome.exit_code == 0
    assert outcome.stdout.count("Results: ") == 1


def long_run(here, jobs):
    """A process that is in the midst of a long study, in a group of its own."""
    long = script_of(600).replace("replications=3", "replications=400")
    (here / "long.py").write_text(long)
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, *PROGRAM, "run", "long.py", "--out", "out", "--jobs", str(jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.poll() is None and len(list(here.glob("out/runs/*.parquet"))) < 3:
        time.sleep(0.02)
    return process


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(
    ("number", "code", "jobs", "again"),
    [(signal.SIGINT, 130, 1, None), (signal.SIGTERM, 143, 2, 0.02)],
)
def test_ctrl_c_and_sigterm_say_what_is_stored_and_how_to_go_on(here, number, code, jobs, again):
    """A signal that comes again is no other one: a wrapper that has received it forwards it, for example.

    ``python -m tests.fuzz signals`` tries other moments.
    """
    process = long_run(here, jobs)
    os.killpg(process.pid, number)  # as a terminal does: to the whole group
    if again is not None:
        time.sleep(again)
        os.killpg(process.pid, number)
    out, err = process.communicate(timeout=60)  # returns when the last process that holds the pipes is gone
    stored = len(list(here.glob("out/runs/*.parquet")))
    assert process.returncode == code, err
    assert err == f"Interrupted: {stored} finished runs are stored in out; run the same command to continue.\n"
    assert out == ""
    assert 3 <= stored < 800
    assert len(cs.load_results("out").totals) == stored
    assert not list(here.glob("out/**/.*.tmp")), "nothing half-written"


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="a list of a process's children")
def test_killed_processes_of_the_pool_cost_nothing(here, no_pictures, script):
    call("run", script, "--out", "calm", "--jobs", "1", "--replications", "6")
    storm, killed, over = ("run", script, "--out", "out", "--jobs", "2", "--replications", "6"), [], threading.Event()

    def kill_some():
        while len(killed) < 2 and not over.wait(0.9):
            killed.extend(pid for pid in processes_of_pools() if kill(pid))

    killer = threading.Thread(target=kill_some)
    killer.start()
    try:
        outcome = call(*storm)
    finally:
        over.set()
        killer.join()
    assert killed
    if outcome.exit_code:  # the same run was hit twice
        assert "the process that executed it died" in outcome.stderr
        assert call(*storm, "--retry-failed").exit_code == 0
    assert tree(here / "calm" / "runs") == tree(here / "out" / "runs")


def processes_of_pools():
    """The processes that pools of this process have started."""
    lists = [path.read_text().split() for path in Path("/proc/self/task").glob("*/children")]
    return [int(child) for found in lists for child in found if b"studies.child" in words_of(child)]


def words_of(pid):
    """The command line of a process; nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def kill(pid):
    """Kill a process; whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def test_runs_that_fail_are_told_at_the_end_and_the_rest_is_shown(here, no_pictures, script):
    text = script.read_text().replace("replications=3", "variants={'tame': {}, 'wild': {'optimizer': cs.SGD(10.0)}}")
    script.write_text(text.replace("claims=[", "replications=2, claims=["))
    for more, first in (
        ((), "0 of 8 runs were already stored; 4 failed."),
        ((), "8 of 8"),
        (("--retry-failed",), "4 of 8"),
    ):
        outcome = call("run", script, "--jobs", "1", *more)
        assert outcome.exit_code == 1
        assert first in outcome.stdout
        assert "2 of 2" in outcome.stdout
        lines = outcome.stderr.splitlines()
        assert lines[0] == "Error: 4 of 8 runs failed; --retry-failed repeats them"
        assert lines[1].startswith("Error: variant 'wild', policy 'k = 1', replication 0: the model diverged at update")
    assert call("compare", "results/scripted").exit_code == 0


def test_how_many_runs_are_from_before_is_said_every_time(here, no_pictures, script):
    for replications, words in (
        (2, "0 of 4 runs were already stored."),
        (3, "4 of 6 runs were already stored."),
        (3, "6 of 6"),
    ):
        assert words in call("run", script, "--jobs", "1", "--replications", replications).stdout


def test_a_signal_survives_being_made_anew():
    stop = Stopped(signal.SIGTERM)
    again = type(stop)(*stop.args)  # as SimPy does when a process fails with it
    assert again.code == 143


class Named:
    """A signal comes while Python tells it its name; Python 3.11 raises a RuntimeError of its own."""

    def __set_name__(self, owner, name):
        raise Stopped(signal.SIGTERM)


def named():
    type("Made", (), {"named": Named()})


def handled():
    try:
        raise Stopped(signal.SIGTERM)
    except Stopped:
        raise ValueError("while it was handled")  # noqa: B904 - the context is the point


def hidden():
    try:
        raise Stopped(signal.SIGTERM)
    except Stopped:
        raise ValueError("final") from None


@pytest.mark.parametrize(("work", "kind"), [(named, Stopped), (handled, Stopped), (hidden, ValueError)])
def test_a_signal_behind_another_exception_is_a_signal_unless_the_exception_hides_it(work, kind):
    with pytest.raises(kind), stoppable():
        work()


def test_a_signal_behind_an_error_of_a_script_ends_the_program(here, no_pictures):
    (here / "bad.py").write_text(
        "from clustersim.studies.signals import Stopped\nraise ValueError('x') from Stopped(15)\n"
    )
    outcome = call("run", "bad.py", "--jobs", "1")
    assert (outcome.exit_code, outcome.stderr) == (143, "Interrupted.\n")


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_no_process_outlives_a_killed_parent(here):
    process = long_run(here, jobs=2)
    process.kill()
    process.communicate(timeout=60)  # returns when the last process that holds the pipes is gone
    assert process.returncode == -signal.SIGKILL


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
@pytest.mark.parametrize("args", [("--help",), ("compare", "out")])
def test_a_full_device_is_told_in_one_line(here, script, args):
    small_study(replications=1).run(here / "out")
    with open("/dev/full", "w") as full:
        outcome = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, *PROGRAM, *args], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False
        )
    assert outcome.returncode == 1
    assert outcome.stderr == "Error: the output: No space left on device\n"


def test_help_says_what_the_exit_code_means():
    text = " ".join(call("run", "--help").stdout.split())
    assert "even if a claim does not hold" in re.sub(r"[│\s]+", " ", text)
