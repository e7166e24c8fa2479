"""Parts of a user's own that return something unusable: the error names the part, the value and what was expected."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from agreement import ENGINES
from scripted import Scripted

import clustersim as cs
from clustersim.protocol import Arrivals, Decision, Dispatch, Policy, Stop, Update, Updated, Wants
from clustersim.waits import Fastest

PROBLEM = cs.LeastSquares.synthetic(rows=24, features=3, seed=1)
CLUSTER = cs.Cluster(workers=4, compute=cs.Exponential(mean=1.0))


def run(policy=None, problem=PROBLEM, cluster=CLUSTER, engine="auto", optimizer=None):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return cs.simulate(
            problem, cluster, policy or cs.FastestK(2), optimizer=optimizer or cs.SGD(1e-3),
            until=cs.Until(updates=6), engine=engine,
        )  # fmt: skip


def returning(value):
    """A method that returns this value, whatever its arguments."""
    return lambda self, *arguments: value


# ---------------------------------------------------------------------- problems


class Quadratic(cs.Problem):
    """||w||^2 / 2 + 1 on each of twelve rows, with a method or two replaced."""

    rows, dimension, labels = 12, 2, None

    def __new__(cls, **parts):
        return object.__new__(type("Quadratic", (cls,), parts))

    def __init__(self, **parts):
        del parts

    def loss(self, w):
        return float(w @ w) / 2.0 + 1.0

    def gradient(self, w, rows, weights):
        return w * float(np.sum(np.broadcast_to(weights, self.rows if rows is None else len(rows))))

    def initial_model(self):
        return np.ones(2)

    def describe(self):
        return {"class": "Quadratic"}


def raising(self):
    raise RuntimeError("no words for it")


NUMBER = r"{}\(\) returns {}: expected a number"
WRONG_PROBLEMS = [
    ({"loss": returning(None)}, NUMBER.format("loss", "None")),
    ({"loss": returning([1.0])}, NUMBER.format("loss", r"\[1.0\]")),
    ({"loss": returning("low")}, NUMBER.format("loss", "'low'")),
    ({"loss": returning(1j)}, NUMBER.format("loss", "1j")),
    ({"loss": returning(np.ones(1))}, r"loss\(\) returns an array of float64 of shape \(1,\): expected a number"),
    ({"loss": returning(np.ones(2))}, r"loss\(\) returns an array of float64 of shape \(2,\): expected a number"),
    ({"penalty": returning(None)}, NUMBER.format("penalty", "None")),
    ({"penalty": returning(np.ones(1))}, r"penalty\(\) returns an array of float64 of shape \(1,\)"),
    ({"objective": returning(None)}, NUMBER.format("objective", "None")),
    ({"penalty_gradient": returning(np.ones(3))}, r"penalty_gradient\(\) returns an array of float64 of shape \(3,\)"),
    ({"penalty_gradient": returning([1.0, 2.0])}, r"penalty_gradient\(\) returns \[1.0, 2.0\]: expected an array"),
    ({"evaluate": returning(None)}, r"evaluate\(w\) returns None: expected two numbers, error and loss"),
    ({"evaluate": returning((1.0,))}, r"evaluate\(w\) returns \(1.0,\): expected two numbers"),
    ({"evaluate": returning((None, None))}, r"evaluate\(w\) returns \(None, None\): expected two numbers"),
    ({"evaluate": returning((1.0, np.ones(2)))}, r"evaluate\(w\) returns \(1.0, array.*expected two numbers"),
    ({"has_optimum": True, "optimum": returning(None)}, r"optimum\(\) returns None: expected an Optimum"),
    ({"rows": None}, "has rows = None: expected a whole number, at least 1"),
    ({"rows": 2.5}, "has rows = 2.5: expected a whole number, at least 1"),
    ({"dimension": None}, "has dimension = None: expected a whole number, at least 1"),
    ({"dimension": "two"}, "has dimension = 'two': expected a whole number, at least 1"),
    (
        {"initial_model": returning(np.array([math.nan, 1.0]))},
        r"initial_model\(\) returns array\(\[nan, 1\.\]\): .* finite",
    ),
    ({"loss": returning(None), "__repr__": raising}, NUMBER.format("loss", "None")),
    ({"gradient": returning(None), "__repr__": raising}, r"gradient\(\) returns None"),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("parts", "words"), WRONG_PROBLEMS)
def test_a_problem_that_returns_nonsense_is_named(parts, words, engine):
    with pytest.raises(cs.ConfigurationError, match=f"(?s)Quadratic.*{words}"):
        run(problem=Quadratic(**parts), engine=engine)


@pytest.mark.parametrize("loss", [1, np.float32(1.0), np.array(1.0)])
def test_a_loss_may_be_any_single_number(loss):
    assert run(problem=Quadratic(loss=returning(loss))).history["loss"].unique().tolist() == [1.0]


def test_a_problem_without_a_repr_of_its_own_shows_its_size():
    assert repr(Quadratic()) == "Quadratic(rows=12, dimension=2)"
    assert repr(Quadratic(rows=property(raising))) == "Quadratic()"


# ---------------------------------------------------------------------- decoders, latency models, policies


class Weighing(cs.decoders.Decoder):
    def __init__(self, value):
        self.value = value

    def __repr__(self):
        return "Weighing()"

    def weights(self, assignment, workers):
        return self.value


@pytest.mark.parametrize("value", ["heavy", 1j, [[1.0], [2.0, 3.0]], None, [0.1, None]], ids=repr)
def test_weights_that_are_no_numbers_are_refused(value):
    with pytest.raises(cs.ConfigurationError, match=r"Weighing\(\): weights\(.*\) returns .*: expected a number, or "):
        run(cs.Synchronous(Fastest(2), Weighing(value)))


def latency(**parts):
    usual = {"quantile": lambda self, u: 1.0 + np.asarray(u), "__repr__": returning("Slow()")}
    return type("Slow", (cs.LatencyModel,), usual | parts)()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"quantile": lambda self, u: np.array([1.0 + x for x in u])}, r"quantile\(0.5\) gives .*not iterable"),
        ({"longest": None}, "longest = None: expected seconds"),
        ({"longest": math.nan}, "longest = nan: expected seconds"),
        ({"longest": "long"}, "longest = 'long': expected seconds"),
        ({"shifts": returning(None)}, r"shifts\(4\) returns None: expected an array of floats of shape \(4,\)"),
        ({"shifts": returning([1.0])}, r"shifts\(4\) returns \[1.0\]: expected an array of floats of shape \(4,\)"),
        ({"times": returning(None)}, r"times\(\) returns None: expected an array"),
        ({"times": returning("late")}, r"drew 'late': expected an array of seconds of shape"),
    ],
)
def test_a_latency_model_that_returns_nonsense_is_named(parts, words, engine):
    with pytest.raises(cs.ConfigurationError, match=words):
        run(cluster=cs.Cluster(workers=4, compute=latency(**parts)), engine=engine)


@dataclass(frozen=True)
class Idle(Policy):
    """A policy with work that is none."""

    work: object = None

    def begin(self, setting):
        raise AssertionError


@pytest.mark.parametrize("work", [None, 3])
def test_work_of_the_wrong_kind_is_refused(work):
    with pytest.raises(cs.ConfigurationError, match=rf"work = {work}: expected .*Idle.* to return Work"):
        run(Idle(work))


def on_arrivals(decide):
    """Dispatch to all at first; decide on arrivals."""
    return Scripted(
        lambda event: decide(event) if isinstance(event, Arrivals) else Decision((Dispatch(busy="restart"),), Wants())
    )


UNUSABLE = [
    (Decision(Dispatch(), Wants()), r"its commands are Dispatch\(.*\): put them into a tuple, as in Decision\(\(Dispa"),
    (Decision(Stop("done"), Wants()), r"its commands are Stop\(reason='done'\): put them into a tuple"),
    (Decision(None, Wants()), "its commands are None: put them into a tuple"),
    (Decision(Dispatch, Wants()), "its commands are <class .*>: put them into a tuple"),
    (Decision((Dispatch([[1], [2, 3]]),), Wants()), r"dispatches to workers \[\[1\], \[2, 3\]\]; they are 0 .. 3"),
    (Decision((Dispatch(), Stop(3)), Wants()), "stops for the reason 3; give a text"),
]


@pytest.mark.parametrize(("decision", "words"), UNUSABLE)
def test_decisions_of_the_wrong_form_are_refused(decision, words):
    with pytest.raises(cs.ProtocolError, match=words):
        run(Scripted(lambda event: decision))


@pytest.mark.parametrize("weights", ["heavy", 1j, [[1.0], [2.0, 3.0]]], ids=repr)
def test_weights_of_an_update_that_are_no_numbers_are_refused(weights):
    with pytest.raises(cs.ProtocolError, match=r"with weights .*; give 1 finite weights"):
        run(on_arrivals(lambda event: Decision((Update(event.messages, weights),), Wants())))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_policy_that_never_dispatches_is_told_so(engine):
    with pytest.raises(cs.StalledError, match=r"never dispatched anything, so no message can arrive.*Dispatch"):
        run(Scripted(lambda event: Decision((), Wants())), engine=engine)


def test_a_policy_that_waits_for_more_than_it_dispatched_is_told_so():
    with pytest.raises(cs.StalledError, match="any more: every task has been answered; ") as found:
        run(Scripted(lambda event: Decision((Dispatch(),) if isinstance(event, Updated) else (), Wants(9))))
    assert "never answer" not in str(found.value)


@pytest.mark.parametrize(
    ("wants", "words"),
    [
        (Wants(2.5), r"it wants to wait for 2\.5 messages; give Wants a whole number of arrivals, at least 1"),
        (Wants(None), "it wants to wait for None messages; give Wants a whole number of arrivals, at least 1"),
        (Wants(0), "it wants to wait for 0 messages; give Wants a whole number"),
        (Wants(True), "it wants to wait for True messages; give Wants a whole number"),
        (Wants(1, None), "it wants to wait until None; give Wants a deadline in seconds"),
        (Wants(1, -5.0), r"it wants to wait until -5\.0 s, and it is 0 s; give Wants a deadline that has not passed"),
        (Wants(1, math.nan), "it wants to wait until nan; give Wants a deadline in seconds"),
        (Wants(1, math.inf, -1.0), r"it wants to wait for -1\.0 s; give Wants a patience in seconds, at least 0"),
        (Wants(1, math.inf, math.nan), "it wants to wait for nan s; give Wants a patience in seconds, at least 0"),
        (Wants(1, math.inf, "a"), "it wants to wait for 'a' s; give Wants a patience in seconds, at least 0"),
    ],
)
def test_wants_that_make_no_sense(wants, words):
    with pytest.raises(cs.ProtocolError, match=words):
        run(Scripted(lambda event: Decision((Dispatch(busy="restart"),), wants)))
