"""Policies driven without an engine: events in, commands out."""

import numpy as np
import pytest

import clustersim as cs
from clustersim.placements import EvenPartition
from clustersim.protocol import Arrivals, Dispatch, Setting, Update, Updated

PROBLEM = cs.LeastSquares(np.ones((12, 2)), np.zeros(12))


def begin(policy, workers=6, busy="restart"):
    assignment = EvenPartition().assign(PROBLEM, workers, np.random.default_rng(0))
    return policy.begin(Setting(workers, assignment, busy))


def parts(count):
    """First tasks, brought whole."""
    return np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64)


def arrivals(time, first, workers, version):
    count = len(workers)
    return Arrivals(time, np.arange(first, first + count), np.array(workers), np.full(count, version), *parts(count))


def test_a_round_of_fastest_k():
    state = begin(cs.FastestK(3), busy="finish")
    commands, wants, _ = state.react(Updated(0.0, 0, None))
    assert [type(command) for command in commands] == [Dispatch]
    assert commands[0].workers is None
    assert commands[0].busy == "finish"
    assert wants.arrivals == 3
    commands, wants, _ = state.react(arrivals(1.0, 0, [4, 2], 0))
    assert commands == ()
    assert wants.arrivals == 1
    (update,), *_ = state.react(arrivals(2.0, 2, [0, 5], 0))
    assert isinstance(update, Update)
    assert update.messages.tolist() == [0, 1, 2]  # three suffice, the fourth came at the same instant
    assert update.weights == pytest.approx(1 / 6)  # two rows each
    assert update.keep is None


def test_answers_to_older_models_do_not_count():
    state = begin(cs.FastestK(2))
    state.react(Updated(0.0, 0, None))
    state.react(arrivals(1.0, 0, [0, 1], 0))
    state.react(Updated(1.0, 1, np.zeros(2)))
    commands, wants, _ = state.react(arrivals(1.5, 2, [2, 3], 0))
    assert commands == ()
    assert wants.arrivals == 2
    mixed = Arrivals(2.0, np.array([4, 5, 6]), np.array([4, 0, 1]), np.array([0, 1, 1]), *parts(3))
    (update,), *_ = state.react(mixed)
    assert update.messages.tolist() == [5, 6]


def ks(policy, gradients, times=None, workers=6):
    state = begin(policy, workers)
    state.react(Updated(0.0, 0, None))
    seen = []
    for j, gradient in enumerate(gradients, start=1):
        state.react(Updated(float(j) if times is None else times[j - 1], j, np.array(gradient)))
        seen.append(state.k)
    return seen


def test_pflug_counts_opposed_gradients():
    # Signs of consecutive products: -, -, -, ... The count exceeds 1 at the third gradient (two negative products);
    # then again two updates after the switch.
    flip = [[1.0, 0.0], [-1.0, 0.0]] * 5
    assert ks(cs.AdaptiveK(1, threshold=1, burn_in=0, step=2), flip) == [1, 1, 3, 3, 5, 5, 5, 5, 5, 5]
    assert ks(cs.AdaptiveK(1, threshold=1, burn_in=0, factor=2), flip) == [1, 1, 2, 2, 4, 4, 4, 4, 4, 4]
    assert ks(cs.AdaptiveK(1, threshold=1, burn_in=0, factor=2, max_k=3), flip)[-1] == 2


def test_pflug_takes_back_for_aligned_gradients():
    steps = [[1.0], [-1.0], [-1.0], [1.0], [1.0], [-1.0], [1.0], [-1.0], [1.0]]
    # products: - + - + - - - -; counts 1 0 1 0 1 2 3 4: the threshold 3 is exceeded only at the last
    assert ks(cs.AdaptiveK(1, threshold=3, burn_in=0), steps) == [1] * 8 + [2]


def test_pflug_burn_in_counts_updates_since_the_switch():
    flip = [[1.0], [-1.0]] * 8
    # countIter is 2 when the second gradient is judged, j when the j-th is: exceeds 4 at the fifth. After a switch it
    # starts at 0 and is 1 at the end of that update: it exceeds 4 five updates later.
    assert ks(cs.AdaptiveK(1, threshold=0, burn_in=4), flip)[:12] == [1] * 4 + [2] * 5 + [3] * 3


def test_switching_times():
    zeros = [[0.0]] * 5
    policy = cs.SwitchingTimes([2.0, 2.0, 4.5], start=2)
    assert ks(policy, zeros, times=[1.0, 2.0, 4.0, 4.5, 9.0]) == [2, 4, 4, 5, 5]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cs.FastestK(0), "k = 0: expected a whole number, at least 1"),
        (lambda: cs.FastestK(2.5), "k = 2.5"),
        (lambda: cs.FastestK(True), "k = True"),
        (lambda: begin(cs.FastestK(7)), "k = 7: expected a whole number from 1 to 6; the cluster has 6 workers"),
        (lambda: cs.AdaptiveK(1, 1, 1, step=1, factor=2), "step = 1 and factor = 2"),
        (lambda: cs.AdaptiveK(1, -1, 1), "threshold = -1"),
        (lambda: cs.AdaptiveK(1, 1, -1), "burn_in = -1"),
        (lambda: cs.AdaptiveK(1, 1, 1, step=0), "step = 0"),
        (lambda: cs.AdaptiveK(1, 1, 1, factor=1), "factor = 1"),
        (lambda: cs.AdaptiveK(4, 1, 1, max_k=3), "max_k = 3"),
        (lambda: begin(cs.AdaptiveK(7, 1, 1)), "start = 7"),
        (lambda: begin(cs.AdaptiveK(1, 1, 1, max_k=9)), "max_k = 9"),
        (lambda: cs.SwitchingTimes([3.0, 2.0]), "in ascending order"),
        (lambda: cs.SwitchingTimes([float("nan")]), r"times\[0\] = nan"),
        (lambda: cs.SwitchingTimes([-1.0]), r"times\[0\] = -1.0"),
        (lambda: cs.SwitchingTimes("1, 2"), "expected a sequence"),
        (lambda: cs.SwitchingTimes(3.0), "expected a sequence"),
        (lambda: begin(cs.SwitchingTimes([1.0] * 6)), "up to k = 7: the cluster has 6 workers"),
        (lambda: begin(cs.FullSync(), workers=13), "workers = 13: the problem has only 12 rows"),
    ],
)
def test_bad_hyper_parameters(make, message):
    with pytest.raises(cs.ConfigurationError, match=message):
        make()
