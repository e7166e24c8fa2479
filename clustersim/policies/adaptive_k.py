"""Adaptive-k SGD: wait for few workers while the error falls fast, and for more once it has reached its floor.

Both schemes are compositions. Their wait rules, `Pflug` and `Schedule`, combine with any other placement and decoder
through `Synchronous`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import store
from clustersim.policies.composition import Composition
from clustersim.policies.synchronous import Synchronous
from clustersim.waits import Pflug, Schedule

__all__ = ["AdaptiveK", "SwitchingTimes"]


@dataclass(frozen=True)
class AdaptiveK(Composition):
    r"""Fastest-k SGD that raises k when Pflug's test detects that the error has reached the floor of the present k.

    .. math:: w_{t+1} = w_t - \eta_t \hat g_t, \qquad
        \hat g_t = \frac{1}{k_t s} \sum_{i \in A_t} \sum_{r \in S_i} \nabla f_r(w_t)

    :math:`A_t` are the :math:`k_t` workers whose messages arrive first, and :math:`S_i` the s = m / n rows of worker i.
    A counter goes up by 1 if :math:`\hat g_t^T \hat g_{t-1} < 0`, and down by 1 otherwise. When the counter exceeds
    `threshold`, and more than `burn_in` updates have passed since the last switch, k becomes k + `step` or k * `factor`
    (unless that exceeds `max_k`), and the counter returns to 0.

    Parameters
    ----------
    start : int
        The first k, 1 to n.
    threshold : int
        The paper's ``thresh``, at least 0: k is raised only while the counter exceeds it.
    burn_in : int
        The paper's ``burnin``, in updates, at least 0: k is raised only if more updates have passed since the last
        switch (or since the start).
    step : int, optional
        Number that is added to k at a switch, at least 1. If neither `step` nor `factor` is given, it is 1; give at
        most one of the two.
    factor : int, optional
        Number that k is multiplied by at a switch, at least 2.
    max_k : int, optional
        Cap on k, from `start` to n; n if not given. A switch that would exceed it does not take place.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, both `step` and `factor` are given, or (at the start of a run) `start` or
        `max_k` is greater than the number of workers.

    Notes
    -----
    When to use it and when not: it begins with the fast updates of a small k and ends with the low floor of a large
    one, without knowing any constants of the problem. The test misfires where the noise of the gradient is larger than
    its steady part: consecutive gradients then oppose each other although the error still falls, and k rises too early.
    A longer `burn_in` helps.

    Cost of an update: n vectors on the downlink. On the uplink the present k, and one for each straggler that has
    finished before the new model reaches it.

    Source: Kas Hanna et al. 2022, Algorithm 1. `clustersim.waits.Pflug` says where the code departs from the printed
    form.

    Examples
    --------
    The setting of the paper's Fig. 3:

    >>> AdaptiveK(start=10, threshold=10, burn_in=200, step=10, max_k=40)
    AdaptiveK(start=10, threshold=10, burn_in=200, step=10, factor=None, max_k=40)

    A small run, in which k is doubled:

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=80, features=2, seed=1),
    ...     cs.Cluster(workers=8, compute=cs.Exponential(mean=1.0)),
    ...     cs.AdaptiveK(start=2, threshold=2, burn_in=20, factor=2),
    ...     optimizer=cs.SGD(0.02),
    ...     until=cs.Until(updates=400),
    ...     evaluate_every=1,
    ... )
    >>> sorted(set(run.history["k"].tolist()))
    [2, 4, 8]
    """

    start: int
    threshold: int
    burn_in: int
    step: int | None = None
    factor: int | None = None
    max_k: int | None = None

    def compose(self) -> Synchronous:
        """Wait on an even partition as Pflug's test says, and take the mean."""
        return Synchronous(wait=Pflug(self.start, self.threshold, self.burn_in, self.step, self.factor, self.max_k))


@dataclass(frozen=True)
class SwitchingTimes(Composition):
    r"""Fastest-k SGD that raises k by one at each of the given times.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{k_t s} \sum_{i \in A_t} \sum_{r \in S_i} \nabla f_r(w_t), \qquad
        k_t = \mathrm{start} + \#\{j : \mathrm{times}_j \le \tau_t\}

    :math:`\tau_t` is the simulated time at which the round of update t begins, :math:`A_t` are the :math:`k_t` workers
    whose messages arrive first, and :math:`S_i` the s = m / n rows of worker i.

    Parameters
    ----------
    times : sequence of float
        Simulated times in seconds, at least 0, in ascending order; equal times raise k by more than one. They are
        rounded to ticks of the cluster.
    start : int, default 1
        The first k; start + len(times) is at most n.

    Raises
    ------
    ConfigurationError
        If the times are not in order, negative or NaN, `start` is not a whole number, at least 1, or (at the start of
        a run) the last k is greater than the number of workers.

    Notes
    -----
    When to use it and when not: with the times of Theorem 1 it minimises the paper's bound on the error, so it shows
    what adaptive k can reach. It needs the constants of the problem and the law of the response times; if they are not
    known, use `AdaptiveK`.

    Cost of an update: n vectors on the downlink. On the uplink the present k, and one for each straggler that has
    finished before the new model reaches it.

    Source: Kas Hanna et al. 2022, Theorem 1, whose times `clustersim.theory.bound_optimal_switching_times` computes.

    Examples
    --------
    >>> SwitchingTimes([496.9, 621.6])
    SwitchingTimes(times=(496.9, 621.6), start=1)

    Workers that answer after 1, 2, and 4 s: rounds begin at 0, 1, 2 and 4 s.

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 4.0]] * 4)),
    ...     cs.SwitchingTimes([1.5, 4.0]),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=4),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()
    [0.0, 1.0, 2.0, 4.0, 8.0]
    """

    times: Sequence[float] | NDArray[np.float64]
    start: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        store(self, times=Schedule(self.times, self.start).times)

    def compose(self) -> Synchronous:
        """Wait on an even partition for a k that rises at the given times, and take the mean."""
        return Synchronous(wait=Schedule(self.times, self.start))
