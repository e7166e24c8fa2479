"""A rule that begins only after some epochs of full synchrony."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import instance, store
from clustersim.protocol import Setting, Updated
from clustersim.schedules import epochs_of, whole_updates
from clustersim.waits.base import Look, Outlook, WaitRule, WaitState

__all__ = ["WarmUp", "warmed_up"]


@dataclass(frozen=True)
class WarmUp(WaitRule):
    """Wait for every worker in the first epochs, then as another rule says.

    Parameters
    ----------
    rule : WaitRule
        What comes after; it sees no update of the warm-up but the last.
    epochs : float
        Length of the warm-up in passes over the data, see ``Assignment.updates_per_epoch``; it may be 0.

    Raises
    ------
    ConfigurationError
        If `rule` is no wait rule, or `epochs` is negative.

    Notes
    -----
    Source: Xu et al. 2021, section V: "the first 2 epochs are run in Full-SGD fashion".

    Examples
    --------
    >>> from clustersim.waits import Fastest
    >>> WarmUp(Fastest(7), epochs=2)
    WarmUp(rule=Fastest(k=7), epochs=2.0)
    """

    rule: WaitRule
    epochs: float

    def __post_init__(self) -> None:
        instance("rule", self.rule, WaitRule, "a wait rule, such as Fastest(7)")
        store(self, epochs=epochs_of("epochs", self.epochs))

    def begin(self, setting: Setting) -> WaitState:
        """Count the epochs in updates."""
        updates = whole_updates(self.epochs, setting.assignment.updates_per_epoch(setting.workers))
        after = self.rule.begin(setting)
        return _WarmUpWait(after, setting.workers, updates) if updates else after


def warmed_up(rule: WaitRule, epochs: float) -> WaitRule:
    """Put a warm-up of so many epochs, possibly none, before a rule.

    Examples
    --------
    >>> from clustersim.waits import Fastest
    >>> warmed_up(Fastest(7), 0.0)
    Fastest(k=7)
    """
    return WarmUp(rule, epochs) if epochs_of("warm_up", epochs) else rule


class _WarmUpWait(WaitState):
    """All workers for so many updates, then the rule's own state."""

    def __init__(self, after: WaitState, workers: int, updates: int) -> None:
        self._after, self._updates = after, updates
        self._warming = True
        self._version = 0
        self.k = workers

    def opened(self, updated: Updated) -> None:
        """See whether the warm-up is over."""
        self._version = updated.version
        self._warming = updated.version < self._updates
        if not self._warming:
            self._after.opened(updated)
            self.k, self.patience, self.watches = self._after.k, self._after.patience, self._after.watches

    def needs(self, workers: NDArray[np.int64]) -> int:
        """All, or as the rule says."""
        return super().needs(workers) if self._warming else self._after.needs(workers)

    def look(self, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:
        """Wait for every worker during the warm-up; then ask the rule."""
        return super().look(elapsed, workers, times) if self._warming else self._after.look(elapsed, workers, times)

    def outlook(self) -> Outlook:
        """All until the warm-up is over."""
        return Outlook(self._updates - self._version, self.k) if self._warming else self._after.outlook()
