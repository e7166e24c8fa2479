"""Picture files: each has a name of its own, stale ones go, a user's files stay, and a planted link is not followed."""

import dataclasses
import os
import secrets
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from small import made_up, small_study

import clustersim as cs
from clustersim import plots
from clustersim.studies import arguments, files
from clustersim.studies.pictures import own_names, standard_names

CLASHES = [("k=1", "k 1"), ("A", "a"), ("é", "ü"), ("x" * 61, "x" * 62), ("a", "a\x1b"), ("?", "!", "a")]


def results_of(variants, metric="error", value=1.0):
    runs = {(variant, "p", r): [(0, 8.0, 0), (4, value + r, 3)] for variant in variants for r in range(2)}
    return made_up(runs, metric)


def blank(results):
    return Figure()


def small(monkeypatch, names=("error-vs-time",)):
    """Leave the standard figures out that a test does not need, for drawing takes most of the time."""
    monkeypatch.setattr(plots.files, "standard_figures", lambda results, **options: dict.fromkeys(names, Figure))


@pytest.mark.parametrize("labels", CLASHES)
def test_labels_that_look_alike_as_file_names_are_told_apart(labels):
    variants = plots.standard_figures(results_of(labels))
    assert sum(name.startswith("overview") for name in variants) == len(labels)
    assert len({name.lower() for name in variants}) == len(variants)
    results = results_of([""])
    results.frame[[*labels]] = 1.0
    metrics = plots.standard_figures(results)
    assert len(metrics) == 4 + len(labels)
    assert len({name.lower() for name in metrics}) == len(metrics)
    own = own_names(labels, metrics)
    assert len({*metrics, *(name.lower() for name in own.values())}) == len(metrics) + len(labels)


def test_a_name_gets_a_hash_only_where_it_must():
    names = plots.standard_figures(results_of(["k = 1", "k=1", "many workers"]))
    plain = {"overview-many-workers", "error-vs-time", "error-vs-uplink", "error-vs-communication"}
    assert plain < set(names)
    assert {*names} == {*plots.standard_figures(results_of(["k = 1", "k=1", "many workers"]))}, "stable"


def test_a_variant_and_a_metric_that_ask_for_the_same_name_are_told_apart():
    assert len({*standard_names(["vs time"], [("overview", "time")]).values()}) == 2


@given(st.lists(st.text(max_size=8), unique=True, max_size=12), st.lists(st.text("ab-", max_size=3), max_size=4))
def test_file_names_never_meet(labels, taken):
    names = files.file_names({label: label for label in labels}, taken)
    assert len({name.lower() for name in names.values()}) == len(labels)
    assert not {*names.values()} & {*taken}
    assert all(name and "/" not in name for name in names.values())
    again = files.file_names({label: label for label in reversed(labels)}, taken)
    assert names == again, "the order does not matter"


def test_a_name_that_ends_like_a_hash_is_told_apart_too():
    marked = files.file_names({"A": "A", "a": "a"})["a"]
    names = files.file_names({"A": "A", "a": "a", "other": marked})
    assert len({*names.values()}) == 3


def test_own_figures_do_not_replace_standard_ones(monkeypatch, tmp_path):
    small(monkeypatch, ["overview", "error-vs-time"])
    own = {"overview": blank, "Error vs time": blank, "k=1": blank, "k 1": blank}
    paths = plots.draw(results_of([""]), str(tmp_path), extra=own)
    assert len({path.name.lower() for path in paths}) == len(own) + 2 == len(list(tmp_path.iterdir()))


def test_a_study_refuses_own_figures_under_names_of_standard_ones():
    for label in ("overview", "Overview.png", "overview, b", "error vs time", "test_auc vs uplink", "k vs time"):
        with pytest.raises(cs.ConfigurationError, match=r"is the name of a standard figure; expected"):
            arguments.check_figures({label: blank}, ["b"], "test_auc")
    for bad in ({"a": 3}, {" a": blank}, {3: blank}, [blank]):
        with pytest.raises(cs.ConfigurationError, match="figures"):
            arguments.check_figures(bad, [""], "error")
    arguments.check_figures({"distance vs update": blank, "é": blank, "overview of mine": blank}, ["b"], "error")


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_pictures_of_other_results_go_and_a_users_files_stay(monkeypatch, tmp_path, kind):
    small(monkeypatch)
    first, second = results_of([""]), results_of([""], value=2.0)
    old = plots.draw(first, tmp_path, kind, {"mine": blank, "gone": blank})
    for path in old:
        path.with_name(f"copy-of-{path.name}").write_bytes(path.read_bytes())
    (tmp_path / "notes.txt").write_text("clustersim picture notes of study made-up from results 0123456789abcdef")
    plots.save(Figure(), tmp_path / f"my-own.{kind}")
    (tmp_path / "linked.png").symlink_to(tmp_path / f"gone.{kind}")
    theirs = {path.name for path in tmp_path.iterdir()} - {path.name for path in old}

    other_format = "svg" if kind == "png" else "png"
    plots.draw(first, tmp_path, other_format)
    assert all(path.exists() for path in old), "they show the same results"
    new = plots.draw(second, tmp_path, other_format)
    assert {path.name for path in tmp_path.iterdir()} == theirs | {path.name for path in new}
    plots.draw(dataclasses.replace(first, name="another study"), tmp_path, kind)
    assert all(path.exists() for path in new), "pictures of another study in the same folder stay"


def test_own_figures_that_are_not_drawn_any_more_go_if_all_are_named(monkeypatch, tmp_path):
    small(monkeypatch)
    results = results_of([""])
    plots.draw(results, tmp_path, extra={"kept": blank, "gone": blank})
    plots.draw(results, tmp_path)
    assert (tmp_path / "gone.png").exists(), "own figures are not spoken of"
    plots.draw(results, tmp_path, extra={"kept": blank})
    assert {path.name for path in tmp_path.iterdir()} == {"error-vs-time.png", "kept.png"}


def test_an_own_figure_that_fails_leaves_no_stale_picture_and_the_others_are_drawn(monkeypatch, tmp_path):
    small(monkeypatch)
    results = results_of([""])
    plots.draw(results, tmp_path, extra={"odd": blank, "fine": blank})
    failures = []
    own = {"odd": lambda r: 1 / 0, "no function": 3, "fine": blank}
    paths = plots.draw(results, tmp_path, extra=own, failures=failures)
    assert [path.name for path in paths] == ["error-vs-time.png", "fine.png"]
    assert {path.name for path in tmp_path.iterdir()} == {"error-vs-time.png", "fine.png"}
    assert [text.split(" failed")[0] for text in failures] == ["figure 'odd'", "figure 'no function'"]
    with pytest.raises(cs.ConfigurationError, match="figure 'odd' failed"):
        plots.draw(results, tmp_path, extra=own)


def test_figures_of_a_real_study_have_names_of_their_own(coarse, tmp_path):
    study = small_study(replications=1, variants={"A": {}, "a": {}}, until=cs.Until(updates=3))
    paths = plots.draw(study.run(), tmp_path, extra=study.figures)
    assert sorted(path.name for path in paths) == sorted(path.name for path in tmp_path.iterdir())
    assert sum(path.name.startswith("overview-a-") for path in paths) == 2


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_planted_links_are_not_followed(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / f".a.png.{os.getpid()}.tmp").symlink_to(victim)
    (folder / "a.png").symlink_to(victim)
    files.write_atomically(folder / "a.png", b"picture")
    assert victim.read_text() == "precious"
    assert (folder / "a.png").read_bytes() == b"picture"
    assert not (folder / "a.png").is_symlink()
    monkeypatch.setattr(secrets, "token_hex", lambda size: "guessed")
    planted = folder / ".b.png.guessed.tmp"
    for plant in (lambda: planted.symlink_to(victim), lambda: planted.write_text("theirs")):
        plant()
        with pytest.raises(cs.ResultsError, match=r"b\.png cannot be written: File exists"):
            files.write_atomically(folder / "b.png", b"picture")
        assert planted.is_symlink() or planted.exists(), "what is not ours is not removed"
        planted.unlink()
    assert victim.read_text() == "precious"


@pytest.mark.skipif(os.name == "nt", reason="permissions")
def test_a_file_has_the_permissions_of_the_umask_and_leaves_nothing_when_it_fails(tmp_path, monkeypatch):
    before = os.umask(0o027)
    try:
        files.write_atomically(tmp_path / "new" / "a", b"content")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "a").stat().st_mode) == 0o640
    seen = []

    def full(handle):
        seen.extend(path.name for path in tmp_path.glob(".*"))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(cs.ResultsError, match="No space left on device"):
        files.write_atomically(tmp_path / "b", b"content")
    assert len(seen) == 1
    assert seen[0].startswith(".b.")
    assert seen[0].endswith(".tmp")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
