"""Models that run away end the run, fast or slowly; healthy runs are left alone, whatever their start."""

import math

import numpy as np
import pytest
from agreement import ENGINES

import clustersim as cs
from clustersim.engine.divergence import Watch

PROBLEM = cs.LeastSquares.synthetic(rows=60, features=4, seed=3)
EDGE = 2.0 / PROBLEM.smoothness()  # the largest stable step of gradient descent


def run(problem=PROBLEM, optimizer=None, policy=None, updates=150, workers=4, **options):
    return cs.simulate(
        problem, cs.Cluster(workers, cs.Exponential(1.0)), policy or cs.FullSync(),
        optimizer=optimizer or cs.SGD(0.5 * EDGE), until=cs.Until(updates=updates), **options,
    )  # fmt: skip


class Begun(cs.LeastSquares):
    """Least squares that begin at a model of one's choice."""

    start = None

    def initial_model(self):
        return np.array(self.start)


def begun(problem, start):
    other = Begun(problem.X, problem.y)
    other.start = start
    return other


# ---------------------------------------------------------------------- what runs away


@pytest.mark.parametrize("every", [1, 7, 10, 10**6], ids="every {}".format)
@pytest.mark.parametrize("engine", ENGINES)
def test_slow_divergence_is_noticed_at_an_evaluation_and_at_the_end(every, engine):
    """The objective grows by 1.08 an update, 10^5-fold in all: too little for the watch on gradients."""
    slow = cs.SGD(EDGE * (1.0 + math.sqrt(1.08)) / 2.0)
    with pytest.raises(cs.DivergenceError, match=r"diverged at update \d+.* and was .* at first; .*2 / L = ") as told:
        run(optimizer=slow, evaluate_every=every, engine=engine)
    at = int(str(told.value).split("update ")[1].split(":")[0])
    assert at == 150 if every > 150 else at < 150


def test_a_squared_gradient_that_has_not_grown_a_millionfold_would_have_passed(monkeypatch):
    slow = cs.SGD(EDGE * (1.0 + math.sqrt(1.08)) / 2.0)
    monkeypatch.setattr(Watch, "evaluated", lambda *told: None)
    errors = run(optimizer=slow).history["error"]
    assert errors.iloc[-1] > 1000.0 * errors.iloc[0]


def test_noisy_divergence_is_noticed():
    """With one worker of four the mean square grows, though the full gradient is stable."""
    with pytest.raises(cs.DivergenceError, match="diverged at update"):
        run(cs.LeastSquares.synthetic(rows=8, features=6, seed=1), cs.SGD(0.02), cs.FastestK(1), updates=4000)


def test_an_objective_that_is_no_number_is_noticed_at_the_end():
    """The last step overflows, which no gradient sees any more."""
    with pytest.raises(cs.DivergenceError, match=r"the objective is (inf|nan)"):
        run(optimizer=cs.SGD(lambda t: 0.5 * EDGE if t < 30 else 1e306), updates=30)


# ---------------------------------------------------------------------- what does not


def test_a_start_at_the_optimum_is_no_divergence():
    history = run(begun(PROBLEM, PROBLEM.optimum().w), policy=cs.FastestK(1), optimizer=cs.SGD(0.2 * EDGE)).history
    assert history["error"].iloc[-1] > 100.0 * history["error"].iloc[0]  # it climbs to the floor


def test_a_start_near_an_optimum_without_residuals_is_no_divergence():
    exact = cs.LeastSquares.synthetic(rows=60, features=4, seed=3, noise=0.0)
    for distance in (0.0, 1e-13, 1e-6):
        problem = begun(exact, exact.optimum().w + distance)
        run(problem, policy=cs.FastestK(1), optimizer=cs.SGD(0.2 * EDGE), updates=300, evaluate_every=1)


def test_rounding_is_no_divergence():
    watch = Watch(begun(PROBLEM, np.full(4, 1e3)), np.full(4, 1e3))
    watch._first = watch._highest = 1e-28
    watch.evaluated(np.full(4, 1e3), 100, 1e-17 * PROBLEM.smoothness())
    with pytest.raises(cs.DivergenceError):
        watch.evaluated(np.full(4, 1e3), 100, 1e-12 * PROBLEM.smoothness())


@pytest.mark.parametrize("momentum", [0.9, 0.99])
def test_momentum_at_the_edge_of_stability_overshoots_and_comes_back(momentum):
    """Both roots of its characteristic polynomial are minus the root of mu: the objective rises as t squared does."""
    double = (1.0 + math.sqrt(momentum)) ** 2 * EDGE / 2.0
    history = run(optimizer=cs.Momentum(double, momentum), updates=3000, evaluate_every=1).history
    assert history["loss"].max() > 100.0 * history["loss"].iloc[0]
    assert history["error"].iloc[-1] < 1e-3 * history["error"].iloc[0]


def test_the_first_long_steps_of_a_schedule_may_overshoot():
    """Steps of 8 / (L t): the error rises about a thousandfold in four updates, and falls ever after."""
    history = run(optimizer=cs.SGD(lambda t: 4.0 * EDGE / t), updates=60, evaluate_every=1).history
    assert history["loss"].max() > 100.0 * history["loss"].iloc[0]


class Unsolved(cs.LeastSquares):
    """Least squares of which no optimum is known."""

    has_optimum = False

    def evaluate(self, w):
        return math.nan, self.loss(w)


class Below(Unsolved):
    """Objectives below zero, as those of likelihoods may be."""

    def loss(self, w):
        return super().loss(w) - 1e9

    def smoothness(self):
        raise cs.ConfigurationError("not known")


def test_objectives_below_zero_are_not_compared():
    run(Below(PROBLEM.X, PROBLEM.y), updates=60)
    with pytest.raises(cs.DivergenceError):
        run(Below(PROBLEM.X, PROBLEM.y), cs.SGD(10.0 * EDGE))


class Blind(Unsolved):
    """A problem that only costs time."""

    def loss(self, w):
        return math.nan


def test_a_problem_without_an_objective_is_not_watched():
    assert run(Blind(PROBLEM.X, PROBLEM.y), updates=60).totals["updates"] == 60
