"""An alarm to sleep on that can be brought forward: what the engine uses instead of interrupts and stores.

By the book, a SimPy process that waits for "my work is done, unless a newer model comes first" is interrupted, and
leaves a dead timeout in the event heap at every restart. Here it sleeps on an `Alarm`. Setting the alarm to an earlier
time puts it into the heap once more; setting it to a later time does nothing: the sleeper wakes, looks at what it has
to do, and sets the alarm again. So a restart mostly costs a comparison, and the heap holds a few entries a worker, all
of which will wake somebody.
"""

import math
from typing import Any

import simpy
from simpy.events import EventCallbacks, EventPriority

__all__ = ["ARRIVAL", "DELIVERY", "MASTER", "Alarm", "Ring"]

# At one instant workers finish and messages arrive first, then models reach workers, then the master acts.
# SimPy's own events come before: when the master's process has ended, nothing of that instant happens any more.
ARRIVAL, DELIVERY, MASTER = EventPriority(2), EventPriority(3), EventPriority(4)


class Ring(simpy.Event):
    """An event at an absolute simulated time, exactly, with a priority among those of that instant.

    Many may share their callbacks, which find in `about` what each is about. It is made by the hundred thousand, so it
    sets its few attributes itself, as SimPy's own `Timeout` does.
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
    """Something to sleep on that can be brought forward: an event that may happen again and again.

    The sleeper is a process that does ``yield alarm`` and then calls `rung`.
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
        """Ring at `at`, or before, if it is set to ring before already."""
        if at < self._at:
            self._later.append(self._at)
            self._at = at
            self.env.schedule(self, self._priority, at - self.env.now)

    def rung(self) -> None:
        """The sleeper is awake; the next time at which the alarm had been set before is in force again."""
        self._at = self._later.pop()
        self.callbacks = []
