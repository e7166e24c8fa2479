"""Synchronous rounds, which most schemes share: send the model to all workers, wait, decode, update, and repeat.

A scheme is a combination of independent choices: the *placement* (which worker holds which rows, with which
coefficients), the *wait rule* (when the master acts), the *decoder* (which weights the messages get), and the *late
rule* (what happens to late messages). `Synchronous` carries out any combination. Named schemes only compose these
parts; none has a loop of its own.
"""

import math
import reprlib
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clustersim.arrays import first_occurrences
from clustersim.checks import choice, instance, store
from clustersim.decoders import Decoder, Mean
from clustersim.errors import ConfigurationError, StalledError
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
from clustersim.waits import asking
from clustersim.waits.base import WaitRule
from clustersim.waits.round_clock import RoundClock

__all__ = ["Silence", "Synchronous"]

Silence = Literal["count", "redraw"]

_PATIENCE = 10_000  # silent rounds in a row after which a run ends with an error
_NO_WORKERS = np.empty(0, dtype=np.int64)
_EMPTY = Round(_NO_WORKERS, _NO_WORKERS, _NO_WORKERS)
_ANY = Wants()


@dataclass(frozen=True)
class Synchronous(Policy):
    r"""Rounds: send the model to all workers, wait until a rule is satisfied, and update with the decoded gradient.

    .. math:: w_{t+1} = w_t - \eta_t \sum_{j \in A_t} a_j \sum_{r \in S_j} B_{jr} \nabla f_r(w_t)

    The wait rule determines the workers :math:`A_t` whose messages are used, and the decoder determines their weights
    :math:`a_j`. The placement determines the rows :math:`S_j` of worker j and their coefficients :math:`B_{jr}`, which
    are 1 without a code. A late rule may add messages about the previous model. The objective is the mean over the m
    rows, so weights that give the full gradient make :math:`\sum_j a_j B_{jr} = 1/m` for each row.

    Parameters
    ----------
    wait : WaitRule
        When the master acts, such as ``waits.Fastest(3)``.
    decoder : Decoder, default Mean()
        The weights of the messages.
    placement : Placement, default EvenPartition()
        Which worker holds which rows.
    batch : int, optional
        b, rows that a worker draws afresh for each task from those that it holds, at least 1. If not given, it computes
        all rows that it holds.
    silence : {"count", "redraw"}, default "count"
        What happens to a round in which no message arrives before the deadline. ``"count"``: it counts as an update
        with a gradient of zero. ``"redraw"``: the master sends the same model again. The workers give up their tasks
        and begin anew, and no update is counted.
    blocks : int, default 1
        s, the equal parts into which workers cut a task, at least 1; see `clustersim.protocol.Work`.
    late : LateRule, default Discard()
        What happens to messages about the previous model.

    Raises
    ------
    ConfigurationError
        If a part is of the wrong kind, `silence` is neither of the two words, `batch` or `blocks` is out of range, or
        (at the start of a run) the parts do not fit each other or the cluster.
    StalledError
        In a run, if ``silence="redraw"`` and no worker answers ten thousand times in a row.

    Notes
    -----
    When to use it and when not: use the named schemes where one of them fits, and `Synchronous` for other combinations
    of placement, wait rule, decoder and late rule. Schemes without rounds are `Asynchronous`.

    Cost of an update: n vectors on the downlink, and n more each time a silent round is sent again. On the uplink one
    for each worker that has finished before the next model reaches it (with `Uncombined` placements one for each row).

    Source: Bitar et al. 2020 do not define a round without messages. With ``"count"`` the estimate of the gradient
    stays unbiased. Their code draws the stragglers again (``"redraw"``), which makes an otherwise unbiased sum too
    large by a factor of 1 / (1 - p^n).

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.Synchronous(wait=cs.waits.Fastest(3)).wait
    Fastest(k=3)

    Adaptive k on fractional-repetition data is one line:

    >>> adaptive = cs.waits.Pflug(start=2, threshold=10, burn_in=50)
    >>> coded = cs.Synchronous(adaptive, cs.decoders.DistinctGroups(), cs.placements.FractionalRepetition(load=2))

    Wait for 1.5 s, and longer if fewer than two messages have arrived by then:

    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 1.2, 9.0], [1.0, 2.0, 9.0]])),
    ...     cs.Synchronous(cs.waits.Latest(cs.waits.Deadline(1.5), cs.waits.Fastest(2))),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=2),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()
    [0.0, 1.5, 3.5]
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
        work = self.work  # this checks its parts
        store(self, silence=choice("silence", self.silence, get_args(Silence)), batch=work.batch, blocks=work.blocks)

    @property
    def work(self) -> Work:
        """What the workers compute in a task."""
        return Work(self.placement, self.batch, self.blocks)

    def begin(self, setting: Setting) -> PolicyState:
        """Begin a run; raises `ConfigurationError` if the wait rule does not fit the cluster."""
        return _Rounds(self, setting)


class _Rounds(PolicyState):
    """The state of `Synchronous` during one run: the messages about the current model and the previous one."""

    def __init__(self, policy: Synchronous, setting: Setting) -> None:
        policy.decoder.check(setting.assignment)
        policy.late.check(policy.decoder, setting.assignment)
        self._decoder = policy.decoder
        self._late = None if isinstance(policy.late, Discard) else policy.late
        self._redraw = policy.silence == "redraw"
        self._assignment = setting.assignment
        self._dispatch = Dispatch(busy=policy.late.stopped or setting.busy)
        self._wait = asking.begin_wait(policy.wait, setting)
        self.k = self._wait.k
        self._clock = RoundClock(Ticks(setting.tick))
        self._weights = partial(policy.decoder.weights, setting.assignment)
        self._version = -1
        self._deadline = math.inf
        self._silent = 0
        self._now = self._last = _EMPTY

    def react(self, event: Event) -> Decision:
        """Begin a round, count its messages, and update when there are enough or the time is up."""
        if isinstance(event, Updated):
            self.k = asking.open_round(self._wait, event, self._assignment.workers)
            self._version = event.version
            self._last = self._now
            return self._send(event.time, self._dispatch)._replace(plan=self._plan())
        if isinstance(event, Arrivals):
            self._collect(event)
            if self._wait.watches:
                return self._look(event.time)
            answered = self._now.workers
            missing = asking.needs(self._wait, answered)
            return self._step(len(answered) + missing) if missing <= 0 else Decision((), Wants(missing, self._deadline))
        if isinstance(event, Timeout):
            return self._look(event.time) if self._wait.watches else self._end(event.time)
        return Decision((), Wants(1, self._deadline))

    def _look(self, now: float) -> Decision:
        """Ask a rule that watches the clock whether to act; if not, ask it again at the next arrival."""
        answered = self._now.workers
        missing, left = self._clock.look(self._wait, now, answered)
        if missing <= 0:
            return self._step(len(answered) + missing)
        if left <= 0.0:
            return self._end(now)
        self._deadline = now + left
        return Decision((), Wants(1, self._deadline, left))

    def _end(self, now: float) -> Decision:
        """End the round at its deadline: update with what has arrived, or send the model again if nothing has."""
        arrived = len(self._now.workers)
        return self._step(arrived) if arrived or not self._redraw else self._send_again(now)

    def _send(self, now: float, dispatch: Dispatch) -> Decision:
        """Send the current model to every worker."""
        self._now = _EMPTY
        if self._wait.watches:
            self._clock.begin(now)
            missing, patience = 1, max(0.0, self._clock.look(self._wait, now, _NO_WORKERS).until)
        else:
            missing, patience = asking.needs(self._wait, _NO_WORKERS), asking.patience(self._wait)
        self._deadline = now + patience
        return Decision((dispatch,), Wants(missing if missing > 1 else 1, self._deadline, patience))

    def _plan(self) -> Plan | None:
        """Return the decisions of the rounds to come, as far as the wait rule can promise them."""
        rounds, enough, until, follows = asking.outlook(self._wait)
        if rounds <= 1 or self._wait.watches:
            return None
        patience = self._wait.patience
        alike = None if callable(enough) else self._decoder.alike(self._assignment, int(enough))
        weights = self._weights if alike is None or patience < math.inf else alike
        follow = self._wait.opened if follows else None
        late = None if self._late is None else LatePlan(self._late_weights, self._last, self._resume)
        return Plan(rounds, enough, weights, patience, until, follow, late)

    def _late_weights(self, last: Round) -> NDArray[np.float64] | None:
        """Return the weights of messages about the previous model."""
        assert self._late is not None  # noqa: S101 - for the type checker; the callers have checked it
        return self._late.weights(self._decoder, self._assignment, last)

    def _resume(self, last: Round) -> None:
        """Take over the messages of the last planned round, when a plan has ended."""
        self._now = last

    def _send_again(self, now: float) -> Decision:
        """Send the model once more after a silent round; workers restart, so that copies do not queue up."""
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
        """Update with the first messages, without those that get a weight of 0."""
        self._silent = 0
        messages, workers = self._now.messages, self._now.workers
        if enough < len(workers):
            messages, workers = messages[:enough], workers[:enough]
        weights = self._weights(workers) if enough else 0.0
        if not isinstance(weights, float):  # a user's decoder may return lists or integers
            weights = _plain_weights(self._decoder, workers, weights)
        if self._late is not None:
            return Decision((self._compensated(weights, enough),), _ANY)
        useful, weights = self._assignment.useful(workers, weights)
        return Decision((Update(messages if useful is None else messages[useful], weights),), _ANY)

    def _compensated(self, weights: float | NDArray[np.float64], enough: int) -> Update:
        """Update with the first messages and those about the previous model; keep all for the next update."""
        used = np.full(enough, weights)
        self._now = self._now._replace(used=used)
        messages = self._now.messages[:enough]
        late = self._late_weights(self._last)
        if late is not None:
            messages, used = np.concatenate((messages, self._last.messages)), np.concatenate((used, late))
        return Update(messages[used != 0.0], used[used != 0.0], keep=self._now.messages)

    def _collect(self, event: Arrivals) -> None:
        """Collect the messages about the current model, and about the previous one if the late rule uses them.

        The engine has discarded older ones at the last update.
        """
        self._now = self._joined(self._now, event, event.versions == self._version)
        if self._late is not None:
            self._last = self._joined(self._last, event, event.versions == self._version - 1)

    def _joined(self, before: Round, event: Arrivals, chosen: NDArray[np.bool_]) -> Round:
        """Return the messages of a round together with some of those that have just arrived."""
        messages, workers, blocks = event.messages, event.workers, event.blocks
        if (count := np.count_nonzero(chosen)) < len(chosen):
            if not count:
                return before
            messages, workers, blocks = messages[chosen], workers[chosen], blocks[chosen]
        if len(before.workers):
            messages = np.concatenate((before.messages, messages))
            workers = np.concatenate((before.workers, workers))
            blocks = np.concatenate((before.blocks, blocks))
        if self._redraw and not (first := first_occurrences(workers, self._assignment.workers)).all():
            # A worker that has got the same model twice may answer twice; its first message counts.
            messages, workers, blocks = messages[first], workers[first], blocks[first]
        return Round(messages, workers, blocks, before.used)


def _plain_weights(decoder: Decoder, workers: NDArray[np.int64], weights: object) -> float | NDArray[np.float64]:
    """Return the weights from a decoder, perhaps the user's own, as a float or an array of floats."""
    try:
        plain = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        plain = np.array(np.nan)
    if not isinstance(weights, np.ndarray) and np.isnan(plain).any():
        raise ConfigurationError(
            f"{decoder!r}: weights(assignment, {workers}) returns {reprlib.repr(weights)}: expected a number, or one "
            "for each message"
        )
    return plain if plain.ndim else float(plain)
