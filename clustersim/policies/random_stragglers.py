"""Schemes for random stragglers without a code: Ignore-Stragglers-SGD, and mini-batches that are drawn afresh.

They take what has arrived at a deadline. A worker fails to answer before it with a known probability p, and the decoder
makes up for the missing messages. In the papers a worker answers in time or not at all, whatever it holds:
``Cluster(..., compute=BernoulliStraggler(p), scaling="none")``. On other clusters, pass the p that follows from the
deadline. `RandomStragglers` is the base class of these schemes and of the codes in
`clustersim.policies.stochastic_codes`.
"""

from abc import abstractmethod
from dataclasses import dataclass

from clustersim.decoders import Decoder, Unbiased
from clustersim.errors import ConfigurationError
from clustersim.placements import EvenPartition, Everything, Placement
from clustersim.policies.composition import Composition
from clustersim.policies.synchronous import Silence, Synchronous
from clustersim.waits import All, Deadline

__all__ = ["FreshBatches", "IgnoreStragglers", "RandomStragglers"]


@dataclass(frozen=True)
class RandomStragglers(Composition):
    """The parameters of all schemes that wait until a deadline for workers that straggle at random."""

    straggler_probability: float
    deadline: float = 1.0
    silence: Silence = "count"

    def compose(self) -> Synchronous:
        """Wait until the deadline on the scheme's placement, and weigh the messages with its decoder."""
        placement, decoder = self._placement(), self._decoder()
        return Synchronous(Deadline(self.deadline, for_all=True), decoder, placement, silence=self.silence)

    @abstractmethod
    def _placement(self) -> Placement:
        """Return which worker holds which rows."""

    def _decoder(self) -> Decoder:
        """Return the sum over its expected value, as most of the schemes use it."""
        return Unbiased(self.straggler_probability)


@dataclass(frozen=True)
class IgnoreStragglers(RandomStragglers):
    r"""Ignore-Stragglers-SGD: no redundancy; sum what arrives before the deadline, and divide by (1 - p) m.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{(1 - p) m} \sum_{j \in A_t} \sum_{i \in S_j} \nabla f_i(w_t)

    :math:`A_t` are the workers that answer before the deadline, and :math:`S_j` the m / n rows of worker j. The
    estimate is unbiased.

    Parameters
    ----------
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
        If a parameter is out of range, or (at the start of a run) a worker can never meet the deadline.
    StalledError
        In a run, if ``silence="redraw"`` and no worker answers ten thousand times in a row.

    Notes
    -----
    When to use it and when not: it is the cheapest scheme, since each worker computes only its even share. Its error
    floor is higher than that of the codes. Its gradient is unbiased only if all workers straggle equally often; if the
    same workers are always late, their rows never count.

    Cost of an update: n vectors on the downlink, and one on the uplink for each worker that is not a straggler,
    (1 - p) n on average.

    Source: Bitar et al. 2020, Table I (Ignore-Stragglers-SGD).

    Examples
    --------
    >>> IgnoreStragglers(0.2).compose().decoder
    Unbiased(straggler_probability=0.2)
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=6, compute=cs.BernoulliStraggler(0.3), scaling="none"),
    ...     cs.IgnoreStragglers(0.3),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=100),
    ... )
    >>> run.totals["time"], run.totals["downlink_vectors"]
    (100.0, 600)
    """

    def _placement(self) -> Placement:
        return EvenPartition()


@dataclass(frozen=True)
class FreshBatches(Composition):
    r"""Mini-batch SGD: every worker holds all rows, and draws some of them afresh for each task.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{(1 - p) n b} \sum_{j \in A_t} \sum_{i \in S_{j,t}} \nabla f_i(w_t)

    :math:`A_t` are the workers that answer before the deadline, and :math:`S_{j,t}` the b rows that worker j has drawn,
    without replacement and independently of the other workers. The estimate is unbiased.

    Parameters
    ----------
    batch : int
        b, rows of one task, 1 to m; m / n gives every worker the work of an even share.
    straggler_probability : float, default 0.0
        p in [0, 1), the probability that a worker does not answer before the deadline. The decoder assumes it; the
        cluster decides whether it is true.
    deadline : float, optional
        Seconds after the dispatch at which the master updates with what has arrived; above 0. If not given, the master
        waits for every worker; this requires p = 0.
    silence : {"count", "redraw"}, default "count"
        What happens to a round in which no message arrives before the deadline. ``"count"``: it counts as an update
        with a gradient of zero. ``"redraw"``: the master sends the same model again, and the workers begin anew.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, p is above 0 and there is no deadline, or (at the start of a run) the batch has
        more rows than the problem or a worker can never meet the deadline.
    StalledError
        In a run, if ``silence="redraw"`` and no worker answers ten thousand times in a row, or if there is no deadline
        and a worker never answers.

    Notes
    -----
    When to use it and when not: every worker must be able to hold all data. No row is tied to a worker, so stragglers
    that stay the same do no harm beyond a smaller batch. If stragglers are few and random, the fixed shares of
    `IgnoreStragglers` end at a lower error, since they complete each other and fresh batches do not.

    Cost of an update: n vectors on the downlink, and one on the uplink for each worker that is not a straggler,
    (1 - p) n on average.

    Source: Chen et al. 2016, "Revisiting distributed synchronous SGD", with which Bitar et al. 2020 compare
    Ignore-Stragglers-SGD. Without stragglers (p = 0) it is plain batch SGD.

    Examples
    --------
    >>> FreshBatches(batch=100).compose().placement
    Everything()
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=6, compute=cs.BernoulliStraggler(0.3), scaling="none"),
    ...     cs.FreshBatches(batch=10, straggler_probability=0.3, deadline=1.0),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=100),
    ... )
    >>> run.totals["time"], run.totals["downlink_vectors"]
    (100.0, 600)
    """

    batch: int
    straggler_probability: float = 0.0
    deadline: float | None = None
    silence: Silence = "count"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.deadline is None and self.straggler_probability > 0.0:
            raise ConfigurationError(
                f"deadline = None: expected a time, since with straggler_probability = {self.straggler_probability} "
                "some workers do not answer; give deadline=1.0 or the like"
            )

    def compose(self) -> Synchronous:
        """Wait until the deadline, with all rows on every worker; take an unbiased sum over the batches."""
        wait = All() if self.deadline is None else Deadline(self.deadline, for_all=True)
        decoder = Unbiased(self.straggler_probability)
        return Synchronous(wait, decoder, Everything(), batch=self.batch, silence=self.silence)
