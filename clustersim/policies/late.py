"""What a synchronous scheme does with answers that come one round late: throw them away, or make up for them.

`Synchronous` hands over the answers to the model before the present one, early and late ones, and what the last update
has used of them; a rule says which weights they get in the update that is due. Nothing else of a round depends on it.
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
    """A rule for answers that are one round late; a frozen dataclass of hyper-parameters."""

    @property
    def stopped(self) -> Busy | None:
        """What a worker that a newer model stops does with its work; None leaves it to the cluster."""
        return None

    def check(self, decoder: Decoder, assignment: Assignment) -> None:  # noqa: B027 - throwing away suits any
        """Refuse what the rule cannot do with, by a `ConfigurationError`; asked before a run begins."""

    @abstractmethod
    def weights(self, decoder: Decoder, assignment: Assignment, last: Round) -> NDArray[np.float64] | None:
        """Weights in the update that is due of the answers to the model before; None if they are of no more use.

        They must not depend on the names of messages, which mean nothing in rounds that are planned ahead.
        """


@dataclass(frozen=True)
class Discard(LateRule):
    """What comes late is thrown away."""

    def weights(self, decoder: Decoder, assignment: Assignment, last: Round) -> None:  # noqa: ARG002
        """Late answers are of no use."""
        return


@dataclass(frozen=True)
class Compensate(LateRule):
    r"""Make up, one update late, for what the last update lacked: :math:`e_{t-1} = \tilde g_{t-1} - \tilde g'_{t-1}`.

    :math:`\tilde g'` is what the last update used, :math:`\tilde g` what the decoder makes of all workers' answers to
    the same model, the late ones too. Stopped workers send the blocks that they have finished.

    Parameters
    ----------
    scaled : bool, default True
        Whether an answer of r of the s blocks weighs as if the others were zero (the paper's scaling by r / s). With
        False each answer stands for its worker's whole task, and workers that sent nothing are left out of the sum.

    Raises
    ------
    ConfigurationError
        At the start of a run, if messages bring each row by itself, or the decoder is another than `Mean`: with
        ``scaled=False`` and one block it may be `DistinctGroups`, `Exact` or `Optimal`, which make the best of whoever
        answers.

    Notes
    -----
    Source: Xu et al. 2021, eq. 6 and 7. With the mean over K of N workers, the late answers get 1/N each and the early
    ones -(N - K)/(N K). With scaling, a worker that finished no block counts as zero, as Algorithm 1 has it: where
    many send nothing the gradient is too short, by (N - K)/N if none does. The compensated gradients of consecutive
    updates share workers, so Pflug's test loses its premise; an adaptive k by `Schedule` does not.
    """

    scaled: bool = True

    def __post_init__(self) -> None:
        store(self, scaled=flag("scaled", self.scaled))

    @property
    def stopped(self) -> Busy:
        """A stopped worker sends what it has."""
        return "send"

    def check(self, decoder: Decoder, assignment: Assignment) -> None:
        """Refuse messages of many vectors, and weights for which late answers cannot make up."""
        best = isinstance(decoder, (DistinctGroups, Exact, Optimal)) and not self.scaled and assignment.blocks == 1
        if not (best or isinstance(decoder, Mean)):
            raise ConfigurationError(
                f"late = {self!r}: late answers cannot make up for what {decoder!r} lacked; use Mean(), or with "
                "scaled=False and one block DistinctGroups(), Exact() or Optimal()"
            )
        if not assignment.combined:
            raise ConfigurationError(
                f"late = {self!r}: late answers that bring each row by itself are not defined; use a placement whose "
                "workers send one vector, or Discard()"
            )

    def weights(self, decoder: Decoder, assignment: Assignment, last: Round) -> NDArray[np.float64]:
        """What all answers would have weighed, less what they did weigh."""
        counted = np.arange(assignment.workers) if self.scaled else last.workers
        due = np.full(len(last.workers), decoder.weights(assignment, counted))
        if not self.scaled:
            due *= assignment.sizes[last.workers] / assignment.rows_after(last.workers, last.blocks)
        due[: len(last.used)] -= last.used
        return due
