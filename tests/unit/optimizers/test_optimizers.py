"""Optimisers against hand-written loops, other forms of the same method, and the rates that theory promises."""

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import clustersim as cs
from clustersim.errors import ConfigurationError
from clustersim.optimizers import SGD, Momentum, Nesterov, Optimizer
from clustersim.schedules import PowerDecay

KINDS = (SGD, Momentum, Nesterov)
FIRST = {  # the first step, in multiples of step size times gradient
    SGD(0.02): 1.0,
    SGD(PowerDecay(0.02, 0.01)): 1.0,
    Momentum(0.02): 1.0,
    Momentum(0.02, 0.5): 1.0,
    Nesterov(0.02): 1.0,
    Nesterov(0.02, 0.5): 1.5,
    Momentum(0.02, 0.5, weight_decay=1e-7): 1.0,
}


def quadratic(curvatures: Any, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Hessian H and minimiser of F(w) = (w - w*)^T H (w - w*) / 2."""
    draw = np.random.default_rng(seed)
    Q = np.linalg.qr(draw.normal(size=(len(curvatures), len(curvatures))))[0]
    return Q @ np.diag(curvatures) @ Q.T, draw.normal(size=len(curvatures))


def models(optimizer: Optimizer, slope: Callable[[np.ndarray], np.ndarray], w0: np.ndarray, updates: int) -> np.ndarray:
    """w_0, w_1, ... with the exact gradient."""
    state, found = optimizer.begin(w0), [w0]
    for t in range(1, updates + 1):
        found.append(state.step(found[-1], slope(found[-1]), t))
    return np.array(found)


def test_a_step_of_sgd_goes_down_the_gradient() -> None:
    stepped = SGD(0.25).begin(np.zeros(3)).step(np.array([1.0, -2.0, 0.5]), np.array([4.0, 0.0, -8.0]), 1)
    assert stepped.tolist() == [0.0, -2.0, 2.5]


def test_momentum_is_the_heavy_ball_in_its_form_without_velocity() -> None:
    H, best = quadratic([1.0, 0.3, 0.1])
    for mu in (0.0, 0.6, 0.9):
        found = models(Momentum(0.5, mu), lambda w: H @ (w - best), np.zeros(3), 40)
        before, w = np.zeros(3), np.zeros(3)
        for t in range(1, 41):
            before, w = w, w - 0.5 * (H @ (w - best)) + mu * (w - before)
            np.testing.assert_allclose(found[t], w, rtol=1e-12, atol=1e-13)


def test_momentum_multiplies_the_velocity_by_the_step_size_of_the_update() -> None:
    gradients, velocity, w = [3.0, -1.0, 2.0, 0.5], 0.0, 10.0
    state = Momentum(PowerDecay(0.2, 1.0), 0.5).begin(np.array([w]))
    for t, gradient in enumerate(gradients, start=1):
        velocity = 0.5 * velocity + gradient
        stepped = state.step(np.array([w]), np.array([gradient]), t)
        w -= 0.2 / t * velocity
        assert stepped.tolist() == pytest.approx([w], rel=1e-15)


@pytest.mark.parametrize("step", [1.0, PowerDecay(1.0, 0.3)])
def test_nesterov_is_the_method_of_three_sequences_seen_at_the_look_ahead(step: Any) -> None:
    # with theta_t = 2 / (t + 1):  y = (1 - theta) x + theta z,  x' = y - eta g(y),  z' = x + (x' - x) / theta
    H, best = quadratic([1.0, 0.3, 0.01], seed=1)
    found = models(Nesterov(step), lambda w: H @ (w - best), np.ones(3), 60)
    x = z = np.ones(3)
    for t in range(1, 61):
        theta = 2 / (t + 1)
        y = (1 - theta) * x + theta * z
        np.testing.assert_allclose(found[t - 1], y, rtol=1e-10, atol=1e-12)
        eta = step if isinstance(step, float) else t**-0.3
        ahead = y - eta * (H @ (y - best))
        x, z = ahead, x + (ahead - x) / theta


def test_nesterov_with_constant_momentum_is_its_two_sequences() -> None:
    H, best = quadratic([1.0, 0.2], seed=2)
    found = models(Nesterov(0.7, 0.8), lambda w: H @ (w - best), np.ones(2), 30)
    x, y = [np.ones(2)], [np.ones(2)]
    for _ in range(30):
        x.append(y[-1] - 0.7 * (H @ (y[-1] - best)))
        y.append(x[-1] + 0.8 * (x[-1] - x[-2]))
    np.testing.assert_allclose(found, y, rtol=1e-12, atol=1e-13)


# weight decay


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        # w = 10; gradients 1, then -2; decay 0.1; by hand
        (SGD(0.5, weight_decay=0.1), [9.0, 9.55]),  # 1 + 1 = 2; -2 + 0.9 = -1.1
        (Momentum(0.5, 0.5, weight_decay=0.1), [9.0, 9.05]),  # velocities 2, then 1 - 1.1 = -0.1
        (Nesterov(0.5, 0.5, weight_decay=0.1), [8.5, 9.1125]),  # x 9, y 8.5; then -1.15, x 9.075
    ],
    ids=repr,
)
def test_weight_decay_by_hand(optimizer: Optimizer, expected: list[float]) -> None:
    w, found = np.array([10.0]), []
    state = optimizer.begin(w)
    for t, gradient in enumerate((1.0, -2.0), start=1):
        w = state.step(w, np.array([gradient]), t)
        found.append(float(w[0]))
    assert found == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("decay", [0.0, 0.0005, 0.3])
def test_weight_decay_against_plain_loops(decay: float) -> None:
    H, best = quadratic([1.0, 0.3, 0.1], seed=4)
    start, mu, schedule = np.array([1.0, -2.0, 3.0]), 0.8, PowerDecay(0.5, 0.3)
    kinds: list[Optimizer] = [
        SGD(schedule, weight_decay=decay),
        Momentum(schedule, mu, weight_decay=decay),
        Nesterov(schedule, mu, weight_decay=decay),
    ]
    plain = [[start.copy()], [start.copy()], [start.copy()]]
    velocity, x = np.zeros(3), start.copy()
    for t in range(1, 41):
        eta = 0.5 / t**0.3
        slopes = [[sum(H[i, j] * (w[-1][j] - best[j]) for j in range(3)) for i in range(3)] for w in plain]
        decayed = [[slope[i] + decay * w[-1][i] for i in range(3)] for slope, w in zip(slopes, plain, strict=True)]
        velocity = np.array([mu * velocity[i] + decayed[1][i] for i in range(3)])
        plain[0].append(np.array([plain[0][-1][i] - eta * decayed[0][i] for i in range(3)]))
        plain[1].append(np.array([plain[1][-1][i] - eta * velocity[i] for i in range(3)]))
        before, x = x, np.array([plain[2][-1][i] - eta * decayed[2][i] for i in range(3)])
        plain[2].append(np.array([x[i] + mu * (x[i] - before[i]) for i in range(3)]))
    for optimizer, expected in zip(kinds, plain, strict=True):
        found = models(optimizer, lambda w: H @ (w - best), start, 40)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_weight_decay_finds_the_minimum_of_the_objective_with_half_the_squared_norm(kind: Any) -> None:
    H, best = quadratic([1.0, 0.5, 0.2])
    found = models(kind(0.5, weight_decay=0.25), lambda w: H @ (w - best), np.zeros(3), 2000)
    np.testing.assert_allclose(found[-1], np.linalg.solve(H + 0.25 * np.eye(3), H @ best), rtol=1e-9)


def test_weight_decay_shrinks_biases_too_and_ridge_does_not() -> None:
    draw = np.random.default_rng(2)
    X, y = draw.normal(size=(60, 3)), np.repeat([0, 1], [45, 15])
    cluster, until = cs.Cluster(workers=6, compute=cs.Constant(1.0)), cs.Until(updates=3000)
    ridge, plain = cs.LogisticRegression(X, y, ridge=0.1), cs.LogisticRegression(X, y)

    def limit(problem: cs.Problem, optimizer: Optimizer) -> np.ndarray:
        return cs.simulate(problem, cluster, cs.FullSync(), optimizer=optimizer, until=until, evaluate_every=3000).w

    by_ridge, by_decay = limit(ridge, SGD(1.0)), limit(plain, SGD(1.0, weight_decay=0.1))
    at_ridge, at_decay = (plain.gradient(w, None, 1 / 60) for w in (by_ridge, by_decay))
    np.testing.assert_allclose(at_ridge, np.append(-0.1 * by_ridge[:-1], 0.0), atol=1e-10)
    np.testing.assert_allclose(at_decay, -0.1 * by_decay, atol=1e-10)
    assert abs(by_decay[-1]) < abs(by_ridge[-1])


def test_no_weight_decay_leaves_the_gradient_itself() -> None:
    gradient = np.ones(3)
    assert SGD(0.1).with_decay(gradient, np.full(3, np.inf)) is gradient


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("decay", [-1e-9, math.nan, math.inf, "0.1", None, True])
def test_a_weight_decay_that_is_no_number_of_at_least_zero_is_refused(kind: Any, decay: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"weight_decay = .*expected a finite number, at least 0"):
        kind(0.1, weight_decay=decay)


def test_weight_decay_is_given_by_name() -> None:
    assert Momentum(0.1, 0.5).momentum == 0.5
    with pytest.raises(TypeError):
        SGD(0.1, 0.0005)
    assert SGD(0.1) == SGD(0.1, weight_decay=0) != SGD(0.1, weight_decay=0.0005)


def excess(x: np.ndarray, H: np.ndarray, best: np.ndarray) -> np.ndarray:
    """F(x) - F* of each row."""
    return np.einsum("ti,ij,tj->t", x - best, H, x - best) / 2


def gradient_points(found: np.ndarray, H: np.ndarray, best: np.ndarray, step: float) -> np.ndarray:
    """The sequence x of Nesterov's method: one gradient step from each look-ahead point."""
    return found[:-1] - step * (found[:-1] - best) @ H


@pytest.mark.parametrize("seed", range(5))
def test_nesterov_is_accelerated(seed: int) -> None:
    L = 3.0
    H, best = quadratic(L * np.linspace(0.0, 1.0, 60) ** 4, seed)  # nearly flat directions, down to an exactly flat one
    t = np.arange(1, 2001)
    bound = 2 * L * (best @ best) / (t + 1) ** 2
    look_ahead = models(Nesterov(1 / L), lambda w: H @ (w - best), np.zeros(60), 2000)
    plain = models(SGD(1 / L), lambda w: H @ (w - best), np.zeros(60), 2000)
    assert (excess(gradient_points(look_ahead, H, best, 1 / L), H, best) <= bound * (1 + 1e-9) + 1e-14).all()
    assert (excess(plain[1:], H, best) > bound).any()  # so the bound tells the methods apart


@pytest.mark.parametrize("condition", [10.0, 1000.0])
def test_nesterov_converges_linearly_where_the_objective_is_strongly_convex(condition: float) -> None:
    c, root = 0.5, condition**-0.5
    H, best = quadratic(c * np.geomspace(1.0, condition, 20), seed=3)
    found = models(Nesterov(1 / (c * condition), (1 - root) / (1 + root)), lambda w: H @ (w - best), np.zeros(20), 500)
    x = gradient_points(found, H, best, 1 / (c * condition))
    first = excess(np.zeros((1, 20)), H, best)[0] + c / 2 * (best @ best)
    assert (excess(x, H, best) <= (1 - root) ** np.arange(1, 501) * first + 1e-14).all()


def test_workers_get_the_look_ahead_point() -> None:
    problem = cs.LeastSquares.synthetic(rows=60, features=4, seed=1)
    X, y, step = problem.X, problem.y, 1 / problem.smoothness()
    cluster = cs.Cluster(workers=6, compute=cs.Constant(1.0))
    run = cs.simulate(problem, cluster, cs.FullSync(), optimizer=Nesterov(step), until=cs.Until(updates=50))
    x, ahead = np.zeros(4), np.zeros(4)
    for t in range(1, 51):
        before, x = x, ahead - step * (X.T @ (X @ ahead - y)) / 60
        ahead = x + (t - 1) / (t + 2) * (x - before)
    np.testing.assert_allclose(run.w, ahead, rtol=1e-9)
    assert np.abs(run.w / x - 1).max() > 1e-6


@pytest.mark.parametrize("optimizer", FIRST, ids=repr)
def test_every_optimizer_leaves_arrays_alone_and_runs_apart(optimizer: Optimizer) -> None:
    H, best = quadratic([1.0, 0.5, 0.2])
    start = np.ones(3)
    start.setflags(write=False)
    first, second = optimizer.begin(start), optimizer.begin(start)
    w, handed_out, copies = start, [], []
    for t in range(1, 11):
        gradient = H @ (w - best)
        gradient.setflags(write=False)
        w = first.step(w, gradient, t)
        handed_out.append(w)
        copies.append(w.copy())
        w.setflags(write=False)
    np.testing.assert_array_equal(handed_out, copies)
    again = start
    for t in range(1, 11):  # a second run, after the first has gone on
        again = second.step(again, H @ (again - best), t)
    np.testing.assert_array_equal(again, w)


@pytest.mark.parametrize(("optimizer", "factor"), FIRST.items(), ids=repr)
def test_every_optimizer_begins_as_it_should_and_finds_the_minimum(optimizer: Optimizer, factor: float) -> None:
    H, best = quadratic([1.0, 0.5, 0.2])
    found = models(optimizer, lambda w: H @ (w - best), np.zeros(3), 5000)
    np.testing.assert_allclose(found[1], factor * 0.02 * (H @ best), rtol=1e-12)
    np.testing.assert_allclose(found[-1], best, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schedule_is_asked_for_the_number_of_the_update(kind: Any) -> None:
    asked: list[int] = []

    def schedule(t: int) -> float:
        asked.append(t)
        return 2.0**-t

    state = kind(schedule, **({} if kind is SGD else {"momentum": 0.0})).begin(np.zeros(1))
    w = np.zeros(1)
    for t in (1, 2, 3):
        w = state.step(w, np.array([-1.0]), t)
    assert asked == [1, 2, 3]
    assert w.tolist() == [0.5 + 0.25 + 0.125]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step_size", [0, -0.1, float("nan"), float("inf"), "0.1", None, True, [0.1]])
def test_a_step_size_that_is_no_positive_number_is_refused(kind: Any, step_size: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"step_size = .*greater than 0.*function of the update number"):
        kind(step_size)


@pytest.mark.parametrize("kind", [Momentum, Nesterov])
@pytest.mark.parametrize("momentum", [1, 1.5, -0.1, float("nan"), "0.9", True, [0.9]])
def test_a_momentum_outside_its_interval_is_refused(kind: Any, momentum: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"momentum = .*expected a number in \[0, 1\)"):
        kind(0.1, momentum)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nonsense", [0.0, -1.0, float("nan"), float("inf"), None, "fast", np.ones(3)])
def test_a_schedule_that_returns_nonsense_is_reported_with_the_update(kind: Any, nonsense: Any) -> None:
    state = kind(lambda t: 0.1 if t < 17 else nonsense).begin(np.zeros(1))
    state.step(np.zeros(1), np.zeros(1), 16)
    with pytest.raises(ConfigurationError, match=r"step_size\(17\)"):
        state.step(np.zeros(1), np.zeros(1), 17)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (lambda t: 1.0 / (t - 1), "ZeroDivisionError"),
        (lambda t: math.log(t - 1), "ValueError"),
        (lambda: 0.1, "TypeError"),
        (lambda t: 10.0 ** (400 * t), "OverflowError"),
    ],
)
def test_a_schedule_that_fails_is_reported_with_the_update(schedule: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"step_size\(1\).*{words}"):
        SGD(schedule).step_size_at(1)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_optimizers_are_equal_print_and_pickle(kind: Any) -> None:
    assert kind(1) == kind(1.0)
    assert kind(np.float64(0.5)) == kind(0.5) != kind(0.25)
    assert hash(kind(PowerDecay(1, 0.5))) == hash(kind(PowerDecay(1.0, 0.5)))
    assert repr(kind(np.float64(0.5))).startswith(f"{kind.__name__}(step_size=0.5")
    assert pickle.loads(pickle.dumps(kind(PowerDecay(1.0, 0.5)))) == kind(PowerDecay(1.0, 0.5))  # noqa: S301 - our own
    assert len({kind(0.5) for kind in KINDS} | {Momentum(0.5, 0.8), Nesterov(0.5, 0.8), Nesterov(0.5, 0)}) == 6
