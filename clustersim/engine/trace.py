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
        compute and worked (s; what the task takes, and what was spent on it), blocks, bytes (of the answer), status
        (used, used late, discarded, cancelled, lost, in flight).
    """
    columns = ("worker", "number", "version", "dispatched", "received", "started", "finished", "arrived", "compute")
    frame = pd.DataFrame({name: [getattr(task, name) for task in tasks] for name in columns})
    frame["worked"] = [0.0 if math.isnan(task.ended) else task.ended - task.started for task in tasks]
    frame["blocks"] = 1
    frame["bytes"] = answer_bytes[frame["worker"].to_numpy(dtype=np.int64)]
    frame["status"] = pd.Series([task.status for task in tasks], dtype="str")
    frame.loc[(frame["status"] == "cancelled") | (frame["finished"] > now), "finished"] = math.nan
    return frame.rename(columns={"number": "task"})
