"""What a decoder is: weights of messages, and how far the gradient that they give is from the full one."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment

__all__ = ["Decoder"]


class Decoder(ABC):
    """A rule for the weights of messages; a frozen dataclass of hyper-parameters."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Let no subclass that has `weights` of its own inherit an `alike` that knows nothing of them."""
        super().__init_subclass__(**arguments)
        if "weights" in vars(cls) and "alike" not in vars(cls):
            cls.alike = Decoder.alike  # type: ignore[method-assign]  # there is no other way to take back a method

    @abstractmethod
    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> float | NDArray[np.float64]:
        """Weights of the messages that `workers` sent.

        Parameters
        ----------
        assignment : Assignment
            Who holds which rows, with which coefficients.
        workers : ndarray of int, shape (a,)
            Who sent the messages, in order of arrival; possibly nobody.

        Returns
        -------
        float or ndarray of float
            One weight for all, or shape (a,); where messages are not combined one for each vector in them, in the order
            of ``assignment.rows_of(workers)``. What weighs 0 is not used.

        Raises
        ------
        ConfigurationError
            If the decoder does not support this assignment or these answers.
        """

    def alike(self, assignment: Assignment, count: int) -> float | None:  # noqa: ARG002
        """The weight of each of `count` answers, or None if it may depend on which workers answer."""
        return None

    def check(self, assignment: Assignment) -> None:  # noqa: B027 - most decoders can do with any assignment
        """Refuse an assignment with which the decoder cannot do; asked before a run begins.

        Raises
        ------
        ConfigurationError
            If it cannot.
        """

    def expected_error(self, assignment: Assignment, straggler_probability: float) -> float:  # noqa: ARG002
        r"""Expected error where each worker straggles with probability p, independently.

        .. math:: E\Big[\frac{1}{m} \sum_r (\alpha_r - 1)^2\Big],

        where the estimate is :math:`\frac{1}{m} \sum_r \alpha_r \nabla f_r`. Stragglers do not answer, all others do.

        Parameters
        ----------
        assignment : Assignment
        straggler_probability : float
            p in [0, 1).

        Returns
        -------
        float

        Raises
        ------
        ConfigurationError
            If it is not known in closed form for this decoder and this assignment, or p is out of range.
        """
        raise ConfigurationError(
            f"{self!r}: its expected error is not known in closed form for this placement; estimate it: draw who "
            "answers, take decoder.weights(assignment, workers), and average"
        )
