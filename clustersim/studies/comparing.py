"""Comparison of policies: the time, vectors and bytes that each needs to reach a target, with confidence intervals.

`Results` come in; a `Comparison` goes out, which `clustersim.tables` prints.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from clustersim.checks import fraction, number
from clustersim.errors import ConfigurationError
from clustersim.studies.arguments import expect
from clustersim.studies.caveats import remarks_on, remarks_on_all
from clustersim.studies.censored import QUANTITIES
from clustersim.studies.comparison import Comparison
from clustersim.studies.comparison_rows import comparison_rows
from clustersim.studies.default_target import Choice, default_target
from clustersim.studies.paired import CLAIMS_ERROR, holm
from clustersim.studies.remarks import copies_remark, failure_remarks
from clustersim.studies.results import Results, lower_is_better
from clustersim.studies.sweeps import with_swept

__all__ = ["QUANTITIES", "Comparison", "compare"]


def compare(
    results: Results,
    target: float | None = None,
    metric: str | None = None,
    *,
    baseline: str | None = None,
    quantile: float = 0.5,
) -> Comparison:
    """Compare policies by what they need to reach a target and to stay there for a while.

    `Results.time_to_target` defines when a run reaches the target. A run that ends before is not left out: it is known
    to need more than it had spent. A failed run counts as a run that never reaches the target.

    Parameters
    ----------
    results : Results
        The results of a study.
    target : float, optional
        A value of the metric. If not given, it is chosen for each variant: the best value at which some policy settles
        in every one of its replications (the median over the last tenth of a run). Policies with failed runs are left
        out of this choice, unless all policies have failed runs. There is no target if no policy settles at a better
        value than that of the first model.
    metric : str, optional
        Error, loss or a metric of the problem; the study's metric if not given. Lower is better, except for accuracies
        and AUC.
    baseline : str, optional
        The label of the policy that the times of the others are divided by; the first policy if not given. It must not
        be chosen after a look at the table: the ratio to the best of several equal policies is greater than 1.
    quantile : float, default 0.5
        The quantile of the costs; 0.5 is the median.

    Returns
    -------
    Comparison

    Raises
    ------
    ConfigurationError
        If the metric is unknown or has no values, the target is not finite (for an error or a loss: not positive), the
        study has no such baseline, the quantile is not between 0 and 1, or there are no runs.

    Examples
    --------
    >>> rows = {"variant": "", "policy": ["a", "a", "b", "b"], "replication": 0, "time": [0.0, 4.0, 0.0, 2.0],
    ...         "error": [8.0, 1.0, 8.0, 2.0], "update": [0, 1, 0, 1]}
    >>> counts = {f"{way}_{unit}": [0, 3, 0, 3] for way in ("uplink", "downlink") for unit in ("vectors", "bytes")}
    >>> outcome = compare(Results("demo", pd.DataFrame(rows | counts), pd.DataFrame(), ("a", "b")), target=2.0)
    >>> outcome.table[["policy", "reached", "time", "vectors", "ratio"]].values.tolist()
    [['a', 1, 4.0, 6.0, 1.0], ['b', 1, 2.0, 6.0, 0.5]]
    """
    expect("results", results, Results)
    _check_quantile(quantile)
    metric = metric or results.metric
    parts = _by_variant(results)
    if not parts:
        raise ConfigurationError("results: there are no runs to compare; expected at least one")
    if len(results.frame):
        _check_metric(results, metric)
    _check_baseline(results, baseline)
    chosen, why = _targets(parts, target, metric)
    remarks = [choice.remark for choice in chosen.values() if choice.remark]
    tables = []
    for variant, choice in chosen.items():
        part = parts[variant]
        tables.append(comparison_rows(part, variant, choice.target, metric, baseline or _first(part), quantile))
        remarks += remarks_on(part, tables[-1], metric)
    table = _with_verdicts(pd.concat(tables, ignore_index=True))
    remarks += remarks_on_all(table) + failure_remarks(results, parts) + copies_remark(results, parts)
    targets = {variant: choice.target for variant, choice in chosen.items()}
    table = with_swept(table, results.swept, 1)
    return Comparison(metric, targets, why, table, tuple(remarks), quantile)


def _check_quantile(quantile: float) -> None:
    if fraction("quantile", quantile, below_one=True) == 0.0:
        raise ConfigurationError(f"quantile = {quantile!r}: expected a number between 0 and 1, such as 0.5")


def _check_baseline(results: Results, baseline: str | None) -> None:
    """Refuse a baseline that is not a policy of the study."""
    if baseline is not None and baseline not in results.policies:
        known = ", ".join(map(repr, results.policies))
        raise ConfigurationError(f"baseline = {baseline!r}: expected the label of a policy, one of {known}")


def _check_metric(results: Results, metric: str) -> None:
    """Refuse an unknown metric, and one without values."""
    if metric not in results.metrics:
        hint = " (no errors are stored; does the problem know its optimum?)" if metric == "error" else ""
        known = ", ".join(results.metrics)
        raise ConfigurationError(f"metric = {metric!r}: expected one of {known}{hint}")


def _by_variant(results: Results) -> dict[str, Results]:
    """Return the results of each variant that has runs, finished or failed."""
    frames, totals, failures = map(_split, (results.frame, results.totals, results.failures))
    return {
        variant: replace(
            results,
            variants=(variant,),
            frame=frames.get(variant, results.frame[:0]),
            totals=totals.get(variant, results.totals[:0]),
            failures=failures.get(variant, results.failures[:0]),
        )
        for variant in results.variants
        if variant in frames or variant in failures
    }


def _split(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of each variant."""
    return {} if table.empty else {str(variant): rows for variant, rows in table.groupby("variant")}


def _first(results: Results) -> str:
    """Return the first policy with runs, finished or failed."""
    carried_out = {*results.frame.get("policy", ()), *results.failures["policy"]}
    return next(policy for policy in results.policies if policy in carried_out)


def _targets(parts: dict[str, Results], target: float | None, metric: str) -> tuple[dict[str, Choice], str]:
    """Return the target of each variant, and how it was chosen."""
    if target is None:
        best = "lowest" if lower_is_better(metric) else "highest"
        why = f"the {best} {metric} at which some policy settles in every replication (median over its last tenth)"
        return {variant: default_target(part, metric, variant) for variant, part in parts.items()}, why
    above = 0.0 if metric in ("error", "loss") else None
    given = number("target", target, above=above, remedy=f"give a value of {metric}")
    return dict.fromkeys(parts, Choice(given, "")), "as given"


def _with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Correct the p-values for their number, and say what they show."""
    adjusted = holm(table["p"])
    verdicts = np.select(
        [table["policy"] == table["baseline"], np.isnan(adjusted), adjusted > CLAIMS_ERROR, table["greater"]],
        ["baseline", "", "undecided", "slower"],
        "faster",
    )
    columns = [*table.columns.drop("greater")]
    columns.insert(columns.index("p") + 1, "p_holm")
    columns.insert(columns.index("method") + 1, "verdict")
    return table.assign(p_holm=adjusted, verdict=verdicts)[columns]
