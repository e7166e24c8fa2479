"""The base classes of wait rules, which say how many messages about the current model are enough.

A wait rule is a frozen dataclass. Its state lives for one run and adapts from round to round:

- `WaitState.opened` is called when a round begins.
- `WaitState.needs` returns how many more messages are needed, and `WaitState.patience` is how long they may take.
- A rule that depends on when messages arrive sets `WaitState.watches`; then `WaitState.look` is called at every arrival
  instead.
- `WaitState.outlook` promises for how many rounds the rule stays as it is, so that rounds can be planned ahead.

`Synchronous` combines a rule with a placement and a decoder; every synchronous scheme is such a combination.
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
    """A promise for how long a wait rule stays as it is, whatever happens.

    Attributes
    ----------
    rounds : int
        Number of rounds, including the current one, in which `enough` and the rule's patience stay as they are.
    enough : int or callable
        How many messages are enough; or ``enough(workers)``, which returns how many of the messages of these workers,
        given in order of arrival, must be waited for. See `clustersim.protocol.Plan`.
    until : float
        Simulated seconds; the promise holds for rounds that begin before this instant.
    follows : bool
        Whether `WaitState.opened` must be called at each update in between.

    Examples
    --------
    The next hundred rounds wait for three messages, unless a round begins at 60 s or later:

    >>> Outlook(rounds=100, enough=3, until=60.0)
    Outlook(rounds=100, enough=3, until=60.0, follows=False)
    """

    rounds: int
    enough: int | Callable[[NDArray[np.int64]], int]
    until: float = math.inf
    follows: bool = False


class Look(NamedTuple):
    """What a wait rule waits for at some moment of a round.

    Attributes
    ----------
    needs : int
        How many more messages are needed; zero or less to act now, see `WaitState.needs`.
    until : float
        Deadline in seconds after the dispatch, infinite if there is none; it is rounded to ticks. When it has passed,
        the master acts on what has arrived. Until then the rule is asked again at each arrival and at the deadline.

    Examples
    --------
    Wait for two more messages, but not beyond 1.5 s after the dispatch:

    >>> Look(needs=2, until=1.5)
    Look(needs=2, until=1.5)
    """

    needs: int
    until: float


class WaitState(ABC):
    """What a wait rule remembers during one run.

    Attributes
    ----------
    k : int
        The number of messages that complete a round at present.
    patience : float
        Seconds after a dispatch at which the master acts on what has arrived; infinite unless the rule sets it.
    watches : bool
        Whether the rule depends on when messages arrive. If so, `look` is called instead of `needs` and `patience`: at
        the dispatch, at each arrival, and at the deadline that it returned. It may change from round to round.

    Examples
    --------
    Wait for all workers but one in even rounds, and for all of them in odd ones:

    >>> class InTurns(WaitState):
    ...     def __init__(self, workers):
    ...         self.k = self._workers = workers
    ...     def opened(self, updated):
    ...         self.k = self._workers - (updated.version % 2 == 0)
    >>> state = InTurns(workers=5)
    >>> state.opened(Updated(time=0.0, version=0, gradient=None))
    >>> state.k, state.needs(np.array([3, 0]))  # two workers have answered
    (4, 2)
    """

    k: int
    patience: float = math.inf
    watches: bool = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Reset `outlook` in a subclass that overrides how it waits: the inherited promise may be wrong for it."""
        super().__init_subclass__(**arguments)
        if vars(cls).keys() & {"look", "needs", "opened"} and "outlook" not in vars(cls):
            cls.outlook = WaitState.outlook  # type: ignore[method-assign]  # mypy refuses assignments to methods

    @abstractmethod
    def opened(self, updated: Updated) -> None:
        """Begin a round.

        Parameters
        ----------
        updated : Updated
            The time, the new version of the model, and the gradient of the update that led to it.
        """

    def needs(self, workers: NDArray[np.int64]) -> int:
        """Return how many more messages are needed before the master can act.

        Parameters
        ----------
        workers : ndarray of int, shape (a,)
            The workers that have answered in this round, in order of arrival.

        Returns
        -------
        int
            If positive, the least number of further messages that may be enough. If zero or less, the master acts now,
            and leaves out that many of the last arrivals.
        """
        return self.k - len(workers)

    def look(self, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:  # noqa: ARG002
        """Return what the rule waits for, given when the messages of the round have arrived.

        Parameters
        ----------
        elapsed : float
            Seconds since the dispatch, a whole number of ticks.
        workers : ndarray of int, shape (a,)
            The workers that have answered in this round, in order of arrival.
        times : ndarray of float, shape (a,)
            When their messages arrived, in seconds after the dispatch; each is a whole number of ticks.

        Returns
        -------
        Look
            By default, `needs` and `patience`.
        """
        return Look(self.needs(workers), self.patience)

    def outlook(self) -> Outlook:
        """Promise for how long the rule stays as it is, so that rounds can be planned ahead.

        Returns
        -------
        Outlook
            By default for this round only; a rule that can promise more returns another one.
        """
        return Outlook(1, self.k)


class WaitRule(ABC):
    """Base class of rules that say when enough workers have answered; subclasses are frozen dataclasses.

    Examples
    --------
    A rule of your own needs a state. This one waits for one worker more after each hundred updates:

    >>> from dataclasses import dataclass
    >>> class GrowingState(WaitState):
    ...     def __init__(self, workers):
    ...         self.k, self._workers = 1, workers
    ...     def opened(self, updated):
    ...         self.k = min(1 + updated.version // 100, self._workers)
    >>> @dataclass(frozen=True)
    ... class Growing(WaitRule):
    ...     def begin(self, setting):
    ...         return GrowingState(setting.workers)
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Exponential(mean=1.0)),
    ...     cs.Synchronous(Growing()),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=300),
    ... )
    >>> run.totals["used"]  # 100 * (1 + 2 + 3)
    600
    """

    @abstractmethod
    def begin(self, setting: Setting) -> WaitState:
        """Return the state of one run.

        Parameters
        ----------
        setting : Setting
            The cluster and the placement of the run.

        Raises
        ------
        ConfigurationError
            If the rule does not fit the cluster.
        """


def workers_to_wait_for(name: str, k: int, setting: Setting) -> int:
    """Return k, or raise `ConfigurationError` if it is greater than the number of workers."""
    remedy = f"the cluster has {setting.workers} workers; choose a smaller {name} or more workers"
    return integer(name, k, low=1, high=setting.workers, remedy=remedy)
