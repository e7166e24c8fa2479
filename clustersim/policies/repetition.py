"""Codes that repeat partitions: exact gradient codes, and ErasureHead, which does not wait for all of them."""

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
    """Every update uses the full gradient, decoded from whichever workers answer first.

    Parameters
    ----------
    load : int
        c, the shares that each worker computes, 1 .. n; the code survives any c - 1 stragglers.
    code : {"fractional", "cyclic"}, default "fractional"
        Fractional repetition: groups of c workers hold the same c shares (c must divide n), and the first answer of
        each group is enough. Cyclic repetition: worker i holds the shares i .. i + c - 1, and any n - c + 1 answers are
        enough.

    Raises
    ------
    ConfigurationError
        If the load is not a whole number, at least 1, the code is unknown, or (at the start of a run) the load does not
        fit the workers.

    Notes
    -----
    Source: Tandon et al. 2017, Algorithms 1 and 2. More stragglers than the code survives end the run with a
    `StalledError` where workers never answer.

    The cyclic code is decoded by solving a dense system of as many unknowns as answers, in every round: its cost grows
    with n cubed, and is the whole cost beyond some hundred workers. The fractional code costs no more than counting.

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
    >>> run.totals["used"]  # one answer of each of three groups
    30
    """

    load: int
    code: Code = "fractional"

    def __post_init__(self) -> None:
        choice("code", self.code, get_args(Code))
        super().__post_init__()

    def compose(self) -> Synchronous:
        """A repetition code, until the full gradient is decoded."""
        placement = FractionalRepetition(self.load) if self.code == "fractional" else CyclicRepetition(self.load)
        return Synchronous(Covered(), Exact(), placement)


@dataclass(frozen=True)
class ErasureHead(Composition):
    """Fractional repetition that does not wait for every group: groups that no one has answered for are left out.

    The gradient used is ``(1/m) * sum of the distinct groups' gradients``; its mean is 1 - p times the full gradient
    where a group is missed with probability p, which the step size has to absorb.

    Parameters
    ----------
    load : int
        c, the shares that each worker computes; it must divide n.
    fraction : float
        delta: the master waits for ``ceil(delta n)`` workers, or until every group is heard, whichever comes first.
    deadline : float, optional
        Seconds after which it goes on with what it has.
    silence : {"count", "redraw"}, default "count"
        What becomes of a round that nobody answers before the deadline, see `Synchronous`.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) the load does not divide the workers or nobody can
        meet the deadline.

    Notes
    -----
    Source: Wang et al. 2019, Algorithm 1 and eq. 1.

    Examples
    --------
    >>> ErasureHead(load=2, fraction=11 / 30).compose().wait
    Earliest(Fraction(delta=0.36666666666666664), Covered())
    """

    load: int
    fraction: float
    deadline: float | None = None
    silence: Silence = "count"

    def compose(self) -> Synchronous:
        """Fractional repetition, until a fraction has answered or all groups are heard, distinct groups."""
        rules = (Fraction(self.fraction), Covered())
        wait = Earliest(*rules) if self.deadline is None else Earliest(*rules, Deadline(self.deadline))
        return Synchronous(wait, DistinctGroups(), FractionalRepetition(self.load), silence=self.silence)
