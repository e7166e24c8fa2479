"""Live gradient compensation (LGC): do not wait for stragglers, and use what they have finished one update later."""

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
    r"""LGC-SGD: the mean of the k fastest workers, plus a correction for what the last update lacked.

    .. math:: w_{t+1} = w_t - \eta_t (\tilde g'_t + e_{t-1}), \qquad
        \tilde g'_t = \frac{1}{K} \sum_{i \in A_t} g_t^{(i)}

    .. math:: e_{t-1} = \frac{1}{N} \sum_{i \notin A_{t-1}} g_{t-1}^{(i)} - \frac{N - K}{N} \tilde g'_{t-1},
        \qquad e_{-1} = 0

    :math:`A_t` are the K workers (k here) of N (n) whose messages arrive first, and :math:`g_t^{(i)}` is the mean
    gradient of worker i over the rows of its task. A new model stops the stragglers. Each sends the r of its s blocks
    that it has finished; their sum is divided by the rows of the whole task, so that the missing blocks count as zero.
    If all stragglers finish, :math:`w_t - \eta_t e_{t-1}` is where the last update would have led with the mean over
    all workers.

    Parameters
    ----------
    k : int
        K, messages about the current model to wait for, 1 to n.
    blocks : int
        s, the equal parts into which a worker cuts its task, from 1 to the number of rows in the task. With one block a
        straggler sends all of its message or nothing. Where the new model takes no time to reach it, it sends nothing,
        and the scheme is K-SGD with steps K / N as long.
    placement : Placement, default EvenPartition()
        Which worker holds which rows, such as ``ByLabel(classes=2)``. By default each holds m / n of them.
    batch : int, optional
        b, rows that a worker draws afresh for each task from those that it holds, at least 1. If not given, it computes
        all rows that it holds.
    scaled : bool, default True
        Whether a message of r of the s blocks counts r / s, as in the formula. If False, it counts as the mean over the
        rows that it brings, and workers that sent nothing are left out of the correction; see `Compensate`.
    warm_up : float, default 0.0
        Length, in epochs (passes over the data), of a first phase in which the master waits for all workers; at least
        0.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, there are more blocks than rows in a batch, or (at the start of a run) k is
        greater than the number of workers or there are more blocks than rows on a worker.

    Notes
    -----
    When to use it and when not: it suits workers that hold different data or stragglers that stay the same, where the
    gradient of `FastestK` is biased. It needs stragglers that have finished some blocks when they are stopped. Where
    many have not, the gradient is too short, by (N - K) / N if none has; and the late gradients add communication.

    Cost of an update: n vectors on the downlink. On the uplink k, and one for each straggler that has finished a block,
    at most n in all.

    Messages that are two updates late are discarded. The optimiser gets the compensated gradient, so momentum
    remembers the correction. Stopped workers send what they have finished, whatever the cluster's `busy` says.

    Source: Xu et al. 2021, Algorithm 1, where r is the number of finished blocks and compensation begins with the
    second update.

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
        """Wait for the k fastest workers, take the mean, and use late messages in the next update."""
        wait = warmed_up(Fastest(self.k), self.warm_up)
        late = Compensate(self.scaled)
        return Synchronous(wait, placement=self.placement, batch=self.batch, blocks=self.blocks, late=late)
