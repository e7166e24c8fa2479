"""Checks of what a problem, perhaps the user's own, returns: sizes, vectors, objectives and the optimum.

Values come in from the problem; plain numbers go out, or a `ConfigurationError` that names the problem, the method and
what was expected. They run when a run is set up, at its first update and at evaluations, never at each update.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import shown
from clustersim.errors import ConfigurationError
from clustersim.problems import Optimum, Problem

__all__ = ["check_optimum", "check_sizes", "check_vector", "error_and_loss", "first_model", "first_objective"]


def check_sizes(problem: Problem) -> None:
    """Check that a problem has whole numbers of rows and of parameters."""
    for name in ("rows", "dimension"):
        size = getattr(problem, name)
        if not (isinstance(size, int | np.integer) and not isinstance(size, bool) and size >= 1):
            raise ConfigurationError(f"{shown(problem)} has {name} = {size!r}: expected a whole number, at least 1")


def check_optimum(problem: Problem) -> None:
    """Check that a problem that says that it has an optimum returns one."""
    if problem.has_optimum and not isinstance(best := problem.optimum(), Optimum):
        raise ConfigurationError(
            f"{shown(problem)}: optimum() returns {shown(best)}: expected an Optimum(w, objective), since has_optimum "
            "is true"
        )


def check_vector(part: object, function: str, value: object, shape: tuple[int, ...]) -> None:
    """Check that a vector from a problem or an optimiser has the shape of the model."""
    if not (isinstance(value, np.ndarray) and value.shape == shape and value.dtype.kind == "f"):
        found = _found(value)
        raise ConfigurationError(
            f"{shown(part)}: {function} returns {found}: expected an array of floats of shape {shape}"
        )


def first_model(problem: Problem) -> NDArray[np.float64]:
    """Return the model at which a run begins."""
    w = problem.initial_model()
    check_vector(problem, "initial_model()", w, (problem.dimension,))
    if np.isnan(w).any():
        raise ConfigurationError(f"{shown(problem)}: initial_model() returns {shown(w)}: expected finite numbers")
    return w


def first_objective(problem: Problem, w: NDArray[np.float64]) -> float:
    """Return the objective of the first model; if it is not a number, name the method that returns something else."""
    try:
        found: Any = problem.objective(w)
    except (TypeError, ValueError):
        _check_parts(problem, w)
        raise
    if (objective := _number(found)) is None:
        _check_parts(problem, w)
        raise _no_number(problem, "objective", found)
    return objective


def _check_parts(problem: Problem, w: NDArray[np.float64]) -> None:
    """Check the two terms of the objective."""
    for name in ("loss", "penalty"):
        if _number(found := getattr(problem, name)(w)) is None:
            raise _no_number(problem, name, found)


def error_and_loss(problem: Problem, w: NDArray[np.float64]) -> tuple[float, float]:
    """Evaluate a problem at w."""
    found: Any = problem.evaluate(w)
    numbers = [_number(each) for each in found] if isinstance(found, tuple | list) and len(found) == 2 else []
    if not numbers or numbers[0] is None or numbers[1] is None:
        raise ConfigurationError(
            f"{shown(problem)}: evaluate(w) returns {shown(found)}: expected two numbers, error and loss"
        )
    return numbers[0], numbers[1]


def _number(value: Any) -> float | None:
    """Return a single real number of any type as a float; None if it is none."""
    if type(value) is float:
        return value
    if not hasattr(value, "__float__") or np.ndim(value) or np.iscomplexobj(value):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _no_number(problem: Problem, name: str, found: object) -> ConfigurationError:
    return ConfigurationError(f"{shown(problem)}: {name}() returns {_found(found)}: expected a number, such as a float")


def _found(value: object) -> str:
    """Return what was found, in words: an array by its type and shape."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return shown(value)
