"""The laws of placements: sound assignments, the same for the same generator, that recover what they promise."""

import numpy as np

from clustersim.conformance.demands import ConformanceError, check_value, demand, leaves_global_randomness_alone
from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment, Placement
from clustersim.placements.soundness import check_assignment
from clustersim.problems import Problem, SoftmaxRegression
from clustersim.streams import Streams

__all__ = ["check_placement"]

_SUBSETS = 20  # of workers, that are tried for a promise of recovery


def check_placement(placement: Placement, *, problem: Problem | None = None, workers: int = 12, seed: int = 0) -> None:
    """Check that a placement gives workers the rows that it should.

    Parameters
    ----------
    placement : Placement
    problem : Problem, optional
        Whose rows are placed; a softmax regression with ten rows and a class for each worker if not given.
    workers : int, default 12
        n; the placement must be possible for this number.
    seed : int, default 0
        Of the generator that the placement draws from.

    Raises
    ------
    ConformanceError
        If it breaks a law. The laws are:

        - It is a frozen dataclass that compares, hashes, prints and pickles by its hyper-parameters.
        - Its assignment is sound: rows in range, none twice on one worker, finite coefficients, right totals.
        - Every worker holds a row, and every row is on some worker.
        - Equal generators give equal assignments, and nothing else is drawn from.
        - If it promises that any r workers determine the full gradient (`recovery`), random ones do.

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.conformance.check_placement(cs.placements.FractionalRepetition(load=3))
    """
    check_value(placement)
    if problem is None:
        problem = _labelled_rows(10 * workers, workers, seed)
    with leaves_global_randomness_alone(placement):
        one, two = (placement.assign(problem, workers, Streams(seed).generator("conformance")) for _ in range(2))
    try:
        check_assignment(placement, one, problem.rows, workers)
    except ConfigurationError as error:
        raise ConformanceError(str(error)) from error
    idle = np.flatnonzero(one.held == 0)
    demand(not len(idle), f"{placement!r}: worker {idle[:1]} holds no row")
    nowhere = np.flatnonzero(one.redundancy == 0)
    demand(not len(nowhere), f"{placement!r}: row {nowhere[:1]} is on no worker")
    demand(_same(one, two), f"{placement!r}: equal generators give different assignments")
    _check_recovery(placement, one, seed)


def _labelled_rows(rows: int, classes: int, seed: int) -> Problem:
    """Rows of several lengths, with as many classes as there are workers."""
    random = Streams(seed).generator("conformance")
    return SoftmaxRegression(random.normal(size=(rows, 3)), np.arange(rows) % classes)


def _same(one: Assignment, two: Assignment) -> bool:
    """Whether two assignments are equal in every entry."""
    parts = (
        (getattr(one, name), getattr(two, name))
        for name in ("total_rows", "starts", "rows", "coefficients", "combined", "recovery", "blocks", "shared")
    )
    return all((a is None) == (b is None) and (a is None or np.array_equal(a, b)) for a, b in parts)


def _check_recovery(placement: Placement, assignment: Assignment, seed: int) -> None:
    """Try random sets of as many workers as are said to be enough."""
    if assignment.recovery is None:
        return
    random = Streams(seed).generator("conformance")
    for _ in range(_SUBSETS):
        chosen = random.permutation(assignment.workers)[: assignment.recovery]
        demand(
            assignment.decodes(chosen),
            f"{placement!r} promises that any {assignment.recovery} workers determine the full gradient: workers "
            f"{np.sort(chosen)} do not",
        )
