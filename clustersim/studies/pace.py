"""The pace of a study: how long its runs take, and how many of them make a chunk of work."""

from collections import defaultdict

from clustersim.studies.results import RunKey

__all__ = ["Pace"]

_CHUNK = 0.5  # seconds of work in a chunk: handing it out takes a thousandth of that


class Pace:
    """The mean durations of runs by variant and policy, from the runs that are over.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.took(RunKey("", "k = 1", 0), 0.01)
    >>> pace.seconds(RunKey("", "k = 1", 1)), pace.room(left=1000, workers=2)
    (0.01, 0.5)
    """

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._all = [0.0, 0.0]  # runs, seconds

    def took(self, key: RunKey, seconds: float) -> None:
        """Take note of the duration of a run."""
        for pair in (self._sums[key[:2]], self._all):
            pair[0] += 1.0
            pair[1] += seconds

    def seconds(self, key: RunKey) -> float:
        """Return how long a run is expected to take: infinite before any run is over, so that it travels alone."""
        runs, total = self._sums[key[:2]] if self._sums[key[:2]][0] else self._all
        return total / runs if runs else float("inf")

    def room(self, left: int, workers: int) -> float:
        """Return the seconds of work for the next chunk: less towards the end, so that all workers end together.

        Parameters
        ----------
        left : int
            The number of runs that have not been handed out.
        workers : int
            The number of workers.
        """
        runs, total = self._all
        return min(_CHUNK, total / runs * left / (2.0 * workers)) if runs else 0.0
