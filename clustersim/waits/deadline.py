"""A wait that runs out: what has arrived by then must do."""

from dataclasses import dataclass

from clustersim.checks import number
from clustersim.errors import ConfigurationError
from clustersim.protocol import Setting, Updated
from clustersim.waits.base import WaitRule, WaitState

__all__ = ["Deadline"]


@dataclass(frozen=True)
class Deadline(WaitRule):
    """Wait for every worker, but not longer than a time; whoever has not answered by then is a straggler.

    Parameters
    ----------
    seconds : float
        After the dispatch. An answer that arrives at that very instant counts.

    Raises
    ------
    ConfigurationError
        If it is not positive, or (at the start of a run) if no worker can answer so soon.

    Notes
    -----
    Source: the random stragglers of Bitar et al. 2020, section II: the deadline ends the round of those who answer.
    """

    seconds: float

    def __post_init__(self) -> None:
        number("deadline", self.seconds, above=0.0)

    def begin(self, setting: Setting) -> WaitState:
        """Hold the deadline against the soonest possible answer."""
        if self.seconds < setting.soonest:
            raise ConfigurationError(
                f"deadline = {self.seconds:g}: no worker can answer before {setting.soonest:g} s have passed; "
                "use a later deadline or a faster cluster"
            )
        return _DeadlineWait(self.seconds, setting.workers)


class _DeadlineWait(WaitState):
    """All workers, or the end of patience."""

    def __init__(self, seconds: float, workers: int) -> None:
        self.k = workers
        self.patience = seconds

    def opened(self, updated: Updated) -> None:
        """Nothing to adapt."""
