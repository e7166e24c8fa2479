"""Checks of a policy's decisions, and the errors of a run that show its last events and commands.

Events and commands flow in from the master; an error flows out if a decision is invalid or the run is stuck.
"""

import reprlib
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.engine.promise import PlannedRounds
from clustersim.errors import ProtocolError, StalledError
from clustersim.protocol import Command, Decision, Event, Policy, Update, Wants

__all__ = ["DecisionChecks", "checked_k", "listed"]

_REMEMBERED = 8  # the number of last events and commands that an error message shows


def checked_k(policy: Policy, state: object, most: int) -> int:
    """Return the number of messages that a policy waits for.

    Parameters
    ----------
    policy : Policy
        The policy that the error message names.
    state : object
        Its state in this run.
    most : int
        The largest number of messages that an update can use.

    Raises
    ------
    ProtocolError
        If the state has no `react` or no `k`, or it is not a whole number from 1 to `most`.
    """
    if not callable(getattr(state, "react", None)):
        raise ProtocolError(
            f"{policy!r}: begin() returns {reprlib.repr(state)}: expected a state with k and react(event)"
        )
    k = getattr(state, "k", None)
    if isinstance(k, int | np.integer) and not isinstance(k, bool) and 1 <= k <= most:
        return int(k)
    found = f"k = {k!r}" if hasattr(state, "k") else "no k"
    raise ProtocolError(
        f"{policy!r}: its state has {found}: expected the number of messages that the master waits for at present, "
        f"1 .. {most}; set self.k in the state that begin() returns"
    )


class DecisionChecks:
    """The checks of one policy's decisions in one run.

    Parameters
    ----------
    policy : Policy
        The policy that error messages name.

    Attributes
    ----------
    recent : deque
        The last events, commands and planned rounds, to which the master appends.
    """

    def __init__(self, policy: Policy) -> None:
        self.recent: deque[Event | Command | PlannedRounds] = deque(maxlen=_REMEMBERED)
        self._policy = policy

    def decision(self, decision: Decision) -> Decision:
        """Return the decision if it is one; otherwise raise an error."""
        if not (isinstance(decision, Decision) and isinstance(decision.wants, Wants)):
            raise self.invalid(f"it returns {decision!r}; give Decision(commands, Wants(...))")
        commands = decision.commands
        if type(commands) is tuple or isinstance(commands, list):
            return decision
        raise self.invalid(
            f"its commands are {commands!r}: put them into a tuple, as in Decision((Dispatch(),), Wants())"
        )

    def workers(self, workers: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        """Return the workers of a dispatch in ascending order; each must exist and be named once."""
        named = _array(workers)
        valid = named.ndim == 1 and (named.dtype.kind in "iu" or not len(named))
        numbers = np.sort(named) if valid else named
        if valid and len(numbers):
            valid = numbers[0] >= 0 and numbers[-1] < count and bool((numbers[1:] > numbers[:-1]).all())
        if not valid:
            given = reprlib.repr(workers.tolist() if isinstance(workers, np.ndarray) else workers)
            raise self.invalid(f"it dispatches to workers {given}; they are 0 .. {count - 1}, each at most once")
        return numbers.astype(np.int64, copy=False)

    def weights(self, command: Update, wanted: int) -> float | NDArray[np.float64]:
        """Return the weights of an update; they must be finite, one for each of `wanted` vectors or one for all."""
        weights = _array(command.weights, np.float64)
        if np.isfinite(weights).all() and weights.shape in ((), (wanted,)):
            return weights if weights.ndim else float(weights)
        raise self.invalid(
            f"it updates {len(command.messages)} messages with weights {command.weights}; give {wanted} finite "
            "weights, or one for all"
        )

    def invalid(self, what: str) -> ProtocolError:
        """Return the error that a decision is invalid, and why."""
        return ProtocolError(f"{self._policy!r} returned an invalid decision: {what}. {self._last_events()}")

    def unknown(self, what: str, names: NDArray[np.int64]) -> ProtocolError:
        """Return the error that a command names messages that are not in the inbox, or names one twice."""
        named = np.asarray(names).tolist()
        return self.invalid(f"it {what} messages {named}; each must be in the inbox, and be named only once")

    def wants(self, wants: Wants, now: float) -> ProtocolError:
        """Return the error that a policy does not say how many messages it wants, or how long, at the time `now`."""
        arrivals, deadline, patience = wants
        if not (is_whole(arrivals) and arrivals >= 1):
            wrong = f"for {arrivals!r} messages; give Wants a whole number of arrivals, at least 1"
        elif not (_is_real(patience) and patience >= 0.0):
            wrong = f"for {patience!r} s; give Wants a patience in seconds, at least 0"
        elif not _is_real(deadline) or np.isnan(deadline):
            wrong = f"until {deadline!r}; give Wants a deadline in seconds, or infinity"
        else:
            wrong = f"until {deadline!r} s, and it is {now:g} s; give Wants a deadline that has not passed"
        return self.invalid(f"it wants to wait {wrong}")

    def standstill(self, events: int, now: float) -> StalledError:
        """Return the error for a run in which this number of events at one time has brought no progress."""
        return StalledError(
            f"{events} events at time {now:g} bring the run no nearer to its end; use a policy that waits, a latency "
            f"model with positive times, or Until(updates=...). {self._last_events()}"
        )

    def stalled(
        self, k: int, version: int, now: float, lost: NDArray[np.int64], workers: int, *, dispatched: bool
    ) -> StalledError:
        """Return the error that no message can arrive any more, at the time `now` in seconds."""
        if not dispatched:
            return StalledError(
                f"{self._policy!r} has never dispatched anything, so no message can arrive; for the first event, "
                f"Updated(version=0), give Decision((Dispatch(),), Wants()). {self._last_events()}"
            )
        if len(lost):
            why = (
                f"{len(lost)} of {workers} workers will never answer{listed(lost)}; wait for fewer workers, set a "
                "deadline, or use a model without infinite times"
            )
        else:
            why = "every task has been answered; wait for fewer messages, or give an Update or a Dispatch"
        return StalledError(
            f"{self._policy!r} waits for {k} messages at version {version}, but at time {now:g} no message can arrive "
            f"any more: {why}. {self._last_events()}"
        )

    def _last_events(self) -> str:
        with np.printoptions(threshold=10, edgeitems=4):
            return "Last events:\n" + "\n".join(f"  {item!r}" for item in self.recent)


def listed(workers: NDArray[np.int64] | list[int]) -> str:
    """Return the first few of a list of workers, in words."""
    shown = ", ".join(str(i) for i in list(workers)[:5])
    more = ", ..." if len(workers) > 5 else ""
    return f" (workers {shown}{more})" if len(workers) else ""


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, and not a bool."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    """Whether a value is a real number, and not a bool."""
    return isinstance(value, float | np.floating) or is_whole(value)


def _array(values: object, dtype: type | None = None) -> NDArray[Any]:
    """Return values as an array; if they make none, a NaN, which no check accepts."""
    try:
        return np.asarray(values, dtype=dtype)
    except (TypeError, ValueError):
        return np.array(np.nan)
