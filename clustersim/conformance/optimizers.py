"""The laws of optimisers: steps are new arrays, depend on their own run alone, and are the same each time."""

import numpy as np
from numpy.typing import NDArray

from clustersim.conformance.demands import check_value, demand, leaves_global_randomness_alone
from clustersim.optimizers import Optimizer
from clustersim.streams import Streams

__all__ = ["check_optimizer"]

Floats = NDArray[np.float64]


def check_optimizer(optimizer: Optimizer, *, dimension: int = 5, updates: int = 20, seed: int = 0) -> None:
    """Check that an optimiser serves any number of runs.

    Parameters
    ----------
    optimizer : Optimizer
    dimension : int, default 5
        Length of the model that it is tried on.
    updates : int, default 20
        Length of each run.
    seed : int, default 0
        Of the first model and the gradients.

    Raises
    ------
    ConformanceError
        If it breaks a law. The laws are:

        - It is a frozen dataclass that compares, hashes, prints and pickles by its hyper-parameters.
        - Each step returns a new array of finite numbers with the model's shape; models before it stay as they are.
        - A step writes neither to the model nor to the gradient.
        - Equal runs give equal models, also if another run goes on in between.
        - A step follows from the gradient: other gradients lead to other models.

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.conformance.check_optimizer(cs.Momentum(0.1, momentum=0.9))
    """
    check_value(optimizer)
    random = Streams(seed).generator("conformance")
    first = random.normal(size=dimension)
    gradients = 0.1 * random.normal(size=(updates, dimension))
    state = optimizer.begin(first)
    demand(
        callable(getattr(state, "step", None)),
        f"{optimizer!r}: begin() returns {state!r}: expected a state with step(w, gradient, update_number)",
    )
    with leaves_global_randomness_alone(optimizer):
        alone = _models(optimizer, first, gradients)
        shared, other = _in_turns(optimizer, first, gradients, -gradients)
    demand(
        all(map(np.array_equal, alone, shared)),
        f"{optimizer!r} gives other models if another run goes on in between: state leaks between runs",
    )
    demand(not np.array_equal(shared[-1], other[-1]), f"{optimizer!r} gives the same models for opposite gradients")


def _in_turns(optimizer: Optimizer, first: Floats, these: Floats, those: Floats) -> tuple[list[Floats], list[Floats]]:
    """The models of two runs that take their steps in turns."""
    one, two = optimizer.begin(first), optimizer.begin(first)
    models, others = [first], [first]
    for number, (this, that) in enumerate(zip(these, those, strict=True), 1):
        models.append(one.step(models[-1], this, number))
        others.append(two.step(others[-1], that, number))
    return models, others


def _models(optimizer: Optimizer, first: Floats, gradients: Floats) -> list[Floats]:
    """The models of one run, each step checked."""
    state, models, copies = optimizer.begin(first), [first], [first.copy()]
    for number, gradient in enumerate(gradients, 1):
        given = gradient.copy()
        w = state.step(models[-1], gradient, number)
        where = f"{optimizer!r}, update {number}"
        demand(
            isinstance(w, np.ndarray) and w.shape == first.shape,
            f"{where}: the step returns {w!r}: expected an array of shape {first.shape}",
        )
        demand(bool(np.isfinite(w).all()), f"{where}: the step returns {w}: expected finite numbers")
        demand(np.array_equal(gradient, given), f"{where}: the step writes to the gradient")
        demand(
            all(map(np.array_equal, models, copies)) and all(w is not model for model in models),
            f"{where}: the step changes or returns an earlier model; return a new array",
        )
        models.append(w)
        copies.append(w.copy())
    return models
