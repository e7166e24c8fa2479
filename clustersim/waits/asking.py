"""Ask the state of a wait rule what it waits for, and check what it returns.

Policies and combined rules ask through these functions, so that a rule of the user's own that returns something
unusable ends the run with an error that names the rule's state, the value and what was expected.
"""

import math
import reprlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import instance
from clustersim.errors import ConfigurationError
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import Look, Outlook, WaitRule, WaitState

__all__ = ["begin_wait", "look", "needs", "open_round", "outlook", "patience"]

_SECONDS = "a number of seconds, at least 0, or infinity"


def begin_wait(rule: WaitRule, setting: Setting) -> WaitState:
    """Return the state of a rule in one run.

    Raises
    ------
    ConfigurationError
        If the rule does not fit the cluster, or if what it returns is not a `WaitState` with a number of messages `k`
        and a patience in seconds.
    """
    state = rule.begin(setting)
    instance("wait", state, WaitState, f"{rule!r} to return a WaitState from begin()")
    if not (_is_whole(k := getattr(state, "k", None)) and k is not None and 1 <= k <= setting.workers):
        found = f"k = {k!r}" if hasattr(state, "k") else "no k"
        raise ConfigurationError(
            f"{rule!r}: its state has {found}: expected the number of messages that complete a round, 1 .. "
            f"{setting.workers}; set self.k in the state that begin() returns"
        )
    if not (_is_real(state.patience) and state.patience >= 0.0):
        raise ConfigurationError(f"{rule!r}: its state has patience = {state.patience!r}: expected {_SECONDS}")
    return state


def open_round(state: WaitState, updated: Updated, workers: int) -> int:
    """Begin a round, and return the number of messages that complete it, 1 .. `workers`."""
    state.opened(updated)
    k = state.k
    if (type(k) is int or _is_whole(k)) and 1 <= k <= workers:
        return k
    raise ConfigurationError(
        f"{type(state).__name__} has k = {k!r} after opened(): expected the number of messages that complete a round, "
        f"a whole number, 1 .. {workers}"
    )


def patience(state: WaitState) -> float:
    """Return how long the messages of a round may take, in seconds."""
    found = state.patience
    if (type(found) is float or _is_real(found)) and found >= 0.0:
        return found
    raise ConfigurationError(f"{type(state).__name__}: its state has patience = {found!r}: expected {_SECONDS}")


def needs(state: WaitState, workers: NDArray[np.int64]) -> int:
    """Return how many more messages a rule needs after those of `workers`."""
    found = state.needs(workers)
    if (type(found) is int or _is_whole(found)) and found >= -len(workers):
        return found
    raise ConfigurationError(
        f"{type(state).__name__}.needs({workers}) returns {reprlib.repr(found)}: expected a whole number, the messages "
        f"that are still needed{_beyond(found)}"
    )


def look(state: WaitState, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:
    """Return what a rule that watches the clock waits for; see `WaitState.look`."""
    found = state.look(elapsed, workers, times)
    wrong = "Look(needs, until)"
    if isinstance(found, Look):
        count, until = found
        if not ((type(count) is int or _is_whole(count)) and count >= -len(workers)):
            wrong = f"needs to be a whole number, the messages that are still needed{_beyond(count)}"
        elif not ((type(until) is float or _is_real(until)) and not math.isnan(until)):
            wrong = "until to be a number of seconds after the dispatch, or infinity"
        else:
            return found
    name = type(state).__name__
    raise ConfigurationError(f"{name}.look({elapsed:g}, {workers}, ...) returns {found!r}: expected {wrong}")


def outlook(state: WaitState) -> Outlook:
    """Return what a rule promises for the rounds to come."""
    found = state.outlook()
    wrong = "Outlook(rounds, enough)"
    if isinstance(found, Outlook):
        if not (_is_whole(found.rounds) and found.rounds >= 1):
            wrong = "rounds to be a whole number, at least 1"
        elif not (callable(found.enough) or (_is_whole(found.enough) and found.enough >= 1)):
            wrong = "enough to be a whole number, at least 1, or a function of the workers that answer"
        elif not (_is_real(found.until) and not math.isnan(found.until)):
            wrong = "until to be a number of seconds, or infinity"
        else:
            return found
    raise ConfigurationError(f"{type(state).__name__}.outlook() returns {found!r}: expected {wrong}")


def _beyond(found: Any) -> str:
    """Explain a negative number of messages, if that is what was found."""
    return "; the rule cannot leave out more messages than have arrived" if _is_whole(found) and found < 0 else ""


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    return isinstance(value, float | int | np.floating | np.integer) and not isinstance(value, bool)
