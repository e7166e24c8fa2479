"""Decoders that add up all messages and divide by one number: the mean, and the unbiased sum."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import fraction, store
from clustersim.decoders.base import Decoder
from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment, MiniBatches

__all__ = ["Mean", "Unbiased"]

_NO_WORKERS = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Mean(Decoder):
    r"""The mean over all rows in the messages: :math:`a_j = 1 / \sum_{i, r} B_{ir}`.

    The sum is over the coefficients of the workers i that have answered. Without coefficients it is the number of rows
    that they have computed. Without messages the weight is 0.

    Notes
    -----
    Source: Kas Hanna et al. 2022, eq. 3 and 5; with equal shares it is the mean of the k partial gradients.

    Its expected error is known if the coefficients of all workers have the same sum. If a of the n workers answer, all
    sets of a workers are equally likely. On an even partition it is :math:`p^n + \sum_a P(a) (n / a - 1)`.

    Examples
    --------
    >>> assignment = Assignment(total_rows=6, starts=np.array([0, 2, 4, 6]), rows=np.arange(6))
    >>> Mean().weights(assignment, np.array([0, 2]))
    0.25
    >>> Mean().expected_error(assignment, 0.5)  # 1/8 + 3/8 (3/1 - 1) + 3/8 (3/2 - 1)
    1.0625
    """

    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> float:
        """Return one weight for all messages."""
        each = assignment.even_total
        total = float(assignment.totals[workers].sum()) if each is None else each * len(workers)
        return 1.0 / total if total else 0.0

    def alike(self, assignment: Assignment, count: int) -> float | None:
        """Return the weight if all workers have coefficients of the same sum; otherwise None."""
        each = assignment.even_total
        return None if not each else 1.0 / (each * count)

    def expected_error(self, assignment: Assignment, straggler_probability: float) -> float:
        """Return the expected error, see `Decoder.expected_error`."""
        p = fraction("straggler_probability", straggler_probability, below_one=True)
        totals, n, m = assignment.totals, assignment.workers, assignment.total_rows
        if not (np.allclose(totals, totals[0], rtol=1e-12, atol=0.0) and totals[0] > 0.0):
            return super().expected_error(assignment, p)
        sums, squares = _row_moments(assignment)
        error = p**n
        for a in range(1, n + 1):
            scale = m / (float(totals[0]) * a)
            pairs = a * (a - 1) / (n * (n - 1)) * (sums**2 - squares) if n > 1 else 0.0
            given = scale**2 * (a / n * squares + pairs) - 2.0 * scale * a / n * sums + 1.0
            error += math.comb(n, a) * (1.0 - p) ** a * p ** (n - a) * float(np.mean(given))
        return error


@dataclass(frozen=True)
class Unbiased(Decoder):
    r"""The sum of the messages over its expected value: :math:`a_j = 1 / ((1 - p) \sum_{i, r} B_{ir})`.

    The sum is over the coefficients of all workers, stragglers included. If each worker straggles with probability p
    and the coefficients of each row have the same sum, the expected gradient is the full one. The divisor is (1 - p) m
    if the coefficients of a row add up to 1, as in SGC, or without redundancy (Ignore-Stragglers). It is (1 - p) d m if
    each row is on d workers with coefficient 1 (BGC).

    Parameters
    ----------
    straggler_probability : float
        p in [0, 1), the probability that a worker does not answer.

    Raises
    ------
    ConfigurationError
        If p is out of range, or (at the start of a run) the coefficients of the rows have different sums.

    Notes
    -----
    Source: Bitar, Wootters and El Rouayheb 2020, eq. 4 and 5, and Table I. Its expected error there is
    :math:`\frac{p}{1 - p} \frac{1}{m} \sum_r 1 / d_r`.

    Examples
    --------
    >>> halves = np.full(12, 0.5)
    >>> twice = Assignment(6, np.array([0, 4, 8, 12]), np.array([0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 0, 1]), halves)
    >>> Unbiased(0.5).weights(twice, np.array([0, 2]))  # 1 / ((1 - 0.5) * 6)
    0.3333333333333333
    >>> Unbiased(0.5).expected_error(twice, 0.5)
    0.5
    """

    straggler_probability: float

    def __post_init__(self) -> None:
        p = fraction("straggler_probability", self.straggler_probability, below_one=True)
        store(self, straggler_probability=p)

    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> float:  # noqa: ARG002 - the base class has it
        """Return one weight for all messages, whichever workers have sent them."""
        self.check(assignment)
        return 1.0 / ((1.0 - self.straggler_probability) * float(assignment.totals.sum()))

    def alike(self, assignment: Assignment, count: int) -> float:  # noqa: ARG002 - the base class has it
        """Return the same weight for any number of messages."""
        return self.weights(assignment, _NO_WORKERS)

    def check(self, assignment: Assignment) -> None:
        """Refuse an assignment in which the coefficients of the rows have different sums."""
        if not assignment.evenly_coded:
            raise ConfigurationError(
                f"{self!r}: the coefficients of some rows add up to more than those of others, so the sum is biased; "
                "use a placement such as NormReplication, UniformReplication or EvenPartition, or the decoder Optimal()"
            )

    def expected_error(self, assignment: Assignment, straggler_probability: float) -> float:
        """Return the expected error, including the bias if p is not the decoder's; see `Decoder.expected_error`."""
        p = fraction("straggler_probability", straggler_probability, below_one=True)
        sums, squares = _row_moments(assignment)
        scale = assignment.total_rows * self.weights(assignment, _NO_WORKERS)
        bias = (1.0 - p) * scale * sums - 1.0
        return float(np.mean(bias**2 + p * (1.0 - p) * scale**2 * squares))


def _row_moments(assignment: Assignment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of the coefficients of each row, and of their squares, each of shape (m,)."""
    if isinstance(assignment, MiniBatches):
        raise ConfigurationError(
            f"batch = {assignment.batch}: the expected error is known for whole holdings only; "
            "estimate it by simulation"
        )
    return assignment.row_sums, assignment.row_squares
