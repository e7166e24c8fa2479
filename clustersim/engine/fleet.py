"""The workers and the links as the master sees them: models go out, answers come in.

`Fleet` is all that the master knows of them. `ProcessFleet` runs one SimPy process a worker; `CohortFleet` draws what
becomes of whole dispatches as arrays. Both tell the same story, bit for bit.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.accounting.messages import Records
from clustersim.protocol import Plan

__all__ = ["Batch", "Clock", "Fleet", "RoundsAhead", "Rows", "Step"]


class Batch(NamedTuple):
    """Answers that the master takes in at once, in order of arrival, then of worker number.

    Attributes
    ----------
    workers, tasks, versions : ndarray of int, shape (a,)
        Who sent each, which of its tasks (from 0) it answers, and at which version it was computed.
    blocks : ndarray of int, shape (a,)
        Blocks of its task that each brings.
    compute : ndarray of float, shape (a,)
        Ticks of work behind each.
    models : dict of int to ndarray
        The model of each version among them.
    """

    workers: NDArray[np.int64]
    tasks: NDArray[np.int64]
    versions: NDArray[np.int64]
    blocks: NDArray[np.int64]
    compute: NDArray[np.float64]
    models: dict[int, NDArray[np.float64]]

    def sealed(self) -> Self:
        """The batch itself, after which nobody writes into its arrays."""
        for column in self[:-1]:
            column.flags.writeable = False
        return self


Times: TypeAlias = NDArray[np.float64]

Rows: TypeAlias = tuple[NDArray[np.int64] | None, float | Times]
"""Rows and row weights of a gradient, see `Assignment.gather`."""

Step: TypeAlias = tuple[float, Rows, Rows | None]
"""A round of a plan: when it ends, in ticks; the gradient at the present model that the update uses; and that at the
model before, if the plan has late answers and there are any."""


class RoundsAhead(Protocol):
    """Rounds of a plan that a fleet has worked out. "The last one" is the one that the master has gone through last.

    Attributes
    ----------
    arrived : int
        Answers that have reached the master in the rounds gone through, once they are booked.
    """

    arrived: int

    @property
    def now(self) -> float:
        """When the last round ended, in ticks."""

    def __iter__(self) -> Iterator[Step]:
        """The rounds, one after another, as long as the plan holds and nothing out of the way happens."""

    def book(self) -> None:
        """Bring the ledger up to the update of the last round."""

    def close(self, version: int, model: Times) -> None:
        """Leave the fleet as it is after the last round, whose tasks were to compute at this model."""

    def kept(self, version: int, model: Times) -> tuple[Batch, Times] | None:
        """The answers of the last round that were in time, and the weights that they got; None if none is kept."""


class Clock(Protocol):
    """What tells the time."""

    @property
    def now(self) -> float:
        """The present, in ticks since the run began."""


class Fleet(Protocol):
    """n workers and their links; times in ticks.

    Attributes
    ----------
    traced : bool
        Whether the fate of every message is written down.
    """

    traced: bool

    @property
    def expecting(self) -> int:
        """Messages that are under way and will arrive."""

    def dispatch(self, workers: NDArray[np.int64] | None, version: int, model: NDArray[np.float64], busy: str) -> None:
        """Send a model to `workers`, in ascending order, or to all of them, now."""

    def ahead(self, plan: Plan, last_time: float, most: int, held: Times) -> RoundsAhead | None:
        """Work out at most so many rounds of a plan, that end by `last_time`; all have just been sent the first model.

        `held` are the ticks of work behind the answers that the master holds, to be made use of in the first round.

        None if there are none, or if the fleet cannot know them, as one of real machines.
        """

    def want(self, arrivals: int) -> None:
        """Wake the master after so many arrivals, or when nothing will arrive."""

    def sleep(self, until: float) -> object:
        """What the master sleeps on, for whoever drives it: it comes when that is so, and not later than `until`."""

    def wake(self, now: float) -> bool:
        """The master is awake: book what has happened by now; returns whether what it wants is there, or never will."""

    def collect(self, now: float) -> Batch | None:
        """Hand over the answers that have arrived by now; None if there are none."""

    def owing(self, workers: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Those of the workers (None: of all) of whom an answer is due, be it one that will never come."""

    def mark(self, names: NDArray[np.int64], status: str, staleness: NDArray[np.int64] | None = None) -> None:
        """Write the fate of answers, named in order of arrival, into the trace, if one is kept."""

    def close(self) -> None:
        """End of the run: book the work whose fate is open."""

    def records(self) -> Records:
        """What became of every message, if a trace is kept."""
