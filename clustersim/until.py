"""The horizon of a run: the time, the number of updates or epochs, or the error at which it ends."""

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
        Simulated seconds. Messages that arrive exactly at this time are still used; no worker begins to compute with a
        model that is dispatched at this time. If the time allows for more than about a hundred million updates, the run
        is refused, unless `updates` is given as well.
    updates : int, optional
        The number of updates of the model.
    epochs : float, optional
        Passes over the data. Where each of n workers draws b rows for a task, these are ``ceil(epochs * m / (n b))``
        updates. Where the workers compute all rows at least once in a round, these are ``ceil(epochs)`` updates.
        The count includes all tasks, whether an update uses their messages or not. Asynchronous schemes and
        K-batch-sync use k messages for an update; they count k b rows instead of n b.
    error : float, optional
        ``F(w) - F*``, evaluated with each row of history (see ``evaluate_every`` of `simulate`). If it is the only
        horizon, the run ends with a `StalledError` after a million updates, since the policy may never reach it.

    Raises
    ------
    ConfigurationError
        If no horizon is given or one is out of range.

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
        """Return the same horizon with its epochs converted to updates.

        Parameters
        ----------
        updates_per_epoch : float
            The number of updates in one pass over the data, see `Assignment.updates_per_epoch`.

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
        """The time horizon in seconds; infinite if there is none."""
        return math.inf if self.time is None else self.time
