"""What every model of response times answers: draws, moments, quantiles and order statistics.

A latency model describes X, the seconds that one worker takes for one even share of the data. Draws come in through
`clustersim.streams.Uniforms`, so that the time of task q of worker i is a function of (q, i) alone, and go out as
arrays of shape (tasks, workers), or (pairs,), to `clustersim.latency.scaling` and `clustersim.links`. `math.inf` means
that the worker never answers in that task.

A model of your own needs `quantile` only, which works element by element; every other answer has a default that is
computed from it.
"""

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import COUNT, LONGEST, integer
from clustersim.errors import ConfigurationError
from clustersim.latency.integrals import order_statistic_expectation
from clustersim.streams import Uniforms

__all__ = ["LatencyModel", "representable"]

Floats = NDArray[np.float64]

_CHUNK = 1 << 13  # draws that are turned into seconds at a time, so that what comes between stays in the cache


class LatencyModel(ABC):
    """A model of the response time X of one even share, in seconds.

    Examples
    --------
    A worker that is equally likely to take any time between 1 and 3 seconds:

    >>> class Uniform(LatencyModel):
    ...     def quantile(self, u):
    ...         return 1.0 + 2.0 * np.asarray(u)
    >>> model = Uniform()
    >>> round(model.expected_time, 9), round(model.variance, 9), round(model.order_statistic_mean(3, 3), 9)
    (2.0, 0.333333333, 2.5)
    """

    increasing: ClassVar[bool] = False
    """Whether a class declares that its `times` are the quantiles of the draws in lane 0, and grow with them, up to
    rounding. Subclasses do not inherit it: they may draw in another way."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Let no subclass that has `times` of its own inherit a `times_at` that knows nothing of them."""
        super().__init_subclass__(**arguments)
        cls.increasing = bool(vars(cls).get("increasing", False))
        owner = next(base for base in cls.__mro__ if vars(base).keys() & {"times", "times_at"})
        if "times_at" not in vars(owner):
            cls.times_at = _only_rows  # type: ignore[method-assign]  # there is no other way to take back a method

    @abstractmethod
    def quantile(self, u: ArrayLike) -> Floats:
        """The inverse of the distribution function: the smallest time t with P(X <= t) >= u.

        Parameters
        ----------
        u : array_like
            Probabilities in [0, 1].

        Returns
        -------
        ndarray of float64, the shape of `u`, seconds
        """

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """The time t with P(X > t) = exp(-e): a quantile that stays accurate far out in a heavy tail.

        Parameters
        ----------
        e : array_like
            Values of the cumulative hazard, at least 0.

        Returns
        -------
        ndarray of float64, the shape of `e`, seconds
        """
        probability = -np.expm1(-np.asarray(e, dtype=np.float64))
        return self.quantile(np.minimum(probability, np.nextafter(1.0, 0.0)))  # an unbounded time has no quantile 1

    def cdf(self, t: ArrayLike) -> Floats:
        """The distribution function P(X <= t).

        Parameters
        ----------
        t : array_like
            Times, seconds.

        Returns
        -------
        ndarray of float64, the shape of `t`
        """
        times = np.asarray(t, dtype=np.float64)
        low, high = np.zeros(times.shape), np.ones(times.shape)
        for _ in range(54):  # one step for each bit of a float64
            middle = (low + high) / 2
            below = self.quantile(middle) <= times
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.where(self.quantile(high) <= times, high, low)

    def survival(self, t: ArrayLike) -> Floats:
        """P(X > t), by default 1 - `cdf`.

        Parameters
        ----------
        t : array_like
            Times, seconds.

        Returns
        -------
        ndarray of float64, the shape of `t`
        """
        return 1.0 - self.cdf(t)

    def times(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int, lane: int = 0) -> Floats:
        """Times of `tasks` consecutive tasks of workers 0 .. workers - 1, each a function of (task, worker) alone.

        Parameters
        ----------
        uniforms : Uniforms
            The stream of draws.
        first_task : int
            Number of the first task, counted from 0 for each worker.
        tasks, workers : int
            Shape of the answer.
        lane : int, default 0
            Another lane gives another, independent draw of the same tasks.

        Returns
        -------
        ndarray of float64, shape (tasks, workers), seconds
            `math.inf` where the worker never answers.
        """
        draws = uniforms.block(first_task, tasks, workers, lane)
        if draws.size <= _CHUNK:
            return self.quantile(draws)
        flat = draws.reshape(-1)
        for start in range(0, len(flat), _CHUNK):
            flat[start : start + _CHUNK] = self.quantile(flat[start : start + _CHUNK])
        return draws

    def times_at(
        self, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0
    ) -> Floats | None:
        """Times of single tasks, the same as in `times`, without drawing those of all other workers.

        Parameters
        ----------
        uniforms : Uniforms
            The stream of draws.
        tasks, workers : ndarray of int, shape (pairs,)
            Numbers of the tasks and of the workers whose tasks they are.
        lane : int, default 0
            See `times`.

        Returns
        -------
        ndarray of float64, shape (pairs,), seconds, or None
            None where the model knows no shorter way than `times`, as that of a subclass that overrides `times` alone.
        """
        return self.quantile(uniforms.at(tasks, workers, lane))

    @property
    def expected_time(self) -> float:
        """E[X], in seconds; `math.inf` where the worker may never answer."""
        return order_statistic_expectation(self.inverse_hazard, 1, 1)

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared."""
        mean = self.expected_time
        if math.isinf(mean):
            return math.inf
        return order_statistic_expectation(lambda e: (self.inverse_hazard(e) - mean) ** 2, 1, 1)

    @property
    def longest(self) -> float:
        """The longest time that can be drawn, seconds; `math.inf` where the worker may never answer."""
        return float(self.quantile(np.nextafter(1.0, 0.0)))  # no draw is 1

    @property
    def homogeneous(self) -> bool:
        """Whether all workers follow the same law."""
        return True

    @property
    def measured(self) -> bool:
        """Whether times were measured task by task, so that loads do not scale them unless the cluster says how."""
        return False

    @property
    def recorded_tasks(self) -> int | None:
        """How many tasks the model knows of, or None where there is no end to them."""
        return None

    @property
    def chains(self) -> int:
        """How many Markov chains are nested in the model, so that each can draw from a lane of its own."""
        return 0

    def order_statistic_mean(self, k: int, n: int) -> float:
        """E[X_(k)], the mean time until the fastest k of n independent workers have answered.

        In closed form where there is one; otherwise the integral of the quantile function against the density of
        the k-th of n ordered uniforms, Beta(k, n - k + 1), to about ten digits.

        Parameters
        ----------
        k : int
            How many answers to wait for, 1 to n.
        n : int
            Number of workers.

        Returns
        -------
        float
            Seconds; `math.inf` where fewer than k workers may answer.

        Raises
        ------
        ConfigurationError
            If k is not in 1 .. n, if the workers differ, or if the tail is too heavy to integrate.
        """
        k, n = self._checked_rank(k, n)
        if not self.homogeneous:
            raise ConfigurationError(
                f"order_statistic_mean of {self!r}: expected workers that all follow the same law; "
                "ask the model of one kind of worker, or simulate the cluster"
            )
        if np.isinf(self.quantile(np.nextafter(1.0, 0.0))):
            return math.inf
        return order_statistic_expectation(self.inverse_hazard, k, n)

    def shifts(self, workers: int) -> Floats:
        """The smallest possible time of each worker: the shift of load scaling.

        Parameters
        ----------
        workers : int
            Number of workers.

        Returns
        -------
        ndarray of float64, shape (workers,), seconds
        """
        return np.full(workers, float(self.quantile(0.0)))

    @staticmethod
    def _checked_rank(k: int, n: int) -> tuple[int, int]:
        """Check the rank k of an order statistic of n workers."""
        n = integer("n", n, low=1, high=COUNT)
        return integer("k", k, low=1, high=n, remedy="wait for no more answers than there are workers"), n


def representable(times: Floats) -> Floats:
    """Return drawn times, or refuse finite ones that are so long that sums of them could not be represented.

    Examples
    --------
    >>> representable(np.array([1e308]))
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: the latency model drew a time of 1e+308 s: expected at most 1e+100 s, for \
sums of longer ones cannot be represented, or infinity for a worker that never answers
    """
    if times.max(initial=0.0) > LONGEST and len(late := times[(times > LONGEST) & (times < math.inf)]):
        raise ConfigurationError(
            f"the latency model drew a time of {late[0]:g} s: expected at most {LONGEST:g} s, for sums of longer ones "
            "cannot be represented, or infinity for a worker that never answers"
        )
    return times


def _only_rows(
    self: LatencyModel, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0
) -> None:
    """What `LatencyModel.times_at` is where `times` alone was overridden."""
    del self, uniforms, tasks, workers, lane
