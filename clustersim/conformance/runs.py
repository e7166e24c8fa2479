"""Holds the ledger of a run against the table of its messages: every message has one fate, every second one use."""

from collections.abc import Mapping

import pandas as pd

from clustersim.cluster import Cluster
from clustersim.conformance.demands import ConformanceError, demand
from clustersim.engine import Run

__all__ = ["check_run"]

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
    fates = messages["status"].value_counts()
    for name in ("used", "used_late", "discarded", "cancelled", "lost", "in_flight"):
        counted = int(fates.get(name.replace("_", " "), 0))
        demand(counted == totals[name], f"the ledger has {name} = {totals[name]}, the messages say {counted}")
    demand(len(messages) == totals["downlink_messages"], "the fates of messages do not add up to the dispatches")
    arrived = messages["arrived"].notna()
    came = messages["status"].isin(["used", "used late", "discarded"])
    demand(bool((arrived == came).all()), "a message was used or discarded without arriving, or the other way round")
    finished = int(messages["finished"].notna().sum())
    demand(finished == totals["uplink_messages"], f"{finished} messages were sent, not {totals['uplink_messages']}")
    sent = int(messages.loc[messages["finished"].notna(), "bytes"].sum())
    demand(sent == totals["uplink_bytes"], f"the messages sent have {sent} bytes, not {totals['uplink_bytes']}")
    heard = messages.loc[messages["status"].isin(["used", "used late"]), "worker"].nunique()
    unheard = cluster.workers - heard
    demand(unheard == totals["unheard"], f"{unheard} workers were never heard, not {totals['unheard']}")
    figures = {name: float(value) for name, value in totals.items() if not isinstance(value, str)}
    _check_order(messages)
    _check_staleness(figures, messages)
    _check_seconds(figures, messages, cluster)


def _check_staleness(totals: Mapping[str, float], messages: pd.DataFrame) -> None:
    """Check that used messages have a staleness, and that the ledger has its mean."""
    ages, used = messages["staleness"], messages["status"].isin(["used", "used late"])
    demand(bool((ages.notna() == used).all()), "a message has a staleness if and only if it was used")
    late = messages["status"] == "used late"
    demand(bool(((ages > 0) == late).all()), "a message is used late if and only if its staleness is above 0")
    mean = float(ages.mean()) if ages.notna().any() else 0.0
    stated = totals["mean_staleness"]
    demand(abs(mean - stated) <= _TOLERANCE * max(1.0, mean), f"the mean staleness is {mean}, the ledger says {stated}")


def _check_order(messages: pd.DataFrame) -> None:
    """What happens to a message happens in order."""
    stages = ["dispatched", "received", "started", "finished", "arrived"]
    times = messages[stages].to_numpy()
    for earlier, later in zip(range(4), range(1, 5), strict=True):
        wrong = times[:, later] < times[:, earlier]
        demand(not wrong.any(), f"{stages[later]} before {stages[earlier]}: {messages[wrong].head(1).to_dict()}")


def _check_seconds(totals: Mapping[str, float], messages: pd.DataFrame, cluster: Cluster) -> None:
    """Every worker second is used, wasted, pending or idle, and no worker does two things at once."""
    whole = cluster.workers * totals["time"]
    slack = _TOLERANCE * max(1.0, whole)
    spent = (messages["worked"] - messages["dropped"]).groupby(messages["status"]).sum()
    dropped = {"compute_wasted": float(messages["dropped"].sum())}
    for name, fates in _SECONDS.items():
        counted = float(spent.reindex(fates, fill_value=0.0).sum()) + dropped.get(name, 0.0)
        demand(
            abs(counted - totals[name]) <= slack, f"the ledger has {name} = {totals[name]}, the messages say {counted}"
        )
    work = messages[messages["worked"] > 0].sort_values(["worker", "started"])
    overlap = (work["started"] + work["worked"]).shift() - work["started"] > slack
    demand(not (overlap & (work["worker"] == work["worker"].shift())).any(), "a worker does two things at once")
    idle = whole - float(messages["worked"].sum())
    demand(abs(idle - totals["idle"]) <= slack, f"the ledger has idle = {totals['idle']}, the messages leave {idle}")
