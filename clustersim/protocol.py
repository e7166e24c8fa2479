"""The interface between a policy and whatever drives it: a simulator, a unit test or a real cluster.

A policy never touches a clock, a network or a random generator. It receives events and returns commands:

    events: what happened                              commands: what to do
    ---------------------------------------------      -----------------------------------------------------
    `Arrivals`  messages reached the master            `Update`    step the model with these weights
    `Timeout`   the deadline has passed                `Dispatch`  send the current model to these workers
    `Updated`   the model was updated, and how         `Stop`      end the run, and why
    `Lost`      these workers will never answer

The rules:

1. A run begins with ``Updated(time, version=0, gradient=None)``: the first model exists. No worker computes until the
   policy dispatches.
2. Every event carries the time at which it happened. A policy knows no other time.
3. For each event the policy returns one `Decision`: commands, which are carried out in order, and what it *wants* to
   wait for. Directly after an `Update` the policy receives `Updated`. The commands of that decision are carried out
   after the remaining ones, and its wants replace the earlier ones.
4. `Wants` gives the number of further arrivals before which the policy will certainly not act, and the time until which
   it will wait for them. The engine may then notify the policy once for the whole batch. A policy that always wants 1
   is still correct. A batch may hold more messages than were wanted: messages that arrive at the same instant are
   delivered together, in ascending order of worker number.
5. At one instant arrivals come before time-outs, and time-outs before dispatches.
6. Messages carry no arrays. What a worker sends is ``sum_r B[i, r] grad f_r(w_version)`` over the rows of its task
   (`Work`), or over the rows of the first blocks if it was stopped. The policy names the messages that it uses and a
   weight for each. Messages that an `Update` neither uses nor keeps are discarded; a message that is kept may be used
   again. An `Update` without messages uses the empty sum: it counts as an update, but no data enters.
7. A dispatch to a worker that has not answered all its tasks must say what the worker does with its unfinished work.
   Without `Dispatch.busy` such a dispatch is refused.
8. `Lost` is the last resort: it comes when no message can arrive any more and no deadline is set. If the policy then
   returns no command and sets no deadline, the run ends with an error; it never hangs.
9. A decision on `Updated` may contain a `Plan`: the decisions that the policy would make in the coming rounds. The
   engine may then skip asking the policy, which makes large studies fast. A policy that never plans is still correct.
10. A run ends with the turn in which the policy stops it or a horizon is reached. What the policy dispatches in that
    turn is in flight.

A policy is a frozen dataclass of hyper-parameters. Equal policies behave equally. A policy has a readable `repr`, can
be pickled, and serves any number of replications. What changes during a run is kept in the small state that
`Policy.begin` makes.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import COUNT, instance, integer, store
from clustersim.placements import Assignment, EvenPartition, Placement

__all__ = [
    "BUSY",
    "Arrivals",
    "Busy",
    "Command",
    "Decision",
    "Dispatch",
    "Event",
    "LatePlan",
    "Lost",
    "Plan",
    "Policy",
    "PolicyState",
    "Round",
    "Setting",
    "Stop",
    "Timeout",
    "Update",
    "Updated",
    "Wants",
    "Work",
]

_UNUSED = np.empty(0)

Busy = Literal["restart", "send", "finish", "queue"]
"""What a busy worker does with a newer model: drop its work and *restart*; *finish* first and then take the newest
model; *queue* the model and work through all models in order; or *send* its finished blocks, if any, and restart."""

BUSY: tuple[Busy, ...] = get_args(Busy)
"""All of these rules. The first two give up the unfinished work; the last two keep it."""


class Arrivals(NamedTuple):
    """Messages that reached the master since the last `Arrivals`, in order of arrival.

    The engine shares these arrays. A policy may keep them or parts of them, but must not write to them.

    Attributes
    ----------
    time : float
        The present time in seconds, at which the last of the messages arrived.
    messages : ndarray of int, shape (a,)
        Names of the messages, for use in `Update`. Names rise with the order of arrival.
    workers : ndarray of int, shape (a,)
        The worker that sent each message.
    versions : ndarray of int, shape (a,)
        The version of the model at which each message was computed.
    tasks : ndarray of int, shape (a,)
        The number of the task that each message answers; the tasks of a worker are numbered from 0.
    blocks : ndarray of int, shape (a,)
        How many blocks of its task each message contains; fewer than all if the worker was stopped.
    """

    time: float
    messages: NDArray[np.int64]
    workers: NDArray[np.int64]
    versions: NDArray[np.int64]
    tasks: NDArray[np.int64]
    blocks: NDArray[np.int64]


class Timeout(NamedTuple):
    """The deadline that the policy had set passed at `time`, in seconds."""

    time: float


class Updated(NamedTuple):
    """The model has been updated.

    Attributes
    ----------
    time : float
        The present time in seconds.
    version : int
        The version of the new model.
    gradient : ndarray of float, shape (d,), or None
        The gradient that the step used; None for the first model.
    """

    time: float
    version: int
    gradient: NDArray[np.float64] | None


class Lost(NamedTuple):
    """No message can arrive any more; `workers` have unanswered tasks and will never answer them."""

    time: float
    workers: NDArray[np.int64]


class Update(NamedTuple):
    """Step the model with the gradient ``sum_j weights[j] * message_j``.

    Attributes
    ----------
    messages : ndarray of int, shape (a,)
        Names of messages that have arrived. An empty array is a step without data (ridge and momentum act as always).
    weights : float or ndarray of float, shape (a,)
        One weight for all messages, or one weight for each. Where workers send the gradient of each row by itself
        (``Assignment.combined`` is false): one weight for each vector, message by message.
    keep : ndarray of int, optional
        Names of messages that a later update may still use; all others are discarded.
    """

    messages: NDArray[np.int64]
    weights: float | NDArray[np.float64]
    keep: NDArray[np.int64] | None = None


class Dispatch(NamedTuple):
    """Send the current model to `workers`, or to all workers.

    Attributes
    ----------
    workers : ndarray of int, optional
        Worker numbers, 0 .. n - 1, each at most once. None means all workers.
    busy : {"restart", "finish", "queue", "send"}, optional
        What a worker that is still busy does with the new model. None states that all these workers have answered
        all their tasks; if one has not, the dispatch is refused.
    """

    workers: NDArray[np.int64] | None = None
    busy: Busy | None = None


class Stop(NamedTuple):
    """End the run for this reason."""

    reason: str


Event = Arrivals | Timeout | Updated | Lost
Command = Update | Dispatch | Stop


class Wants(NamedTuple):
    """What the policy waits for: it will not act before `arrivals` further messages, nor wait beyond `deadline`.

    Attributes
    ----------
    arrivals : int
        The number of further messages, at least 1.
    deadline : float
        A simulated time in seconds; infinite if there is none. While a policy repeats the same deadline, the wait ends
        at the same tick.
    patience : float
        Seconds from now, exact to the tick at any simulated time. The wait ends then if that is sooner. The deadline
        that it sets is ``event.time + patience``.
    """

    arrivals: int = 1
    deadline: float = math.inf
    patience: float = math.inf


class Round(NamedTuple):
    """The messages computed at one version of the model, those that arrived in time first.

    Attributes
    ----------
    messages, workers, blocks : ndarray of int, shape (a,)
        Name, sender and number of blocks of each message.
    used : ndarray of float, shape (b,), b <= a
        The weights that the update of that version gave to the first b messages. The others arrived too late for it.
    """

    messages: NDArray[np.int64]
    workers: NDArray[np.int64]
    blocks: NDArray[np.int64]
    used: NDArray[np.float64] = _UNUSED


class LatePlan(NamedTuple):
    """What a plan does with messages computed at the model before the present one.

    The decision that contains the plan dispatches with ``busy="send"``: stopped workers send their finished blocks,
    and these messages are late. Each update first uses messages of the present model, as the plan says. It then uses
    messages of the previous model, those that were in time first. It keeps the messages of the present model.

    Attributes
    ----------
    weights : callable
        ``weights(last)`` returns the weights of the messages of the previous model, or None if the update does not use
        them. In planned rounds the names ``last.messages`` mean nothing.
    last : Round
        The messages of that model that the policy keeps when the plan begins, without the late ones.
    resume : callable
        ``resume(messages)`` is called when the planned rounds are over, with the `Round` of messages that were in time
        in the last of them. The policy keeps them from then on.
    """

    weights: Callable[[Round], NDArray[np.float64] | None]
    last: Round
    resume: Callable[[Round], None]


class Plan(NamedTuple):
    """The decisions of a policy in the coming rounds: a promise, so that the engine need not ask.

    A plan belongs to a decision on `Updated` that sends the model to all workers and waits for their messages; give it
    with each such decision. The policy is still asked in the first round of a plan, and what it does is compared with
    the plan. Once the policy has kept one plan, the engine trusts further plans with the same `enough`, `weights`,
    `patience` and `late` (the same functions, not new ones). In each further round, as long as the plan holds:

    1. The master waits until enough workers have answered the model, but no longer than the policy's patience.
    2. It updates with the messages that were enough, or with all that have arrived when the patience ends; it discards
       the others. A round in which no message arrives is not part of the plan: the policy is asked.
    3. It sends the new model to all workers, as in the decision that contains the plan.

    After the last of these rounds the policy receives `Updated` as always. Only the cohort engine uses plans, only with
    links that take no time, and only without a message table. Everywhere else the policy is asked.

    Attributes
    ----------
    rounds : int
        The number of rounds, including the present one.
    enough : int or callable
        How many messages are enough; or ``enough(workers)``. It receives the workers that will answer, in order of
        arrival, and returns the number of messages to wait for. It returns more than there are workers if not even
        all of them are enough.
    weights : float or callable
        The weight of each message; or ``weights(workers)``, which returns one weight for all messages of these workers,
        or one for each vector in them, as the policy's `Update` has it. Messages of weight 0 are not used.
    patience : float
        Seconds after each dispatch at which the wait ends; infinite if there is no deadline.
    until : float
        Simulated seconds: rounds that begin at this instant or later are not part of the plan.
    follow : callable, optional
        ``follow(updated)`` is called instead of ``react(updated)`` where the policy is not asked, for policies that
        watch the gradient. It must not change what is planned.
    late : LatePlan, optional
        What the updates do with late messages; late messages are discarded if it is not given.

    Examples
    --------
    A hundred updates, each with the mean gradient of the three fastest workers; each worker holds ten rows:

    >>> Plan(rounds=100, enough=3, weights=1 / 30).patience
    inf

    Wait until workers 0 and 1 have both answered, and use all messages that have arrived by then:

    >>> both = lambda workers: 1 + max(workers.tolist().index(worker) for worker in (0, 1))
    >>> both(np.array([3, 1, 0, 2]))
    3
    >>> plan = Plan(rounds=100, enough=both, weights=lambda workers: 1 / (10 * len(workers)))
    """

    rounds: int
    enough: int | Callable[[NDArray[np.int64]], int]
    weights: float | Callable[[NDArray[np.int64]], float | NDArray[np.float64]]
    patience: float = math.inf
    until: float = math.inf
    follow: Callable[[Updated], None] | None = None
    late: LatePlan | None = None


class Decision(NamedTuple):
    """What a policy returns for an event: commands, what it wants to wait for, and optionally a plan.

    Attributes
    ----------
    commands : tuple of Command
        Carried out in order, at the time of the event.
    wants : Wants
        When the policy wants to be notified next.
    plan : Plan, optional
        The decisions in the coming rounds; only allowed in a decision on `Updated`.
    """

    commands: tuple[Command, ...]
    wants: Wants
    plan: Plan | None = None


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
