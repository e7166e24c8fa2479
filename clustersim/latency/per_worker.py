"""Workers that differ: each follows a model of its own.

Draws come in through `clustersim.streams.Uniforms` and go out as seconds, each worker's from its own model; see
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
    """Unlike workers: worker i follows models[i].

    `expected_time`, `variance` and `quantile` describe the time of a worker chosen at random.

    Parameters
    ----------
    models : sequence of LatencyModel
        One a worker. Equal models are drawn together, so a cluster of a few kinds of machines costs no more than one
        of equal machines.

    Raises
    ------
    ConfigurationError
        If it is empty or holds something else; from `times`, if there are more workers than models.

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
        store(self, models=several("models", self.models, "a sequence of latency models, one a worker"))
        if not self.models:
            raise ConfigurationError("models = []: expected at least one latency model, one a worker")
        for worker, model in enumerate(self.models):
            checked_model(f"models[{worker}]", model)

    def __repr__(self) -> str:
        first = itertools.islice(itertools.groupby(self.models), 7)
        words = [f"{sum(1 for _ in run)} x {model!r}" for model, run in first]
        if len(words) > 6:
            words = [*words[:5], f"... {len(self.models)} workers in all"]
        return f"PerWorker({', '.join(words)})"

    @cached_property
    def _groups(self) -> dict[LatencyModel, NDArray[np.intp]]:
        """The numbers of the workers of each kind, in ascending order."""
        members: dict[LatencyModel, list[int]] = {}
        for worker, model in enumerate(self.models):
            members.setdefault(model, []).append(worker)
        return {model: np.array(workers, dtype=np.intp) for model, workers in members.items()}

    @cached_property
    def _kinds(self) -> NDArray[np.intp]:
        """The number of each worker's group."""
        kinds = np.empty(len(self.models), dtype=np.intp)
        for kind, members in enumerate(self._groups.values()):
            kinds[members] = kind
        return kinds

    def parts(self) -> list[tuple[float, LatencyModel]]:
        """Each kind of worker and its share of them."""
        return [(len(workers) / len(self.models), model) for model, workers in self._groups.items()]

    def times(self, uniforms: Uniforms, first_task: int, tasks: int, workers: int, lane: int = 0) -> Floats:
        """The times of each worker from its own model; see `LatencyModel.times`."""
        self._need(workers)
        uniform = uniforms.block(first_task, tasks, workers, lane)
        times = np.empty((tasks, workers))
        for model, members in self._groups.items():
            mine = members[: np.searchsorted(members, workers)]
            if not len(mine):
                continue
            if type(model).times is LatencyModel.times:  # nothing but a quantile: its own columns suffice
                times[:, mine] = model.quantile(uniform[:, mine])
            else:
                times[:, mine] = model.times(uniforms, first_task, tasks, int(mine[-1]) + 1, lane)[:, mine]
        return times

    def times_at(
        self, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64], lane: int = 0
    ) -> Floats | None:
        """Single times, each from its worker's own model; see `LatencyModel.times_at`."""
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
        """Whether all models are equal."""
        return len(self._groups) == 1 and self.models[0].homogeneous

    @property
    def recorded_tasks(self) -> int | None:
        """The fewest that any of the models knows of."""
        known = [model.recorded_tasks for model in self._groups]
        return min((tasks for tasks in known if tasks is not None), default=None)

    @property
    def chains(self) -> int:
        """The most that any of the models has."""
        return max(model.chains for model in self._groups)

    def shifts(self, workers: int) -> Floats:
        """The smallest possible time of each worker, seconds."""
        self._need(workers)
        shifts = np.empty(workers)
        for model, members in self._groups.items():
            mine = members[: np.searchsorted(members, workers)]
            if len(mine):
                shifts[mine] = model.shifts(1) if model.homogeneous else model.shifts(int(mine[-1]) + 1)[mine]
        return shifts

    def _need(self, workers: int) -> None:
        """Refuse to invent models of workers."""
        if workers > len(self.models):
            raise ConfigurationError(
                f"workers = {workers}: expected at most {len(self.models)}, one for each model of {self!r}; "
                "name more models or use fewer workers"
            )
