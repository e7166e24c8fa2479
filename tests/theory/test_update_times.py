"""Mean time per update of fastest-k equals the mean of the k-th order statistic, within a computed interval."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betainc

import clustersim as cs

N, UPDATES = 8, 1500
Z = 4.9  # two-sided normal quantile of about one false alarm in a million
PROBLEM = cs.LeastSquares(np.ones((N, 1)), np.zeros(N))


def order_statistic_mean(k, cdf):
    """E[X_(k)] of N independent times: the integral of P(X_(k) > t), P by the incomplete beta function."""
    return quad(lambda t: 1.0 - betainc(k, N - k + 1, cdf(t)), 0.0, 60.0, limit=500)[0]


def exponential(mean, shift=0.0):
    return lambda t: 0.0 if t <= shift else -math.expm1(-(t - shift) / mean)


def sum_of_three(a, b, c):
    """Distribution function of the sum of independent exponentials with three different means."""
    means = (a, b, c)

    def weight(i):
        return math.prod(means[i] / (means[i] - other) for j, other in enumerate(means) if j != i)

    return lambda t: 1.0 - sum(weight(i) * math.exp(-t / mean) for i, mean in enumerate(means))


CASES = {
    "exponential": (cs.Exponential(2.0), {}, exponential(2.0)),
    "shifted": (cs.ShiftedExponential(1.5, 0.5), {}, exponential(0.5, 1.5)),
    "constant links": (
        cs.Exponential(1.0),
        {"downlink": cs.Link(latency=0.25), "uplink": cs.Link(bandwidth=16.0)},  # a vector of 8 bytes: 0.5 s
        exponential(1.0, 0.75),
    ),
    "random links": (
        cs.Exponential(1.0),
        {"downlink": cs.Link(latency=cs.Exponential(0.5)), "uplink": cs.Link(latency=cs.Exponential(0.25))},
        sum_of_three(1.0, 0.5, 0.25),
    ),
    "shifted, constant links": (
        cs.ShiftedExponential(0.5, 1.0),
        {"downlink": cs.Link(latency=0.1), "uplink": cs.Link(latency=0.2)},
        exponential(1.0, 0.8),
    ),
}


@pytest.mark.parametrize(
    ("case", "k"),
    [
        ("exponential", 1), ("exponential", 8), ("shifted", 3), ("shifted", 7), ("constant links", 1),
        ("constant links", 7), ("random links", 1), ("random links", 8),
        ("shifted, constant links", 3), ("shifted, constant links", 8),
    ],
)  # fmt: skip
def test_mean_update_time(case, k):
    compute, links, cdf = CASES[case]
    run = cs.simulate(
        PROBLEM, cs.Cluster(N, compute, **links), cs.FastestK(k),
        optimizer=cs.SGD(0.1), until=cs.Until(updates=UPDATES), seed=11, evaluate_every=1,
    )  # fmt: skip
    lengths = np.diff(run.history["time"])
    half_width = Z * lengths.std(ddof=1) / math.sqrt(UPDATES)
    assert len(lengths) == UPDATES
    assert abs(lengths.mean() - order_statistic_mean(k, cdf)) < half_width


@pytest.mark.parametrize("k", [1, 4, 8])
def test_the_models_own_order_statistics_agree(k):
    """The closed form that a user would compare with is the same number."""
    assert cs.Exponential(2.0).order_statistic_mean(k, N) == pytest.approx(
        order_statistic_mean(k, exponential(2.0)), rel=1e-7
    )
    assert cs.ShiftedExponential(1.5, 0.5).order_statistic_mean(k, N) == pytest.approx(
        order_statistic_mean(k, exponential(0.5, 1.5)), rel=1e-7
    )
