"""When the master acts: rules that say how many answers to the current model are enough.

A wait rule is a frozen dataclass; its state lives for one run and adapts from round to round. It is told that a new
round begins (`WaitState.opened`) and asked how many more messages are needed (`WaitState.needs`) and how long they may
take (`WaitState.patience`). A rule that depends on when messages arrive watches the clock (`WaitState.watches`) and is
asked at every arrival (`WaitState.look`). A rule may also tell for how long its answers will stay as they are
(`WaitState.outlook`), so that rounds can be planned ahead.
`Synchronous` puts a rule together with a placement and a decoder; every synchronous scheme is such a triple.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer
from clustersim.protocol import Setting, Updated

__all__ = ["ALWAYS", "Look", "Outlook", "WaitRule", "WaitState", "workers_to_wait_for"]

ALWAYS = 1 << 62
"""More rounds than any run has."""


class Outlook(NamedTuple):
    """For how long a wait rule will say the same, whatever happens.

    Attributes
    ----------
    rounds : int
        Rounds, the present one included, in which `enough` and the rule's patience stay as they are.
    enough : int or callable
        See `clustersim.protocol.Plan`.
    until : float
        Simulated seconds: what is said holds for rounds that begin before this instant.
    follows : bool
        Whether `WaitState.opened` must be called at each update in between.
    """

    rounds: int
    enough: int | Callable[[NDArray[np.int64]], int]
    until: float = math.inf
    follows: bool = False


class Look(NamedTuple):
    """What a rule that watches the clock waits for.

    Attributes
    ----------
    needs : int
        How many more messages are needed, see `WaitState.needs`.
    until : float
        Seconds after the dispatch. If they have passed, the master acts on what has arrived; else the rule is asked
        again when they have.
    """

    needs: int
    until: float


class WaitState(ABC):
    """What a wait rule remembers during one run.

    Attributes
    ----------
    k : int
        The number of answers that complete a round at present.
    patience : float
        Seconds after a dispatch at which the master acts on what has arrived; infinite unless the rule sets it.
    watches : bool
        Whether the rule depends on when messages arrive. If so it is asked by `look` instead of `needs` and `patience`,
        at the dispatch, at each arrival, and when the time that it has named is up. It may change from round to round.
    """

    k: int
    patience: float = math.inf
    watches: bool = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Let no subclass that acts in a way of its own inherit an `outlook` that knows nothing of it."""
        super().__init_subclass__(**arguments)
        if vars(cls).keys() & {"look", "needs", "opened"} and "outlook" not in vars(cls):
            cls.outlook = WaitState.outlook  # type: ignore[method-assign]  # there is no other way to take back a method

    @abstractmethod
    def opened(self, updated: Updated) -> None:
        """Begin a round: `updated` tells the time, the version and the gradient of the step that led to it."""

    def needs(self, workers: NDArray[np.int64]) -> int:
        """How many more answers are needed before the master can act.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            Who has answered in this round, in order of arrival.

        Returns
        -------
        int
            Positive: at least so many more. Zero or less: act now, and leave out so many of the last arrivals.
        """
        return self.k - len(workers)

    def look(self, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:  # noqa: ARG002
        """Say what the rule waits for, given when the messages of the round have arrived.

        Parameters
        ----------
        elapsed : float
            Seconds since the dispatch, a whole number of ticks.
        workers : ndarray of int, shape (a,)
            Who has answered in this round, in order of arrival.
        times : ndarray of float, shape (a,)
            When their messages have arrived, in seconds after the dispatch.

        Returns
        -------
        Look
            For a rule without a clock, what `needs` and `patience` say.
        """
        return Look(self.needs(workers), self.patience)

    def outlook(self) -> Outlook:
        """For how long the rule will say what it says now, so that rounds can be planned ahead.

        Returns
        -------
        Outlook
            For this round only, unless a rule of your own knows better and returns another one.
        """
        return Outlook(1, self.k)


class WaitRule(ABC):
    """A rule that says when enough workers have answered."""

    @abstractmethod
    def begin(self, setting: Setting) -> WaitState:
        """Make the state of one run; raises `ConfigurationError` if the rule does not fit the cluster."""


def workers_to_wait_for(name: str, k: int, setting: Setting) -> int:
    """Return k if the cluster has so many workers, or say that it has not."""
    remedy = f"the cluster has {setting.workers} workers; choose a smaller {name} or more workers"
    return integer(name, k, low=1, high=setting.workers, remedy=remedy)
