"""The results of a study: tidy frames, and the questions that tables and plots put to them.

Data flows in as the stored runs of `clustersim.studies.store`, and out to `clustersim.studies.compare`, to claims,
plots and notebooks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustersim.checks import fraction, integer, number
from clustersim.errors import ConfigurationError
from clustersim.studies.statistics import Interval, geometric_interval, mean_interval

__all__ = ["Results", "RunKey", "lower_is_better"]

KEYS = ["variant", "policy", "replication"]
FAILURE_COLUMNS = [*KEYS, "seed", "reason"]
COSTS = ["update", "uplink_vectors", "vectors", "uplink_bytes", "downlink_bytes", "bytes"]
_SUMS = {
    "messages": ("uplink_messages", "downlink_messages"),
    "vectors": ("uplink_vectors", "downlink_vectors"),
    "bytes": ("uplink_bytes", "downlink_bytes"),
}


class RunKey(NamedTuple):
    """Which run of a study: variant, policy and number of the replication."""

    variant: str
    policy: str
    replication: int

    def __str__(self) -> str:
        """As messages name it."""
        where = f"variant {self.variant!r}, " if self.variant else ""
        return f"{where}policy {self.policy!r}, replication {self.replication}"


def lower_is_better(column: str) -> bool:
    """Whether a smaller value is the better one, as for errors and losses, but not for accuracies.

    Examples
    --------
    >>> lower_is_better("error"), lower_is_better("test_accuracy")
    (True, False)
    """
    return not any(word in column for word in ("accuracy", "auc"))


@dataclass(frozen=True, eq=False)
class Results:
    """What a study found.

    Attributes
    ----------
    name, metric, notes : str
        As the study has them.
    variants, policies : tuple of str
        Labels in the order of plots and tables; a study without variants has the one variant ``""``.
    frame : DataFrame
        Tidy: variant, policy, replication and the columns of `Run.history`, one row an evaluation.
    totals : DataFrame
        variant, policy, replication and the ledger of the run, one row a run.
    missing : tuple of RunKey
        Runs that the study asks for and that were not done, because it was interrupted.
    failures : DataFrame
        variant, policy, replication, seed and reason of the runs that failed, one row a run; no other frame has them.
    reused : int
        How many of the runs, finished or failed, were stored before the study was run this time.

    Examples
    --------
    >>> rows = {"variant": "", "policy": "k = 1", "replication": [0, 0, 1, 1], "time": [0.0, 2.0, 0.0, 4.0],
    ...         "error": [8.0, 2.0, 8.0, 0.5]}
    >>> results = Results("demo", pd.DataFrame(rows), pd.DataFrame(), ("k = 1",))
    >>> results.on_grid(grid=[0.0, 3.0, 4.0])["mean"].round(9).tolist()
    [8.0, 4.0, 1.0]
    """

    name: str
    frame: pd.DataFrame = field(repr=False)
    totals: pd.DataFrame = field(repr=False)
    policies: tuple[str, ...]
    variants: tuple[str, ...] = ("",)
    metric: str = "error"
    notes: str = field(default="", repr=False)
    missing: tuple[RunKey, ...] = field(default=(), repr=False)
    failures: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FAILURE_COLUMNS), repr=False)
    reused: int = 0

    @property
    def metrics(self) -> tuple[str, ...]:
        """The columns that say how good the model is: error, loss and the problem's own, as far as they are known."""
        counts = [*COSTS, "uplink_messages", "downlink_messages", "downlink_vectors"]
        bookkeeping = [*KEYS, *counts, "time", "k", "compute_wasted", "mean_staleness"]
        columns = self.frame.drop(columns=bookkeeping, errors="ignore").select_dtypes("number")
        return tuple(columns.columns[columns.notna().any()])

    def values(self, column: str, frame: pd.DataFrame | None = None) -> pd.Series:
        """A column of the history; ``messages``, ``vectors`` and ``bytes`` are uplink and downlink together.

        Raises
        ------
        ConfigurationError
            If there is no such column; the message names those that there are.
        """
        rows = self.frame if frame is None else frame
        if column in rows:
            return rows[column]
        if column in _SUMS:
            up, down = _SUMS[column]
            return rows[up] + rows[down]
        known = ", ".join(str(c) for c in rows.columns if c not in KEYS)
        raise ConfigurationError(f"column = {column!r}: expected one of {known}")

    def series(self) -> Iterator[tuple[str, str, list[pd.DataFrame]]]:
        """Variant, policy and the histories of its replications, in the order of plots and tables."""
        runs = dict(iter(self.frame.groupby(KEYS, sort=False)))
        for variant in self.variants:
            for policy in self.policies:
                histories = [run for key, run in runs.items() if key[:2] == (variant, policy)]
                if histories:
                    yield variant, policy, histories

    def on_log_scale(self, column: str) -> bool:
        """Whether a column is averaged on the log scale: error, loss, distance, unless one is negative or all are zero.

        Zeros, which an error reaches when it falls below the resolution of floating-point numbers, count as the
        smallest positive value of the column.
        """
        if column not in ("error", "loss", "test_loss", "distance"):
            return False
        values = self.values(column).dropna()
        return bool(len(values)) and bool((values >= 0).all()) and bool((values > 0).any())

    def on_grid(
        self,
        column: str | None = None,
        *,
        over: str = "time",
        grid: Any = None,
        points: int = 400,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Mean over the replications and its confidence band on a common grid.

        A run's state between two evaluations is that of the earlier one, and after its end that of its last; before its
        first evaluation it is that of the first. Unless the grid is given, a policy's curve over time ends where the
        last of its replications ends, and over all else where the first of them ends: what a finished run would have
        sent is unknown, and its last state, carried on, would draw a flat tail. Errors, losses and distances are
        averaged geometrically, with the interval on the log scale; all else arithmetically.

        Parameters
        ----------
        column : str, optional
            What to average; the study's metric if not given.
        over : str, default "time"
            The column of the grid: time in seconds, ``uplink_vectors``, ``vectors`` or any other that grows.
        grid : array_like, optional
            Points of `over`; if not given, `points` even steps from 0 to the end of a variant's longest run.
        points : int, default 400
            Number of points of the grid.
        confidence : float, default 0.95
            Level of the band; its ends are NaN where there is one replication only.

        Returns
        -------
        DataFrame
            variant, policy, `over`, mean, low, high, replications.

        Raises
        ------
        ConfigurationError
            If a column is unknown, `over` is none that grows, or the grid is no row of numbers.
        """
        column = column or self.metric
        self._check_grows(over)
        given = None if grid is None else _row_of_numbers("grid", grid)
        fraction("confidence", confidence, below_one=True)
        integer("points", points, low=2)
        longest = self.values(over).groupby(self.frame["variant"]).max()
        parts = []
        for variant, policy, runs in self.series():
            ends = [float(self.values(over, run).iloc[-1]) for run in runs]
            last = max(ends) if over == "time" else min(ends)
            even = np.linspace(0.0, float(longest[variant]), points)
            beyond = 1 + np.searchsorted(even, last)  # one step beyond the policy's end, so that the curve reaches it
            places = np.minimum(even[:beyond], last) if given is None else given
            states = np.stack([self._carried(run, column, over, places) for run in runs])
            band = self._interval(column, states, confidence)
            part = {"variant": variant, "policy": policy, over: places} | band._asdict() | {"replications": len(runs)}
            parts.append(pd.DataFrame(part))
        return pd.concat(parts, ignore_index=True)

    def _check_grows(self, over: str) -> None:
        """Refuse a column that cannot be an axis."""
        places = None if over in KEYS else self.values(over)
        if places is None or not pd.api.types.is_numeric_dtype(places):
            raise ConfigurationError(f"over = {over!r}: expected a column that grows, such as time or vectors")
        for run in self.frame.groupby(KEYS, sort=False).indices.values():
            if not (np.diff(places.to_numpy(dtype=np.float64)[run]) >= 0.0).all():
                raise ConfigurationError(f"over = {over!r}: it does not grow; expected time, vectors or the like")

    def _carried(self, run: pd.DataFrame, column: str, over: str, grid: NDArray[np.float64]) -> NDArray[np.float64]:
        """A run's state at each point of the grid: the last row that is not later."""
        places = self.values(over, run).to_numpy(dtype=np.float64)
        rows = np.searchsorted(places, grid, side="right") - 1
        return self.values(column, run).to_numpy(dtype=np.float64)[np.maximum(rows, 0)]

    def _interval(self, column: str, states: NDArray[np.float64], confidence: float) -> Interval:
        if not self.on_log_scale(column):
            return mean_interval(states, confidence)
        values = self.values(column)
        return geometric_interval(np.maximum(states, float(values[values > 0].min())), confidence)

    def time_to_target(self, target: float, metric: str | None = None) -> pd.DataFrame:
        """What each run had spent when it reached a target.

        A run reaches the target at its first evaluation there or better that lasts: the median over the next twentieth
        of the run is there or better too. Noise about a floor above the target touches it now and then; that is luck.
        Within the last twentieth, which cannot show what lasts, only an evaluation that is the best of the run counts.

        Parameters
        ----------
        target : float
            A value of the metric.
        metric : str, optional
            The column; the study's metric if not given. Lower is better, except for accuracies.

        Returns
        -------
        DataFrame
            variant, policy, replication, reached, and time (s), update, uplink_vectors, vectors (uplink and
            downlink), uplink_bytes, downlink_bytes and bytes; NaN if the target was not reached.
        """
        number("target", target, finite=True)
        metric = metric or self.metric
        rows = []
        for variant, policy, runs in self.series():
            for run in runs:
                values = self.values(metric, run)
                hit = _first_that_lasts(values, run["time"], target, lower=lower_is_better(metric))
                spent = {
                    cost: np.nan if hit is None else float(self.values(cost, run).iloc[hit])
                    for cost in ["time", *COSTS]
                }
                key = {"variant": variant, "policy": policy, "replication": int(run["replication"].iloc[0])}
                rows.append(key | {"reached": hit is not None} | spent)
        return pd.DataFrame(rows)


def _row_of_numbers(name: str, value: Any) -> NDArray[np.float64]:
    """A grid as an array."""
    try:
        row = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        row = np.array(np.nan)
    if row.ndim != 1 or np.isnan(row).any():
        raise ConfigurationError(f"{name} = {value!r}: expected a row of numbers, none of them NaN")
    return row


def _first_that_lasts(
    values: "pd.Series[float]", times: "pd.Series[float]", target: float, *, lower: bool
) -> int | None:
    """The row at which a run reaches a target, as `Results.time_to_target` says; None if it never does."""
    sign = 1.0 if lower else -1.0
    excess, moments = sign * (values.to_numpy(dtype=np.float64) - target), times.to_numpy(dtype=np.float64)
    ends = np.searchsorted(moments, moments + moments[-1] / 20.0, side="right")
    judged = (moments <= 0.95 * moments[-1]) | (excess <= np.minimum.accumulate(excess))
    hits = np.flatnonzero((excess <= 0.0) & judged)
    return next((int(hit) for hit in hits if np.median(excess[hit : ends[hit]]) <= 0.0), None)
