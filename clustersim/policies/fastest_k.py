"""Fixed-k schemes: wait for the same number of workers in every round."""

from dataclasses import dataclass

from clustersim.checks import integer
from clustersim.policies.synchronous import Composition, Synchronous
from clustersim.waits import All, Fastest

__all__ = ["FastestK", "FullSync"]


@dataclass(frozen=True)
class FullSync(Composition):
    """Wait for every worker: uncoded, distributed gradient descent.

    Examples
    --------
    >>> FullSync()
    FullSync()
    """

    def compose(self) -> Synchronous:
        """An even partition, all workers, the mean."""
        return Synchronous(wait=All())


@dataclass(frozen=True)
class FastestK(Composition):
    """Wait for the k fastest workers in every round, and drop the work of the others (K-sync SGD).

    The model moves by ``w <- w - eta * mean of the k partial gradients``.

    Parameters
    ----------
    k : int
        Number of answers to wait for, 1 .. n.

    Raises
    ------
    ConfigurationError
        If k is not a whole number, at least 1, or (at the start of a run) is beyond the number of workers.

    Notes
    -----
    Source: Kas Hanna et al. 2022, eq. 5.

    Examples
    --------
    >>> FastestK(10)
    FastestK(k=10)
    """

    k: int

    def __post_init__(self) -> None:
        integer("k", self.k, low=1)

    def compose(self) -> Synchronous:
        """An even partition, the k fastest, the mean."""
        return Synchronous(wait=Fastest(self.k))
