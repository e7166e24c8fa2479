"""What one sees of a run: a history of error, loss and accounts every few updates, free of simulated time."""

from collections.abc import Callable

import pandas as pd

from clustersim.engine.accounting.columns import checked_metrics
from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.model import Model
from clustersim.problems import Problem
from clustersim.ticks import Ticks
from clustersim.until import Until

__all__ = ["HistoryRecorder", "Progress"]

Progress = Callable[[float], None]
"""Called with the fraction of the horizon that is done, 0 to 1, at every evaluation."""


class HistoryRecorder:
    """Writes one row of history for the first model, for every `every`-th update, and for the end of the run.

    Parameters
    ----------
    problem, model, ledger
        What is observed.
    vector_bytes : int
        Size of a vector of R^d.
    every : int
        Updates between evaluations.
    until : Until
    ticks : Ticks
        Converts what the ledger holds.
    progress : callable, optional

    Attributes
    ----------
    every : int
        Updates between evaluations.
    """

    def __init__(
        self,
        problem: Problem,
        model: Model,
        ledger: Ledger,
        *,
        vector_bytes: int,
        every: int,
        until: Until,
        ticks: Ticks,
        progress: Progress | None,
    ) -> None:
        self._problem = problem
        self._model = model
        self._ledger = ledger
        self._vector_bytes = vector_bytes
        self.every = every
        self._until = until
        self._ticks = ticks
        self._progress = progress
        self._rows: list[dict[str, float]] = []

    def evaluate(self, now: float, k: int) -> float:
        """Write a row, in place of the last one if that was for the same model and instant; returns the error.

        Raises
        ------
        DivergenceError
            If the model runs away.
        """
        if self._rows and (self._rows[-1]["time"], self._rows[-1]["update"]) == (now, self._model.version):
            self._rows.pop()
        ledger, w = self._ledger, self._model.w
        error, loss = self._problem.evaluate(w)
        self._model.watch.evaluated(w, self._model.version, loss)
        self._rows.append(
            {
                "time": now,
                "update": self._model.version,
                "error": error,
                "loss": loss,
                "k": k,
                "uplink_messages": ledger.sent,
                "uplink_vectors": ledger.sent_vectors,
                "uplink_bytes": ledger.sent_vectors * self._vector_bytes,
                "downlink_messages": ledger.dispatched,
                "downlink_vectors": ledger.dispatched,
                "downlink_bytes": ledger.dispatched * self._vector_bytes,
                "compute_wasted": self._ticks.seconds(ledger.compute_wasted),
                "mean_staleness": ledger.mean_staleness,
                **checked_metrics(self._problem.metrics(w)),
            }
        )
        if self._progress is not None:
            self._progress(self._done(now))
        return error

    def history(self) -> pd.DataFrame:
        """The rows as a frame."""
        return pd.DataFrame(self._rows)

    def _done(self, now: float) -> float:
        """The fraction of the horizon that lies behind."""
        until = self._until
        by_time = 0.0 if until.time is None else now / until.time
        by_updates = 0.0 if until.updates is None else self._model.version / until.updates
        return min(1.0, max(by_time, by_updates))
