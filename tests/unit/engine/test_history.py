"""The fraction of a run that is done, as `simulate` tells it at every evaluation."""

from types import SimpleNamespace

import pytest
from agreement import ENGINES

import clustersim as cs
from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.history import HistoryRecorder
from clustersim.ticks import Ticks

PROBLEM = cs.LeastSquares.synthetic(rows=12, features=2, seed=1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("until", "done"),
    [
        (cs.Until(updates=10), [0.0, 0.4, 0.8, 1.0]),
        (cs.Until(time=20.0), [0.0, 0.4, 0.8, 1.0]),  # an update takes 2 s
        (cs.Until(time=32.0, updates=10), [0.0, 0.4, 0.8, 1.0]),  # the updates are done first
        (cs.Until(time=20.0, updates=40), [0.0, 0.4, 0.8, 1.0]),  # the time is over first
        (cs.Until(error=1e-300, updates=16), [0.0, 0.25, 0.5, 0.75, 1.0]),
    ],
    ids=repr,
)
def test_the_fraction_is_that_of_the_horizon_that_is_nearest(until, done, engine):
    """Of time or of updates, every four updates and at the end."""
    told = []
    cs.simulate(
        PROBLEM, cs.Cluster(3, cs.Constant(2.0), scaling="none"), cs.FullSync(), optimizer=cs.SGD(1e-3), until=until,
        evaluate_every=4, engine=engine, progress=told.append,
    )  # fmt: skip
    assert told == pytest.approx(done, rel=1e-12)


@pytest.mark.parametrize(
    ("until", "now", "version", "done"),
    [
        (cs.Until(time=8.0), 2.0, 7, 0.25),
        (cs.Until(updates=8), 7.0, 2, 0.25),
        (cs.Until(time=8.0, updates=8), 2.0, 4, 0.5),
        (cs.Until(time=8.0, updates=8), 4.0, 2, 0.5),
        (cs.Until(error=0.1), 5.0, 5, 0.0),
        (cs.Until(time=8.0), 9.0, 1, 1.0),
    ],
    ids=repr,
)
def test_the_fraction_of_one_evaluation(until, now, version, done):
    """An error tells nothing of how far the run is; more than all is all."""
    told = []
    watch = SimpleNamespace(evaluated=lambda w, version, loss: None)
    model = SimpleNamespace(w=PROBLEM.initial_model(), version=version, watch=watch)
    recorder = HistoryRecorder(
        PROBLEM, model, Ledger(), lambda: 1, vector_bytes=16, until=until, ticks=Ticks(1e-9),
        progress=told.append,
    )  # fmt: skip
    recorder.evaluate(now)
    assert told == [done]
