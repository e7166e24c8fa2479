"""Draws that have an address, task number and worker, kept at hand: whole rows or single ones, the same numbers.

To draw a whole row, one number for each worker, costs less for each number; to draw a single number costs less in all.
`DrawCache` chooses between the two. A function that draws flows in; delays flow out to the fleets, and mini-batches to
assignments.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["DrawCache"]

Values = NDArray[Any]
Integers = NDArray[np.int64]

_DRAWS, _TASKS = 1 << 15, 128  # largest block: enough to make a call into NumPy cheap
_MOST, _BLOCKS = 1 << 24, 128  # draws and blocks that are kept at most, where workers are far apart in their tasks
_LISTED = 1 << 19  # draws that are kept as lists
_PRICE = 64  # draws of a row that cost about as much as one single draw
_MISSED = 1 << 12  # blocks of which it is remembered how often they were missed
_FEW = 64  # up to so many are looked up one by one


class DrawCache:
    """Draws by task number and worker; rows are drawn in blocks of consecutive tasks, of which the latest are kept.

    A single draw that is in no block at hand is drawn by itself, until a block has been missed so often that it would
    have paid to draw it: then it is. So no pattern of questions costs much more than the better of both ways, however
    far apart workers are in their tasks. More blocks are kept only once one is wanted that is older than the newest.

    Parameters
    ----------
    sample : callable
        ``sample(first_task, tasks)`` returns an array of shape (tasks, workers, *item).
    workers : int
        Length of a row.
    recorded : int, optional
        Number of tasks that there are, where times were measured; beyond it `sample` says so.
    single : callable, optional
        ``single(tasks, workers)`` returns single draws, shape (pairs, *item), or None where only rows can be drawn.
    most : int, optional
        Numbers in a block at most.
    item : tuple of int, default ()
        The shape of one draw; a number unless something else is given.
    kind : dtype, default float
        Of the numbers.

    Attributes
    ----------
    recorded : int or None
        Number of tasks that there are; None where there is no end to them.
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
        self._blocks: dict[int, Values] = {}  # by number, the oldest first
        self._newest = -1
        self._missed: dict[int, int] = {}  # by number, the one missed longest ago first
        self._lists: dict[int, list[float]] = {}
        self._listed = max(2, _LISTED // workers)

    def array(self, task: int) -> Values:
        """The draws of all workers for their task number `task`; read-only, shape (workers, *item)."""
        first, block = self.block(task)
        row: Values = block[task - first]
        return row

    def block(self, task: int) -> tuple[int, Values]:
        """The draws of several consecutive tasks of all workers, `task` among them, and which task is the first."""
        number, offset = divmod(task, self._tasks)
        block = self._blocks.get(number)
        if block is None:
            block = self._draw(number)
        if offset >= len(block):
            return task, self._sample(task, 1)  # which says that it is not there
        return number * self._tasks, block

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
        drawn: float = block.item(offset, worker)
        return drawn

    def at(self, tasks: Integers, workers: Integers) -> Values:
        """Single draws, one for each pair.

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
        if len(tasks) <= _FEW and (at_hand := self._look_up(tasks, workers)) is not None:
            return at_hand
        draws = np.empty((len(tasks), *self._item), dtype=self._kind)
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

    def _look_up(self, tasks: Integers, workers: Integers) -> Values | None:
        """The draws of a few pairs, if all of them are at hand."""
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
        """Number of each block, and the positions of its tasks."""
        numbers = tasks // self._tasks
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
        start = 0
        for end in (*(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(tasks)):
            yield int(numbers[start]), order[start:end]
            start = end

    def _wanted(self, number: int, times: int) -> Values | None:
        """The block of this number, if it is at hand or has been missed so often that it is worth drawing."""
        block = self._blocks.get(number)
        if block is not None:
            return block
        self._missed[number] = missed = self._missed.pop(number, 0) + times
        if len(self._missed) > _MISSED:
            del self._missed[next(iter(self._missed))]
        return self._draw(number) if missed >= self._patience else None

    def _draw(self, number: int) -> Values:
        """Draw a block and keep it, instead of the one drawn first of those at hand."""
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
        """Fill in the pairs of blocks that are not worth drawing yet, or can only be drawn whole."""
        pairs = np.concatenate([mine for _, mine in alone])
        single = None if self._single is None else self._single(tasks[pairs], workers[pairs])
        if single is not None:
            draws[pairs] = single
            return
        for number, mine in alone:
            draws[mine] = self._draw(number)[tasks[mine] - number * self._tasks, workers[mine]]
