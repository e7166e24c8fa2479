"""Exact gradient codes, and ErasureHead: schemes in which several workers hold the same partition."""

from dataclasses import dataclass
from typing import Literal, get_args

from clustersim.checks import choice
from clustersim.decoders import DistinctGroups, Exact
from clustersim.placements import CyclicRepetition, FractionalRepetition
from clustersim.policies.composition import Composition
from clustersim.policies.synchronous import Silence, Synchronous
from clustersim.waits import Covered, Deadline, Earliest, Fraction

__all__ = ["ErasureHead", "ExactGradientCode"]

Code = Literal["fractional", "cyclic"]


@dataclass(frozen=True)
class ExactGradientCode(Composition):
    r"""Gradient coding: every update uses the full gradient, decoded from the messages that arrive first.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{m} \sum_{i \in A_t} a_i \sum_r B_{ir} \nabla f_r(w_t)
        = w_t - \eta_t \nabla F(w_t)

    Worker i sends one vector, the sum of the gradients of its rows with the code's coefficients :math:`B_{ir}`.
    :math:`A_t` are the first workers whose messages determine the full gradient; the decoder finds :math:`a_i` such
    that :math:`\sum_{i \in A_t} a_i B_{ir} = 1` for each of the m rows.

    Parameters
    ----------
    load : int
        c, partitions that each worker computes, 1 to n; a partition has m / n rows. The code survives any c - 1
        stragglers.
    code : {"fractional", "cyclic"}, default "fractional"
        ``"fractional"``: groups of c workers hold the same c partitions (c must divide n), and the first message of
        each group is enough. ``"cyclic"``: worker i holds the partitions i to i + c - 1 (modulo n), and any n - c + 1
        messages are enough.

    Raises
    ------
    ConfigurationError
        If the load is not a whole number, at least 1, the code is unknown, or (at the start of a run) the load does not
        fit the number of workers.
    StalledError
        In a run, if more workers never answer than the code survives.

    Notes
    -----
    When to use it and when not: the updates are those of full synchrony, without its wait for the slowest workers. A
    task has c times as many rows as without a code, so it pays only where delays vary much or do not grow with the
    load. Where an approximate gradient is good enough, `ErasureHead` is faster.

    The cyclic code solves a dense system with one unknown for each message, in every round. The time this takes grows
    with n cubed, and dominates the simulation beyond some hundred workers. The fractional code only counts.

    Cost of an update: n vectors on the downlink. On the uplink the messages up to the last one needed (at least n / c
    with the fractional code, n - c + 1 with the cyclic one), and one for each straggler that has finished before the
    new model reaches it.

    Source: Tandon et al. 2017, Algorithms 1 and 2.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=6, compute=cs.Exponential(mean=1.0)),
    ...     cs.ExactGradientCode(load=2),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=10),
    ... )
    >>> run.totals["used"]  # one message of each of three groups
    30
    """

    load: int
    code: Code = "fractional"

    def __post_init__(self) -> None:
        choice("code", self.code, get_args(Code))
        super().__post_init__()

    def compose(self) -> Synchronous:
        """Wait on a repetition code until the full gradient can be decoded."""
        placement = FractionalRepetition(self.load) if self.code == "fractional" else CyclicRepetition(self.load)
        return Synchronous(Covered(), Exact(), placement)


@dataclass(frozen=True)
class ErasureHead(Composition):
    r"""ErasureHead: fractional repetition that does not wait for every group, and leaves the missing groups out.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{m} \sum_{g \in G_t} \sum_{r \in S_g} \nabla f_r(w_t)

    :math:`G_t` are the groups from which at least one message has arrived, and :math:`S_g` the rows that all c workers
    of group g hold. If each group is missing with probability p, the mean of this gradient is 1 - p times the full one;
    choose the step size accordingly.

    Parameters
    ----------
    load : int
        c, partitions that each worker computes, at least 1; it must divide n. A partition has m / n rows.
    fraction : float
        delta, above 0 and at most 1: the master waits for ``ceil(delta n)`` workers, or until a message of every group
        has arrived, whichever comes first.
    deadline : float, optional
        Seconds after the dispatch at which the master updates with what has arrived; above 0. No deadline if not given.
    silence : {"count", "redraw"}, default "count"
        What happens to a round in which no message arrives before the deadline. ``"count"``: it counts as an update
        with a gradient of zero. ``"redraw"``: the master sends the same model again, and the workers begin anew.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) the load does not divide the number of workers or no
        worker can meet the deadline.
    StalledError
        In a run, if ``silence="redraw"`` and no worker answers ten thousand times in a row, or if there is no deadline
        and too many workers never answer.

    Notes
    -----
    When to use it and when not: with few or moderate stragglers it is much faster than `ExactGradientCode` at the same
    load, and its error floor is lower than that of the stochastic codes. Where groups are missed often its gradient is
    much too short, and it converges more slowly than they do (with n = 10 and c = 2 if p is 0.7 or more) unless the
    steps are made longer.

    Cost of an update: n vectors on the downlink. On the uplink at most ``ceil(delta n)`` (more only if several arrive
    at the same instant), and one for each straggler that has finished before the new model reaches it.

    Source: Wang et al. 2019, Algorithm 1 and eq. 1.

    Examples
    --------
    >>> ErasureHead(load=2, fraction=11 / 30).compose().wait
    Earliest(Fraction(delta=0.36666666666666664), Covered())

    Workers 0 and 1 are a group, and so are 2 and 3. Half of the workers have answered at 2 s; one group is missing:

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=4, compute=cs.Replay([[1.0, 2.0, 5.0, 6.0]]), scaling="none"),
    ...     cs.ErasureHead(load=2, fraction=0.5),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=1),
    ... )
    >>> run.totals["time"], run.totals["used"]
    (2.0, 1)
    """

    load: int
    fraction: float
    deadline: float | None = None
    silence: Silence = "count"

    def compose(self) -> Synchronous:
        """Wait on fractional repetition for a fraction of the workers or for all groups; use each group once."""
        rules = (Fraction(self.fraction), Covered())
        wait = Earliest(*rules) if self.deadline is None else Earliest(*rules, Deadline(self.deadline))
        return Synchronous(wait, DistinctGroups(), FractionalRepetition(self.load), silence=self.silence)
