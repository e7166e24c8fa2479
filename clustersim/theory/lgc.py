"""How close to a critical point K-SGD and Live Gradient Compensation come on non-convex problems and skewed data.

J. Xu, S.-L. Huang, L. Song, T. Lan, "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021.
K-SGD is fastest-k SGD. F is the mean of the workers' objectives F_i, g_i the gradient of worker i's mini-batch, g~ the
mean of all N of them and g~' the mean of the K that are used, chosen independently of their noise.

==========  ==============================================================================================
workers, k  N and K
batch       m, samples in a mini-batch, drawn independently
sigma2      sigma^2, bound on the variance of the gradient of one sample of a worker's own data
beta2       beta^2, bound on |grad F_i(x) - grad F(x)|^2 for every worker i and model x; 0 for IID data
L           Lipschitz constant of the gradient of F; F need not be convex
e0          F(x_0) - F*, F* the least value of F
updates     T, number of updates
step_size   eta, constant
==========  ==============================================================================================

The bounds here go to `clustersim.theory.lgc_threshold`, which chooses K for a budget of time. The paper's eq. 8 has
F(x) and F(y) exchanged on its left side; the proofs use the right form.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustersim.checks import COUNT, choice, complaint, flag, integer, number, numbers
from clustersim.errors import ConfigurationError
from clustersim.theory.float_range import represented

__all__ = ["GradientBias", "k_sgd_error_bound", "lgc_error_bound", "lgc_gradient_bias", "lgc_gradient_bias_bound"]

Floats = NDArray[np.float64]
_SETS = 500_000  # as many sets of workers are listed in about a second


class GradientBias(NamedTuple):
    """How far the mean gradient of K workers is off, squared: its bias, and with noise from two references."""

    delta2: float
    from_average: float
    from_gradient: float


@represented
def lgc_gradient_bias_bound(workers: int, k: int, *, beta2: float, sigma2: float = 0.0, batch: int = 1) -> GradientBias:
    """Bounds on the squared error of the mean gradient of any K of N workers (Lemma 1).

    delta^2 = min{1, (N-K)^2 / K^2} beta^2 bounds the squared bias, E|g~ - g~'|^2 <= delta^2 + (N-K)/(N K) sigma^2 / m
    (eq. 12) and E|g~' - grad F|^2 <= delta^2 + sigma^2 / (K m) (eq. 13).

    Parameters
    ----------
    workers, k, beta2, sigma2, batch
        See the head of this module.

    Returns
    -------
    GradientBias
        delta2, from_average (eq. 12) and from_gradient (eq. 13), squared gradients.

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Notes
    -----
    All three are met by the worst gradients: min{K, N-K} workers at distance beta from grad F in one direction. They
    fail where the set depends on the noise, as when data decide how long a worker takes. `lgc_gradient_bias` is exact.

    Examples
    --------
    >>> lgc_gradient_bias_bound(10, 5, beta2=4.0, sigma2=10.0)
    GradientBias(delta2=4.0, from_average=5.0, from_gradient=6.0)
    """
    workers, k, noise = _checked_sizes(workers, k, sigma2, batch)
    ratio = (workers - k) / k
    delta2 = min(1.0, ratio**2) * number("beta2", beta2, low=0.0)
    return GradientBias(delta2, delta2 + ratio * noise / workers, delta2 + noise / k)


@represented
def lgc_gradient_bias(
    gradients: ArrayLike, k: int, *, sigma2: float = 0.0, batch: int = 1, sets: str = "random"
) -> GradientBias:
    """The same exactly, for given gradients of the workers' objectives: on average over all sets of K, or at worst.

    With d_i = grad F_i - grad F, the squared bias of a set S is |sum over S of d_i|^2 / K^2. Its mean over all sets
    that are equally likely is (N-K) / (K (N-1)) times the mean of |d_i|^2, up to N-1 times less than delta^2.

    Parameters
    ----------
    gradients : array_like, shape (workers, dimension)
        grad F_i(x) of every worker.
    k : int
        K, 1 to N.
    sigma2 : float
        Variance of the gradient of one sample, the same on every worker.
    batch : int
        See the head of this module.
    sets : {"random", "worst"}
        Sets of workers that are equally likely, or the set of the largest bias; all of them are listed.

    Returns
    -------
    GradientBias
        E|g~' - grad F|^2 without noise, E|g~ - g~'|^2 and E|g~' - grad F|^2.

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or there are more than 500,000 sets to list.

    Examples
    --------
    Three workers that hold one class and one that holds the other:

    >>> gradients = [[1.0], [1.0], [1.0], [-3.0]]
    >>> lgc_gradient_bias(gradients, 2).delta2, lgc_gradient_bias(gradients, 2, sets="worst").delta2
    (1.0, 1.0)
    >>> round(lgc_gradient_bias(gradients, 3).delta2, 4), lgc_gradient_bias(gradients, 3, sets="worst").delta2
    (0.3333, 1.0)
    """
    expected = "finite numbers of shape (workers, dimension), a row a worker"
    points = numbers("gradients", gradients, expected, dimensions=2)
    if not points.size:
        raise complaint("gradients", gradients, expected)
    workers, k, noise = _checked_sizes(len(points), k, sigma2, batch)
    deviations = points - points.mean(axis=0)
    if choice("sets", sets, ("random", "worst")) == "random":
        delta2 = float((deviations**2).sum(axis=1).mean()) * (workers - k) / (k * max(workers - 1, 1))
    else:
        delta2 = _largest_squared_sum(deviations, min(k, workers - k)) / k**2
    return GradientBias(delta2, delta2 + (workers - k) / (workers * k) * noise, delta2 + noise / k)


@represented
def k_sgd_error_bound(
    updates: ArrayLike,
    step_size: float,
    *,
    workers: int,
    k: int,
    L: float,
    e0: float,
    beta2: float,
    sigma2: float,
    batch: int = 1,
    persistent: bool = False,
) -> Floats:
    """Bound on (1/T) sum over t < T of E|grad F(x_t)|^2 of K-SGD (Theorem 1; Proposition 1 if persistent).

    2 e0 / (eta T) + L eta (delta^2 + sigma^2 / (K m)) for eta <= 1/L if every set of K workers is equally likely to be
    the fastest, independently in each update (eq. 14). For stragglers of any pattern, and eta <= 1/(4L),
    2 e0 / (eta T) + 2 L eta (delta^2 + sigma^2 / (K m)) + 2 (delta^2 + (N-K)/(N K) sigma^2 / m) (eq. 15).

    Parameters
    ----------
    updates : array_like
        T, at least 1.
    step_size, workers, k, L, e0, beta2, sigma2, batch
        See the head of this module.
    persistent : bool
        Let the same workers straggle again and again (Proposition 1).

    Returns
    -------
    float64 or ndarray of float64, the shape of `updates`, squared gradients

    Raises
    ------
    ConfigurationError
        If an argument is out of range, in particular if the step is longer than the theorem allows.

    Notes
    -----
    Theorem 1's "random and independent" must be read as equally likely: with K = 1, and one of two workers the fastest
    nine times in ten, it is false. Proposition 1 holds but has more than its proof needs: only the mean of g~ - g~'
    enters there, so that 2 delta^2 would do for its last term. For IID data, beta2 = 0, Theorem 1 holds whoever
    straggles.

    Examples
    --------
    >>> known = dict(workers=10, k=7, L=1.0, e0=1.0, beta2=0.49, sigma2=0.7)
    >>> float(k_sgd_error_bound(10_000, 0.1, **known).round(4))
    0.021
    >>> float(k_sgd_error_bound(10_000, 0.1, **known, persistent=True).round(4))
    0.28
    """
    bias = lgc_gradient_bias_bound(workers, k, beta2=beta2, sigma2=sigma2, batch=batch)
    theorem = ("Proposition 1", 4) if flag("persistent", persistent) else ("Theorem 1", 1)
    start, rate = _checked_descent(updates, step_size, L, e0, *theorem)
    if persistent:
        return start + 2.0 * rate * bias.from_gradient + 2.0 * bias.from_average
    return start + rate * bias.from_gradient


@represented
def lgc_error_bound(
    updates: ArrayLike,
    step_size: float,
    *,
    workers: int,
    k: int,
    L: float,
    e0: float,
    beta2: float,
    sigma2: float,
    batch: int = 1,
) -> Floats:
    """Bound on (1/T) sum over t < T of E|grad F(x_t)|^2 of Live Gradient Compensation (Theorem 2).

    2 e0 / (eta T) + L eta sigma^2 / (N m) + 2 L^2 eta^2 (delta^2 + (N-K)/(N K) sigma^2 / m) for eta <= 1/(2L), whoever
    straggles (eq. 16). k = workers is fully synchronous SGD.

    Parameters
    ----------
    updates : array_like
        T, at least 1.
    step_size, workers, k, L, e0, beta2, sigma2, batch
        See the head of this module.

    Returns
    -------
    float64 or ndarray of float64, the shape of `updates`, squared gradients

    Raises
    ------
    ConfigurationError
        If an argument is out of range, in particular if the step is longer than 1/(2L).

    Notes
    -----
    Every straggler finishes, and is compensated from the first update on. The scaled partial gradients of eq. 6 have
    mean (r/s) grad F_i, not eq. 4's grad F_i, and are not covered. Corollary 1's step sqrt(N/T) has no unit; with
    sqrt(N/T) / L, for T >= 4 N, the bound is (2 L e0 + sigma^2 / m) / sqrt(N T) + 2 (N/T) times eq. 12.

    Examples
    --------
    K-SGD with the same constants ends at 0.021, or 0.28 if the stragglers persist:

    >>> known = dict(workers=10, k=7, L=1.0, e0=1.0, beta2=0.49, sigma2=0.7)
    >>> float(lgc_error_bound(10_000, 0.1, **known).round(4))
    0.0114
    """
    workers, k, noise = _checked_sizes(workers, k, sigma2, batch)
    bias = lgc_gradient_bias_bound(workers, k, beta2=beta2, sigma2=sigma2, batch=batch)
    start, rate = _checked_descent(updates, step_size, L, e0, "Theorem 2", 2)
    return start + rate * noise / workers + 2.0 * rate**2 * bias.from_average


def _checked_sizes(workers: int, k: int, sigma2: float, batch: int) -> tuple[int, int, float]:
    """N, K, and the variance of one worker's gradient, sigma^2 / m."""
    workers = integer("workers", workers, low=1, high=COUNT)
    k = integer("k", k, low=1, high=workers, remedy="wait for no more answers than there are workers")
    return workers, k, number("sigma2", sigma2, low=0.0) / integer("batch", batch, low=1)


def _checked_descent(
    updates: ArrayLike, step_size: float, L: float, e0: float, theorem: str, divisor: int
) -> tuple[Floats, float]:
    """2 e0 / (eta T) and L eta, if eta <= 1 / (divisor L)."""
    counts = numbers("updates", updates, "numbers of updates, at least 1", low=1.0, finite=False)
    eta, L = number("step_size", step_size, above=0.0), number("L", L, above=0.0)
    if divisor * L * eta > 1.0 + 1e-12:
        formula = f"1/({divisor} L)" if divisor > 1 else "1/L"
        raise ConfigurationError(
            f"step_size = {eta:g}: expected at most {formula} = {1.0 / (divisor * L):g}, a condition of {theorem}"
        )
    start: Floats = (2.0 * number("e0", e0, low=0.0) / (eta * counts))[()]
    return start, L * eta


def _largest_squared_sum(points: Floats, size: int) -> float:
    """The largest |sum of `size` of the points|^2, by listing all sets."""
    count = math.comb(len(points), size)
    if count > _SETS:
        raise ConfigurationError(
            f"sets = 'worst': there are {count} sets of {size} of {len(points)} workers, expected at most {_SETS}; "
            "lgc_gradient_bias_bound bounds them all"
        )
    largest, sets = 0.0, itertools.combinations(range(len(points)), size)
    while some := list(itertools.islice(sets, 10_000)):
        sums = points[np.array(some, dtype=np.int64)].sum(axis=1)
        largest = max(largest, float((sums**2).sum(axis=1).max()))
    return largest
