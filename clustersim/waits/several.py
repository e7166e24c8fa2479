"""Combine wait rules: end the round when the first of several rules is satisfied, or when all of them are.

Each rule keeps a state of its own. A combined state asks all of these and chooses one of their numbers of messages: the
smallest for `Earliest`, the largest for `Latest`. It chooses among their deadlines in the same way.
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import instance, store
from clustersim.errors import ConfigurationError
from clustersim.protocol import Setting, Updated
from clustersim.ticks import Ticks
from clustersim.waits import asking
from clustersim.waits.base import Look, Outlook, WaitRule, WaitState

__all__ = ["Earliest", "Latest"]


@dataclass(frozen=True, init=False, repr=False)
class _Several(WaitRule):
    """A rule that combines others."""

    rules: tuple[WaitRule, ...]

    def __init__(self, *rules: WaitRule) -> None:
        for rule in rules:
            instance("rules", rule, WaitRule, "wait rules one by one, such as Fraction(0.5), Covered()")
        if not rules:
            raise ConfigurationError("rules: expected at least one wait rule, such as Fraction(0.5), Covered()")
        store(self, rules=rules)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.rules))})"


@dataclass(frozen=True, init=False, repr=False)
class Earliest(_Several):
    """Act as soon as the first of several rules would act.

    Parameters
    ----------
    *rules : WaitRule
        The rules to combine, at least one.

    Raises
    ------
    ConfigurationError
        If there is no rule, an argument is not a wait rule, or (at the start of a run) one of the rules does not fit
        the cluster.

    Notes
    -----
    Source: Wang et al. 2019 (ErasureHead), Algorithm 1, combines two rules in this way.

    Examples
    --------
    ErasureHead waits for a fraction of the workers or for all groups, whichever comes first:

    >>> from clustersim.waits import Covered, Fraction
    >>> Earliest(Fraction(0.5), Covered())
    Earliest(Fraction(delta=0.5), Covered())
    """

    def begin(self, setting: Setting) -> WaitState:
        """Begin a run of each rule."""
        return _EarliestWait([asking.begin_wait(rule, setting) for rule in self.rules], setting.workers)


@dataclass(frozen=True, init=False, repr=False)
class Latest(_Several):
    """Act only when every one of several rules would have acted.

    The update uses all messages up to that moment. As always, a rule that waits for a number of messages leaves out
    those beyond its number that arrive at the same instant as the last one that it needs.

    Parameters
    ----------
    *rules : WaitRule
        The rules to combine, at least one.

    Raises
    ------
    ConfigurationError
        If there is no rule, an argument is not a wait rule, or (at the start of a run) one of the rules does not fit
        the cluster. A `Deadline` that is too short for the workers is accepted here: the other rules go on waiting.

    Examples
    --------
    Wait for 1.5 seconds, and longer if fewer than two messages have arrived by then:

    >>> from clustersim.waits import Deadline, Fastest
    >>> Latest(Deadline(1.5), Fastest(2))
    Latest(Deadline(seconds=1.5, for_all=False), Fastest(k=2))
    """

    def begin(self, setting: Setting) -> WaitState:
        """Begin a run of each rule; a deadline that no worker can meet is accepted, since it does not end the round."""
        unchecked = replace(setting, soonest=None)
        return _LatestWait(
            [asking.begin_wait(rule, unchecked) for rule in self.rules], setting.workers, Ticks(setting.tick)
        )


class _SeveralWait(WaitState):
    """The states of all parts; `choose` says which of their numbers of messages decides."""

    @staticmethod
    @abstractmethod
    def choose(numbers: Iterable[int]) -> int:
        """Return the deciding number: the smallest or the largest."""

    @abstractmethod
    def combine(self, looks: list[Look], elapsed: float, times: NDArray[np.float64]) -> Look:
        """Return what the combined rule waits for, given what each part waits for."""

    def __init__(self, parts: list[WaitState], workers: int) -> None:
        self._parts, self._workers = parts, workers
        self._enough_for: list[int | Callable[[NDArray[np.int64]], int]] = []  # one entry a part, for `_enough`
        self._refresh()

    def opened(self, updated: Updated) -> None:
        """Begin a round of each part."""
        for part in self._parts:
            asking.open_round(part, updated, self._workers)
        self._refresh()

    def _refresh(self) -> None:
        """Compute k, and whether the rule depends on arrival times, from the parts."""
        self.k = self.choose(part.k for part in self._parts)
        self.watches = any(part.watches for part in self._parts)

    def needs(self, workers: NDArray[np.int64]) -> int:
        """Choose among the numbers of messages that the parts still need."""
        return self.choose(asking.needs(part, workers) for part in self._parts)

    def look(self, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:
        """Ask all parts, and combine what they say."""
        return self.combine([asking.look(part, elapsed, workers, times) for part in self._parts], elapsed, times)

    def outlook(self) -> Outlook:
        """Return what all parts promise."""
        parts = [asking.outlook(part) for part in self._parts]
        self._enough_for = rules = [part.enough for part in parts]
        numbers = [rule for rule in rules if not callable(rule)]
        return Outlook(
            rounds=min(part.rounds for part in parts),
            enough=self.choose(numbers) if len(numbers) == len(rules) else self._enough,
            until=min(part.until for part in parts),
            follows=any(part.follows for part in parts),
        )

    def _enough(self, workers: NDArray[np.int64]) -> int:
        """Choose among the numbers of messages that are enough for the parts."""
        numbers = [rule(workers) if callable(rule) else rule for rule in self._enough_for]
        try:
            return self.choose(numbers)
        except TypeError:
            wrong = next(number for number in numbers if not isinstance(number, int | np.integer))
            raise ConfigurationError(
                f"one of the combined rules says that {wrong!r} messages are enough: expected a whole number; see "
                "Outlook.enough"
            ) from None


class _EarliestWait(_SeveralWait):
    """The part that needs the fewest messages, or has the earliest deadline, decides."""

    @staticmethod
    def choose(numbers: Iterable[int]) -> int:
        """Return the smallest."""
        return min(numbers)

    def _refresh(self) -> None:
        super()._refresh()
        self.patience = min(asking.patience(part) for part in self._parts)

    def combine(self, looks: list[Look], elapsed: float, times: NDArray[np.float64]) -> Look:  # noqa: ARG002
        """Take the fewest messages and the earliest deadline."""
        return Look(min(look.needs for look in looks), min(look.until for look in looks))


class _LatestWait(_SeveralWait):
    """The part that needs the most messages decides; a part whose deadline has passed needs no more."""

    def __init__(self, parts: list[WaitState], workers: int, ticks: Ticks) -> None:
        self._ticks = ticks
        super().__init__(parts, workers)

    @staticmethod
    def choose(numbers: Iterable[int]) -> int:
        """Return the largest."""
        return max(numbers)

    def _refresh(self) -> None:
        super()._refresh()
        self.watches = self.watches or any(asking.patience(part) < math.inf for part in self._parts)

    def combine(self, looks: list[Look], elapsed: float, times: NDArray[np.float64]) -> Look:
        """Take the most messages, and the earliest deadline that has not passed; compare times in whole ticks."""
        now = self._ticks.of(elapsed)
        waiting = [look.until for look in looks if self._ticks.of(look.until) > now]
        if not waiting and not len(times):
            return Look(1, elapsed)  # all deadlines have passed, and no worker has answered
        needs = max(self._still_needs(look, now, times) for look in looks)
        return Look(needs, min(waiting, default=elapsed))

    def _still_needs(self, look: Look, now: float, times: NDArray[np.float64]) -> int:
        """Return what a part needs; after its deadline, minus the messages that arrived too late for it."""
        end = self._ticks.of(look.until)
        if end > now:
            return look.needs
        return min(look.needs, -int(np.count_nonzero(self._ticks.of_all(times) > end)))
