"""The suite of policies on half of its clusters."""

from contextlib import contextmanager
from itertools import islice
from unittest import mock

from clustersim.conformance import policies


@contextmanager
def half_of_the_clusters(turn):
    """Let `check_policy` use every second cluster of its 24; an odd turn uses the others.

    Each half holds every pair of a law of times, a link and a habit of busy workers.
    """
    every = policies._clusters

    def half(workers):
        for group, clusters in enumerate(_groups(every(workers), 4)):
            yield from islice(clusters, (group + group // 2 + turn) % 2, None, 2)

    with mock.patch.object(policies, "_clusters", half):
        yield


def _groups(things, size):
    """Split things into lists of the same size."""
    things = list(things)
    return [things[first : first + size] for first in range(0, len(things), size)]
