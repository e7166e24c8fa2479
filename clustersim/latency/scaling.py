"""What a load of x even shares costs, given a latency model of one share.

The names are those of the literature on redundancy. Loads and draws come in from `clustersim.engine`; seconds go out.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import COUNT, choice, complaint, instance, integer, numbers
from clustersim.errors import ConfigurationError
from clustersim.latency.base import LatencyModel, representable
from clustersim.streams import Uniforms

__all__ = ["SCALINGS", "ComputeTimes", "Scaling", "compute_times", "shortest_times"]

Floats = NDArray[np.float64]

_MOST_DRAWS = 10**6

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
    """Compute times of consecutive tasks under load.

    With X the draw of `model` for one share, s its smallest possible time (`LatencyModel.shifts`) and x the load:

    ====================  ===================================================================================
    "proportional"        x X
    "server-dependent"    s + x (X - s): the server has a set-up time, the rest grows with the data
    "data-dependent"      x s + (X - s): each share has a fixed cost, the server adds one random delay
    "additive"            the sum of floor(x) independent draws, plus the fractional part of x times one more
    "none"                X, whatever the load
    ====================  ===================================================================================

    A load of 1 takes X under each of them. A load of 0 takes no time, and a worker that holds one cannot straggle,
    except under "none", which does not look at loads. A worker that never answers (X = inf) does so under any other
    load. A cluster of which nothing is said scales "proportional", and measured times (`LatencyModel.measured`) not at
    all, which makes redundancy free.

    Parameters
    ----------
    model : LatencyModel
        The time of one even share.
    scaling : str
        One of the above.
    loads : array_like, shape (workers,) or scalar
        In even shares, at least 0; 1 is m/n rows.
    uniforms : Uniforms
        The stream of draws. "additive" takes its j-th draw from lane j, the others theirs from lane 0.
    first_task, tasks, workers : int
        See `LatencyModel.times`.

    Returns
    -------
    ndarray of float64, shape (tasks, workers), seconds

    Raises
    ------
    ConfigurationError
        If the scaling is unknown, or the loads are negative, not finite, or not one a worker.

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
    """The compute times of workers under their loads, see `compute_times`: by rows of tasks, or of single tasks.

    Parameters
    ----------
    model, scaling, loads, workers
        See `compute_times`.

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
        if scaling == "additive" and self._shares.max() > _MOST_DRAWS:
            raise complaint("loads", loads, f"at most {_MOST_DRAWS} shares, each of which is a draw of its own")
        if scaling != "additive" and bool((self._shares == 1.0).all()):
            self._scaling = "none"  # one share takes the draw, to the last bit
        idle = self._shares == 0.0
        self._idle = idle if bool(idle.any()) else None
        self._factors = np.where(idle, 1.0, self._shares)
        if self._scaling in ("server-dependent", "data-dependent"):
            shifts = model.shifts(workers)
            self._shifts = np.where(np.isfinite(shifts), shifts, 0.0)  # who never answers has no shift, and inf stays

    def times(self, uniforms: Uniforms, first_task: int, tasks: int) -> Floats:
        """Times of consecutive tasks of all workers, shape (tasks, workers), seconds; see `LatencyModel.times`."""
        times = self._scaled(partial(self._model.times, uniforms, first_task, tasks, self._workers), slice(None))
        assert times is not None  # noqa: S101 - for the type checker: whole rows are always to be had
        return times

    def times_at(self, uniforms: Uniforms, tasks: NDArray[np.int64], workers: NDArray[np.int64]) -> Floats | None:
        """Times of single tasks, shape (pairs,), seconds, or None; see `LatencyModel.times_at`."""
        return self._scaled(partial(self._model.times_at, uniforms, tasks, workers), workers)

    @property
    def increasing(self) -> Callable[[Floats], Floats] | None:
        """The times of uniform draws, of any shape, where they grow with these and are the same for all workers."""
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
        """The times of some workers, from the draws of each lane."""
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
    """The smallest possible compute time of each worker under load, see `compute_times`; shape (workers,), seconds.

    Examples
    --------
    >>> from clustersim.latency import ShiftedExponential
    >>> shortest_times(ShiftedExponential(shift=1.0, mean=2.0), "proportional", [1.0, 3.0], 2).tolist()
    [1.0, 3.0]
    """
    shifts = model.shifts(workers)
    if choice("scaling", scaling, SCALINGS) == "none":
        return shifts
    shares = _checked_loads(loads, workers)
    scaled = shifts if scaling == "server-dependent" else shifts * np.where(shares > 0.0, shares, 1.0)
    return np.where(shares > 0.0, scaled, 0.0)


def _added(shares: Floats, draw: Callable[[int], Floats | None]) -> Floats | None:
    """One independent draw for each whole share, and a fraction of one more."""
    total = None
    for lane in range(max(1, int(np.ceil(shares.max(initial=0.0))))):
        draws = draw(lane)
        if draws is None:
            return None
        part = _part(shares - lane, representable(draws))
        total = part if total is None else total + part
    return total


def _part(shares: Floats, draws: Floats) -> Floats:
    """As much of the draws as is left of the shares, at most all and at least nothing, even of inf."""
    if (shares >= 1.0).all():
        return draws
    parts: Floats = np.where(shares > 0.0, draws, 0.0) * np.clip(shares, 0.0, 1.0)
    return parts


def _checked_loads(loads: ArrayLike, workers: int) -> Floats:
    """The loads as an array (workers,), freed of rounding so that 3.0000000000000004 shares are 3."""
    shares = numbers("loads", loads, "finite numbers of even shares, at least 0", low=0.0)
    if shares.shape not in ((), (workers,)):
        raise ConfigurationError(f"loads of shape {shares.shape}: expected one load a worker, shape ({workers},)")
    whole = np.rint(shares)
    if not (whole == shares).all():
        near = np.abs(shares - whole) <= 1e-9 * np.maximum(whole, 1.0)
        shares = np.where(near, whole, shares)
    return np.broadcast_to(shares, (workers,))
