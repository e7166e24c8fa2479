"""Decoders that fit the weights so that the coefficient of each row becomes 1, exactly or as nearly as possible."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.arrays import first_occurrences
from clustersim.checks import fraction
from clustersim.decoders.base import Decoder
from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment, MiniBatches

__all__ = ["Exact", "Optimal"]


@dataclass(frozen=True)
class Exact(Decoder):
    """The full gradient, or an error if the messages do not determine it.

    Groups and rows that arrive several times count once, from the first message. A code is decoded by least squares,
    and the result is used only if every coefficient is 1 to ten digits (root mean square over the rows). Without
    messages there are no weights, and no error.

    Raises
    ------
    ConfigurationError
        At the start of a run, if not even all messages determine the full gradient; in a run, if those that have
        arrived do not. `clustersim.waits.Covered` waits until they do.

    Notes
    -----
    Source: Tandon, Lei, Dimakis and Karampatziakis 2017.

    Examples
    --------
    >>> code = np.array([1.0, 2.0, 1.0, -1.0, 2.0, 1.0])  # workers send f0 + 2 f1, f1 - f2 and 2 f2 + f0 (summed, of 3)
    >>> coded = Assignment(3, np.array([0, 2, 4, 6]), np.array([0, 1, 1, 2, 2, 0]), code)
    >>> (3.0 * Exact().weights(coded, np.array([1, 0]))).round(12).tolist()  # (f0 + 2 f1) - (f1 - f2)
    [-1.0, 1.0]
    """

    def check(self, assignment: Assignment) -> None:
        """Refuse an assignment whose messages do not determine the full gradient, such as mini-batches."""
        if assignment.recovery is None and not assignment.decodes(np.arange(assignment.workers)):
            raise ConfigurationError(
                f"{self!r}: with this placement (and mini-batch) not even the messages of all workers determine the "
                "full gradient; use Mean() or Unbiased(p)"
            )

    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return one weight for each message, or for each vector if messages are not combined."""
        if not len(workers):
            return np.empty(0)
        if not assignment.decodes(workers):
            raise ConfigurationError(
                f"{self!r}: the messages of {len(workers)} of {assignment.workers} workers do not determine the full "
                "gradient; wait until they do with waits.Covered(), or use the decoder Optimal()"
            )
        if assignment.groups is not None:
            return first_occurrences(assignment.groups[workers], assignment.workers) / assignment.total_rows
        if not assignment.combined:
            return first_occurrences(assignment.rows_of(workers), assignment.total_rows) / assignment.total_rows
        return assignment.decode(workers)[0] / assignment.total_rows

    def expected_error(self, assignment: Assignment, straggler_probability: float) -> float:
        """Raise `ConfigurationError`: the error is 0 where there is a gradient, and undefined where there is none."""
        del assignment, straggler_probability
        raise ConfigurationError(
            f"{self!r}: its expected error is undefined: it is 0 for messages that determine the full gradient, and "
            "all others are refused; use Optimal(), which accepts any messages"
        )


@dataclass(frozen=True)
class Optimal(Decoder):
    r"""The estimate closest to the full gradient, for any placement: least squares on the coefficients of the rows.

    The weights are a / m, where a minimises :math:`\sum_r (\sum_j a_j B_{jr} - 1)^2`. If there are several minimisers,
    it is the shortest: messages of one group share its weight, and so do copies of one row. The estimate is biased
    towards zero if rows are missing.

    Raises
    ------
    ConfigurationError
        At the start of a run, with mini-batches, whose rows differ from task to task.

    Notes
    -----
    Source: M. Glasgow and M. Wootters, "Approximate gradient coding with optimal decoding", 2021; the decoder itself is
    Charles et al. 2017. Its expected error is p^d for groups of d workers, and the mean of p^d_r if workers send each
    row as a vector of its own. With d_r copies no decoder has a smaller one.

    Examples
    --------
    >>> halves = np.full(12, 0.5)
    >>> twice = Assignment(6, np.array([0, 4, 8, 12]), np.array([0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 0, 1]), halves)
    >>> (6.0 * Optimal().weights(twice, np.array([0, 2]))).round(12).tolist()  # instead of 1 / (1 - p)
    [1.333333333333, 1.333333333333]
    """

    def check(self, assignment: Assignment) -> None:
        """Refuse mini-batches, whose rows differ from task to task."""
        if isinstance(assignment, MiniBatches):
            assignment.decode(np.arange(assignment.workers))  # this raises the error

    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return one weight for each message, or for each vector if messages are not combined."""
        if assignment.groups is not None:
            return _shared(assignment.groups[workers]) / assignment.total_rows
        if not assignment.combined:
            return _shared(assignment.rows_of(workers)) / assignment.total_rows
        return assignment.decode(workers)[0] / assignment.total_rows

    def expected_error(self, assignment: Assignment, straggler_probability: float) -> float:
        """Return the expected error, which is known for groups and for single rows; see `Decoder.expected_error`."""
        p = fraction("straggler_probability", straggler_probability, below_one=True)
        if assignment.combined and assignment.groups is None:
            return super().expected_error(assignment, p)
        return float(np.mean(p**assignment.redundancy))


def _shared(names: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one over the number of times that each name occurs."""
    shares: NDArray[np.float64] = 1.0 / np.bincount(names)[names]
    return shares
