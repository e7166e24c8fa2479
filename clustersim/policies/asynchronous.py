"""Asynchronous schemes: the master steps whenever k answers are there, and workers need not be in step.

Two independent choices make a scheme: whether a worker that has answered gets the present model at once (the *batch*
variants) or when its answer has been used, and whether an update sends the new model to all or only to those that wait
for one. `Asynchronous` carries out any pair; stale answers and a bound on them belong to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer
from clustersim.decoders import Mean
from clustersim.placements import EvenPartition, Placement
from clustersim.policies.synchronous import Composition
from clustersim.protocol import (
    Answer,
    Arrivals,
    Command,
    Dispatch,
    Event,
    Policy,
    PolicyState,
    Setting,
    Update,
    Updated,
    Wants,
    Work,
)
from clustersim.waits.base import workers_to_wait_for

__all__ = ["Asynchronous", "KAsync", "KBatchAsync", "KBatchSync"]

_NOBODY = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, repr=False)
class Asynchronous(Policy):
    """Step with the mean of the first k answers, of whatever version they are.

    Parameters
    ----------
    k : int
        Answers behind an update, 1 .. n.
    placement, batch
        See `FullSync`.
    at_once : bool, default False
        Whether a worker gets the present model as soon as it has answered; else once its answer has been used.
    to_all : bool, default False
        Whether every worker gets each new model, and drops its work (or what else the cluster's `busy` says).
    max_staleness : int, optional
        Answers computed at a model that is more updates old are thrown away, and their workers get the present one.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) k is beyond the number of workers.

    Examples
    --------
    >>> Asynchronous(3, at_once=True) == KBatchAsync(3).compose()
    True
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    at_once: bool = False
    to_all: bool = False
    max_staleness: int | None = None

    def __post_init__(self) -> None:
        integer("k", self.k, low=1)
        if self.max_staleness is not None:
            integer("max_staleness", self.max_staleness, low=0)
        _ = self.work  # it checks its parts

    @property
    def work(self) -> Work:
        """What the workers compute in a task."""
        return Work(self.placement, self.batch)

    def begin(self, setting: Setting) -> PolicyState:
        """Begin a run; raises `ConfigurationError` if k is beyond the number of workers."""
        return _Stream(self, setting)


@dataclass(frozen=True, repr=False)
class KAsync(Composition):
    """K-async SGD: step with the first k answers, of whatever version; those k workers get the new model.

    Parameters
    ----------
    k : int
        Answers behind an update, 1 .. n; k = 1 is asynchronous SGD.
    placement, batch
        See `FullSync`.
    max_staleness : int, optional
        Older answers are thrown away, see `Asynchronous`.

    Raises
    ------
    ConfigurationError
        As for `Asynchronous`.

    Notes
    -----
    Source: Dutta, Joshi, Ghosh, Dube and Nagpurkar 2018, "Slow and stale gradients can win the race". The mean
    staleness for k = 1 is n - 1; ``run.totals`` and the table of messages tell it.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=100, features=3, seed=1),
    ...     cs.Cluster(workers=5, compute=cs.Constant(1.0)),
    ...     cs.KAsync(1),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=1000),
    ... )
    >>> run.totals["time"], run.totals["max_staleness"]  # five updates a second
    (200.0, 4)
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    max_staleness: int | None = None

    def __post_init__(self) -> None:
        self.compose()  # it checks the parameters

    def compose(self) -> Asynchronous:
        """A worker waits until its answer has been used."""
        return Asynchronous(self.k, self.placement, self.batch, max_staleness=self.max_staleness)


@dataclass(frozen=True, repr=False)
class KBatchAsync(Composition):
    """K-batch-async SGD: step with the first k answers, of whatever version; workers go on at once.

    Parameters
    ----------
    k, placement, batch, max_staleness
        See `KAsync`; an update may use several answers of one worker.

    Raises
    ------
    ConfigurationError
        As for `Asynchronous`.

    Notes
    -----
    Source: Dutta et al. 2018. No worker is ever idle: updates come at a rate of n / (k E[X]).

    Examples
    --------
    >>> KBatchAsync(4, batch=32)
    KBatchAsync(k=4, batch=32)
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    max_staleness: int | None = None

    def __post_init__(self) -> None:
        self.compose()  # it checks the parameters

    def compose(self) -> Asynchronous:
        """A worker gets the present model as soon as it has answered."""
        return Asynchronous(self.k, self.placement, self.batch, at_once=True, max_staleness=self.max_staleness)


@dataclass(frozen=True, repr=False)
class KBatchSync(Composition):
    """K-batch-sync SGD: step with the first k answers to the present model, whoever sends them.

    A worker that has answered gets the same model again and draws another mini-batch; all get the new one.

    Parameters
    ----------
    k, placement, batch
        See `KAsync`; without mini-batches a worker's second answer repeats its first.

    Raises
    ------
    ConfigurationError
        As for `Asynchronous`.

    Notes
    -----
    Source: Dutta et al. 2018. With exponential times an update takes k E[X] / n on average.

    Examples
    --------
    >>> KBatchSync(4, batch=32).compose().to_all
    True
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None

    def __post_init__(self) -> None:
        self.compose()  # it checks the parameters

    def compose(self) -> Asynchronous:
        """As K-batch-async, but every update sends the new model to all, and older answers are thrown away."""
        return Asynchronous(self.k, self.placement, self.batch, at_once=True, to_all=True, max_staleness=0)


class _Stream:
    """The state of `Asynchronous` during one run: answers at hand, and which workers wait for a model."""

    def __init__(self, policy: Asynchronous, setting: Setting) -> None:
        self.k = workers_to_wait_for("k", policy.k, setting)
        self._policy = policy
        self._assignment = setting.assignment
        self._busy = setting.busy
        self._decoder = Mean()
        self._version = -1
        self._tasks_sent = np.zeros(setting.workers, dtype=np.int64)
        self._idle = np.ones(setting.workers, dtype=np.bool_)
        self._messages = self._workers = self._versions = _NOBODY

    def react(self, event: Event) -> Answer:
        """Step when k answers are there; if not, send the model to those who are due."""
        everybody = False
        if isinstance(event, Updated):
            self._version = event.version
            everybody = self._policy.to_all or event.version == 0
        elif isinstance(event, Arrivals):
            self._collect(event)
        self._refuse_stale()
        if len(self._messages) >= self.k:
            return Answer((self._step(),), Wants())
        # an answer that may be refused, or whose worker gets a model at once, is a reason to act
        single = self._policy.at_once or self._policy.max_staleness is not None
        return Answer(self._send(everybody=everybody), Wants(1 if single else self.k - len(self._messages)))

    def _collect(self, event: Arrivals) -> None:
        """Take in answers; a worker is idle when it has answered the last model that it was sent."""
        self._messages = np.concatenate((self._messages, event.messages))
        self._workers = np.concatenate((self._workers, event.workers))
        self._versions = np.concatenate((self._versions, event.versions))
        self._idle[event.workers[event.tasks + 1 == self._tasks_sent[event.workers]]] = True

    def _refuse_stale(self) -> None:
        """Let go of answers that are too old; the engine throws them away with the next update."""
        if self._policy.max_staleness is not None:
            self._keep(self._version - self._versions <= self._policy.max_staleness)

    def _keep(self, chosen: NDArray[np.bool_]) -> None:
        self._messages, self._workers = self._messages[chosen], self._workers[chosen]
        self._versions = self._versions[chosen]

    def _step(self) -> Update:
        """Use the first k answers; the others stay."""
        used, workers = self._messages[: self.k], self._workers[: self.k]
        self._keep(np.arange(len(self._messages)) >= self.k)
        return Update(used, self._decoder.weights(self._assignment, workers), keep=self._messages)

    def _send(self, *, everybody: bool) -> tuple[Command, ...]:
        """The present model to all, or to those that wait for one and whose answers have been used."""
        if everybody:
            self._tasks_sent += 1
            self._idle[:] = False
            return (Dispatch(busy=self._busy),)
        due = self._idle.copy()
        if not self._policy.at_once:
            due[self._workers] = False
        chosen = np.flatnonzero(due)
        self._tasks_sent[chosen] += 1
        self._idle[chosen] = False
        return (Dispatch(chosen, self._busy),) if len(chosen) else ()  # an older model may still be on its way
