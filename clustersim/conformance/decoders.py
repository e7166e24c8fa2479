"""The laws of decoders: as many weights as vectors, the same each time, and the error that they expect."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clustersim.conformance.demands import BOUND, ConformanceError, check_value, demand, leaves_global_randomness_alone
from clustersim.decoders import Decoder
from clustersim.errors import ConfigurationError
from clustersim.placements import (
    Assignment,
    CyclicRepetition,
    EvenPartition,
    FractionalRepetition,
    Placement,
    Uncombined,
    UniformReplication,
)
from clustersim.problems import LeastSquares
from clustersim.streams import Streams

__all__ = ["check_decoder"]

_SUBSETS = 30  # of workers that have answered
_ROUNDS = 400  # whose error is averaged
_STRAGGLING = 0.3


def check_decoder(decoder: Decoder, *, placement: Placement | None = None, workers: int = 12, seed: int = 0) -> None:
    """Check that a decoder gives every vector that arrives a weight.

    Parameters
    ----------
    decoder : Decoder
    placement : Placement, optional
        Whose messages are decoded; several of the package's placements if not given, without those that the decoder
        refuses.
    workers : int, default 12
        n, the number of workers.
    seed : int, default 0
        Of the sets of workers that have answered.

    Raises
    ------
    ConformanceError
        If it breaks a law. The laws are:

        - It is a frozen dataclass that compares, hashes, prints and pickles by its hyper-parameters.
        - It accepts at least one placement, and the messages of all workers there.
        - Its weights are finite: one number, or one for each vector in the messages.
        - Equal messages have equal weights, and the array of workers is not written to.
        - `alike`, if it returns a number, is the weight of every message, whoever has answered.
        - `expected_error`, where it is known, is the mean over random stragglers, within five standard errors.

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.conformance.check_decoder(cs.decoders.Mean())
    """
    check_value(decoder)
    accepted = 0
    for where, assignment in _assignments(placement, workers, seed):
        try:
            decoder.check(assignment)
        except ConfigurationError as error:
            demand(placement is None, f"{decoder!r} refuses {where!r}: {error}")
            continue
        accepted += 1
        with leaves_global_randomness_alone(decoder):
            _check_weights(decoder, where, assignment, Streams(seed).generator("conformance"))
            _check_alike(decoder, where, assignment, Streams(seed).generator("conformance"))
            _check_expected_error(decoder, where, assignment, Streams(seed).generator("conformance"))
    demand(accepted > 0, f"{decoder!r} refuses every placement; name one that it accepts with placement=")


def _assignments(placement: Placement | None, workers: int, seed: int) -> Iterator[tuple[Placement, Assignment]]:
    """Placements to try, carried out on a small problem."""
    problem = LeastSquares.synthetic(rows=4 * workers, features=3, seed=seed)
    usual = (EvenPartition(), FractionalRepetition(2), CyclicRepetition(2), UniformReplication(2))
    for each in (placement,) if placement is not None else (*usual, Uncombined(UniformReplication(2))):
        yield each, each.assign(problem, workers, Streams(seed).generator("conformance"))


def _weights(
    decoder: Decoder, where: Placement, assignment: Assignment, workers: NDArray[np.int64]
) -> float | NDArray[np.float64] | None:
    """Weights of the messages of some workers, checked; None if the decoder refuses them."""
    given = workers.copy()
    try:
        weights = decoder.weights(assignment, workers)
    except ConfigurationError:
        return None
    if not np.array_equal(workers, given):
        raise ConformanceError(f"{decoder!r} writes to the array of workers")
    try:
        found = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConformanceError(
            f"{decoder!r} on {where!r}: the weights of workers {workers} are {weights!r}: expected numbers"
        ) from None
    vectors = int(assignment.vectors[workers].sum())
    if found.shape not in ((), (vectors,)):
        raise ConformanceError(
            f"{decoder!r} on {where!r}: the weights of workers {workers} have shape {found.shape}: expected one number "
            f"or ({vectors},)"
        )
    if not np.isfinite(found).all():
        raise ConformanceError(f"{decoder!r} on {where!r}: the weights of workers {workers} are {found}")
    return found


def _check_weights(decoder: Decoder, where: Placement, assignment: Assignment, random: np.random.Generator) -> None:
    """Any set of workers, in any order."""
    everybody = np.arange(assignment.workers)
    demand(
        _weights(decoder, where, assignment, everybody) is not None,
        f"{decoder!r} accepts {where!r}, and refuses the messages of all its workers",
    )
    for _ in range(_SUBSETS):
        chosen = random.permutation(everybody)[: random.integers(len(everybody) + 1)]
        once, again = (_weights(decoder, where, assignment, chosen) for _ in range(2))
        same = once is again is None or (once is not None and again is not None and np.array_equal(once, again))
        demand(same, f"{decoder!r} on {where!r}: workers {chosen} have the weights {once}, and then {again}")


def _check_alike(decoder: Decoder, where: Placement, assignment: Assignment, random: np.random.Generator) -> None:
    """The weight that all messages have in common, if it is known beforehand."""
    for count in range(1, assignment.workers + 1):
        weight = decoder.alike(assignment, count)
        if weight is None:
            continue
        chosen = random.permutation(assignment.workers)[:count]
        found = _weights(decoder, where, assignment, chosen)
        demand(
            found is not None and bool((np.asarray(found) == weight).all()),
            f"{decoder!r} on {where!r}: alike says that {count} messages have the weight {weight} each, workers "
            f"{chosen} have {found}",
        )


def _check_expected_error(
    decoder: Decoder, where: Placement, assignment: Assignment, random: np.random.Generator
) -> None:
    """The mean squared deviation of row coefficients from 1, against random stragglers."""
    try:
        expected = decoder.expected_error(assignment, _STRAGGLING)
    except ConfigurationError:
        return  # not known
    errors = []
    for _ in range(_ROUNDS):
        chosen = np.flatnonzero(random.random(assignment.workers) >= _STRAGGLING)
        weights = _weights(decoder, where, assignment, chosen) if len(chosen) else None
        if weights is None and len(chosen):
            return  # it refuses some sets of workers
        errors.append(float(np.mean((_coefficients(assignment, chosen, weights) - 1.0) ** 2)))
    mean, error = float(np.mean(errors)), BOUND * float(np.std(errors)) / math.sqrt(len(errors)) + 1e-12
    demand(
        abs(mean - expected) <= error,
        f"{decoder!r} on {where!r}: expected_error is {expected:g} for p = {_STRAGGLING}, the mean of {len(errors)} "
        f"random rounds is {mean:g}",
    )


def _coefficients(
    assignment: Assignment, workers: NDArray[np.int64], weights: float | NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """What each row counts in the estimate of the gradient, in units of 1 / m."""
    counts = np.zeros(assignment.total_rows)
    if weights is not None:
        each = np.broadcast_to(weights, int(assignment.vectors[workers].sum())).astype(np.float64)
        rows, amounts = assignment.gather(workers, each)
        counts[slice(None) if rows is None else rows] = amounts
    return counts * assignment.total_rows
