"""Events: what a policy is notified of."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrivals", "Event", "Lost", "Timeout", "Updated"]


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

    Examples
    --------
    At 2.5 s worker 3 answers version 4 of the model, and worker 0 still answers version 2:

    >>> arrivals = Arrivals(
    ...     time=2.5,
    ...     messages=np.array([17, 18]),
    ...     workers=np.array([0, 3]),
    ...     versions=np.array([2, 4]),
    ...     tasks=np.array([2, 4]),
    ...     blocks=np.array([1, 1]),
    ... )
    >>> arrivals.messages[arrivals.versions == 4].tolist()  # those about the current model
    [18]
    """

    time: float
    messages: NDArray[np.int64]
    workers: NDArray[np.int64]
    versions: NDArray[np.int64]
    tasks: NDArray[np.int64]
    blocks: NDArray[np.int64]


class Timeout(NamedTuple):
    """The deadline that the policy had set passed at `time`, in seconds.

    Examples
    --------
    >>> from clustersim.protocol import Decision, Stop, Wants
    >>> def react(event):
    ...     if isinstance(event, Timeout):
    ...         return Decision((Stop(f"no worker answered until {event.time:g} s"),), Wants())
    >>> react(Timeout(3.0)).commands
    (Stop(reason='no worker answered until 3 s'),)
    """

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

    Examples
    --------
    Every run begins with this event, to which most policies reply by sending the model to all workers:

    >>> from clustersim.protocol import Decision, Dispatch, Wants
    >>> first = Updated(time=0.0, version=0, gradient=None)
    >>> decision = Decision((Dispatch(),), Wants()) if first.version == 0 else None
    >>> decision.commands
    (Dispatch(workers=None, busy=None),)
    """

    time: float
    version: int
    gradient: NDArray[np.float64] | None


class Lost(NamedTuple):
    """No message can arrive any more; `workers` have unanswered tasks and will never answer them.

    Examples
    --------
    A policy that goes on without these workers uses the messages that it has, numbered 4 and 5:

    >>> from clustersim.protocol import Decision, Update, Wants
    >>> event, inbox = Lost(time=7.0, workers=np.array([2])), np.array([4, 5])
    >>> Decision((Update(inbox, 1 / 20),), Wants()).commands[0].weights
    0.05
    """

    time: float
    workers: NDArray[np.int64]


Event = Arrivals | Timeout | Updated | Lost
