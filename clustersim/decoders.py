"""What weight each arrived message gets in the master's estimate of the gradient.

A decoder turns the workers that answered into weights a_j, so that the estimate is ``sum_j a_j * message_j``. It knows
the assignment and nothing of time. Wait rules (`clustersim.waits`) say when it is asked.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.placements import Assignment

__all__ = ["Decoder", "Mean"]


class Decoder(ABC):
    """A rule for the weights of messages; a frozen dataclass of hyper-parameters."""

    @abstractmethod
    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> float | NDArray[np.float64]:
        """Weights of the messages that `workers` sent: one for all, or an array of shape (a,)."""


@dataclass(frozen=True)
class Mean(Decoder):
    """The mean over the rows that the answering workers hold: ``a_j = 1 / sum_i |S_i|``.

    Source: Kas Hanna et al. 2022, eq. 3 and 5; with equal shares it is the mean of the k partial gradients.

    Examples
    --------
    >>> assignment = Assignment(total_rows=6, starts=np.array([0, 2, 4, 6]), rows=np.arange(6))
    >>> Mean().weights(assignment, np.array([0, 2]))
    0.25
    """

    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> float:
        """One weight for all."""
        return 1.0 / float(assignment.sizes[workers].sum())
