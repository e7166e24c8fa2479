"""Joining results folders of one study."""

import os
import shutil

import pandas as pd
import pytest
from small import small_study

import clustersim as cs
from clustersim.studies import merging
from clustersim.studies.runfile import decode, encode


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*/*.*"))}


@pytest.fixture
def parts(tmp_path):
    """One study, carried out as a whole and in two parts."""
    small_study().run(tmp_path / "whole", seed=5)
    for label, policy in small_study().policies.items():
        small_study(policies={label: policy}).run(tmp_path / label, seed=5)
    return tmp_path


def test_the_parts_of_a_study_make_the_whole(parts):
    labels = [*small_study().policies]
    results = cs.merge([parts / label for label in labels], parts / "out")
    assert content(parts / "out") == content(parts / "whole")
    assert (parts / "out" / "manifest.json").read_bytes() == (parts / "whole" / "manifest.json").read_bytes()
    pd.testing.assert_frame_equal(results.frame, cs.load_results(parts / "whole").frame)
    assert small_study().run(parts / "out", seed=5).reused == len(results.totals), "nothing is computed again"


def test_more_parts_may_come_later_and_into_one_of_the_folders(parts):
    first, *others = small_study().policies
    cs.merge([parts / other for other in others], parts / first)
    assert content(parts / first) == content(parts / "whole")


@pytest.mark.parametrize(
    ("changes", "seed", "words"),
    [
        ({}, 6, "seed is 6 in the folder, 5 now"),
        ({"optimizer": cs.SGD(3e-6)}, 5, "step_size"),
        ({"policies": {"k = 1": cs.FastestK(2)}}, 5, "policy 'k = 1'"),
        ({"name": "other"}, 5, "has name 'other'"),
        ({"metric": "loss"}, 5, "has metric 'loss'"),
    ],
)
def test_what_differs_is_named_and_nothing_is_written(parts, changes, seed, words):
    small_study(**changes).run(parts / "other", seed=seed)
    with pytest.raises(cs.ResultsError, match=words):
        cs.merge([parts / "whole", parts / "other"], parts / "out")
    assert not (parts / "out").exists()


def test_a_run_with_two_contents_is_named(parts):
    shutil.copytree(parts / "whole", parts / "copy")
    run = next((parts / "copy" / "runs").iterdir())
    run.write_bytes(run.read_bytes()[:-1])
    with pytest.raises(cs.ResultsError, match=run.name):
        cs.merge([parts / "whole", parts / "copy"], parts / "out")


def test_two_sound_files_of_one_run_that_differ_are_named(parts):
    shutil.copytree(parts / "whole", parts / "copy")
    run = next((parts / "copy" / "runs").iterdir())
    stored = decode(run.read_bytes())
    run.write_bytes(encode(stored.key, stored.history.assign(loss=0.0), stored.totals, stored.run_hash))
    with pytest.raises(cs.ResultsError, match=f"{run.name} differ, although they should be the same run"):
        cs.merge([parts / "whole", parts / "copy"], parts / "out")


def step_size(update):
    """Fail on a machine where something is wrong."""
    if "CLUSTERSIM_TEST_BROKEN" in os.environ:
        raise OSError("the disk is broken")
    return 1e-5


@pytest.mark.parametrize("order", [("good", "bad"), ("bad", "good")])
def test_a_finished_run_counts_and_not_its_failure_elsewhere(tmp_path, monkeypatch, order):
    small_study(optimizer=cs.SGD(step_size)).run(tmp_path / "good")
    monkeypatch.setenv("CLUSTERSIM_TEST_BROKEN", "1")
    with pytest.raises(cs.FailedRunsError):
        small_study(optimizer=cs.SGD(step_size), replications=3).run(tmp_path / "bad")
    results = cs.merge([tmp_path / name for name in order], tmp_path / "out")
    assert set(results.failures["replication"]) == {2}, "the third replication has only failed"
    assert len(results.totals) == 4
    assert all("r0002" in path.name for path in (tmp_path / "out" / "failures").iterdir())


def test_message_tables_come_along_from_whichever_folder_has_them(tmp_path):
    small_study().run(tmp_path / "plain", seed=5)
    small_study(replications=1).run(tmp_path / "recorded", seed=5, messages=True)
    cs.merge([tmp_path / "plain", tmp_path / "recorded"], tmp_path / "out")
    stored, joined = (tmp_path / name / "messages" for name in ("recorded", "out"))
    assert {path.name: path.read_bytes() for path in joined.iterdir()} == {
        p.name: p.read_bytes() for p in stored.iterdir()
    }
    loaded, recorded = (cs.load_run(tmp_path / name, "k = 4") for name in ("out", "recorded"))
    pd.testing.assert_frame_equal(loaded.messages, recorded.messages)
    assert cs.load_run(tmp_path / "out", "k = 4", replication=1).messages is None


def test_a_damaged_message_table_is_named_and_nothing_is_written(tmp_path):
    small_study().run(tmp_path / "recorded", messages=True)
    table = next((tmp_path / "recorded" / "messages").iterdir())
    table.write_bytes(table.read_bytes()[:-1])
    with pytest.raises(cs.ResultsError, match=f"{table.name} is damaged"):
        cs.merge([tmp_path / "recorded"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_nothing_but_a_lock_is_free(parts):
    (parts / "out").mkdir()
    (parts / "out" / ".lock").touch()
    cs.merge([parts / "whole"], parts / "out")
    assert content(parts / "out") == content(parts / "whole")


def test_a_study_that_runs_in_the_folder_meanwhile_loses_nothing(parts, monkeypatch):
    first, other = small_study().policies
    real = merging.locked

    def late(folder):
        small_study(policies={"k = 6": cs.FastestK(6)}).run(folder, seed=5)
        return real(folder)

    monkeypatch.setattr(merging, "locked", late)
    with pytest.raises(cs.ResultsError, match="a study has run in it meanwhile; join the folders again"):
        cs.merge([parts / other], parts / first)
    assert set(cs.load_results(parts / first).policies) == {first, "k = 6"}


def test_folders_that_are_none_are_named(tmp_path):
    with pytest.raises(cs.ConfigurationError, match="at least one results folder"):
        cs.merge([], tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    small_study().run(tmp_path / "a")
    with pytest.raises(cs.ResultsError, match="mine is not empty"):
        cs.merge([tmp_path / "a"], tmp_path / "mine")
