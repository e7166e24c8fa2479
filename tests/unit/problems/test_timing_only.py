"""`TimingOnly`: the same times, messages and bytes as with a problem."""

import pytest

import clustersim as cs

TIMES = ("time", "updates", "uplink_messages", "downlink_bytes", "uplink_bytes", "used", "discarded", "idle")


@pytest.mark.parametrize(
    "policy",
    [cs.FullSync(), cs.FastestK(3), cs.KAsync(2), cs.ErasureHead(2, 0.5), cs.LiveGradientCompensation(k=3, blocks=2),
     cs.StochasticGradientCoding(2, 0.2, deadline=2.0)],
    ids=lambda policy: type(policy).__name__,
)  # fmt: skip
def test_times_and_bytes_are_those_of_a_problem_of_the_same_size(policy):
    slow = cs.Cluster(
        6, cs.ShiftedExponential(0.1, 1.0), scaling="none", uplink=cs.Link(latency=cs.Exponential(0.1), bandwidth=1e4)
    )
    how = {"optimizer": cs.SGD(1e-9), "until": cs.Until(updates=40), "seed": 3}
    real = cs.LeastSquares([[1.0] * 7] * 60, [1.0] * 60)
    trained = cs.simulate(real, slow, policy, **how).totals
    timed = cs.simulate(cs.TimingOnly(rows=60, dimension=7), slow, policy, **how).totals
    assert [timed[name] for name in TIMES] == [trained[name] for name in TIMES]


def test_it_is_a_problem_like_any_other():
    cs.conformance.check_problem(cs.TimingOnly(rows=10, dimension=3))


def test_a_study_of_times_compares_by_updates():
    study = cs.Study(
        name="times",
        problem=cs.TimingOnly(rows=60, dimension=7),
        cluster=cs.Cluster(6, cs.Constant(2.0)),
        policies={"all": cs.FullSync(), "one": cs.KAsync(1)},
        optimizer=cs.SGD(1.0),
        until=cs.Until(updates=24),
        metric="update",
        replications=2,
    )
    results = study.run()
    spent = results.time_to_target(12.0).groupby("policy")["time"].first()
    assert spent.to_dict() == {"all": 24.0, "one": 4.0}


def test_the_error_of_no_problem_is_refused_with_advice():
    with pytest.raises(cs.ConfigurationError, match="choose metric='update' or another"):
        cs.Study(
            name="times", problem=cs.TimingOnly(10, 1), cluster=cs.Cluster(2, cs.Constant(1.0)),
            policies={"all": cs.FullSync()}, optimizer=cs.SGD(1.0), until=cs.Until(updates=2),
        ).run()  # fmt: skip


@pytest.mark.parametrize("arguments", [(0, 1), (1, 0), (1.5, 1), ("a", 1)])
def test_unusable_sizes_are_refused(arguments):
    with pytest.raises(cs.ConfigurationError, match=r"rows|dimension"):
        cs.TimingOnly(*arguments)
