"""Stragglers: `BernoulliStraggler` at random in each task, `Persistent` for several tasks in a row.

The modules `markov` and `per_worker` contain other models of stragglers. The models turn uniform draws from
`clustersim.streams.Uniforms` into seconds, see `clustersim.latency.base`. The time of task q of worker i depends only
on (q, i).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import fraction, instance, integer, seconds, store
from clustersim.latency.base import LatencyModel
from clustersim.streams import Uniforms

__all__ = ["BernoulliStraggler", "Persistent", "checked_model"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BernoulliStraggler(LatencyModel):
    """A worker responds after a fixed time or, with the given probability, never responds in this task.

    This is the model of stochastic gradient coding (Bitar et al., 2020). Use it with ``scaling="none"``.

    Parameters
    ----------
    probability : float
        Probability that a worker straggles in a task, 0 to 1.
    time : float, default 1.0
        Time of a worker that does not straggle, seconds, at least 0.

    Examples
    --------
    >>> model = BernoulliStraggler(0.25)
    >>> model.quantile([0.1, 0.7, 0.8]), model.expected_time
    (array([ 1.,  1., inf]), inf)
    """

    probability: float
    time: float = 1.0

    def __post_init__(self) -> None:
        probability = fraction("probability", self.probability)
        store(self, probability=probability, time=seconds("time", self.time))

    def quantile(self, u: ArrayLike) -> Floats:
        """Return `time` for u up to the probability of a response, `inf` beyond."""
        responds = np.asarray(u) <= 1.0 - self.probability
        return np.where(responds & (self.probability < 1.0), self.time, math.inf)

    def cdf(self, t: ArrayLike) -> Floats:
        """Return P(X <= t): 1 - probability for t >= `time`, else 0."""
        return np.where(np.asarray(t) >= self.time, 1.0 - self.probability, 0.0)

    @property
    def expected_time(self) -> float:
        """E[X], in seconds: `time` if no worker straggles, else `inf`."""
        return self.time if self.probability == 0.0 else math.inf

    @property
    def variance(self) -> float:
        """Var[X], in seconds squared: 0 if no worker straggles, else `inf`."""
        return 0.0 if self.probability == 0.0 else math.inf

    def order_statistic_mean(self, k: int, n: int) -> float:
        """Return E[X_(k)], in seconds: `time` if no worker straggles, else `inf`."""
        self._checked_rank(k, n)
        return self.expected_time

    def shifts(self, workers: int) -> Floats:
        """Return `time` for each worker, shape (workers,), seconds."""
        return np.full(workers, self.time)


@dataclass(frozen=True)
class Persistent(LatencyModel):
    """Times that persist for several tasks in a row: task q takes the time that `model` draws for task q // rounds.

    `rounds` is the h of live gradient compensation (Xu et al., 2021) and the nu of stochastic gradient coding.

    Parameters
    ----------
    model : LatencyModel
        The model that draws the times.
    rounds : int
        Number of consecutive tasks that take the same time, at least 1.

    Examples
    --------
    >>> from clustersim.streams import Streams
    >>> model, uniforms = Persistent(BernoulliStraggler(0.5), rounds=3), Streams(seed=1).uniforms("compute")
    >>> times = model.times(uniforms, first_task=3, tasks=3, workers=4)
    >>> bool((times == times[0]).all())
    True
    """

    model: LatencyModel
    rounds: int

    def __post_init__(self) -> None:
        store(self, rounds=integer("rounds", self.rounds, low=1))
        checked_model("model", self.model)

    def times(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int, lane: int = 0) -> Floats:
        """Return the times of consecutive tasks, each draw of `model` repeated; see `LatencyModel.times`."""
        draws = np.arange(first_task, first_task + tasks) // self.rounds
        first = first_task // self.rounds
        drawn = self.model.times(uniforms, first, int(draws[-1]) - first + 1 if tasks else 0, workers, lane)
        return drawn[draws - first]

    def times_at(
        self, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0
    ) -> Floats | None:
        """Return the times of single tasks; see `LatencyModel.times_at`."""
        return self.model.times_at(uniforms, tasks // self.rounds, workers, lane)

    def quantile(self, u: ArrayLike) -> Floats:
        """Return the quantile of `model`; see `LatencyModel.quantile`."""
        return self.model.quantile(u)

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """Return the inverse hazard of `model`; see `LatencyModel.inverse_hazard`."""
        return self.model.inverse_hazard(e)

    def cdf(self, t: ArrayLike) -> Floats:
        """Return P(X <= t) of `model`."""
        return self.model.cdf(t)

    def survival(self, t: ArrayLike) -> Floats:
        """Return P(X > t) of `model`."""
        return self.model.survival(t)

    @property
    def expected_time(self) -> float:
        """E[X] of `model`, in seconds."""
        return self.model.expected_time

    @property
    def variance(self) -> float:
        """Var[X] of `model`, in seconds squared."""
        return self.model.variance

    @property
    def measured(self) -> bool:
        """Whether `model` contains measured times."""
        return self.model.measured

    @property
    def longest(self) -> float:
        """The longest time that `model` can draw, in seconds."""
        return self.model.longest

    @property
    def homogeneous(self) -> bool:
        """Whether all workers of `model` follow the same law."""
        return self.model.homogeneous

    @property
    def recorded_tasks(self) -> int | None:
        """`rounds` times the number of recorded tasks of `model`, or None if it has no limit."""
        recorded = self.model.recorded_tasks
        return None if recorded is None else recorded * self.rounds

    @property
    def chains(self) -> int:
        """Number of Markov chains in `model`."""
        return self.model.chains

    def order_statistic_mean(self, k: int, n: int) -> float:
        """Return E[X_(k)] of `model`, in seconds: persistence does not change the law of a single task."""
        return self.model.order_statistic_mean(k, n)

    def shifts(self, workers: int) -> Floats:
        """Return the smallest possible times of `model`, shape (workers,), seconds."""
        return self.model.shifts(workers)


def checked_model(name: str, model: object) -> None:
    """Check that `model` is a latency model."""
    instance(name, model, LatencyModel, "a latency model, such as Exponential(mean=1.0) or Constant(1.0)")
