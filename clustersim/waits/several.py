"""Several wait rules at once: the round ends when the first of them is satisfied, or when all of them are."""

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import instance, store
from clustersim.errors import ConfigurationError
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import Look, Outlook, WaitRule, WaitState

__all__ = ["Earliest", "Latest"]


@dataclass(frozen=True, init=False, repr=False)
class _Several(WaitRule):
    """A rule that is made of others."""

    rules: tuple[WaitRule, ...]

    def __init__(self, *rules: WaitRule) -> None:
        for rule in rules:
            instance("rules", rule, WaitRule, "wait rules, such as Fraction(0.5), Covered()")
        if not rules:
            raise ConfigurationError("rules: expected at least one wait rule, such as Fraction(0.5), Covered()")
        store(self, rules=rules)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.rules))})"


@dataclass(frozen=True, init=False, repr=False)
class Earliest(_Several):
    """Act as soon as one of several rules would.

    Parameters
    ----------
    *rules : WaitRule
        At least one.

    Raises
    ------
    ConfigurationError
        If one of them is no wait rule.

    Examples
    --------
    ErasureHead waits for a fraction of the workers or for all groups, whichever comes first:

    >>> from clustersim.waits import Covered, Fraction
    >>> Earliest(Fraction(0.5), Covered())
    Earliest(Fraction(delta=0.5), Covered())
    """

    def begin(self, setting: Setting) -> WaitState:
        """Begin all of them."""
        return _EarliestWait([rule.begin(setting) for rule in self.rules])


@dataclass(frozen=True, init=False, repr=False)
class Latest(_Several):
    """Act only when each of several rules would.

    Parameters
    ----------
    *rules : WaitRule
        At least one.

    Raises
    ------
    ConfigurationError
        If one of them is no wait rule.

    Examples
    --------
    Wait for 1.5 seconds, and in any case for two messages:

    >>> from clustersim.waits import Deadline, Fastest
    >>> Latest(Deadline(1.5), Fastest(2))
    Latest(Deadline(seconds=1.5, for_all=False), Fastest(k=2))
    """

    def begin(self, setting: Setting) -> WaitState:
        """Begin all of them."""
        lenient = replace(setting, soonest=None)  # a deadline that nobody can meet does not end the round
        return _LatestWait([rule.begin(lenient) for rule in self.rules])


class _SeveralWait(WaitState):
    """The states of all parts, of whose numbers of messages one is chosen: the least or the greatest."""

    @staticmethod
    @abstractmethod
    def choose(numbers: Iterable[int]) -> int:
        """Return the one of the parts' numbers that decides."""

    def __init__(self, parts: list[WaitState]) -> None:
        self._parts = parts
        self._rules: list[int | Callable[[NDArray[np.int64]], int]] = []  # what is enough for each part at present
        self._take_over()

    def opened(self, updated: Updated) -> None:
        """Begin a round of each part."""
        for part in self._parts:
            part.opened(updated)
        self._take_over()

    def _take_over(self) -> None:
        """Compute k, the patience and whether the clock matters from those of the parts."""
        self.k = self.choose(part.k for part in self._parts)
        self.watches = any(part.watches for part in self._parts)

    def needs(self, workers: NDArray[np.int64]) -> int:
        """Choose among the numbers that the parts still need."""
        return self.choose(part.needs(workers) for part in self._parts)

    def outlook(self) -> Outlook:
        """Tell what holds for all parts."""
        parts = [part.outlook() for part in self._parts]
        self._rules = rules = [part.enough for part in parts]
        numbers = [rule for rule in rules if not callable(rule)]
        return Outlook(
            rounds=min(part.rounds for part in parts),
            enough=self.choose(numbers) if len(numbers) == len(rules) else self._enough,
            until=min(part.until for part in parts),
            follows=any(part.follows for part in parts),
        )

    def _enough(self, workers: NDArray[np.int64]) -> int:
        """Choose among the numbers of messages that are enough for the parts."""
        return self.choose(rule(workers) if callable(rule) else rule for rule in self._rules)


class _EarliestWait(_SeveralWait):
    """The part that needs the fewest messages, or waits for the shortest time, decides."""

    @staticmethod
    def choose(numbers: Iterable[int]) -> int:
        """Return the least."""
        return min(numbers)

    def _take_over(self) -> None:
        super()._take_over()
        self.patience = min(part.patience for part in self._parts)

    def look(self, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:
        """Ask all parts."""
        looks = [part.look(elapsed, workers, times) for part in self._parts]
        return Look(min(look.needs for look in looks), min(look.until for look in looks))


class _LatestWait(_SeveralWait):
    """The part that needs the most messages decides, among those that still wait."""

    @staticmethod
    def choose(numbers: Iterable[int]) -> int:
        """Return the greatest."""
        return max(numbers)

    def _take_over(self) -> None:
        super()._take_over()
        self.watches = self.watches or any(part.patience < math.inf for part in self._parts)

    def look(self, elapsed: float, workers: NDArray[np.int64], times: NDArray[np.float64]) -> Look:
        """Ask all parts, and leave out those whose time is up."""
        looks = [part.look(elapsed, workers, times) for part in self._parts]
        waiting = [look for look in looks if look.until > elapsed]
        if not waiting:
            return Look(0, elapsed)
        return Look(max(look.needs for look in waiting), min(look.until for look in waiting))
