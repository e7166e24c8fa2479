"""The message table: one row for each task, with its times and the fate of its message.

Data flows: the columns of a fleet's `Records` -> `message_table` -> ``Run.messages``.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustersim.ticks import Ticks

__all__ = ["STATUSES", "Records", "message_table"]

STATUSES = ("in flight", "used", "used late", "discarded", "cancelled", "lost")
"""The fates of a message; `Records` contain positions in this tuple."""


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """All messages of a run in order of dispatch, within one dispatch by worker number: columns of equal length.

    Attributes
    ----------
    worker, task, version : ndarray of int
        Worker, number of the task (from 0 for each worker), and version of the model.
    blocks : ndarray of int
        Finished blocks in the message; 0 if none was sent.
    staleness : ndarray of int
        Updates between the model and the first update that used the message; -1 if none did.
    dispatched, received, started, finished, arrived : ndarray of float
        Times of these events in ticks; NaN if an event never happened. ``finished`` may also be infinite or later than
        the end of the run.
    compute : ndarray of float
        How long the task takes, in ticks.
    ended : ndarray of float
        When the worker stopped working on the task, or the run ended, in ticks; NaN if the work never began.
    delivered : ndarray of float
        Ticks of work spent on the blocks in the message; without meaning if none was sent.
    status : ndarray of int
        The fate of the message, as a position in `STATUSES`.
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


def message_table(records: Records, message_bytes: NDArray[np.int64], now: float, ticks: Ticks) -> pd.DataFrame:
    """Return the records of all messages as a DataFrame.

    Parameters
    ----------
    records : Records
        The records of a fleet.
    message_bytes : ndarray of int, shape (n,)
        Size of a message of each worker in bytes.
    now : float
        The end of the run in ticks; tasks with a later ``finished`` were not finished.
    ticks : Ticks
        Converts times to seconds.

    Returns
    -------
    DataFrame
        worker, task, version; dispatched, received, started, finished, arrived (s; NaN if that never happened);
        compute, worked and dropped (s that the task takes, s that were spent on it, and s of these that were spent on
        an unfinished block); blocks (in the message; 0 if none was sent), bytes (of the message), staleness (updates
        between the model and the first update that used the message; NaN if none did), status (used, used late,
        discarded, cancelled, lost, in flight).
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
    columns["bytes"] = message_bytes[records.worker]
    columns["staleness"] = np.where(records.staleness < 0, np.nan, records.staleness)
    columns["status"] = pd.Series(np.array(STATUSES, dtype=object)[records.status], dtype="str")
    return pd.DataFrame(columns)
