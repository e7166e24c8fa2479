"""The table of messages: one row for every model that was sent out and what became of the answer.

Data flows: a fleet's `Records`, as columns -> `message_table` -> ``Run.messages``.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustersim.ticks import Ticks

__all__ = ["STATUSES", "Records", "message_table"]

STATUSES = ("in flight", "used", "used late", "discarded", "cancelled", "lost")
"""What can become of a message; `Records` hold positions in this tuple."""


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """All messages of a run in order of dispatch, within one dispatch by worker number: columns of equal length.

    Attributes
    ----------
    worker, task, version : ndarray of int
        Who, which of its tasks (counted from 0), and the version of the model.
    blocks : ndarray of int
        Finished blocks that the answer brings; 0 if there is none.
    staleness : ndarray of int
        Updates between its model and the first one that used it; -1 if none did.
    dispatched, received, started, finished, arrived : ndarray of float
        Ticks; NaN where it never came to that. ``finished`` may also lie beyond the end of the run, or be infinite.
    compute : ndarray of float
        How long the work takes, in ticks.
    ended : ndarray of float
        When the worker turned to something else, or the run ended: NaN if the work never began.
    delivered : ndarray of float
        Ticks of work behind the answer; of no account without one.
    status : ndarray of int
        What became of it, as a position in `STATUSES`.
    """

    worker: NDArray[np.int64]
    task: NDArray[np.int64]
    version: NDArray[np.int64]
    blocks: NDArray[np.int64]
    staleness: NDArray[np.int64]
    dispatched: NDArray[np.float64]
    received: NDArray[np.float64]
    started: NDArray[np.float64]
    finished: NDArray[np.float64]
    arrived: NDArray[np.float64]
    compute: NDArray[np.float64]
    ended: NDArray[np.float64]
    delivered: NDArray[np.float64]
    status: NDArray[np.int64]


def message_table(records: Records, answer_bytes: NDArray[np.int64], now: float, ticks: Ticks) -> pd.DataFrame:
    """The records of all messages as a frame.

    Parameters
    ----------
    records : Records
    answer_bytes : ndarray of int, shape (n,)
        Size of an answer of each worker in bytes.
    now : float
        The end of the run, in ticks: work that would have been finished later never was.
    ticks : Ticks
        Converts times to seconds.

    Returns
    -------
    DataFrame
        worker, task, version, dispatched, received, started, finished, arrived (s; NaN where it never came to that),
        compute, worked and dropped (s; what the task takes, what was spent on it, and how much of that on a block cut
        short), blocks (that the answer brings, 0 without one), bytes (of the answer), staleness (updates between its
        model and the first one that used it; NaN if none did), status (used, used late, discarded, cancelled, lost, in
        flight).
    """
    names = ("worker", "task", "version", "dispatched", "received", "started", "finished", "arrived", "compute")
    columns = {name: getattr(records, name) for name in names}
    unfinished = (records.status == STATUSES.index("cancelled")) | (records.finished > now)
    columns["finished"] = np.where(unfinished, np.nan, records.finished)
    worked = records.ended - records.started
    cut = (records.blocks > 0) & (records.delivered < records.compute)
    columns["worked"] = np.where(np.isnan(worked), 0.0, worked)
    columns["dropped"] = np.where(cut, worked - records.delivered, 0.0)
    for name in ("dispatched", "received", "started", "finished", "arrived", "compute", "worked", "dropped"):
        columns[name] = ticks.seconds(columns[name])
    columns["blocks"] = records.blocks
    columns["bytes"] = answer_bytes[records.worker]
    columns["staleness"] = np.where(records.staleness < 0, np.nan, records.staleness)
    columns["status"] = pd.Series(np.array(STATUSES, dtype=object)[records.status], dtype="str")
    return pd.DataFrame(columns)
