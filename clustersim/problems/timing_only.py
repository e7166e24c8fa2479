"""`TimingOnly`: no problem at all, for studies of times, messages and bytes alone.

The engine asks it for gradients as of any problem; it answers with zeros, at next to no cost.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer
from clustersim.problems.base import Floats, Problem

__all__ = ["TimingOnly"]


class TimingOnly(Problem):
    """A stand-in for a problem, for studies of times, messages and bytes without any training.

    Times and bytes do not depend on the values of gradients, except for policies that look at these, such as
    `clustersim.AdaptiveK`. So a cluster of thousands of workers and a model of billions of parameters can be studied
    without data. In a `clustersim.Study`, use ``metric="update"``: policies are then compared by the time and the
    communication that a number of updates takes.

    Parameters
    ----------
    rows : int
        Number m of training rows, which the placement divides among the workers.
    dimension : int
        Number d of parameters: a model or a gradient has d entries on the wire. The model in memory is a single zero.

    Raises
    ------
    ConfigurationError
        If a number is not a whole number of at least 1.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.TimingOnly(rows=1_000_000, dimension=7_000_000_000),
    ...     cs.Cluster(workers=4, compute=cs.Constant(2.0)),
    ...     cs.FullSync(),
    ...     optimizer=cs.SGD(1.0),
    ...     until=cs.Until(updates=3),
    ... )
    >>> run.totals["time"], run.totals["uplink_bytes"]
    (6.0, 672000000000)
    """

    def __init__(self, rows: int, dimension: int) -> None:
        self._rows = integer("rows", rows, low=1)
        self._entries = integer("dimension", dimension, low=1)

    @property
    def rows(self) -> int:
        """Number m of training rows."""
        return self._rows

    @property
    def dimension(self) -> int:
        """Length of the model in memory: 1."""
        return 1

    @property
    def vector_entries(self) -> int:
        """Number d of entries of a vector on the wire."""
        return self._entries

    def loss(self, w: Floats) -> float:  # noqa: ARG002 - nothing is trained
        """Return 0: nothing is trained."""
        return 0.0

    def gradient(self, w: Floats, rows: NDArray[np.intp] | None, weights: float | Floats) -> Floats:  # noqa: ARG002
        """Return the zero that stands for a gradient."""
        return np.zeros(1)

    def row_norms_squared(self) -> Floats:
        """Return 1 for each row: all rows count the same."""
        return np.ones(self._rows)

    def describe(self) -> dict[str, Any]:
        """Return the two numbers."""
        return {"class": "TimingOnly", "rows": self._rows, "dimension": self._entries}

    def __repr__(self) -> str:
        """Return the two numbers."""
        return f"TimingOnly(rows={self._rows}, dimension={self._entries})"
