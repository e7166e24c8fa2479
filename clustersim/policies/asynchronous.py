"""The family of asynchronous schemes: update as soon as k messages have arrived, whatever their versions.

Two independent choices make a scheme. A worker that has answered gets the current model either at once (the *batch*
variants) or when its message has been used. An update sends the new model either to all workers or only to those that
wait for one. `Asynchronous` carries out any pair of choices, uses late messages, and enforces a bound on their
staleness. `clustersim.policies.k_async` names its common cases.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import flag, integer, store
from clustersim.decoders import Mean
from clustersim.placements import EvenPartition, Placement
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

__all__ = ["Asynchronous"]

_NO_WORKERS = np.empty(0, dtype=np.int64)
_NO_MESSAGES = Arrivals(0.0, _NO_WORKERS, _NO_WORKERS, _NO_WORKERS, _NO_WORKERS, _NO_WORKERS)


@dataclass(frozen=True, repr=False)
class Asynchronous(Policy):
    r"""Update with the mean of the first k messages, whatever the versions of their models.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{\sum_{j=1}^{k} |S_j|} \sum_{j=1}^{k} \sum_{r \in S_j} \nabla f_r(w_{v_j})

    Message j brings the gradients of the rows :math:`S_j` (those that its worker holds, or a mini-batch) at version
    :math:`v_j \le t` of the model; its staleness is :math:`t - v_j`. With shares or mini-batches of s rows the divisor
    is k s.

    Parameters
    ----------
    k : int
        Messages in an update, at least 1. At most n, unless `at_once` is true: then an update may use several messages
        of one worker.
    placement : Placement, default EvenPartition()
        Which worker holds which rows, such as ``ByLabel(classes=2)``. By default each holds m / n of them.
    batch : int, optional
        b, rows that a worker draws afresh for each task from those that it holds, at least 1. If not given, it computes
        all rows that it holds.
    at_once : bool, default False
        Whether a worker gets the current model as soon as it has answered. Otherwise it waits until its message has
        been used.
    to_all : bool, default False
        Whether every worker gets each new model. What a busy worker does with it is the cluster's `busy`: by default it
        gives up its task. Otherwise only the workers that wait for a model get it.
    max_staleness : int, optional
        Largest staleness, in updates, of a message that is used; at least 0. Older messages are discarded, and their
        workers get the current model at once. No bound if not given. A worker is never stopped because of it.

    Raises
    ------
    ConfigurationError
        If a parameter is of the wrong kind or out of range, or (at the start of a run) k is greater than the number of
        workers although `at_once` is false.

    Notes
    -----
    When to use it and when not: use the named schemes where one of them fits. `Asynchronous` is for the other
    combinations, such as K-batch-async with `to_all`. A worker that never answers a task gets no other one, unless
    `to_all` makes it begin anew.

    Cost of an update: k vectors on the uplink, and one for each message that is discarded. On the downlink k in the
    long run, and one for each discarded message; with `to_all` n, and k - 1 more if `at_once` is true.

    Source: Dutta et al. 2018, whose K-async, K-batch-async and K-batch-sync are cases of it.

    Examples
    --------
    >>> from clustersim.policies import KBatchAsync
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
        """Begin a run; raises `ConfigurationError` if k is too large for the number of workers."""
        return _Stream(self, setting)


class _Stream(PolicyState):
    """The state of `Asynchronous` during one run.

    Messages are taken one by one in order of arrival, however many of them the engine passes at once. Those taken wait
    for the update. Those that arrived at the same instant but are not needed for it stay in the inbox, and are taken
    after it.
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
        self._inbox = _NO_MESSAGES
        self._taken: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []  # names of messages, and their workers
        self._count = 0  # of messages taken

    def react(self, event: Event) -> Decision:
        """Send the new model to the workers that wait for it, and take messages until there are k of them."""
        commands: tuple[Command, ...] = ()
        if isinstance(event, Updated):
            self._version = event.version
            commands = self._send(to_all=self._policy.to_all or event.version == 0)
        elif isinstance(event, Arrivals):
            self._inbox = event  # the last one is used up: after an update, `Updated` follows at once
        if len(self._inbox.messages):
            commands += self._take()
        if self._count == self.k:
            return Decision((*commands, self._step()), Wants())
        # act on each message that may be discarded, or whose worker gets a model at once
        single = self._policy.at_once or self._policy.max_staleness is not None
        return Decision(commands, Wants(1 if single else self.k - self._count))

    def _take(self) -> tuple[Command, ...]:
        """Take messages up to the k-th, and skip those that are too old; the engine discards them.

        The worker of a message that is skipped gets the current model. With `at_once`, so does the worker of a message
        that is taken, unless this message completes the update.
        """
        room, bound = self.k - self._count, self._policy.max_staleness
        time, messages, workers, versions, tasks, blocks = self._inbox
        usable = np.full(len(messages), True) if bound is None else self._version - versions <= bound
        enough = usable.nonzero()[0][:room]
        full = len(enough) == room
        end = int(enough[-1]) + 1 if full else len(messages)
        rest = slice(end, None)
        self._inbox = Arrivals(time, messages[rest], workers[rest], versions[rest], tasks[rest], blocks[rest])
        self._taken.append((messages[enough], workers[enough]))
        self._count += len(enough)
        senders = workers[:end]
        last = tasks[:end] + 1 == self._sent[senders]  # otherwise a newer model is on its way already
        now = last & (self._policy.at_once | ~usable[:end])
        if full:
            now[-1] = False
        self._idle += senders[last & ~now].tolist()
        return self._dispatch(senders[now])

    def _step(self) -> Update:
        """Use the messages taken; those in the inbox stay."""
        names, workers = (np.concatenate(parts) for parts in zip(*self._taken, strict=True))
        self._taken, self._count = [], 0
        keep = self._inbox.messages if len(self._inbox.messages) else None
        return Update(names, self._decoder.weights(self._assignment, workers), keep)

    def _send(self, *, to_all: bool) -> tuple[Command, ...]:
        """Send the current model to all workers, or to those whose message has been used and that have no new task."""
        idle, self._idle = np.array(self._idle, dtype=np.int64), []
        if to_all:
            self._sent += 1
            return (Dispatch(busy=self._busy),)
        return self._dispatch(idle)

    def _dispatch(self, workers: NDArray[np.int64]) -> tuple[Command, ...]:
        """Send the current model to some workers."""
        if not len(workers):
            return ()
        self._sent[workers] += 1
        return (Dispatch(np.sort(workers), self._busy),)  # they may be busy: an older model may be on its way
