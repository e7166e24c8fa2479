"""The message table as segments of time, each on a downlink, in a worker or on an uplink, and as marks.

A message table flows in. Tables of segments and marks flow out, with times in seconds.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["PARTS", "WASTED", "marks", "segments"]

PARTS = ("receiving", "computing", "sending")
"""What happens in a segment: the model is on the downlink, the worker computes, or the message is on the uplink."""

WASTED = ("discarded", "cancelled", "lost")
"""The fates of messages whose compute time is wasted."""

_KEYS = ["worker", "task", "version", "staleness", "status"]


def segments(messages: pd.DataFrame, end: float) -> pd.DataFrame:
    """Return the segments of time in a message table.

    The computing segments of a worker never overlap. Its links may carry several models and messages at a time.

    Parameters
    ----------
    messages : DataFrame
        The message table of a run, see ``Run.messages``.
    end : float
        When the run ended, in seconds. What was under way then ends here.

    Returns
    -------
    DataFrame
        One row for each segment that takes time, sorted by worker, start and part: worker, task, version, staleness
        and status (of the message, see ``Run.messages``), part (one of `PARTS`), start and stop (s), and wasted. Work
        is wasted if the message is discarded, cancelled or lost. If a message was cut short, the work on its unfinished
        block is a segment of its own, which is wasted whatever becomes of the message.

    Examples
    --------
    A worker receives a model at 0.5 s, computes for 2 s, and its message takes 1 s to the master.

    >>> times = {"dispatched": 0.0, "received": 0.5, "started": 0.5, "finished": 2.5, "arrived": 3.5}
    >>> work = {"compute": 2.0, "worked": 2.0, "dropped": 0.0}
    >>> row = {"worker": 0, "task": 0, "version": 0, **times, **work, "staleness": 0.0, "status": "used"}
    >>> segments(pd.DataFrame([row]), 4.0)[["part", "start", "stop", "wasted"]].to_numpy().tolist()
    [['receiving', 0.0, 0.5, False], ['computing', 0.5, 2.5, False], ['sending', 2.5, 3.5, False]]
    """
    under_way = messages["status"] == "in flight"
    received = messages["received"].mask(messages["received"].isna() & under_way, end)
    arrived = messages["arrived"].mask(messages["arrived"].isna() & under_way, end)
    stopped = _stopped(messages)
    useful = stopped - messages["dropped"]
    wasted = messages["status"].isin(WASTED)
    parts = [
        _part(messages, "receiving", messages["dispatched"], received),
        _part(messages, "computing", messages["started"], useful, wasted),
        _part(messages, "computing", useful.where(messages["dropped"] > 0.0), stopped, True),
        _part(messages, "sending", messages["finished"], arrived),
    ]
    order = ["worker", "start", "part", "task"]
    return pd.concat(parts, ignore_index=True).sort_values(order, kind="stable", ignore_index=True)


def _stopped(messages: pd.DataFrame) -> "pd.Series[float]":
    """Return when the worker stopped working on each task; NaN if the work never began.

    The sum of two rounded times may exceed the start of the worker's next task in the last digit; then it is that.
    """
    worked = messages["started"] + messages["worked"]
    stopped = messages["finished"].where(messages["finished"].notna(), worked)
    by_start = messages.dropna(subset="started").sort_values(["worker", "started", "task"])
    following = by_start.groupby("worker")["started"].shift(-1).reindex(messages.index)
    return stopped.mask(following < stopped, following)


def _part(
    messages: pd.DataFrame,
    part: str,
    start: "pd.Series[float]",
    stop: "pd.Series[float]",
    wasted: "pd.Series[bool] | bool" = False,
) -> pd.DataFrame:
    """Return the segments of one part that take time."""
    frame = messages[_KEYS].assign(part=part, start=start, stop=stop, wasted=wasted)
    return frame[frame["stop"] > frame["start"]]  # neither time is NaN


def marks(messages: pd.DataFrame) -> pd.DataFrame:
    """Return the points of time at which a task was cancelled before its work began, or its message was lost on a link.

    Parameters
    ----------
    messages : DataFrame
        The message table of a run.

    Returns
    -------
    DataFrame
        One row for each such message, sorted by worker and time: worker, task, version, staleness, status, part (one of
        `PARTS`) and time (s). A lost message is marked at the time at which it, or its model, was sent. A message that
        is lost because the work on it never ends has a segment instead; it is marked only if that takes no time.

    Examples
    --------
    >>> times = {"dispatched": 1.0, "received": 1.5, "started": np.nan, "finished": np.nan, "arrived": np.nan}
    >>> row = {"worker": 3, "task": 0, "version": 0, **times, "worked": 0.0, "staleness": np.nan, "status": "cancelled"}
    >>> marks(pd.DataFrame([row]))[["worker", "part", "time"]].to_numpy().tolist()
    [[3, 'receiving', 1.5]]
    """
    unbegun = (messages["status"] == "cancelled") & messages["started"].isna()
    working = (messages["worked"] > 0.0) & messages["finished"].isna()
    chosen = messages[((messages["status"] == "lost") & ~working) | unbegun]
    stages = ["dispatched", "received", "started", "finished"]
    time: NDArray[np.float64] = chosen[stages].ffill(axis=1)["finished"].to_numpy(dtype=np.float64)
    part = np.select([chosen["finished"].notna(), chosen["started"].notna()], ["sending", "computing"], "receiving")
    frame = chosen[_KEYS].assign(part=part, time=time)
    return frame.sort_values(["worker", "time", "task"], kind="stable", ignore_index=True)
