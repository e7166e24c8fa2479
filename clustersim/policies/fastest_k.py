"""Fixed-k schemes: wait for the same number of workers in every round."""

from dataclasses import dataclass

from clustersim.placements import EvenPartition, Placement
from clustersim.policies.composition import Composition
from clustersim.policies.synchronous import Synchronous
from clustersim.waits import All, Fastest
from clustersim.waits.warm_up import warmed_up

__all__ = ["FastestK", "FullSync"]


@dataclass(frozen=True, repr=False)
class FullSync(Composition):
    """Wait for every worker: uncoded, distributed gradient descent.

    Parameters
    ----------
    placement : Placement, default EvenPartition()
        Who holds which rows, such as ``ByLabel(classes=2)``.
    batch : int, optional
        Rows that a worker draws afresh for each task; it computes all that it holds if not given.

    Raises
    ------
    ConfigurationError
        If a parameter is of the wrong kind or out of range.

    Examples
    --------
    >>> FullSync()
    FullSync()
    """

    placement: Placement = EvenPartition()
    batch: int | None = None

    def compose(self) -> Synchronous:
        """All workers, the mean."""
        return Synchronous(All(), placement=self.placement, batch=self.batch)


@dataclass(frozen=True, repr=False)
class FastestK(Composition):
    """Wait for the k fastest workers in every round, and drop the work of the others (K-sync SGD, K-SGD).

    The model moves by ``w <- w - eta * mean of the k partial gradients``.

    Parameters
    ----------
    k : int
        Number of answers to wait for, 1 .. n.
    placement, batch
        See `FullSync`.
    warm_up : float, default 0.0
        Epochs of full synchrony with which it begins, see `clustersim.waits.WarmUp`.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) k is beyond the number of workers.

    Notes
    -----
    Source: Kas Hanna et al. 2022, eq. 5; Dutta et al. 2018 (K-sync SGD); Xu et al. 2021 (K-SGD), with mini-batches and
    a warm-up.

    Examples
    --------
    >>> FastestK(10)
    FastestK(k=10)
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    warm_up: float = 0.0

    def compose(self) -> Synchronous:
        """The k fastest, the mean."""
        wait = warmed_up(Fastest(self.k), self.warm_up)
        return Synchronous(wait, placement=self.placement, batch=self.batch)
