"""The horizon of a run: the time, the number of updates or epochs, or the value of a metric at which it ends."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from clustersim.checks import integer, number, seconds, store
from clustersim.errors import ConfigurationError
from clustersim.schedules import epochs_of, whole_updates

__all__ = ["Until"]


@dataclass(frozen=True, repr=False)
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
    metric : str, optional
        The loss or a metric of the problem, such as ``"test_accuracy"``, evaluated in the same way as the error.
    at_least : float, optional
        The run ends when the metric is at least this value; for accuracies and AUC.
    at_most : float, optional
        The run ends when the metric is at most this value; for losses and distances.

    Raises
    ------
    ConfigurationError
        If no horizon is given or one is out of range, or `metric` is not given together with either `at_least` or
        `at_most`.

    Examples
    --------
    >>> Until(time=2000.0, error=1e-3)
    Until(time=2000.0, error=0.001)
    >>> Until(time=2000.0, metric="test_accuracy", at_least=0.8).wanted
    'test_accuracy >= 0.8'
    """

    time: float | None = None
    updates: int | None = None
    error: float | None = None
    epochs: float | None = None
    metric: str | None = None
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if all(getattr(self, name) is None for name in ("time", "updates", "error", "epochs", "metric")):
            raise ConfigurationError(
                "Until(): expected at least one of time, updates, epochs, error and metric; give one of them"
            )
        self._check_metric()
        if self.time is not None:
            store(self, time=seconds("time", self.time, above=0.0))
        if self.updates is not None:
            store(self, updates=integer("updates", self.updates, low=1))
        if self.error is not None:
            store(self, error=number("error", self.error, above=0.0))
        if self.epochs is not None:
            store(self, epochs=epochs_of("epochs", self.epochs, above=0.0))

    def __repr__(self) -> str:
        """Return the horizons that are given."""
        given = ((name, getattr(self, name)) for name in (field.name for field in fields(self)))
        return f"Until({', '.join(f'{name}={value!r}' for name, value in given if value is not None)})"

    def _check_metric(self) -> None:
        """Check that a metric has one bound, and that no bound is without a metric."""
        bounds = {name: getattr(self, name) for name in ("at_least", "at_most") if getattr(self, name) is not None}
        if self.metric is None and not bounds:
            return
        if not isinstance(self.metric, str) or len(bounds) != 1:
            raise ConfigurationError(
                f"Until: metric = {self.metric!r}, at_least = {self.at_least!r}, at_most = {self.at_most!r}: expected "
                "the name of a metric and one of the two bounds, such as metric='test_accuracy', at_least=0.8"
            )
        if self.error is not None:
            raise ConfigurationError(
                f"Until: error = {self.error!r} and metric = {self.metric!r}: expected only one of them; drop the other"
            )
        store(self, **{name: number(name, value, finite=True) for name, value in bounds.items()})

    @property
    def watched(self) -> str:
        """The column of the history whose value may end the run; empty if there is none."""
        return self.metric or ("" if self.error is None else "error")

    @property
    def wanted(self) -> str:
        """The value that may end the run, in words, such as ``error <= 0.01``."""
        bound = f">= {self.at_least:g}" if self.at_least is not None else f"<= {self._most:g}"
        return f"{self.watched} {bound}" if self.watched else ""

    @property
    def _most(self) -> float:
        """The largest value of an error or of a metric that ends the run; NaN if there is none."""
        bounds = (bound for bound in (self.error, self.at_most) if bound is not None)
        return next(bounds, math.nan)

    def met_by(self, row: Mapping[str, float]) -> str:
        """Return why an evaluation ends the run, or an empty text.

        Parameters
        ----------
        row : mapping of str to float
            The row of the history.

        Examples
        --------
        >>> Until(error=0.5).met_by({"error": 0.25})
        'error <= 0.5 reached'
        """
        if not self.watched:
            return ""
        value = row[self.watched]
        met = value <= self._most if self.at_least is None else value >= self.at_least
        return f"{self.wanted} reached" if met else ""

    def in_updates(self, updates_per_epoch: float) -> "Until":
        """Return the same horizon with its epochs converted to updates.

        Parameters
        ----------
        updates_per_epoch : float
            The number of updates in one pass over the data, see `Assignment.updates_per_epoch`.

        Examples
        --------
        >>> Until(epochs=60).in_updates(50_000 / 320)
        Until(updates=9375)
        """
        if self.epochs is None:
            return self
        updates = max(1, whole_updates(self.epochs, updates_per_epoch))
        return replace(self, updates=min(updates, self.updates or updates), epochs=None)

    @property
    def last_time(self) -> float:
        """The time horizon in seconds; infinite if there is none."""
        return math.inf if self.time is None else self.time
