"""Means and variances of the k-th smallest of n times, for all k at once.

The functions take latency models and return arrays whose entry k - 1 belongs to k. `clustersim.theory.adaptive_k` takes
the means as `mu`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import COUNT, instance, integer
from clustersim.errors import ConfigurationError
from clustersim.latency import Exponential, LatencyModel, ShiftedExponential
from clustersim.latency.integrals import order_statistic_expectation
from clustersim.theory.float_range import represented

__all__ = ["harmonic_numbers", "order_statistic_means", "order_statistic_variances"]

Floats = NDArray[np.float64]


@represented
def harmonic_numbers(n: int) -> Floats:
    """Return the harmonic numbers H_0 .. H_n, where H_j = 1 + 1/2 + ... + 1/j.

    Parameters
    ----------
    n : int
        The largest index, at least 0.

    Returns
    -------
    ndarray of float64, shape (n + 1,)

    Raises
    ------
    ConfigurationError
        If n is not a whole number, at least 0.

    Examples
    --------
    >>> harmonic_numbers(2)
    array([0. , 1. , 1.5])
    """
    n = integer("n", n, low=0, high=COUNT)
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, n + 1))])


@represented
def order_statistic_means(model: LatencyModel, n: int) -> Floats:
    """Return E[X_(k)] for k = 1 .. n: the mean time of an update of fastest-k SGD if links take no time.

    Parameters
    ----------
    model : LatencyModel
        The law of the time of each of n independent workers.
    n : int
        Number of workers, at least 1.

    Returns
    -------
    ndarray of float64, shape (n,), seconds
        Entry k - 1 belongs to k; the mu_k of the adaptive-k paper (Kas Hanna et al., 2022, table I).

    Raises
    ------
    ConfigurationError
        If n is not a whole number, at least 1, or if the model cannot compute these means.

    Examples
    --------
    Example 1 of the paper (eq. 7), with rate 5 and therefore mean 1/5:

    >>> order_statistic_means(Exponential(mean=1 / 5), 5).round(4)
    array([0.04  , 0.09  , 0.1567, 0.2567, 0.4567])
    """
    n = checked_model(model, n)
    if isinstance(model, Exponential | ShiftedExponential):
        shift = model.shift if isinstance(model, ShiftedExponential) else 0.0
        return shift + model.mean * np.cumsum(1.0 / np.arange(n, 0, -1))
    return np.array([model.order_statistic_mean(k, n) for k in range(1, n + 1)])


@represented
def order_statistic_variances(model: LatencyModel, n: int) -> Floats:
    """Return Var[X_(k)] for k = 1 .. n; mean^2 (1/(n-k+1)^2 + ... + 1/n^2) for exponential times.

    The result is in closed form for `Exponential` and `ShiftedExponential`. For other models, it is computed by
    numerical integration; all workers must follow the same law.

    Parameters
    ----------
    model : LatencyModel
        The law of the time of each of n independent workers.
    n : int
        Number of workers, at least 1.

    Returns
    -------
    ndarray of float64, shape (n,), seconds squared
        Entry k - 1 belongs to k; the sigma_k^2 of the adaptive-k paper (table I).

    Raises
    ------
    ConfigurationError
        If n is not a whole number, at least 1, if the workers follow different laws, or if the tail is too heavy.

    Examples
    --------
    >>> order_statistic_variances(Exponential(mean=1.0), 2)
    array([0.25, 1.25])
    """
    n = checked_model(model, n)
    if isinstance(model, Exponential | ShiftedExponential):
        return model.mean**2 * np.cumsum(1.0 / np.arange(n, 0, -1) ** 2)
    if not model.homogeneous:
        raise ConfigurationError(
            f"order_statistic_variances of {model!r}: expected workers that all follow the same law; "
            "simulate the cluster instead"
        )
    return np.array([_variance(model, k, n) for k in range(1, n + 1)])


def checked_model(model: LatencyModel, n: int) -> int:
    """Check the model, and return the checked number of workers."""
    instance("model", model, LatencyModel, "a latency model, such as Exponential(mean=1.0)")
    return integer("n", n, low=1, high=COUNT)


def _variance(model: LatencyModel, k: int, n: int) -> float:
    """Return Var[X_(k)], by integration of the squared deviation."""
    mean = model.order_statistic_mean(k, n)
    if math.isinf(mean):
        return math.inf
    return order_statistic_expectation(lambda e: (model.inverse_hazard(e) - mean) ** 2, k, n)
