"""The master without SimPy: driven by hand, through the one interface of a clock and a fleet."""

import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hand_driven import ByHand

import clustersim as cs
from clustersim.engine import make_setting
from clustersim.engine.run import Training
from clustersim.streams import Streams
from clustersim.ticks import Ticks

PROBLEM = cs.LeastSquares(np.eye(3), np.array([3.0, 6.0, 9.0]))
SECONDS = Ticks(1.0)


def training(policy, until):
    setting = make_setting(PROBLEM, cs.Cluster(3, cs.Constant(2000.0), tick=1.0), policy, Streams(0))
    return Training(PROBLEM, policy, setting, cs.SGD(1.0), until, ticks=SECONDS, evaluate_every=1)


def test_a_master_is_driven_by_hand():
    """Worker 2 answers first, then workers 0 and 1: the master updates with each message as soon as it arrives."""
    run = training(cs.FastestK(1), cs.Until(updates=2))
    fleet = ByHand(3, [(5.0, [2]), (7.0, [0, 1])])
    master = run.master(clock=fleet, fleet=fleet)
    for fleet.now in master.run():
        pass
    assert fleet.sent == [(0.0, 0, [0, 1, 2], "restart"), (5.0, 1, [0, 1, 2], "restart")]
    assert master.reason == "2 updates done"
    assert run.outcome(master, fleet, fleet).w.tolist() == [3.0, 0.0, 9.0]


@pytest.mark.parametrize(
    ("policy", "arrivals", "until", "reason", "times"),
    [
        (cs.FullSync(), [(1.0, [1]), (4.0, [2, 0])], cs.Until(updates=1), "1 updates done", [0.0, 4.0]),
        (cs.FullSync(), [(1.0, [1]), (4.0, [2, 0])], cs.Until(time=4.0), "time 4 reached", [0.0, 4.0]),
        (cs.FullSync(), [(1.0, [1]), (4.0, [2, 0])], cs.Until(time=3.0), "time 3 reached", [0.0, 3.0]),
        (cs.FastestK(2), [(1.0, [1, 0]), (9.0, [2, 0])], cs.Until(time=50.0), "time 50 reached", [0.0, 1.0, 9.0, 50.0]),
    ],
)  # fmt: skip
def test_every_driver_keeps_the_horizon(policy, arrivals, until, reason, times):
    run = training(policy, until)
    fleet = ByHand(3, arrivals)
    fleet.expecting = math.inf  # there may always be more
    master = run.master(fleet, fleet)
    for fleet.now in master.run():
        fleet.expecting = math.inf
    outcome = run.outcome(master, fleet, fleet)
    assert master.reason == reason
    assert outcome.history["time"].tolist() == times


def test_a_loss_is_an_error_when_no_message_is_expected():
    run = training(cs.FullSync(), cs.Until(updates=1))
    fleet = ByHand(3, [(2.0, [0, 1])])
    steps = run.master(fleet, fleet).run()
    fleet.now = next(steps)
    fleet.now = steps.send(None)
    with pytest.raises(cs.StalledError, match="at time 2 no message can arrive"):
        next(steps)


def test_the_conversation_imports_no_simpy():
    """Master, promise, inbox, model, stopping, history and ledger: a driver of a real cluster needs nothing else."""
    modules = ["decision_checks", "fleet", "history", "inbox", "master", "model", "promise", "run", "stopping"]
    modules += ["accounting.ledger"]
    for name in modules:
        text = Path(sys.modules[f"clustersim.engine.{name}"].__file__).read_text()
        assert not re.search(r"^\s*(import|from) simpy", text, re.MULTILINE), name
