"""Live gradient compensation: stragglers are not waited for, and what they had done is used one update later."""

from dataclasses import dataclass

from clustersim.placements import EvenPartition, Placement
from clustersim.policies.composition import Composition
from clustersim.policies.late import Compensate
from clustersim.policies.synchronous import Synchronous
from clustersim.waits import Fastest
from clustersim.waits.warm_up import warmed_up

__all__ = ["LiveGradientCompensation"]


@dataclass(frozen=True, repr=False)
class LiveGradientCompensation(Composition):
    r"""LGC-SGD: the mean of the k fastest, plus what the last update lacked (:math:`\tilde g'_t + e_{t-1}`).

    A new model stops the stragglers, which send the blocks that they have finished; these make up, one update late, for
    the bias of the k fastest. If all stragglers finish, :math:`x_t - \eta e_{t-1}` moves by the mean over all workers.

    Parameters
    ----------
    k : int
        Fresh answers to wait for, 1 .. n.
    blocks : int
        s, the parts into which a worker cuts its task. With one block a straggler has all of its answer or nothing:
        where the new model takes no time to reach it, nothing, and what is left is K-SGD with steps K/N as long.
    placement, batch
        See `FullSync`.
    scaled : bool, default True
        Whether an answer of r of the s blocks counts r / s, or as if it were whole, see `Compensate`.
    warm_up : float, default 0.0
        Epochs of full synchrony with which it begins.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, there are more blocks than rows in a batch, or (at the start of a run) k is
        beyond the number of workers.

    Notes
    -----
    Source: Xu et al. 2021, Algorithm 1, where r is the number of finished blocks and compensation begins with the
    second update. Answers that are two updates late are thrown away. The optimiser sees the compensated gradient, so
    momentum carries it on. Stopped workers send what they have whatever the cluster's `busy` says.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=160, features=3, seed=1),
    ...     cs.Cluster(workers=10, compute=cs.ShiftedExponential(shift=0.05, mean=0.02), scaling="none"),
    ...     cs.LiveGradientCompensation(k=7, blocks=4),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=10),
    ... )
    >>> run.totals["used"], run.totals["used_late"], run.totals["used_partial"]  # 3 stragglers in each of 9 rounds
    (70, 27, 27)
    """

    k: int
    blocks: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    scaled: bool = True
    warm_up: float = 0.0

    def compose(self) -> Synchronous:
        """The k fastest, the mean, late answers in the next update."""
        wait = warmed_up(Fastest(self.k), self.warm_up)
        late = Compensate(self.scaled)
        return Synchronous(wait, placement=self.placement, batch=self.batch, blocks=self.blocks, late=late)
