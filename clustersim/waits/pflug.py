"""Pflug's test: raise k once consecutive gradients show that the error has reached its floor."""

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

    A counter goes up by 1 if the inner product of the two latest gradients is negative, and down by 1 otherwise. When
    it exceeds `threshold`, more than `burn_in` updates after the last switch, k becomes ``k + step`` or ``k * factor``
    (unless that exceeds `max_k`), and the counter returns to 0. Rounds without messages, or with a gradient of zero, do
    not change the counter.

    Parameters
    ----------
    start : int
        The first k, 1 to n.
    threshold : int
        The paper's ``thresh``, at least 0: k is raised only while the counter exceeds it.
    burn_in : int
        The paper's ``burnin``, in updates, at least 0: k is raised only if more updates have passed since the last
        switch (or since the start).
    step : int, optional
        Number that is added to k at a switch, at least 1. If neither `step` nor `factor` is given, it is 1; give at
        most one of the two.
    factor : int, optional
        Number that k is multiplied by at a switch, at least 2.
    max_k : int, optional
        Cap on k, from `start` to n; n if not given. A switch that would exceed it does not take place.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, both `step` and `factor` are given, or (at the start of a run) `start` or
        `max_k` is greater than the number of workers.

    Notes
    -----
    Source: Kas Hanna et al. 2022, Algorithm 1. As printed it tests ``g_j . g_{j-1}`` before ``g_j`` exists; here the
    test uses the two latest gradients. The printed algorithm starts at k = 1 and ends at n, but Fig. 3 starts at 10 and
    stops at 40, so start, rule and cap are parameters here.

    Examples
    --------
    >>> rule = Pflug(start=2, threshold=10, burn_in=50, factor=2)
    >>> rule.next_k(2), rule.next_k(4)
    (4, 8)
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
            remedy = "the cap must be at least start"
            store(self, max_k=integer("max_k", self.max_k, low=self.start, remedy=remedy))

    def begin(self, setting: Setting) -> WaitState:
        """Check that `start` and `max_k` are at most the number of workers."""
        workers_to_wait_for("start", self.start, setting)
        cap = setting.workers if self.max_k is None else workers_to_wait_for("max_k", self.max_k, setting)
        return _PflugState(self, cap)

    def next_k(self, k: int) -> int:
        """Return the k that follows `k`, regardless of the cap."""
        return k * self.factor if self.factor is not None else k + (self.step or 1)


class _PflugState(WaitState):
    """The variables of Algorithm 1."""

    def __init__(self, rule: Pflug, cap: int) -> None:
        self._rule = rule
        self._cap = cap
        self._previous: NDArray[np.float64] | None = None
        self._count_negative = 0
        self._count_updates = 1
        self.k = rule.start

    def opened(self, updated: Updated) -> None:
        """Compare the latest gradient with the previous one, and raise k if the test says so."""
        if updated.gradient is None or not updated.gradient.any():
            return  # a round without messages says nothing about the error
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
        """Promise the same k for as long as the test could not switch even if all further products were negative."""
        rule = self._rule
        if rule.next_k(self.k) > self._cap:
            return Outlook(ALWAYS, self.k)
        to_threshold = rule.threshold - self._count_negative + 1
        to_end_of_burn_in = rule.burn_in - self._count_updates + 2
        return Outlook(max(to_threshold, to_end_of_burn_in, 1), self.k, follows=True)
