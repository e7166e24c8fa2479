"""Where a run ends: its horizon is reached, or it is clear that it never will be.

The master asks after every update, and when time stands still; updates flow on to the `HistoryRecorder`, which
writes history.
"""

import math

from clustersim.engine.expected_updates import MOST_UPDATES, too_many_updates
from clustersim.engine.history import HistoryRecorder
from clustersim.errors import StalledError
from clustersim.protocol import PolicyState
from clustersim.ticks import Ticks
from clustersim.until import Until

__all__ = ["StoppingRule"]

_PATIENCE = 1_000_000  # updates after which a run with an error horizon alone is given up
_STANDSTILL = 10_000
_NO_END = 1 << 62  # updates
_LOOK_AHEAD = 10_000  # updates that tell how long one takes; fractions of a second


class StoppingRule:
    """How far a run has come.

    Parameters
    ----------
    until : Until
    observer : Observer
        Keeps the history, and knows the error.
    state : PolicyState
        Its k is a column of the history.
    ticks : Ticks
        Of the clock.

    Attributes
    ----------
    last_time : float
        When the run is over at the latest, in ticks; infinite if nothing says so.
    standstill : int
        Events without progress after which a run is taken to be stuck.
    """

    def __init__(self, until: Until, recorder: HistoryRecorder, state: PolicyState, ticks: Ticks) -> None:
        self.last_time = ticks.horizon(until.last_time)
        self.standstill = _STANDSTILL
        self._until = until
        self._recorder = recorder
        self._state = state
        self._reached = (0.0, 0)  # the last instant, and the version then if updates count
        self._events = 0  # since then

    def updated(self, now: float, version: int) -> str:
        """Write the history where a row is due; returns why the run is over now, or nothing.

        Raises
        ------
        ConfigurationError
            If it would take too many updates to get there, going by those done so far.
        StalledError
            If the error shrinks no more above the one that is to be reached.
        """
        if self._until.updates is not None and version >= self._until.updates:
            return f"{self._until.updates} updates done"
        if version == _LOOK_AHEAD and self._until.updates is None:
            self._look_ahead(now / version)
        if version % self._recorder.every:
            return ""
        error = self._recorder.evaluate(now, self._state.k)
        if self._until.error is not None and error <= self._until.error:
            return f"error {self._until.error:g} reached"
        if version >= _PATIENCE and self._until.updates is None and math.isinf(self.last_time):
            raise StalledError(
                f"{_PATIENCE} updates have not brought the error down to {self._until.error:g}, it is {error:.3g}; the "
                "floor of the policy may lie above: give Until a time or a number of updates as well"
            )
        return ""

    def updates_left(self, version: int) -> int:
        """Updates from this version on that the run will have at most."""
        return _NO_END if self._until.updates is None else self._until.updates - version

    def next_look(self, version: int) -> int:
        """The next version for which `updated` must be asked."""
        look = version - version % self._recorder.every + self._recorder.every
        if self._until.updates is not None:
            return min(look, self._until.updates)
        return min(look, _LOOK_AHEAD) if version < _LOOK_AHEAD else look

    def _look_ahead(self, round_time: float) -> None:
        """Refuse a horizon in time that is out of reach, now that it is known how long an update takes."""
        if math.inf > self._until.last_time > MOST_UPDATES * round_time > 0.0:
            raise too_many_updates(self._until.last_time, round_time)

    def stuck(self, now: float, version: int, events: int = 1) -> bool:
        """Whether, with so many more events, the run goes on and on without coming nearer to its horizon."""
        reached = (now, version if self._until.updates is not None else 0)
        if reached != self._reached:
            self._reached, self._events = reached, 0
        else:
            self._events += events
        return self._events > self.standstill
