"""Workers that differ: each worker follows its own latency model.

The model of each worker turns its uniform draws from `clustersim.streams.Uniforms` into seconds; see
`clustersim.latency.base`.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import several, store
from clustersim.errors import ConfigurationError
from clustersim.latency.base import LatencyModel
from clustersim.latency.mixture import Mixture
from clustersim.latency.stragglers import checked_model
from clustersim.streams import Uniforms

__all__ = ["PerWorker"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class PerWorker(Mixture):
    """Different laws for different workers: worker i follows models[i].

    `expected_time`, `variance` and `quantile` describe the time of a worker chosen at random.

    Parameters
    ----------
    models : sequence of LatencyModel
        One model for each worker. Workers with equal models are drawn together, so a few kinds of machines are as fast
        to simulate as one.

    Raises
    ------
    ConfigurationError
        If the sequence is empty or contains anything but latency models. The method `times` raises it if there are more
        workers than models.

    Examples
    --------
    Three machines, the last one twice as slow:

    >>> from clustersim.latency import Constant
    >>> model = PerWorker([Constant(1.0)] * 2 + [Constant(2.0)])
    >>> model, model.shifts(3)
    (PerWorker(2 x Constant(time=1.0), 1 x Constant(time=2.0)), array([1., 1., 2.]))
    """

    models: tuple[LatencyModel, ...]

    def __post_init__(self) -> None:
        store(self, models=several("models", self.models, "a sequence of latency models, one for each worker"))
        if not self.models:
            raise ConfigurationError("models = []: expected at least one latency model, one for each worker")
        for worker, model in enumerate(self.models):
            checked_model(f"models[{worker}]", model)

    def __repr__(self) -> str:
        first = itertools.islice(itertools.groupby(self.models), 7)
        items = [f"{sum(1 for _ in equal)} x {model!r}" for model, equal in first]
        if len(items) > 6:
            items = [*items[:5], f"... {len(self.models)} workers in all"]
        return f"PerWorker({', '.join(items)})"

    @cached_property
    def _groups(self) -> dict[LatencyModel, NDArray[np.intp]]:
        """For each distinct model, the numbers of its workers in ascending order."""
        members: dict[LatencyModel, list[int]] = {}
        for worker, model in enumerate(self.models):
            members.setdefault(model, []).append(worker)
        return {model: np.array(workers, dtype=np.intp) for model, workers in members.items()}

    @cached_property
    def _kinds(self) -> NDArray[np.intp]:
        """For each worker, the number of its group in `_groups`, shape (workers,)."""
        kinds = np.empty(len(self.models), dtype=np.intp)
        for kind, members in enumerate(self._groups.values()):
            kinds[members] = kind
        return kinds

    def parts(self) -> list[tuple[float, LatencyModel]]:
        """Return the pairs (fraction of the workers, model), one for each distinct model."""
        return [(len(workers) / len(self.models), model) for model, workers in self._groups.items()]

    def times(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int, lane: int = 0) -> Floats:
        """Return the times of consecutive tasks, each from the worker's own model; see `LatencyModel.times`."""
        self._need(workers)
        uniform = uniforms.block(first_task, tasks, workers, lane)
        times = np.empty((tasks, workers))
        for model, members in self._groups.items():
            mine = members[: np.searchsorted(members, workers)]
            if not len(mine):
                continue
            if type(model).times is LatencyModel.times:  # defined by `quantile` alone, so these columns suffice
                times[:, mine] = model.quantile(uniform[:, mine])
            else:
                times[:, mine] = model.times(uniforms, first_task, tasks, int(mine[-1]) + 1, lane)[:, mine]
        return times

    def times_at(
        self, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0
    ) -> Floats | None:
        """Return the times of single tasks, each from the worker's own model; see `LatencyModel.times_at`."""
        self._need(int(workers.max(initial=-1)) + 1)
        kinds = self._kinds[workers]
        models, times = list(self._groups), np.empty(len(tasks))
        for kind in np.flatnonzero(np.bincount(kinds)).tolist():
            mine = kinds == kind
            own = models[kind].times_at(uniforms, tasks[mine], workers[mine], lane)
            if own is None:
                return None
            times[mine] = own
        return times

    @property
    def homogeneous(self) -> bool:
        """Whether all workers follow the same law: the models are equal and homogeneous."""
        return len(self._groups) == 1 and self.models[0].homogeneous

    @property
    def recorded_tasks(self) -> int | None:
        """The smallest number of recorded tasks of any model, or None if no model has a limit."""
        known = [model.recorded_tasks for model in self._groups]
        return min((tasks for tasks in known if tasks is not None), default=None)

    @property
    def chains(self) -> int:
        """The largest number of Markov chains in any model."""
        return max(model.chains for model in self._groups)

    def shifts(self, workers: int) -> Floats:
        """Return the smallest possible time of each worker, shape (workers,), seconds."""
        self._need(workers)
        shifts = np.empty(workers)
        for model, members in self._groups.items():
            mine = members[: np.searchsorted(members, workers)]
            if len(mine):
                shifts[mine] = model.shifts(1) if model.homogeneous else model.shifts(int(mine[-1]) + 1)[mine]
        return shifts

    def _need(self, workers: int) -> None:
        """Check that there is a model for each worker."""
        if workers > len(self.models):
            raise ConfigurationError(
                f"workers = {workers}: expected at most {len(self.models)}, one for each model of {self!r}; "
                "give more models or use fewer workers"
            )
