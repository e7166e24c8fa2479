"""What a load of x even shares costs, given a latency model of one share.

The names are those of the literature on redundancy. Loads and draws come in from `clustersim.engine`; seconds go out.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import choice
from clustersim.errors import ConfigurationError
from clustersim.latency.base import LatencyModel
from clustersim.streams import Uniforms

__all__ = ["SCALINGS", "compute_times", "shortest_times"]

Floats = NDArray[np.float64]

SCALINGS = ("proportional", "server-dependent", "data-dependent", "additive", "none")


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
    load.

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
    choice("scaling", scaling, SCALINGS)
    if scaling == "none":
        return model.times(uniforms, first_task, tasks, workers)
    shares = _checked_loads(loads, workers)
    if scaling == "additive":
        return _added(shares, lambda lane: model.times(uniforms, first_task, tasks, workers, lane))
    times = model.times(uniforms, first_task, tasks, workers)
    if (shares == 1.0).all():
        return times
    if scaling == "proportional":
        return _without_work(shares, times * np.where(shares > 0.0, shares, 1.0))
    shifts = model.shifts(workers)
    shifts = np.where(np.isfinite(shifts), shifts, 0.0)  # a worker that never answers has no shift, and inf stays inf
    random = times - shifts
    if scaling == "server-dependent":
        return _without_work(shares, shifts + random * np.where(shares > 0.0, shares, 1.0))
    return _without_work(shares, shares * shifts + random)


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


def _without_work(shares: Floats, times: Floats) -> Floats:
    """Set the times of workers without load to 0, in place."""
    idle = shares == 0.0
    if idle.any():
        times[:, idle] = 0.0
    return times


def _added(shares: Floats, draw: Callable[[int], Floats]) -> Floats:
    """One independent draw for each whole share, and a fraction of one more."""
    total = _part(shares, draw(0))
    for lane in range(1, int(np.ceil(shares.max(initial=0.0)))):
        total += _part(shares - lane, draw(lane))
    return total


def _part(shares: Floats, draws: Floats) -> Floats:
    """As much of the draws as is left of the shares, at most all and at least nothing, even of inf."""
    if (shares >= 1.0).all():
        return draws
    parts: Floats = np.where(shares > 0.0, draws, 0.0) * np.clip(shares, 0.0, 1.0)
    return parts


def _checked_loads(loads: ArrayLike, workers: int) -> Floats:
    """The loads as an array (workers,), freed of rounding so that 3.0000000000000004 shares are 3."""
    shares = np.asarray(loads, dtype=np.float64)
    if shares.shape not in ((), (workers,)):
        raise ConfigurationError(f"loads of shape {shares.shape}: expected one load a worker, shape ({workers},)")
    if not (np.isfinite(shares) & (shares >= 0.0)).all():
        raise ConfigurationError(f"loads = {shares!r}: expected finite numbers of even shares, at least 0")
    whole = np.rint(shares)
    near = np.abs(shares - whole) <= 1e-9 * np.maximum(whole, 1.0)
    return np.broadcast_to(np.where(near, whole, shares), (workers,))
