"""A fleet without workers, whose messages arrive as a list says, and whose clock the test sets."""

import numpy as np

from clustersim.engine.fleet import Batch


class ByHand:
    """A fleet whose messages arrive at listed times, each computed at the model that was dispatched last.

    Parameters
    ----------
    workers : int
    arrivals : list of (float, list of int)
        The time of each arrival in ticks, and the workers whose messages arrive then.
    """

    recording = False

    def __init__(self, workers, arrivals):
        self.now, self.sent, self.expecting = 0.0, [], 0
        self._workers, self._arrivals = workers, list(arrivals)

    def dispatch(self, workers, version, model, busy):
        numbers = range(self._workers) if workers is None else workers.tolist()
        self.sent.append((self.now, version, list(numbers), busy))
        self.expecting = sum(len(who) for _, who in self._arrivals)
        self._version, self._model = version, model

    def rounds_ahead(self, *_):
        return None

    def want(self, arrivals):
        self._wanted = arrivals

    def sleep(self, until):
        """Return the time at which the master is to wake."""
        nothing = [] if self.expecting else [self.now]
        return min([until, *nothing, *(when for when, _ in self._arrivals[:1])])

    def wake(self, now):
        return bool(self._arrivals) and self._arrivals[0][0] <= now

    def collect(self, now):
        if not self.wake(now):
            return None
        _, who = self._arrivals.pop(0)
        self.expecting -= len(who)
        numbers = np.array(who)
        same, blocks = np.full(len(who), self._version), np.ones(len(who), dtype=np.int64)
        return Batch(numbers, same, same, blocks, np.full(len(who), now), {self._version: self._model}).sealed()

    def unanswered(self, workers):
        return np.arange(self._workers) if workers is None else workers

    def mark(self, names, status, staleness=None):
        """Do nothing: this fleet keeps no records."""

    def close(self):
        """Do nothing: there is no work to count."""
