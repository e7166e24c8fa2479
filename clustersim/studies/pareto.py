"""The Pareto front of a study: the policies that no other policy beats in everything.

`Results` come in; a frame goes out, with the policies that dominate others.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from clustersim.errors import ConfigurationError
from clustersim.studies.comparing import compare
from clustersim.studies.comparison_rows import FRONT
from clustersim.studies.dominance import dominators
from clustersim.studies.results import Results, lower_is_better

__all__ = ["pareto_front"]


def pareto_front(
    results: Results,
    target: float | None = None,
    metric: str | None = None,
    *,
    by: Iterable[str] = FRONT,
) -> pd.DataFrame:
    """Find the policies that no other policy beats in everything: in error, time and bytes.

    A policy *dominates* another one if it is nowhere worse and somewhere better. Policies that are not dominated are
    the Pareto front: which of them is best depends on what error, time and bytes are worth. The numbers are estimates,
    so a policy that is dominated by a hair may be on the true front.

    Parameters
    ----------
    results : Results
        The results of a study.
    target, metric
        As for `compare`.
    by : iterable of str, default ("settled", "time", "bytes")
        Columns of `Comparison.table`, of which less is better: "settled" is the value of the metric at which a policy
        settles (for an accuracy, more is better); time and bytes are medians of what it needs to reach the target, and
        infinite if it does not.

    Returns
    -------
    DataFrame
        One row for each variant and policy: variant, policy, the columns `by`, front, and dominated_by: the label of a
        policy that dominates it, or an empty text.

    Raises
    ------
    ConfigurationError
        As for `compare`, or if a column is unknown.

    Examples
    --------
    >>> rows = {"variant": "", "policy": ["a", "a", "b", "b"], "replication": 0, "time": [0.0, 4.0, 0.0, 2.0],
    ...         "error": [8.0, 1.0, 8.0, 1.0], "update": [0, 1, 0, 1]}
    >>> counts = {f"{way}_{unit}": [0, 3, 0, 3] for way in ("uplink", "downlink") for unit in ("vectors", "bytes")}
    >>> results = Results("demo", pd.DataFrame(rows | counts), pd.DataFrame(), ("a", "b"))
    >>> pareto_front(results)[["policy", "time", "front", "dominated_by"]].values.tolist()
    [['a', 4.0, False, 'b'], ['b', 2.0, True, '']]
    """
    comparison = compare(results, target, metric)
    names = list(by)
    known = comparison.table.select_dtypes("number").columns
    for name in names:
        if name not in known:
            raise ConfigurationError(f"by: {name!r}: expected columns of numbers, such as {', '.join(FRONT)}")
    parts = []
    for _, rows in comparison.table.groupby("variant", sort=False):
        costs = rows[names].copy()
        if "settled" in names and not lower_is_better(comparison.metric):
            costs["settled"] = -costs["settled"]
        found, labels = dominators(costs.to_numpy(dtype=np.float64)), rows["policy"].tolist()
        beaten_by = ["" if place is None else labels[place] for place in found]
        front = [place is None for place in found]
        parts.append(rows[["variant", "policy", *names]].assign(front=front, dominated_by=beaten_by))
    return pd.concat(parts, ignore_index=True)
