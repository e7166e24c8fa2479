"""Workers that are slow for a while: a two-state Markov chain per worker."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import fraction, instance, store
from clustersim.errors import ConfigurationError
from clustersim.latency.base import LatencyModel
from clustersim.latency.mixture import Mixture
from clustersim.streams import Uniforms

__all__ = ["Markov"]

Floats = NDArray[np.float64]
Slow = NDArray[np.bool_]

_STATE_LANE = 2**32  # the draws of the states, out of the way of the lanes that load scaling uses
_FIRST_STRETCH = 64  # tasks to look back at first

# Where each stream's chains stand: {(chain's lane and probabilities, workers): {task: who is slow before it}}, for the
# tasks asked for last (other lanes will ask again) and those after them. It saves time only; every state can be told
# from the draws alone.
_standing: WeakKeyDictionary[Uniforms, dict[tuple[object, ...], dict[int, Slow]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Markov(Mixture):
    """Each worker is fast or slow, and changes between its tasks as a Markov chain of its own.

    The chain starts in its stationary law, so a worker is slow in any task with probability
    slow_down / (slow_down + recover); slow phases last 1 / recover tasks on average. The state in a task is a function
    of (task, worker) only. `expected_time`, `quantile` and the order statistics are those of a single task.

    Parameters
    ----------
    fast, slow : LatencyModel
        The time of a task in either state; in a task both would use the same uniform draw.
    slow_down : float
        Probability that a fast worker is slow in its next task, 0 to 1.
    recover : float
        Probability that a slow worker is fast in its next task, 0 to 1; not both may be 0.

    Examples
    --------
    >>> from clustersim.latency import Constant
    >>> model = Markov(fast=Constant(1.0), slow=Constant(5.0), slow_down=0.1, recover=0.3)
    >>> round(model.probability_slow, 9), round(model.expected_time, 9)
    (0.25, 2.0)
    """

    fast: LatencyModel
    slow: LatencyModel
    slow_down: float
    recover: float

    def __post_init__(self) -> None:
        for name in ("fast", "slow"):
            instance(name, getattr(self, name), LatencyModel, "a latency model, such as Exponential(mean=1.0)")
        store(self, slow_down=fraction("slow_down", self.slow_down), recover=fraction("recover", self.recover))
        if self.slow_down + self.recover == 0.0:
            raise ConfigurationError(
                "slow_down = recover = 0: expected a chain that moves; use PerWorker for workers that stay as they are"
            )

    @property
    def probability_slow(self) -> float:
        """The stationary probability of the slow state."""
        return self.slow_down / (self.slow_down + self.recover)

    def parts(self) -> list[tuple[float, LatencyModel]]:
        """Both states with their stationary probabilities."""
        slow = self.probability_slow
        return [(p, model) for p, model in ((1.0 - slow, self.fast), (slow, self.slow)) if p > 0.0]

    @property
    def homogeneous(self) -> bool:
        """Whether the workers follow the same law in either state."""
        return self.fast.homogeneous and self.slow.homogeneous

    @property
    def recorded_tasks(self) -> int | None:
        """The fewest that either state knows of."""
        known = (self.fast.recorded_tasks, self.slow.recorded_tasks)
        return min((tasks for tasks in known if tasks is not None), default=None)

    @property
    def chains(self) -> int:
        """One more than the states have."""
        return 1 + max(self.fast.chains, self.slow.chains)

    def times(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int, lane: int = 0) -> Floats:
        """The time of each worker in its state; see `LatencyModel.times`."""
        slow = self.slow_tasks(uniforms, first_task, tasks, workers)
        slow_times = self.slow.times(uniforms, first_task, tasks, workers, lane)
        return np.where(slow, slow_times, self.fast.times(uniforms, first_task, tasks, workers, lane))

    def shifts(self, workers: int) -> Floats:
        """The smaller of the two states' smallest times, seconds."""
        shifts: Floats = np.min([model.shifts(workers) for _, model in self.parts()], axis=0)
        return shifts

    def slow_tasks(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int) -> Slow:
        """Which tasks find which worker slow.

        Parameters
        ----------
        uniforms : Uniforms
            The stream of draws.
        first_task, tasks, workers : int
            As for `times`.

        Returns
        -------
        ndarray of bool, shape (tasks, workers)
        """
        key = (_STATE_LANE + self.chains, self.slow_down, self.recover, workers)
        standing = _standing.setdefault(uniforms, {})
        before = standing.get(key, {}).get(first_task)
        if before is None:
            before = self._look_back(uniforms, first_task, workers)
        states = self._run(uniforms, before, first_task, tasks)
        standing[key] = {first_task: before, first_task + tasks: states[-1].copy() if tasks else before}
        return states

    def _run(self, uniforms: Uniforms, before: Slow, first_task: int, tasks: int) -> Slow:
        """The states of consecutive tasks, from those of the task before them."""
        draws = uniforms.block(first_task, tasks, len(before), _STATE_LANE + self.chains)
        if_fast, if_slow = draws < self.slow_down, draws < 1.0 - self.recover
        states = np.empty(draws.shape, dtype=np.bool_)
        for row in range(tasks):
            if first_task + row == 0:  # nothing came before
                before = draws[row] < self.probability_slow
            else:
                before = np.where(before, if_slow[row], if_fast[row])
            states[row] = before
        return states

    def _look_back(self, uniforms: Uniforms, task: int, workers: int) -> Slow:
        """The states just before `task`, whatever was asked for earlier.

        Far enough back it makes no difference to anybody whether the worker was fast or slow, because one draw decides
        for both; so the chain is run from both, from ever earlier, until they agree or the first task is reached.
        """
        stretch = _FIRST_STRETCH
        while True:
            start = max(0, task - stretch)
            ends = [self._run(uniforms, np.full(workers, slow), start, task - start)[-1:] for slow in (False, True)]
            if start == 0 or bool((ends[0] == ends[1]).all()):
                return ends[0][0] if len(ends[0]) else np.zeros(workers, dtype=np.bool_)
            stretch *= 2
