"""The clock of a round: seconds since the dispatch, in whole ticks."""

import math

import numpy as np
import pytest

from clustersim.ticks import Ticks
from clustersim.waits import (
    Look,
    WaitState,
)
from clustersim.waits.round_clock import RoundClock

LATE = 1234567.891  # seconds; a float this large is a whole number of tenths of nanoseconds


class _Recorder(WaitState):
    """Notes what it is asked, and waits for a tenth of a second more each time."""

    k, watches = 3, True

    def __init__(self):
        self.asked = []

    def opened(self, updated):
        raise NotImplementedError

    def look(self, elapsed, workers, times):
        self.asked.append((elapsed, workers.tolist(), times.tolist()))
        return Look(3 - len(workers), elapsed + 0.1)


@pytest.mark.parametrize("begin", [0.0, 0.7, LATE])
def test_the_clock_of_a_round_counts_from_the_dispatch(begin):
    """Times are rounded to ticks, so that 0.7 + 0.1 - 0.7 is 0.1, and messages that come together share their time."""
    clock, rule = RoundClock(Ticks(1e-9)), _Recorder()
    for _ in range(2):  # a second round forgets the first one
        clock.begin(begin)
        for seconds, workers in [(0.0, []), (0.1, [2]), (0.3, [2, 0, 1])]:
            assert clock.look(rule, begin + seconds, np.array(workers, dtype=np.int64)) == Look(3 - len(workers), 0.1)
    asked = [(0.0, [], []), (0.1, [2], [0.1]), (0.3, [2, 0, 1], [0.1, 0.3, 0.3])]
    assert rule.asked == asked * 2


def test_an_endless_wait_stays_endless():
    class Forever(_Recorder):
        def look(self, elapsed, workers, times):
            return Look(1, math.inf)

    clock = RoundClock(Ticks(1e-9))
    clock.begin(5.0)
    assert clock.look(Forever(), 7.0, np.array([0])).until == math.inf
