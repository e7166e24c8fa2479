"""The accounts of a run: every message has one fate, every second of a worker one use.

    dispatched = used + used late + discarded + cancelled + lost + in flight
    workers * time = compute used + wasted + pending + idle

The fleet books what happens to messages before they reach the master, the master what it does with them.
"""

from dataclasses import dataclass

from clustersim.ticks import Ticks

__all__ = ["Ledger"]


@dataclass(slots=True)
class Ledger:
    """Running totals of one run.

    Attributes
    ----------
    dispatched : int
        Models sent to workers, one message each; a broadcast counts n.
    sent : int
        Answers that workers put on the uplink.
    sent_vectors : int
        Vectors of R^d in those answers: one each, unless workers send the gradient of every row by itself.
    partial : int
        Answers sent with fewer than all blocks, by workers that were stopped.
    used, used_late : int
        Answers used by an update of the version they were computed at, or of a later one.
    used_partial : int
        Those of them that bring fewer than all blocks; the other late ones were finished, and late.
    discarded : int
        Answers that reached the master and were never used.
    cancelled : int
        Tasks given up for a newer model before an answer was sent.
    lost : int
        Tasks that would never have ended, and messages that a link never delivers.
    compute_used, compute_wasted, compute_pending : int
        Ticks of work behind used answers; behind discarded, cancelled and lost ones, and spent on blocks cut short;
        and, once the fleet is closed, spent on tasks whose fate is open.
    staleness, max_staleness : int
        Updates between the model at which an answer was computed and the one that first used it: sum and largest.
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

    @property
    def mean_staleness(self) -> float:
        """Mean staleness of the answers used so far; 0 if there are none."""
        return self.staleness / max(1, self.used + self.used_late)

    def totals(self, vector_bytes: int, in_flight: int, worked: int, ticks: Ticks) -> dict[str, int | float]:
        """The ledger by name, times in seconds.

        Parameters
        ----------
        vector_bytes : int
            Size of one vector of R^d; a model is one vector.
        in_flight : int
            Messages whose fate is open, counted by the fleet; the difference of the others must equal it.
        worked : int
            Number of workers times simulated time, in ticks.
        ticks : Ticks
            Converts them.
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
            "idle": ticks.seconds(worked - used - wasted - pending),
        }
