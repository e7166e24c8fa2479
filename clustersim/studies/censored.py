"""What each run had spent when it reached a target, or, if it did not reach it, when it ended.

`Results` come in; a frame with one row per run goes out to `clustersim.studies.comparison_rows`.
"""

import numpy as np
import pandas as pd

from clustersim.studies.results import KEYS, Results

__all__ = ["QUANTITIES", "costs_to_target"]

QUANTITIES = ("time", "uplink_vectors", "vectors", "uplink_bytes", "bytes")
"""The costs that a comparison shows: time in seconds, and what was sent, on the uplink or both ways."""


def costs_to_target(results: Results, target: float, metric: str) -> pd.DataFrame:
    """Compute what each run had spent when it reached the target, or ended.

    Parameters
    ----------
    results : Results
        The results of a study.
    target : float
        A value of the metric; NaN if there is no target, which no run reaches.
    metric : str
        The column. `Results.time_to_target` defines when a run reaches the target.

    Returns
    -------
    DataFrame
        variant, policy, replication, reached, at_start, and the quantities. Those of a run that did not reach the
        target are what it had spent at its last evaluation. They are infinite if the run failed: most runs fail because
        the model diverges, or because the policy waits for messages that never arrive. Such a run never reaches the
        target, and leaving it out would favour the policy.

    Examples
    --------
    >>> rows = {"variant": "", "policy": "a", "replication": [0, 0, 1, 1], "time": [0.0, 4.0, 0.0, 5.0],
    ...         "error": [8.0, 1.0, 8.0, 2.0], "update": [0, 1, 0, 1]}
    >>> counts = {f"{way}_{unit}": [0, 3, 0, 3] for way in ("uplink", "downlink") for unit in ("vectors", "bytes")}
    >>> results = Results("demo", pd.DataFrame(rows | counts), pd.DataFrame(), ("a",))
    >>> costs_to_target(results, 1.0, "error")[["reached", "time"]].values.tolist()
    [[True, 4.0], [False, 5.0]]
    """
    spent = results.time_to_target(0.0 if np.isnan(target) else target, metric)
    if np.isnan(target):
        spent = spent.assign(reached=False, at_start=False)
    spent = spent[[*KEYS, "reached", "at_start", *QUANTITIES]].merge(_ends(results), "left", on=KEYS)
    for quantity in QUANTITIES:
        spent[quantity] = spent[quantity].where(spent["reached"], spent.pop(f"{quantity}_end").fillna(np.inf))
    return spent


def _ends(results: Results) -> pd.DataFrame:
    """Return what each finished run had spent at its last evaluation."""
    if results.frame.empty:
        return pd.DataFrame(columns=[*KEYS, *(f"{quantity}_end" for quantity in QUANTITIES)])
    last = results.frame.groupby(KEYS, sort=False).tail(1)
    return last[KEYS].assign(**{f"{quantity}_end": results.values(quantity, last) for quantity in QUANTITIES})
