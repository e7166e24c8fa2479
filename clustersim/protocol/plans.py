"""Plans: the decisions of a policy in the coming rounds, so that the engine need not ask it in each."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustersim.protocol.events import Updated

__all__ = ["LatePlan", "Plan", "Round"]

_UNUSED = np.empty(0)


class Round(NamedTuple):
    """The messages computed at one version of the model, those that arrived in time first.

    Attributes
    ----------
    messages, workers, blocks : ndarray of int, shape (a,)
        Name, sender and number of blocks of each message.
    used : ndarray of float, shape (b,), b <= a
        The weights that the update of that version gave to the first b messages. The others arrived too late for it.

    Examples
    --------
    Workers 2 and 0 were in time, and worker 1 was late:

    >>> last = Round(np.array([6, 7, 8]), np.array([2, 0, 1]), np.ones(3, dtype=int), used=np.array([0.1, 0.1]))
    >>> last.workers[len(last.used) :].tolist()
    [1]
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

    Examples
    --------
    Late messages of the model before get the weight 0.05 each, and those that were in time are not used again:

    >>> def late_weights(last):
    ...     return np.where(np.arange(len(last.messages)) < len(last.used), 0.0, 0.05)
    >>> last = Round(np.array([6, 7]), np.array([2, 0]), np.ones(2, dtype=int), used=np.array([0.1]))
    >>> late = LatePlan(late_weights, last, resume=lambda messages: None)
    >>> late.weights(last).tolist()
    [0.0, 0.05]
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
