"""Several wait rules at once: the first of them that is satisfied ends the round."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import instance, store
from clustersim.errors import ConfigurationError
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import Outlook, WaitRule, WaitState

__all__ = ["Earliest"]


@dataclass(frozen=True, init=False, repr=False)
class Earliest(WaitRule):
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

    rules: tuple[WaitRule, ...]

    def __init__(self, *rules: WaitRule) -> None:
        for rule in rules:
            instance("rules", rule, WaitRule, "wait rules, such as Fraction(0.5), Covered()")
        if not rules:
            raise ConfigurationError("rules: expected at least one wait rule, such as Fraction(0.5), Covered()")
        store(self, rules=rules)

    def __repr__(self) -> str:
        return f"Earliest({', '.join(map(repr, self.rules))})"

    def begin(self, setting: Setting) -> WaitState:
        """Begin them all."""
        return _EarliestWait([rule.begin(setting) for rule in self.rules])


class _EarliestWait(WaitState):
    """The least of what its parts need and of their patience."""

    def __init__(self, parts: list[WaitState]) -> None:
        self._parts = parts
        self._rules: list[int | Callable[[NDArray[np.int64]], int]] = []  # what is enough for each part, at present
        self._look()

    def opened(self, updated: Updated) -> None:
        """Begin a round of each."""
        for part in self._parts:
            part.opened(updated)
        self._look()

    def needs(self, workers: NDArray[np.int64]) -> int:
        """The fewest that any part still needs."""
        return min(part.needs(workers) for part in self._parts)

    def outlook(self) -> Outlook:
        """What holds for all of its parts."""
        parts = [part.outlook() for part in self._parts]
        self._rules = rules = [part.enough for part in parts]
        numbers = [rule for rule in rules if not callable(rule)]
        return Outlook(
            rounds=min(part.rounds for part in parts),
            enough=min(numbers) if len(numbers) == len(rules) else self._enough,
            until=min(part.until for part in parts),
            follows=any(part.follows for part in parts),
        )

    def _enough(self, workers: NDArray[np.int64]) -> int:
        """The fewest that are enough for any part."""
        return min(rule(workers) if callable(rule) else rule for rule in self._rules)

    def _look(self) -> None:
        self.k = min(part.k for part in self._parts)
        self.patience = min(part.patience for part in self._parts)
