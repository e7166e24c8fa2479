"""The history of a run: error, loss and totals of the ledger every few updates. Evaluation costs no simulated time."""

from collections.abc import Callable

import pandas as pd

from clustersim.engine.accounting.columns import checked_metrics
from clustersim.engine.accounting.ledger import Ledger
from clustersim.engine.model import Model
from clustersim.engine.problem_checks import check_optimum, error_and_loss
from clustersim.problems import Problem
from clustersim.ticks import Ticks
from clustersim.until import Until

__all__ = ["HistoryRecorder", "Progress"]

Progress = Callable[[float], None]
"""A function that is called at every evaluation with the fraction of the run that is done, 0 to 1."""


class HistoryRecorder:
    """Writes the rows of the history, one for each evaluation.

    Parameters
    ----------
    problem : Problem
        It evaluates error, loss and metrics.
    model : Model
        The model to evaluate.
    ledger : Ledger
        The running totals to record.
    k : callable
        ``k()`` returns the number of messages that the policy waits for at present.
    vector_bytes : int
        Size of a vector of R^d.
    until : Until
        The horizon, for the fraction that is done.
    ticks : Ticks
        Converts the ticks of the ledger to seconds.
    progress : callable, optional
        See `Progress`.
    """

    def __init__(
        self,
        problem: Problem,
        model: Model,
        ledger: Ledger,
        k: Callable[[], int],
        *,
        vector_bytes: int,
        until: Until,
        ticks: Ticks,
        progress: Progress | None,
    ) -> None:
        check_optimum(problem)
        self._problem = problem
        self._model = model
        self._ledger = ledger
        self._k = k
        self._vector_bytes = vector_bytes
        self._until = until
        self._ticks = ticks
        self._progress = progress
        self._rows: list[dict[str, float]] = []

    def evaluate(self, now: float) -> dict[str, float]:
        """Write a row and return it; a last row for the same model and time is replaced.

        Parameters
        ----------
        now : float
            The present time in seconds.

        Raises
        ------
        DivergenceError
            If the model diverges.
        ConfigurationError
            If the problem's metrics are invalid.
        ProtocolError
            If the policy's state has no valid k.
        """
        if self._rows and (self._rows[-1]["time"], self._rows[-1]["update"]) == (now, self._model.version):
            self._rows.pop()
        ledger, w = self._ledger, self._model.w
        error, loss = error_and_loss(self._problem, w)
        self._model.watch.evaluated(w, self._model.version, loss)
        self._rows.append(
            {
                "time": now,
                "update": self._model.version,
                "error": error,
                "loss": loss,
                "k": self._k(),
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
        return self._rows[-1]

    def history(self) -> pd.DataFrame:
        """Return the rows as a DataFrame."""
        return pd.DataFrame(self._rows)

    def _done(self, now: float) -> float:
        """Return the fraction of the run that is done, by time or by updates, whichever is greater."""
        until = self._until
        by_time = 0.0 if until.time is None else now / until.time
        by_updates = 0.0 if until.updates is None else self._model.version / until.updates
        return min(1.0, max(by_time, by_updates))
