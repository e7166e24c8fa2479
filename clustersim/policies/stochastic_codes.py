"""Stochastic gradient codes for random stragglers: SGC, BGC, and SGC-Send-All.

Rows are placed on several random workers, and the master takes what has arrived at a deadline. The schemes differ in
the number of copies of a row, and in whether workers send sums or single rows. `clustersim.policies.random_stragglers`
holds what they share with schemes without a code.
"""

from dataclasses import dataclass

from clustersim.decoders import Decoder, DistinctRows
from clustersim.placements import NormReplication, Placement, Uncombined, UniformReplication
from clustersim.policies.composition import Composition
from clustersim.policies.random_stragglers import RandomStragglers

__all__ = ["BernoulliGradientCoding", "SendAll", "StochasticGradientCoding"]


@dataclass(frozen=True)
class _Redundant(Composition):
    """The parameter of the schemes that place each row on several workers; it comes before those of the stragglers."""

    redundancy: float


@dataclass(frozen=True)
class StochasticGradientCoding(RandomStragglers, _Redundant):
    r"""SGC: each row is on several random workers, in proportion to its squared norm; stragglers are ignored.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{(1 - p) m} \sum_{j \in A_t} \sum_{i \in S_j}
        \frac{1}{d_i} \nabla f_i(w_t), \qquad d_i \approx \frac{m d}{\|X\|_F^2} \|x_i\|^2

    :math:`A_t` are the workers that answer before the deadline, and :math:`S_j` the rows of worker j, which sends the
    inner sum as one vector. Row i is on :math:`d_i` workers: the value above rounded to a whole number, from 1 to n.
    The estimate is unbiased.

    Parameters
    ----------
    redundancy : float
        d, the average number of workers that hold a row, 1 to n.
    straggler_probability : float
        p in [0, 1), the probability that a worker does not answer before the deadline. The decoder assumes it; the
        cluster decides whether it is true.
    deadline : float, default 1.0
        Seconds after the dispatch at which the master updates with what has arrived; above 0. If all workers have
        answered before, the master updates then.
    silence : {"count", "redraw"}, default "count"
        What happens to a round in which no message arrives before the deadline. ``"count"``: it counts as an update
        with a gradient of zero. ``"redraw"``: the master sends the same model again, and the workers begin anew.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) the redundancy is greater than the number
        of workers, the problem does not provide the norms of its rows or all of them are zero, or a worker can never
        meet the deadline.
    StalledError
        In a run, if ``silence="redraw"`` and no worker answers ten thousand times in a row.

    Notes
    -----
    When to use it and when not: it needs only one vector a worker, and its error floor is lower than that of
    `IgnoreStragglers` (by a third for n = 10 and d = 2), for d times the computation. For few stragglers `ErasureHead`
    has a lower floor; for many (p of 0.7 and more with n = 10 and d = 2) SGC converges faster. Stragglers that stay the
    same for many updates raise its floor.

    Cost of an update: n vectors on the downlink, and one on the uplink for each worker that is not a straggler,
    (1 - p) n on average.

    Source: Bitar, Wootters and El Rouayheb 2020, eq. 4 to 8. Their objective is the sum over the rows; here it is the
    mean, so the gradient is divided by m.

    Examples
    --------
    >>> StochasticGradientCoding(redundancy=2, straggler_probability=0.7)
    StochasticGradientCoding(redundancy=2.0, straggler_probability=0.7, deadline=1.0, silence='count')
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=6, compute=cs.BernoulliStraggler(0.3), scaling="none"),
    ...     cs.StochasticGradientCoding(redundancy=2, straggler_probability=0.3),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=100),
    ... )
    >>> run.totals["time"], run.totals["downlink_vectors"]
    (100.0, 600)
    """

    def _placement(self) -> Placement:
        return NormReplication(self.redundancy)


@dataclass(frozen=True)
class BernoulliGradientCoding(RandomStragglers, _Redundant):
    r"""BGC: each row is on d random workers; stragglers are ignored.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{(1 - p) d m} \sum_{j \in A_t} \sum_{i \in S_j} \nabla f_i(w_t)

    :math:`A_t` are the workers that answer before the deadline, and :math:`S_j` the rows of worker j, which sends the
    sum of their gradients (over d) as one vector. The estimate is unbiased.

    Parameters
    ----------
    redundancy : int
        d, the number of distinct workers that hold a row, 1 to n. All sets of d workers are equally likely.
    straggler_probability : float
        p in [0, 1), the probability that a worker does not answer before the deadline. The decoder assumes it; the
        cluster decides whether it is true.
    deadline : float, default 1.0
        Seconds after the dispatch at which the master updates with what has arrived; above 0. If all workers have
        answered before, the master updates then.
    silence : {"count", "redraw"}, default "count"
        What happens to a round in which no message arrives before the deadline. ``"count"``: it counts as an update
        with a gradient of zero. ``"redraw"``: the master sends the same model again, and the workers begin anew.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) the redundancy is greater than the number
        of workers, or a worker can never meet the deadline.
    StalledError
        In a run, if ``silence="redraw"`` and no worker answers ten thousand times in a row.

    Notes
    -----
    When to use it and when not: it does not need the norms of the rows, and suits any problem. Where the norms differ
    much, `StochasticGradientCoding` places the rows that matter most on more workers; where they are alike, the two
    perform alike.

    Cost of an update: n vectors on the downlink, and one on the uplink for each worker that is not a straggler,
    (1 - p) n on average.

    Source: Charles, Papailiopoulos and Ellenberg 2017, as Bitar et al. 2020, Table I, use it: exactly d copies of a
    row, not d on average.

    Examples
    --------
    >>> BernoulliGradientCoding(redundancy=2, straggler_probability=0.7).compose().placement
    UniformReplication(redundancy=2)
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=6, compute=cs.BernoulliStraggler(0.3), scaling="none"),
    ...     cs.BernoulliGradientCoding(redundancy=2, straggler_probability=0.3),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=100),
    ... )
    >>> run.totals["time"], run.totals["downlink_vectors"]
    (100.0, 600)
    """

    redundancy: int

    def _placement(self) -> Placement:
        return UniformReplication(self.redundancy)


@dataclass(frozen=True)
class SendAll(RandomStragglers, _Redundant):
    r"""SGC-Send-All: the placement of SGC, but workers send the gradient of each row as a vector of its own.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{m} \sum_{i \in R_t} \frac{1}{1 - p^{d_i}} \nabla f_i(w_t)

    :math:`R_t` are the distinct rows on the workers that answer before the deadline. Row i is on :math:`d_i` workers
    (see the formula of `StochasticGradientCoding`), so it arrives with probability :math:`1 - p^{d_i}`, and the
    estimate is unbiased.

    Parameters
    ----------
    redundancy : float
        d, the average number of workers that hold a row, 1 to n.
    straggler_probability : float
        p in [0, 1), the probability that a worker does not answer before the deadline. The decoder assumes it; the
        cluster decides whether it is true.
    deadline : float, default 1.0
        Seconds after the dispatch at which the master updates with what has arrived; above 0. If all workers have
        answered before, the master updates then.
    silence : {"count", "redraw"}, default "count"
        What happens to a round in which no message arrives before the deadline. ``"count"``: it counts as an update
        with a gradient of zero. ``"redraw"``: the master sends the same model again, and the workers begin anew.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) the redundancy is greater than the number
        of workers, the problem does not provide the norms of its rows or all of them are zero, or a worker can never
        meet the deadline.
    StalledError
        In a run, if ``silence="redraw"`` and no worker answers ten thousand times in a row.

    Notes
    -----
    When to use it and when not: it is a lower bound on the error of `StochasticGradientCoding`, not a practical scheme,
    since each worker sends about d m / n vectors. The gap between the two closes as p grows: for d = 2 it
    is about 10 % at p = 0.6, and less beyond.

    Cost of an update: n vectors on the downlink. On the uplink one for each row of each worker that is not a straggler,
    about (1 - p) d m on average.

    Source: Bitar et al. 2020, Table I. They divide by the mean number of distinct rows that arrive. Row by row, as
    here, the estimate is unbiased even if the :math:`d_i` differ.

    Examples
    --------
    >>> SendAll(2, 0.7).compose().placement
    Uncombined(placement=NormReplication(redundancy=2.0))
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=6, compute=cs.BernoulliStraggler(0.3), scaling="none"),
    ...     cs.SendAll(redundancy=2, straggler_probability=0.3),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=100),
    ... )
    >>> run.totals["uplink_vectors"] / run.totals["uplink_messages"] > 15  # about 2 * 60 / 6
    True
    """

    def _placement(self) -> Placement:
        return Uncombined(NormReplication(self.redundancy))

    def _decoder(self) -> Decoder:
        return DistinctRows(self.straggler_probability)
