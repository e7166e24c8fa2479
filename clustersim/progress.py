"""Progress of a study: a bar on a terminal, occasional lines in a log.

`clustersim.studies.Study.run` calls a display as its `progress`; the display writes to the standard error stream.
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
_SOON = 10.0  # minimum of seconds between two lines of a log


class Display(Protocol):
    """Anything that shows the progress of a study."""

    def __call__(self, done: int, runs: int, key: RunKey | None) -> None:
        """Take note that the run `key` is over, and that `done` of all `runs` are; at the start, `key` is None."""

    def under_way(self, part: float) -> None:
        """Take note of the finished part of the runs in progress, as a number of runs."""


class Bar:
    """A progress bar that also moves during a run.

    Parameters
    ----------
    bar : rich.progress.Progress
        The bar to drive; its columns may show the fields `done` and `runs`.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None, done=0, runs="?")
        self._done = 0

    def __call__(self, done: int, runs: int, key: RunKey | None) -> None:
        """See `Display`."""
        self._done = done
        latest = escape(f"last: {key}") if key else ""
        self._bar.update(self._task, completed=done, total=runs, done=done, runs=runs, description=latest)

    def under_way(self, part: float) -> None:
        """See `Display`."""
        self._bar.update(self._task, completed=self._done + part)


class Log:
    """Lines for a log file: one a minute, or one for each tenth of the study, but at least ten seconds apart.

    Parameters
    ----------
    console : rich.console.Console
        The console that prints the lines.

    Examples
    --------
    >>> import io
    >>> log = Log(Console(file=io.StringIO()))
    >>> log.line(done=12, runs=40, part=0.5, before=4, seconds=85.0)
    '12 of 40 runs done (4 were already stored); 0:01:25 elapsed, about 0:04:35 left'
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
        since_last = now - self._last
        if since_last >= _MINUTE or (since_last >= _SOON and tenths > self._tenths and self._done < self._runs):
            self._last, self._tenths = now, tenths
            line = self.line(self._done, self._runs, part, self._before, now - self._begun)
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @staticmethod
    def line(done: int, runs: int, part: float, before: int, seconds: float) -> str:
        """Describe the progress of the study in one line.

        Parameters
        ----------
        done, runs : int
            The number of runs that are over, finished or failed, and of all runs.
        part : float
            The finished part of the runs in progress, as a number of runs.
        before : int
            The number of runs that were already stored when the study started.
        seconds : float
            The time since then.
        """
        stored = f" ({before} were already stored)" if before else ""
        text = f"{done} of {runs} runs done{stored}; {timedelta(seconds=round(seconds))} elapsed"
        if (progressed := done + part - before) > 0.0:
            left = seconds * max(0.0, runs - done - part) / progressed
            text += f", about {timedelta(seconds=round(left))} left"
        return text


@contextmanager
def display() -> Iterator[Display]:
    """Yield a bar if the standard error stream is a terminal, else a log."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Log(console)
        return
    count, elapsed = TextColumn("{task.fields[done]} of {task.fields[runs]} runs,"), TextColumn("elapsed,")
    columns = (BarColumn(), count, TimeElapsedColumn(), elapsed, TimeRemainingColumn(), TextColumn("left"))
    with Progress(*columns, TextColumn("{task.description}"), console=console) as bar:
        yield Bar(bar)
