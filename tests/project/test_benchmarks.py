"""The benchmarks can be run, and what they compare does the same work; how long it takes is not tested."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import clustersim as cs

ROOT = Path(__file__).parents[2]


def test_the_command_names_every_benchmark():
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in ("figure3", "scale", "worker_processes", "two_cores", "every_policy", "coverage"):
        assert name in told


@pytest.fixture
def loop(monkeypatch):
    """The module, from the folder in which ``python -m benchmarks`` is run."""
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.loop")


@pytest.mark.parametrize("k", [1, 4])
def test_both_loops_do_the_same(loop, k):
    """The clock, and the model to rounding: they step with the same rows in the same order of time."""
    problem = cs.LeastSquares.synthetic(rows=40, features=3, seed=1)
    X, y = np.asarray(problem.X), np.asarray(problem.y)
    history = loop.fastest_k(X, y, 8, k, 31, step_size=1e-3, least=0.0)
    clock, w = loop.bare(X, y, 8, k, 30, step_size=1e-3)
    assert history[-1][0] == pytest.approx(clock, rel=1e-12)
    assert history[-1][3] == pytest.approx(problem.loss(w), rel=1e-9)
