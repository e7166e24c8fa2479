"""Every scenario runs over a short horizon, each of its claims is measured, and each of its figures is drawn."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from small import thinned

import clustersim as cs
from clustersim.scripts import about, find_scripts, load_study

SCRIPTS = find_scripts(Path(__file__).parents[2] / "scenarios")


def shortened(until):
    """A small part of a horizon: of its updates or, if it has none, of its simulated seconds."""
    if until.updates is None:
        return cs.Until(time=0.03 * until.time)
    return cs.Until(updates=math.ceil(0.002 * until.updates))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_scenario_runs(script, monkeypatch):
    simulate = cs.simulate  # some claims run simulations of their own
    monkeypatch.setattr(cs, "simulate", lambda *parts, until, **rest: simulate(*parts, until=shortened(until), **rest))
    for name in ("fashion_mnist", "covertype", "kc_house", "amazon_like"):
        monkeypatch.setattr(cs.datasets, name, thinned(getattr(cs.datasets, name)))
    assert about(script)
    study = load_study(script)
    assert study.name == script.stem.replace("_", "-"), "`clustersim plot` finds a script by its study's name"
    pairs = len(study.policies) * len(study.variants)
    replications = 2 if pairs < 8 else 1
    results = replace(study, replications=replications, until=shortened(study.until)).run(seed=0)
    assert len(results.totals) == replications * pairs
    for claim in study.claims:
        assert isinstance(claim.check(results).value, float)
    for draw in study.figures.values():
        assert isinstance(draw(results), Figure)


def test_the_theory_claims_hold_for_any_runs():
    study = load_study(next(script for script in SCRIPTS if script.stem == "adaptive_theory"))
    results = replace(study, replications=1, until=cs.Until(updates=200)).run(seed=0)
    values = {claim.statement: claim.check(results).value for claim in study.claims}
    assert sum(claim.check(results).holds for claim in study.claims) >= 3
    assert all(math.isfinite(value) for value in values.values())
