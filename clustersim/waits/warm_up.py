"""A warm-up of full synchrony before another wait rule."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import instance, store
from clustersim.protocol import Setting, Updated
from clustersim.schedules import epochs_of, whole_updates
from clustersim.waits import asking
from clustersim.waits.base import Look, Outlook, WaitRule, WaitState

__all__ = ["WarmUp", "warmed_up"]


@dataclass(frozen=True)
class WarmUp(WaitRule):
    """Wait for every worker in the first epochs, and then as another rule says.

    Parameters
    ----------
    rule : WaitRule
        The rule after the warm-up. Its state is notified of the last update of the warm-up, and of all later ones.
    epochs : float
        Length of the warm-up in epochs (passes over the data), at least 0; see ``Assignment.updates_per_epoch``.

    Raises
    ------
    ConfigurationError
        If `rule` is not a wait rule or does not fit the cluster, or `epochs` is negative.

    Notes
    -----
    Source: Xu et al. 2021, section V: "the first 2 epochs are run in Full-SGD fashion".

    Examples
    --------
    >>> from clustersim.waits import Fastest
    >>> WarmUp(Fastest(7), epochs=2)
    WarmUp(rule=Fastest(k=7), epochs=2.0)

    One epoch of full synchrony, which is one update here, and then the fastest worker:

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 4.0]] * 2)),
    ...     cs.Synchronous(WarmUp(Fastest(1), epochs=1)),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=2),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()
    [0.0, 4.0, 5.0]
    """

    rule: WaitRule
    epochs: float

    def __post_init__(self) -> None:
        instance("rule", self.rule, WaitRule, "a wait rule, such as Fastest(7)")
        store(self, epochs=epochs_of("epochs", self.epochs))

    def begin(self, setting: Setting) -> WaitState:
        """Convert the epochs to updates."""
        updates = whole_updates(self.epochs, setting.assignment.updates_per_epoch(setting.workers))
        after = asking.begin_wait(self.rule, setting)
        return _WarmUpWait(after, setting.workers, updates) if updates else after


def warmed_up(rule: WaitRule, epochs: float) -> WaitRule:
    """Put a warm-up of some epochs before a rule; return the rule itself if there are none.

    Examples
    --------
    >>> from clustersim.waits import Fastest
    >>> warmed_up(Fastest(7), 0.0)
    Fastest(k=7)
    """
    return WarmUp(rule, epochs) if epochs_of("warm_up", epochs) else rule


class _WarmUpWait(WaitState):
    """Wait for all workers for some updates, and then as the state of the rule says."""

    def __init__(self, after: WaitState, workers: int, updates: int) -> None:
        self._after, self._updates = after, updates
        self._warming = True
        self._version = 0
        self.k = self._workers = workers

    def opened(self, updated: Updated) -> None:
        """Check whether the warm-up is over, and begin a round of the rule if so."""
        self._version = updated.version
        self._warming = updated.version < self._updates
        if not self._warming:
            self.k = asking.open_round(self._after, updated, self._workers)
            self.patience, self.watches = asking.patience(self._after), self._after.watches

    def needs(self, workers: NDArray[np.int64]) -> int:
        """Return how many workers are missing during the warm-up; then what the rule needs."""
        return super().needs(workers) if self._warming else asking.needs(self._after, workers)

    def look(self, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:
        """Wait for every worker during the warm-up; then ask the rule."""
        if self._warming:
            return super().look(elapsed, workers, times)
        return asking.look(self._after, elapsed, workers, times)

    def outlook(self) -> Outlook:
        """Promise all workers until the warm-up is over; then what the rule promises."""
        return Outlook(self._updates - self._version, self.k) if self._warming else asking.outlook(self._after)
