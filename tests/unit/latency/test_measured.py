"""Times that were measured task by task are replayed as they are, unless the cluster says how loads scale them."""

import numpy as np
import pytest

import clustersim as cs

TIMES = np.ones((5, 64))
REPLAY = cs.Replay(TIMES)
PROBLEM = cs.LeastSquares.synthetic(rows=2000, features=2, seed=1)  # 31.25 rows a worker


def run(policy, **options):
    return cs.simulate(
        PROBLEM, cs.Cluster(64, REPLAY, **options), policy, optimizer=cs.SGD(1e-4), until=cs.Until(updates=3)
    )


@pytest.mark.parametrize(
    ("model", "scaling"),
    [
        (REPLAY, "none"),
        (cs.Persistent(REPLAY, 2), "none"),
        (cs.Persistent(cs.Persistent(REPLAY, 2), 2), "none"),
        (cs.PerWorker([REPLAY, cs.Constant(1.0)] * 32), "none"),
        (cs.Markov(cs.Constant(1.0), REPLAY, 0.1, 0.2), "none"),
        (cs.Markov(cs.Constant(1.0), cs.PerWorker([cs.Persistent(REPLAY, 3)] * 64), 0.1, 0.2), "none"),
        (cs.Empirical([1.0]), "proportional"),
        (cs.Persistent(cs.Exponential(1.0), 2), "proportional"),
        (cs.PerWorker([cs.Exponential(1.0)] * 64), "proportional"),
    ],
    ids=repr,
)
def test_the_scaling_follows_from_the_model_unless_it_is_named(model, scaling):
    assert cs.Cluster(64, model).scaling == scaling
    assert cs.Cluster(64, model) == cs.Cluster(64, model, scaling=scaling)
    for named in cs.latency.SCALINGS:
        assert cs.Cluster(64, model, scaling=named).scaling == named


@pytest.mark.parametrize(
    "policy", [cs.FullSync(), cs.FullSync(batch=8), cs.ErasureHead(load=4, fraction=1.0)], ids=repr
)
def test_a_measured_second_stays_a_second_whatever_the_load(policy):
    assert run(policy).totals["time"] == 3.0
    assert run(policy, scaling="proportional").totals["time"] != 3.0


def test_what_is_no_scaling_is_refused():
    with pytest.raises(cs.ConfigurationError, match="scaling = 'linear': expected one of 'proportional'"):
        cs.Cluster(64, REPLAY, scaling="linear")
