"""Pflug's test: wait for more workers once the gradients show that the error has reached its floor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer, shown, store
from clustersim.errors import ConfigurationError
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import ALWAYS, Outlook, WaitRule, WaitState, workers_to_wait_for

__all__ = ["Pflug"]


@dataclass(frozen=True)
class Pflug(WaitRule):
    """Raise k when consecutive gradients begin to point in opposite directions.

    A counter goes up by 1 when the inner product of the two latest gradients is negative and down by 1 otherwise. When
    it exceeds `threshold`, more than `burn_in` updates after the last switch, k becomes ``k + step`` or ``k * factor``
    unless that exceeds `max_k`, and the counter starts again at 0.

    Parameters
    ----------
    start : int
        The first k.
    threshold : int
        The paper's ``thresh``.
    burn_in : int
        The paper's ``burnin``, in updates since the last switch.
    step : int, optional
        Added to k at a switch; 1 if neither `step` nor `factor` is given.
    factor : int, optional
        Multiplies k at a switch.
    max_k : int, optional
        The cap; n if not given.

    Notes
    -----
    Source: Kas Hanna et al. 2022, Algorithm 1. As printed it tests ``g_j . g_{j-1}`` before ``g_j`` exists; here the
    two latest gradients are meant. It starts at k = 1 and ends at n, yet Fig. 3 starts at 10 and stops at 40: so
    start, rule and cap are parameters.
    """

    start: int
    threshold: int
    burn_in: int
    step: int | None = None
    factor: int | None = None
    max_k: int | None = None

    def __post_init__(self) -> None:
        store(
            self,
            start=integer("start", self.start, low=1),
            threshold=integer("threshold", self.threshold, low=0),
            burn_in=integer("burn_in", self.burn_in, low=0),
        )
        if self.step is not None and self.factor is not None:
            raise ConfigurationError(
                f"step = {shown(self.step)} and factor = {shown(self.factor)}: expected one of the two; drop the other"
            )
        if self.step is not None:
            store(self, step=integer("step", self.step, low=1))
        if self.factor is not None:
            store(self, factor=integer("factor", self.factor, low=2))
        if self.max_k is not None:
            remedy = "the cap must not lie below start"
            store(self, max_k=integer("max_k", self.max_k, low=self.start, remedy=remedy))

    def begin(self, setting: Setting) -> WaitState:
        """Hold start and cap against the number of workers."""
        workers_to_wait_for("start", self.start, setting)
        cap = setting.workers if self.max_k is None else workers_to_wait_for("max_k", self.max_k, setting)
        return _PflugState(self, cap)

    def next_k(self, k: int) -> int:
        """The k that follows `k`, were there no cap."""
        return k * self.factor if self.factor is not None else k + (self.step or 1)


class _PflugState(WaitState):
    """Algorithm 1's variables."""

    def __init__(self, rule: Pflug, cap: int) -> None:
        self._rule = rule
        self._cap = cap
        self._previous: NDArray[np.float64] | None = None
        self._count_negative = 0
        self._count_updates = 1
        self.k = rule.start

    def opened(self, updated: Updated) -> None:
        """Compare the newest gradient with the one before, and switch if it is time."""
        if updated.gradient is None or not updated.gradient.any():
            return  # a round that nobody answered tells nothing
        if self._previous is not None:
            self._count_negative += 1 if float(updated.gradient @ self._previous) < 0.0 else -1
            raised = self._rule.next_k(self.k)
            past_burn_in = self._count_updates > self._rule.burn_in
            if self._count_negative > self._rule.threshold and past_burn_in and raised <= self._cap:
                self.k = raised
                self._count_negative = 0
                self._count_updates = 0
        self._previous = updated.gradient
        self._count_updates += 1

    def outlook(self) -> Outlook:
        """The same k for as long as the test cannot switch, were every further product negative."""
        rule = self._rule
        if rule.next_k(self.k) > self._cap:
            return Outlook(ALWAYS, self.k)
        to_threshold = rule.threshold - self._count_negative + 1
        to_end_of_burn_in = rule.burn_in - self._count_updates + 2
        return Outlook(max(to_threshold, to_end_of_burn_in, 1), self.k, follows=True)
