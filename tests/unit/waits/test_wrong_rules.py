"""Wait rules that return something unusable: the error names the state of the rule, the value and what was expected."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from agreement import ENGINES

import clustersim as cs
from clustersim.waits import Earliest, Fastest, Latest, Look, Outlook, WaitRule, WaitState, WarmUp

PROBLEM = cs.LeastSquares.synthetic(rows=24, features=3, seed=1)
CLUSTER = cs.Cluster(workers=4, compute=cs.Exponential(mean=1.0))


def run(policy, engine="auto"):
    until = cs.Until(updates=6)
    return cs.simulate(PROBLEM, CLUSTER, policy, optimizer=cs.SGD(1e-3), until=until, engine=engine)


def returning(value):
    """A method that returns this value, whatever its arguments."""
    return lambda self, *arguments: value


@dataclass(frozen=True)
class Own(WaitRule):
    """A rule whose state has these attributes and methods."""

    parts: tuple

    def begin(self, setting):
        usual = {"k": 2, "opened": returning(None)}
        return type("OwnState", (WaitState,), usual | dict(self.parts))()


def own(**parts):
    return Own(tuple(parts.items()))


def sets_k(k):
    def opened(self, updated):
        self.k = k

    return opened


NEEDS = r"OwnState\.needs\(\[\]\) returns {}: expected a whole number"
BEYOND = r"OwnState\.needs\(\[\]\) returns -3: expected a whole number, .* leave out more messages than have arrived"
ROUNDS = r"OwnState\.outlook\(\) returns Outlook\(rounds={}.*expected rounds to be a whole number, at least 1"
ENOUGH = r"expected enough to be a whole number, at least 1, or a function"
OUTLOOK = r"OwnState\.outlook\(\) returns {}: expected Outlook\(rounds, enough\)"
LOOK = r"OwnState\.look\(.*\) returns {}: expected Look\(needs, until\)"
WRONG_WAITS = [
    (own(needs=returning(None)), NEEDS.format("None")),
    (own(needs=returning(2.5)), NEEDS.format("2.5")),
    (own(needs=returning(math.nan)), NEEDS.format("nan")),
    (own(needs=returning([1])), NEEDS.format(r"\[1\]")),
    (own(needs=returning(True)), NEEDS.format("True")),
    (own(needs=returning(-3)), BEYOND),
    (own(outlook=returning(None)), OUTLOOK.format("None")),
    (own(outlook=returning(3)), OUTLOOK.format("3")),
    (own(outlook=returning((5, 2))), OUTLOOK.format(r"\(5, 2\)")),
    (own(outlook=returning(Outlook(None, 2))), ROUNDS.format("None")),
    (own(outlook=returning(Outlook(2.5, 2))), ROUNDS.format("2.5")),
    (own(outlook=returning(Outlook(5, None))), ENOUGH),
    (own(outlook=returning(Outlook(5, 2.5))), ENOUGH),
    (own(outlook=returning(Outlook(5, 2, until=None))), "expected until to be a number of seconds"),
    (own(outlook=returning(Outlook(5, 2, until=math.nan))), "expected until to be a number of seconds"),
    (own(watches=True, look=returning(None)), LOOK.format("None")),
    (own(watches=True, look=returning(3)), LOOK.format("3")),
    (own(watches=True, look=returning(Look(None, 1.0))), r"expected needs to be a whole number"),
    (own(watches=True, look=returning(Look(2.5, 1.0))), r"expected needs to be a whole number"),
    (own(watches=True, look=returning(Look(1, None))), "expected until to be a number of seconds"),
    (own(watches=True, look=returning(Look(1, math.nan))), "expected until to be a number of seconds"),
    (own(watches=True, look=returning(Look(1, "soon"))), "expected until to be a number of seconds"),
    (own(patience=None), "its state has patience = None: expected a number of seconds, at least 0"),
    (own(patience=-1.0), "its state has patience = -1.0: expected a number of seconds, at least 0"),
    (own(patience=math.nan), "its state has patience = nan: expected a number of seconds, at least 0"),
    (own(patience=[1.0]), r"its state has patience = \[1.0\]: expected a number of seconds, at least 0"),
    (own(opened=sets_k(None)), "OwnState has k = None after opened"),
    (own(opened=sets_k(2.5)), "OwnState has k = 2.5 after opened"),
]
CALLABLE = own(outlook=returning(Outlook(5, lambda workers: None)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("rule", "words"), WRONG_WAITS)
def test_a_wait_rule_that_returns_nonsense_is_named(rule, words, engine):
    with pytest.raises(cs.ConfigurationError, match=words):
        run(cs.Synchronous(rule), engine=engine)


@pytest.mark.parametrize(
    "combine", [lambda rule: Earliest(rule, Fastest(3)), lambda rule: Latest(rule, Fastest(3)), lambda r: WarmUp(r, 1)]
)
@pytest.mark.parametrize(("rule", "words"), WRONG_WAITS)
def test_so_is_one_within_a_combination(rule, words, combine):
    with pytest.raises(cs.ConfigurationError, match=words.replace(r"\[\]", r"\[.*\]")):
        run(cs.Synchronous(combine(rule)))


@pytest.mark.parametrize("k", [0, 5])
def test_a_k_out_of_range_after_opened_is_refused(k):
    with pytest.raises(cs.ConfigurationError, match=rf"OwnState has k = {k} after opened\(\): expected .* 1 \.\. 4"):
        run(cs.Synchronous(own(opened=sets_k(k))))


@pytest.mark.parametrize("rule", [CALLABLE, Earliest(CALLABLE, Fastest(3)), Latest(Fastest(1), CALLABLE)])
def test_a_promise_of_no_number_is_refused(rule):
    with pytest.raises(cs.ClusterSimError, match="says that None messages are enough"):
        run(cs.Synchronous(rule))


def test_whole_numbers_of_other_types_serve():
    plain, rule = own(), own(k=np.int32(2), needs=lambda self, workers: np.int64(2 - len(workers)), patience=10)
    assert run(cs.Synchronous(rule)).history["loss"].equals(run(cs.Synchronous(plain)).history["loss"])
