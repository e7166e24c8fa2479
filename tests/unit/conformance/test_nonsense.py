"""Parts that return no number, or no array, where one is expected: each check says so in its own words."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

import clustersim as cs
from clustersim.conformance import (
    ConformanceError,
    check_decoder,
    check_latency,
    check_optimizer,
    check_problem,
)


def returning(value):
    return lambda self, *arguments: value


class Quadratic(cs.Problem):
    """||w||^2 / 2 on each of twelve rows."""

    rows, dimension = 12, 2

    def loss(self, w):
        return float(w @ w) / 2.0

    def gradient(self, w, rows, weights):
        return w * float(np.sum(np.broadcast_to(weights, self.rows if rows is None else len(rows))))

    def describe(self):
        return {"class": "Quadratic"}


NUMBER = r"{} returns {}: expected a number"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"loss": returning(None)}, NUMBER.format(r"loss\(w\)", "None")),
        ({"loss": returning([1.0])}, NUMBER.format(r"loss\(w\)", r"\[1.0\]")),
        ({"loss": returning("a")}, NUMBER.format(r"loss\(w\)", "'a'")),
        ({"loss": returning(1j)}, NUMBER.format(r"loss\(w\)", "1j")),
        ({"loss": returning(np.ones(1))}, NUMBER.format(r"loss\(w\)", r"array\(\[1.\]\)")),
        ({"penalty": returning(None)}, NUMBER.format(r"penalty\(w\)", "None")),
        ({"penalty_gradient": returning(1.0)}, r"penalty_gradient\(w\) returns 1.0: expected an array of shape \(2,\)"),
        ({"initial_model": returning(np.ones(2, int))}, r"initial_model\(\) returns .*: expected 2 finite numbers"),
        ({"metrics": returning(None)}, "metrics = None: expected a mapping"),
        ({"evaluate": returning(None)}, r"evaluate\(w\) returns None: expected two numbers, error and loss"),
        ({"evaluate": returning((1.0,))}, r"evaluate\(w\) returns \(1.0,\): expected two numbers"),
        ({"evaluate": returning((math.nan, None))}, r"evaluate\(w\) returns \(nan, None\): expected two numbers"),
        ({"has_optimum": True, "optimum": returning(None)}, r"optimum\(\) returns None: expected an Optimum"),
        ({"smoothness": returning(None)}, NUMBER.format(r"smoothness\(\)", "None")),
    ],
)
def test_problems(parts, words):
    with pytest.raises(cs.ClusterSimError, match=words):
        check_problem(type("Nonsense", (Quadratic,), parts)())


def test_a_problem_whose_repr_fails_still_conforms():
    def fails(self):
        raise RuntimeError

    check_problem(type("Wordless", (Quadratic,), {"__repr__": fails})())


@pytest.mark.parametrize("weights", ["a", 1j, [[1.0], [2.0, 3.0]]], ids=repr)
def test_decoders(weights):
    kind = dataclass(frozen=True)(type("Heavy", (cs.decoders.Decoder,), {"weights": returning(weights)}))
    with pytest.raises(ConformanceError, match=r"the weights of workers .* are .*: expected numbers"):
        check_decoder(kind())


def test_optimizers():
    kind = dataclass(frozen=True)(type("Stateless", (cs.Optimizer,), {"begin": returning(None)}))
    with pytest.raises(ConformanceError, match=r"begin\(\) returns None: expected a state with step"):
        check_optimizer(kind())


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"quantile": returning("a")}, r"quantile of 110 levels returns 'a': expected an array of numbers"),
        (
            {"quantile": lambda self, u: [1.0 for _ in np.atleast_1d(u)]},
            r"quantile\(0\) returns \[1.0\]: expected a num",
        ),
        ({"longest": None}, "longest returns None: expected a number"),
        ({"expected_time": "a"}, "expected_time returns 'a': expected a number"),
        ({"shifts": returning(None)}, r"shifts\(1\) returns None: expected an array of shape \(1,\)"),
        ({"times": returning(None)}, r"times returns None: expected an array of shape"),
        ({"times": returning([1.0])}, r"times returns \[1.0\]: expected an array of shape"),
    ],
)
def test_latency_models(parts, words):
    usual = {"quantile": lambda self, u: 1.0 + np.asarray(u)}
    with pytest.raises(ConformanceError, match=words):
        check_latency(dataclass(frozen=True)(type("Slow", (cs.LatencyModel,), usual | parts))())
