"""Times of any size, in models, links, deadlines and horizons: both engines say the same, and neither hangs."""

import math
import re

import pytest
from agreement import ENGINES, demand_same, in_both_engines, outcome, short_patience
from fuzz.configurations import attempt
from hypothesis import HealthCheck, given, settings
from spaces import Case, Drawn, extreme_cases

import clustersim as cs
from clustersim.latency import representable
from clustersim.policies import Asynchronous


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=extreme_cases())
def test_both_engines_say_the_same_of_extreme_times(case):
    with short_patience():
        process, cohort = in_both_engines(case, messages=True)
    demand_same(process, cohort, "processes (one) and cohort (two) differ")


@pytest.mark.parametrize("batch", [1])
def test_the_fuzzer_of_configurations_finds_nothing(batch):
    assert set(attempt(batch)) <= {"", "refused"}


def case(compute=None, policy=None, **cluster):
    return Case(policy or cs.FullSync(), cs.Cluster(2, compute or cs.Constant(1.0), **cluster), cs.Until(updates=3))


HUGE, NEVER = Drawn((1e308,)), Drawn((1.0, math.inf))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cs.Constant(1e308), "time = 1e+308: expected .* at most 1e+100"),
        (lambda: cs.Exponential(1e308), "mean = 1e+308: expected .* at most 1e+100"),
        (lambda: cs.ShiftedExponential(1e101, 1.0), "shift = 1e+101: expected .* at most 1e+100"),
        (lambda: cs.BernoulliStraggler(0.1, 1e300), "time = 1e+300: expected .* at most 1e+100"),
        (lambda: cs.Empirical([1.0, 1e300]), r"samples\[1\] = 1e+300"),
        (lambda: cs.Replay([[1.0, 1e300]]), r"times\[0, 1\] = 1e+300"),
        (lambda: cs.Link(latency=1e300), "latency = 1e+300: expected .* at most 1e+100"),
        (lambda: cs.Until(time=1e300), "time = 1e+300: expected .* at most 1e+100"),
        (lambda: cs.waits.Deadline(1e300), "deadline = 1e+300: expected .* at most 1e+100"),
        (lambda: representable(HUGE.quantile([0.5])), "drew a time of 1e+308 s: expected at most 1e+100"),
    ],
)
def test_times_that_cannot_be_added_up_are_refused_where_they_are_named(make, words):
    with pytest.raises(cs.ConfigurationError, match=words.replace("+", r"\+")):
        make()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("tried", "words"),
    [
        (case(HUGE), "compute = Drawn.*at most 1e+100 s.*up to 1e+308 s"),
        (case(cs.Persistent(HUGE, 2)), "compute = Persistent.*up to 1e+308 s"),
        (case(cs.PerWorker([cs.BernoulliStraggler(0.5), HUGE])), "compute = PerWorker.*up to 1e+308 s"),
        (case(cs.Markov(NEVER, HUGE, 0.1, 0.1)), "compute = Markov.*up to 1e+308 s"),
        (case(cs.Pareto(1e99, 1.1)), "compute = Pareto.*at most 1e+100"),
        (case(downlink=cs.Link(latency=HUGE)), "downlink = Drawn.*up to 1e+308 s"),
        (case(uplink=cs.Link(latency=HUGE)), "uplink = Drawn.*up to 1e+308 s"),
        (case(uplink=cs.Link(bandwidth=1e-300)), "bandwidth = 1e-300: expected enough for a message of .* bytes"),
        (case(HUGE, policy=Asynchronous(1)), "compute = Drawn"),
    ],
    ids=repr,
)
def test_what_would_be_drawn_is_refused_before_either_engine_draws(tried, words, engine):
    error = outcome(tried, engine=engine).error
    assert isinstance(error, cs.ConfigurationError)
    assert re.search(words.replace("+", r"\+"), str(error))
