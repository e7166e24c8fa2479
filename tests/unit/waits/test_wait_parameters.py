"""Parameters of wait rules that are out of range, or do not fit the cluster."""

import math

import pytest
from timed_rounds import rounds

import clustersim as cs
from clustersim.waits import (
    All,
    Fastest,
    GracePeriod,
    Latest,
    MedianDeadline,
    RelativeDeadline,
)

FOUR = [[1.0] * 4]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GracePeriod(0, 1.0), "k = 0"),
        (lambda: GracePeriod(1, -1.0), "seconds = -1"),
        (lambda: GracePeriod(1, math.inf), "seconds = inf"),
        (lambda: RelativeDeadline(-0.1), "mu = -0.1"),
        (lambda: RelativeDeadline(math.nan), "mu = nan"),
        (lambda: MedianDeadline(-1), "multiple = -1"),
        (Latest, "at least one wait rule"),
        (lambda: Latest(Fastest(1), 2), "rules = 2: expected wait rules"),
        (lambda: rounds(GracePeriod(5, 1.0), FOUR), "k = 5.*4 workers"),
        (lambda: rounds(Latest(Fastest(5), All()), FOUR), "k = 5.*4 workers"),
    ],
)
def test_bad_parameters_are_named(make, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        make()
