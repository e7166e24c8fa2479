"""Stochastic gradient codes and their rivals: place rows at random, take what comes by the deadline.

All of them are for stragglers at random: a worker fails to answer before the deadline with a known probability p, for
which the decoder makes up. The papers' workers answer in time or not at all, whatever they hold:
``Cluster(..., compute=BernoulliStraggler(p), scaling="none")``; another cluster needs the p that its deadline
implies. The schemes differ in who holds which rows, and in what the answers weigh.
"""

from dataclasses import dataclass

from clustersim.decoders import Decoder, DistinctRows, Unbiased
from clustersim.errors import ConfigurationError
from clustersim.placements import (
    EvenPartition,
    Everything,
    NormReplication,
    Placement,
    Uncombined,
    UniformReplication,
)
from clustersim.policies.composition import Composition
from clustersim.policies.synchronous import Silence, Synchronous
from clustersim.waits import All, Deadline

__all__ = ["BernoulliGradientCoding", "FreshBatches", "IgnoreStragglers", "SendAll", "StochasticGradientCoding"]


@dataclass(frozen=True)
class StochasticGradientCoding(Composition):
    """SGC: each row on a number of random workers in proportion to its squared norm; stragglers are ignored.

    Worker j sends ``sum over its rows of grad f_i / d_i``; the master adds what arrives and divides by (1 - p) m.

    Parameters
    ----------
    redundancy : float
        d, the average number of workers that hold a row, at least 1.
    straggler_probability : float
        p in [0, 1).
    deadline : float, default 1.0
        Seconds in which a worker that is no straggler answers.
    silence : {"count", "redraw"}, default "count"
        What becomes of a round that nobody answers, see `Synchronous`.

    Raises
    ------
    ConfigurationError
        If a parameter is out of range, or (at the start of a run) there are fewer workers than copies or nobody can
        meet the deadline.

    Notes
    -----
    Source: Bitar, Wootters and El Rouayheb 2020, eq. 4 to 8. Their F is a sum over the rows, here it is the mean. The
    estimate is unbiased.

    Examples
    --------
    >>> StochasticGradientCoding(redundancy=2, straggler_probability=0.7)
    StochasticGradientCoding(redundancy=2.0, straggler_probability=0.7, deadline=1.0, silence='count')
    """

    redundancy: float
    straggler_probability: float
    deadline: float = 1.0
    silence: Silence = "count"

    def compose(self) -> Synchronous:
        """Copies by squared norm, until the deadline, an unbiased sum."""
        placement = NormReplication(self.redundancy)
        return _until_deadline(self.deadline, Unbiased(self.straggler_probability), placement, self.silence)


@dataclass(frozen=True)
class BernoulliGradientCoding(Composition):
    """BGC: each row on equally many random workers; stragglers are ignored.

    Parameters
    ----------
    redundancy : int
        d, the number of distinct workers that hold a row, 1 .. n.
    straggler_probability, deadline, silence
        See `StochasticGradientCoding`.

    Raises
    ------
    ConfigurationError
        As for `StochasticGradientCoding`.

    Notes
    -----
    Source: Charles, Papailiopoulos and Ellenberg 2017, as Bitar et al. 2020, Table I, use it; the divisor is
    (1 - p) d m.

    Examples
    --------
    >>> BernoulliGradientCoding(redundancy=2, straggler_probability=0.7).compose().placement
    UniformReplication(redundancy=2)
    """

    redundancy: int
    straggler_probability: float
    deadline: float = 1.0
    silence: Silence = "count"

    def compose(self) -> Synchronous:
        """Equally many copies, until the deadline, an unbiased sum."""
        placement = UniformReplication(self.redundancy)
        return _until_deadline(self.deadline, Unbiased(self.straggler_probability), placement, self.silence)


@dataclass(frozen=True)
class IgnoreStragglers(Composition):
    """No redundancy: the sum of what arrives before the deadline, divided by (1 - p) m.

    Parameters
    ----------
    straggler_probability, deadline, silence
        See `StochasticGradientCoding`.

    Raises
    ------
    ConfigurationError
        As for `StochasticGradientCoding`.

    Notes
    -----
    Source: Bitar et al. 2020, Table I (Ignore-Stragglers-SGD).

    Examples
    --------
    >>> IgnoreStragglers(0.2).compose().decoder
    Unbiased(straggler_probability=0.2)
    """

    straggler_probability: float
    deadline: float = 1.0
    silence: Silence = "count"

    def compose(self) -> Synchronous:
        """An even partition, until the deadline, an unbiased sum."""
        return _until_deadline(self.deadline, Unbiased(self.straggler_probability), EvenPartition(), self.silence)


@dataclass(frozen=True)
class SendAll(Composition):
    """SGC-Send-All: the rows of SGC, but workers send the gradient of every row by itself, one vector a row.

    The master takes each distinct row once, over its probability of arriving, 1 - p^(d_i). Communication is about
    d m / n vectors a worker instead of one; the error is a lower bound for SGC.

    Parameters
    ----------
    redundancy, straggler_probability, deadline, silence
        See `StochasticGradientCoding`.

    Raises
    ------
    ConfigurationError
        As for `StochasticGradientCoding`.

    Notes
    -----
    Source: Bitar et al. 2020, Table I. They divide by the mean number of distinct rows that arrive; row by row, as
    here, the estimate is unbiased also where the d_i differ.

    Examples
    --------
    >>> SendAll(2, 0.7).compose().placement
    Uncombined(placement=NormReplication(redundancy=2.0))
    """

    redundancy: float
    straggler_probability: float
    deadline: float = 1.0
    silence: Silence = "count"

    def compose(self) -> Synchronous:
        """Copies by squared norm, each row by itself, until the deadline, distinct rows."""
        placement = Uncombined(NormReplication(self.redundancy))
        return _until_deadline(self.deadline, DistinctRows(self.straggler_probability), placement, self.silence)


@dataclass(frozen=True)
class FreshBatches(Composition):
    """Mini-batch SGD: every worker has all the rows and draws some of them afresh for each task.

    Parameters
    ----------
    batch : int
        Rows a worker and task; m / n gives every worker the work of an even share.
    straggler_probability : float, default 0.0
        p in [0, 1).
    deadline : float, optional
        Seconds in which a worker that is no straggler answers; without it the master waits for every worker.
    silence
        See `StochasticGradientCoding`.

    Raises
    ------
    ConfigurationError
        As for `StochasticGradientCoding`, if the batch is larger than the data, or if there are stragglers and no
        deadline.

    Notes
    -----
    Source: Chen et al. 2016, "Revisiting distributed synchronous SGD", to which Bitar et al. 2020 compare
    Ignore-Stragglers-SGD; without stragglers (p = 0) it is plain batch SGD. Rows are drawn without replacement within a
    worker, and independently across workers.

    Examples
    --------
    >>> FreshBatches(batch=100).compose().placement
    Everything()
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
        """All rows everywhere, until the deadline, an unbiased sum over the batches."""
        wait = All() if self.deadline is None else Deadline(self.deadline, for_all=True)
        decoder = Unbiased(self.straggler_probability)
        return Synchronous(wait, decoder, Everything(), batch=self.batch, silence=self.silence)


def _until_deadline(deadline: float, decoder: Decoder, placement: Placement, silence: Silence) -> Synchronous:
    """What the schemes for stragglers at random share."""
    return Synchronous(Deadline(deadline, for_all=True), decoder, placement, silence=silence)
