"""How workers straggle: now and then, or for a while; `markov` and `per_worker` have the other ways.

Each model wraps others or stands alone, and keeps the rule that the time of task q of worker i is a function of (q, i)
alone. Draws come in through `clustersim.streams.Uniforms` and go out as seconds, see `clustersim.latency.base`.
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
    """A worker answers after a fixed time or, with the given probability, not at all in this task.

    The model of stochastic gradient coding (Bitar et al., 2020); use it with ``scaling="none"``.

    Parameters
    ----------
    probability : float
        Probability of straggling, 0 to 1.
    time : float, default 1.0
        Seconds that a worker takes that does not straggle, at least 0.

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
        """`time` up to the probability of an answer, `inf` beyond."""
        answers = np.asarray(u) <= 1.0 - self.probability
        return np.where(answers & (self.probability < 1.0), self.time, math.inf)

    def cdf(self, t: ArrayLike) -> Floats:
        """P(X <= t) = 1 - probability from `time` on."""
        return np.where(np.asarray(t) >= self.time, 1.0 - self.probability, 0.0)

    @property
    def expected_time(self) -> float:
        """E[X]: `time` if every worker answers, else `inf`."""
        return self.time if self.probability == 0.0 else math.inf

    @property
    def variance(self) -> float:
        """Var[X]: 0 if every worker answers, else `inf`."""
        return 0.0 if self.probability == 0.0 else math.inf

    def order_statistic_mean(self, k: int, n: int) -> float:
        """E[X_(k)]: `inf` as soon as fewer than k of the n workers may answer."""
        self._checked_rank(k, n)
        return self.expected_time

    def shifts(self, workers: int) -> Floats:
        """The time of an answer."""
        return np.full(workers, self.time)


@dataclass(frozen=True)
class Persistent(LatencyModel):
    """Each draw is kept for several tasks in a row: task q takes the draw number q // rounds of `model`.

    The h of live gradient compensation (Xu et al., 2021) and the nu of stochastic gradient coding.

    Parameters
    ----------
    model : LatencyModel
        Where the draws come from.
    rounds : int
        For how many tasks each is kept, at least 1.

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
        """The draws of `model`, each repeated; see `LatencyModel.times`."""
        draws = np.arange(first_task, first_task + tasks) // self.rounds
        first = first_task // self.rounds
        kept = self.model.times(uniforms, first, int(draws[-1]) - first + 1 if tasks else 0, workers, lane)
        return kept[draws - first]

    def times_at(
        self, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0
    ) -> Floats | None:
        """The draws that single tasks keep; see `LatencyModel.times_at`."""
        return self.model.times_at(uniforms, tasks // self.rounds, workers, lane)

    def quantile(self, u: ArrayLike) -> Floats:
        """That of `model`."""
        return self.model.quantile(u)

    def inverse_hazard(self, e: ArrayLike) -> Floats:
        """That of `model`."""
        return self.model.inverse_hazard(e)

    def cdf(self, t: ArrayLike) -> Floats:
        """That of `model`."""
        return self.model.cdf(t)

    def survival(self, t: ArrayLike) -> Floats:
        """That of `model`."""
        return self.model.survival(t)

    @property
    def expected_time(self) -> float:
        """E[X], that of `model`."""
        return self.model.expected_time

    @property
    def variance(self) -> float:
        """Var[X], that of `model`."""
        return self.model.variance

    @property
    def measured(self) -> bool:
        """Whether `model` has measured times."""
        return self.model.measured

    @property
    def longest(self) -> float:
        """That of `model`."""
        return self.model.longest

    @property
    def homogeneous(self) -> bool:
        """Whether all workers of `model` follow the same law."""
        return self.model.homogeneous

    @property
    def recorded_tasks(self) -> int | None:
        """As many as `model` knows of, times `rounds`."""
        recorded = self.model.recorded_tasks
        return None if recorded is None else recorded * self.rounds

    @property
    def chains(self) -> int:
        """That of `model`."""
        return self.model.chains

    def order_statistic_mean(self, k: int, n: int) -> float:
        """E[X_(k)], that of `model`: keeping draws does not change the law of a single task."""
        return self.model.order_statistic_mean(k, n)

    def shifts(self, workers: int) -> Floats:
        """Those of `model`."""
        return self.model.shifts(workers)


def checked_model(name: str, model: object) -> None:
    """Refuse what is no latency model."""
    instance(name, model, LatencyModel, "a latency model, such as Exponential(mean=1.0) or Constant(1.0)")
