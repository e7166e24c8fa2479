"""What a synchronous scheme does with messages that are one update late: discard them, or correct the next update.

`Synchronous` collects the messages about the previous model, those in time and those that are late, together with the
weights that the last update gave them. A late rule returns the weights that they get in the next update. Nothing else
in a round depends on the rule.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import flag, store
from clustersim.decoders import Decoder, DistinctGroups, Exact, Mean, Optimal
from clustersim.errors import ConfigurationError
from clustersim.placements import Assignment
from clustersim.protocol import Busy, Round

__all__ = ["Compensate", "Discard", "LateRule"]


class LateRule(ABC):
    """Base class of rules for late messages; subclasses are frozen dataclasses of hyper-parameters."""

    @property
    def stopped(self) -> Busy | None:
        """What a worker does with its work when a newer model stops it; None leaves that to the cluster."""
        return None

    def check(self, decoder: Decoder, assignment: Assignment) -> None:  # noqa: B027 - a rule may fit any decoder
        """Check, before a run begins, that the rule fits the decoder and the assignment.

        Parameters
        ----------
        decoder : Decoder
            The weights of the messages that are in time.
        assignment : Assignment
            Which worker holds which rows, with which coefficients.

        Raises
        ------
        ConfigurationError
            If it does not fit.
        """

    @abstractmethod
    def weights(self, decoder: Decoder, assignment: Assignment, last: Round) -> NDArray[np.float64] | None:
        """Return the weights that the messages about the previous model get in the next update.

        Parameters
        ----------
        decoder : Decoder
            The weights of the messages that are in time.
        assignment : Assignment
            Which worker holds which rows, with which coefficients.
        last : Round
            The messages about the previous model, those in time first, and the weights that these have had already.
            The rule must ignore their names, which mean nothing in rounds that are planned ahead.

        Returns
        -------
        ndarray of float, shape (a,), or None
            One weight for each message in `last`; None if none of them is used.
        """


@dataclass(frozen=True)
class Discard(LateRule):
    """Discard late messages.

    Examples
    --------
    It is the default of `Synchronous`:

    >>> from clustersim.policies import Synchronous
    >>> from clustersim.waits import Fastest
    >>> Synchronous(Fastest(3)).late
    Discard()
    """

    def weights(self, decoder: Decoder, assignment: Assignment, last: Round) -> None:  # noqa: ARG002
        """Return None: late messages are not used."""
        return


@dataclass(frozen=True)
class Compensate(LateRule):
    r"""Add to each update what the last update lacked: :math:`e_{t-1} = \tilde g_{t-1} - \tilde g'_{t-1}`.

    :math:`\tilde g'_{t-1}` is the gradient that the last update has used. :math:`\tilde g_{t-1}` is the gradient that
    the decoder computes from the messages of all workers about the same model, late ones included. Stopped workers send
    the blocks that they have finished.

    Parameters
    ----------
    scaled : bool, default True
        Whether the missing blocks of a message of r of the s blocks count as zero (the paper's scaling by r / s). If
        False, each message stands for its worker's whole task, and workers that sent nothing are left out of the sum.

    Raises
    ------
    ConfigurationError
        If `scaled` is not a bool, or (at the start of a run) if messages bring each row as a vector of its own, or the
        decoder is not `Mean`. With ``scaled=False`` and one block, it may also be `DistinctGroups`, `Exact` or
        `Optimal`.

    Notes
    -----
    When to use it and when not: see `LiveGradientCompensation`. Compensated gradients of consecutive updates share
    messages, which violates the assumption of Pflug's test; combine it with `Schedule` rather than with `Pflug`.

    With the mean over K of N workers, late messages get the weight 1/N each, and those in time -(N - K)/(N K). With
    scaling, a worker that has finished no block counts as zero, as in Algorithm 1. If many send nothing, the gradient
    is too short: by (N - K)/N if no straggler sends anything.

    Source: Xu et al. 2021, eq. 6 and 7.

    Examples
    --------
    Three workers with two rows each. Workers 0 and 1 were in time, with weights of 1/4, and worker 2 is late. Together
    with what they have had, all end up with 1/6:

    >>> even = Assignment(total_rows=6, starts=np.array([0, 2, 4, 6]), rows=np.arange(6))
    >>> last = Round(np.arange(3), np.arange(3), np.ones(3, dtype=np.int64), used=np.full(2, 0.25))
    >>> Compensate().weights(Mean(), even, last).round(4).tolist()
    [-0.0833, -0.0833, 0.1667]
    """

    scaled: bool = True

    def __post_init__(self) -> None:
        store(self, scaled=flag("scaled", self.scaled))

    @property
    def stopped(self) -> Busy:
        """A stopped worker sends the blocks that it has finished."""
        return "send"

    def check(self, decoder: Decoder, assignment: Assignment) -> None:
        """Refuse messages of several vectors, and decoders whose gradient late messages cannot complete."""
        completes = isinstance(decoder, (DistinctGroups, Exact, Optimal)) and not self.scaled and assignment.blocks == 1
        if not (completes or isinstance(decoder, Mean)):
            raise ConfigurationError(
                f"late = {self!r}: late messages cannot make up for what {decoder!r} lacked; use Mean(), or with "
                "scaled=False and one block DistinctGroups(), Exact() or Optimal()"
            )
        if not assignment.combined:
            raise ConfigurationError(
                f"late = {self!r}: late messages that bring each row by itself are not supported; use a placement "
                "whose workers send one vector, or Discard()"
            )

    def weights(self, decoder: Decoder, assignment: Assignment, last: Round) -> NDArray[np.float64]:
        """Return the weights that all messages would have had, minus the weights that they have had."""
        counted = np.arange(assignment.workers) if self.scaled else last.workers
        weights = np.full(len(last.workers), decoder.weights(assignment, counted))
        if not self.scaled:
            weights *= assignment.sizes[last.workers] / assignment.rows_after(last.workers, last.blocks)
        weights[: len(last.used)] -= last.used
        return weights
