"""The updates of a run after which the model is evaluated.

The rule comes in from `clustersim.simulate`; `clustersim.engine.stopping` asks whether an evaluation is due.
"""

import math

from clustersim.evaluations import Every
from clustersim.ticks import Ticks

__all__ = ["Evaluations"]

_NEVER = 1 << 62
_GROWTH = 50  # the automatic rule evaluates when the number of updates has grown by a fiftieth
_PARTS = 200  # and when this part of the time horizon has passed


class Evaluations:
    """The next update, and the next time, at which an evaluation is due, whichever comes first.

    Without a rule, the first fifty updates are evaluated, then every update that makes their number grow by 2 %, and
    the first one after every 0.5 % of the time horizon. So the time at which a value is reached is known within 2 %.

    Parameters
    ----------
    rule : Every or None
        Even distances; None for the automatic rule.
    ticks : Ticks
        Converts seconds to ticks.
    last_time : float
        The time horizon in ticks; infinite if there is none.

    Attributes
    ----------
    version : int
        The version from which an evaluation is due.
    time : float
        The time in ticks from which an evaluation is due.

    Examples
    --------
    >>> evaluations = Evaluations(Every(updates=10), Ticks(1e-9), math.inf)
    >>> evaluations.due(0.0, 0)
    True
    >>> evaluations.advance(0.0, 0)
    >>> evaluations.version, evaluations.due(5.0, 9)
    (10, False)
    """

    def __init__(self, rule: Every | None, ticks: Ticks, last_time: float) -> None:
        self.version, self.time = 0, 0.0
        self._updates = None if rule is None else rule.updates or _NEVER
        self._step = math.inf
        if rule is None:
            self._step = math.ceil(last_time / _PARTS) if last_time < math.inf else math.inf
        elif rule.seconds is not None:
            self._step = max(1.0, ticks.of(rule.seconds))
        self._even = rule is not None

    def due(self, now: float, version: int) -> bool:
        """Return whether the model of this version, made at time `now` in ticks, is to be evaluated."""
        return version >= self.version or now >= self.time

    def advance(self, now: float, version: int) -> None:
        """Find the next evaluation after one at time `now`, in ticks, and version `version`."""
        if self._updates is None:
            self.version = version + max(1, version // _GROWTH)
        else:
            self.version = version - version % self._updates + self._updates
        if self._step < math.inf:
            self.time = (now // self._step + 1.0) * self._step if self._even else now + self._step
        else:
            self.time = math.inf
