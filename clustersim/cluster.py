"""The simulated hardware: the workers, their compute times, and the links between them and the master."""

from dataclasses import dataclass

from clustersim.checks import COUNT, choice, instance, integer, store
from clustersim.latency import LatencyModel
from clustersim.latency.scaling import SCALINGS, Scaling
from clustersim.links import Link
from clustersim.protocol import BUSY, Busy
from clustersim.ticks import checked_tick

__all__ = ["Cluster"]

_WIDEST = 1024  # the greatest size of an entry in bytes; beyond it the byte counts of a run could overflow


@dataclass(frozen=True)
class Cluster:
    """A master and n workers.

    Parameters
    ----------
    workers : int
        n, the number of workers, at least 1.
    compute : LatencyModel
        X, the time in seconds that a worker needs for one even share (m / n rows).
    downlink, uplink : Link
        The link from the master to each worker, and from each worker to the master; without delay by default. The
        adaptive-k paper calls the uplink "download" and the downlink "upload".
    scaling : {"proportional", "server-dependent", "data-dependent", "additive", "none"}, optional
        How long a load of x shares takes. In this order: x times the draw; the shift plus x times the random part; x
        times the shift plus the random part; the sum of x draws; one draw, whatever the load. The default is
        "proportional". Where times are measured task by task (`Replay`, alone or inside other models), it is "none":
        the recorded times are replayed unchanged, whatever the load. More redundancy then costs no time, and a smaller
        batch saves none. If each recorded task had a load of one even share, and you try other loads, give a scaling.
    busy : {"restart", "finish", "queue", "send"}
        What a busy worker does when a newer model reaches it, unless the policy decides otherwise. "restart": drop its
        work and begin with the new model. "finish": finish its work and then take the newest model. "queue": work
        through all models in order. "send": send the blocks that it has finished, and restart.
    bytes_per_entry : int
        Size of one entry of a vector on the wire; 8 for a float64.
    tick : float
        Seconds in a tick, a nanosecond by default. Simulated time is counted in whole ticks. Every draw, delay,
        deadline and horizon is rounded to ticks once; from then on times are added and compared exactly. A tick is from
        1e-15 to 1e15 s long, and a whole number of seconds or the whole-number part of a second, such as 0.001. Compute
        times and latencies with a mean below a thousand ticks are refused. Runs longer than 2**53 ticks are refused
        (104 days with ticks of a nanosecond).

    Raises
    ------
    ConfigurationError
        If an argument is out of range or of the wrong kind.

    Examples
    --------
    >>> import clustersim as cs
    >>> cluster = cs.Cluster(workers=50, compute=cs.Exponential(mean=1.0), uplink=cs.Link(latency=0.1))
    >>> cluster.workers, cluster.scaling, cs.Cluster(workers=2, compute=cs.Replay([[1.0, 3.0]])).scaling
    (50, 'proportional', 'none')
    """

    workers: int
    compute: LatencyModel
    downlink: Link = Link()
    uplink: Link = Link()
    scaling: Scaling = None  # type: ignore[assignment]  # the constructor replaces None by one of the five words
    busy: Busy = "restart"
    bytes_per_entry: int = 8
    tick: float = 1e-9

    def __post_init__(self) -> None:
        instance("compute", self.compute, LatencyModel, "a latency model, such as Exponential(mean=1.0)")
        if self.scaling is None:
            store(self, scaling="none" if self.compute.measured else "proportional")
        for name in ("downlink", "uplink"):
            instance(name, getattr(self, name), Link, "a Link, such as Link(latency=0.1, bandwidth=1e6)")
        store(
            self,
            workers=integer("workers", self.workers, low=1, high=COUNT),
            bytes_per_entry=integer("bytes_per_entry", self.bytes_per_entry, low=1, high=_WIDEST),
            scaling=choice("scaling", self.scaling, SCALINGS),
            busy=choice("busy", self.busy, BUSY),
            tick=checked_tick(self.tick),
        )
