"""The conversation between a policy and whatever drives it: a simulator, a unit test, or a real cluster.

A policy never touches a clock, a network or a random generator. It is told what happened and answers what to do:

    what happened (events)                             what to do (commands)
    ---------------------------------------------      -----------------------------------------------------
    `Arrivals`  gradients reached the master           `Update`    step the model with these weights
    `Timeout`   the wait ran out                       `Dispatch`  send the current model to these workers
    `Updated`   the step was taken, and its gradient   `Stop`      end the run, and why
    `Lost`      these workers will not answer

The rules:

1. A run begins with ``Updated(time, version=0, gradient=None)``: the first model is there. Nobody computes until the
   policy dispatches.
2. Every event carries the time at which it happened; that is all a policy knows of time.
3. To each event the policy gives one `Decision`: commands, carried out in order, and what it *wants* next. After an
   `Update` it is told `Updated` at once; that answer's commands follow those that are left.
4. `Wants` says before how many further arrivals the policy will certainly not act, and until when it will wait for
   them. The engine may then wake it once for the whole batch. A policy that always wants 1 is still correct. A batch
   may hold more than was wanted: arrivals at one instant come together, the lower worker number first.
5. At one instant arrivals come before time-outs, and time-outs before dispatches.
6. Messages carry no arrays. What a worker sends is ``sum_r B[i, r] grad f_r(w_version)`` over the rows that its task
   is about (`Work`), or over those of the first blocks if it was stopped; the policy names the messages that it uses
   and a weight for each. Messages that an `Update` neither uses nor keeps are thrown away; one that is kept may be used
   again. An `Update` without messages is the empty sum: it counts, though the data says nothing.
7. A dispatch to a worker that still owes an answer says what becomes of that work; otherwise it is refused.
8. `Lost` is the last resort: it comes when nothing can arrive any more and no deadline is set. A policy that has no
   answer to it ends the run with an error, never with a hang.
9. An answer to `Updated` may hold a `Plan`: what the policy would say in the rounds to come, if it were asked. It need
   not be asked then, which makes large studies fast; a policy that never plans is still correct.
10. A run ends with the turn in which the policy stops it or a horizon is reached; what it sends out in that turn is in
   flight.

A policy is a frozen dataclass of hyper-parameters: equal policies behave equally, print themselves, pickle, and serve
any number of replications. What changes during a run lives in the small state that `Policy.begin` makes.
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
model; *queue*: work through every model in order; or *send* the blocks that it has finished, if any, and restart."""

BUSY: tuple[Busy, ...] = get_args(Busy)
"""All of these rules. The first two give up the work, the last two keep it."""


class Arrivals(NamedTuple):
    """Gradients reached the master since the policy was last told; in order of arrival.

    The arrays are the engine's, too: a policy keeps them or parts of them, and writes to copies only.

    Attributes
    ----------
    time : float
        Now, in seconds: the time of the last of them.
    messages : ndarray of int, shape (a,)
        Their names, to be used in `Update`. Names rise with the order of arrival.
    workers : ndarray of int, shape (a,)
        Who sent each.
    versions : ndarray of int, shape (a,)
        The version of the model at which each was computed.
    tasks : ndarray of int, shape (a,)
        Which of the dispatches to its worker each one answers, counted from 0.
    blocks : ndarray of int, shape (a,)
        How many of the blocks of its task each one brings; fewer than all if the worker was stopped.
    """

    time: float
    messages: NDArray[np.int64]
    workers: NDArray[np.int64]
    versions: NDArray[np.int64]
    tasks: NDArray[np.int64]
    blocks: NDArray[np.int64]


class Timeout(NamedTuple):
    """The wait ran out at `time`, the deadline that the policy had asked for."""

    time: float


class Updated(NamedTuple):
    """The model has version `version` now; `gradient`, shape (d,), is what the step used (None for the first model)."""

    time: float
    version: int
    gradient: NDArray[np.float64] | None


class Lost(NamedTuple):
    """Nothing is on its way any more; `workers` owe an answer and will not give it."""

    time: float
    workers: NDArray[np.int64]


class Update(NamedTuple):
    """Step the model with the gradient ``sum_j weights[j] * message_j``.

    Attributes
    ----------
    messages : ndarray of int, shape (a,)
        Names of arrived messages; none at all is a step without data (ridge and momentum act as always).
    weights : float or ndarray of float, shape (a,)
        One weight for all, or one a message. Where workers send each row's gradient by itself
        (``Assignment.combined`` is false): one for each vector, message by message.
    keep : ndarray of int, optional
        Names of messages that a later update may still use; all others are thrown away.
    """

    messages: NDArray[np.int64]
    weights: float | NDArray[np.float64]
    keep: NDArray[np.int64] | None = None


class Dispatch(NamedTuple):
    """Send the current model to `workers` (None: to all of them).

    Attributes
    ----------
    workers : ndarray of int, optional
        Worker numbers, 0 .. n - 1, each at most once.
    busy : {"restart", "finish", "queue", "send"}, optional
        What a worker that is still busy does with the new model. None promises that none of them owes an answer.
    """

    workers: NDArray[np.int64] | None = None
    busy: Busy | None = None


class Stop(NamedTuple):
    """End the run, and say why."""

    reason: str


Event = Arrivals | Timeout | Updated | Lost
Command = Update | Dispatch | Stop


class Wants(NamedTuple):
    """What the policy waits for: it will not act before `arrivals` further messages, nor wait beyond `deadline`.

    Attributes
    ----------
    arrivals : int
        At least 1.
    deadline : float
        A simulated time in seconds; infinite if there is none. While it is the same, the wait ends at the same tick.
    patience : float
        Seconds from now, exact to the tick however late it is: the wait ends then if that is sooner. The deadline that
        it sets is ``event.time + patience``.
    """

    arrivals: int = 1
    deadline: float = math.inf
    patience: float = math.inf


class Round(NamedTuple):
    """The answers to one version of the model, those that were in time first.

    Attributes
    ----------
    messages, workers, blocks : ndarray of int, shape (a,)
        Their names, who sent them, and how many blocks they bring.
    used : ndarray of float, shape (b,), b <= a
        The weights that the update of that version gave the first of them; the others came too late for it.
    """

    messages: NDArray[np.int64]
    workers: NDArray[np.int64]
    blocks: NDArray[np.int64]
    used: NDArray[np.float64] = _UNUSED


class LatePlan(NamedTuple):
    """What a plan does with answers to the model before the present one.

    The answer that the plan belongs to dispatches with ``busy="send"``: stopped workers send their finished blocks,
    which are late. Each update uses answers to the present model, as the plan says, and then answers to the one before,
    those in time first; and it keeps what has answered the present one.

    Attributes
    ----------
    weights : callable
        ``weights(last)`` returns the weights of the answers to the model before, or None if they are of no use. In
        planned rounds the names ``last.messages`` mean nothing.
    last : Round
        The answers to that model that the policy holds as the plan begins, without the late ones.
    resume : callable
        ``resume(answers)`` is called when the planned rounds are over, with the answers of the last of them that were
        in time; the policy holds them from then on.
    """

    weights: Callable[[Round], NDArray[np.float64] | None]
    last: Round
    resume: Callable[[Round], None]


class Plan(NamedTuple):
    """What a policy will say in the rounds to come: a promise, so that it need not be asked.

    It belongs to an answer to `Updated` that sends the model to all workers and waits for their answers; give it with
    each of these. The first round of a plan is gone through all the same, and what the policy says in it is held
    against the plan. Once it has kept one, further plans with the same `enough`, `weights`, `patience` and `late` (the
    same functions, not new ones) are trusted. In each further round, as long as the plan holds:

    1. The master waits until enough workers have answered the model, but not longer than the policy's patience.
    2. It updates with the answers that were enough, or with all that have come when the patience ends; the others are
       thrown away. A round that nobody answers is no part of the plan: the policy is asked.
    3. It sends the new model to all workers, as in the answer that the plan belongs to.

    After the last of these rounds the policy is told `Updated` as always. Plans are used where they help: by the cohort
    engine, with links that take no time, and without a table of messages. Everywhere else the policy is asked.

    Attributes
    ----------
    rounds : int
        How many rounds, the present one included.
    enough : int or callable
        How many answers are enough; or ``enough(workers)``. It is told which workers will answer, in order of arrival,
        and returns how many of these must be waited for; more than there are, if not even all of them are enough.
    weights : float or callable
        The weight of each answer; or ``weights(workers)``, which returns one weight for all, or one for each vector in
        the answers of these workers, as the policy's `Update` has it. Answers of weight 0 are not used.
    patience : float
        Seconds after each dispatch at which the wait ends; infinite if there is no deadline.
    until : float
        Simulated seconds: rounds that begin at this instant or later are no part of the plan.
    follow : callable, optional
        ``follow(updated)`` is called instead of ``react(updated)`` where the policy is not asked, for policies that
        watch the gradient. It must not change what is planned.
    late : LatePlan, optional
        What becomes of late answers; they are thrown away if not given.

    Examples
    --------
    For a hundred updates, take the mean of the gradients of the first three of workers that hold ten rows each:

    >>> Plan(rounds=100, enough=3, weights=1 / 30).patience
    inf

    Wait until workers 0 and 1 have both answered, whoever else has by then:

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
    """What a policy says to an event: what to do now, what it wants next, and perhaps what it will say later."""

    commands: tuple[Command, ...]
    wants: Wants
    plan: Plan | None = None


@dataclass(frozen=True)
class Work:
    """What the workers compute in a task.

    Parameters
    ----------
    placement : Placement, default EvenPartition()
        Who holds which rows.
    batch : int, optional
        Rows that a worker draws afresh for each task, from those that it holds; all of them if not given. The draw
        depends on the task and the worker alone, not on the policy.
    blocks : int, default 1
        s, the parts into which a worker cuts the rows of a task, as even as can be. It works through them in order; a
        worker that is told to `send` when it is stopped answers with those that it has finished.
    answers : int, optional
        Tasks that an update asks for, by which epochs are counted; one of each worker if not given.

    Raises
    ------
    ConfigurationError
        If a part is of the wrong kind or below 1, or there are more blocks than rows in a batch.

    Examples
    --------
    >>> Work(batch=32, blocks=4)
    Work(placement=EvenPartition(), batch=32, blocks=4, answers=None)
    """

    placement: Placement = EvenPartition()
    batch: int | None = None
    blocks: int = 1
    answers: int | None = None

    def __post_init__(self) -> None:
        instance("placement", self.placement, Placement, "a placement, such as cs.ByLabel(classes=2)")
        if self.batch is not None:
            store(self, batch=integer("batch", self.batch, low=1, high=COUNT))
        remedy = f"a batch has only {self.batch} rows; use fewer blocks or a larger batch" if self.batch else ""
        store(self, blocks=integer("blocks", self.blocks, low=1, high=self.batch or COUNT, remedy=remedy))
        if self.answers is not None:
            store(self, answers=integer("answers", self.answers, low=1))


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What a policy is told before a run.

    Attributes
    ----------
    workers : int
        n, the number of workers.
    assignment : Assignment
        Who holds which rows, and computes how many of them in how many blocks.
    busy : {"restart", "finish", "queue", "send"}
        What the cluster's workers do with a newer model, unless the policy decides otherwise.
    soonest : ndarray of float, shape (n,), optional
        Seconds from a dispatch before which no answer of each worker can arrive; not known if not given.
    tick : float, default 1e-9
        Seconds in a tick of the cluster's clock, to which deadlines and switching times are rounded.
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
        """Reply to one event."""


class Policy(ABC):
    """Base class of policies: a frozen dataclass of hyper-parameters that makes a `PolicyState` for each run.

    One declared with ``repr=False`` prints what differs from its defaults.
    """

    def __repr__(self) -> str:
        parts: Any = fields(self) if is_dataclass(self) else ()
        told = {part.name: getattr(self, part.name) for part in parts}
        shown = (f"{part.name}={told[part.name]!r}" for part in parts if told[part.name] != part.default)
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def work(self) -> Work:
        """What the workers compute in a task: all rows of an even partition unless the policy says otherwise."""
        return Work()

    @abstractmethod
    def begin(self, setting: Setting) -> PolicyState:
        """Make the state of one run.

        Raises
        ------
        ConfigurationError
            If the hyper-parameters do not fit the cluster, such as k beyond the number of workers.
        """
