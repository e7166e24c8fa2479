"""Decisions: the commands of a policy, and what it wants to wait for."""

import math
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from clustersim.protocol.plans import Plan

__all__ = ["BUSY", "Busy", "Command", "Decision", "Dispatch", "Stop", "Update", "Wants"]

Busy = Literal["restart", "send", "finish", "queue"]
"""What a busy worker does with a newer model: drop its work and *restart*; *finish* first and then take the newest
model; *queue* the model and work through all models in order; or *send* its finished blocks, if any, and restart."""

BUSY: tuple[Busy, ...] = get_args(Busy)
"""All of these rules. The first two give up the unfinished work; the last two keep it."""


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

    Examples
    --------
    The mean gradient of two messages, each the sum over ten rows, while message 7 is kept for a later update:

    >>> Update(np.array([4, 5]), 1 / 20, keep=np.array([7]))
    Update(messages=array([4, 5]), weights=0.05, keep=array([7]))
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

    Examples
    --------
    To all workers, of which those that are busy drop their work; and to workers 0 and 2 that have just answered:

    >>> Dispatch(busy="restart")
    Dispatch(workers=None, busy='restart')
    >>> Dispatch(np.array([0, 2]))
    Dispatch(workers=array([0, 2]), busy=None)
    """

    workers: NDArray[np.int64] | None = None
    busy: Busy | None = None


class Stop(NamedTuple):
    """End the run for this reason.

    Examples
    --------
    >>> import clustersim as cs
    >>> from clustersim.protocol import Policy, PolicyState
    >>> class AtOnce(Policy, PolicyState):
    ...     k = 1
    ...     def begin(self, setting):
    ...         return self
    ...     def react(self, event):
    ...         return Decision((Stop("nothing to do"),), Wants())
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=4, features=2, seed=1),
    ...     cs.Cluster(workers=2, compute=cs.Constant(1.0)),
    ...     AtOnce(),
    ...     optimizer=cs.SGD(0.1),
    ...     until=cs.Until(updates=10),
    ... )
    >>> run.totals["reason"]
    'nothing to do'
    """

    reason: str


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

    Examples
    --------
    Wait for three messages, but for no longer than half a second:

    >>> Wants(arrivals=3, patience=0.5)
    Wants(arrivals=3, deadline=inf, patience=0.5)
    """

    arrivals: int = 1
    deadline: float = math.inf
    patience: float = math.inf


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

    Examples
    --------
    Send the model to all workers, and wait for the first four messages. Commands are in a tuple, even a single one:

    >>> Decision((Dispatch(busy="restart"),), Wants(4)).commands
    (Dispatch(workers=None, busy='restart'),)
    """

    commands: tuple[Command, ...]
    wants: Wants
    plan: Plan | None = None
