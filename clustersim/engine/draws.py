"""The delays of one run, each a function of (task number, worker), drawn in blocks of which the latest are kept."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.cluster import Cluster
from clustersim.latency import compute_times
from clustersim.links import Link
from clustersim.placements import Assignment
from clustersim.streams import Streams

__all__ = ["Delays", "Draws"]

_DRAWS, _TASKS = 1 << 15, 128  # a block holds at most so many: enough to make a call into NumPy cheap, and no more
_KEPT = 1 << 19  # draws kept, so that workers may be far apart in their tasks


class Draws:
    """Rows of draws by task number.

    Parameters
    ----------
    sample : callable
        ``sample(first_task, tasks)`` returns an array of shape (tasks, workers), in seconds.
    workers : int
        Length of a row.
    recorded : int, optional
        Number of tasks that there are, where times were measured; beyond it `sample` says so.
    """

    def __init__(
        self, sample: Callable[[int, int], NDArray[np.float64]], workers: int, recorded: int | None = None
    ) -> None:
        self._sample = sample
        self._recorded = recorded
        self._tasks = max(1, min(_TASKS, _DRAWS // workers))
        self._most = max(2, _KEPT // (self._tasks * workers))
        self._blocks: OrderedDict[int, list[list[float]]] = OrderedDict()

    def row(self, task: int) -> list[float]:
        """The draws of all workers for their task number `task`; a list, for it is read one by one."""
        number, offset = divmod(task, self._tasks)
        block = self._blocks.get(number)
        if block is None:
            block = self._sample(first := number * self._tasks, self._size(first)).tolist()
            self._blocks[number] = block
            if len(self._blocks) > self._most:
                self._blocks.popitem(last=False)
        return block[offset] if offset < len(block) else self._sample(task, 1)[0].tolist()

    def _size(self, first: int) -> int:
        """Tasks in the block that begins at `first`."""
        return self._tasks if self._recorded is None else max(1, min(self._tasks, self._recorded - first))


class Delays:
    """Downlink, compute and uplink delays of every task of every worker.

    Attributes
    ----------
    downlink, uplink : Draws or None
        None where the link has no delay.
    compute : Draws
        Time for the worker's load.
    """

    def __init__(self, cluster: Cluster, assignment: Assignment, vector_bytes: int, streams: Streams) -> None:
        workers, loads = cluster.workers, assignment.loads
        uniforms = streams.uniforms("compute")

        def compute(first: int, tasks: int) -> NDArray[np.float64]:
            return compute_times(cluster.compute, cluster.scaling, loads, uniforms, first, tasks, workers)

        self.compute = Draws(compute, workers, cluster.compute.recorded_tasks)
        answer_bytes = assignment.vectors * vector_bytes
        self.downlink = _link_draws(cluster.downlink, "downlink", workers, vector_bytes, streams)
        self.uplink = _link_draws(cluster.uplink, "uplink", workers, answer_bytes, streams)


def _link_draws(
    link: Link, name: str, workers: int, message_bytes: int | NDArray[np.int64], streams: Streams
) -> Draws | None:
    """Draws of the delays of messages over a link."""
    if link.is_instant:
        return None
    uniforms = streams.uniforms(name)
    return Draws(
        lambda first, tasks: link.delays(uniforms, first, tasks, workers, message_bytes), workers, link.recorded_tasks
    )
