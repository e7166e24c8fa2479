"""The results folder: what is refused, and that nothing stored is ever harmed."""

import dataclasses
import functools
import importlib.util
import json
import math
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats
from small import small_study, tree

import clustersim as cs
from clustersim.studies import files
from clustersim.studies import study as study_module
from clustersim.studies.configuration import canonical, describe, differences, digest
from clustersim.studies.results import RunKey
from clustersim.studies.store import decode, encode


@pytest.fixture
def folder(tmp_path):
    small_study().run(tmp_path / "out", seed=1)
    return tmp_path / "out"


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
    "evaluate_every": ({"evaluate_every": 5}, "evaluate_every is 10 in the folder, 5 now"),
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
    with pytest.raises(cs.DivergenceError):
        study.run(tmp_path / "out")
    assert (tmp_path / "out" / "manifest.json").exists()
    small_study(policies={"wild": cs.FastestK(2)}).run(tmp_path / "out", seed=9)
    assert len(cs.load_results(tmp_path / "out").totals) == 2


def test_a_foreign_folder_or_a_file_is_refused(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("x")
    with pytest.raises(cs.ResultsError, match=r"thesis is not empty and holds no manifest\.json"):
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
    with pytest.raises(cs.ResultsError, match=f"{other.name} holds a run of another"):
        cs.load_results(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: "",
        lambda text: text.replace('"updates": 30', '"updates": 40'),
        lambda text: text.replace('"format": 2', '"format": 99'),
    ],
    ids=["cut short", "a list", "empty", "edited", "other format"],
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
    assert told["hash"] == digest(told["configuration"])
    assert not any(word in json.dumps(told) for word in ("0x", str(folder.parent)))


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_no_half_written_file(folder, monkeypatch, moment):
    before = tree(folder)

    def crash(*args):
        raise OSError("the disk is full")

    monkeypatch.setattr(files.os, moment, crash)
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

    monkeypatch.setattr(files.os, "replace", crash)
    with pytest.raises(cs.ResultsError, match=r"r0002\.parquet cannot be written"):
        small_study(replications=3).run(folder, seed=1)
    assert tree(folder / "runs") == before
    monkeypatch.undo()
    assert len(small_study(replications=3).run(folder, seed=1).totals) == 6


def test_a_file_left_by_a_killed_process_is_ignored(folder):
    (folder / "runs" / ".k-1-r0000.parquet.123.tmp").write_bytes(b"half")
    assert len(cs.load_results(folder).totals) == 4


def test_labels_that_look_alike_have_their_own_files(tmp_path):
    labels = ["k = 1", "k=1", "K 1", "κ = 1", "a/../b"]
    results = small_study(policies={label: cs.FastestK(1) for label in labels}).run(tmp_path / "out")
    assert results.policies == tuple(labels)
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 10
    assert cs.load_results(tmp_path / "out").frame.equals(results.frame)


columns = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=5)


@given(columns, st.integers(0, 10**6))
def test_a_run_comes_back_as_it_was(values, replication):
    history = pd.DataFrame({"error": np.array(values), "update": np.arange(len(values))})
    key = RunKey("", 'κ, "quoted"', replication)
    totals = {"time": 1.5, "updates": 3, "reason": "time"}
    stored = decode(encode(key, history, totals, "h"))
    assert stored.key == key
    assert stored.totals == totals
    pd.testing.assert_frame_equal(stored.history, history, check_exact=True)


def test_errors_on_paths_that_are_no_results(tmp_path):
    with pytest.raises(cs.ResultsError, match="there is no such folder"):
        cs.load_results(tmp_path / "nothing")
    with pytest.raises(cs.ResultsError, match=r"holds no manifest\.json"):
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
