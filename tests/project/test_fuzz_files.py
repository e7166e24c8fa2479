"""A small share of the random damage that ``python -m tests.fuzz files`` does to results folders."""

import random

import pytest
from fuzz import files
from small import small_study

import clustersim as cs


def test_harmed_folders_are_refused_or_read_as_they_were():
    tried, changed, faults = files.search(seconds=1e9, seed=3, most=60)
    assert faults == []
    assert (tried, changed > 40) == (60, True)


def test_the_fuzzer_sees_numbers_that_are_other_and_errors_that_are_pythons_own(monkeypatch):
    """It finds what it is for: without the check of the seal, damage gives other numbers or errors of Python."""
    monkeypatch.setattr("clustersim.studies.runfile._check_seal", lambda content: None)
    monkeypatch.setattr("clustersim.studies.failures.digest", lambda told: "a" * 64)
    _, _, faults = files.search(seconds=1e9, seed=3, most=60)
    assert faults


@pytest.mark.parametrize("damage", files.DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_changes_something_nearly_always(damage):
    content = b"0123456789" * 20
    changed = sum(damage(random.Random(seed), content) != content for seed in range(50))
    assert changed > 30


def test_a_whole_folder_is_no_fault(tmp_path):
    small_study(replications=1).run(tmp_path / "out")
    assert files.outcome(tmp_path / "out", cs.load_results(tmp_path / "out")) == ""
