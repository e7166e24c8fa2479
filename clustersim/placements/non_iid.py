"""Skewed data: each row on one worker, and the workers hold different classes.

The labels of a problem flow in; how many rows of each class every worker gets is decided first, which ones they are is
drawn after that, from the rows of the class alike.

With mini-batches of one size on every worker, the mean of all workers' gradients is expected to be
``(1/n) sum_i F_i'(w)``, where F_i is the mean over the rows of worker i (Xu et al. 2021, eq. 1). That is the gradient
of the loss where all workers hold equally many rows; otherwise the rows of workers that hold few weigh more.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import instance, integer, number, store
from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement, enough_rows
from clustersim.placements.partition import even_starts
from clustersim.problems import Problem

__all__ = ["ByLabel", "Dirichlet", "draw_classes", "label_counts"]

_SMALLEST = 1e-250  # of alpha: below it the logarithms would overflow; one class a worker either way


@dataclass(frozen=True)
class ByLabel(Placement):
    """Non-IID(c): each worker holds rows of exactly c classes; each row is on one worker.

    Every class is on as equal a number of workers as can be, nc/C of them rounded down or up. They share its rows
    evenly, split at random. Which classes a worker holds is drawn: decks of all C classes, each shuffled, are dealt to
    one worker after the other, c cards each. A worker who takes the last cards of a deck takes from the next one only
    classes that it lacks. Then the hands are shuffled among the workers. So every set of c classes is equally likely
    for a worker.

    Parameters
    ----------
    classes : int
        c, 1 .. C. With C it is an IID placement with equal shares of each class.

    Raises
    ------
    ConfigurationError
        If c is no whole number, at least 1, or (at the start of a run) exceeds the number C of classes, n c < C, a
        class has fewer rows than workers to share it, or the rows of the problem have no labels.

    Notes
    -----
    Workers hold equally many rows where the classes are equally large and C divides n c. Where they do not, the mean of
    the workers' mini-batches estimates ``(1/n) sum_i F_i'(w)``, not the gradient of the loss: rows of workers that hold
    few weigh more.

    Source: Xu, Huang, Song and Lan, "Live gradient compensation for evading stragglers in distributed learning", 2021,
    section V-A. How the classes are dealt is not said there.

    Examples
    --------
    >>> from clustersim import SoftmaxRegression
    >>> problem = SoftmaxRegression(np.eye(60), np.repeat([0, 1, 2, 3], 15))
    >>> assignment = ByLabel(2).assign(problem, 6, np.random.default_rng(0))
    >>> counts = label_counts(assignment, problem.labels)
    >>> counts.tolist()
    [[0, 0, 5, 5], [5, 0, 5, 0], [5, 5, 0, 0], [0, 5, 0, 5], [5, 5, 0, 0], [0, 0, 5, 5]]
    """

    classes: int

    def __post_init__(self) -> None:
        store(self, classes=integer("classes", self.classes, low=1))

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:
        """Deal the classes to the workers and split their rows."""
        codes, names, sizes = _classes_of(problem, self)
        held, total = self._held(names, sizes, workers), len(names)
        hands = _deal(total, held, workers, generator)
        counts = np.zeros((workers, total), dtype=np.int64)
        for code, size in enumerate(sizes.tolist()):
            sharing = generator.permutation(np.flatnonzero((hands == code).any(axis=1)))
            counts[sharing, code] = np.diff(even_starts(size, len(sharing)))
        return _split(codes, counts, generator)

    def _held(self, names: NDArray[np.int64], sizes: NDArray[np.int64], workers: int) -> int:
        """Return c, or say why it does not fit, whatever the draw."""
        total = len(names)
        remedy = f"the rows have {total} classes"
        held = integer("classes", self.classes, low=1, high=total, remedy=remedy)
        if workers * held < total:
            raise ConfigurationError(
                f"classes = {held}: {workers} workers hold {workers * held} of the {total} classes at most, so the "
                f"rows of some would be on no worker; choose {-(-total // workers)} classes or more, or more workers"
            )
        sharing, least = -(-workers * held // total), int(sizes.argmin())
        if sizes[least] < sharing:
            raise ConfigurationError(
                f"classes = {held}: class {names[least]} has only {sizes[least]} rows, expected at least one for each "
                f"of the {sharing} workers that may have to share it; choose fewer classes a worker, fewer workers, or "
                "more rows of that class"
            )
        return held


@dataclass(frozen=True)
class Dirichlet(Placement):
    r"""Even shares of which each has a class mix of its own, drawn from a Dirichlet distribution.

    .. math:: q_i \sim \mathrm{Dirichlet}(\alpha p), \qquad E[q_i] = p, \qquad
              \mathrm{Var}[q_{ij}] = \frac{p_j (1 - p_j)}{\alpha + 1},

    where p_j is the part of all rows that is of class j. Worker after worker, in a random order, draws its rows without
    replacement, the class of each from q_i; a class that has run out is left out, and the rest of q_i renormalised.

    Parameters
    ----------
    alpha : float
        The concentration, greater than 0. Large: every worker has the mix p (IID); small: one class a worker, as long
        as there are rows of it.

    Raises
    ------
    ConfigurationError
        If alpha is not positive and finite, or (at the start of a run) there are more workers than rows, or the rows of
        the problem have no labels.

    Notes
    -----
    Worker i holds as many rows as with `EvenPartition`, so the mean of the workers' mini-batches estimates the gradient
    of the loss, exactly where n divides m.

    The last worker takes what is left. As long as no class runs out, its number of rows of a class has n - 1 times the
    variance of the others', ``s p (1 - p) (s + alpha) / (1 + alpha)`` for s rows: even with a large alpha it strays
    ``sqrt(n - 1)`` times as far from the mix p. ``ByLabel(C)`` has no such worker.

    Some authors write Dirichlet(a) for the symmetric distribution over C classes; for equally large classes that is
    alpha = a C here.

    Source: Hsu, Qi and Brown, "Measuring the effects of non-identical data distribution for federated visual
    classification", 2019, section 3.

    Examples
    --------
    >>> from clustersim import SoftmaxRegression
    >>> problem = SoftmaxRegression(np.ones((6000, 1)), np.repeat([0, 1, 2], 2000))
    >>> for alpha in 0.01, 1.0, 1000.0:
    ...     assignment = Dirichlet(alpha).assign(problem, 3, np.random.default_rng(1))
    ...     print(label_counts(assignment, problem.labels).tolist())
    [[2000, 0, 0], [0, 0, 2000], [0, 2000, 0]]
    [[1450, 0, 550], [550, 196, 1254], [0, 1804, 196]]
    [[689, 669, 642], [586, 702, 712], [725, 629, 646]]
    """

    alpha: float

    def __post_init__(self) -> None:
        store(self, alpha=number("alpha", self.alpha, above=0.0))

    def assign(self, problem: Problem, workers: int, generator: np.random.Generator) -> Assignment:
        """Draw the mix of each worker and its rows."""
        codes, _, left = _classes_of(problem, self)
        enough_rows(problem, workers, "worker")
        concentrations = max(self.alpha, _SMALLEST) * (left / problem.rows)
        shares = np.diff(even_starts(problem.rows, workers))
        counts = np.zeros((workers, len(left)), dtype=np.int64)
        for worker in generator.permutation(workers).tolist():
            counts[worker] = draw_classes(concentrations, int(shares[worker]), left, generator)
            left = left - counts[worker]
        return _split(codes, counts, generator)


def label_counts(assignment: Assignment, labels: Any) -> NDArray[np.int64]:
    """How many rows of each class every worker holds.

    Parameters
    ----------
    assignment : Assignment
        Who holds which rows; of mini-batches, the rows that they are drawn from.
    labels : array_like of int, shape (m,)
        Class number 0, 1, ... of each row, such as `Problem.labels`.

    Returns
    -------
    ndarray of int, shape (n, C)
        C is the largest class number plus 1.

    Raises
    ------
    ConfigurationError
        If it is no assignment, or there is not one whole number, at least 0, for each row.

    Examples
    --------
    >>> assignment = Assignment(total_rows=5, starts=np.array([0, 2, 5]), rows=np.arange(5))
    >>> label_counts(assignment, [0, 0, 2, 0, 2]).tolist()
    [[2, 0, 0], [1, 0, 2]]
    """
    example = "ByLabel(1).assign(problem, 10, np.random.default_rng(0))"
    instance("assignment", assignment, Assignment, f"who holds which rows, such as {example}")
    codes = np.asarray(labels)
    if codes.shape != (assignment.total_rows,) or codes.dtype.kind not in "iu" or codes.min() < 0:
        raise ConfigurationError(
            f"labels: expected a class number 0, 1, ... for each of the {assignment.total_rows} rows, got an array of "
            f"{codes.dtype}, shape {codes.shape}; give problem.labels of a problem whose rows have classes"
        )
    workers, classes = assignment.workers, int(codes.max()) + 1
    owners = np.repeat(np.arange(workers), assignment.held)
    cells = owners * classes + codes[assignment.rows_of(np.arange(workers))]
    return np.bincount(cells, minlength=workers * classes).reshape(workers, classes)


def _classes_of(problem: Problem, placement: Placement) -> tuple[NDArray[np.int64], ...]:
    """The class of each row, 0 .. C - 1; the label of each class; and its number of rows, at least 1."""
    if problem.labels is None:
        raise ConfigurationError(
            f"placement = {placement!r}: the rows of {problem!r} have no labels; use a problem of classes, such as "
            "SoftmaxRegression or LogisticRegression, or give your own a property `labels`"
        )
    names, codes, sizes = np.unique(problem.labels, return_inverse=True, return_counts=True)
    return codes, names, sizes


def _deal(classes: int, held: int, workers: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Deal hands of `held` distinct classes, see `ByLabel`; shape (workers, held)."""
    every = np.arange(classes)
    begun = every[:0]  # the hand for which the last deck did not suffice
    decks = []
    for _ in range(-(-workers * held // classes)):
        lacking = generator.permutation(np.setdiff1d(every, begun))[: -len(begun) % held]
        others = generator.permutation(np.setdiff1d(every, lacking))
        decks += [lacking, others]
        begun = others[len(others) - len(others) % held :]
    return generator.permutation(np.concatenate(decks)[: workers * held].reshape(workers, held))


def draw_classes(
    concentrations: NDArray[np.float64], share: int, left: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """How many rows of each class a worker draws, whose mix is drawn from a Dirichlet distribution.

    The mix is that of independent gamma variables, kept as logarithms: those of small shape underflow, but which of
    them is the largest must still be known when the classes before it have run out. A gamma variable of shape a is one
    of shape a + 1 times a uniform one to the power 1/a. A draw from a class that has run out is drawn again, which is
    what renormalising does.

    Parameters
    ----------
    concentrations : ndarray of float, shape (C,)
        ``alpha p``, greater than 0.
    share : int
        The rows to be drawn, no more than there are.
    left : ndarray of int, shape (C,)
        The rows there are of each class.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (C,)

    Examples
    --------
    >>> draw_classes(np.array([1e-9, 1e-9]), 5, np.array([3, 3]), np.random.default_rng(0)).tolist()
    [3, 2]
    """
    waits = generator.standard_exponential(len(left))
    logarithms = np.log(generator.standard_gamma(concentrations + 1.0)) - waits / concentrations
    drawn = np.zeros_like(left)
    while (missing := share - int(drawn.sum())) > 0:
        present = np.flatnonzero(drawn < left)
        mix = np.exp(logarithms[present] - logarithms[present].max())
        wanted = generator.multinomial(missing, mix / mix.sum())
        drawn[present] = np.minimum(drawn[present] + wanted, left[present])
    return drawn


def _split(codes: NDArray[np.int64], counts: NDArray[np.int64], generator: np.random.Generator) -> Assignment:
    """Give worker i counts[i, j] rows of class j, drawn at random."""
    owners = np.empty(len(codes), dtype=np.int64)
    for code, shares in enumerate(counts.T):
        rows = generator.permutation(np.flatnonzero(codes == code))
        owners[rows] = np.repeat(np.arange(len(shares)), shares)
    starts = np.concatenate(([0], np.cumsum(counts.sum(axis=1))))
    return Assignment(len(codes), starts, np.argsort(owners, kind="stable"))
