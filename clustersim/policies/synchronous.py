"""The synchronous round, which most schemes share: send the model to all, wait, decode, step, and begin again.

A scheme is a few independent choices: the *placement* (who holds which rows, with which coefficients), the *wait rule*
(when to act), the *decoder* (which weights the answers get), and what becomes of *late* answers. `Synchronous` carries
out any combination; named schemes are short compositions of them, never loops of their own.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clustersim.arrays import first_occurrences
from clustersim.checks import choice, instance, store
from clustersim.decoders import Decoder, Mean
from clustersim.errors import StalledError
from clustersim.placements import EvenPartition, Placement
from clustersim.policies.late import Discard, LateRule
from clustersim.protocol import (
    Arrivals,
    Decision,
    Dispatch,
    Event,
    LatePlan,
    Plan,
    Policy,
    PolicyState,
    Round,
    Setting,
    Timeout,
    Update,
    Updated,
    Wants,
    Work,
)
from clustersim.ticks import Ticks
from clustersim.waits.base import WaitRule
from clustersim.waits.round_clock import RoundClock

__all__ = ["Silence", "Synchronous"]

Silence = Literal["count", "redraw"]

_PATIENCE = 10_000  # silent rounds in a row after which a run is given up
_NOBODY = np.empty(0, dtype=np.int64)
_EMPTY = Round(_NOBODY, _NOBODY, _NOBODY)
_ANY = Wants()


@dataclass(frozen=True)
class Synchronous(Policy):
    """Rounds in which every worker gets the same model, and the master decodes what has arrived when it has enough.

    Parameters
    ----------
    wait : WaitRule
        When enough workers have answered.
    decoder : Decoder, default Mean()
        The weights of their answers.
    placement : Placement, default EvenPartition()
        Who holds which rows.
    batch : int, optional
        Rows that a worker draws afresh for each task, from those that it holds; it computes all of them if not given.
    silence : {"count", "redraw"}, default "count"
        What becomes of a round that nobody answers before its deadline: it *counts* as an update whose data says
        nothing (the empty sum), or the same model is sent out again (*redraw*): workers drop what they were at, begin
        anew, and only the time has passed.
    blocks : int, default 1
        Parts into which workers cut a task, see `clustersim.protocol.Work`.
    late : LateRule, default Discard()
        What becomes of answers to the model before the present one.

    Raises
    ------
    ConfigurationError
        If a part is of the wrong kind, `silence` is none of these, or `batch` or `blocks` are out of range.
    StalledError
        In a run, if nobody answers ten thousand times in a row.

    Notes
    -----
    Bitar et al. 2020 leave open what a round without answers is; the empty sum keeps the estimate of the gradient
    unbiased. Their code draws the stragglers again, which makes a sum that is unbiased otherwise too large by
    1 / (1 - p^n).

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.Synchronous(wait=cs.waits.Fastest(3)).wait
    Fastest(k=3)

    Adaptive k on fractional-repetition data is one line:

    >>> adaptive = cs.waits.Pflug(start=2, threshold=10, burn_in=50)
    >>> coded = cs.Synchronous(adaptive, cs.decoders.DistinctGroups(), cs.placements.FractionalRepetition(load=2))
    """

    wait: WaitRule
    decoder: Decoder = Mean()
    placement: Placement = EvenPartition()
    batch: int | None = None
    silence: Silence = "count"
    blocks: int = 1
    late: LateRule = Discard()

    def __post_init__(self) -> None:
        parts = (("wait", WaitRule, "waits.Fastest(3)"), ("decoder", Decoder, "decoders.Mean()"))
        for name, kind, example in (*parts, ("late", LateRule, "policies.Discard()")):
            instance(name, getattr(self, name), kind, f"a {kind.__name__}, such as {example}")
        work = self.work  # it checks its parts
        store(self, silence=choice("silence", self.silence, get_args(Silence)), batch=work.batch, blocks=work.blocks)

    @property
    def work(self) -> Work:
        """What the workers compute in a task."""
        return Work(self.placement, self.batch, self.blocks)

    def begin(self, setting: Setting) -> PolicyState:
        """Begin a run; raises `ConfigurationError` if the wait rule does not fit the cluster."""
        return _Rounds(self, setting)


class _Rounds:
    """The state of `Synchronous` during one run: the answers to the current version and to the one before."""

    def __init__(self, policy: Synchronous, setting: Setting) -> None:
        policy.decoder.check(setting.assignment)
        policy.late.check(policy.decoder, setting.assignment)
        self._decoder = policy.decoder
        self._late = None if isinstance(policy.late, Discard) else policy.late
        self._redraw = policy.silence == "redraw"
        self._assignment = setting.assignment
        self._dispatch = Dispatch(busy=policy.late.stopped or setting.busy)
        self._wait = policy.wait.begin(setting)
        self._clock = RoundClock(Ticks(setting.tick))
        self._weights = partial(policy.decoder.weights, setting.assignment)
        self._version = -1
        self._deadline = math.inf
        self._silent = 0
        self._now = self._last = _EMPTY

    @property
    def k(self) -> int:
        """Answers that complete a round at present."""
        return self._wait.k

    def react(self, event: Event) -> Decision:
        """Open a round, count its answers, and step when there are enough or the time is up."""
        if isinstance(event, Updated):
            self._wait.opened(event)
            self._version = event.version
            self._last = self._now
            return self._send(event.time, self._dispatch)._replace(plan=self._plan())
        if isinstance(event, Arrivals):
            self._collect(event)
            if self._wait.watches:
                return self._look(event.time)
            heard = self._now.workers
            missing = self._wait.needs(heard)
            return self._step(len(heard) + missing) if missing <= 0 else Decision((), Wants(missing, self._deadline))
        if isinstance(event, Timeout):
            return self._look(event.time) if self._wait.watches else self._end(event.time)
        return Decision((), Wants(1, self._deadline))

    def _look(self, now: float) -> Decision:
        """Ask a rule that watches the clock whether to act; it wants to be asked again at the next arrival."""
        heard = self._now.workers
        missing, left = self._clock.look(self._wait, now, heard)
        if missing <= 0:
            return self._step(len(heard) + missing)
        if left <= 0.0:
            return self._end(now)
        self._deadline = now + left
        return Decision((), Wants(1, self._deadline, left))

    def _end(self, now: float) -> Decision:
        """The time is up: step with what has arrived, if anything or if silence counts."""
        heard = len(self._now.workers)
        return self._step(heard) if heard or not self._redraw else self._again(now)

    def _send(self, now: float, dispatch: Dispatch) -> Decision:
        """Send the current model to every worker."""
        self._now = _EMPTY
        if self._wait.watches:
            self._clock.begin(now)
            missing, patience = 1, max(0.0, self._clock.look(self._wait, now, _NOBODY).until)
        else:
            missing, patience = self._wait.needs(_NOBODY), self._wait.patience
        self._deadline = now + patience
        return Decision((dispatch,), Wants(missing if missing > 1 else 1, self._deadline, patience))

    def _plan(self) -> Plan | None:
        """What will be said in the rounds to come, as far as the wait rule can tell."""
        rounds, enough, until, follows = self._wait.outlook()
        if rounds <= 1 or self._wait.watches:
            return None
        patience = self._wait.patience
        alike = None if callable(enough) else self._decoder.alike(self._assignment, int(enough))
        weights = self._weights if alike is None or patience < math.inf else alike
        follow = self._wait.opened if follows else None
        late = None if self._late is None else LatePlan(self._due, self._last, self._resume)
        return Plan(rounds, enough, weights, patience, until, follow, late)

    def _due(self, last: Round) -> NDArray[np.float64] | None:
        """The weights of answers to the model before the present one."""
        assert self._late is not None  # noqa: S101 - the callers have looked
        return self._late.weights(self._decoder, self._assignment, last)

    def _resume(self, answers: Round) -> None:
        """What has answered the last model, when a plan is over."""
        self._now = answers

    def _again(self, now: float) -> Decision:
        """Send the model that nobody answered once more; a queue of its copies would only grow."""
        self._silent += 1
        if self._silent > _PATIENCE:
            patience = self._wait.patience
            limit = f"within {patience:g} s" if patience < math.inf else "before the deadline"
            raise StalledError(
                f"no worker answered {limit}, {_PATIENCE} times in a row (version {self._version}); use a "
                'later deadline, a faster cluster, or silence="count"'
            )
        return self._send(now, Dispatch(busy="restart"))

    def _step(self, enough: int) -> Decision:
        """Use the first answers; those that the decoder gives no weight are left out."""
        self._silent = 0
        messages, workers = self._now.messages, self._now.workers
        if enough < len(workers):
            messages, workers = messages[:enough], workers[:enough]
        weights = self._weights(workers) if enough else 0.0
        if not isinstance(weights, float):  # a decoder of the user's own may give lists, or whole numbers
            weights = np.asarray(weights, dtype=np.float64)
            weights = weights if weights.ndim else float(weights)
        if self._late is not None:
            return Decision((self._compensated(weights, enough),), _ANY)
        useful, weights = self._assignment.useful(workers, weights)
        return Decision((Update(messages if useful is None else messages[useful], weights),), _ANY)

    def _compensated(self, weights: float | NDArray[np.float64], enough: int) -> Update:
        """Use the first answers, and make up for what the last round's lacked; what has come late may serve next."""
        used = np.full(enough, weights)
        self._now = self._now._replace(used=used)
        messages = self._now.messages[:enough]
        due = self._due(self._last)
        if due is not None:
            messages, used = np.concatenate((messages, self._last.messages)), np.concatenate((used, due))
        return Update(messages[used != 0.0], used[used != 0.0], keep=self._now.messages)

    def _collect(self, event: Arrivals) -> None:
        """Take in the answers to the current version, and late ones if they are of use.

        The engine has thrown away older ones at the last update.
        """
        self._now = self._joined(self._now, event, event.versions == self._version)
        if self._late is not None:
            self._last = self._joined(self._last, event, event.versions == self._version - 1)

    def _joined(self, heard: Round, event: Arrivals, chosen: NDArray[np.bool_]) -> Round:
        """The answers of a round with further ones."""
        messages, workers, blocks = event.messages, event.workers, event.blocks
        if (count := np.count_nonzero(chosen)) < len(chosen):
            if not count:
                return heard
            messages, workers, blocks = messages[chosen], workers[chosen], blocks[chosen]
        if len(heard.workers):
            messages = np.concatenate((heard.messages, messages))
            workers = np.concatenate((heard.workers, workers))
            blocks = np.concatenate((heard.blocks, blocks))
        if self._redraw and not (first := first_occurrences(workers, self._assignment.workers)).all():
            # A worker that got the same model twice may answer twice; it counts once.
            messages, workers, blocks = messages[first], workers[first], blocks[first]
        return Round(messages, workers, blocks, heard.used)
