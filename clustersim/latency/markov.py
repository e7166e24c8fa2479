"""Workers with slow and fast phases: a two-state Markov chain for each worker."""

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

_STATE_LANE = 2**32  # the lane of the states' draws, far from the lanes that load scaling uses
_FIRST_LOOK_BACK = 64  # tasks

# A cache of states for each stream: {(chain's lane and probabilities, workers): {task: who is slow just before it}}. It
# contains the first task of the last call, which other lanes will request again, and the task after that call. It only
# saves time: every state can be computed from the draws alone.
_state_cache: WeakKeyDictionary[Uniforms, dict[tuple[object, ...], dict[int, Slow]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Markov(Mixture):
    """Slow and fast phases: an independent Markov chain for each worker switches between two models.

    A chain moves once for each task and starts in its stationary law. So a worker is slow in any task with probability
    slow_down / (slow_down + recover). Slow phases last 1 / recover tasks on average. The state in a task depends only
    on (task, worker). `expected_time`, `quantile` and the order statistics are those of a single task.

    Parameters
    ----------
    fast : LatencyModel
        The time of a task in the fast state.
    slow : LatencyModel
        The time of a task in the slow state. In each task, both models use the same uniform draw.
    slow_down : float
        Probability that a fast worker is slow in its next task, 0 to 1.
    recover : float
        Probability that a slow worker is fast in its next task, 0 to 1. `slow_down` and `recover` cannot both be 0.

    Raises
    ------
    ConfigurationError
        If a model is not a latency model, a probability is not in [0, 1], or both probabilities are 0.

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
                "slow_down = recover = 0: expected at least one positive probability; use PerWorker for workers whose "
                "state never changes"
            )

    @property
    def probability_slow(self) -> float:
        """The stationary probability of the slow state."""
        return self.slow_down / (self.slow_down + self.recover)

    def parts(self) -> list[tuple[float, LatencyModel]]:
        """Return the pairs (stationary probability, model) of the states with positive probability."""
        slow = self.probability_slow
        return [(p, model) for p, model in ((1.0 - slow, self.fast), (slow, self.slow)) if p > 0.0]

    @property
    def homogeneous(self) -> bool:
        """Whether all workers follow the same law, in both states."""
        return self.fast.homogeneous and self.slow.homogeneous

    @property
    def recorded_tasks(self) -> int | None:
        """The smaller number of recorded tasks of the two models, or None if neither has a limit."""
        known = (self.fast.recorded_tasks, self.slow.recorded_tasks)
        return min((tasks for tasks in known if tasks is not None), default=None)

    @property
    def chains(self) -> int:
        """Number of Markov chains: one more than in the models of the states."""
        return 1 + max(self.fast.chains, self.slow.chains)

    def times(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int, lane: int = 0) -> Floats:
        """Return the times of consecutive tasks, each from the model of the current state; see `LatencyModel.times`."""
        slow = self.slow_tasks(uniforms, first_task, tasks, workers)
        slow_times = self.slow.times(uniforms, first_task, tasks, workers, lane)
        return np.where(slow, slow_times, self.fast.times(uniforms, first_task, tasks, workers, lane))

    def shifts(self, workers: int) -> Floats:
        """Return the smallest possible time of each worker in either state, shape (workers,), seconds."""
        shifts: Floats = np.min([model.shifts(workers) for _, model in self.parts()], axis=0)
        return shifts

    def slow_tasks(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int) -> Slow:
        """Return in which of its tasks each worker is slow.

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

        Returns
        -------
        ndarray of bool, shape (tasks, workers)
            True if the worker is slow in the task.
        """
        key = (_STATE_LANE + self.chains, self.slow_down, self.recover, workers)
        cache = _state_cache.setdefault(uniforms, {})
        before = cache.get(key, {}).get(first_task)
        if before is None:
            before = self._look_back(uniforms, first_task, workers)
        states = self._run(uniforms, before, first_task, tasks)
        cache[key] = {first_task: before, first_task + tasks: states[-1].copy() if tasks else before}
        return states

    def _run(self, uniforms: Uniforms, before: Slow, first_task: int, tasks: int) -> Slow:
        """Return the states in consecutive tasks, given the states in the task before them."""
        draws = uniforms.block(first_task, tasks, len(before), _STATE_LANE + self.chains)
        if_fast, if_slow = draws < self.slow_down, draws < 1.0 - self.recover
        states = np.empty(draws.shape, dtype=np.bool_)
        for row in range(tasks):
            if first_task + row == 0:  # the first task has no predecessor
                before = draws[row] < self.probability_slow
            else:
                before = np.where(before, if_slow[row], if_fast[row])
            states[row] = before
        return states

    def _look_back(self, uniforms: Uniforms, task: int, workers: int) -> Slow:
        """Return the states just before `task`, independently of earlier calls.

        One draw decides the next state of a fast and of a slow worker, so chains from both states merge after a while.
        The chains are run from both states, starting further and further back, until they have merged for all workers
        or the first task is reached.
        """
        look_back = _FIRST_LOOK_BACK
        while True:
            start = max(0, task - look_back)
            ends = [self._run(uniforms, np.full(workers, slow), start, task - start)[-1:] for slow in (False, True)]
            if start == 0 or bool((ends[0] == ends[1]).all()):
                return ends[0][0] if len(ends[0]) else np.zeros(workers, dtype=np.bool_)
            look_back *= 2
