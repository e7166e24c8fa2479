"""The commands `tune`, `run --tuned` and `merge`."""

import json

import pytest
from command_line import call, script_of

import clustersim as cs


@pytest.fixture
def script(tmp_path, monkeypatch):
    """A script in an empty folder, whose runs take milliseconds and draw nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("clustersim.plots.draw", lambda *args, **options: [])
    path = tmp_path / "scripted.py"
    path.write_text(script_of())
    return path


def tuned(script, *more):
    return call("tune", script, "--step-size", "1e-6,1e-5,1e200", "--replications", "2", "--jobs", "1", *more)


def test_what_is_tuned_is_printed_stored_and_used(script):
    outcome = tuned(script)
    assert outcome.exit_code == 0, outcome.output
    assert "clustersim run" in outcome.stdout
    picked = json.loads((script.parent / "results" / "scripted-tuning" / "tuning.json").read_text())["step_sizes"]
    assert picked == {"k = 1": 1e-5, "k = 4": 1e-5}
    failed = [line for line in outcome.stdout.splitlines() if "1e+200" in line]
    assert len(failed) == 2
    outcome = call("run", script, "--tuned", "results/scripted-tuning", "--jobs", "1", "--out", "tuned")
    assert outcome.exit_code == 0, outcome.output
    fixed = script_of().replace("cs.SGD(lambda t: STEP)", "cs.SGD(1e-5)")
    script.write_text(fixed)
    assert call("run", script, "--jobs", "1", "--out", "plain").exit_code == 0
    assert cs.load_results("tuned").frame.equals(cs.load_results("plain").frame)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: file.unlink(), "there is no tuning in it; run `clustersim tune` first"),
        (lambda file: file.write_text("{"), "is damaged"),
        (lambda file: file.write_text(file.read_text().replace('"scripted"', '"other"')), "is about the study 'other'"),
        (lambda file: file.write_text(file.read_text().replace("k = 4", "k = 5")), "expected 'scripted' with"),
    ],
)
def test_what_cannot_be_used_is_named(script, change, words):
    assert tuned(script).exit_code == 0
    change(script.parent / "results" / "scripted-tuning" / "tuning.json")
    outcome = call("run", script, "--tuned", "results/scripted-tuning", "--jobs", "1")
    assert outcome.exit_code == 1
    assert words in outcome.stderr


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ("", "expected numbers separated by commas"),
        ("0.1,a", "'a': expected a number"),
        ("-1", "step_size = -1.0: expected"),
    ],
)
def test_unusable_step_sizes_are_named(script, sizes, words):
    outcome = call("tune", script, "--step-size", sizes, "--jobs", "1")
    assert outcome.exit_code in (1, 2)
    assert words in outcome.stderr


def test_folders_of_one_study_are_joined(script):
    for name, replications in (("a", 1), ("b", 3)):
        assert call("run", script, "--replications", replications, "--jobs", "1", "--out", name).exit_code == 0
    outcome = call("merge", "a", "b", "--out", "all")
    assert (outcome.exit_code, outcome.stdout) == (0, "6 runs are now in all.\n")
    assert call("run", script, "--seed", "1", "--jobs", "1", "--out", "c").exit_code == 0
    outcome = call("merge", "a", "c", "--out", "more")
    assert outcome.exit_code == 1
    assert "seed is 1 in the folder, 0 now" in outcome.stderr
