"""The models of the versions that may still be answered: kept by version, and dropped when nobody works on them."""

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.open_tasks import OpenTasks

__all__ = ["Versions"]

_SPARE_BYTES = 1 << 20  # models that nobody will answer may take so much, and no more than the others


class Versions:
    """The models by version.

    Parameters
    ----------
    tasks : OpenTasks
        Whose versions are those that may be answered.
    """

    def __init__(self, tasks: OpenTasks) -> None:
        self._tasks = tasks
        self._models: dict[int, NDArray[np.float64]] = {}
        self._most = 1

    def only(self, version: int, model: NDArray[np.float64]) -> None:
        """All workers begin with this one."""
        self._models = {version: model}

    def add(self, version: int, model: NDArray[np.float64]) -> None:
        """Keep this one too; those of which nobody will need are dropped now and then."""
        self._models[version] = model
        if len(self._models) > self._most:
            tasks = self._tasks
            needed = set(tasks.version[: tasks.size][tasks.open()].tolist()) | {version}
            self._models = {each: self._models[each] for each in needed}
            self._most = len(needed) + max(1, min(len(needed), _SPARE_BYTES // model.nbytes))

    def of(self, versions: NDArray[np.int64]) -> dict[int, NDArray[np.float64]]:
        """The model of each version that is among these."""
        return {version: self._models[version] for version in set(versions.tolist())}
