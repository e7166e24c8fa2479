"""The synchronous round, which most schemes share: send the model to all, wait, decode, step, and begin again.

A scheme is three independent choices: the *placement* (who holds which rows, with which coefficients), the *wait rule*
(when to act) and the *decoder* (which weights the answers get). `Synchronous` carries out any such triple; named
schemes are short compositions of them (`Composition`), never loops of their own.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import choice, integer
from clustersim.decoders import Decoder, Mean
from clustersim.errors import ConfigurationError, StalledError
from clustersim.placements import EvenPartition, Placement
from clustersim.protocol import (
    Answer,
    Arrivals,
    Command,
    Dispatch,
    Event,
    Policy,
    PolicyState,
    Setting,
    Timeout,
    Update,
    Updated,
    Wants,
)
from clustersim.waits.base import WaitRule

__all__ = ["Composition", "Synchronous"]

Silence = Literal["count", "redraw"]

_PATIENCE = 10_000  # silent rounds in a row after which a run is given up
_NOBODY = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Synchronous(Policy):
    """Rounds in which every worker gets the same model, and late answers to older models are thrown away.

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

    Raises
    ------
    ConfigurationError
        If a part is of the wrong kind, `silence` is none of these, or `batch` is below 1.
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

    def __post_init__(self) -> None:
        parts = (("wait", WaitRule, "waits.Fastest(3)"), ("decoder", Decoder, "decoders.Mean()"))
        for name, kind, example in (*parts, ("placement", Placement, "placements.EvenPartition()")):
            if not isinstance(value := getattr(self, name), kind):
                raise ConfigurationError(f"{name} = {value!r}: expected a {kind.__name__}, such as {example}")
        choice("silence", self.silence, get_args(Silence))
        if self.batch is not None:
            integer("batch", self.batch, low=1)

    @property
    def batch_size(self) -> int | None:
        """Rows that a worker draws afresh for each task."""
        return self.batch

    def begin(self, setting: Setting) -> PolicyState:
        """Begin a run; raises `ConfigurationError` if the wait rule does not fit the cluster."""
        return _Rounds(self, setting)


class Composition(Policy):
    """A named scheme: it says of what it is composed, and nothing else."""

    @abstractmethod
    def compose(self) -> Synchronous:
        """The scheme as placement, wait rule and decoder."""

    @property
    def placement(self) -> Placement:
        """Who holds which rows."""
        return self.compose().placement

    @property
    def batch_size(self) -> int | None:
        """Rows that a worker draws afresh for each task."""
        return self.compose().batch

    def begin(self, setting: Setting) -> PolicyState:
        """Begin a run; raises `ConfigurationError` if the hyper-parameters do not fit the cluster."""
        return self.compose().begin(setting)


class _Rounds:
    """The state of `Synchronous` during one run: the answers to the current version, in order of arrival."""

    def __init__(self, policy: Synchronous, setting: Setting) -> None:
        policy.decoder.check(setting.assignment)
        self._decoder = policy.decoder
        self._redraw = policy.silence == "redraw"
        self._assignment = setting.assignment
        self._dispatch = Dispatch(busy=setting.busy)
        self._wait = policy.wait.begin(setting)
        self._version = -1
        self._deadline = math.inf
        self._silent = 0
        self._clear()

    @property
    def k(self) -> int:
        """Answers that complete a round at present."""
        return self._wait.k

    def react(self, event: Event) -> Answer:
        """Open a round, count its answers, and step when there are enough or the time is up."""
        if isinstance(event, Updated):
            self._wait.opened(event)
            self._version = event.version
            return self._send(event.time, self._dispatch)
        if isinstance(event, Arrivals):
            self._collect(event)
            missing = self._wait.needs(self._workers)
            return self._step(len(self._workers) + missing) if missing <= 0 else self._waiting(missing)
        if isinstance(event, Timeout):
            silent = not len(self._workers)
            return self._again(event.time) if silent and self._redraw else self._step(len(self._workers))
        return self._waiting(1)

    def _send(self, now: float, dispatch: Dispatch) -> Answer:
        """Send the current model to every worker."""
        self._deadline = now + self._wait.patience
        self._clear()
        return self._waiting(max(1, self._wait.needs(self._workers)), dispatch)

    def _again(self, now: float) -> Answer:
        """Send the model that nobody answered once more; a queue of its copies would only grow."""
        self._silent += 1
        if self._silent > _PATIENCE:
            raise StalledError(
                f"nobody has answered {_PATIENCE} times in a row within {self._wait.patience:g} s; use a later "
                'deadline, a faster cluster, or silence="count"'
            )
        return self._send(now, Dispatch(busy="restart"))

    def _step(self, enough: int) -> Answer:
        """Use the first answers; those that the decoder gives no weight are left out."""
        self._silent = 0
        messages, workers = self._messages[:enough], self._workers[:enough]
        if not enough:
            return self._waiting(1, Update(_NOBODY, 0.0))
        weights = self._decoder.weights(self._assignment, workers)
        if not isinstance(weights, float) and not (weights != 0.0).all():
            owners = np.repeat(np.arange(enough), self._assignment.vectors[workers])
            useful = np.bincount(owners, weights != 0.0, minlength=enough) > 0
            messages, weights = messages[useful], weights[useful[owners]]
        return self._waiting(1, Update(messages, weights))

    def _waiting(self, missing: int, *commands: Command) -> Answer:
        """What to do now, and for how many more answers to wait at least."""
        return Answer(commands, Wants(missing, self._deadline))

    def _clear(self) -> None:
        self._messages: NDArray[np.int64] = _NOBODY
        self._workers: NDArray[np.int64] = _NOBODY

    def _collect(self, event: Arrivals) -> None:
        """Take in the answers to the current version; the engine has thrown away older ones at the last update."""
        fresh = event.versions == self._version
        messages, workers = event.messages, event.workers
        if not fresh.all():
            messages, workers = messages[fresh], workers[fresh]
        if len(self._workers):
            messages = np.concatenate((self._messages, messages))
            workers = np.concatenate((self._workers, workers))
        if self._redraw and len(first := np.unique(workers, return_index=True)[1]) < len(workers):
            first.sort()  # a worker that got the same model twice may answer twice; it counts once
            messages, workers = messages[first], workers[first]
        self._messages, self._workers = messages, workers
