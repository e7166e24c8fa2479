"""What the engine refuses, and how it says so."""

import math

import numpy as np
import pytest
from agreement import short_patience
from scripted import Scripted

import clustersim as cs
from clustersim.protocol import Arrivals, Decision, Dispatch, Update, Updated, Wants

PROBLEM = cs.LeastSquares.synthetic(rows=40, features=3, seed=2)
CLUSTER = cs.Cluster(workers=4, compute=cs.Exponential(1.0))


def run(policy=None, problem=PROBLEM, cluster=CLUSTER, **options):
    options = {"optimizer": cs.SGD(1e-3), "until": cs.Until(updates=50)} | options
    return cs.simulate(problem, cluster, policy or cs.FastestK(2), **options)


def scripted(first, then=None):
    """A policy that returns `first` at the start, and the decisions of `then` on arrivals."""

    def decide(event):
        if isinstance(event, Updated) and event.version == 0:
            return first
        return then(event) if then and isinstance(event, Arrivals) else Decision((), Wants())

    return Scripted(decide)


BROADCAST = Decision((Dispatch(),), Wants(1))


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (scripted(Decision((Update(np.array([0]), 1.0),), Wants())), r"updates with messages \[0\]; each must be in"),
        (scripted(BROADCAST, lambda e: Decision((Update(np.array([9]), 1.0),), Wants())), r"messages \[9\]"),
        (scripted(BROADCAST, lambda e: Decision((Update(e.messages[:0], np.ones(1)),), Wants())), "updates 0 messages"),
        (scripted(BROADCAST, lambda e: Decision((Update(e.messages, 1.0, np.array([7])),), Wants())), r"keeps.*\[7\]"),
        (
            scripted(BROADCAST, lambda e: Decision((Update(e.messages, np.ones(3)),), Wants())),
            "updates 1 messages with weights",
        ),
        (
            scripted(BROADCAST, lambda e: Decision((Update(e.messages, np.array([math.nan])),), Wants())),
            "give 1 finite weights",
        ),
        (scripted(BROADCAST, lambda e: Decision((Update(e.messages, math.nan),), Wants())), "weights nan"),
        (scripted(Decision((Dispatch(np.array([4])),), Wants())), r"workers \[4\]; they are 0 .. 3"),
        (scripted(Decision((Dispatch(np.array([1, 1])),), Wants())), "at most once"),
        (scripted(Decision((Dispatch(), Dispatch()), Wants())), "which have unanswered tasks"),
        (scripted(Decision((Dispatch(np.array([0.5])),), Wants())), r"workers \[0.5\]; they are 0 .. 3"),
        (scripted(Decision((Dispatch(busy="shout"),), Wants())), "busy = 'shout'"),
        (scripted(Decision(("go",), Wants())), "commands is 'go'"),
        (scripted(BROADCAST, lambda e: Decision((Update(np.repeat(e.messages, 3), 1.0),), Wants())), "named only once"),
        (
            scripted(BROADCAST, lambda e: Decision((Update(e.messages, 1.0, np.repeat(e.messages, 2)),), Wants())),
            "keeps",
        ),
        (scripted(Decision((Dispatch(),), Wants(0))), "wait for 0 messages"),
        (scripted(Decision((Dispatch(),), Wants(1.5))), "wait for 1.5 messages"),
        (scripted(Decision((Dispatch(),), Wants(1, -1.0))), "until -1.0"),
        (scripted(Decision((Dispatch(),), Wants(1, math.nan))), "until nan"),
        (scripted(Decision((Dispatch(),), Wants(1, None))), "until None"),
        (scripted(Decision((Dispatch(),), None)), "give Decision"),
        (scripted(None), "returns None; give Decision"),
        (scripted(BROADCAST, lambda e: None), "returns None; give Decision"),
        (scripted(BROADCAST, lambda e: Decision((Update(None, 1.0),), Wants())), "updates with messages None"),
        (scripted(BROADCAST, lambda e: Decision((Update({0}, 1.0),), Wants())), "updates with messages {0}"),
        (scripted(Decision((Dispatch(3),), Wants())), "workers 3; they are 0 .. 3"),
        (scripted(Decision((Dispatch(np.array([[1]])),), Wants())), r"workers \[\[1\]\]"),
    ],
)
def test_commands_that_make_no_sense(policy, message):
    with pytest.raises(cs.ProtocolError, match=message) as caught:
        run(policy)
    assert "Last events" in str(caught.value)


def again(event):
    return Decision((Dispatch(busy="restart"),), Wants(1, event.time))


@pytest.mark.parametrize("until", [cs.Until(time=5.0), cs.Until(updates=5)], ids=["time", "updates"])
@pytest.mark.parametrize(
    ("compute", "policy"),
    [
        (cs.BernoulliStraggler(1.0), Scripted(lambda event: Decision((Dispatch(busy="restart"),), Wants(1)))),  # Lost
        (cs.Exponential(1.0), Scripted(again)),  # Timeout
        (cs.Constant(0.0), Scripted(lambda event: Decision((Dispatch(busy="restart"),), Wants(1)))),  # Arrivals
    ],
)
def test_going_round_in_circles_is_not_a_hang(compute, policy, until):
    with short_patience(), pytest.raises(cs.StalledError, match="bring the run no nearer to its end"):
        run(policy, cluster=cs.Cluster(4, compute), until=until)


def test_a_policy_that_never_dispatches_stalls():
    with pytest.raises(cs.StalledError, match="no message can arrive"):
        run(scripted(Decision((), Wants())))


@pytest.mark.parametrize("features", [3, 30])
def test_a_step_size_that_diverges(features):
    problem = cs.LeastSquares.synthetic(rows=200, features=features, seed=2)
    largest = 2.0 / problem.smoothness()
    with pytest.raises(cs.DivergenceError, match=r"diverged at update \d+.*2 / L = ") as caught:
        run(cs.FullSync(), problem, optimizer=cs.SGD(1.5 * largest), until=cs.Until(updates=5000))
    update = int(str(caught.value).split("update ")[1].split(":")[0])
    assert update < 30  # the squared error grows fourfold an update: a factor of a million takes ten, not thousands
    assert f"{largest:.3g}" in str(caught.value)
    result = run(cs.FullSync(), problem, optimizer=cs.SGD(0.9 * largest), until=cs.Until(updates=300))
    assert result.history["error"].iloc[-1] < result.history["error"].iloc[0]


def test_a_huge_step_is_caught_before_it_overflows():
    with pytest.raises(cs.DivergenceError, match="diverged at update"):
        run(optimizer=cs.SGD(1e200))


def test_starting_near_the_optimum_is_not_divergence():
    """The first gradient may be tiny beside the noise of later ones."""
    problem = cs.LeastSquares(np.vstack((np.eye(2), np.eye(2))), np.array([1.0, 1.0, -1.0, -1.0]))
    cluster = cs.Cluster(workers=2, compute=cs.Replay(np.tile([[1.0, 2.0], [2.0, 1.0]], (200, 1))))
    result = run(cs.FastestK(1), problem, cluster, optimizer=cs.SGD(0.5), until=cs.Until(updates=300))
    assert result.totals["updates"] == 300


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"problem": 3}, "problem = 3: expected a Problem, such as"),
        ({"cluster": None}, "cluster = None"),
        ({"policy": 7}, "policy = 7"),
        ({"policy": cs.FastestK}, "expected a Policy, such as"),
        ({"optimizer": 0.1}, "optimizer = 0.1"),
        ({"until": 100}, "until = 100"),
        ({"evaluate_every": 0}, "evaluate_every = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": 1.5}, "seed = 1.5"),
        ({"replication": -2}, "replication = -2"),
        ({"engine": "warp"}, "engine = 'warp': expected one of 'auto'"),
    ],
)
def test_unusable_arguments(options, message):
    with pytest.raises(cs.ConfigurationError, match=message):
        run(**options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cs.Cluster(0, cs.Exponential(1.0)), "workers = 0"),
        (lambda: cs.Cluster(2.5, cs.Exponential(1.0)), "workers = 2.5"),
        (lambda: cs.Cluster(2, 1.0), "compute = 1.0: expected a latency model"),
        (lambda: cs.Cluster(2, cs.Exponential(1.0), uplink=0.1), "uplink = 0.1: expected a Link"),
        (lambda: cs.Cluster(2, cs.Exponential(1.0), scaling="linear"), "scaling = 'linear'"),
        (lambda: cs.Cluster(2, cs.Exponential(1.0), busy="drop"), "busy = 'drop'"),
        (lambda: cs.Cluster(2, cs.Exponential(1.0), bytes_per_entry=0), "bytes_per_entry = 0"),
        (cs.Until, "at least one of time, updates, epochs, error and metric"),
        (lambda: cs.Until(time=0.0), "time = 0.0"),
        (lambda: cs.Until(time=math.inf), "time = inf"),
        (lambda: cs.Until(updates=0), "updates = 0"),
        (lambda: cs.Until(error=-1.0), "error = -1.0"),
        (lambda: cs.Until(epochs=0), "epochs = 0"),
    ],
)
def test_unusable_parts(make, message):
    with pytest.raises(cs.ConfigurationError, match=message):
        make()


def test_an_error_horizon_that_is_never_reached(monkeypatch):
    monkeypatch.setattr("clustersim.engine.stopping._PATIENCE", 500)
    with pytest.raises(cs.StalledError, match="500 updates have not reached error <= 1e-12"):
        run(until=cs.Until(error=1e-12))
    assert run(until=cs.Until(error=1e-12, updates=600)).totals["updates"] == 600


def test_an_error_horizon_needs_an_optimum():
    separable = cs.LogisticRegression(np.array([[1.0], [2.0], [-1.0], [-2.0]]), np.array([1, 1, 0, 0]))
    with pytest.raises(cs.ConfigurationError, match=r"Until\(error=0\.1\): the optimum"):
        run(problem=separable, until=cs.Until(error=0.1))


def test_a_replay_that_is_too_short():
    cluster = cs.Cluster(workers=2, compute=cs.Replay([[1.0, 2.0]] * 3))
    with pytest.raises(cs.ConfigurationError, match="record more tasks"):
        run(cs.FullSync(), cluster=cluster, until=cs.Until(updates=4))
    assert run(cs.FullSync(), cluster=cluster, until=cs.Until(updates=3)).totals["time"] == 6.0
