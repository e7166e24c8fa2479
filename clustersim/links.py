"""Links between master and workers: how long a message travels.

Sizes and draws come in from `clustersim.engine`, one `Link` for the downlink and one for the uplink; delays go out.
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
    """A link whose delay is latency + bytes / bandwidth; without arguments it takes no time at all.

    Each message is delayed by itself: messages neither queue behind one another nor share the bandwidth, however many
    are on their way, and a later one may overtake an earlier one. It is as if every worker had a line of its own that
    carries any number of messages at once.

    Parameters
    ----------
    latency : LatencyModel or float, optional
        Seconds before the first byte arrives, drawn for each message; a number is a constant latency.
    bandwidth : float, optional
        Bytes per second of each message, greater than 0; unlimited if left out.

    Raises
    ------
    ConfigurationError
        If the latency is negative or no latency model, or the bandwidth is not greater than 0, or (when a delay is
        asked for) so small that a message would take more than 1e100 s.

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
        """Whether every message arrives the moment it is sent."""
        return self.latency is None and self.bandwidth is None

    @property
    def recorded_tasks(self) -> int | None:
        """How many messages of a worker the latency model knows of, or None where there is no end to them."""
        return self.latency.recorded_tasks if isinstance(self.latency, LatencyModel) else None

    def delays(
        self,
        uniforms: Uniforms,
        first_task: int,
        tasks: int,
        workers: int,
        bytes: ArrayLike,  # noqa: A002 - the pinned name, and the only unit there is
    ) -> NDArray[np.float64]:
        """Delays of the messages of consecutive tasks.

        Parameters
        ----------
        uniforms : Uniforms
            The stream of draws of this link.
        first_task, tasks, workers : int
            See `LatencyModel.times`.
        bytes : float or array_like
            Size of a message, or an array that broadcasts to (tasks, workers).

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
        """Delays of single messages, the same as in `delays`.

        Parameters
        ----------
        uniforms : Uniforms
            The stream of draws of this link.
        tasks, workers : ndarray of int, shape (pairs,)
            See `LatencyModel.times_at`.
        bytes : float or array_like, shape (pairs,)
            Size of a message, or of each.

        Returns
        -------
        ndarray of float64, shape (pairs,), seconds, or None
            None where the latency model knows no shorter way than whole rows.
        """
        delays: NDArray[np.float64] | None = np.zeros(len(tasks))
        if isinstance(self.latency, LatencyModel):
            delays = self.latency.times_at(uniforms, tasks, workers)
        return None if delays is None else self._with_transmission(delays, bytes)

    def _with_transmission(self, delays: NDArray[np.float64], sizes: ArrayLike) -> NDArray[np.float64]:
        """Add the time that the bytes take."""
        if self.bandwidth is None:
            return delays
        bytes_ = np.asarray(sizes, dtype=np.float64)
        if (largest := bytes_.max(initial=0.0)) > LONGEST * self.bandwidth:
            expected = f"enough for a message of {largest:g} bytes in at most {LONGEST:g} s"
            raise complaint("bandwidth", self.bandwidth, expected, "use a greater bandwidth")
        return delays + bytes_ / self.bandwidth

    def shortest(self, workers: int, bytes: ArrayLike) -> NDArray[np.float64]:  # noqa: A002
        """The smallest possible delay of a message of so many bytes for each worker, shape (workers,), seconds."""
        delays = self.latency.shifts(workers) if isinstance(self.latency, LatencyModel) else np.zeros(workers)
        return self._with_transmission(delays, bytes)
