"""One number, with its interval, for each variant and policy, laid out over the values of a sweep.

`Results` come in. Tables go out to `Results.pivot`, `clustersim.plots.heatmap` and `clustersim.plots.lines`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from clustersim.errors import ConfigurationError
from clustersim.studies.statistics import INTERVALS, Interval, mean_interval
from clustersim.studies.sweeps import with_swept
from clustersim.studies.targets import settled

if TYPE_CHECKING:
    from clustersim.studies.results import Results

__all__ = ["laid_out", "only_where", "summary"]


def summary(
    results: "Results", value: str, *, where: Mapping[str, Any] | None = None, target: float | None = None
) -> pd.DataFrame:
    """Summarise a value over the replications of each variant and policy.

    Parameters
    ----------
    results : Results
        The results of a study.
    value : str
        What to summarise:

        - ``"time"``, ``"uplink_vectors"``, ``"vectors"`` or ``"bytes"`` together with a `target`: what it takes to
          reach the target, as in `clustersim.compare`;
        - a metric such as ``"error"``: the value at which the runs settle, which is the median over the last tenth of
          a run;
        - a column of ``results.totals``, such as ``"idle"``: its mean.
    where : mapping, optional
        The rows to keep: by ``"policy"`` or the name of a swept parameter, a value or a list of values.
    target : float, optional
        The target.

    Returns
    -------
    DataFrame
        One row for each variant and policy: variant, policy, the swept parameters, value, low and high (the ends of
        the 95 % interval, NaN where there is none).

    Raises
    ------
    ConfigurationError
        If the value is unknown, or nothing is left to show.
    """
    table = _to_target(results, value, target) if target is not None else _at_the_end(results, value)
    return only_where(with_swept(table, results.swept, 2), where)


def _to_target(results: "Results", value: str, target: float) -> pd.DataFrame:
    """Take a column of the comparison."""
    from clustersim.studies.comparing import QUANTITIES, compare  # noqa: PLC0415 - it needs the results' own class

    if value not in QUANTITIES:
        raise ConfigurationError(f"value = {value!r}: with a target, expected one of {', '.join(QUANTITIES)}")
    table = compare(results, target).table
    columns = {value: "value", f"{value}_low": "low", f"{value}_high": "high"}
    return table[["variant", "policy", *columns]].rename(columns=columns)


def _at_the_end(results: "Results", value: str) -> pd.DataFrame:
    """Summarise a metric at the end of the runs, or a column of the totals."""
    totals, measured = results.totals, value in results.metrics
    if not measured and (value not in totals or not pd.api.types.is_numeric_dtype(totals[value])):
        known = ", ".join(dict.fromkeys([*results.metrics, *totals.select_dtypes("number")]))
        raise ConfigurationError(
            f"value = {value!r}: expected one of {known}; or time, uplink_vectors, vectors or bytes with a target"
        )
    summaries = _settled(results, value) if measured else _totalled(totals, value)
    rows = [
        {"variant": variant, "policy": policy} | _three(summaries(variant, policy, runs))
        for variant, policy, runs in results.series()
    ]
    return pd.DataFrame(rows, columns=["variant", "policy", "value", "low", "high"])


_Summary = Callable[[str, str, list[pd.DataFrame]], Interval]


def _settled(results: "Results", value: str) -> _Summary:
    """Return the function that averages the values at which runs settle; zeros count as the least positive value."""
    average, column = results.average(value), results.values(value)
    least = float(column[column > 0.0].min()) if average == "geometric" else -np.inf

    def averaged(_variant: str, _policy: str, runs: list[pd.DataFrame]) -> Interval:
        ends = [settled(results.values(value, run), run["time"]) for run in runs]
        return INTERVALS[average](np.maximum(ends, least), 0.95)

    return averaged


def _totalled(totals: pd.DataFrame, value: str) -> _Summary:
    """Return the function that averages a column of the totals."""
    numbers = dict(iter(totals.groupby(["variant", "policy"])[value]))
    return lambda variant, policy, _runs: mean_interval(numbers[variant, policy])


def _three(interval: Any) -> dict[str, float]:
    return {"value": float(interval.mean), "low": float(interval.low), "high": float(interval.high)}


def only_where(table: pd.DataFrame, where: Mapping[str, Any] | None) -> pd.DataFrame:
    """Keep the rows with the given values of columns."""
    for name, wanted in (where or {}).items():
        if name not in table:
            known = ", ".join(str(column) for column in table if column not in ("value", "low", "high"))
            raise ConfigurationError(f"where: {name!r}: expected one of {known}")
        values = [wanted] if isinstance(wanted, str) or not np.iterable(wanted) else list(wanted)
        present = table[name].unique().tolist()
        if missing := [value for value in values if value not in present]:
            raise ConfigurationError(f"where: {name} = {missing[0]!r}: expected one of {present}")
        table = table[table[name].isin(values)]
    return table.reset_index(drop=True)


def laid_out(table: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """Check that the axes tell all rows of a summary apart, and return it.

    Raises
    ------
    ConfigurationError
        If an axis is unknown, or several rows have the same place; the message names what distinguishes them.
    """
    free = [str(name) for name in table if name not in ("variant", "value", "low", "high")]
    for axis in axes:
        if axis not in (*free, "variant"):
            raise ConfigurationError(f"{axis!r}: expected one of {', '.join([*free, 'variant'])}")
    if not table.duplicated([*axes]).any():
        return table
    others = [name for name in free if name not in axes and table[name].nunique(dropna=False) > 1] or ["variant"]
    choices = "; ".join(f"{name} is one of {table[name].unique().tolist()}" for name in others)
    raise ConfigurationError(
        f"several results have the same {' and '.join(axes)}: {choices}; choose with where={{{others[0]!r}: ...}}"
    )
