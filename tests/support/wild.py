"""Policies that put the engines to the test: one that does anything, and two that watch or unsettle another one."""

from dataclasses import dataclass, field

import numpy as np

from clustersim.protocol import (
    Arrivals,
    Command,
    Decision,
    Dispatch,
    Event,
    Policy,
    PolicyState,
    Setting,
    Stop,
    Update,
    Updated,
    Wants,
    Work,
)

BUSY = ("restart", "finish", "queue", "send")


@dataclass(frozen=True)
class Anything(Policy):
    """Answers any event with any number of commands: updates with any answers, dispatches to anybody, or the end.

    Some seeds are patient (they set no deadlines and meet losses), some careless (they promise that workers are idle
    which are not, and are refused), some stop on a whim.
    """

    seed: int
    task: Work = field(default_factory=Work)

    @property
    def work(self) -> Work:
        return self.task

    def begin(self, setting: Setting) -> PolicyState:
        return _AnythingState(np.random.default_rng(self.seed), setting.workers)


class _AnythingState:
    def __init__(self, random: np.random.Generator, workers: int) -> None:
        self.k = 1
        self._random = random
        self._workers = workers
        self._held: list[int] = []
        self._patient, self._hurried, self._careless, self._final = random.random(4) < (0.3, 0.2, 0.15, 0.3)
        self._updating = float(random.uniform(0.1, 0.9))
        self._habits = (BUSY, BUSY, ("send",), (BUSY[random.integers(4)],))[random.integers(4)]

    def react(self, event: Event) -> Decision:
        commands: list[Command] = []
        if isinstance(event, Arrivals):
            self._held += event.messages.tolist()
        if isinstance(event, Updated) and event.version == 0:
            commands.append(self._dispatch())
        count = self._random.choice(4, p=(0.2, 0.5, 0.2, 0.1))
        commands += [
            self._update() if self._random.random() < self._updating / 2 else self._dispatch() for _ in range(count)
        ]
        if self._final and self._random.random() < 0.02:
            commands.append(Stop("had enough"))
        return Decision(tuple(commands), self._wants(event.time))

    def _some(self, of: list[int], share: float) -> list[int]:
        """Some of them, in any order."""
        return [item for item in self._random.permutation(of).tolist() if self._random.random() < share]

    def _update(self) -> Update:
        used = self._some(self._held, 0.6)
        kept = self._some(self._held, 0.4) if self._random.random() < 0.5 else []
        self._held = sorted(kept)
        weights = self._random.normal(size=len(used)) * 1e-3 if self._random.random() < 0.5 else 1e-3
        keep = np.array(kept, dtype=np.int64) if kept or self._random.random() < 0.5 else None
        return Update(np.array(used, dtype=np.int64), weights, keep)

    def _dispatch(self) -> Dispatch:
        busy = None if self._careless and self._random.random() < 0.1 else self._random.choice(self._habits)
        if self._random.random() < 0.4:
            return Dispatch(busy=busy)
        some = self._some(list(range(self._workers)), float(self._random.random()))
        return Dispatch(np.array(some, dtype=np.int64), busy=busy)

    def _wants(self, now: float) -> Wants:
        """Any number of arrivals, more than can come among them, and a deadline on a grid, off it, now or never."""
        self.k = int(self._random.integers(1, self._workers + 1))
        arrivals = self.k + 3 * int(self._random.random() < 0.1)
        if self._patient or self._random.random() < 0.4:
            return Wants(arrivals)
        lowest = 0 if self._hurried else 1
        grid, loose = self._random.integers(lowest, 9) / 4.0, self._random.exponential(1.5)
        return Wants(arrivals, now + float(grid if self._random.random() < 0.6 else loose))


@dataclass(frozen=True, repr=False)
class Watched(Policy):
    """Another policy, whose conversation is written down; it keeps its plans to itself, so that it is asked."""

    inner: Policy
    told: list[tuple[Event, Decision]] = field(default_factory=list, compare=False)

    def __repr__(self) -> str:
        return repr(self.inner)

    @property
    def work(self) -> Work:
        return self.inner.work

    def begin(self, setting: Setting) -> PolicyState:
        return _WatchedState(self.inner.begin(setting), self.told)


class _WrappedState:
    """The state of another policy, whose k it has."""

    def __init__(self, inner: PolicyState) -> None:
        self._inner = inner

    @property
    def k(self) -> int:
        return self._inner.k


class _WatchedState(_WrappedState):
    def __init__(self, inner: PolicyState, told: list[tuple[Event, Decision]]) -> None:
        super().__init__(inner)
        self._told = told

    def react(self, event: Event) -> Decision:
        answer = self._inner.react(event)
        self._told.append((event, answer))
        return answer._replace(plan=None)


@dataclass(frozen=True, repr=False)
class Fidgety(Policy):
    """Another policy that is notified before as many messages have arrived as it wants: of each, or at random numbers.

    The conformance checks wake policies at every single arrival, too. This one also tries batches of random sizes.
    """

    inner: Policy
    seed: int | None = None

    def __repr__(self) -> str:
        return repr(self.inner)

    @property
    def work(self) -> Work:
        return self.inner.work

    def begin(self, setting: Setting) -> PolicyState:
        random = None if self.seed is None else np.random.default_rng(self.seed)
        return _FidgetyState(self.inner.begin(setting), random)


class _FidgetyState(_WrappedState):
    def __init__(self, inner: PolicyState, random: np.random.Generator | None) -> None:
        super().__init__(inner)
        self._random = random

    def react(self, event: Event) -> Decision:
        answer = self._inner.react(event)
        wanted = answer.wants.arrivals
        fewer = 1 if self._random is None else int(self._random.integers(1, wanted + 1))
        return answer._replace(wants=answer.wants._replace(arrivals=fewer), plan=None)


@dataclass(frozen=True, repr=False)
class Tiring(Policy):
    """Another policy, stopped after a number of dispatches: one that dispatches on every message may never end."""

    inner: Policy
    models: int = 1000

    def __repr__(self) -> str:
        return repr(self.inner)

    @property
    def work(self) -> Work:
        return self.inner.work

    def begin(self, setting: Setting) -> PolicyState:
        return _TiringState(self.inner.begin(setting), setting.workers, self.models)


class _TiringState:
    def __init__(self, inner: PolicyState, workers: int, models: int) -> None:
        self._inner = inner
        self._workers = workers
        self._left = models

    @property
    def k(self) -> int:
        return self._inner.k

    def react(self, event: Event) -> Decision:
        answer = self._inner.react(event)
        for command in answer.commands:
            if isinstance(command, Dispatch):
                self._left -= self._workers if command.workers is None else len(command.workers)
        return answer if self._left > 0 else answer._replace(commands=(*answer.commands, Stop("tired")))
