"""Links: latency + bytes / bandwidth, and no time at all by default."""

import math

import numpy as np
import pytest
from scipy import stats

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.streams import Streams

Z = stats.norm.isf(0.5e-6)


def uniforms():
    return Streams(2).uniforms("uplink")


@pytest.mark.parametrize(
    "link", [cs.Link(), cs.Link(latency=0.0), cs.Link(latency=0), cs.Link(latency=cs.Constant(0.0))], ids=str
)
def test_links_are_instant_by_default(link):
    assert link.is_instant
    assert link == cs.Link()
    np.testing.assert_array_equal(link.delays(uniforms(), 0, 2, 3, 800), np.zeros((2, 3)))


def test_a_number_is_a_constant_latency():
    link = cs.Link(latency=0.5)
    assert link == cs.Link(latency=cs.Constant(0.5))
    assert hash(link) == hash(cs.Link(latency=cs.Constant(0.5)))
    assert not link.is_instant
    np.testing.assert_array_equal(link.delays(uniforms(), 0, 1, 2, 1e9), [[0.5, 0.5]])


def test_bandwidth_is_bytes_per_second():
    link = cs.Link(bandwidth=1e6)
    assert not link.is_instant
    np.testing.assert_array_equal(link.delays(uniforms(), 0, 1, 2, 800), [[0.0008, 0.0008]])
    np.testing.assert_array_equal(link.delays(uniforms(), 0, 1, 2, [0, 2e6]), [[0.0, 2.0]])  # one size a worker


def test_latency_and_bandwidth_add_up():
    latency = cs.ShiftedExponential(0.1, 0.2)
    delays = cs.Link(latency, bandwidth=100.0).delays(uniforms(), 3, 400, 50, 30)
    np.testing.assert_allclose(delays, latency.times(uniforms(), 3, 400, 50) + 0.3, rtol=1e-15)
    assert abs(delays.mean() - 0.6) < Z * 0.2 / math.sqrt(delays.size)


def test_a_link_may_lose_messages():
    delays = cs.Link(cs.BernoulliStraggler(0.5, time=0.1), bandwidth=10.0).delays(uniforms(), 0, 50, 50, 1)
    assert set(np.unique(delays)) == {0.2, math.inf}


def test_a_link_knows_how_much_of_it_was_recorded():
    assert cs.Link(cs.Replay(np.ones((3, 2)))).recorded_tasks == 3
    assert cs.Link().recorded_tasks is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latency": -0.1}, "latency = -0.1.*at least 0.*latency model"),
        ({"latency": math.nan}, "latency = nan"),
        ({"latency": "slow"}, "latency = 'slow'"),
        ({"bandwidth": 0.0}, "bandwidth = 0.0.*greater than 0.*leave it out"),
        ({"bandwidth": -1.0}, "bandwidth = -1.0"),
        ({"bandwidth": math.nan}, "bandwidth = nan"),
    ],
)
def test_bad_links_are_refused(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        cs.Link(**arguments)
