"""SimPy events of the engine: `Ring`, at an absolute time, and `Alarm`, whose time can be moved forward.

Usually a SimPy process that waits for the end of its work, unless a newer model arrives first, is interrupted. Every
restart then leaves an unused timeout in the event heap. In the engine such a process sleeps on an `Alarm` instead.
Setting the alarm to an earlier time adds one entry to the heap. Setting it to a later time does nothing: the process
wakes at the earlier time, checks its work, and sets the alarm again. A restart therefore usually costs one comparison,
and the heap contains only a few entries for each worker, all of which wake a process.
"""

import math
from typing import Any

import simpy
from simpy.events import EventCallbacks, EventPriority

__all__ = ["ARRIVAL", "DELIVERY", "MASTER", "Alarm", "Ring"]

# The order at one instant: workers finish and messages arrive, then models reach workers, then the master acts.
# SimPy's own events come first: after the end of the master's process no further event of that instant happens.
ARRIVAL, DELIVERY, MASTER = EventPriority(2), EventPriority(3), EventPriority(4)


class Ring(simpy.Event):
    """An event at an exact absolute time, with a priority among the events of the same instant.

    Many rings may share a list of callbacks; `about` is the object that a ring concerns, such as a task. A run makes
    hundreds of thousands of rings, so the constructor sets the attributes itself, as that of SimPy's `Timeout` does.
    """

    def __init__(
        self,
        env: simpy.Environment,
        at: float,
        priority: EventPriority,
        callbacks: EventCallbacks | None = None,
        about: Any = None,
    ) -> None:
        self.env = env
        self.callbacks: EventCallbacks = [] if callbacks is None else callbacks
        self._ok = True
        self._value = None
        self.about = about
        env.schedule(self, priority, at - env.now)


class Alarm(simpy.Event):
    """An event that may happen repeatedly, and whose time can be moved forward.

    A process sleeps on it by ``yield alarm``, and then calls `rung`.
    """

    def __init__(self, env: simpy.Environment, priority: EventPriority) -> None:
        self.env = env
        self.callbacks: EventCallbacks = []
        self._ok = True
        self._value = None
        self._priority = priority
        self._at = math.inf
        self._later: list[float] = []

    def set(self, at: float) -> None:
        """Ring at the time `at`, or earlier if the alarm is already set to an earlier time."""
        if at < self._at:
            self._later.append(self._at)
            self._at = at
            self.env.schedule(self, self._priority, at - self.env.now)

    def rung(self) -> None:
        """Reset the alarm after the process woke up: the next later time that was set is in force again."""
        self._at = self._later.pop()
        self.callbacks = []
