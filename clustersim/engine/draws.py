"""The delays of one run in ticks, each a function of (task number, worker).

Whole rows, one delay for each worker, are cheap by the piece and dear in all; single delays are the reverse. `Draws`
gives out both, and the same numbers either way: seconds flow in from latency models and links, are rounded to ticks
once, here, and flow out to the fleets.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.cluster import Cluster
from clustersim.engine.ticks import Ticks
from clustersim.errors import ConfigurationError
from clustersim.latency import ComputeTimes, representable
from clustersim.links import Link
from clustersim.placements import Assignment
from clustersim.streams import Streams

__all__ = ["Delays", "Draws"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_DRAWS, _TASKS = 1 << 15, 128  # a block holds at most so many: enough to make a call into NumPy cheap, and no more
_MOST, _BLOCKS = 1 << 24, 128  # draws and blocks that are kept at most, where workers are far apart in their tasks
_LISTED = 1 << 19  # draws that are kept as lists
_PRICE = 64  # so many draws of a row cost less than one by itself
_MISSED = 1 << 12  # blocks of which it is remembered how often they were missed
_FEW = 64  # up to so many are looked up one by one


class Draws:
    """Draws by task number and worker; rows are drawn in blocks of consecutive tasks, of which the latest are kept.

    A single draw that is in no block at hand is drawn by itself, until a block has been missed so often that it would
    have paid to draw it: then it is. So no pattern of questions costs much more than the better of both ways, however
    far apart workers are in their tasks. More blocks are kept only once one is wanted that is older than the newest.

    Parameters
    ----------
    sample : callable
        ``sample(first_task, tasks)`` returns an array of shape (tasks, workers), in seconds.
    workers : int
        Length of a row.
    ticks : Ticks
        Converts the draws.
    recorded : int, optional
        Number of tasks that there are, where times were measured; beyond it `sample` says so.
    single : callable, optional
        ``single(tasks, workers)`` returns single draws, shape (pairs,), or None where only rows can be drawn.

    Attributes
    ----------
    recorded : int or None
        Number of tasks that there are; None where there is no end to them.
    """

    def __init__(
        self,
        sample: Callable[[int, int], Floats],
        workers: int,
        ticks: Ticks,
        recorded: int | None = None,
        single: Callable[[Integers, Integers], Floats | None] | None = None,
    ) -> None:
        self._sample = sample
        self._workers = workers
        self._ticks = ticks
        self._single = single
        self.recorded = recorded
        self._tasks = max(1, min(_TASKS, _DRAWS // workers))
        self._patience = self._tasks * (1 + workers // _PRICE)
        self._kept, self._most = 2, max(2, min(_BLOCKS, _MOST // (self._tasks * workers)))
        self._blocks: dict[int, Floats] = {}  # by number, the oldest first
        self._newest = -1
        self._sorted: tuple[int, Integers, Floats] = (-1, np.empty((0, 0), dtype=np.int64), np.empty((0, 0)))
        self._missed: dict[int, int] = {}  # by number, the one missed longest ago first
        self._lists: dict[int, list[float]] = {}
        self._listed = max(2, _LISTED // workers)

    def array(self, task: int) -> Floats:
        """The draws of all workers for their task number `task`; read-only, shape (workers,)."""
        number, offset = divmod(task, self._tasks)
        block = self._blocks.get(number)
        if block is None:
            block = self._draw(number)
        row: Floats = (
            block[offset] if offset < len(block) else self._sample(task, 1)[0]
        )  # which says that it is not there
        return row

    def ranked(self, task: int) -> tuple[Integers, Floats]:
        """The workers in order of their draws for `task`, and the draws in that order.

        All rows of a block are sorted by one call. Equal draws are in the order of the workers.
        """
        number, offset = divmod(task, self._tasks)
        if number != self._sorted[0]:
            self.array(number * self._tasks)  # puts the block at hand
            self._sorted = number, *_ranks(self._blocks[number])
        _, order, ranked = self._sorted
        if offset >= len(order):
            self.array(task)  # says that it is not recorded
        return order[offset], ranked[offset]

    def row(self, task: int) -> list[float]:
        """The same as a list, to be read one by one."""
        row = self._lists.get(task)
        if row is None:
            row = self._lists[task] = self.array(task).tolist()
            if len(self._lists) > self._listed:
                del self._lists[next(iter(self._lists))]
        return row

    def one(self, task: int, worker: int) -> float:
        """The draw of one worker for one task."""
        number, offset = divmod(task, self._tasks)
        block = self._blocks.get(number)
        if block is None or offset >= len(block):
            return float(self.at(np.array([task]), np.array([worker]))[0])
        return block.item(offset, worker)

    def at(self, tasks: Integers, workers: Integers) -> Floats:
        """Single draws, one for each pair.

        Parameters
        ----------
        tasks, workers : ndarray of int, shape (pairs,)

        Returns
        -------
        ndarray of float64, shape (pairs,), ticks
        """
        if len(tasks) == 1:
            number, offset = divmod(tasks.item(), self._tasks)
            block = self._blocks.get(number)
            if block is not None and offset < len(block):
                alone: Floats = block[offset, workers]
                return alone
        if self.recorded is not None and int(tasks.max(initial=-1)) >= self.recorded:
            return np.array([self.array(task)[i] for task, i in zip(tasks.tolist(), workers.tolist(), strict=True)])
        if len(tasks) <= _FEW and (at_hand := self._look_up(tasks, workers)) is not None:
            return at_hand
        draws = np.empty(len(tasks))
        missed = []
        for number, mine in self._by_block(tasks):
            block = self._wanted(number, len(mine))
            if block is None:
                missed.append((number, mine))
            else:
                draws[mine] = block[tasks[mine] - number * self._tasks, workers[mine]]
        if missed:
            self._draw_single(missed, tasks, workers, draws)
        return draws

    def _look_up(self, tasks: Integers, workers: Integers) -> Floats | None:
        """The draws of a few pairs, if all of them are at hand."""
        blocks, length = self._blocks, self._tasks
        try:
            draws = [
                blocks[q // length].item(q % length, i) for q, i in zip(tasks.tolist(), workers.tolist(), strict=True)
            ]
        except KeyError:
            return None
        return np.array(draws, dtype=np.float64)

    def _by_block(self, tasks: Integers) -> Iterator[tuple[int, Integers]]:
        """Number of each block, and the positions of its tasks."""
        numbers = tasks // self._tasks
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
        start = 0
        for end in (*(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(tasks)):
            yield int(numbers[start]), order[start:end]
            start = end

    def _wanted(self, number: int, times: int) -> Floats | None:
        """The block of this number, if it is at hand or has been missed so often that it is worth drawing."""
        block = self._blocks.get(number)
        if block is not None:
            return block
        self._missed[number] = missed = self._missed.pop(number, 0) + times
        if len(self._missed) > _MISSED:
            del self._missed[next(iter(self._missed))]
        return self._draw(number) if missed >= self._patience else None

    def _draw(self, number: int) -> Floats:
        """Draw a block and keep it, instead of the one drawn first of those at hand."""
        if number < self._newest:
            self._kept = min(2 * self._kept, self._most)
        self._newest = max(self._newest, number)
        self._missed.pop(number, None)
        while len(self._blocks) >= self._kept:
            del self._blocks[next(iter(self._blocks))]
        first = number * self._tasks
        tasks = self._tasks if self.recorded is None else max(1, min(self._tasks, self.recorded - first))
        drawn = _checked(self._sample(first, tasks), (tasks, self._workers))
        block = self._blocks[number] = self._ticks.of_all(drawn)
        block.flags.writeable = False
        return block

    def _draw_single(
        self, alone: list[tuple[int, Integers]], tasks: Integers, workers: Integers, draws: Floats
    ) -> None:
        """Fill in the pairs of blocks that are not worth drawing yet, or can only be drawn whole."""
        pairs = np.concatenate([mine for _, mine in alone])
        single = None if self._single is None else self._single(tasks[pairs], workers[pairs])
        if single is not None:
            draws[pairs] = self._ticks.of_all(_checked(single, (len(pairs),)))
            return
        for number, mine in alone:
            draws[mine] = self._draw(number)[tasks[mine] - number * self._tasks, workers[mine]]


def _checked(draws: Floats, shape: tuple[int, ...]) -> Floats:
    """What a latency model has drawn, held against what it promises: a model may be the user's own."""
    seconds = np.asarray(draws, dtype=np.float64)
    if seconds.shape != shape:
        raise ConfigurationError(f"the latency model drew times of shape {seconds.shape}: expected {shape}")
    if not seconds.min(initial=math.inf) >= 0.0:
        wrong = float(seconds[~(seconds >= 0.0)][0])
        raise ConfigurationError(
            f"the latency model drew a time of {wrong} s: expected seconds, at least 0, or infinity for a worker that "
            "never answers; mend its quantile()"
        )
    return representable(seconds)


def _ranks(block: Floats) -> tuple[Integers, Floats]:
    """Each row's order, equal draws in the order of the columns, and the ordered rows."""
    order = block.argsort(axis=1)  # the fastest way to sort; it leaves equal draws in any order
    ranked = np.take_along_axis(block, order, axis=1)
    if (ranked[:, 1:] == ranked[:, :-1]).any():
        order = block.argsort(axis=1, kind="stable")
    return order, ranked


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
        workers, uniforms, ticks = cluster.workers, streams.uniforms("compute"), Ticks(cluster.tick)
        compute = ComputeTimes(cluster.compute, cluster.scaling, assignment.loads, workers)
        self.compute = Draws(
            partial(compute.times, uniforms),
            workers,
            ticks,
            cluster.compute.recorded_tasks,
            partial(compute.times_at, uniforms),
        )
        answer_bytes = assignment.vectors * vector_bytes
        self.downlink = _link_draws(cluster.downlink, "downlink", np.full(workers, vector_bytes), streams, ticks)
        self.uplink = _link_draws(cluster.uplink, "uplink", answer_bytes, streams, ticks)


def _link_draws(link: Link, name: str, sizes: Integers, streams: Streams, ticks: Ticks) -> Draws | None:
    """Draws of the delays of messages of `sizes` bytes, one for each worker, over a link."""
    if link.is_instant:
        return None
    uniforms, workers = streams.uniforms(name), len(sizes)
    return Draws(
        lambda first, tasks: link.delays(uniforms, first, tasks, workers, sizes),
        workers,
        ticks,
        link.recorded_tasks,
        lambda tasks, of: link.delays_at(uniforms, tasks, of, sizes[of]),
    )
