"""Fixed wait rules: the same number of answers in every round."""

from dataclasses import dataclass

from clustersim.checks import integer
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import WaitRule, WaitState, workers_to_wait_for

__all__ = ["All", "Fastest"]


class _FixedWait(WaitState):
    """The same k in every round."""

    def __init__(self, k: int) -> None:
        self.k = k

    def opened(self, updated: Updated) -> None:
        """Nothing to adapt."""


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
        integer("k", self.k, low=1)

    def begin(self, setting: Setting) -> WaitState:
        """Hold k against the number of workers."""
        return _FixedWait(workers_to_wait_for("k", self.k, setting))


@dataclass(frozen=True)
class All(WaitRule):
    """Wait for every worker."""

    def begin(self, setting: Setting) -> WaitState:
        """Wait for n answers."""
        return _FixedWait(setting.workers)
