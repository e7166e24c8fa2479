"""The results of a study: tidy frames, averages with confidence bands, and times to a target.

Stored runs come in from `clustersim.studies.store`. Comparisons, claims, plots, reports and
notebooks use them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustersim.checks import choice, fraction, integer, number
from clustersim.engine.accounting import columns
from clustersim.errors import ConfigurationError
from clustersim.studies.statistics import INTERVALS, Interval, are_copies
from clustersim.studies.summaries import laid_out, summary
from clustersim.studies.sweeps import Scalar, column_of
from clustersim.studies.targets import excesses, first_that_lasts

__all__ = ["FAILURE_COLUMNS", "KEYS", "Results", "RunKey", "lower_is_better"]

KEYS = [*columns.KEYS]
COSTS = ["update", "uplink_vectors", "vectors", "uplink_bytes", "downlink_bytes", "bytes"]
FAILURE_COLUMNS = [*KEYS, "seed", "reason"]
_ON_LOG_SCALE = ("error", "loss", "test_loss", "distance")
_NEVER_NEGATIVE = {"error", "distance", *columns.SUMS, *columns.BOOKKEEPING}


class RunKey(NamedTuple):
    """The labels of a run in a study: variant, policy and number of the replication."""

    variant: str
    policy: str
    replication: int

    def __str__(self) -> str:
        """Return the labels as messages show them."""
        where = f"variant {self.variant!r}, " if self.variant else ""
        return f"{where}policy {self.policy!r}, replication {self.replication}"


def lower_is_better(column: str) -> bool:
    """Return whether a smaller value is better: true for errors and losses, false for accuracies, AUC and updates.

    Examples
    --------
    >>> lower_is_better("error"), lower_is_better("test_accuracy")
    (True, False)
    """
    return not any(word in column for word in ("accuracy", "auc", "update"))


@dataclass(frozen=True, eq=False)
class Results:
    """The results of a study.

    Attributes
    ----------
    name, metric, notes : str
        Those of the study.
    variants, policies : tuple of str
        Labels in the order of plots and tables; a study without variants has the one variant ``""``.
    frame : DataFrame
        One row per evaluation: variant, policy, replication, the values of a sweep and the columns of `Run.history`.
    totals : DataFrame
        One row per run: variant, policy, replication, the values of a sweep and the ledger of the run.
    missing : tuple of RunKey
        Runs that have not been carried out yet, because the study was interrupted.
    failures : DataFrame
        One row per failed run: variant, policy, replication, seed and reason. No other frame contains failed runs.
    swept : mapping of str to mapping
        By variant, the values of a sweep that it stands for, see `clustersim.grid`; empty without a sweep.
    reused : int
        The number of runs, finished or failed, that were already stored when `Study.run` was called.

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
    swept: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict, repr=False)
    reused: int = 0

    @property
    def sweep(self) -> tuple[str, ...]:
        """The names of the swept parameters, in the order of `clustersim.grid`."""
        return tuple(dict.fromkeys(name for values in self.swept.values() for name in values))

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The columns that measure the model: error, loss and the metrics of the problem, without empty ones.

        The number of updates is one of them if it is the metric of the study.
        """
        swept = [column_of(name, columns.BOOKKEEPING) for name in self.sweep]
        bookkeeping = [*KEYS, *swept, *columns.SUMS, *columns.BOOKKEEPING]
        measured = self.frame.drop(columns=bookkeeping, errors="ignore").select_dtypes("number")
        own = ("update",) if self.metric == "update" else ()
        return (*own, *measured.columns[measured.notna().any()])

    def has(self, column: str) -> bool:
        """Return whether `values` knows the column."""
        return all(part in self.frame for part in columns.SUMS.get(column, (column,)))

    def values(self, column: str, frame: pd.DataFrame | None = None) -> pd.Series:
        """Return a column of the history, or ``messages``, ``vectors`` or ``bytes``: uplink plus downlink.

        Raises
        ------
        ConfigurationError
            If there is no such column; the message lists the existing ones.
        """
        rows = self.frame if frame is None else frame
        if column in rows:
            return rows[column]
        if column in columns.SUMS and self.has(column):
            up, down = columns.SUMS[column]
            return rows[up] + rows[down]
        known = ", ".join(str(c) for c in rows.columns if c not in KEYS)
        raise ConfigurationError(f"column = {column!r}: expected one of {known}")

    def series(self) -> Iterator[tuple[str, str, list[pd.DataFrame]]]:
        """Yield variant, policy and the histories of the replications, in the order of plots and tables."""
        for (variant, policy), rows in self._rows.items():
            yield variant, policy, [self._run(run) for run in rows]

    @cached_property
    def _rows(self) -> dict[tuple[str, str], list[NDArray[np.intp]]]:
        """Return, by variant and policy in the order of plots and tables, the positions of each replication's rows."""
        if self.frame.empty:
            return {}
        numbers = self.frame.groupby(KEYS, sort=False).ngroup().to_numpy()
        in_order = np.argsort(numbers, kind="stable")
        runs = np.split(in_order, np.flatnonzero(np.diff(numbers[in_order])) + 1)
        found: dict[tuple[str, str], list[NDArray[np.intp]]] = {}
        labels = self.frame[["variant", "policy"]].iloc[[rows[0] for rows in runs]]
        for (variant, policy), rows in zip(labels.itertuples(index=False, name=None), runs, strict=True):
            found.setdefault((str(variant), str(policy)), []).append(rows)
        return {pair: found[pair] for pair in product(self.variants, self.policies) if pair in found}

    def _run(self, rows: NDArray[np.intp]) -> pd.DataFrame:
        """Return the history of a run; no row is copied if they are next to each other, as in every stored study."""
        together = len(rows) == rows[-1] - rows[0] + 1
        return self.frame.iloc[rows[0] : rows[-1] + 1] if together else self.frame.iloc[rows]

    def on_log_scale(self, column: str) -> bool:
        """Return whether a column is averaged on the log scale.

        That holds for errors, losses and distances, unless a value is negative or all are zero. Zeros count as the
        smallest positive value of the column; an error is zero if it is below the resolution of floating-point numbers.
        """
        return column in _ON_LOG_SCALE and self._has_geometric_mean(column)

    def _has_geometric_mean(self, column: str) -> bool:
        values = self.values(column).dropna()
        return bool((values >= 0).all()) and bool((values > 0).any())

    def average(self, column: str, average: str = "auto") -> str:
        """Return the kind of average of a column: `average` itself or, for "auto", the one that `on_log_scale` implies.

        Raises
        ------
        ConfigurationError
            If there is no such average, or it is geometric and a value is negative or none is positive.
        """
        choice("average", average, ("auto", *INTERVALS))
        if average == "auto":
            return "geometric" if self.on_log_scale(column) else "arithmetic"
        if average == "geometric" and not self._has_geometric_mean(column):
            raise ConfigurationError(
                f"average = 'geometric': the values of {column!r} are not all positive; choose 'arithmetic' or 'median'"
            )
        return average

    def on_grid(
        self,
        column: str | None = None,
        *,
        over: str = "time",
        grid: Any = None,
        points: int = 400,
        confidence: float = 0.95,
        average: str = "auto",
    ) -> pd.DataFrame:
        """Average over the replications on a common grid, with a confidence band.

        Between two evaluations, a run has the value of the earlier one. After its end it keeps the value of its last
        evaluation; before its first evaluation it has the value of the first. Unless the grid is given, the curve of a
        policy over time ends where the last of its replications ends. Over any other column it ends where the first of
        them ends, because what a finished run would have sent is unknown: continuing it would draw a flat tail.

        Parameters
        ----------
        column : str, optional
            The column to average; the study's metric if not given.
        over : str, default "time"
            The column of the grid: time in seconds, ``uplink_vectors``, ``vectors`` or any other non-decreasing one.
        grid : array_like, optional
            Points of `over`; if not given, `points` equally spaced ones from 0 to the end of the variant's longest run.
        points : int, default 400
            Number of points of the grid.
        confidence : float, default 0.95
            Level of the band. Its ends are NaN if there is only one replication, or if all replications are identical,
            as with replayed times: these carry no information about randomness.
        average : {"auto", "arithmetic", "geometric", "median"}, default "auto"
            The kind of average. Bounds of the theory are on the arithmetic mean. "auto" is the geometric mean, with the
            interval on the log scale, for errors, losses and distances unless one is negative; for all else it is the
            arithmetic mean. The interval of an arithmetic mean of values that are never negative, such as times, is cut
            off at 0. For 95 %, the interval of a median needs six replications.

        Returns
        -------
        DataFrame
            variant, policy, `over`, mean, low, high, replications, and average: the kind of average.

        Raises
        ------
        ConfigurationError
            If a column is unknown, `over` decreases, the grid is not a row of numbers, or there is no such average.
        """
        column = column or self.metric
        if not self.frame.empty:
            self._check_grows(over)
        fixed = None if grid is None else _row_of_numbers("grid", grid)
        fraction("confidence", confidence, below_one=True)
        integer("points", points, low=2)
        if self.frame.empty:
            return pd.DataFrame(columns=["variant", "policy", over, *Interval._fields, "replications", "average"])
        average, values = self.average(column, average), self.values(column).dropna()
        bounded = column in _NEVER_NEGATIVE and bool((values >= 0.0).all())
        longest = self.values(over).groupby(self.frame["variant"]).max()
        parts = []
        places_of, values_of = (self.values(name).to_numpy(dtype=np.float64) for name in (over, column))
        for (variant, policy), runs in self._rows.items():
            ends = [places_of[run[-1]] for run in runs]
            last = max(ends) if over == "time" else min(ends)
            even = np.linspace(0.0, float(longest[variant]), points)
            count = 1 + np.searchsorted(
                even, last
            )  # up to the first point after the policy's end, so that the curve reaches it
            places = np.minimum(even[:count], last) if fixed is None else fixed
            states = np.stack([_carried(values_of[run], places_of[run], places) for run in runs])
            if average == "geometric":
                states = np.maximum(states, float(values[values > 0].min()))
            band = INTERVALS[average](states, confidence)
            band = band.at_least(0.0) if bounded else band
            band = band.without_ends() if are_copies([self._run(run) for run in runs]) else band
            part = {"variant": variant, "policy": policy, over: places} | band._asdict()
            parts.append(pd.DataFrame(part | {"replications": len(runs), "average": average}))
        return pd.concat(parts, ignore_index=True)

    def _check_grows(self, over: str) -> None:
        """Refuse a column that is not numeric or decreases within a run."""
        places = None if over in KEYS else self.values(over)
        if places is None or not pd.api.types.is_numeric_dtype(places):
            raise ConfigurationError(f"over = {over!r}: expected a column that grows, such as time or vectors")
        steps = places.groupby([self.frame[key] for key in KEYS]).diff()
        if (steps < 0.0).any() or places.isna().any():
            raise ConfigurationError(f"over = {over!r}: it does not grow; expected a column such as time or vectors")

    def pivot(
        self,
        index: str,
        columns: str = "policy",
        value: str | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        target: float | None = None,
    ) -> pd.DataFrame:
        """Lay out one number for each variant and policy over two axes, such as two parameters of a sweep.

        Parameters
        ----------
        index, columns : str
            The axes: the name of a swept parameter, ``"policy"`` or ``"variant"``.
        value : str, optional
            The number; the study's metric if not given. A metric is shown as the value at which the runs settle (the
            average over replications, as in `on_grid`), a column of `totals` as its mean. With a `target`, it is
            time, uplink_vectors, vectors or bytes: what it takes to reach the target, as in `clustersim.compare`.
        where : mapping, optional
            What to keep: by the name of an axis, a value or a list of values. Everything that is not an axis must be
            fixed in this way.
        target : float, optional
            A value of the study's metric.

        Returns
        -------
        DataFrame
            The numbers, in the order of the sweep.

        Raises
        ------
        ConfigurationError
            If an axis, a value or an entry of `where` is unknown, or several results fall on the same place.

        Examples
        --------
        >>> import clustersim as cs
        >>> def build(workers):
        ...     return {"cluster": cs.Cluster(workers, cs.Constant(1.0))}
        >>> study = cs.Study(
        ...     name="demo", problem=cs.TimingOnly(rows=80, dimension=10), cluster=cs.Cluster(8, cs.Constant(1.0)),
        ...     policies={"all": cs.FullSync(), "one": cs.KAsync(1)}, optimizer=cs.SGD(1.0), metric="update",
        ...     until=cs.Until(updates=10), variants=cs.grid(build, workers=[4, 8]), replications=1,
        ... )
        >>> study.run().pivot("policy", "workers", value="time").to_dict()
        {4: {'all': 10.0, 'one': 3.0}, 8: {'all': 10.0, 'one': 2.0}}
        """
        table = laid_out(summary(self, value or self.metric, where=where, target=target), [index, columns])
        order = {axis: table[axis].unique() for axis in (index, columns)}
        return table.pivot(index=index, columns=columns, values="value").reindex(
            index=pd.Index(order[index], name=index), columns=pd.Index(order[columns], name=columns)
        )

    def time_to_target(self, target: float, metric: str | None = None) -> pd.DataFrame:
        """Compute what each run had spent when it reached a target.

        A run reaches the target at the first evaluation that meets it and lasts: the median over the next twentieth of
        the run must meet the target too. Otherwise noise around a floor above the target could meet it by luck. In the
        last twentieth there is too little time to see whether a value lasts; there only an evaluation that is the best
        so far counts. If the first model already meets the target, the run reaches it only if the median over its last
        twentieth meets it too; otherwise the run has moved away from the target. A failed run never reaches it.

        Parameters
        ----------
        target : float
            A value of the metric.
        metric : str, optional
            The column; the study's metric if not given. Lower is better, except for accuracies and AUC.

        Returns
        -------
        DataFrame
            variant, policy, replication, reached, at_start (whether the first evaluation reached the target), and
            time (s), update, uplink_vectors, vectors (uplink and downlink), uplink_bytes, downlink_bytes and bytes; NaN
            if the target was not reached.
        """
        number("target", target, finite=True)
        found = list(self._arrivals(target, metric or self.metric))
        table = pd.DataFrame(found, columns=[*KEYS, "reached", "at_start", "row"])
        table = table.astype({"reached": bool, "at_start": bool})
        rows, reached = table.pop("row").to_numpy(dtype=np.intp), table["reached"].to_numpy()
        for cost in ["time", *COSTS]:
            spent = np.full(len(table), np.nan)
            if reached.any():
                spent[reached] = self.values(cost).to_numpy(dtype=np.float64)[rows[reached]]
            table[cost] = spent
        return table

    def _arrivals(self, target: float, metric: str) -> Iterator[tuple[str, str, int, bool, bool, int]]:
        """Yield, for each run: its labels, whether it reached the target, whether at the start, and in which row."""
        if not self.frame.empty:
            excess = excesses(self.values(metric), target, lower=lower_is_better(metric))
            times, numbers = (self.frame[name].to_numpy() for name in ("time", "replication"))
        failed: dict[tuple[str, str], list[int]] = {}
        for variant, policy, replication in self.failures[KEYS].itertuples(index=False, name=None):
            failed.setdefault((variant, policy), []).append(int(replication))
        for pair in product(self.variants, self.policies):
            for run in self._rows.get(pair, ()):
                hit = first_that_lasts(excess[run], times[run])
                yield *pair, int(numbers[run[0]]), hit is not None, hit == 0, int(run[hit or 0])
            yield from ((*pair, replication, False, False, 0) for replication in failed.get(pair, ()))


def _carried(
    values: NDArray[np.float64], places: NDArray[np.float64], grid: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a run's value at each point of the grid: that of the last row that is not later."""
    rows = np.searchsorted(places, grid, side="right") - 1
    return values[np.maximum(rows, 0)]


def _row_of_numbers(name: str, value: Any) -> NDArray[np.float64]:
    """Return a grid as an array."""
    try:
        row = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        row = np.array(np.nan)
    if row.ndim != 1 or np.isnan(row).any():
        raise ConfigurationError(f"{name} = {value!r}: expected a row of numbers, none of them NaN")
    return row
