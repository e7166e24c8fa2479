"""Fixed wait rules: the same number of answers in every round."""

import math
from dataclasses import dataclass

from clustersim.checks import integer, number, store
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import ALWAYS, Outlook, WaitRule, WaitState, workers_to_wait_for

__all__ = ["All", "Fastest", "Fraction"]


class _FixedWait(WaitState):
    """The same k in every round."""

    def __init__(self, k: int) -> None:
        self.k = k

    def opened(self, updated: Updated) -> None:
        """Nothing to adapt."""

    def outlook(self) -> Outlook:
        """The same k for ever."""
        return Outlook(ALWAYS, self.k)


@dataclass(frozen=True)
class Fastest(WaitRule):
    """Wait for the first k answers to the current model.

    Parameters
    ----------
    k : int
        1 .. n.
    """

    k: int

    def __post_init__(self) -> None:
        store(self, k=integer("k", self.k, low=1))

    def begin(self, setting: Setting) -> WaitState:
        """Hold k against the number of workers."""
        return _FixedWait(workers_to_wait_for("k", self.k, setting))


@dataclass(frozen=True)
class Fraction(WaitRule):
    """Wait for a fraction of the workers: the first ``ceil(delta n)`` answers.

    Parameters
    ----------
    delta : float
        Above 0, at most 1. 11/30 of 30 workers are 11, whatever the rounding of 11/30.

    Notes
    -----
    Source: Wang et al. 2019 (ErasureHead), Algorithm 1.

    Examples
    --------
    >>> Fraction(11 / 30).of(30), Fraction(0.34).of(3)
    (11, 2)
    """

    delta: float

    def __post_init__(self) -> None:
        remedy = "it is a fraction of the workers"
        store(self, delta=number("fraction", self.delta, above=0.0, high=1.0, remedy=remedy))

    def of(self, workers: int) -> int:
        """How many of so many workers."""
        return math.ceil(round(self.delta * workers, 9))

    def begin(self, setting: Setting) -> WaitState:
        """Wait for so many of the workers."""
        return _FixedWait(max(1, self.of(setting.workers)))


@dataclass(frozen=True)
class All(WaitRule):
    """Wait for every worker."""

    def begin(self, setting: Setting) -> WaitState:
        """Wait for n answers."""
        return _FixedWait(setting.workers)
