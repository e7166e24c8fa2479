"""Holds the ledger of a run against the table of its messages: every message has one fate, every second one use."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.cluster import Cluster
from clustersim.conformance.demands import ConformanceError, demand
from clustersim.engine import Run

__all__ = ["check_run"]

_Table = Mapping[str, NDArray[Any]]

_TOLERANCE = 1e-9  # relative error of a sum of durations
_SECONDS = {
    "compute_used": ["used", "used late"],
    "compute_wasted": ["discarded", "cancelled", "lost"],
    "compute_pending": ["in flight"],
}  # of the seconds worked; those spent on a block that was cut short are wasted whatever becomes of the message


def check_run(run: Run, cluster: Cluster) -> None:
    """Hold the accounts of a run that kept its messages against the messages themselves.

    Parameters
    ----------
    run : Run
        Made with ``simulate(..., messages=True)``.
    cluster : Cluster
        The one it ran on.

    Raises
    ------
    ConformanceError
        If something does not add up.

    Examples
    --------
    >>> import clustersim as cs
    >>> cluster = cs.Cluster(workers=3, compute=cs.Exponential(mean=1.0))
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cluster,
    ...     cs.FastestK(2),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=20),
    ...     messages=True,
    ... )
    >>> cs.conformance.check_run(run, cluster)
    """
    totals, messages = run.totals, run.messages
    if messages is None:
        raise ConformanceError("the run kept no messages; use simulate(..., messages=True)")
    table: dict[str, NDArray[Any]] = {str(name): messages[name].to_numpy() for name in messages}
    table["status"] = table["status"].astype(str)
    for name in ("used", "used_late", "discarded", "cancelled", "lost", "in_flight"):
        counted = int((table["status"] == name.replace("_", " ")).sum())
        demand(counted == totals[name], f"the ledger has {name} = {totals[name]}, the messages say {counted}")
    demand(len(messages) == totals["downlink_messages"], "the fates of messages do not add up to the dispatches")
    arrived, finished = ~np.isnan(table["arrived"]), ~np.isnan(table["finished"])
    came = np.isin(table["status"], ["used", "used late", "discarded"])
    demand(bool((arrived == came).all()), "a message was used or discarded without arriving, or the other way round")
    sent, messages_sent = int(table["bytes"][finished].sum()), int(finished.sum())
    demand(
        messages_sent == totals["uplink_messages"],
        f"{messages_sent} messages were sent, not {totals['uplink_messages']}",
    )
    demand(sent == totals["uplink_bytes"], f"the messages sent have {sent} bytes, not {totals['uplink_bytes']}")
    unheard = cluster.workers - len(np.unique(table["worker"][np.isin(table["status"], ["used", "used late"])]))
    demand(unheard == totals["unheard"], f"{unheard} workers were never heard, not {totals['unheard']}")
    figures = {name: float(value) for name, value in totals.items() if not isinstance(value, str)}
    _check_order(table)
    _check_staleness(figures, table)
    _check_seconds(figures, table, cluster)


def _check_staleness(totals: Mapping[str, float], table: _Table) -> None:
    """Check that used messages have a staleness, and that the ledger has its mean."""
    ages, status = table["staleness"].astype(np.float64), table["status"]
    used = ~np.isnan(ages)
    right = bool((used == np.isin(status, ["used", "used late"])).all())
    demand(right, "a message has a staleness if and only if it was used")
    late = status == "used late"
    demand(bool(((ages > 0) == late).all()), "a message is used late if and only if its staleness is above 0")
    mean = float(ages[used].mean()) if used.any() else 0.0
    stated = totals["mean_staleness"]
    demand(abs(mean - stated) <= _TOLERANCE * max(1.0, mean), f"the mean staleness is {mean}, the ledger says {stated}")


def _check_order(table: _Table) -> None:
    """What happens to a message happens in order."""
    for earlier, later in pairwise(("dispatched", "received", "started", "finished", "arrived")):
        wrong = table[later] < table[earlier]
        if wrong.any():
            first = {name: column[wrong][0] for name, column in table.items()}
            raise ConformanceError(f"{later} before {earlier}: {first}")


def _check_seconds(totals: Mapping[str, float], table: _Table, cluster: Cluster) -> None:
    """Every worker second is used, wasted, pending or idle, and no worker does two things at once."""
    whole = cluster.workers * totals["time"]
    slack = _TOLERANCE * max(1.0, whole)
    worked, dropped, started, worker = (table[name] for name in ("worked", "dropped", "started", "worker"))
    for name, fates in _SECONDS.items():
        counted = float((worked - dropped)[np.isin(table["status"], fates)].sum())
        counted += float(dropped.sum()) if name == "compute_wasted" else 0.0
        demand(
            abs(counted - totals[name]) <= slack, f"the ledger has {name} = {totals[name]}, the messages say {counted}"
        )
    order = np.lexsort((started, worker))
    order = order[worked[order] > 0]
    ends, starts, workers = started[order] + worked[order], started[order], worker[order]
    overlap = (ends[:-1] - starts[1:] > slack) & (workers[:-1] == workers[1:])
    demand(not overlap.any(), "a worker does two things at once")
    idle = whole - float(worked.sum())
    demand(abs(idle - totals["idle"]) <= slack, f"the ledger has idle = {totals['idle']}, the messages leave {idle}")
