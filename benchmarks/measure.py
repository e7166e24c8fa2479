"""How costs are measured: side by side in one process, in turns, in CPU seconds.

A ratio is taken within each round and then the median over the rounds, so that a machine that slows down for a while
slows down both sides of it.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Costs", "Effort", "Program", "calibrated", "interleaved", "median", "ratio", "table", "whole"]

Program = Callable[[int], float]
"""A function that makes a number of updates and returns the CPU seconds that they took."""

Costs = dict[str, list[float]]
"""CPU seconds an update of each program, round by round."""

_FEWEST = 3  # updates


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes
    ----------
    quick : bool
        A look at the smaller cases.
    rounds : int
        Measurements of each program.
    seconds : float
        How long one measurement takes, about.
    picture : Path or None
        Where to draw the cost of an update against n.
    """

    quick: bool
    rounds: int
    seconds: float
    picture: Path | None = None

    def say(self, what: str) -> None:
        """Tell on the error stream what is being measured."""
        print(f"... {what}", file=sys.stderr, flush=True)


def interleaved(programs: Mapping[str, tuple[Program, int]], effort: Effort) -> Costs:
    """Measure programs, each with the number of updates that it does, after a short run of each."""
    for program, updates in programs.values():
        program(min(updates, _FEWEST))
    costs: Costs = {name: [] for name in programs}
    for turn in range(effort.rounds):
        for name in list(programs)[:: -1 if turn % 2 else 1]:  # nobody always comes first
            program, updates = programs[name]
            gc.collect()  # nobody sweeps up after the one before
            costs[name].append(program(updates) / updates)
    return costs


def calibrated(program: Program, effort: Effort, most: int = 1_000_000, least: int = _FEWEST) -> int:
    """How many updates take about as long as a measurement shall, within these limits."""
    updates = _FEWEST
    while (spent := program(updates)) < 0.1 * effort.seconds and updates < most:
        updates *= 4
    return min(most, max(least, round(updates * effort.seconds / spent)))


def whole(program: Callable[[int], object]) -> Program:
    """A program of which everything counts, set-up included."""

    def timed(updates: int) -> float:
        begun = time.process_time()
        program(updates)
        return time.process_time() - begun

    return timed


def median(costs: Iterable[float]) -> float:
    """The middle one."""
    return statistics.median(costs)


def ratio(these: Iterable[float], those: Iterable[float]) -> float:
    """The median over the rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(these, those, strict=True))


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, the columns after the first one set to the right."""
    cells = [list(header), *map(list, lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    cells.insert(1, rule)
    first, rest = widths[0], widths[1:]
    return "\n".join(
        " | ".join(["| " + line[0].ljust(first), *(c.rjust(w) for c, w in zip(line[1:], rest, strict=True))]) + " |"
        for line in cells
    )
