"""A clock and a fleet without workers: a list says who answers when, and the test is the clock."""

import numpy as np

from clustersim.engine.fleet import Batch


class ByHand:
    """Answers that come as they are listed, each to the model that was sent out last.

    Parameters
    ----------
    workers : int
    answers : list of (float, list of int)
        When, in ticks, and whose.
    """

    recording = False

    def __init__(self, workers, answers):
        self.now, self.sent, self.expecting = 0.0, [], 0
        self._workers, self._answers = workers, list(answers)

    def dispatch(self, workers, version, model, busy):
        numbers = range(self._workers) if workers is None else workers.tolist()
        self.sent.append((self.now, version, list(numbers), busy))
        self.expecting = sum(len(who) for _, who in self._answers)
        self._version, self._model = version, model

    def rounds_ahead(self, *_):
        return None

    def want(self, arrivals):
        self._wanted = arrivals

    def sleep(self, until):
        """What the master sleeps on is simply the time at which it wakes."""
        nothing = [] if self.expecting else [self.now]
        return min([until, *nothing, *(when for when, _ in self._answers[:1])])

    def wake(self, now):
        return bool(self._answers) and self._answers[0][0] <= now

    def collect(self, now):
        if not self.wake(now):
            return None
        _, who = self._answers.pop(0)
        self.expecting -= len(who)
        numbers = np.array(who)
        same, blocks = np.full(len(who), self._version), np.ones(len(who), dtype=np.int64)
        return Batch(numbers, same, same, blocks, np.full(len(who), now), {self._version: self._model}).sealed()

    def unanswered(self, workers):
        return np.arange(self._workers) if workers is None else workers

    def mark(self, names, status, staleness=None):
        """Nobody keeps a record."""

    def close(self):
        """Nothing is left over."""
