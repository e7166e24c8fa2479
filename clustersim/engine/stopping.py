"""The rule that ends a run: its horizon is reached, or it cannot be reached.

The master asks the `StoppingRule` after every update and every event. The rule calls the `HistoryRecorder` for each row
of history.
"""

import math

from clustersim.engine.evaluations import Evaluations
from clustersim.engine.expected_updates import MOST_UPDATES, too_many_updates
from clustersim.engine.history import HistoryRecorder
from clustersim.errors import StalledError
from clustersim.ticks import Ticks
from clustersim.until import Until

__all__ = ["StoppingRule"]

_PATIENCE = 1_000_000  # updates after which a run whose only horizon is a metric is given up
_EVENTS = 200_000  # events without an update after which a run without a time horizon is given up
_STANDSTILL = 10_000  # events without progress after which a run is given up
_NO_END = 1 << 62  # stands for an unlimited number of updates
_LOOK_AHEAD = 10_000  # updates after which the mean time of an update is known well; they take fractions of a second


class StoppingRule:
    """The progress of a run towards its horizon.

    Parameters
    ----------
    until : Until
        The horizon.
    recorder : HistoryRecorder
        It evaluates the model and keeps the history.
    evaluations : Evaluations
        The updates after which the model is evaluated.
    ticks : Ticks
        Converts seconds to ticks.

    Attributes
    ----------
    last_time : float
        The time horizon in ticks; infinite if there is none.
    standstill : int
        The number of events without progress after which a run counts as stuck.
    """

    def __init__(self, until: Until, recorder: HistoryRecorder, evaluations: Evaluations, ticks: Ticks) -> None:
        self.last_time = ticks.horizon(until.last_time)
        self.standstill = _STANDSTILL
        self._until = until
        self._recorder, self._evaluations, self._ticks = recorder, evaluations, ticks
        self._reached = (0.0, 0)  # the last time, and the last version if the horizon counts updates
        self._events = 0  # events without progress since then
        self._since_update = (0, 0)  # the last version, and the events since then

    def updated(self, now: float, version: int) -> str:
        """Write a row of history if it is due; return why the run is over, or an empty string.

        Parameters
        ----------
        now : float
            The present time in ticks.
        version : int
            The number of updates so far.

        Raises
        ------
        ConfigurationError
            If the time horizon would take too many updates, judged by the mean time of those so far.
        StalledError
            If a million updates have not reached the value of the metric, and there is no other horizon.
        DivergenceError
            If the model diverges.
        """
        if self._until.updates is not None and version >= self._until.updates:
            return f"{self._until.updates} updates done"
        if version == _LOOK_AHEAD and self._until.updates is None:
            self._look_ahead(self._ticks.seconds(now) / version)
        if not self._evaluations.due(now, version):
            return ""
        self._evaluations.advance(now, version)
        row = self._recorder.evaluate(self._ticks.seconds(now))
        if reason := self._until.met_by(row):
            return reason
        if version >= _PATIENCE and self._until.updates is None and math.isinf(self.last_time):
            raise StalledError(
                f"{_PATIENCE} updates have not reached {self._until.wanted}; it is {row[self._until.watched]:.3g}. The "
                "floor of the policy may be worse; give Until a time or a number of updates as well"
            )
        return ""

    def updates_left(self, version: int) -> int:
        """Return the greatest number of updates from this version to the end of the run."""
        return _NO_END if self._until.updates is None else self._until.updates - version

    def next_look(self, version: int) -> tuple[int, float]:
        """Return the version, and the time in ticks, from which on `updated` must be called."""
        look, time = self._evaluations.version, self._evaluations.time
        if self._until.updates is not None:
            return min(look, self._until.updates), time
        return (min(look, _LOOK_AHEAD) if version < _LOOK_AHEAD else look), time

    def _check_updates(self, version: int, events: int) -> None:
        """Give up a run in which time passes, but the model is never updated again."""
        last, waited = self._since_update
        self._since_update = (version, waited + events) if version == last else (version, 0)
        if waited > _EVENTS and math.isinf(self.last_time):
            raise StalledError(
                f"{_EVENTS} events have happened since update {version}, and the policy has made no further one; "
                "let it update the model, or give Until a time as well"
            )

    def _look_ahead(self, round_time: float) -> None:
        """Refuse a time horizon that takes too many updates, given the mean time of an update."""
        if math.inf > self._until.last_time > MOST_UPDATES * round_time > 0.0:
            raise too_many_updates(self._until.last_time, round_time)

    def stuck(self, now: float, version: int, events: int = 1) -> bool:
        """Add `events` to the count of events without progress; return whether the run is stuck.

        Raises
        ------
        StalledError
            If hundreds of thousands of events have not brought an update, and no time horizon ends the run anyway.
        """
        self._check_updates(version, events)
        reached = (now, version if self._until.updates is not None else 0)
        if reached != self._reached:
            self._reached, self._events = reached, 0
        else:
            self._events += events
        return self._events > self.standstill
