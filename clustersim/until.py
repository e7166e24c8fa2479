"""When a run ends."""

import math
from dataclasses import dataclass, replace

from clustersim.checks import integer, number, seconds, store
from clustersim.errors import ConfigurationError
from clustersim.schedules import epochs_of, whole_updates

__all__ = ["Until"]


@dataclass(frozen=True)
class Until:
    """The horizon of a run: it ends when the first of these is reached.

    Parameters
    ----------
    time : float, optional
        Simulated seconds. Answers that arrive at that very instant are still used; models sent out at it are not worked
        on any more.
        A run whose latencies are so short that this is more than a hundred million updates is refused, unless `updates`
        is given as well.
    updates : int, optional
        Steps of the model.
    epochs : float, optional
        Passes over the data: ``ceil(epochs * m / (n b))`` updates where n workers compute b rows each in a task, or
        `epochs` updates where they compute all rows at least once; it counts what is asked of the workers, whether an
        update uses it or not. Asynchronous schemes, and K-batch-sync, ask for k answers an update instead of n.
    error : float, optional
        ``F(w) - F*``, looked at whenever the history is (see ``evaluate_every`` of `simulate`). Alone, it is given up
        with a `StalledError` after a million updates, for the floor of a policy may lie above it.

    Raises
    ------
    ConfigurationError
        If none is given or one is out of range.

    Examples
    --------
    >>> Until(time=2000.0, error=1e-3)
    Until(time=2000.0, updates=None, error=0.001, epochs=None)
    """

    time: float | None = None
    updates: int | None = None
    error: float | None = None
    epochs: float | None = None

    def __post_init__(self) -> None:
        if self.time is None and self.updates is None and self.error is None and self.epochs is None:
            raise ConfigurationError(
                "Until(): expected at least one of time, updates, epochs and error; give one of them"
            )
        if self.time is not None:
            store(self, time=seconds("time", self.time, above=0.0))
        if self.updates is not None:
            store(self, updates=integer("updates", self.updates, low=1))
        if self.error is not None:
            store(self, error=number("error", self.error, above=0.0))
        if self.epochs is not None:
            store(self, epochs=epochs_of("epochs", self.epochs, above=0.0))

    def in_updates(self, updates_per_epoch: float) -> "Until":
        """The same horizon, its epochs counted in updates.

        Examples
        --------
        >>> Until(epochs=60).in_updates(50_000 / 320)
        Until(time=None, updates=9375, error=None, epochs=None)
        """
        if self.epochs is None:
            return self
        updates = max(1, whole_updates(self.epochs, updates_per_epoch))
        return replace(self, updates=min(updates, self.updates or updates), epochs=None)

    @property
    def last_time(self) -> float:
        """The time horizon, infinite if there is none."""
        return math.inf if self.time is None else self.time
