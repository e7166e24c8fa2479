"""Asynchronous schemes: the master steps whenever k answers are there, and workers need not be in step.

Two independent choices make a scheme: whether a worker that has answered gets the present model at once (the *batch*
variants) or when its answer has been used, and whether an update sends the new model to all or only to those that wait
for one. `Asynchronous` carries out any pair; stale answers and a bound on them belong to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import flag, integer, store
from clustersim.decoders import Mean
from clustersim.placements import EvenPartition, Placement
from clustersim.policies.composition import Composition
from clustersim.protocol import (
    Arrivals,
    Command,
    Decision,
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
_NOTHING = Arrivals(0.0, _NOBODY, _NOBODY, _NOBODY, _NOBODY, _NOBODY)


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
        Answers computed at a model that is more updates old are ignored: they count towards no update and end as
        discarded. Their workers get the present model at once. Nobody is stopped while computing, however old its
        model.

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
        store(self, k=integer("k", self.k, low=1), at_once=flag("at_once", self.at_once))
        store(self, to_all=flag("to_all", self.to_all), batch=self.work.batch)
        if self.max_staleness is not None:
            store(self, max_staleness=integer("max_staleness", self.max_staleness, low=0))

    @property
    def work(self) -> Work:
        """What the workers compute in a task."""
        return Work(self.placement, self.batch, messages=self.k)

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
    staleness for k = 1 is n - 1; ``run.totals`` and the table of messages tell it. A worker that never answers one
    model gets no other: stragglers that do not answer *in a round* (`BernoulliStraggler`) leave for good, one by one.

    ``KAsync(1, max_staleness=R - 1)`` is Ringmaster ASGD with threshold R (A. Maranjyan, A. Tyurin and P. Richtarik,
    "Ringmaster ASGD: the first asynchronous SGD with optimal time complexity", 2025), in the variant that stops nobody:
    an answer of which fewer than R updates have passed is used and its worker gets the new model; an older one is
    ignored, and its worker gets the present model at once.

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
    >>> run.totals["time"], round(run.totals["mean_staleness"], 1)  # five updates a second
    (200.0, 4.0)
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    max_staleness: int | None = None

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
    Source: Dutta et al. 2018. With links without delay no worker is ever idle: updates come at a rate of n / (k E[X]).
    As with `KAsync`, a worker that never answers one model gets no other.

    Examples
    --------
    >>> KBatchAsync(4, batch=32)
    KBatchAsync(k=4, batch=32)
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    max_staleness: int | None = None

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

    def compose(self) -> Asynchronous:
        """As K-batch-async, but every update sends the new model to all, and older answers are thrown away."""
        return Asynchronous(self.k, self.placement, self.batch, at_once=True, to_all=True, max_staleness=0)


class _Stream(PolicyState):
    """The state of `Asynchronous` during one run.

    Answers are taken one by one in the order of their arrival, whatever number of them the engine tells at once. Those
    taken wait for the update; those that came at one instant beyond it are at hand, and are taken after it.
    """

    def __init__(self, policy: Asynchronous, setting: Setting) -> None:
        self.k = policy.k if policy.at_once else workers_to_wait_for("k", policy.k, setting)
        self._policy = policy
        self._assignment = setting.assignment
        self._busy = setting.busy
        self._decoder = Mean()
        self._version = 0
        self._sent = np.zeros(setting.workers, dtype=np.int64)
        self._idle: list[int] = []
        self._at_hand = _NOTHING
        self._taken: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []  # names and workers
        self._count = 0  # of answers taken

    def react(self, event: Event) -> Decision:
        """Send the new model to those who wait for it, and take what is at hand until the next update is due."""
        commands: tuple[Command, ...] = ()
        if isinstance(event, Updated):
            self._version = event.version
            commands = self._send(everybody=self._policy.to_all or event.version == 0)
        elif isinstance(event, Arrivals):
            self._at_hand = event  # nothing is left of the one before: after an update `Updated` comes at once
        if len(self._at_hand.messages):
            commands += self._take()
        if self._count == self.k:
            return Decision((*commands, self._step()), Wants())
        # an answer that may be refused, or whose worker gets a model at once, is a reason to act
        single = self._policy.at_once or self._policy.max_staleness is not None
        return Decision(commands, Wants(1 if single else self.k - self._count))

    def _take(self) -> tuple[Command, ...]:
        """Take answers up to the k-th; those that are too old are left to the engine, which throws them away.

        A worker whose answer is refused gets the present model; so does, if it is to be at once, one whose answer is
        taken, unless that completes the update.
        """
        room, bound = self.k - self._count, self._policy.max_staleness
        time, messages, workers, versions, tasks, blocks = self._at_hand
        fresh = np.full(len(messages), True) if bound is None else self._version - versions <= bound
        enough = fresh.nonzero()[0][:room]
        full = len(enough) == room
        end = int(enough[-1]) + 1 if full else len(messages)
        left = slice(end, None)
        self._at_hand = Arrivals(time, messages[left], workers[left], versions[left], tasks[left], blocks[left])
        self._taken.append((messages[enough], workers[enough]))
        self._count += len(enough)
        seen = workers[:end]
        last = tasks[:end] + 1 == self._sent[seen]  # else a newer model is on its way already
        now = last & (self._policy.at_once | ~fresh[:end])
        if full:
            now[-1] = False
        self._idle += seen[last & ~now].tolist()
        return self._dispatch(seen[now])

    def _step(self) -> Update:
        """Use what is taken; what is at hand stays."""
        names, workers = (np.concatenate(parts) for parts in zip(*self._taken, strict=True))
        self._taken, self._count = [], 0
        keep = self._at_hand.messages if len(self._at_hand.messages) else None
        return Update(names, self._decoder.weights(self._assignment, workers), keep)

    def _send(self, *, everybody: bool) -> tuple[Command, ...]:
        """The present model to all, or to those whose answers have been used and who have got none since."""
        idle, self._idle = np.array(self._idle, dtype=np.int64), []
        if everybody:
            self._sent += 1
            return (Dispatch(busy=self._busy),)
        return self._dispatch(idle)

    def _dispatch(self, workers: NDArray[np.int64]) -> tuple[Command, ...]:
        if not len(workers):
            return ()
        self._sent[workers] += 1
        return (Dispatch(np.sort(workers), self._busy),)  # busy, for an older model may be under way
