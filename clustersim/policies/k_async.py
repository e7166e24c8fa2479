"""K-async, K-batch-async and K-batch-sync SGD: the named cases of `clustersim.policies.asynchronous`.

They differ in when a worker gets the next model (at once, or when its message has been used), and in whether messages
about older models count. With k > n the batch variants are FedBuff and Rennala SGD.
"""

from dataclasses import dataclass

from clustersim.placements import EvenPartition, Placement
from clustersim.policies.asynchronous import Asynchronous
from clustersim.policies.composition import Composition

__all__ = ["KAsync", "KBatchAsync", "KBatchSync"]


@dataclass(frozen=True, repr=False)
class KAsync(Composition):
    r"""K-async SGD: update with the first k messages of any version; only their k workers get the new model.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{k s} \sum_{j=1}^{k} \sum_{r \in S_j} \nabla f_r(w_{v_j})

    Message j brings the gradients of s rows :math:`S_j` (an even share of m / n rows, or a mini-batch of b) at version
    :math:`v_j \le t` of the model. Where workers compute different numbers of rows, the divisor is
    :math:`\sum_j |S_j|`. For k = 1 it is asynchronous SGD.

    Parameters
    ----------
    k : int
        Messages in an update, 1 to n.
    placement : Placement, default EvenPartition()
        Which worker holds which rows, such as ``ByLabel(classes=2)``. By default each holds m / n of them.
    batch : int, optional
        b, rows that a worker draws afresh for each task from those that it holds, at least 1. If not given, it computes
        all rows that it holds.
    max_staleness : int, optional
        Largest staleness, in updates, of a message that is used; at least 0. Older messages are discarded, and their
        workers get the current model at once. No bound if not given. A worker is never stopped because of it.

    Raises
    ------
    ConfigurationError
        If a parameter is of the wrong kind or out of range, or (at the start of a run) k is greater than the number of
        workers.
    StalledError
        In a run, if fewer than k workers are left that answer.

    Notes
    -----
    When to use it and when not: no work is given up, so it is faster than `FastestK` where a new task takes longer than
    the rest of an old one (response times with a fixed part), and slower for heavy-tailed times. With k = 1 the error
    falls fastest at first and ends at the highest floor. Do not use it with stragglers that answer no task *in a round*
    (`BernoulliStraggler`): a worker that never answers one task gets no other, so the workers are lost one by one.

    Cost of an update: k vectors on the uplink and k on the downlink; one more of each for every message that
    `max_staleness` discards. The mean staleness is (n - k) / k in the long run; ``run.totals`` reports it.

    ``KAsync(1, max_staleness=R - 1)`` is Ringmaster ASGD with threshold R (A. Maranjyan, A. Tyurin and P. Richtarik,
    "Ringmaster ASGD: the first asynchronous SGD with optimal time complexity", 2025), in the variant that stops no
    worker. A message of staleness below R is used, and its worker gets the new model. An older one is ignored, and its
    worker gets the current model at once.

    Source: Dutta, Joshi, Ghosh, Dube and Nagpurkar 2018, "Slow and stale gradients can win the race".

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=100, features=3, seed=1),
    ...     cs.Cluster(workers=5, compute=cs.Constant(1.0)),
    ...     cs.KAsync(1),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=1000),
    ... )
    >>> run.totals["time"], round(run.totals["mean_staleness"], 1)  # five updates a second
    (200.0, 4.0)
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    max_staleness: int | None = None

    def compose(self) -> Asynchronous:
        """Let a worker wait until its message has been used."""
        return Asynchronous(self.k, self.placement, self.batch, max_staleness=self.max_staleness)


@dataclass(frozen=True, repr=False)
class KBatchAsync(Composition):
    r"""K-batch-async SGD: update with the first k messages of any version; workers never wait.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{k s} \sum_{j=1}^{k} \sum_{r \in S_j} \nabla f_r(w_{v_j})

    Message j brings the gradients of s rows :math:`S_j` (an even share of m / n rows, or a mini-batch of b) at version
    :math:`v_j \le t` of the model. Where workers compute different numbers of rows, the divisor is
    :math:`\sum_j |S_j|`. A worker gets the current model as soon as it has answered, so an update may use several
    messages of one worker, and k may be greater than n.

    Parameters
    ----------
    k : int
        Messages in an update, at least 1; it may be greater than n.
    placement : Placement, default EvenPartition()
        Which worker holds which rows, such as ``ByLabel(classes=2)``. By default each holds m / n of them.
    batch : int, optional
        b, rows that a worker draws afresh for each task from those that it holds, at least 1. If not given, it computes
        all rows that it holds.
    max_staleness : int, optional
        Largest staleness, in updates, of a message that is used; at least 0. Older messages are discarded, and their
        workers get the current model at once. No bound if not given. A worker is never stopped because of it.

    Raises
    ------
    ConfigurationError
        If a parameter is of the wrong kind or out of range.
    StalledError
        In a run, if no worker is left that answers.

    Notes
    -----
    When to use it and when not: with links without delay no worker is ever idle, so updates come at the highest rate,
    n / (k E[X]), whatever the law of the response times. Fast workers contribute more messages than slow ones, so if
    workers hold different data, the gradient is biased towards that of the fast ones. As with `KAsync`, a worker that
    never answers one task gets no other.

    Cost of an update: k vectors on the uplink and k on the downlink; one more of each for every message that
    `max_staleness` discards. The mean staleness is (n - 1) / k in the long run.

    With any k, and k > n in particular, it is the server of FedBuff with a buffer of k messages (J. Nguyen et al.,
    "Federated learning with buffered asynchronous aggregation", 2022), for clients that send one gradient a round.

    Source: Dutta et al. 2018.

    Examples
    --------
    >>> KBatchAsync(4, batch=32)
    KBatchAsync(k=4, batch=32)

    Two workers, four messages an update. The first update uses three messages of worker 0 and one of worker 1:

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=100, features=3, seed=1),
    ...     cs.Cluster(workers=2, compute=cs.PerWorker([cs.Constant(1.0), cs.Constant(2.5)])),
    ...     cs.KBatchAsync(4),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=2),
    ...     evaluate_every=1,
    ... )
    >>> run.history["time"].tolist()
    [0.0, 3.0, 6.0]
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None
    max_staleness: int | None = None

    def compose(self) -> Asynchronous:
        """Send a worker the current model as soon as it has answered."""
        return Asynchronous(self.k, self.placement, self.batch, at_once=True, max_staleness=self.max_staleness)


@dataclass(frozen=True, repr=False)
class KBatchSync(Composition):
    r"""K-batch-sync SGD: update with the first k messages about the current model, from whichever workers.

    .. math:: w_{t+1} = w_t - \eta_t \frac{1}{k s} \sum_{j=1}^{k} \sum_{r \in S_j} \nabla f_r(w_t)

    Message j brings the gradients of s rows :math:`S_j` (an even share of m / n rows, or a mini-batch of b). Where
    workers compute different numbers of rows, the divisor is :math:`\sum_j |S_j|`. A worker that has answered gets the
    same model again and draws another mini-batch, so an update may use several of its messages, and k may be greater
    than n. After an update all workers begin on the new model, and messages about older models are discarded.

    Parameters
    ----------
    k : int
        Messages in an update, at least 1; it may be greater than n.
    placement : Placement, default EvenPartition()
        Which worker holds which rows, such as ``ByLabel(classes=2)``. By default each holds m / n of them.
    batch : int, optional
        b, rows that a worker draws afresh for each task from those that it holds, at least 1. If not given, it computes
        all rows that it holds.
        In that case the second message of a worker repeats its first.

    Raises
    ------
    ConfigurationError
        If a parameter is of the wrong kind or out of range.
    StalledError
        In a run, if no worker is left that answers.

    Notes
    -----
    When to use it and when not: no gradient is stale, and no worker waits for another one. So it suits workers of
    different speeds that hold the same kind of data. Fast workers contribute more messages than slow ones, so if
    workers hold different data, the gradient is biased towards that of the fast ones. Each update gives up the tasks in
    progress, unless the cluster's `busy` says otherwise.

    Cost of an update: k vectors on the uplink, and one for each worker that has finished a task on the old model before
    the new one reaches it; n + k - 1 vectors on the downlink. With exponential times an update takes k E[X] / n on
    average, also for k > n.

    With ``k > n`` (or any k) it is Rennala SGD with batches of k gradients (A. Tyurin and P. Richtarik, "Optimal time
    complexities of parallel stochastic optimization methods under a fixed computation model", 2023). There a worker
    finishes its task on an old model before it takes the new one, which is ``Cluster(..., busy="finish")``.

    Source: Dutta et al. 2018.

    Examples
    --------
    Workers that take 1, 2.5 and 4 s a task have sent 7 + 2 + 1 messages after 7 s:

    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.PerWorker([cs.Constant(1.0), cs.Constant(2.5), cs.Constant(4.0)])),
    ...     cs.KBatchSync(k=10),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=4),
    ... )
    >>> run.totals["time"], run.totals["uplink_vectors"], run.totals["downlink_vectors"]  # 4 * (3 + 9) down
    (28.0, 40, 48)
    """

    k: int
    placement: Placement = EvenPartition()
    batch: int | None = None

    def compose(self) -> Asynchronous:
        """Do as K-batch-async, but send each new model to all workers, and discard older messages."""
        return Asynchronous(self.k, self.placement, self.batch, at_once=True, to_all=True, max_staleness=0)
