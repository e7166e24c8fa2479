"""How far a study is: a bar on a terminal, now and then a line in a log.

Data flows in from `clustersim.studies.Study.run`, which calls a display as its `progress`, and out to the standard
error stream.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from clustersim.studies import RunKey

__all__ = ["Bar", "Display", "Log", "display"]

_MINUTE = 60.0
_SOON = 10.0  # seconds that must lie between two lines of a log


class Display(Protocol):
    """Whatever shows how far a study is."""

    def __call__(self, done: int, runs: int, key: RunKey | None) -> None:
        """Take note that a run is over: so many of so many runs are; at the start the key is None."""

    def under_way(self, part: float) -> None:
        """Take note of what is done of the runs under way, as a number of runs."""


class Bar:
    """A progress bar that moves within a run.

    Parameters
    ----------
    bar : rich.progress.Progress
        Where it is drawn; its columns may show the fields `done` and `runs`.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None, done=0, runs="?")
        self._done = 0

    def __call__(self, done: int, runs: int, key: RunKey | None) -> None:
        """See `Display`."""
        self._done = done
        told = escape(f"last: {key}") if key else ""
        self._bar.update(self._task, completed=done, total=runs, done=done, runs=runs, description=told)

    def under_way(self, part: float) -> None:
        """See `Display`."""
        self._bar.update(self._task, completed=self._done + part)


class Log:
    """Lines for a log file: one a minute, or one for each tenth of the way if it takes longer than some seconds.

    Parameters
    ----------
    console : rich.console.Console
        Where the lines go.

    Examples
    --------
    >>> import io
    >>> log = Log(Console(file=io.StringIO()))
    >>> log.line(done=12, runs=40, part=0.5, before=4, seconds=85.0)
    '12 of 40 runs are over, 4 of them from before; 0:01:25 elapsed, about 0:04:35 left'
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = self._last = time.monotonic()
        self._done, self._runs, self._before, self._tenths = 0, 1, 0, 0

    def __call__(self, done: int, runs: int, key: RunKey | None) -> None:
        """See `Display`."""
        self._done, self._runs = done, runs
        if key is None:
            self._before = done
        self.under_way(0.0)

    def under_way(self, part: float) -> None:
        """See `Display`."""
        now, tenths = time.monotonic(), int(10.0 * (self._done + part) / self._runs)
        silent = now - self._last
        if silent >= _MINUTE or (silent >= _SOON and tenths > self._tenths and self._done < self._runs):
            self._last, self._tenths = now, tenths
            line = self.line(self._done, self._runs, part, self._before, now - self._begun)
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @staticmethod
    def line(done: int, runs: int, part: float, before: int, seconds: float) -> str:
        """How far the study is, in words.

        Parameters
        ----------
        done, runs : int
            Runs that are over, and all of them.
        part : float
            What is done of those under way, as a number of runs.
        before : int
            How many were stored before the study was begun this time.
        seconds : float
            Since then.
        """
        stored = f", {before} of them from before" if before else ""
        told = f"{done} of {runs} runs are over{stored}; {timedelta(seconds=round(seconds))} elapsed"
        if (now := done + part - before) > 0.0:
            told += f", about {timedelta(seconds=round(seconds * max(0.0, runs - done - part) / now))} left"
        return told


@contextmanager
def display() -> Iterator[Display]:
    """A bar if the standard error stream is a terminal, else lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Log(console)
        return
    count, elapsed = TextColumn("{task.fields[done]} of {task.fields[runs]} runs,"), TextColumn("elapsed,")
    columns = (BarColumn(), count, TimeElapsedColumn(), elapsed, TimeRemainingColumn(), TextColumn("left"))
    with Progress(*columns, TextColumn("{task.description}"), console=console) as bar:
        yield Bar(bar)
