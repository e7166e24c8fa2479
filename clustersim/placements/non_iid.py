"""Non-IID data: each row is on one worker, and workers hold different mixes of classes.

The placements use the labels of a problem. They first decide how many rows of each class every worker gets. Then they
draw these rows uniformly from the rows of the class.

If all workers use mini-batches of the same size, the expectation of the mean of their gradients is
``(1/n) sum_i F_i'(w)``, where F_i is the mean over the rows of worker i (Xu et al. 2021, eq. 1). This is the gradient
of the loss if all workers hold the same number of rows. Otherwise, rows of workers with few rows have a higher weight.
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

_LEAST_ALPHA = 1e-250  # below it, logarithms would overflow; each worker holds one class anyway


@dataclass(frozen=True)
class ByLabel(Placement):
    """Non-IID(c): each worker holds rows of exactly c classes; each row is on one worker.

    The classes are spread as evenly as possible: each is on nc/C workers, rounded down or up. These workers share its
    rows evenly, split at random. The classes of a worker are random. They are dealt like cards: shuffled decks of all C
    classes are dealt to the workers in turn, c cards each. A worker that takes the last cards of a deck takes only
    classes from the next deck that it does not have yet. Finally the hands are shuffled among the workers. So every set
    of c classes is equally likely for a worker.

    Parameters
    ----------
    classes : int
        c, 1 .. C. With c = C the placement is IID, with equal shares of each class.

    Raises
    ------
    ConfigurationError
        If c is not a whole number, at least 1. At the start of a run, if c exceeds the number C of classes, if n c < C,
        if a class has fewer rows than workers that share it, or if the rows of the problem have no labels.

    Notes
    -----
    Workers hold the same number of rows if all classes have the same size and C divides n c. Otherwise, the mean of the
    workers' mini-batches estimates ``(1/n) sum_i F_i'(w)``, which differs from the gradient of the loss: rows of
    workers with few rows have a higher weight.

    Source: Xu, Huang, Song and Lan, "Live gradient compensation for evading stragglers in distributed learning", 2021,
    section V-A. The paper does not say how the classes are dealt.

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
        chosen, total = self._checked_classes(names, sizes, workers), len(names)
        hands = _deal(total, chosen, workers, generator)
        counts = np.zeros((workers, total), dtype=np.int64)
        for code, size in enumerate(sizes.tolist()):
            sharing = generator.permutation(np.flatnonzero((hands == code).any(axis=1)))
            counts[sharing, code] = np.diff(even_starts(size, len(sharing)))
        return _split(codes, counts, generator)

    def _checked_classes(self, names: NDArray[np.int64], sizes: NDArray[np.int64], workers: int) -> int:
        """Return c; refuse it if it does not suit the numbers of workers, classes and rows, for any random draw."""
        total = len(names)
        remedy = f"the rows have {total} classes"
        chosen = integer("classes", self.classes, low=1, high=total, remedy=remedy)
        if workers * chosen < total:
            raise ConfigurationError(
                f"classes = {chosen}: {workers} workers hold {workers * chosen} of the {total} classes at most, so the "
                f"rows of some would be on no worker; choose {-(-total // workers)} classes or more, or more workers"
            )
        sharing, least = -(-workers * chosen // total), int(sizes.argmin())
        if sizes[least] < sharing:
            raise ConfigurationError(
                f"classes = {chosen}: class {names[least]} has only {sizes[least]} rows, expected at least one for "
                f"each of the {sharing} workers that may have to share it; choose fewer classes for each worker, fewer "
                "workers, or more rows of that class"
            )
        return chosen


@dataclass(frozen=True)
class Dirichlet(Placement):
    r"""Even shares of the rows; the class mix of each worker is drawn from a Dirichlet distribution.

    .. math:: q_i \sim \mathrm{Dirichlet}(\alpha p), \qquad E[q_i] = p, \qquad
              \mathrm{Var}[q_{ij}] = \frac{p_j (1 - p_j)}{\alpha + 1},

    where p_j is the fraction of all rows that belong to class j. In random order, each worker draws its rows without
    replacement, the class of each row from q_i. Classes without remaining rows are left out, and q_i is renormalised.

    Parameters
    ----------
    alpha : float
        The concentration, greater than 0. If it is large, every worker has the mix p (IID). If it is small, each worker
        holds one class, as long as rows of it remain.

    Raises
    ------
    ConfigurationError
        If alpha is not positive and finite. At the start of a run, if there are more workers than rows, or if the rows
        of the problem have no labels.

    Notes
    -----
    Worker i holds as many rows as with `EvenPartition`, so the mean of the workers' mini-batches estimates the gradient
    of the loss. The estimate is unbiased if n divides m.

    The last worker takes the remaining rows. As long as no class runs out, its number of rows of a class has n - 1
    times the variance of the other workers, ``s p (1 - p) (s + alpha) / (1 + alpha)`` for s rows. So even with a large
    alpha it deviates ``sqrt(n - 1)`` times as far from the mix p. ``ByLabel(C)`` has no such worker.

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
        concentrations = max(self.alpha, _LEAST_ALPHA) * (left / problem.rows)
        shares = np.diff(even_starts(problem.rows, workers))
        counts = np.zeros((workers, len(left)), dtype=np.int64)
        for worker in generator.permutation(workers).tolist():
            counts[worker] = draw_classes(concentrations, int(shares[worker]), left, generator)
            left = left - counts[worker]
        return _split(codes, counts, generator)


def label_counts(assignment: Assignment, labels: Any) -> NDArray[np.int64]:
    """Count the rows of each class that every worker holds.

    Parameters
    ----------
    assignment : Assignment
        The rows of each worker; for mini-batches, the rows from which they are drawn.
    labels : array_like of int, shape (m,)
        Class number 0, 1, ... of each row, such as `Problem.labels`.

    Returns
    -------
    ndarray of int, shape (n, C)
        Number of rows of class j on worker i; C is the largest class number plus 1.

    Raises
    ------
    ConfigurationError
        If `assignment` is not an `Assignment`, or if `labels` is not one whole number, at least 0, for each row.

    Examples
    --------
    >>> assignment = Assignment(total_rows=5, starts=np.array([0, 2, 5]), rows=np.arange(5))
    >>> label_counts(assignment, [0, 0, 2, 0, 2]).tolist()
    [[2, 0, 0], [1, 0, 2]]
    """
    example = "ByLabel(1).assign(problem, 10, np.random.default_rng(0))"
    instance("assignment", assignment, Assignment, f"an Assignment, such as {example}")
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
    """Return the class of each row, 0 .. C - 1, and the label and number of rows of each class."""
    if problem.labels is None:
        raise ConfigurationError(
            f"placement = {placement!r}: the rows of {problem!r} have no labels; use a problem with classes, such as "
            "SoftmaxRegression or LogisticRegression, or define the property `labels` of your problem"
        )
    names, codes, sizes = np.unique(problem.labels, return_inverse=True, return_counts=True)
    return codes, names, sizes


def _deal(classes: int, size: int, workers: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Deal hands of `size` distinct classes, see `ByLabel`; shape (workers, size)."""
    incomplete = np.empty(0, dtype=np.int64)  # the hand for which the last deck did not suffice
    decks = []
    for _ in range(-(-workers * size // classes)):
        completing = generator.permutation(_all_but(incomplete, classes))[: -len(incomplete) % size]
        others = generator.permutation(_all_but(completing, classes))
        decks += [completing, others]
        incomplete = others[len(others) - len(others) % size :]
    return generator.permutation(np.concatenate(decks)[: workers * size].reshape(workers, size))


def _all_but(some: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return all classes except some, in order."""
    others = np.ones(classes, dtype=bool)
    others[some] = False
    return np.flatnonzero(others)


def draw_classes(
    concentrations: NDArray[np.float64], share: int, left: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw a class mix from a Dirichlet distribution, and the number of rows of each class for one worker.

    The mix consists of independent gamma variables, divided by their sum. Their logarithms are used, because variables
    of small shape underflow. The largest of them must still be known after other classes have run out. A gamma variable
    of shape a is the product of one of shape a + 1 and a uniform variable to the power 1/a. Draws from classes without
    remaining rows are repeated, which is equivalent to renormalising.

    Parameters
    ----------
    concentrations : ndarray of float, shape (C,)
        ``alpha p``, greater than 0.
    share : int
        Number of rows to draw, at most the sum of `left`.
    left : ndarray of int, shape (C,)
        Number of remaining rows of each class.
    generator : numpy.random.Generator
        The generator of the random draws.

    Returns
    -------
    ndarray of int, shape (C,)
        Number of rows of each class.

    Examples
    --------
    >>> draw_classes(np.array([1e-9, 1e-9]), 5, np.array([3, 3]), np.random.default_rng(0)).tolist()
    [3, 2]
    """
    exponentials = generator.standard_exponential(len(left))
    logarithms = np.log(generator.standard_gamma(concentrations + 1.0)) - exponentials / concentrations
    drawn = np.zeros_like(left)
    while (missing := share - int(drawn.sum())) > 0:
        present = np.flatnonzero(drawn < left)
        mix = np.exp(logarithms[present] - logarithms[present].max())
        wanted = generator.multinomial(missing, mix / mix.sum())
        drawn[present] = np.minimum(drawn[present] + wanted, left[present])
    return drawn


def _split(codes: NDArray[np.int64], counts: NDArray[np.int64], generator: np.random.Generator) -> Assignment:
    """Give worker i counts[i, j] random rows of class j."""
    owners = np.empty(len(codes), dtype=np.int64)
    for code, shares in enumerate(counts.T):
        rows = generator.permutation(np.flatnonzero(codes == code))
        owners[rows] = np.repeat(np.arange(len(shares)), shares)
    starts = np.concatenate(([0], np.cumsum(counts.sum(axis=1))))
    return Assignment(len(codes), starts, np.argsort(owners, kind="stable"))
