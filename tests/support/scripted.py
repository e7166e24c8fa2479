"""Policies that the tests drive the engine with: a scripted one, one that acts at random, one with a deadline."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from clustersim.policies import FastestK
from clustersim.protocol import (
    Arrivals,
    Decision,
    Dispatch,
    Event,
    Policy,
    PolicyState,
    Setting,
    Stop,
    Timeout,
    Update,
    Updated,
    Wants,
)


@dataclass(frozen=True)
class Scripted(Policy):
    """Answers every event by a function of it."""

    answer: Callable[[Event], Decision]

    def begin(self, setting: Setting) -> PolicyState:
        return _ScriptedState(self.answer)


class _ScriptedState:
    k = 1

    def __init__(self, answer: Callable[[Event], Decision]) -> None:
        self._answer = answer

    def react(self, event: Event) -> Decision:
        return self._answer(event)


@dataclass(frozen=True)
class ByDeadline(Policy):
    """Steps at a fixed time after each dispatch with whatever has come; stops when nothing has."""

    wait: float

    def begin(self, setting: Setting) -> PolicyState:
        return _ByDeadlineState(self.wait, setting)


class _ByDeadlineState:
    def __init__(self, wait: float, setting: Setting) -> None:
        self.k = setting.workers
        self._wait = wait
        self._messages: list[int] = []
        self._deadline = math.inf

    def react(self, event: Event) -> Decision:
        wants = self.k
        if isinstance(event, Updated):
            self._messages = []
            self._deadline = event.time + self._wait
            return Decision((Dispatch(busy="restart"),), Wants(wants, self._deadline))
        if isinstance(event, Arrivals):
            self._messages += event.messages.tolist()
        if isinstance(event, Timeout):
            if not self._messages:
                return Decision((Stop("nobody answered"),), Wants())
            return Decision((Update(np.array(self._messages), 1e-6),), Wants())
        return Decision((), Wants(wants, self._deadline))


@dataclass(frozen=True)
class AtRandom(Policy):
    """Does anything that is allowed: uses, keeps and drops answers, dispatches to some workers, sets deadlines."""

    seed: int

    def begin(self, setting: Setting) -> PolicyState:
        return _AtRandomState(self.seed, setting)


class _AtRandomState:
    def __init__(self, seed: int, setting: Setting) -> None:
        self._random = np.random.default_rng(seed)
        self._setting = setting
        self._held: list[int] = []
        self.k = 1

    def react(self, event: Event) -> Decision:
        random, n = self._random, self._setting.workers
        busy = ("restart", "finish", "queue", "send")[random.integers(4)]
        if isinstance(event, Updated) and event.version == 0:
            return Decision((Dispatch(busy=busy),), self._wants(event.time))
        if isinstance(event, Arrivals):
            self._held += event.messages.tolist()
        if isinstance(event, Updated):
            some = np.flatnonzero(random.random(n) < 0.7)
            return Decision((Dispatch(some, busy=busy),) if len(some) else (), self._wants(event.time))
        if self._held and random.random() < 0.6:
            used = [name for name in self._held if random.random() < 0.7] or self._held[:1]
            kept = [name for name in self._held if random.random() < 0.3]
            self._held = kept
            weights = random.normal(size=len(used)) * 1e-6
            keep = np.array(kept, dtype=np.int64) if kept else None
            return Decision((Update(np.array(used), weights, keep),), self._wants(event.time))
        return Decision((Dispatch(busy=busy),), self._wants(event.time))

    def _wants(self, now: float) -> Wants:
        self.k = int(self._random.integers(1, self._setting.workers + 1))
        return Wants(self.k, now + float(self._random.exponential(2.0)))


@dataclass(frozen=True)
class Leaky(Policy):
    """Waits for one worker more in every run: what a policy must not do."""

    begun: ClassVar[list[int]] = []

    def begin(self, setting: Setting) -> PolicyState:
        self.begun.append(1)
        return FastestK(1 + len(self.begun) % 3).begin(setting)
