"""The timeline of a run, and a part of it: some workers, from one time to another.

A `Run` flows in; a `Timeline` flows out to pictures and trace files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from clustersim.checks import integer, seconds, several
from clustersim.engine.timeline.segments import marks, segments
from clustersim.errors import ConfigurationError

if TYPE_CHECKING:
    from clustersim.engine.run import Run

__all__ = ["Timeline", "whole_timeline"]


@dataclass(frozen=True, eq=False)
class Timeline:
    """What the workers, their links and the master did.

    Attributes
    ----------
    segments : DataFrame
        See `clustersim.engine.timeline.segments.segments`.
    marks : DataFrame
        See `clustersim.engine.timeline.segments.marks`.
    updates : DataFrame
        One row for each update whose time is known: update (its number, from 1) and time (s).
    exact : bool
        Whether the times of all updates are known. If not, an update is known by the first dispatch of its model.
    workers : tuple of int
        The workers that are shown.
    size : int
        The number of workers of the cluster.
    start, stop : float
        What is shown, in seconds.
    """

    segments: pd.DataFrame
    marks: pd.DataFrame
    updates: pd.DataFrame
    exact: bool
    workers: tuple[int, ...]
    size: int
    start: float
    stop: float

    def part(
        self,
        updates: int | None = None,
        start: float | None = None,
        stop: float | None = None,
        workers: Sequence[int] | None = None,
    ) -> "Timeline":
        """Return the timeline of some workers from one time to another.

        Parameters
        ----------
        updates : int, optional
            Show the time from the start to this update. Not together with `start` or `stop`.
        start, stop : float, optional
            The first and the last second; by default the start and the end of the run.
        workers : sequence of int, optional
            The workers, in the order in which they are shown; all by default.

        Returns
        -------
        Timeline
            It has the segments that overlap with the time, uncut, and the marks and updates in it.

        Raises
        ------
        ConfigurationError
            If an argument is out of range.
        """
        shown = self.workers if workers is None else _checked_workers(workers, self.size)
        first, last = self._window(updates, start, stop)
        mine, marked = self.segments["worker"].isin(shown), self.marks["worker"].isin(shown)
        return replace(
            self,
            segments=self.segments[mine & (self.segments["start"] < last) & (self.segments["stop"] > first)],
            marks=self.marks[marked & self.marks["time"].between(first, last)],
            updates=self.updates[self.updates["time"].between(first, last)],
            workers=shown,
            start=first,
            stop=last,
        )

    def _window(self, updates: int | None, start: float | None, stop: float | None) -> tuple[float, float]:
        """Check and return the first and the last second."""
        if updates is not None:
            count = integer("updates", updates, low=1)
            if start is not None or stop is not None:
                raise ConfigurationError(
                    f"updates = {updates} and {'stop' if start is None else 'start'} are both given: expected a number "
                    "of updates, or start and stop in seconds; give one of the two"
                )
            return 0.0, self._time_of(count)
        first = 0.0 if start is None else seconds("start", start)
        last = self.stop if stop is None else min(self.stop, seconds("stop", stop))
        if first >= last and not first == last == self.stop == 0.0:
            raise ConfigurationError(
                f"start = {first:g} and stop = {last:g}: there is no time between them; the run lasts from 0 to "
                f"{self.stop:g} s"
            )
        return first, last

    def _time_of(self, count: int) -> float:
        """Return the time of an update; the end of the run if it is not known or has no time before it."""
        later = self.updates.loc[self.updates["update"] >= count, "time"]
        return float(later.iloc[0]) if len(later) and later.iloc[0] > 0.0 else self.stop


def whole_timeline(run: "Run") -> Timeline:
    """Return the timeline of a whole run.

    Parameters
    ----------
    run : Run
        Made with ``simulate(..., messages=True)``.

    Raises
    ------
    ConfigurationError
        If the run has no message table.
    """
    messages = run.messages
    if messages is None:
        raise ConfigurationError(
            "the run has no message table, from which a timeline is made; pass messages=True to cs.simulate"
        )
    end = float(run.totals["time"])
    exact = run.updates is not None
    updates = _given(run.updates) if exact else _dispatched(messages)
    size = _workers(run.totals, messages)
    return Timeline(segments(messages, end), marks(messages), updates, exact, tuple(range(size)), size, 0.0, end)


def _given(times: Any) -> pd.DataFrame:
    return pd.DataFrame({"update": np.arange(1, len(times) + 1), "time": np.asarray(times, dtype=np.float64)})


def _dispatched(messages: pd.DataFrame) -> pd.DataFrame:
    """Return the updates whose models were sent to some worker, at the time at which they were first sent."""
    first = messages[messages["version"] > 0].groupby("version", sort=True)["dispatched"].min()
    return pd.DataFrame({"update": first.index.to_numpy(), "time": first.to_numpy()})


def _workers(totals: dict[str, int | float | str], messages: pd.DataFrame) -> int:
    """Return the number of workers; those that no model was sent to are only in the ledger, as idle time."""
    seen = int(messages["worker"].max()) + 1 if len(messages) else 1
    time = float(totals["time"])
    spent = sum(float(totals[name]) for name in ("compute_used", "compute_wasted", "compute_pending", "idle"))
    return max(seen, round(spent / time)) if time > 0.0 else seen


def _checked_workers(workers: Any, size: int) -> tuple[int, ...]:
    """Check the numbers of the workers to show; each is shown once."""
    chosen = several("workers", workers, f"the numbers of workers to show, such as [0, 1, {size - 1}]")
    if not chosen:
        raise ConfigurationError("workers = []: expected at least one number of a worker")
    checked = (integer("workers", worker, low=0, high=size - 1) for worker in chosen)
    return tuple(dict.fromkeys(checked))
