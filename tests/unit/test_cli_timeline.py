"""The command `timeline`: its files, and its errors."""

import sys

import pytest
from command_line import call, script_of
from matplotlib.figure import Figure
from small import small_study
from trace_format import events_of

import clustersim as cs
from clustersim.studies.single import single_run

VARIANTS = 'variants={"slow": {"cluster": cs.Cluster(6, cs.Exponential(2.0))}, "fast": {}},'


@pytest.fixture(autouse=True)
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "scripted.py"
    path.write_text(script_of())
    return path


def test_it_writes_a_picture_and_a_trace(script):
    outcome = call("timeline", script, "--policy", "k = 4", "--updates", "5", "--out", "made")
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout == "Figure: made/timeline.png\nTrace: made/timeline.json\n"
    folder = script.parent / "made"
    assert (folder / "timeline.png").read_bytes()[:4] == b"\x89PNG"
    events = events_of((folder / "timeline.json").read_text())
    updates = [event["ts"] for event in events if event["ph"] == "i"]
    expected = small_study(evaluate_every=1, replications=1).run().frame.query("policy == 'k = 4' and 0 < update <= 5")
    assert updates == pytest.approx((expected["time"] * 1e6).tolist(), abs=1e-3), "the run of the study"
    assert not [e for e in events if e.get("args", {}).get("fate") == "in flight"], "the fates are known"


def test_seed_replication_workers_and_format(script, monkeypatch):
    drawn = []
    call("timeline", script, "--policy", "k = 4", "--out", "zero")
    monkeypatch.setattr("clustersim.plots.timeline", lambda run, updates, workers: drawn.append(workers) or Figure())
    call("timeline", script, "--policy", "k = 4", "--out", "one", "--seed", "1")
    options = ("--replication", "2", "--workers", "0-2,5", "--format", "svg")
    outcome = call("timeline", script, "--policy", "k = 4", "--out", "two", *options)
    assert drawn == [None, [0, 1, 2, 5]]
    assert outcome.exit_code == 0, outcome.output
    traces = {(script.parent / name / "timeline.json").read_bytes() for name in ("zero", "one", "two")}
    assert len(traces) == 3
    assert b"<svg" in (script.parent / "two" / "timeline.svg").read_bytes()


def test_a_study_that_ends_before(script):
    script.write_text(script_of(updates=3))
    outcome = call("timeline", script, "--policy", "k = 4", "--out", "made")
    assert outcome.exit_code == 0
    assert "The run ends after 3 updates: 3 updates done." in outcome.stdout


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--policy", "k=4"), 1, "policy = 'k=4': the study has no such policy; did you mean 'k = 4'?"),
        (("--policy", "zzz"), 1, "choose among 'k = 1' and 'k = 4'"),
        (("--policy", "k = 4", "--variant", "x"), 1, "variant = 'x': the study has no such variant"),
        (("--policy", "k = 4", "--workers", "6"), 1, "workers = 6: expected a whole number from 0 to 5"),
        (("--policy", "k = 4", "--workers", "3-"), 2, "expected numbers of workers, such as 0,3,7 or 0-9"),
        (("--policy", "k = 4", "--workers", "3-1"), 2, "expected numbers of workers"),
        (("--policy", "k = 4", "--updates", "0"), 2, "expected a whole number, at least 1"),
        ((), 2, "policy"),
    ],
)
def test_errors(script, options, code, words):
    outcome = call("timeline", script, "--out", "made", *options)
    assert outcome.exit_code == code
    assert words in " ".join(outcome.stderr.replace("│", " ").split())
    assert not (script.parent / "made").exists()


def test_one_of_several_variants_must_be_chosen(script):
    script.write_text(script_of().replace("replications=3,", f"replications=3, {VARIANTS}"))
    outcome = call("timeline", script, "--policy", "k = 4", "--out", "made")
    assert outcome.exit_code == 1
    assert "the study has 2 variants: 'slow' and 'fast'; choose one of them" in outcome.stderr
    outcome = call("timeline", script, "--policy", "k = 4", "--out", "made", "--variant", "slo")
    assert "did you mean 'slow'?" in outcome.stderr
    assert call("timeline", script, "--policy", "k = 4", "--out", "made", "--variant", "slow").exit_code == 0


def test_a_single_run_is_that_of_the_study():
    twice = {"slow": {"cluster": cs.Cluster(6, cs.Exponential(2.0))}, "fast": {}}
    study = small_study(variants=twice, evaluate_every=1, replications=2)
    frame = study.run(seed=3).frame.set_index(["variant", "policy", "replication"]).sort_index()
    for variant in twice:
        run = single_run(study, "k = 1", variant, updates=9, seed=3, replication=1)
        mine = frame.loc[(variant, "k = 1", 1)].query("0 < update <= 9")
        assert run.updates.tolist() == mine["time"].tolist()
        assert run.history["error"].tolist()[1:] == mine["error"].tolist()
