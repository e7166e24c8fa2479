"""The synchronous round, which most schemes share: send the model to all, wait, decode, step, and begin again.

A scheme is three independent choices: the *placement* (who holds which rows), the *wait rule* (when to act) and the
*decoder* (which weights the answers get). `Synchronous` carries out any such triple; named schemes are short
compositions of them (`Composition`), never loops of their own.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.decoders import Decoder, Mean
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
    Update,
    Updated,
    Wants,
)
from clustersim.waits.base import WaitRule

__all__ = ["Composition", "Synchronous"]

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

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.Synchronous(wait=cs.waits.Fastest(3))
    Synchronous(wait=Fastest(k=3), decoder=Mean(), placement=EvenPartition())
    """

    wait: WaitRule
    decoder: Decoder = Mean()
    placement: Placement = EvenPartition()

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

    def begin(self, setting: Setting) -> PolicyState:
        """Begin a run; raises `ConfigurationError` if the hyper-parameters do not fit the cluster."""
        return self.compose().begin(setting)


class _Rounds:
    """The state of `Synchronous` during one run: the answers to the current version, in order of arrival."""

    def __init__(self, policy: Synchronous, setting: Setting) -> None:
        self._decoder = policy.decoder
        self._assignment = setting.assignment
        self._dispatch = Dispatch(busy=setting.busy)
        self._wait = policy.wait.begin(setting)
        self._version = -1
        self._clear()

    @property
    def k(self) -> int:
        """Answers that complete a round at present."""
        return self._wait.k

    def react(self, event: Event) -> Answer:
        """Open a round, count its answers, and step when there are enough."""
        if isinstance(event, Updated):
            self._wait.opened(event)
            self._version = event.version
            self._clear()
            return self._answer(self._dispatch)
        if isinstance(event, Arrivals):
            self._collect(event)
            if (missing := self._wait.needs(self._workers)) <= 0:
                enough = len(self._workers) + missing
                weights = self._decoder.weights(self._assignment, self._workers[:enough])
                return self._answer(Update(self._messages[:enough], weights))
        return self._answer()

    def _answer(self, *commands: Command) -> Answer:
        return Answer(commands, Wants(max(1, self._wait.needs(self._workers))))

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
        self._messages, self._workers = messages, workers
