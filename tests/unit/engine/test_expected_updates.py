"""Horizons in time that ask for more updates than anybody can wait for are refused before the run, or soon after."""

import re

import numpy as np
import pytest

import clustersim as cs
from clustersim.engine import expected_updates
from clustersim.engine.setup import make_setting
from clustersim.streams import Streams

PROBLEM = cs.LeastSquares.synthetic(rows=40, features=2, seed=1)
TINY = cs.Gamma(mean=1.0, shape=0.05)


def run(compute, until, policy=None, **cluster):
    return cs.simulate(
        PROBLEM, cs.Cluster(10, compute, **cluster), policy or cs.FastestK(1), optimizer=cs.SGD(1e-4), until=until
    )


@pytest.mark.parametrize(
    ("compute", "time", "options"),
    [
        (TINY, 100.0, {}),
        (cs.LogNormal(mean=1.0, sigma=6.0), 100.0, {}),
        (cs.Exponential(1.0), 1e9, {}),
        (cs.Persistent(TINY, 3), 100.0, {}),
        (cs.Markov(TINY, cs.Gamma(1.0, 0.02), 0.1, 0.2), 100.0, {}),  # nothing in closed form: drawn
        (cs.PerWorker([TINY] * 9 + [cs.Constant(1.0)]), 1000.0, {}),
        (TINY, 100.0, {"uplink": cs.Link(bandwidth=1e12)}),
        (TINY, 100.0, {"scaling": "additive"}),
    ],
    ids=repr,
)
def test_an_endless_horizon_is_refused_with_its_number_of_updates(compute, time, options):
    with pytest.raises(cs.ConfigurationError, match=r"until.time = .*about \de\+\d+ updates.*Until\(updates=") as told:
        run(compute, cs.Until(time=time), **options)
    assert float(re.search(r"about (\S+) updates", str(told.value))[1]) >= 1e8


@pytest.mark.parametrize(
    ("compute", "until", "options"),
    [
        (TINY, cs.Until(time=100.0, updates=20), {}),
        (TINY, cs.Until(time=100.0, epochs=3.0), {}),
        (TINY, cs.Until(updates=20), {}),
        (TINY, cs.Until(time=5.0), {"policy": cs.FullSync()}),  # the slowest of ten takes seconds
        (cs.Constant(0.0), cs.Until(time=5.0), {"uplink": cs.Link(latency=cs.Exponential(1.0))}),
        (TINY, cs.Until(time=5.0), {"downlink": cs.Link(latency=0.1)}),
        (cs.Replay(np.full((9, 10), 1e-6)), cs.Until(time=1.0, updates=9), {}),
    ],
    ids=repr,
)
def test_what_ends_is_run(compute, until, options):
    assert run(compute, until, **options).totals["updates"] < 1000


@pytest.mark.usefixtures("short_patience")
def test_times_of_zero_are_left_to_the_watch_on_a_clock_that_stands_still():
    with pytest.raises(cs.StalledError, match="events at time 0"):
        run(cs.Constant(0.0), cs.Until(time=1.0))


def test_rounds_that_end_at_a_deadline_are_noticed_during_the_run(monkeypatch):
    monkeypatch.setattr("clustersim.engine.stopping._LOOK_AHEAD", 100)
    hasty = cs.IgnoreStragglers(0.1, deadline=1e-9)
    with pytest.raises(cs.ConfigurationError, match=r"about 1e\+09 updates"):
        run(cs.Exponential(1.0), cs.Until(time=1.0), hasty)
    assert run(cs.Exponential(1.0), cs.Until(time=1.0, updates=200), hasty).totals["updates"] == 200


def test_the_usual_run_asks_for_no_integral_and_draws_nothing(monkeypatch):
    monkeypatch.setattr(expected_updates, "_mean_round", None)
    assert run(cs.Gamma(1.0, 2.0), cs.Until(time=3.0)).totals["updates"] > 0


@pytest.mark.parametrize("scaling", ["none", "proportional"])
def test_the_closed_form_and_the_draws_agree(scaling):
    policy = cs.FastestK(3, batch=2)
    cluster = cs.Cluster(10, cs.Exponential(1.0), cs.Link(latency=0.25), scaling=scaling)
    streams = Streams(3)
    setting = make_setting(PROBLEM, cluster, policy, streams)
    told = expected_updates._mean_round(cluster, setting, 3, 16, streams)
    drawn = expected_updates._drawn_round(cluster, setting, 3, 16, streams)
    assert drawn == pytest.approx(told, rel=0.05)
