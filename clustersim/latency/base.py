"""The interface of all latency models: random draws, moments, quantiles and order statistics.

A latency model describes X, the seconds that one worker takes for one even share of the data. A model turns uniform
draws from `clustersim.streams.Uniforms` into times, so that the time of task q of worker i depends only on (q, i).
`clustersim.latency.scaling` and `clustersim.links` receive the times as arrays of shape (tasks, workers) or (pairs,).
`math.inf` means that the worker never responds in that task.

A custom model only has to define `quantile`, element by element. All other methods and properties have defaults that
are computed from it.
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

_CHUNK = 1 << 13  # draws that are turned into seconds at once, so that intermediate arrays fit in the cache


class LatencyModel(ABC):
    """Base class of latency models: the law of the time X for one even share, in seconds.

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
    """Whether the class guarantees that its `times` are the quantiles of the draws in lane 0, and that they increase
    with these draws up to rounding. Subclasses do not inherit the value, because they may draw in another way."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Prevent a subclass that overrides `times` from inheriting a `times_at` that returns other times."""
        super().__init_subclass__(**arguments)
        cls.increasing = bool(vars(cls).get("increasing", False))
        owner = next(base for base in cls.__mro__ if vars(base).keys() & {"times", "times_at"})
        if "times_at" not in vars(owner):
            cls.times_at = _no_single_tasks  # type: ignore[method-assign]  # an inherited method cannot be removed

    @abstractmethod
    def quantile(self, u: ArrayLike) -> Floats:
        """Return the inverse of the distribution function: the smallest time t with P(X <= t) >= u.

        Parameters
        ----------
        u : array_like
            Probabilities in [0, 1].

        Returns
        -------
        ndarray of float64, same shape as `u`, seconds
        """

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the time t with P(X > t) = exp(-e): a quantile that stays accurate far out in a heavy tail.

        Parameters
        ----------
        e : array_like
            Values of the cumulative hazard, at least 0.

        Returns
        -------
        ndarray of float64, same shape as `e`, seconds
        """
        probability = -np.expm1(-np.asarray(e, dtype=np.float64))
        return self.quantile(np.minimum(probability, np.nextafter(1.0, 0.0)))  # quantile 1 of an unbounded time is inf

    def cdf(self, t: ArrayLike) -> Floats:
        """Return the distribution function P(X <= t).

        Parameters
        ----------
        t : array_like
            Times, seconds.

        Returns
        -------
        ndarray of float64, same shape as `t`
        """
        times = np.asarray(t, dtype=np.float64)
        low, high = np.zeros(times.shape), np.ones(times.shape)
        for _ in range(54):  # one step for each bit of a float64
            middle = (low + high) / 2
            below = self.quantile(middle) <= times
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.where(self.quantile(high) <= times, high, low)

    def survival(self, t: ArrayLike) -> Floats:
        """Return P(X > t), by default 1 - `cdf`.

        Parameters
        ----------
        t : array_like
            Times, seconds.

        Returns
        -------
        ndarray of float64, same shape as `t`
        """
        return 1.0 - self.cdf(t)

    def times(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int, lane: int = 0) -> Floats:
        """Return the times of consecutive tasks of workers 0 to workers - 1; each depends only on (task, worker).

        Parameters
        ----------
        uniforms : Uniforms
            The stream of uniform draws.
        first_task : int
            Number of the first task, counted from 0 for each worker.
        tasks : int
            Number of tasks.
        workers : int
            Number of workers.
        lane : int, default 0
            Each lane gives an independent draw for the same tasks.

        Returns
        -------
        ndarray of float64, shape (tasks, workers), seconds
            `math.inf` for tasks in which the worker never responds.
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
        """Return the times of single tasks, equal to those of `times`, without drawing the times of other workers.

        Parameters
        ----------
        uniforms : Uniforms
            The stream of uniform draws.
        tasks : ndarray of int, shape (pairs,)
            Numbers of the tasks.
        workers : ndarray of int, shape (pairs,)
            The worker of each task.
        lane : int, default 0
            See `times`.

        Returns
        -------
        ndarray of float64, shape (pairs,), seconds, or None
            None if the model has no faster way than `times`. That is the case for subclasses that override `times` but
            not `times_at`.
        """
        return self.quantile(uniforms.at(tasks, workers, lane))

    @property
    def expected_time(self) -> float:
        """E[X], in seconds; `math.inf` if the worker may never respond."""
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
        """The longest time that can be drawn, in seconds; `math.inf` if the worker may never respond."""
        return float(self.quantile(np.nextafter(1.0, 0.0)))  # uniform draws are less than 1

    @property
    def homogeneous(self) -> bool:
        """Whether all workers follow the same law."""
        return True

    @property
    def measured(self) -> bool:
        """Whether times were measured task by task. Loads then do not scale them, unless the cluster sets a scaling."""
        return False

    @property
    def recorded_tasks(self) -> int | None:
        """Number of tasks for which the model has times, or None if there is no limit."""
        return None

    @property
    def chains(self) -> int:
        """Number of Markov chains nested in the model; each chain draws from its own lane."""
        return 0

    def order_statistic_mean(self, k: int, n: int) -> float:
        """Return E[X_(k)], the mean time until the fastest k of n independent workers have responded.

        Models with a closed form use it. The default integrates the quantile function against the density of the k-th
        of n ordered uniforms, Beta(k, n - k + 1), to about ten digits.

        Parameters
        ----------
        k : int
            Number of messages to wait for, 1 to n.
        n : int
            Number of workers.

        Returns
        -------
        float
            Seconds; `math.inf` if fewer than k workers may respond.

        Raises
        ------
        ConfigurationError
            If k is not in 1 .. n, if the workers follow different laws, or if the tail is too heavy to integrate.
        """
        k, n = self._checked_rank(k, n)
        if not self.homogeneous:
            raise ConfigurationError(
                f"order_statistic_mean of {self!r}: expected workers that all follow the same law; "
                "use the model of one kind of worker, or simulate the cluster"
            )
        if np.isinf(self.quantile(np.nextafter(1.0, 0.0))):
            return math.inf
        return order_statistic_expectation(self.inverse_hazard, k, n)

    def shifts(self, workers: int) -> Floats:
        """Return the smallest possible time of each worker, which load scaling uses as the shift.

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
        """Check the rank k of an order statistic of n workers, and return k and n."""
        n = integer("n", n, low=1, high=COUNT)
        return integer("k", k, low=1, high=n, remedy="wait for at most as many messages as there are workers"), n


def representable(times: Floats) -> Floats:
    """Return the drawn times; refuse finite times that are so long that their sums cannot be represented.

    Examples
    --------
    >>> representable(np.array([1e308]))
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: the latency model drew a time of 1e+308 s: expected at most 1e+100 s, \
because sums of longer times cannot be represented, or infinity for a worker that never responds
    """
    if times.max(initial=0.0) > LONGEST and len(too_long := times[(times > LONGEST) & (times < math.inf)]):
        raise ConfigurationError(
            f"the latency model drew a time of {too_long[0]:g} s: expected at most {LONGEST:g} s, because sums of "
            "longer times cannot be represented, or infinity for a worker that never responds"
        )
    return times


def _no_single_tasks(
    self: LatencyModel, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0
) -> None:
    """Return None: the `times_at` of subclasses that override only `times`."""
    del self, uniforms, tasks, workers, lane
