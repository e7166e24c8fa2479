"""The program as a process: both names of it, any terminal, and signals at any moment."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import call, script_of
from small import small_study

import clustersim as cs
from clustersim.interrupts import end_on_signals, restore
from clustersim.terminal import spelled_out

MODULE = (sys.executable, "-m", "clustersim")
PROGRAM = (sys.executable, "-c", "import sys; sys.argv[0] = 'clustersim'; from clustersim.__main__ import main; main()")
WITHOUT_PICTURES = "import clustersim.plots.files as files; files.standard_figures = lambda *parts, **rest: {}; "
NO_PICTURES = (sys.executable, "-c", WITHOUT_PICTURES + "from clustersim.__main__ import main; main()")
ASCII = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
unix = pytest.mark.skipif(os.name == "nt", reason="signals and descriptors of Unix")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spawn(*command, env=None, **more):
    """Run a process to its end."""
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"} | more
    words, env = list(map(str, command)), os.environ | (env or {})
    return subprocess.run(words, env=env, timeout=120, check=False, **more)  # noqa: S603 - our own program


@pytest.mark.parametrize(("command", "name"), [(MODULE, "python -m clustersim"), (PROGRAM, "clustersim")])
def test_both_names_of_the_program_do_the_same_and_tell_how_they_were_called(command, name):
    told = spawn(*command, "-h")
    assert f"Usage: {name} [OPTIONS] COMMAND" in told.stdout
    assert (told.returncode, told.stderr) == (0, "")


def test_the_shipped_scenarios_are_known_in_a_folder_that_holds_none():
    listed = call("list")
    assert (listed.exit_code, listed.stderr) == (0, "")
    assert listed.stdout.count("\n") == 20
    wrong = call("run", "adaptive_mnis")
    assert wrong.exit_code == 1
    assert wrong.stderr == "Error: adaptive_mnis: there is no such file; did you mean adaptive_mnist?\n"


HEAVY = ("numpy", "scipy", "pandas", "matplotlib")


@pytest.mark.parametrize(
    ("module", "heavy"), [("clustersim.__main__", (*HEAVY, "typer", "rich")), ("clustersim.cli", HEAVY)]
)
def test_the_program_and_its_help_start_without_what_takes_time(module, heavy):
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    assert spawn(sys.executable, "-c", code).stdout == "[]\n"


@pytest.mark.parametrize("command", [(), ("run",), ("list",), ("compare",), ("plot",)])
def test_h_is_help(command):
    short, long = (call(*command, option) for option in ("-h", "--help"))
    assert (short.exit_code, short.stderr) == (0, "")
    assert "Usage: " in short.stdout
    assert short.stdout == long.stdout


def test_h_is_help_of_a_script_too(here):
    (here / "scripted.py").write_text(script_of())
    outcome = spawn(sys.executable, "scripted.py", "-h")
    assert outcome.returncode == 0
    assert "--format" in outcome.stdout


def test_what_a_terminal_lacks_is_spelled_out_and_tables_stay_straight(here):
    script = script_of().replace('"k = 1"', '"κ – 1 ± ü Ж"')
    (here / "scripted.py").write_text(script.replace("A made-up study.", "Naïve ≤ “good” …"), encoding="utf-8")
    for encoding, label, command in (
        ("ascii", "kappa - 1 +/- u \\u0416", (*NO_PICTURES, "run", "scripted.py", "--jobs", "1")),
        ("latin-1", "kappa - 1 ± ü \\u0416", (*MODULE, "compare", "results/scripted")),
    ):
        outcome = spawn(*command, env=ASCII | {"PYTHONIOENCODING": encoding}, encoding=encoding)
        assert (outcome.returncode, outcome.stderr) == (0, "")
        assert label in outcome.stdout
        assert spelled_out("Notes: Naïve ≤ “good” …", encoding) in outcome.stdout
        table = [
            line for line in outcome.stdout.split("Target:")[0].splitlines() if line.startswith(("|", "+", "│", "┃"))
        ]
        assert len(table) > 5
        assert len({len(line) for line in table}) == 1, table
    listed = spawn(*MODULE, "list", env=ASCII, encoding="ascii")
    assert (listed.returncode, listed.stderr) == (0, "")


@pytest.mark.parametrize("env", [{}, ASCII])
def test_names_that_no_encoding_knows_are_told(env):
    outcome = spawn(*MODULE, "run", os.fsdecode(b"\xff\xc3\xa9.py"), env=env)
    assert outcome.returncode == 1
    assert re.fullmatch(r"Error: \\udcff(é|\\udcc3\\udca9)\.py: there is no such file; .*\n", outcome.stderr)


HELP, COMPARE, RUN = ("-h",), ("compare", "out"), ("run", "scripted.py", "--jobs", "1")


@unix
@pytest.mark.parametrize(
    ("closed", "args"),
    [("by its reader", HELP), ("by its reader", RUN), ("from the start", HELP), ("from the start", COMPARE)],
    ids=lambda words: words if isinstance(words, str) else words[0],
)
def test_an_output_that_is_closed_stays_quiet(here, closed, args):
    (here / "scripted.py").write_text(script_of())
    small_study(replications=1).run(here / "out")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        if closed == "by its reader":
            outcome = spawn(*(NO_PICTURES if args == RUN else MODULE), *args, stdout=writer)
        else:
            outcome = spawn("sh", "-c", 'exec "$@" >&-', "sh", *MODULE, *args, stdout=None)
    finally:
        os.close(writer)
    assert outcome.stderr == ""
    assert outcome.returncode in (0, 1)


def heeds(process):
    """Whether a process has set a handler for SIGTERM, which Python itself does not."""
    try:
        caught = next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "SigCgt" in line)
    except OSError:
        return False
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="where the system tells which signals are heeded")
@pytest.mark.parametrize("command", ["module", "script"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_at_any_moment_ends_the_program_without_a_traceback(here, command, number, code):
    (here / "scripted.py").write_text(script_of())
    words = {
        "module": (*MODULE, "run", "scripted.py", "--jobs", "1"),
        "script": (sys.executable, "scripted.py", "--jobs", "1"),
    }
    draw = random.Random(f"{command} {code}")  # noqa: S311 - moments, not secrets
    for latest in (0.0, 1.6):
        process = subprocess.Popen(words[command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
        while process.poll() is None and not heeds(process):
            time.sleep(0.001)
        time.sleep(draw.uniform(0.0, latest))
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        assert process.returncode in (code, 0), err
        if process.returncode:
            assert err.startswith("Interrupted")


@unix
def test_only_handlers_that_are_pythons_own_are_replaced_and_put_back():
    def mine(number, frame):
        """Do nothing."""

    usual = signal.signal(signal.SIGTERM, mine)
    try:
        before = end_on_signals()
        assert set(before) == {signal.SIGINT}
        assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        restore(before)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, usual)


def test_every_public_name_is_found_and_no_other():
    assert {name for name in cs.__all__ if not hasattr(cs, name)} == set()
    assert set(cs.__all__) <= set(dir(cs))
    assert cs.latency.LatencyModel is cs.LatencyModel
    with pytest.raises(AttributeError, match="module 'clustersim' has no attribute 'FastestKay'"):
        _ = cs.FastestKay
