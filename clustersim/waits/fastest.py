"""Wait rules with a fixed number of messages: the first k, a fraction of the workers, or all of them."""

import math
from dataclasses import dataclass

from clustersim.checks import integer, number, store
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import ALWAYS, Outlook, WaitRule, WaitState, workers_to_wait_for

__all__ = ["All", "Fastest", "Fraction"]


class _FixedWait(WaitState):
    """The same k in every round."""

    def __init__(self, k: int) -> None:
        self.k = k

    def opened(self, updated: Updated) -> None:
        """Do nothing: the rule does not adapt."""

    def outlook(self) -> Outlook:
        """Promise the same k for all rounds."""
        return Outlook(ALWAYS, self.k)


@dataclass(frozen=True)
class Fastest(WaitRule):
    """Wait for the first k messages about the current model.

    Parameters
    ----------
    k : int
        Number of messages to wait for, 1 to n.

    Raises
    ------
    ConfigurationError
        If k is not a whole number, at least 1, or (at the start of a run) is greater than the number of workers.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 4.0]])),
    ...     cs.Synchronous(cs.waits.Fastest(2)),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=1),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()  # when the second of three workers answers
    [0.0, 2.0]
    """

    k: int

    def __post_init__(self) -> None:
        store(self, k=integer("k", self.k, low=1))

    def begin(self, setting: Setting) -> WaitState:
        """Check that k is at most the number of workers."""
        return _FixedWait(workers_to_wait_for("k", self.k, setting))


@dataclass(frozen=True)
class Fraction(WaitRule):
    """Wait for a fraction of the workers: the first ``ceil(delta n)`` messages.

    Parameters
    ----------
    delta : float
        The fraction, above 0 and at most 1. The product delta n is rounded to nine decimals first, so that 11/30 of 30
        workers are 11.

    Raises
    ------
    ConfigurationError
        If delta is out of range.

    Notes
    -----
    Source: Wang et al. 2019 (ErasureHead), Algorithm 1.

    Examples
    --------
    >>> Fraction(11 / 30).of(30), Fraction(0.34).of(3)
    (11, 2)
    """

    delta: float

    def __post_init__(self) -> None:
        remedy = "it is a fraction of the workers"
        store(self, delta=number("fraction", self.delta, above=0.0, high=1.0, remedy=remedy))

    def of(self, workers: int) -> int:
        """Return the number of messages to wait for, given the number of workers."""
        return math.ceil(round(self.delta * workers, 9))

    def begin(self, setting: Setting) -> WaitState:
        """Compute k from the number of workers; it is at least 1."""
        return _FixedWait(max(1, self.of(setting.workers)))


@dataclass(frozen=True)
class All(WaitRule):
    """Wait for every worker.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 4.0]])),
    ...     cs.Synchronous(cs.waits.All()),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=1),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()  # when the last of three workers answers
    [0.0, 4.0]
    """

    def begin(self, setting: Setting) -> WaitState:
        """Wait for n messages."""
        return _FixedWait(setting.workers)
