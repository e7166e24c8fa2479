"""Bounds on the gradients of K-SGD and Live Gradient Compensation, for non-convex objectives and non-IID data.

J. Xu, S.-L. Huang, L. Song, T. Lan, "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021.
K-SGD is fastest-k SGD. F is the mean of the workers' objectives F_i, and g_i is the gradient of worker i's mini-batch.
g~ is the mean of all N of these gradients, and g~' the mean of the K that are used, chosen independently of their
noise. The functions take these parameters:

==========  ==============================================================================================
workers, k  N, the number of workers, and K, the number of workers that an update waits for
batch       m, samples in a mini-batch, drawn independently
sigma2      sigma^2, bound on the variance of the gradient of one sample of a worker's own data
beta2       beta^2, bound on |grad F_i(x) - grad F(x)|^2 for every worker i and model x; 0 for IID data
L           Lipschitz constant of the gradient of F; F need not be convex
e0          F(x_0) - F*, where F* is the minimum of F
updates     T, number of updates
step_size   eta, the constant step size
==========  ==============================================================================================

`clustersim.theory.lgc_threshold` uses these bounds to choose K for a time budget. In eq. 8 of the paper, F(x) and F(y)
are exchanged on the left side; the proofs use the correct form.
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
_MAX_SETS = 500_000  # sets of workers; listing this many takes about a second


class GradientBias(NamedTuple):
    """Squared errors of the mean gradient of K of N workers: its bias, and two expectations that include noise.

    Parameters
    ----------
    delta2 : float
        Squared bias: |E g~' - grad F|^2, or a bound on it.
    from_average : float
        E|g~ - g~'|^2, the squared distance from the mean of all N gradients.
    from_gradient : float
        E|g~' - grad F|^2, the squared distance from the gradient of F.

    Examples
    --------
    >>> bias = lgc_gradient_bias_bound(10, 10, beta2=4.0, sigma2=10.0)
    >>> bias.delta2, bias.from_average, bias.from_gradient  # all workers: only noise is left
    (0.0, 0.0, 1.0)
    """

    delta2: float
    from_average: float
    from_gradient: float


@represented
def lgc_gradient_bias_bound(workers: int, k: int, *, beta2: float, sigma2: float = 0.0, batch: int = 1) -> GradientBias:
    """Return bounds on the squared errors of the mean gradient of any K of N workers (Lemma 1).

    delta^2 = min{1, (N-K)^2 / K^2} beta^2 bounds the squared bias. The other bounds are
    E|g~ - g~'|^2 <= delta^2 + (N-K)/(N K) sigma^2 / m (eq. 12) and E|g~' - grad F|^2 <= delta^2 + sigma^2 / (K m)
    (eq. 13).

    Parameters
    ----------
    workers, k, beta2, sigma2, batch
        See the head of this module.

    Returns
    -------
    GradientBias
        delta2, from_average (eq. 12) and from_gradient (eq. 13), in squared gradients.

    Raises
    ------
    ConfigurationError
        If an argument is out of range.

    Notes
    -----
    The worst gradients attain all three bounds: those of min{K, N-K} workers have the distance beta from grad F, all in
    the same direction. The bounds can fail if the set of workers depends on the noise, for example if the data affect
    the time of a worker. `lgc_gradient_bias` is exact.

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
    """Return the exact squared errors for given gradients of the workers: mean over all sets of K workers, or worst.

    With d_i = grad F_i - grad F, the squared bias of a set S is |sum over S of d_i|^2 / K^2. If all sets are equally
    likely, its mean is (N-K) / (K (N-1)) times the mean of |d_i|^2, which is up to N-1 times less than delta^2.

    Parameters
    ----------
    gradients : array_like, shape (workers, dimension)
        grad F_i(x) of every worker.
    k : int
        K, the number of workers that are used, 1 to N.
    sigma2 : float, default 0.0
        Variance of the gradient of one sample, the same on every worker.
    batch : int, default 1
        m, the number of samples in a mini-batch.
    sets : {"random", "worst"}, default "random"
        ``"random"``: the mean over all sets of K workers, which are equally likely. ``"worst"``: the set with the
        largest bias, by listing all sets.

    Returns
    -------
    GradientBias
        E|g~' - grad F|^2 without noise, E|g~ - g~'|^2 and E|g~' - grad F|^2, in squared gradients.

    Raises
    ------
    ConfigurationError
        If an argument is out of range, or if there are more than 500,000 sets to list.

    Examples
    --------
    Three workers hold one class, and one worker holds the other:

    >>> gradients = [[1.0], [1.0], [1.0], [-3.0]]
    >>> lgc_gradient_bias(gradients, 2).delta2, lgc_gradient_bias(gradients, 2, sets="worst").delta2
    (1.0, 1.0)
    >>> round(lgc_gradient_bias(gradients, 3).delta2, 4), lgc_gradient_bias(gradients, 3, sets="worst").delta2
    (0.3333, 1.0)
    """
    expected = "finite numbers of shape (workers, dimension), one row for each worker"
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
    """Return a bound on (1/T) sum over t < T of E|grad F(x_t)|^2 of K-SGD (Theorem 1; Proposition 1 if persistent).

    The bound is 2 e0 / (eta T) + L eta (delta^2 + sigma^2 / (K m)) for eta <= 1/L. It requires that all sets of K
    workers are equally likely to be the fastest, independently in each update (eq. 14). For any pattern of stragglers
    and eta <= 1/(4L), the bound is
    2 e0 / (eta T) + 2 L eta (delta^2 + sigma^2 / (K m)) + 2 (delta^2 + (N-K)/(N K) sigma^2 / m) (eq. 15).

    Parameters
    ----------
    updates : array_like
        T, numbers of updates, at least 1.
    step_size, workers, k, L, e0, beta2, sigma2, batch
        See the head of this module.
    persistent : bool, default False
        Allow any pattern of stragglers, such as the same workers in every update (Proposition 1).

    Returns
    -------
    float64 or ndarray of float64, same shape as `updates`, squared gradients

    Raises
    ------
    ConfigurationError
        If an argument is out of range, in particular if the step size is larger than the theorem allows.

    Notes
    -----
    "Random and independent" in Theorem 1 must be read as equally likely: with K = 1, the theorem is false if one of two
    workers is the fastest with probability 0.9. Proposition 1 is true, but weaker than its proof allows: the proof uses
    only the mean of g~ - g~', so that the last term can be reduced to 2 delta^2. For IID data, beta2 = 0, Theorem 1 is
    true for any pattern of stragglers.

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
    """Return a bound on (1/T) sum over t < T of E|grad F(x_t)|^2 of Live Gradient Compensation (Theorem 2).

    The bound is 2 e0 / (eta T) + L eta sigma^2 / (N m) + 2 L^2 eta^2 (delta^2 + (N-K)/(N K) sigma^2 / m) for
    eta <= 1/(2L) and any pattern of stragglers (eq. 16). With k = workers it is that of fully synchronous SGD.

    Parameters
    ----------
    updates : array_like
        T, numbers of updates, at least 1.
    step_size, workers, k, L, e0, beta2, sigma2, batch
        See the head of this module.

    Returns
    -------
    float64 or ndarray of float64, same shape as `updates`, squared gradients

    Raises
    ------
    ConfigurationError
        If an argument is out of range, in particular if the step size is larger than 1/(2L).

    Notes
    -----
    The theorem assumes that every straggler finishes and is compensated, from the first update on. It does not cover
    the scaled partial gradients of eq. 6, whose mean is (r/s) grad F_i instead of grad F_i as in eq. 4. The step size
    sqrt(N/T) of Corollary 1 has no unit. With sqrt(N/T) / L and T >= 4 N, the bound is
    (2 L e0 + sigma^2 / m) / sqrt(N T) + 2 (N/T) times eq. 12.

    Examples
    --------
    With the same constants, the bound of K-SGD is 0.021, or 0.28 for persistent stragglers:

    >>> known = dict(workers=10, k=7, L=1.0, e0=1.0, beta2=0.49, sigma2=0.7)
    >>> float(lgc_error_bound(10_000, 0.1, **known).round(4))
    0.0114
    """
    workers, k, noise = _checked_sizes(workers, k, sigma2, batch)
    bias = lgc_gradient_bias_bound(workers, k, beta2=beta2, sigma2=sigma2, batch=batch)
    start, rate = _checked_descent(updates, step_size, L, e0, "Theorem 2", 2)
    return start + rate * noise / workers + 2.0 * rate**2 * bias.from_average


def _checked_sizes(workers: int, k: int, sigma2: float, batch: int) -> tuple[int, int, float]:
    """Return N, K and the variance of one worker's gradient, sigma^2 / m, after checking the arguments."""
    workers = integer("workers", workers, low=1, high=COUNT)
    k = integer("k", k, low=1, high=workers, remedy="wait for at most as many messages as there are workers")
    return workers, k, number("sigma2", sigma2, low=0.0) / integer("batch", batch, low=1)


def _checked_descent(
    updates: ArrayLike, step_size: float, L: float, e0: float, theorem: str, divisor: int
) -> tuple[Floats, float]:
    """Return 2 e0 / (eta T) and L eta, after checking that eta <= 1 / (divisor L)."""
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
    """Return the largest squared norm of a sum of `size` points, by listing all sets."""
    count = math.comb(len(points), size)
    if count > _MAX_SETS:
        raise ConfigurationError(
            f"sets = 'worst': there are {count} sets of {size} of {len(points)} workers, expected at most {_MAX_SETS}; "
            "use lgc_gradient_bias_bound, which bounds the bias of all sets"
        )
    largest, sets = 0.0, itertools.combinations(range(len(points)), size)
    while chunk := list(itertools.islice(sets, 10_000)):
        sums = points[np.array(chunk, dtype=np.int64)].sum(axis=1)
        largest = max(largest, float((sums**2).sum(axis=1).max()))
    return largest
