"""Measured times as latency models: drawn at random from a sample, or replayed task by task.

Both models keep an array of times in seconds. `math.inf` stands for a worker that never responded. Models are compared
and hashed by content. Their repr is short and contains a fingerprint of the content.
"""

import hashlib
import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from clustersim.checks import LONGEST, complaint, numbers, store
from clustersim.errors import ConfigurationError
from clustersim.latency.base import LatencyModel
from clustersim.streams import Uniforms

__all__ = ["Empirical", "Replay"]

Floats = NDArray[np.float64]


class _Measured(LatencyModel):
    """Base class of models of measured times: equality, hash, moments and quantiles."""

    @property
    @abstractmethod
    def _values(self) -> Floats:
        """The times in ascending order, shape (count,), seconds."""

    @property
    @abstractmethod
    def _content(self) -> str:
        """A fingerprint of the times and the shape of their array."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Measured) and type(other) is type(self) and other._content == self._content

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._content))

    def quantile(self, u: ArrayLike) -> Floats:
        """Return the inverse of the distribution function; see `LatencyModel.quantile`."""
        count = len(self._values)
        # Without the factor, rounding of u = j / count could select the next value.
        ranks = np.ceil(np.asarray(u, dtype=np.float64) * (count * (1.0 - 1e-15))).astype(np.intp)
        chosen: Floats = self._values[np.maximum(ranks, 1) - 1]
        return chosen

    def cdf(self, t: ArrayLike) -> Floats:
        """Return P(X <= t)."""
        return np.asarray(np.searchsorted(self._values, t, side="right") / len(self._values))

    @property
    def expected_time(self) -> float:
        """E[X], in seconds."""
        return float(self._values.mean())

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        return float(self._values.var()) if np.isfinite(self._values[-1]) else math.inf


@dataclass(frozen=True, eq=False, repr=False)
class Empirical(_Measured):
    """Independent random draws from a sample of measured times; all values are equally likely.

    Parameters
    ----------
    samples : array_like, shape (count,)
        Times, seconds, in any order; `math.inf` for a task to which the worker never responded.

    Raises
    ------
    ConfigurationError
        If the sample is empty, is not a list of numbers, or contains a NaN or a negative time.

    Examples
    --------
    >>> model = Empirical([1.0, 2.0, 6.0])
    >>> model.expected_time, round(model.order_statistic_mean(1, 2), 9) == round((5 * 1 + 3 * 2 + 1 * 6) / 9, 9)
    (3.0, True)
    """

    samples: Any

    def __post_init__(self) -> None:
        samples = np.sort(_checked("samples", self.samples, 1))
        samples.flags.writeable = False
        store(self, samples=samples)

    def __repr__(self) -> str:
        return f"Empirical(<{len(self.samples)} times, {self._content[:8]}>)"

    @cached_property
    def _values(self) -> Floats:
        values: Floats = self.samples
        return values

    @cached_property
    def _content(self) -> str:
        return _fingerprint(self.samples)

    def order_statistic_mean(self, k: int, n: int) -> float:
        """Return E[X_(k)], exactly: the values of the sample, weighted by the probability to be the k-th of n draws."""
        k, n = self._checked_rank(k, n)
        if math.isinf(self._values[-1]):
            return math.inf
        count = len(self._values)
        weights = np.diff(betainc(k, n - k + 1, np.arange(count + 1) / count))
        return float(weights @ self._values)


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Replay(_Measured):
    """Measured times, replayed without randomness: task q of worker i takes times[q, i] seconds for every seed.

    `expected_time`, `variance` and `quantile` describe all entries together. `order_statistic_mean(k, n)` is the mean
    over the recorded tasks of the k-th smallest time among the first n workers. All lanes return the same times,
    because nothing is random.

    By default, the load of a task does not change its time, as with ``scaling="none"``. To scale times with the load,
    set the scaling of the cluster: ``Cluster(..., compute=Replay(times), scaling="proportional")``.

    Parameters
    ----------
    times : array_like, shape (tasks, workers)
        Times, seconds: one row for each task, one column for each worker. `math.inf` means that the worker never
        responds.

    Raises
    ------
    ConfigurationError
        If the matrix is empty, ragged or not two-dimensional, or contains a NaN or a negative time. The method `times`
        raises it if more tasks or workers are requested than were recorded.

    Examples
    --------
    >>> model = Replay([[1.0, 4.0], [2.0, 3.0]])
    >>> model.recorded_tasks, model.order_statistic_mean(1, 2), model.order_statistic_mean(2, 2)
    (2, 1.5, 3.5)
    """

    matrix: Any

    def __init__(self, times: ArrayLike) -> None:
        matrix = _checked("times", times, 2)
        matrix.flags.writeable = False
        store(self, matrix=matrix)

    def __repr__(self) -> str:
        tasks, workers = self.matrix.shape
        return f"Replay(<{tasks} tasks x {workers} workers, {self._content[:8]}>)"

    @cached_property
    def _values(self) -> Floats:
        values: Floats = np.sort(self.matrix, axis=None)
        return values

    @cached_property
    def _content(self) -> str:
        return _fingerprint(self.matrix)

    @property
    def homogeneous(self) -> bool:
        """False: each worker replays its own column."""
        return False

    @property
    def measured(self) -> bool:
        """True: the times were measured task by task."""
        return True

    @property
    def recorded_tasks(self) -> int:
        """Number of recorded tasks: the rows of the matrix."""
        return int(self.matrix.shape[0])

    def times(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int, lane: int = 0) -> Floats:
        """Return the recorded times of consecutive tasks; see `LatencyModel.times`."""
        del uniforms, lane  # nothing is random
        self._need("workers", workers, self.matrix.shape[1])
        self._need("tasks", first_task + tasks, self.recorded_tasks)
        block: Floats = self.matrix[first_task : first_task + tasks, :workers].copy()
        return block

    def times_at(
        self, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0
    ) -> Floats:
        """Return the recorded times of single tasks; see `LatencyModel.times_at`."""
        del uniforms, lane
        self._need("workers", int(workers.max(initial=-1)) + 1, self.matrix.shape[1])
        self._need("tasks", int(tasks.max(initial=-1)) + 1, self.recorded_tasks)
        times: Floats = self.matrix[tasks, workers]
        return times

    def order_statistic_mean(self, k: int, n: int) -> float:
        """Return the mean over the recorded tasks of the k-th smallest time among the first n workers, in seconds."""
        k, n = self._checked_rank(k, n)
        self._need("workers", n, self.matrix.shape[1])
        return float(np.partition(self.matrix[:, :n], k - 1, axis=1)[:, k - 1].mean())

    def shifts(self, workers: int) -> Floats:
        """Return the smallest recorded time of each worker, shape (workers,), seconds."""
        self._need("workers", workers, self.matrix.shape[1])
        smallest: Floats = self.matrix[:, :workers].min(axis=0)
        return smallest

    def _need(self, what: str, wanted: int, recorded: int) -> None:
        """Check that the wanted number of tasks or workers was recorded."""
        if wanted > recorded:
            raise ConfigurationError(
                f"{what} = {wanted}: expected at most {recorded}, the number that {self!r} contains; "
                f"record more {what}, end the run earlier, or draw from the times with Empirical"
            )


def _checked(name: str, values: Any, dimensions: int) -> Floats:
    """Return the times as a float64 array of the given number of dimensions; name the first invalid entry."""
    one = "a list of times"
    shape = one if dimensions == 1 else "a matrix of times, one row for each task and one column for each worker"
    expected = f"{shape}, not empty, in seconds, at least 0 and at most {LONGEST:g}; use inf for a missing response"
    array = numbers(name, values, expected, low=0.0, finite=False, dimensions=dimensions)
    if not array.size:
        raise complaint(name, values, expected)
    if len(too_long := np.argwhere((array > LONGEST) & (array < math.inf))):
        where = tuple(too_long[0].tolist())
        raise complaint(name, values, expected, f"look at {name}{list(where)} = {array[where]}")
    return array


def _fingerprint(array: Floats) -> str:
    """Return a digest of shape and content that is the same in every process."""
    return hashlib.sha256(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes()).hexdigest()
