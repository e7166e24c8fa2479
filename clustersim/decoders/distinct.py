"""Decoders that use each group of workers, or each row, once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.arrays import first_occurrences
from clustersim.checks import fraction, store
from clustersim.decoders.base import Decoder
from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment

__all__ = ["DistinctGroups", "DistinctRows"]


@dataclass(frozen=True)
class DistinctGroups(Decoder):
    """Sum over distinct groups, divided by m: the first message of each group weighs 1/m, and later ones 0.

    Groups from which no message has arrived are missing. If each of the d workers of a group straggles with probability
    p, the expected gradient is 1 - p^d times the full one, and the expected error is p^d.

    Raises
    ------
    ConfigurationError
        If (at the start of a run) the placement has no groups of workers that hold the same rows.

    Notes
    -----
    Source: Wang, Charles and Papailiopoulos 2019, eq. 1 and Algorithm 1, without rescaling.

    Examples
    --------
    >>> groups = Assignment(total_rows=4, starts=np.array([0, 2, 4, 6]), rows=np.array([0, 1, 0, 1, 2, 3]))
    >>> DistinctGroups().weights(groups, np.array([1, 0])).tolist()
    [0.25, 0.0]
    >>> DistinctGroups().expected_error(groups, 0.5)  # half the rows on two workers, half on one
    0.375
    """

    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return one weight for each message."""
        self.check(assignment)
        assert assignment.groups is not None  # noqa: S101 - for the type checker; `check` ensures it
        return first_occurrences(assignment.groups[workers], assignment.workers) / assignment.total_rows

    def expected_error(self, assignment: Assignment, straggler_probability: float) -> float:
        """Return the expected error, see `Decoder.expected_error`."""
        p = fraction("straggler_probability", straggler_probability, below_one=True)
        self.check(assignment)
        return float(np.mean(p**assignment.redundancy))

    def check(self, assignment: Assignment) -> None:
        """Refuse a placement without groups."""
        if assignment.groups is None:
            raise ConfigurationError(
                f"{self!r}: this placement (or mini-batch) has no groups of workers that send the same sum of rows; "
                "use FractionalRepetition, EvenPartition or Everything without a batch, or the decoder Mean()"
            )


@dataclass(frozen=True)
class DistinctRows(Decoder):
    """Sum over distinct rows: the first copy of row r weighs 1 / (m (1 - p^d_r)), and later copies 0.

    d_r workers hold row r, so it arrives with probability 1 - p^d_r, and the expected gradient is the full one. Workers
    must send the gradient of each row as a vector of its own.

    Parameters
    ----------
    straggler_probability : float
        p in [0, 1), the probability that a worker does not answer.

    Raises
    ------
    ConfigurationError
        If p is out of range, or (at the start of a run) workers send sums of rows.

    Notes
    -----
    Source: Bitar, Wootters and El Rouayheb 2020, Table I (SGC-Send-All), row by row. Its expected error is the mean of
    p^d_r / (1 - p^d_r).

    Examples
    --------
    >>> rows = np.array([0, 1, 1, 2])
    >>> apart = Assignment(total_rows=3, starts=np.array([0, 2, 4]), rows=rows, combined=False)
    >>> DistinctRows(0.5).weights(apart, np.array([0, 1])).round(4).tolist()  # 1 / (3 * 0.5), 1 / (3 * 0.75)
    [0.6667, 0.4444, 0.0, 0.6667]
    >>> round(DistinctRows(0.5).expected_error(apart, 0.5), 4)  # (1 + 1/3 + 1) / 3
    0.7778
    """

    straggler_probability: float

    def __post_init__(self) -> None:
        p = fraction("straggler_probability", self.straggler_probability, below_one=True)
        store(self, straggler_probability=p)

    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return one weight for each vector, message by message."""
        self.check(assignment)
        rows = assignment.rows_of(workers)
        arrives = 1.0 - self.straggler_probability ** assignment.redundancy[rows]
        return first_occurrences(rows, assignment.total_rows) / (assignment.total_rows * arrives)

    def expected_error(self, assignment: Assignment, straggler_probability: float) -> float:
        """Return the expected error, including the bias if p is not the decoder's; see `Decoder.expected_error`."""
        p = fraction("straggler_probability", straggler_probability, below_one=True)
        self.check(assignment)
        missing, assumed = p**assignment.redundancy, self.straggler_probability**assignment.redundancy
        return float(np.mean(missing + (1.0 - missing) * (assumed / (1.0 - assumed)) ** 2))

    def check(self, assignment: Assignment) -> None:
        """Refuse messages that are sums of rows."""
        if assignment.combined:
            raise ConfigurationError(
                f"{self!r}: it needs the gradient of each row as a vector of its own, but workers send one sum; wrap "
                "the placement as Uncombined(placement)"
            )
