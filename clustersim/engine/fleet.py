"""The interface between the master and the fleet, which is the workers and their links.

The master sends models and receives messages through `Fleet`, and reads the time from `Clock`. `ProcessFleet` runs one
SimPy process for each worker; `CohortFleet` computes whole dispatches as arrays. Both give the same results, bit for
bit.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.accounting.messages import Records
from clustersim.protocol import Plan

__all__ = ["Batch", "Clock", "Fleet", "RoundsAhead", "Rows", "Step"]


class Batch(NamedTuple):
    """Messages that the master receives at once, in order of arrival, equal times by worker number.

    Attributes
    ----------
    workers, tasks, versions : ndarray of int, shape (a,)
        Sender, task number (from 0 for each worker) and version of the model of each message.
    blocks : ndarray of int, shape (a,)
        Blocks of its task that each message contains.
    compute : ndarray of float, shape (a,)
        Ticks of work spent on the blocks in each message.
    models : dict of int to ndarray
        The model of each of these versions.
    """

    workers: NDArray[np.int64]
    tasks: NDArray[np.int64]
    versions: NDArray[np.int64]
    blocks: NDArray[np.int64]
    compute: NDArray[np.float64]
    models: dict[int, NDArray[np.float64]]

    def sealed(self) -> Self:
        """Make the arrays read-only and return the batch itself."""
        for column in self[:-1]:
            column.flags.writeable = False
        return self


Times: TypeAlias = NDArray[np.float64]

Rows: TypeAlias = tuple[NDArray[np.int64] | None, float | Times]
"""Rows and row weights of a gradient, see `Assignment.gather`."""

Step: TypeAlias = tuple[float, Rows, Rows | None]
"""A round of a plan: when it ends, in ticks; the rows of the gradient at the present model that the update uses; and
the rows of the gradient at the previous model, or None if the update uses no late messages."""


class RoundsAhead(Protocol):
    """Rounds of a plan that a fleet has computed ahead.

    The master iterates over the rounds. "The last round" below is the last one that it has iterated over.

    Attributes
    ----------
    arrived : int
        Messages that have reached the master in these rounds, as of the last call of `update_ledger`.
    """

    arrived: int

    @property
    def now(self) -> float:
        """When the last round ended, in ticks."""

    def __iter__(self) -> Iterator[Step]:
        """Yield the rounds in order, as long as the plan holds and no round is unusual."""

    def update_ledger(self) -> None:
        """Count everything up to the update of the last round in the ledger."""

    def close(self, version: int, model: Times) -> None:
        """Bring the fleet into its state after the last round, whose tasks were computed at this model."""

    def kept(self, version: int, model: Times) -> tuple[Batch, Times] | None:
        """Messages of the last round that arrived in time, and their weights; None if none of them is kept."""


class Clock(Protocol):
    """A source of the simulated time."""

    @property
    def now(self) -> float:
        """The present time, in ticks since the run began."""


class Fleet(Protocol):
    """n workers and their links. All times are in ticks.

    Attributes
    ----------
    recording : bool
        Whether the fleet records every message for the message table.
    """

    recording: bool

    @property
    def expecting(self) -> int:
        """The number of messages in flight: those that have neither arrived nor been cancelled or lost so far."""

    def dispatch(self, workers: NDArray[np.int64] | None, version: int, model: NDArray[np.float64], busy: str) -> None:
        """Send a model now to `workers`, given in ascending order, or to all workers if None."""

    def rounds_ahead(self, plan: Plan, last_time: float, most: int, inbox_compute: Times) -> RoundsAhead | None:
        """Compute rounds of a plan ahead; the model of the first round has just been sent to all workers.

        Parameters
        ----------
        plan : Plan
        last_time : float
            The time by which the last round must have ended, in ticks.
        most : int
            The greatest number of rounds.
        inbox_compute : ndarray of float
            Ticks of work spent on each message in the inbox; the update of the first round may use these messages.

        Returns
        -------
        RoundsAhead or None
            None if there are no such rounds, if the fleet cannot know them, such as a fleet of real machines, or if it
            records every message.
        """

    def want(self, arrivals: int) -> None:
        """Wake the master after this number of further arrivals, or when no message can arrive any more."""

    def sleep(self, until: float) -> object:
        """Return what the master sleeps on: its driver resumes it when its want is met, at `until` at the latest."""

    def wake(self, now: float) -> bool:
        """Count what has happened by now in the ledger; return whether the master's want is met or never will be."""

    def collect(self, now: float) -> Batch | None:
        """Return the messages that have arrived by now; None if there are none."""

    def unanswered(self, workers: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Return those of the workers (None: all) that have an unanswered task, even if it will never be answered."""

    def mark(self, names: NDArray[np.int64], status: str, staleness: NDArray[np.int64] | None = None) -> None:
        """Record the fate of messages for the message table, if there is one; names rise in order of arrival."""

    def close(self) -> None:
        """End the run: count the work on tasks whose fate is open."""

    def records(self) -> Records:
        """Return the records of all messages; only for a fleet that is recording."""
