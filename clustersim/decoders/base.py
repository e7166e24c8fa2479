"""The base class of decoders: weights of messages, and the expected error of the estimated gradient."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment

__all__ = ["Decoder"]


class Decoder(ABC):
    """Base class of rules for the weights of messages; subclasses are frozen dataclasses of hyper-parameters.

    Examples
    --------
    A decoder of your own needs only `weights`. This one is `Mean` with weights that are half as large:

    >>> from dataclasses import dataclass
    >>> from clustersim.decoders import Mean
    >>> @dataclass(frozen=True)
    ... class Half(Decoder):
    ...     def weights(self, assignment, workers):
    ...         return 0.5 * Mean().weights(assignment, workers)
    >>> Half().weights(Assignment(total_rows=4, starts=np.array([0, 2, 4]), rows=np.arange(4)), np.array([1]))
    0.25
    """

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Reset `alike` in a subclass that overrides `weights`: the inherited one may be wrong for it."""
        super().__init_subclass__(**arguments)
        if "weights" in vars(cls) and "alike" not in vars(cls):
            cls.alike = Decoder.alike  # type: ignore[method-assign]  # mypy refuses assignments to methods

    @abstractmethod
    def weights(self, assignment: Assignment, workers: NDArray[np.int64]) -> float | NDArray[np.float64]:
        """Return the weights of the messages that `workers` have sent.

        Parameters
        ----------
        assignment : Assignment
            Which worker holds which rows, with which coefficients.
        workers : ndarray of int, shape (a,)
            The senders of the messages, in order of arrival; it may be empty.

        Returns
        -------
        float or ndarray of float
            One weight for all messages, or one for each, shape (a,). If messages are not combined, one for each vector
            in them, in the order of ``assignment.rows_of(workers)``. Messages of weight 0 are not used.

        Raises
        ------
        ConfigurationError
            If the decoder does not support this assignment or these messages.
        """

    def alike(self, assignment: Assignment, count: int) -> float | None:  # noqa: ARG002
        """Return the weight of each of `count` messages, or None if it may depend on which workers have sent them.

        Parameters
        ----------
        assignment : Assignment
            Which worker holds which rows, with which coefficients.
        count : int
            Number of messages.

        Returns
        -------
        float or None
        """
        return None

    def check(self, assignment: Assignment) -> None:  # noqa: B027 - most decoders support any assignment
        """Check, before a run begins, that the decoder supports the assignment.

        Parameters
        ----------
        assignment : Assignment
            Which worker holds which rows, with which coefficients.

        Raises
        ------
        ConfigurationError
            If it does not.
        """

    def expected_error(self, assignment: Assignment, straggler_probability: float) -> float:  # noqa: ARG002
        r"""Return the expected error if each worker straggles with probability p, independently of the others.

        .. math:: E\Big[\frac{1}{m} \sum_r (\alpha_r - 1)^2\Big],

        where the estimate is :math:`\frac{1}{m} \sum_r \alpha_r \nabla f_r`. Stragglers do not answer; all others do.

        Parameters
        ----------
        assignment : Assignment
            Which worker holds which rows, with which coefficients.
        straggler_probability : float
            p in [0, 1).

        Returns
        -------
        float

        Raises
        ------
        ConfigurationError
            If there is no closed form for this decoder and this assignment, or p is out of range.
        """
        raise ConfigurationError(
            f"{self!r}: its expected error is not known in closed form for this placement; estimate it: draw the "
            "workers that answer, compute decoder.weights(assignment, workers), and average"
        )
