"""The results folder: what is refused, and that nothing stored is ever harmed."""

import dataclasses
import functools
import hashlib
import importlib.util
import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse, stats
from small import small_study, tree

import clustersim as cs
from clustersim.studies import files
from clustersim.studies import store as store_module
from clustersim.studies import study as study_module
from clustersim.studies.configuration import canonical, describe, differences, digest
from clustersim.studies.failures import Failure
from clustersim.studies.lock import locked
from clustersim.studies.results import RunKey
from clustersim.studies.runfile import decode, encode


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "out"
    small_study().run(folder, seed=1)
    return folder


@pytest.fixture
def folder(tmp_path, finished):
    """A copy of a finished study, to be harmed."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


OTHER = {
    "problem": (
        {"problem": cs.LeastSquares.synthetic(rows=60, features=3, design="gaussian", seed=8)},
        "study:.problem.*X_sha256",
    ),
    "workers": ({"cluster": cs.Cluster(5, cs.Exponential(1.0))}, r"cluster\.workers is 6 in the folder, 5 now"),
    "mean": (
        {"cluster": cs.Cluster(6, cs.Exponential(2.0))},
        r"cluster\.compute\.mean is 1 in the folder, 2 now",
    ),
    "optimizer": ({"optimizer": cs.SGD(1e-5)}, r"optimizer\.step_size"),
    "function": (
        {"optimizer": cs.SGD(lambda t: 2e-5)},
        "only in the folder: 'lambda t: 1e-05'; .*<lambda> is only there now: 'lambda t: 2e-05'",
    ),
    "until": ({"until": cs.Until(updates=40)}, r"until\.updates is 30 in the folder, 40 now"),
    "evaluate_every": ({"evaluate_every": 5}, "evaluate_every is null in the folder, 5 now"),
    "policy": ({"policies": {"k = 1": cs.FastestK(2)}}, "policy 'k = 1': k is 1 in the folder, 2 now"),
}


@pytest.mark.parametrize(("changes", "words"), OTHER.values(), ids=OTHER.keys())
def test_a_folder_of_another_configuration_is_refused_and_left_alone(folder, changes, words):
    before = tree(folder)
    with pytest.raises(cs.ResultsError, match=f"(?s){words}.*choose another folder"):
        small_study(**changes).run(folder, seed=1)
    assert tree(folder) == before


def test_another_seed_or_version_is_refused(folder, monkeypatch):
    before = tree(folder)
    with pytest.raises(cs.ResultsError, match="seed is 1 in the folder, 2 now"):
        small_study().run(folder, seed=2)
    monkeypatch.setattr(cs, "__version__", "99.0")
    with pytest.raises(cs.ResultsError, match=r'clustersim is .* in the folder, "99.0" now'):
        small_study().run(folder, seed=1)
    assert tree(folder) == before


def test_a_label_without_finished_runs_can_be_used_anew(tmp_path):
    study = small_study(policies={"wild": cs.FastestK(1)}, optimizer=cs.SGD(10.0))
    with pytest.raises(cs.FailedRunsError):
        study.run(tmp_path / "out")
    assert (tmp_path / "out" / "manifest.json").exists()
    small_study(policies={"wild": cs.FastestK(2)}).run(tmp_path / "out", seed=9)
    assert len(cs.load_results(tmp_path / "out").totals) == 2


def test_a_foreign_folder_or_a_file_is_refused(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(cs.ResultsError, match=r"thesis is not empty and contains no manifest\.json"):
        small_study().run(tmp_path / "thesis")
    assert list(tree(tmp_path / "thesis")) == ["chapter.tex"]
    with pytest.raises(cs.ResultsError, match=r"chapter\.tex is a file"):
        small_study().run(tmp_path / "thesis" / "chapter.tex")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".hidden").write_text("left by a file manager")
    small_study().run(tmp_path / "empty")


DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "garbage": lambda content: b"PAR1" + bytes(range(256)) + b"PAR1",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_run_is_named_and_nothing_else_is_touched(folder, damage):
    victim = sorted((folder / "runs").iterdir())[1]
    victim.write_bytes(damage(victim.read_bytes()))
    before = tree(folder)
    for attempt in (lambda: cs.load_results(folder), lambda: small_study().run(folder, seed=1)):
        with pytest.raises(cs.ResultsError, match=victim.name):
            attempt()
    assert tree(folder) == before
    victim.unlink()
    small_study().run(folder, seed=1)
    assert not cs.load_results(folder).missing


def test_a_parquet_file_of_somebody_else_is_named(folder):
    victim = next((folder / "runs").iterdir())
    pd.DataFrame({"a": [1]}).to_parquet(victim)
    with pytest.raises(cs.ResultsError, match=victim.name):
        cs.load_results(folder)


def test_a_run_under_the_wrong_name_is_named(folder):
    one, other = sorted((folder / "runs").glob("*r0000*"))
    other.write_bytes(one.read_bytes())
    with pytest.raises(cs.ResultsError, match=f"{other.name} contains a run of another"):
        cs.load_results(folder)


def test_a_run_of_another_configuration_is_not_taken_for_a_finished_one(folder):
    """Its file is whole, has the right name and the right labels; only the hash of its configuration is another one."""
    path = sorted((folder / "runs").iterdir())[0]
    run = decode(path.read_bytes())
    path.write_bytes(encode(run.key, run.history, run.totals, run.run_hash[::-1]))
    assert decode(path.read_bytes()).run_hash == run.run_hash[::-1] != run.run_hash
    before = tree(folder)
    for use in (lambda: cs.load_results(folder), lambda: small_study().run(folder, seed=1)):
        with pytest.raises(cs.ResultsError, match=rf"{path.name} contains a run of another configuration"):
            use()
    assert tree(folder) == before


def test_a_failure_of_another_configuration_does_not_count(folder):
    """The run is carried out as if it had not been tried."""
    store = store_module.Store.open(folder)
    key = next(iter(store.manifest.runs()))
    for run_hash, failed in ((store.manifest.run_hash(key), True), ("0" * 64, False)):
        store = store_module.Store.open(folder)
        store.path(key).unlink(missing_ok=True)
        store.failure_path(key).parent.mkdir(exist_ok=True)
        store.failure_path(key).write_text(Failure(key, 1, "it was unlucky", run_hash).text())
        assert (store.failure(key) is not None) is failed
        assert store.pending([key]) == ([] if failed else [key])


def resealed(text, **changes):
    """A manifest as somebody who knows the format would fake it."""
    told = json.loads(text) | changes
    del told["hash"]
    told = json.loads(json.dumps(told))
    return json.dumps(told | {"hash": hashlib.sha256(faked(told).encode()).hexdigest()})


def faked(told):
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: "",
        lambda text: text.replace('"updates": 30', '"updates": 40'),
        lambda text: text.replace('"metric": "error"', '"metric": "loss"'),
        lambda text: text.replace('"name": "small"', '"name": "large"'),
        lambda text: text.replace('"replications": 2', '"replications": 3'),
        lambda text: resealed(text, replications=10**6),
        lambda text: resealed(text, replications=math.inf),
        lambda text: resealed(text, replications="2"),
        lambda text: resealed(text, policies=["k = 1", "k = 1"]),
        lambda text: resealed(
            text, policies=["\x1b[2J"], configuration={"policies": {"\x1b[2J": 1}, "variants": {"": 1}}
        ),
        lambda text: resealed(text, name="\x1b[2J"),
        lambda text: resealed(text, configuration={"variants": {"": {}}, "policies": {"k = 1": 1, "k = 4": 1}}),
        lambda text: resealed(text, configuration=[]),
        lambda text: resealed(text, variants=None),
        lambda text: 10_000 * "[" + 10_000 * "]",
        lambda text: 10_000 * '{"format":' + "3" + 10_000 * "}",
        lambda text: text.replace('"format": 4', '"format": 99'),
    ],
    ids=[
        "cut short",
        "a list",
        "empty",
        "edited",
        "other metric",
        "other name",
        "other replications",
        "a million",
        "infinite",
        "text",
        "twice",
        "escape",
        "escaping name",
        "no seed",
        "list of configurations",
        "no variants",
        "deep list",
        "deep mapping",
        "other format",
    ],
)
def test_a_damaged_manifest_is_named(folder, change):
    path = folder / "manifest.json"
    path.write_text(change(path.read_text()))
    before = tree(folder)
    for attempt in (lambda: cs.load_results(folder), lambda: small_study().run(folder, seed=1)):
        with pytest.raises(cs.ResultsError, match=r"manifest\.json"):
            attempt()
    assert tree(folder) == before


def test_what_the_manifest_tells(folder):
    told = json.loads((folder / "manifest.json").read_text())
    assert told["name"] == "small"
    assert told["seed"] == 1
    assert told["policies"] == ["k = 1", "k = 4"]
    assert set(told["versions"]) == {"clustersim", "python", "numpy", "scipy", "simpy", "pandas", "pyarrow"}
    assert told.pop("hash") == digest(told), "all of it is hashed"
    assert not any(word in json.dumps(told) for word in ("0x", str(folder.parent)))


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_no_half_written_file(folder, monkeypatch, moment):
    before = tree(folder)

    def crash(*args):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, moment, crash)
    with pytest.raises(cs.ResultsError, match=r"manifest\.json cannot be written: the disk is full"):
        small_study(replications=3).run(folder, seed=1)
    assert tree(folder) == before


def test_a_crash_at_the_third_replication_keeps_the_first_two(folder, monkeypatch):
    before = tree(folder / "runs")
    real = os.replace

    def crash(source, target):
        if "r0002" in str(target):
            raise OSError("the disk is full")
        real(source, target)

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(cs.ResultsError, match=r"r0002\.parquet cannot be written"):
        small_study(replications=3).run(folder, seed=1)
    assert tree(folder / "runs") == before
    monkeypatch.undo()
    assert len(small_study(replications=3).run(folder, seed=1).totals) == 6


MARK = "0123456789abcdef"
RUN = f".k-1-r0000.parquet.{MARK}.tmp"
LEFT = (f"runs/{RUN}", f"figures/.overview.png.{MARK}.tmp", f".manifest.json.{MARK}.tmp", f"messages/{RUN}")
KEPT = (f"figures/.k-vs-time.png.{MARK}.tmp", "runs/.mine.tmp")


def test_files_left_by_a_killed_process_are_ignored_and_swept(folder):
    for name in ("figures", "messages"):
        (folder / name).mkdir()
    for name in (*LEFT, *KEPT):
        (folder / name).write_bytes(b"half")
    os.utime(folder / LEFT[1], (1e9, 1e9))
    assert len(cs.load_results(folder).totals) == 4
    small_study(replications=3).run(folder, seed=1)
    assert not [name for name in LEFT if (folder / name).exists()]
    assert [name for name in KEPT if (folder / name).exists()] == [*KEPT], "being drawn just now, or the user's own"


def test_a_finished_study_can_be_run_on_a_disk_that_cannot_be_written(folder, monkeypatch):
    def refuse(*args):
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr(files, "write_atomically", refuse)
    monkeypatch.setattr(store_module, "write_atomically", refuse)
    monkeypatch.setattr(store_module, "locked", refuse)
    monkeypatch.setattr("clustersim.studies.manifest.versions", lambda: {"python": "4.0"})
    before = tree(folder)
    assert len(small_study().run(folder, seed=1).totals) == 4
    assert tree(folder) == before


@pytest.mark.parametrize("changes", [{"policies": {"other": cs.FastestK(2)}}, {"replications": 3}, {"notes": "more"}])
def test_a_folder_in_which_another_study_is_running_is_refused(folder, changes):
    before = tree(folder)
    with locked(folder), pytest.raises(cs.ResultsError, match="another study is running in this folder; wait"):
        small_study(**changes).run(folder, seed=1)
    assert tree(folder) == before
    with locked(folder):
        small_study().run(folder, seed=1)  # nothing to add
    small_study(**changes).run(folder, seed=1)


def test_what_was_added_while_a_study_was_about_to_begin_is_kept(folder, monkeypatch):
    """Another process adds a policy between the first look and the lock."""
    real = store_module.locked

    def late(path):
        monkeypatch.setattr(store_module, "locked", real)
        small_study(policies={"other": cs.FastestK(2)}).run(folder, seed=1)
        return real(path)

    monkeypatch.setattr(store_module, "locked", late)
    small_study(replications=3).run(folder, seed=1)
    everything = cs.load_results(folder)
    assert set(everything.policies) == {"k = 1", "k = 4", "other"}
    assert everything.totals["policy"].value_counts().to_dict() == {"k = 1": 3, "k = 4": 3, "other": 2}


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_anywhere_is_noticed(folder, data):
    victim = data.draw(st.sampled_from(sorted(p for p in folder.rglob("*") if p.is_file() and p.name != ".lock")))
    content = victim.read_bytes()
    place, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    harmed = bytearray(content)
    harmed[place] ^= 1 << bit
    victim.write_bytes(harmed)
    try:
        with pytest.raises(cs.ResultsError, match=victim.name):
            cs.load_results(folder)
    finally:
        victim.write_bytes(content)


def test_a_damaged_failure_is_named(tmp_path):
    study = small_study(variants={"a": {}, "b": {"optimizer": cs.SGD(10.0)}})
    with pytest.warns(cs.FailedRunsWarning):
        study.run(tmp_path / "out")
    victim, other = sorted((tmp_path / "out" / "failures").iterdir())[:2]
    content = victim.read_text()
    for damage in (content.replace("diverged", "converged"), content[:50], "[]", "\x00", 9999 * "[", other.read_text()):
        victim.write_text(damage)
        with pytest.raises(cs.ResultsError, match=victim.name):
            cs.load_results(tmp_path / "out")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
@pytest.mark.parametrize("name", ["manifest.json", "run", "failure"])
def test_a_pipe_in_place_of_a_file_is_refused_at_once(folder, name):
    run = sorted((folder / "runs").iterdir())[0]
    failure = folder / "failures" / run.with_suffix(".json").name
    failure.parent.mkdir()
    victim = {"manifest.json": folder / name, "run": run, "failure": failure}[name]
    if name != "manifest.json":
        run.unlink()
    victim.unlink(missing_ok=True)
    os.mkfifo(victim)
    for attempt in (lambda: cs.load_results(folder), lambda: small_study().run(folder, seed=1)):
        with pytest.raises(cs.ResultsError, match=f"{victim.name} is not an ordinary file"):
            attempt()


WRONG = {
    "text": ({"error": ["a", "b"]}, {}, "column 'error' does not contain numbers"),
    "no time": ({"time": None}, {}, "column 'time' is missing"),
    "text among the totals": ({}, {"used": "3"}, "the total 'used' is '3'"),
    "a list among the totals": ({}, {"used": [3]}, "the total 'used'"),
}


@pytest.mark.parametrize(("columns", "totals", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_run_whose_content_is_of_the_wrong_kind_is_refused(columns, totals, words):
    history = {"time": [0.0, 1.0], "update": [0, 1], "error": [2.0, 1.0], "loss": [2.0, 1.0]} | columns
    frame = pd.DataFrame({name: values for name, values in history.items() if values is not None})
    with pytest.raises(cs.ResultsError, match=words):
        decode(encode(RunKey("", "a", 0), frame, {"time": 1.0, "reason": "over"} | totals, "h"))


def test_plain_pandas_reads_a_run_with_its_labels(folder):
    runs = pd.concat(pd.read_parquet(path) for path in sorted((folder / "runs").glob("*.parquet")))
    frame = cs.load_results(folder).frame
    assert runs.columns.tolist() == frame.columns.tolist()
    pd.testing.assert_frame_equal(runs.sort_values(["policy", "replication", "time"], ignore_index=True), frame)


def test_the_folder_of_a_quick_look_is_never_that_of_the_whole_study():
    name = "one of many names that are longer than most file systems would like them to be"
    assert len({files.slug(name), files.slug(f"{name}-quick")}) == 2
    assert max(map(len, (files.slug(name), files.slug(f"{name}-quick")))) <= 60


def test_labels_that_look_alike_have_their_own_files(tmp_path):
    labels = ["k = 1", "k=1", "K 1", "κ = 1", "a/../b"]
    results = small_study(policies={label: cs.FastestK(1) for label in labels}).run(tmp_path / "out")
    assert results.policies == tuple(labels)
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 10
    assert cs.load_results(tmp_path / "out").frame.equals(results.frame)


columns = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=5)


@given(columns, st.integers(0, 10**6))
def test_a_run_comes_back_as_it_was(values, replication):
    count = np.arange(len(values))
    history = pd.DataFrame({"time": 0.5 * count, "update": count, "error": np.array(values), "loss": 1.0})
    key = RunKey("", 'κ, "quoted"', replication)
    totals = {"time": 1.5, "updates": 3, "reason": "time"}
    stored = decode(encode(key, history, totals, "h"))
    assert stored.key == key
    assert stored.totals == totals
    pd.testing.assert_frame_equal(stored.history, history, check_exact=True)


def test_errors_on_paths_that_are_no_results(tmp_path):
    with pytest.raises(cs.ResultsError, match="there is no such folder"):
        cs.load_results(tmp_path / "nothing")
    with pytest.raises(cs.ResultsError, match=r"contains no manifest\.json"):
        cs.load_results(tmp_path)


# --- descriptions -------------------------------------------------------------------------------------------------


def scaled(factor):
    return lambda t: factor / t


RATE = 0.5


def uses_global(t):
    return RATE / t


@dataclasses.dataclass(frozen=True)
class Own:
    size: int

    def grow(self):
        return self.size + 1


def test_equal_things_are_described_equally_and_others_are_not():
    different = [
        scaled(1.0), scaled(2.0), uses_global, functools.partial(max, 1), functools.partial(max, 2), np.zeros(3),
        np.zeros((3, 1)), np.ones(3), np.zeros(3, dtype=np.float32), sparse.eye_array(3), sparse.eye_array(4),
        cs.Exponential(1.0), cs.Exponential(2.0), cs.ShiftedExponential(1.0, 2.0), stats.gamma(2.0), stats.gamma(3.0),
        math.sqrt, np.exp, Own(1), Own(2), Own, (1, 2), (1, 3), tuple(range(100)), tuple(range(101)), b"a", None, True,
        1.5, math.inf, "inf?", {"a": 1}, {"a": 2}, frozenset({5}), cs.Empirical(np.arange(1.0, 200.0)),
    ]  # fmt: skip
    texts = [canonical(describe(thing)) for thing in different]
    assert len(set(texts)) == len(texts)
    assert not any("0x" in text or len(text) > 700 for text in texts)
    assert describe(scaled(1.0)) == describe(scaled(1.0))
    assert describe(frozenset({1, 2})) == describe({2, 1})
    assert describe(cs.Exponential(1.0)) == {"class": "Exponential", "mean": 1.0}


def test_a_function_is_told_with_the_globals_that_it_uses(monkeypatch):
    before = describe(uses_global)
    text = ["def uses_global(t):", "    return RATE / t"]
    assert before == {
        "function": "uses_global",
        "user's code": {"function uses_global": {"text": text, "refers to": {"RATE": 0.5}}},
    }
    monkeypatch.setitem(globals(), "RATE", 0.25)
    words = ["policy 'f': function uses_global: RATE is 0.5 in the folder, 0.25 now"]
    assert differences(before, describe(uses_global), "policy 'f':") == words


def test_the_text_of_a_function_does_not_depend_on_layout_and_comments(tmp_path):
    def described(text):
        path = tmp_path / f"m{abs(hash(text))}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return describe(module.f)

    plain = described("f = lambda t: 1 / t\n")
    assert plain == described("# a comment\n\nf = lambda t : (1/t)   # another\n")
    assert plain != described("f = lambda t: 2 / t\n")
    both = "f, g = (lambda t: {} / t), (lambda t: {} / t)\n"
    assert plain == described(both.format(1, 2)), "of two functions in a line the right one"
    assert plain != described(both.format(2, 1))


def test_a_circle_ends():
    ring = [1]
    ring.append(ring)
    assert describe(ring) == [1, "(itself)"]


class Slotted:
    __slots__ = ()


def test_what_cannot_be_described_is_refused():
    with pytest.raises(cs.ConfigurationError, match=r"Slotted.*describe"):
        describe(Slotted())


def test_runs_of_another_numpy_are_not_mixed_in(folder, monkeypatch):
    before = tree(folder)
    monkeypatch.setattr(study_module, "numerics", lambda: {"numpy": "9.9.9", "scipy": "1", "simpy": "4"})
    with pytest.raises(cs.ResultsError, match=r"numpy.*9\.9\.9"):
        small_study(replications=5).run(folder, seed=1)
    assert tree(folder) == before


def test_a_whole_number_and_its_float_are_one_configuration(folder):
    again = small_study(cluster=cs.Cluster(workers=6, compute=cs.Exponential(mean=1)), until=cs.Until(updates=30))
    assert len(again.run(folder, seed=1).totals) == 4


def test_message_tables_are_stored_on_request_and_loaded_with_their_run(tmp_path):
    study = small_study()
    plain = study.run(tmp_path / "out", seed=3)
    before = tree(tmp_path / "out" / "runs")
    assert cs.load_run(tmp_path / "out", "k = 1").messages is None
    again = study.run(tmp_path / "out", seed=3, messages=True)
    assert again.reused == 0
    assert tree(tmp_path / "out" / "runs") == before, "the results are the same, byte for byte"
    assert study.run(tmp_path / "out", seed=3, messages=True).reused == len(plain.totals)
    loaded = cs.load_run(tmp_path / "out", "k = 4", replication=1)
    alone = cs.simulate(
        study.problem, study.cluster, cs.FastestK(4), optimizer=study.optimizer, until=study.until, seed=3,
        replication=1, messages=True,
    )  # fmt: skip
    pd.testing.assert_frame_equal(loaded.messages, alone.messages)
    pd.testing.assert_frame_equal(loaded.history, alone.history)
    np.testing.assert_array_equal(loaded.updates, alone.updates)
    assert cs.plots.timeline(loaded).axes


def test_a_message_table_that_has_changed_or_belongs_to_another_run_is_refused(tmp_path):
    small_study().run(tmp_path / "out", messages=True)
    first, second, *_ = sorted((tmp_path / "out" / "messages").iterdir())
    first.write_bytes(second.read_bytes())
    with pytest.raises(cs.ResultsError, match="it belongs to another run"):
        cs.load_run(tmp_path / "out", "k = 1")
    first.write_bytes(second.read_bytes()[:-9])
    with pytest.raises(cs.ResultsError, match=f"{first.name} is damaged"):
        cs.load_run(tmp_path / "out", "k = 1")
    with pytest.raises(cs.ResultsError, match="contains no finished run of policy 'k = 3', replication 0"):
        cs.load_run(tmp_path / "out", "k = 3")
    with pytest.raises(cs.ConfigurationError, match="give out as well"):
        small_study().run(messages=True)
