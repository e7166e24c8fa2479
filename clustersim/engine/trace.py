"""The table of messages: one row for every model that was sent out and what became of the answer."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustersim.engine.worker import Task

__all__ = ["message_table"]


def message_table(tasks: list[Task], answer_bytes: NDArray[np.int64], now: float) -> pd.DataFrame:
    """Records of all messages in order of dispatch.

    Parameters
    ----------
    tasks : list of Task
    answer_bytes : ndarray of int, shape (n,)
        Size of an answer of each worker in bytes.
    now : float
        The end of the run: work that would have been finished later never was.

    Returns
    -------
    DataFrame
        worker, task, version, dispatched, received, started, finished, arrived (s; NaN where it never came to that),
        compute, worked and dropped (s; what the task takes, what was spent on it, and how much of that on a block cut
        short), blocks (that the answer brings, 0 without one), bytes (of the answer), staleness (updates between its
        model and the first one that used it; NaN if none did), status (used, used late, discarded, cancelled, lost, in
        flight).
    """
    columns = ("worker", "number", "version", "dispatched", "received", "started", "finished", "arrived", "compute")
    frame = pd.DataFrame({name: [getattr(task, name) for task in tasks] for name in columns})
    frame["worked"] = [0.0 if math.isnan(task.ended) else task.ended - task.started for task in tasks]
    frame["dropped"] = [task.dropped for task in tasks]
    frame["blocks"] = [task.blocks for task in tasks]
    frame["bytes"] = answer_bytes[frame["worker"].to_numpy(dtype=np.int64)]
    frame["staleness"] = [math.nan if task.staleness < 0 else float(task.staleness) for task in tasks]
    frame["status"] = pd.Series([task.status for task in tasks], dtype="str")
    frame.loc[(frame["status"] == "cancelled") | (frame["finished"] > now), "finished"] = math.nan
    return frame.rename(columns={"number": "task"})
