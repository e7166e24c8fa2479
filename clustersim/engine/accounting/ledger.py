"""The ledger of a run: every message has one fate, and every second of a worker counts once.

    dispatched = used + used late + discarded + cancelled + lost + in flight
    workers * time = compute used + wasted + pending + idle

The fleet counts what happens to messages before they reach the master. The master counts how it uses them.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clustersim.ticks import Ticks

__all__ = ["Ledger"]


@dataclass(slots=True)
class Ledger:
    """Running totals of one run.

    Attributes
    ----------
    dispatched : int
        Models sent to workers, each of which gives one task; a dispatch to all workers counts n.
    sent : int
        Messages that workers put on the uplink.
    sent_vectors : int
        Vectors of R^d in those messages: one each, unless workers send the gradient of every row by itself.
    partial : int
        Messages with fewer than all blocks, sent by workers that were stopped.
    used, used_late : int
        Messages used by the update of the version at which they were computed, or by a later update.
    used_partial : int
        Used messages, late or not, with fewer than all blocks.
    discarded : int
        Messages that reached the master and were never used.
    cancelled : int
        Tasks given up for a newer model before a message was sent.
    lost : int
        Tasks that would never have ended, and models and messages that a link never delivers.
    compute_used : int
        Ticks of work spent on the blocks in used messages.
    compute_wasted : int
        Ticks of work spent on discarded, cancelled and lost messages, and on blocks that were never finished.
    compute_pending : int
        Ticks of work spent on tasks whose fate is open, once the fleet is closed.
    staleness, max_staleness : int
        Sum and maximum of the staleness of used messages: the updates between the model at which a message was computed
        and the update that first used it.
    heard : ndarray of bool, shape (n,)
        Whether some update has used a message of a worker.
    """

    dispatched: int = 0
    sent: int = 0
    sent_vectors: int = 0
    partial: int = 0
    used: int = 0
    used_late: int = 0
    used_partial: int = 0
    discarded: int = 0
    cancelled: int = 0
    lost: int = 0
    compute_used: int = 0
    compute_wasted: int = 0
    compute_pending: int = 0
    staleness: int = 0
    max_staleness: int = 0
    heard: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    @property
    def mean_staleness(self) -> float:
        """Mean staleness of the messages used so far; 0 if there are none."""
        return self.staleness / max(1, self.used + self.used_late)

    def totals(self, vector_bytes: int, in_flight: int, worked: int, ticks: Ticks) -> dict[str, int | float]:
        """Return the entries of the ledger by name, with times in seconds.

        Parameters
        ----------
        vector_bytes : int
            Size of one vector of R^d; a model is one vector.
        in_flight : int
            Messages whose fate is open, counted by the fleet; it equals dispatched minus all other fates.
        worked : int
            The number of workers times the simulated time, in ticks.
        ticks : Ticks
            Converts ticks to seconds.
        """
        used, wasted, pending = self.compute_used, self.compute_wasted, self.compute_pending
        return {
            "uplink_messages": self.sent,
            "uplink_vectors": self.sent_vectors,
            "uplink_bytes": self.sent_vectors * vector_bytes,
            "downlink_messages": self.dispatched,
            "downlink_vectors": self.dispatched,
            "downlink_bytes": self.dispatched * vector_bytes,
            "partial": self.partial,
            "used": self.used,
            "used_late": self.used_late,
            "used_partial": self.used_partial,
            "discarded": self.discarded,
            "cancelled": self.cancelled,
            "lost": self.lost,
            "in_flight": in_flight,
            "compute_used": ticks.seconds(used),
            "compute_wasted": ticks.seconds(wasted),
            "compute_pending": ticks.seconds(pending),
            "mean_staleness": self.mean_staleness,
            "max_staleness": self.max_staleness,
            "unheard": len(self.heard) - int(np.count_nonzero(self.heard)),
            "idle": ticks.seconds(worked - used - wasted - pending),
        }
