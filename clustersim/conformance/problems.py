"""The laws of problems: gradients are the derivatives of the loss, weights count as they should, nothing is changed."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.conformance.demands import array_of, check_pickles, demand, leaves_global_randomness_alone, real
from clustersim.engine.accounting.columns import checked_metrics
from clustersim.engine.problem_checks import check_optimum, error_and_loss
from clustersim.errors import ConfigurationError
from clustersim.problems import Problem
from clustersim.streams import Streams

__all__ = ["check_problem"]

Floats = NDArray[np.float64]

_DIRECTIONS = 8  # in which a gradient is held against differences
_ROWS = 5  # that are asked for one by one
_STEP = 1e-5  # of a central difference, relative to the size of the model
_SLOPE = 1e-5  # error of a slope by central differences, relative to the norm of the gradient
_SUM = 1e-9  # error of a sum in another order, relative to its parts


def check_problem(problem: Problem, *, points: int = 3, seed: int = 0) -> None:
    """Check that a problem is one that clustersim can train.

    Parameters
    ----------
    problem : Problem
        It is not changed.
    points : int, default 3
        Models at which it is tried: the first model, and others at random around it.
    seed : int, default 0
        Of the models, rows and directions that are tried.

    Raises
    ------
    ConformanceError
        If it breaks a law. The laws are:

        - Losses are finite numbers and vectors have the right shape.
        - `gradient` is the gradient of `loss`, and `penalty_gradient` that of `penalty`, by central differences.
        - The gradient of several rows is the weighted sum over the rows, repeated rows included; None means all rows.
        - Equal calls give equal results, no argument is written to, and results are the caller's own.
        - `evaluate` agrees with `loss`, `objective` and `optimum`; no model is better than the optimum.
        - L and c, where known, bound how fast the gradient changes.
        - `labels`, `row_norms_squared`, `metrics` and `describe` have the right form, and the problem can be pickled.

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.conformance.check_problem(cs.LeastSquares.synthetic(rows=20, features=3, seed=1))
    """
    random = Streams(seed).generator("conformance")
    with leaves_global_randomness_alone(problem):
        _check_form(problem)
        first = problem.initial_model()
        spread = 0.1 * max(1.0, float(np.abs(first).max(initial=0.0)))
        models = [first, *(first + spread * random.normal(size=first.shape) for _ in range(points - 1))]
        for w in models:
            _check_slopes(problem, w, random)
            _check_sums(problem, w, random)
            _check_manners(problem, w)
            _check_evaluation(problem, w)
        _check_optimum(problem, models)
        _check_curvature(problem, models)
        check_pickles(problem)


def _check_form(problem: Problem) -> None:
    """Sizes, the first model, and what is said of the rows."""
    m, d = problem.rows, problem.dimension
    for name, value in (("rows", m), ("dimension", d)):
        demand(isinstance(value, int | np.integer) and value >= 1, f"{name} = {value!r}: expected a whole number >= 1")
    check_optimum(problem)
    first = problem.initial_model()
    demand(
        isinstance(first, np.ndarray)
        and first.shape == (d,)
        and first.dtype.kind == "f"
        and bool(np.isfinite(first).all()),
        f"initial_model() returns {first!r}: expected {d} finite numbers in an array of floats",
    )
    if (labels := problem.labels) is not None:
        demand(np.shape(labels) == (m,), f"labels have shape {np.shape(labels)}: expected ({m},)")
    try:
        norms = problem.row_norms_squared()
    except ConfigurationError:
        pass  # not known
    else:
        demand(np.shape(norms) == (m,), f"row_norms_squared() has shape {np.shape(norms)}: expected ({m},)")
        demand(bool((np.asarray(norms) >= 0.0).all()), "row_norms_squared() has negative entries")
    told = problem.describe()
    try:
        demand(isinstance(told, dict), f"describe() returns {told!r}: expected a dict")
        same = json.dumps(told, sort_keys=True) == json.dumps(problem.describe(), sort_keys=True)
    except (TypeError, ValueError) as error:
        demand(False, f"describe() returns what is no plain JSON ({error}): {told!r}")
    else:
        demand(same, "describe() returns something else the second time")


def _check_slopes(problem: Problem, w: Floats, random: np.random.Generator) -> None:
    """Gradients against central differences, in random directions."""
    m = problem.rows
    gradient = problem.gradient(w, None, 1.0 / m)
    demand(
        isinstance(gradient, np.ndarray) and gradient.shape == w.shape,
        f"gradient(w, None, {1.0 / m:g}) has shape {np.shape(gradient)}: expected {w.shape}",
    )
    _check_slope("gradient", problem.loss, gradient, w, random)
    if (penalty := problem.penalty_gradient(w)) is not None:
        array_of(penalty, w.shape, "penalty_gradient(w)")
        _check_slope("penalty_gradient", problem.penalty, penalty, w, random)
    else:
        values = {real(problem.penalty(v), "penalty(w)") for v in (w, 2.0 * w + 1.0)}
        demand(values == {0.0}, f"penalty(w) takes the values {values}, yet has no gradient")


def _check_slope(name: str, function: object, gradient: Floats, w: Floats, random: np.random.Generator) -> None:
    assert callable(function)  # noqa: S101 - for the type checker
    value = "penalty" if name.startswith("penalty") else "loss"
    step = _STEP * max(1.0, float(np.abs(w).max(initial=0.0)))
    for _ in range(_DIRECTIONS):
        direction = random.normal(size=w.shape)
        direction /= np.linalg.norm(direction)
        ahead, behind = (real(function(w + sign * step * direction), f"{value}(w)") for sign in (1.0, -1.0))
        demand(math.isfinite(ahead) and math.isfinite(behind), f"the loss near the model {w} is not finite")
        slope, expected = float(gradient @ direction), (ahead - behind) / (2.0 * step)
        rounding = 4.0 * np.finfo(np.float64).eps * max(abs(ahead), abs(behind)) / step
        allowed = _SLOPE * max(float(np.linalg.norm(gradient)), abs(expected)) + rounding
        demand(
            bool(abs(slope - expected) <= allowed),
            f"{name} is not the gradient: in direction {direction} at w = {w} it says {slope:.9g}, central differences "
            f"say {expected:.9g}",
        )


def _check_sums(problem: Problem, w: Floats, random: np.random.Generator) -> None:
    """Rows and weights: a weighted sum over single rows."""
    m = problem.rows
    rows = random.integers(m, size=_ROWS)
    rows[-1] = rows[0]  # repetitions are allowed
    weights = random.normal(size=_ROWS)
    single = np.array([problem.gradient(w, rows[j : j + 1], 1.0) for j in range(_ROWS)])
    scale = float(np.abs(single).max(initial=0.0)) + float(np.finfo(np.float64).tiny)

    def agree(found: Floats, expected: Floats, what: str, many: int) -> None:
        close = bool((np.abs(found - expected) <= _SUM * many * scale).all())
        demand(close, f"{what} at w = {w} is {found}: expected {expected}, the weighted sum of single rows")

    agree(problem.gradient(w, rows, weights), weights @ single, f"gradient(w, {rows}, {weights})", _ROWS)
    agree(problem.gradient(w, rows, 0.5), 0.5 * single.sum(axis=0), f"gradient(w, {rows}, 0.5)", _ROWS)
    nothing = problem.gradient(w, rows[:0], weights[:0])
    agree(nothing, np.zeros_like(w), "gradient(w, [], [])", 1)
    each = random.normal(size=m)
    everything = np.arange(m)
    scale = max(scale, float(np.abs(problem.gradient(w, None, np.abs(each))).max(initial=0.0)))
    agree(problem.gradient(w, None, each), problem.gradient(w, everything, each), "gradient(w, None, weights)", m)
    equal = problem.gradient(w, everything, np.full(m, 0.25))
    agree(problem.gradient(w, None, 0.25), equal, "gradient(w, None, 0.25)", m)


def _check_manners(problem: Problem, w: Floats) -> None:
    """Arguments stay as they are, results are the caller's, and equal calls are equal."""
    rows, weights = np.arange(min(problem.rows, _ROWS)), np.full(min(problem.rows, _ROWS), 0.5)
    given = (w.copy(), rows.copy(), weights.copy())
    calls: dict[str, Callable[[], Any]] = {
        "gradient": lambda: problem.gradient(w, rows, weights),
        "loss": lambda: problem.loss(w),
        "metrics": lambda: dict(checked_metrics(problem.metrics(w))),
        "evaluate": lambda: problem.evaluate(w),
        "initial_model": problem.initial_model,
    }
    for name, call in calls.items():
        once = call()
        copy = np.array(once) if isinstance(once, np.ndarray) else once
        for before, now, what in zip(given, (w, rows, weights), ("w", "rows", "weights"), strict=True):
            demand(np.array_equal(before, now), f"{name} writes to its argument {what}")
        if isinstance(once, np.ndarray) and once.flags.writeable:
            once += 1.0  # it is the caller's own
        again = call()
        same = np.array_equal(copy, again) if isinstance(copy, np.ndarray) else repr(copy) == repr(again)
        demand(same, f"{name} returns {again!r} the second time, and {copy!r} the first")


def _check_evaluation(problem: Problem, w: Floats) -> None:
    """Error and loss in one pass are those that are asked for one by one."""
    error, loss = error_and_loss(problem, w)
    expected = problem.loss(w)
    demand(math.isclose(loss, expected, rel_tol=_SUM), f"evaluate(w) says loss = {loss}, loss(w) is {expected}")
    objective = problem.objective(w)
    parts = expected + problem.penalty(w)
    demand(math.isclose(objective, parts, rel_tol=_SUM), f"objective(w) = {objective}, loss and penalty are {parts}")
    if problem.has_optimum:
        least = problem.optimum().objective
        slack = _SUM * max(abs(objective), abs(least))
        demand(abs(error - (objective - least)) <= slack, f"the error is {error}, F(w) - F(w*) is {objective - least}")
    else:
        demand(math.isnan(error), f"the error is {error}, and no optimum is known: expected NaN")


def _check_optimum(problem: Problem, models: list[Floats]) -> None:
    """The optimum has the objective that it claims, and none of these models a lower one."""
    if not problem.has_optimum:
        return
    best = problem.optimum()
    found = problem.objective(best.w)
    scale = max(abs(problem.objective(w)) for w in models)
    demand(
        abs(found - best.objective) <= _SUM * max(scale, abs(found)),
        f"optimum() claims the objective {best.objective}, at its w it is {found}",
    )
    around = [best.w + size * (w - best.w) for w in models for size in (1.0, 1e-2, -1e-2)]
    lowest = min(problem.objective(w) for w in around)
    demand(lowest >= best.objective - _SUM * scale, f"a model has the objective {lowest}, the optimum {best.objective}")


def _check_curvature(problem: Problem, models: list[Floats]) -> None:
    """L and c bound the differences of gradients."""
    whole = [_full_gradient(problem, w) for w in models]
    pairs = [(models[i] - models[0], whole[i] - whole[0]) for i in range(1, len(models))]
    slack = 1.0 + 1e-6
    for step, change in pairs:
        length, rise = float(np.linalg.norm(step)), float(np.linalg.norm(change))
        if (largest := _known("smoothness()", problem.smoothness)) is not None:
            demand(rise <= slack * largest * length, f"gradients differ by {rise} over {length}: not L = {largest}")
        if (smallest := _known("strong_convexity()", problem.strong_convexity)) is not None:
            along = float(step @ change)
            demand(
                along * slack >= smallest * length**2 / slack,
                f"gradients differ by {along / length} along a step of {length}: c = {smallest} is wrong",
            )


def _full_gradient(problem: Problem, w: Floats) -> Floats:
    """The gradient of the objective."""
    gradient, penalty = problem.gradient(w, None, 1.0 / problem.rows), problem.penalty_gradient(w)
    return gradient if penalty is None else gradient + penalty


def _known(name: str, constant: object) -> float | None:
    """A constant of the problem, or None if it is not known."""
    assert callable(constant)  # noqa: S101 - for the type checker
    try:
        return real(constant(), name)
    except ConfigurationError:
        return None
