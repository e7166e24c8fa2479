"""Policies: the base classes of a policy and its state, what they know before a run, and what workers compute."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import COUNT, instance, integer, store
from clustersim.placements import Assignment, EvenPartition, Placement
from clustersim.protocol.decisions import Busy, Decision
from clustersim.protocol.events import Event

__all__ = ["Policy", "PolicyState", "Setting", "Work"]


@dataclass(frozen=True)
class Work:
    """What the workers compute in a task.

    Parameters
    ----------
    placement : Placement, default EvenPartition()
        The rule that says which worker holds which rows.
    batch : int, optional
        The number of rows that a worker draws anew for each task, from the rows that it holds; all of these rows if not
        given. The draw depends only on the task and the worker, not on the policy.
    blocks : int, default 1
        s, the number of blocks into which a worker cuts the rows of a task, as evenly as possible. It works through
        them in order. When it is stopped with ``busy="send"``, its message contains the blocks that it has finished.
    messages : int, optional
        The number of messages that an update uses, by which epochs are counted; one from each worker if not given.

    Raises
    ------
    ConfigurationError
        If a part is of the wrong kind or below 1, or there are more blocks than rows in a batch.

    Examples
    --------
    >>> Work(batch=32, blocks=4)
    Work(placement=EvenPartition(), batch=32, blocks=4, messages=None)
    """

    placement: Placement = EvenPartition()
    batch: int | None = None
    blocks: int = 1
    messages: int | None = None

    def __post_init__(self) -> None:
        instance("placement", self.placement, Placement, "a placement, such as cs.ByLabel(classes=2)")
        if self.batch is not None:
            store(self, batch=integer("batch", self.batch, low=1, high=COUNT))
        remedy = f"a batch has only {self.batch} rows; use fewer blocks or a larger batch" if self.batch else ""
        store(self, blocks=integer("blocks", self.blocks, low=1, high=self.batch or COUNT, remedy=remedy))
        if self.messages is not None:
            store(self, messages=integer("messages", self.messages, low=1))


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What a policy knows of the problem and the cluster before a run.

    Attributes
    ----------
    workers : int
        n, the number of workers.
    assignment : Assignment
        Which worker holds which rows, how many of them it computes in a task, and in how many blocks.
    busy : {"restart", "finish", "queue", "send"}
        What a busy worker of the cluster does with a newer model, unless the policy decides otherwise.
    soonest : ndarray of float, shape (n,), optional
        The least possible time between a dispatch and the arrival of each worker's message, in seconds. None if it is
        not known.
    tick : float, default 1e-9
        Seconds in a tick of the cluster's clock. Deadlines and switching times are rounded to ticks.

    Examples
    --------
    Policies get it from the engine; a test of a policy may make one by hand:

    >>> halves = Assignment(total_rows=4, starts=np.array([0, 2, 4]), rows=np.arange(4))
    >>> setting = Setting(workers=2, assignment=halves, busy="restart")
    >>> setting.assignment.sizes.tolist()
    [2, 2]
    """

    workers: int
    assignment: Assignment
    busy: Busy
    soonest: NDArray[np.float64] | None = None
    tick: float = 1e-9


class PolicyState(ABC):
    """What a policy remembers during one run. Any object with `k` and `react` serves; inheriting is optional.

    Attributes
    ----------
    k : int
        The number of messages for which the master waits at present, as history's column ``k`` shows it: 1 .. n, or
        more where one worker may send several messages for an update (see `Work`).

    Examples
    --------
    Asynchronous gradient descent: step with whatever has arrived, and send the new model to the workers that sent it.
    Each of the workers holds ten rows, and the gradient is the mean over the rows that have arrived.

    >>> from clustersim.protocol import Arrivals, Dispatch, Update, Updated, Wants
    >>> class Asynchronous(PolicyState):
    ...     def __init__(self):
    ...         self.k, self.senders = 1, None  # the first model goes to all
    ...
    ...     def react(self, event):
    ...         if isinstance(event, Arrivals):
    ...             self.senders = np.sort(event.workers)
    ...             return Decision((Update(event.messages, 1 / (10 * len(event.messages))),), Wants())
    ...         return Decision((Dispatch(self.senders),), Wants())
    >>> Asynchronous().react(Updated(time=0.0, version=0, gradient=None)).commands
    (Dispatch(workers=None, busy=None),)
    """

    k: int

    @abstractmethod
    def react(self, event: Event) -> Decision:
        """Process one event and return the decision on it."""


class Policy(ABC):
    """Base class of policies: a frozen dataclass of hyper-parameters that makes a `PolicyState` for each run.

    The `repr` of a policy that is declared with ``repr=False`` shows only the fields that differ from their defaults.

    Examples
    --------
    Plain asynchronous gradient descent, where each worker gets a new model as soon as it has answered:

    >>> import clustersim as cs
    >>> from clustersim.protocol import Arrivals, Dispatch, Update, Wants
    >>> class PlainState(PolicyState):
    ...     def __init__(self, rows):
    ...         self.k, self._rows, self._senders = 1, rows, None
    ...     def react(self, event):
    ...         if isinstance(event, Arrivals):
    ...             self._senders = event.workers
    ...             rows = self._rows[event.workers].sum()
    ...             return Decision((Update(event.messages, 1 / float(rows)),), Wants())
    ...         return Decision((Dispatch(self._senders),), Wants())
    >>> @dataclass(frozen=True)
    ... class Plain(Policy):
    ...     def begin(self, setting):
    ...         return PlainState(setting.assignment.sizes)
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Exponential(mean=1.0)),
    ...     Plain(),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=100),
    ... )
    >>> run.totals["used"] + run.totals["used_late"], run.totals["max_staleness"] > 0
    (100, True)
    """

    def __repr__(self) -> str:
        parts: Any = fields(self) if is_dataclass(self) else ()
        values = {part.name: getattr(self, part.name) for part in parts}
        shown = (f"{part.name}={values[part.name]!r}" for part in parts if values[part.name] != part.default)
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def work(self) -> Work:
        """What the workers compute in a task: by default, all rows of an even partition."""
        return Work()

    @abstractmethod
    def begin(self, setting: Setting) -> PolicyState:
        """Make the state of one run.

        Raises
        ------
        ConfigurationError
            If the hyper-parameters do not fit the cluster, such as a k greater than the number of workers.
        """
