"""A cache of random draws that are addressed by task number and worker, `DrawCache`.

A draw is the same number whether it is drawn in a row, with one draw for each worker, or singly. A row costs less for
each draw; a single draw costs less in total. `DrawCache` chooses between the two. Drawing functions flow in; delays
flow out to the fleets, and mini-batches to assignments.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["DrawCache"]

Values = NDArray[Any]
Integers = NDArray[np.int64]

_DRAWS, _TASKS = 1 << 15, 128  # the largest block in draws and in tasks: large enough to make a call of NumPy cheap
_MOST, _BLOCKS = 1 << 24, 128  # the greatest number of draws and of blocks in the cache
_LISTED = 1 << 19  # the greatest number of draws that are kept as lists
_PRICE = 64  # the number of draws in a row that cost about as much as one single draw
_MISSED = 1 << 12  # the greatest number of blocks for which misses are counted
_FEW = 64  # up to this number of draws are looked up one by one


class DrawCache:
    """A cache of draws by task number and worker.

    Rows are drawn in blocks of consecutive tasks, and the latest blocks are kept. A single draw that is not in a kept
    block is drawn by itself. When a block has been missed so often that drawing it would have cost no more, the cache
    draws it. No pattern of requests therefore costs much more than the better of the two ways, even if the workers have
    very different task numbers. The cache keeps more blocks only after a request for a block older than the newest one.

    Parameters
    ----------
    sample : callable
        ``sample(first_task, tasks)`` returns an array of shape (tasks, workers, *item).
    workers : int
        The length of a row.
    recorded : int, optional
        The number of tasks, where times were measured; `sample` raises an error beyond it.
    single : callable, optional
        ``single(tasks, workers)`` returns single draws, shape (pairs, *item), or None if only rows can be drawn.
    most : int, optional
        The greatest number of draws in a block.
    item : tuple of int, default ()
        The shape of one draw; by default a draw is a number.
    kind : dtype, default float
        The dtype of the draws.

    Attributes
    ----------
    recorded : int or None
        The number of tasks; None if it is unlimited.
    """

    def __init__(
        self,
        sample: Callable[[int, int], Values],
        workers: int,
        recorded: int | None = None,
        single: Callable[[Integers, Integers], Values | None] | None = None,
        most: int | None = None,
        item: tuple[int, ...] = (),
        kind: DTypeLike = np.float64,
    ) -> None:
        self._sample = sample
        self._workers = workers
        self._single = single
        self._item, self._kind = item, kind
        width = workers * math.prod(item)
        self.recorded = recorded
        self._tasks = max(1, min(_TASKS, (most or _DRAWS) // width))
        self._patience = self._tasks * (1 + workers // _PRICE)
        self._kept, self._most = 2, max(2, min(_BLOCKS, _MOST // (self._tasks * width)))
        self._blocks: dict[int, Values] = {}  # by block number, the oldest first
        self._newest = -1
        self._missed: dict[int, int] = {}  # misses by block number, the least recently missed first
        self._lists: dict[int, list[float]] = {}
        self._listed = max(2, _LISTED // workers)

    def array(self, task: int) -> Values:
        """Return the draws of all workers for the task number `task`, read-only, shape (workers, *item)."""
        first, block = self.block(task)
        row: Values = block[task - first]
        return row

    def block(self, task: int) -> tuple[int, Values]:
        """Return the number of the first task of the block that contains `task`, and the draws of the block."""
        number, offset = divmod(task, self._tasks)
        block = self._blocks.get(number)
        if block is None:
            block = self._draw(number)
        if offset >= len(block):
            return task, self._sample(task, 1)  # which raises the error
        return number * self._tasks, block

    def row(self, task: int) -> list[float]:
        """Return the draws of all workers for the task number `task` as a list."""
        row = self._lists.get(task)
        if row is None:
            row = self._lists[task] = self.array(task).tolist()
            if len(self._lists) > self._listed:
                del self._lists[next(iter(self._lists))]
        return row

    def one(self, task: int, worker: int) -> float:
        """Return the draw of one worker for one task."""
        number, offset = divmod(task, self._tasks)
        block = self._blocks.get(number)
        if block is None or offset >= len(block):
            return float(self.at(np.array([task]), np.array([worker]))[0])
        drawn: float = block.item(offset, worker)
        return drawn

    def at(self, tasks: Integers, workers: Integers) -> Values:
        """Return single draws, one for each pair of a task and a worker.

        Parameters
        ----------
        tasks, workers : ndarray of int, shape (pairs,)

        Returns
        -------
        ndarray, shape (pairs, *item)
        """
        if len(tasks) == 1:
            number, offset = divmod(tasks.item(), self._tasks)
            block = self._blocks.get(number)
            if block is not None and offset < len(block):
                alone: Values = block[offset, workers]
                return alone
        if self.recorded is not None and int(tasks.max(initial=-1)) >= self.recorded:
            return np.array([self.array(task)[i] for task, i in zip(tasks.tolist(), workers.tolist(), strict=True)])
        if len(tasks) <= _FEW and (kept := self._look_up(tasks, workers)) is not None:
            return kept
        draws = np.empty((len(tasks), *self._item), dtype=self._kind)
        missed = []
        for number, places in self._by_block(tasks):
            block = self._wanted(number, len(places))
            if block is None:
                missed.append((number, places))
            else:
                draws[places] = block[tasks[places] - number * self._tasks, workers[places]]
        if missed:
            self._draw_single(missed, tasks, workers, draws)
        return draws

    def _look_up(self, tasks: Integers, workers: Integers) -> Values | None:
        """Return the draws of a few pairs if all are in kept blocks; otherwise None."""
        blocks, length = self._blocks, self._tasks
        pairs = zip(tasks.tolist(), workers.tolist(), strict=True)
        try:
            if self._item:
                draws = [blocks[q // length][q % length, i] for q, i in pairs]
            else:
                draws = [blocks[q // length].item(q % length, i) for q, i in pairs]
        except KeyError:
            return None
        return np.array(draws, dtype=self._kind).reshape(-1, *self._item)

    def _by_block(self, tasks: Integers) -> Iterator[tuple[int, Integers]]:
        """Yield the number of each block, and the positions of its tasks in `tasks`."""
        numbers = tasks // self._tasks
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
        start = 0
        for end in (*(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(tasks)):
            yield int(numbers[start]), order[start:end]
            start = end

    def _wanted(self, number: int, times: int) -> Values | None:
        """Return the block if it is kept, or is worth drawing after `times` more misses; otherwise None."""
        block = self._blocks.get(number)
        if block is not None:
            return block
        self._missed[number] = missed = self._missed.pop(number, 0) + times
        if len(self._missed) > _MISSED:
            del self._missed[next(iter(self._missed))]
        return self._draw(number) if missed >= self._patience else None

    def _draw(self, number: int) -> Values:
        """Draw a block and keep it; drop the oldest blocks to make room."""
        if number < self._newest:
            self._kept = min(2 * self._kept, self._most)
        self._newest = max(self._newest, number)
        self._missed.pop(number, None)
        while len(self._blocks) >= self._kept:
            del self._blocks[next(iter(self._blocks))]
        first = number * self._tasks
        tasks = self._tasks if self.recorded is None else max(1, min(self._tasks, self.recorded - first))
        block = self._blocks[number] = self._sample(first, tasks)
        block.flags.writeable = False
        return block

    def _draw_single(
        self, alone: list[tuple[int, Integers]], tasks: Integers, workers: Integers, draws: Values
    ) -> None:
        """Fill in single draws of blocks that are not worth drawing yet; draw the blocks if only rows can be drawn."""
        pairs = np.concatenate([places for _, places in alone])
        single = None if self._single is None else self._single(tasks[pairs], workers[pairs])
        if single is not None:
            draws[pairs] = single
            return
        for number, places in alone:
            draws[places] = self._draw(number)[tasks[places] - number * self._tasks, workers[places]]
