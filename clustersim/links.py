"""Links between the master and the workers: the delays of models and messages.

Sizes and draws flow in from `clustersim.engine`, and delays flow out, for one `Link` each for downlink and uplink.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import LONGEST, complaint, number, seconds, store
from clustersim.errors import ConfigurationError
from clustersim.latency import Constant, LatencyModel
from clustersim.streams import Uniforms

__all__ = ["Link"]


@dataclass(frozen=True)
class Link:
    """A link with the delay latency + bytes / bandwidth; without arguments the delay is zero.

    Messages do not affect one another: they neither queue nor share the bandwidth, however many are under way. A later
    message may overtake an earlier one. Each worker in effect has its own line, which carries any number of messages at
    once.

    Parameters
    ----------
    latency : LatencyModel or float, optional
        Seconds before the first byte arrives, drawn for each message. A number stands for a constant latency; None
        stands for no latency.
    bandwidth : float, optional
        Bytes per second for each message, greater than 0; unlimited if not given.

    Raises
    ------
    ConfigurationError
        If the latency is negative or not a latency model, or the bandwidth is not greater than 0. Also, when delays are
        computed, if a message would take more than 1e100 s at this bandwidth.

    Examples
    --------
    >>> from clustersim.streams import Streams
    >>> link = Link(latency=0.5, bandwidth=1000.0)
    >>> link.delays(Streams(seed=1).uniforms("uplink"), first_task=0, tasks=1, workers=2, bytes=250)
    array([[0.75, 0.75]])
    >>> Link(latency=0.0) == Link(), Link().is_instant
    (True, True)
    """

    latency: LatencyModel | float | None = None
    bandwidth: float | None = None

    def __post_init__(self) -> None:
        latency = self.latency
        if latency is not None and not isinstance(latency, LatencyModel):
            try:
                latency = Constant(seconds("latency", latency))
            except ConfigurationError as error:
                raise ConfigurationError(f"{error}, or a latency model such as Exponential(mean=0.1)") from None
        if latency == Constant(0.0):
            latency = None
        store(self, latency=latency)
        if self.bandwidth is not None:
            remedy = "leave it out for a link of unlimited bandwidth"
            store(self, bandwidth=number("bandwidth", self.bandwidth, above=0.0, remedy=remedy))

    @property
    def is_instant(self) -> bool:
        """Whether every message arrives at the time at which it is sent."""
        return self.latency is None and self.bandwidth is None

    @property
    def recorded_tasks(self) -> int | None:
        """The number of messages of a worker for which latencies were measured; None if it is unlimited."""
        return self.latency.recorded_tasks if isinstance(self.latency, LatencyModel) else None

    def delays(
        self,
        uniforms: Uniforms,
        first_task: int,
        tasks: int,
        workers: int,
        bytes: ArrayLike,  # noqa: A002 - a public name, which also states the unit
    ) -> NDArray[np.float64]:
        """Return the delays of the messages of consecutive tasks.

        Parameters
        ----------
        uniforms : Uniforms
            The random stream of this link.
        first_task, tasks, workers : int
            See `LatencyModel.times`.
        bytes : float or array_like
            The size of a message, or an array of sizes that broadcasts to (tasks, workers).

        Returns
        -------
        ndarray of float64, shape (tasks, workers), seconds
        """
        if isinstance(self.latency, LatencyModel):
            delays = self.latency.times(uniforms, first_task, tasks, workers)
        else:
            delays = np.zeros((tasks, workers))
        return self._with_transmission(delays, bytes)

    def delays_at(
        self,
        uniforms: Uniforms,
        tasks: NDArray[np.int64],
        workers: NDArray[np.int64],
        bytes: ArrayLike,  # noqa: A002
    ) -> NDArray[np.float64] | None:
        """Return the delays of single messages, the same as in `delays`.

        Parameters
        ----------
        uniforms : Uniforms
            The random stream of this link.
        tasks, workers : ndarray of int, shape (pairs,)
            See `LatencyModel.times_at`.
        bytes : float or array_like, shape (pairs,)
            The size of all messages, or of each.

        Returns
        -------
        ndarray of float64, shape (pairs,), seconds, or None
            None if the latency model can only draw whole rows.
        """
        delays: NDArray[np.float64] | None = np.zeros(len(tasks))
        if isinstance(self.latency, LatencyModel):
            delays = self.latency.times_at(uniforms, tasks, workers)
        return None if delays is None else self._with_transmission(delays, bytes)

    def _with_transmission(self, delays: NDArray[np.float64], sizes: ArrayLike) -> NDArray[np.float64]:
        """Add the transmission time, bytes / bandwidth, to delays."""
        if self.bandwidth is None:
            return delays
        bytes_ = np.asarray(sizes, dtype=np.float64)
        if (largest := bytes_.max(initial=0.0)) > LONGEST * self.bandwidth:
            expected = f"enough for a message of {largest:g} bytes in at most {LONGEST:g} s"
            raise complaint("bandwidth", self.bandwidth, expected, "use a greater bandwidth")
        return delays + bytes_ / self.bandwidth

    def shortest(self, workers: int, bytes: ArrayLike) -> NDArray[np.float64]:  # noqa: A002
        """Return the least possible delay of a message of this size for each worker, shape (workers,), seconds."""
        delays = self.latency.shifts(workers) if isinstance(self.latency, LatencyModel) else np.zeros(workers)
        return self._with_transmission(delays, bytes)
