"""Scaling: the compute time of a load of x even shares, given the latency model of one share.

The names of the scalings are those of the literature on redundancy. `clustersim.engine` passes in loads and the stream
of draws, and receives seconds.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import COUNT, choice, complaint, instance, integer, numbers, shown
from clustersim.errors import ConfigurationError
from clustersim.latency.base import LatencyModel, representable
from clustersim.streams import Uniforms

__all__ = ["SCALINGS", "ComputeTimes", "Scaling", "compute_times", "shortest_times"]

Floats = NDArray[np.float64]

_MAX_DRAWS = 10**6  # shares of one task under "additive"

Scaling = Literal["proportional", "server-dependent", "data-dependent", "additive", "none"]
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)


def compute_times(
    model: LatencyModel,
    scaling: str,
    loads: ArrayLike,
    uniforms: Uniforms,
    first_task: int,
    tasks: int,
    workers: int,
) -> Floats:
    """Return the compute times of consecutive tasks under load.

    Let X be the time that `model` draws for one share, s its smallest possible time (`LatencyModel.shifts`), and x the
    load. The compute time is:

    ====================  ===================================================================================
    "proportional"        x X
    "server-dependent"    s + x (X - s): the server has a set-up time, and the rest grows with the data
    "data-dependent"      x s + (X - s): each share has a fixed cost, and the server adds one random delay
    "additive"            the sum of floor(x) independent draws, plus the fractional part of x times one more draw
    "none"                X, independently of the load
    ====================  ===================================================================================

    A load of 1 takes X under every scaling. A load of 0 takes no time, so that its worker cannot straggle; the
    exception is "none", which ignores loads. If a worker never responds (X = inf), it never responds under any positive
    load. The default of a cluster is "proportional", but "none" for measured times (`LatencyModel.measured`), which
    makes redundancy free.

    Parameters
    ----------
    model : LatencyModel
        The law of the time of one even share.
    scaling : str
        One of the scalings above.
    loads : array_like, shape (workers,) or scalar
        Loads in even shares, at least 0; a share is m / n rows.
    uniforms : Uniforms
        The stream of uniform draws. "additive" takes draw j of a task from lane j, counted from 0; the other scalings
        draw from lane 0.
    first_task : int
        Number of the first task, counted from 0 for each worker.
    tasks : int
        Number of tasks.
    workers : int
        Number of workers.

    Returns
    -------
    ndarray of float64, shape (tasks, workers), seconds

    Raises
    ------
    ConfigurationError
        If the scaling is unknown, or the loads are negative, not finite, or not one for each worker.

    Examples
    --------
    >>> from clustersim.latency import ShiftedExponential
    >>> from clustersim.streams import Streams
    >>> model, uniforms = ShiftedExponential(shift=1.0, mean=2.0), Streams(seed=1).uniforms("compute")
    >>> one, three = (compute_times(model, "server-dependent", x, uniforms, 0, 1, 2) for x in (1.0, 3.0))
    >>> np.allclose(three, 1.0 + 3.0 * (one - 1.0))
    True
    """
    return ComputeTimes(model, scaling, loads, workers).times(uniforms, first_task, tasks)


class ComputeTimes:
    """The compute times of workers under fixed loads (see `compute_times`), for all workers or for single tasks.

    Parameters
    ----------
    model : LatencyModel
        The law of the time of one even share.
    scaling : str
        See `compute_times`.
    loads : array_like, shape (workers,) or scalar
        Loads in even shares, at least 0.
    workers : int
        Number of workers.

    Raises
    ------
    ConfigurationError
        If the scaling is unknown, the loads are invalid, or "additive" would need more than 10^6 draws for a task.

    Examples
    --------
    >>> from clustersim.latency import Exponential
    >>> from clustersim.streams import Streams
    >>> uniforms = Streams(seed=1).uniforms("compute")
    >>> compute = ComputeTimes(Exponential(1.0), "proportional", [1.0, 3.0], workers=2)
    >>> single = compute.times_at(uniforms, np.array([7]), np.array([1]))
    >>> bool(single[0] == compute.times(uniforms, first_task=7, tasks=1)[0, 1])
    True
    """

    def __init__(self, model: LatencyModel, scaling: str, loads: ArrayLike, workers: int) -> None:
        instance("model", model, LatencyModel, "a latency model, such as Exponential(mean=1.0)")
        workers = integer("workers", workers, low=1, high=COUNT)
        self._model, self._workers = model, workers
        self._scaling = choice("scaling", scaling, SCALINGS)
        self._shares = np.ones(workers) if scaling == "none" else _checked_loads(loads, workers)
        if scaling == "additive" and self._shares.max() > _MAX_DRAWS:
            raise complaint("loads", loads, f"at most {_MAX_DRAWS} shares, because each share is a separate draw")
        if scaling != "additive" and bool((self._shares == 1.0).all()):
            self._scaling = "none"  # a load of one share takes exactly the drawn time
        idle = self._shares == 0.0
        self._idle = idle if bool(idle.any()) else None
        self._factors = np.where(idle, 1.0, self._shares)
        if self._scaling in ("server-dependent", "data-dependent"):
            shifts = _checked_shifts(model, workers)
            self._shifts = np.where(np.isfinite(shifts), shifts, 0.0)  # a worker that never responds keeps time inf

    def times(self, uniforms: Uniforms, first_task: int, tasks: int) -> Floats:
        """Return the times of consecutive tasks of all workers, shape (tasks, workers), seconds; see `LatencyModel`."""
        times = self._scaled(partial(self._model.times, uniforms, first_task, tasks, self._workers), slice(None))
        if times is None:  # from a model of the user's own
            raise ConfigurationError(
                f"{self._model!r}: times() returns None: expected an array, shape (tasks, workers)"
            )
        return times

    def times_at(self, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64]) -> Floats | None:
        """Return the times of single tasks, shape (pairs,), seconds, or None; see `LatencyModel.times_at`."""
        return self._scaled(partial(self._model.times_at, uniforms, tasks, workers), workers)

    @property
    def increasing(self) -> Callable[[Floats], Floats] | None:
        """A function from uniform draws, of any shape, to times; it increases with the draws and fits all workers.

        None if the times do not increase with the draws, or if the function differs between workers.
        """
        model, shares = self._model, self._shares
        if not model.increasing or self._scaling == "additive" or not (shares == shares[0]).all() or shares[0] == 0.0:
            return None

        def times(draws: Floats) -> Floats:
            flat = draws.reshape(-1)
            scaled = self._scaled(lambda _: model.quantile(flat), np.zeros(len(flat), dtype=np.int64))
            assert scaled is not None  # noqa: S101 - for the type checker
            return scaled.reshape(draws.shape)

        return times

    def _scaled(self, draw: Callable[[int], Floats | None], workers: slice | NDArray[np.int64]) -> Floats | None:
        """Return the times of the given workers, scaled by their loads; `draw` returns the unscaled times of a lane."""
        if self._scaling == "additive":
            return _added(self._shares[workers], draw)
        times = draw(0)
        if times is None or self._scaling == "none":
            return times
        times = representable(times)
        if self._scaling == "proportional":
            times = times * self._factors[workers]
        else:
            shifts = self._shifts[workers]
            random = times - shifts
            if self._scaling == "server-dependent":
                times = shifts + random * self._factors[workers]
            else:
                times = self._shares[workers] * shifts + random
        if self._idle is not None:
            times[..., self._idle[workers]] = 0.0
        return times


def shortest_times(model: LatencyModel, scaling: str, loads: ArrayLike, workers: int) -> Floats:
    """Return the smallest possible compute time of each worker under load.

    Parameters
    ----------
    model : LatencyModel
        The law of the time of one even share.
    scaling : str
        See `compute_times`.
    loads : array_like, shape (workers,) or scalar
        Loads in even shares, at least 0.
    workers : int
        Number of workers.

    Returns
    -------
    ndarray of float64, shape (workers,), seconds

    Raises
    ------
    ConfigurationError
        If the scaling is unknown, or the loads are negative, not finite, or not one for each worker.

    Examples
    --------
    >>> from clustersim.latency import ShiftedExponential
    >>> shortest_times(ShiftedExponential(shift=1.0, mean=2.0), "proportional", [1.0, 3.0], 2).tolist()
    [1.0, 3.0]
    """
    shifts = _checked_shifts(model, workers)
    if choice("scaling", scaling, SCALINGS) == "none":
        return shifts
    shares = _checked_loads(loads, workers)
    scaled = shifts if scaling == "server-dependent" else shifts * np.where(shares > 0.0, shares, 1.0)
    return np.where(shares > 0.0, scaled, 0.0)


def _added(shares: Floats, draw: Callable[[int], Floats | None]) -> Floats | None:
    """Return the "additive" times: one independent draw for each whole share, and a fraction of one more."""
    total = None
    for lane in range(max(1, int(np.ceil(shares.max(initial=0.0))))):
        draws = draw(lane)
        if draws is None:
            return None
        part = _part(shares - lane, representable(draws))
        total = part if total is None else total + part
    return total


def _part(shares: Floats, draws: Floats) -> Floats:
    """Return the draws times the remaining shares, clipped to [0, 1]; 0 shares of inf are 0."""
    if (shares >= 1.0).all():
        return draws
    parts: Floats = np.where(shares > 0.0, draws, 0.0) * np.clip(shares, 0.0, 1.0)
    return parts


def _checked_shifts(model: LatencyModel, workers: int) -> Floats:
    """Return the least times of a model, perhaps the user's own, shape (workers,)."""
    shifts: object = model.shifts(workers)
    if isinstance(shifts, np.ndarray) and shifts.shape == (workers,) and shifts.dtype.kind in "fiu":
        return shifts
    raise ConfigurationError(
        f"{model!r}: shifts({workers}) returns {shown(shifts)}: expected an array of floats of shape ({workers},)"
    )


def _checked_loads(loads: ArrayLike, workers: int) -> Floats:
    """Return the loads, shape (workers,), without rounding errors: 3.0000000000000004 shares become 3."""
    shares = numbers("loads", loads, "finite numbers of even shares, at least 0", low=0.0)
    if shares.shape not in ((), (workers,)):
        raise ConfigurationError(
            f"loads of shape {shares.shape}: expected one load for each worker, shape ({workers},)"
        )
    whole = np.rint(shares)
    if not (whole == shares).all():
        near = np.abs(shares - whole) <= 1e-9 * np.maximum(whole, 1.0)
        shares = np.where(near, whole, shares)
    return np.broadcast_to(shares, (workers,))
