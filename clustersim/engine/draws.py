"""The delays of one run, each a function of (task number, worker), drawn in blocks and kept while they are in use."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.cluster import Cluster
from clustersim.latency import compute_times
from clustersim.links import Link
from clustersim.streams import Streams

__all__ = ["Delays", "Draws"]

_BLOCK = 1 << 15  # draws in a block: enough to make a call into NumPy cheap, few enough to stay in the cache
_BLOCKS = 32  # blocks kept, so that workers may be far apart in their tasks


class Draws:
    """Rows of draws by task number.

    Parameters
    ----------
    sample : callable
        ``sample(first_task, tasks)`` returns an array of shape (tasks, workers), in seconds.
    workers : int
        Length of a row.
    """

    def __init__(self, sample: Callable[[int, int], NDArray[np.float64]], workers: int) -> None:
        self._sample = sample
        self._tasks = max(1, _BLOCK // workers)
        self._blocks: OrderedDict[int, list[list[float]]] = OrderedDict()

    def row(self, task: int) -> list[float]:
        """The draws of all workers for their task number `task`; a list, for it is read one by one."""
        number, offset = divmod(task, self._tasks)
        block = self._blocks.get(number)
        if block is None:
            block = self._sample(number * self._tasks, self._tasks).tolist()
            self._blocks[number] = block
            if len(self._blocks) > _BLOCKS:
                self._blocks.popitem(last=False)
        return block[offset]


class Delays:
    """Downlink, compute and uplink delays of every task of every worker.

    Attributes
    ----------
    downlink, uplink : Draws or None
        None where the link has no delay.
    compute : Draws
        Time for the worker's load.
    """

    def __init__(self, cluster: Cluster, loads: NDArray[np.float64], vector_bytes: int, streams: Streams) -> None:
        workers = cluster.workers
        uniforms = streams.uniforms("compute")

        def compute(first: int, tasks: int) -> NDArray[np.float64]:
            return compute_times(cluster.compute, cluster.scaling, loads, uniforms, first, tasks, workers)

        self.compute = Draws(compute, workers)
        self.downlink = _link_draws(cluster.downlink, "downlink", workers, vector_bytes, streams)
        self.uplink = _link_draws(cluster.uplink, "uplink", workers, vector_bytes, streams)


def _link_draws(link: Link, name: str, workers: int, vector_bytes: int, streams: Streams) -> Draws | None:
    """Draws of the delays of one vector over a link."""
    if link.is_instant:
        return None
    uniforms = streams.uniforms(name)
    return Draws(lambda first, tasks: link.delays(uniforms, first, tasks, workers, vector_bytes), workers)
