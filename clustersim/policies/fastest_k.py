"""Full synchrony and fastest-k SGD: wait for the same number of workers in every round."""

from dataclasses import dataclass

from clustersim.placements import EvenPartition, Placement
from clustersim.policies.composition import Composition
from clustersim.policies.synchronous import Synchronous
from clustersim.waits import All, Fastest
from clustersim.waits.warm_up import warmed_up

__all__ = ["FastestK", "FullSync"]


@dataclass(frozen=True, repr=False)
class FullSync(Composition):
    r"""Wait for every worker: uncoded, distributed gradient descent.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{\sum_i |S_i|} \sum_{i=1}^{n} \sum_{r \in S_i} \nabla f_r(w_t)

    :math:`S_i` is the set of rows that worker i has computed: the rows that it holds, or its mini-batch. Without
    mini-batches and redundancy the :math:`S_i` are all m rows, and the update uses the full gradient
    :math:`\nabla F(w_t)`.

    Parameters
    ----------
    placement : Placement, default EvenPartition()
        Which worker holds which rows, such as ``ByLabel(classes=2)``. By default each holds m / n of them.
    batch : int, optional
        b, rows that a worker draws afresh for each task from those that it holds, at least 1. If not given, it computes
        all rows that it holds.

    Raises
    ------
    ConfigurationError
        If a parameter is of the wrong kind or out of range, or (at the start of a run) does not fit the problem or the
        cluster, such as a batch of more rows than a worker holds.
    StalledError
        In a run, if a worker never answers.

    Notes
    -----
    When to use it and when not: it is the baseline for all other schemes, and its updates are the most accurate. Every
    update takes as long as the slowest worker, so it is a poor choice where response times vary much. It does not
    survive a worker that never answers.

    Cost of an update: n vectors on the downlink, n on the uplink.

    Source: Dutta et al. 2018 ("fully synchronous SGD"); Kas Hanna et al. 2022, eq. 5 with k = n.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 4.0]] * 2)),
    ...     cs.FullSync(),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=2),
    ... )
    >>> run.totals["time"], run.totals["uplink_vectors"]  # 4 s and three messages an update
    (8.0, 6)
    """

    placement: Placement = EvenPartition()
    batch: int | None = None

    def compose(self) -> Synchronous:
        """Wait for all workers, and take the mean."""
        return Synchronous(All(), placement=self.placement, batch=self.batch)


@dataclass(frozen=True, repr=False)
class FastestK(Composition):
    r"""Wait for the k fastest workers in every round, and ignore the others (fastest-k SGD, K-sync SGD, K-SGD).

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{k s} \sum_{i \in A_t} \sum_{r \in S_i} \nabla f_r(w_t)

    :math:`A_t` are the k workers whose messages arrive first, and :math:`S_i` the s = m / n rows of worker i, or its
    mini-batch of s = b rows. Where workers compute different numbers of rows, the divisor is
    :math:`\sum_{i \in A_t} |S_i|` instead of k s.

    Parameters
    ----------
    k : int
        Number of messages to wait for, 1 to n.
    placement : Placement, default EvenPartition()
        Which worker holds which rows, such as ``ByLabel(classes=2)``. By default each holds m / n of them.
    batch : int, optional
        b, rows that a worker draws afresh for each task from those that it holds, at least 1. If not given, it computes
        all rows that it holds.
    warm_up : float, default 0.0
        Length, in epochs (passes over the data), of a first phase in which the master waits for all workers; at least
        0. See `clustersim.waits.WarmUp`.

    Raises
    ------
    ConfigurationError
        If a parameter is of the wrong kind or out of range, or (at the start of a run) k is greater than the number of
        workers.

    Notes
    -----
    When to use it and when not: a smaller k makes updates faster and noisier, so that the error falls sooner and stops
    falling at a higher floor. It suits data that are alike on all workers. If the same workers are slow all the time,
    or workers hold different data, the gradient is biased; `LiveGradientCompensation` mends that.

    Cost of an update: n vectors on the downlink. On the uplink k, and one for each straggler that has finished before
    the new model reaches it.

    Source: Kas Hanna et al. 2022, eq. 5; Dutta et al. 2018 (K-sync SGD); Xu et al. 2021 (K-SGD), with mini-batches and
    a warm-up.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Replay([[1.0, 2.0, 4.0]] * 2)),
    ...     cs.FastestK(2),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=2),
    ... )
    >>> run.totals["time"], run.totals["uplink_vectors"]  # 2 s and two messages an update
    (4.0, 4)
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    warm_up: float = 0.0

    def compose(self) -> Synchronous:
        """Wait for the k fastest workers, and take the mean."""
        wait = warmed_up(Fastest(self.k), self.warm_up)
        return Synchronous(wait, placement=self.placement, batch=self.batch)
