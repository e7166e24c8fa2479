"""The laws of latency models: quantiles rise, draws follow them, and moments are those of the draws."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clustersim.conformance.demands import (
    BOUND,
    ConformanceError,
    array_of,
    check_pickles,
    demand,
    leaves_global_randomness_alone,
    real,
)
from clustersim.errors import ConfigurationError
from clustersim.latency import LatencyModel
from clustersim.streams import Streams, Uniforms

__all__ = ["check_latency"]

Floats = NDArray[np.float64]

_LEVELS = np.concatenate(([0.0], np.linspace(0.01, 0.99, 99), 1.0 - 10.0 ** -np.arange(3.0, 13.0)))
_GROUP = 5  # workers, of whom the k-th fastest is looked at
_EXACT = 1e-9


def check_latency(model: LatencyModel, *, workers: int = 20_000, seed: int = 0) -> None:
    """Check that a latency model draws the times that it says.

    Parameters
    ----------
    model : LatencyModel
    workers : int, default 20,000
        Workers whose first task is drawn. Their times are independent, also in a model that keeps a worker slow for
        several tasks. Measured times are checked for as many workers as were measured.
    seed : int, default 0
        Of the draws.

    Raises
    ------
    ConformanceError
        If it breaks a law. The laws are:

        - `quantile` works element by element, never falls, and is neither negative nor NaN.
        - `cdf`, `survival` and `inverse_hazard` belong to the same distribution.
        - The time of a task depends on its number and its worker alone, whatever is drawn together with it; `times_at`
          returns the same times as `times`.
        - Draws lie between `shifts` and `longest`, and as many lie below each quantile as should.
        - Mean, variance and means of order statistics are those of the draws.

        The last two are held against the draws with intervals of five standard errors. Workers with laws of their own
        (`homogeneous` is false) are left out of them.

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.conformance.check_latency(cs.ShiftedExponential(shift=0.5, mean=1.5))
    """
    check_pickles(model)
    with leaves_global_randomness_alone(model):
        if model.homogeneous:
            _check_quantile(model)
        uniforms = Streams(seed).uniforms("conformance")
        workers, tasks = _drawable(model, uniforms, workers)
        _check_addresses(model, uniforms, min(workers, 8), min(tasks, 12))
        if model.homogeneous and not model.measured:
            draws = model.times(uniforms, 0, 1, workers)[0]
            _check_draws(model, draws)
            _check_moments(model, draws)
            _check_order_statistics(model, draws)


def _drawable(model: LatencyModel, uniforms: Uniforms, workers: int) -> tuple[int, int]:
    """For how many workers and tasks times can be drawn: measured ones exist for some only."""
    tasks = 12 if model.recorded_tasks is None else model.recorded_tasks
    while workers > 1:
        try:
            model.times(uniforms, 0, 1, workers)
        except ConfigurationError:
            workers //= 2
        else:
            return workers, tasks
    return 1, tasks


def _check_quantile(model: LatencyModel) -> None:
    """The quantile function and what follows from it."""
    found = model.quantile(_LEVELS)
    try:
        times = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConformanceError(
            f"{model!r}: quantile of {len(_LEVELS)} levels returns {found!r}: expected an array of numbers"
        ) from None
    demand(times.shape == _LEVELS.shape, f"quantile of {_LEVELS.shape} levels has shape {times.shape}")
    wrong = np.flatnonzero(np.isnan(times) | (times < 0.0))
    if len(wrong):
        demand(False, f"{model!r}: quantile({_LEVELS[wrong[0]]:g}) is {times[wrong[0]]}: expected seconds, at least 0")
    for (u, early), (v, late) in pairwise(zip(_LEVELS.tolist(), times.tolist(), strict=True)):
        demand(late >= early, f"{model!r}: the quantile falls, from {early} at {u:g} to {late} at {v:g}")
    for u, time in zip(_LEVELS[::10].tolist(), times[::10].tolist(), strict=True):
        alone = real(model.quantile(u), f"{model!r}: quantile({u:g})")
        demand(alone == time, f"{model!r}: quantile({u:g}) is {alone} alone, and {time} among others")
    square = np.asarray(model.quantile(_LEVELS[:6].reshape(2, 3)))
    demand(square.shape == (2, 3), f"{model!r}: the quantile of an array of shape (2, 3) has shape {square.shape}")
    inner = (_LEVELS > 0.0) & np.isfinite(times)
    below = np.asarray(model.cdf(times[inner]), dtype=np.float64)
    low = below < _LEVELS[inner] - _EXACT
    if low.any():
        u, time, p = _LEVELS[inner][low][0], times[inner][low][0], below[low][0]
        demand(False, f"{model!r}: cdf({time:g}) is {p:g}, yet {u:g} of the times are at most that")
    rest = np.asarray(model.survival(times[inner]))
    demand(bool(np.allclose(rest, 1.0 - below, rtol=0, atol=_EXACT)), f"{model!r}: survival is not 1 - cdf")
    usual = inner & (_LEVELS < 0.995)
    hazard = np.asarray(model.inverse_hazard(-np.log1p(-_LEVELS[usual])))
    steady = np.isclose(hazard, times[usual], rtol=1e-6, atol=_EXACT) | _jumps(model, _LEVELS[usual])
    demand(bool(steady.all()), f"{model!r}: inverse_hazard(-ln(1 - u)) is not quantile(u)")


def _jumps(model: LatencyModel, levels: Floats) -> NDArray[np.bool_]:
    """Where the quantile jumps, so that rounding of the level decides."""
    below, above = (np.asarray(model.quantile(np.clip(levels + e, 0.0, 1.0))) for e in (-_EXACT, _EXACT))
    with np.errstate(invalid="ignore"):
        return np.asarray(~(np.abs(above - below) <= 1e-6 * np.abs(above)))


def _check_addresses(model: LatencyModel, uniforms: Uniforms, workers: int, tasks: int) -> None:
    """A time is a function of task and worker."""
    whole = model.times(uniforms, 0, tasks, workers)
    array_of(whole, (tasks, workers), f"{model!r}: times")
    demand(np.array_equal(whole, model.times(uniforms, 0, tasks, workers)), f"{model!r}: times differ when drawn again")
    demand(bool((whole >= 0.0).all()), f"{model!r}: it draws times that are negative or NaN")
    half = tasks // 2
    later = model.times(uniforms, half, tasks - half, workers)
    demand(np.array_equal(whole[half:], later), f"{model!r}: task {half} takes another time if drawn by itself")
    fewer = model.times(uniforms, 0, tasks, max(1, workers // 2))
    demand(
        np.array_equal(whole[:, : fewer.shape[1]], fewer),
        f"{model!r}: a worker's times change with the number of workers",
    )
    numbers, names = np.divmod(np.arange(tasks * workers)[::3], workers)
    single = model.times_at(uniforms, numbers, names)
    if single is not None:
        demand(np.array_equal(single, whole[numbers, names]), f"{model!r}: times_at returns other times than times")


def _check_draws(model: LatencyModel, draws: Floats) -> None:
    """Draws against the quantile function."""
    array_of(shifts := model.shifts(1), (1,), f"{model!r}: shifts(1)")
    least, longest = float(shifts[0]), real(model.longest, f"{model!r}: longest")
    demand(draws.min() >= least * (1.0 - _EXACT), f"{model!r}: it draws {draws.min()}, less than its shift {least}")
    demand(draws.max() <= longest * (1.0 + _EXACT), f"{model!r}: it draws {draws.max()}, more than `longest` {longest}")
    count = len(draws)
    for u in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99):
        time, error = float(model.quantile(u)), BOUND * math.sqrt(u * (1.0 - u) / count) + 1.0 / count
        below, up_to = float(np.mean(draws < time * (1.0 - _EXACT))), float(np.mean(draws <= time * (1.0 + _EXACT)))
        demand(
            below <= u + error and up_to >= u - error,
            f"{model!r}: quantile({u:g}) is {time:g}, yet {up_to:.4f} of {count} draws are at most that",
        )


def _check_moments(model: LatencyModel, draws: Floats) -> None:
    """Mean and variance against draws, as far as they are finite."""
    mean = real(model.expected_time, f"{model!r}: expected_time")
    variance = real(model.variance, f"{model!r}: variance")
    if not (math.isfinite(mean) and math.isfinite(variance)):
        return
    count = len(draws)
    error = BOUND * math.sqrt(variance / count) + _EXACT * mean
    found = float(draws.mean())
    demand(abs(found - mean) <= error, f"{model!r}: expected_time is {mean:g}, the mean of {count} draws {found:g}")
    squares = (draws - mean) ** 2
    error = BOUND * float(squares.std()) / math.sqrt(count) + _EXACT * mean**2
    found = float(squares.mean())
    heavy = float(squares.max()) > 0.1 * float(squares.sum())  # a few draws decide: the error is not known
    demand(heavy or abs(found - variance) <= error, f"{model!r}: variance is {variance:g}, that of draws {found:g}")


def _check_order_statistics(model: LatencyModel, draws: Floats) -> None:
    """Means of the k-th fastest of a few workers."""
    if not math.isfinite(model.variance):
        return
    groups = np.sort(draws[: len(draws) // _GROUP * _GROUP].reshape(-1, _GROUP), axis=1)
    for k in range(1, _GROUP + 1):
        expected, column = model.order_statistic_mean(k, _GROUP), groups[:, k - 1]
        error = BOUND * float(column.std()) / math.sqrt(len(column)) + _EXACT * expected
        found = float(column.mean())
        demand(
            abs(found - expected) <= error,
            f"{model!r}: order_statistic_mean({k}, {_GROUP}) is {expected:g}, that of {len(column)} groups {found:g}",
        )
