"""The imbalance of a placement: its distance from pairwise balance."""

import math

import numpy as np

from clustersim.checks import instance
from clustersim.placements.assignment import Assignment

__all__ = ["imbalance"]


def imbalance(assignment: Assignment) -> float:
    r"""Return the distance of a placement from pairwise balance, a root mean square over pairs of rows.

    .. math:: \Big(\frac{1}{m (m - 1)} \sum_{i \ne i'} \big(|S_i \cap S_{i'}| - d_i d_{i'} / n\big)^2\Big)^{1/2}

    where :math:`S_i` is the set of workers that hold row i, and d_i is its size. The imbalance is 0 for the
    pairwise-balanced schemes that SGC's theorems assume. It does not depend on coefficients.

    Parameters
    ----------
    assignment : Assignment
        The rows of each worker.

    Returns
    -------
    float
        The imbalance in workers; 0 for a single row. The sum is exact, in integers, so that balance gives exactly 0.

    Notes
    -----
    With d copies of each row, up to terms of order n / m:

    ============================  =====================================================================
    placement                     imbalance
    ============================  =====================================================================
    uniform random replication    :math:`d (n - d) / (n \sqrt{n - 1})`, its square exactly in expectation
    fractional repetition         :math:`d \sqrt{d (n - d)} / n`, :math:`\sqrt{d (n - 1) / (n - d)}` times as much
    any placement                 at least :math:`d (n - d) / (n \sqrt{n - 1}) \cdot \sqrt{(m - n + 1) / (m - 1)}`
    a block design, n | m         exactly that least value (0 for at most n - 1 rows that are balanced)
    ============================  =====================================================================

    So a random placement of many rows is as close to pairwise balance as any placement can be. The bound follows with
    :math:`u_i = 1_{S_i} - d/n`: the imbalance sums squared entries of the Gram matrix of m vectors of length
    :math:`\sqrt{d (1 - d/n)}` in n - 1 dimensions. The sum of all squared entries is at least the squared trace divided
    by n - 1. The expectation holds because :math:`|S_i \cap S_{i'}|` is hypergeometric.

    References
    ----------
    Bitar, Wootters and El Rouayheb 2020, Definition 1.

    Examples
    --------
    >>> from clustersim import LeastSquares
    >>> from clustersim.placements import FractionalRepetition, UniformReplication
    >>> problem = LeastSquares.synthetic(rows=1000, features=2, seed=1)
    >>> for placement in UniformReplication(2), FractionalRepetition(2):
    ...     print(round(imbalance(placement.assign(problem, 10, np.random.default_rng(0))), 2))
    0.53
    0.8
    """
    instance("assignment", assignment, Assignment, "an Assignment, as placement.assign(...) returns it")
    rows, workers = assignment.total_rows, assignment.workers
    if rows == 1:
        return 0.0
    held = assignment.matrix.astype(bool).astype(np.int64)  # 1 for each entry: stored coefficients are not zero
    copies = assignment.redundancy
    both = (held @ held.T).toarray()  # the number of rows that two workers share
    weighted = np.asarray(held @ copies)
    # n^2 U^T U, where row i of U is u_i; its squared Frobenius norm is that of the m x m matrix U U^T
    gram = workers**2 * both - workers * np.add.outer(weighted, weighted) + int(copies @ copies)
    total = sum(entry * entry for entry in gram.ravel().tolist())  # Python integers cannot overflow
    diagonal = sum(entry * entry for entry in (workers * copies * (workers - copies)).tolist())
    return math.sqrt((total - diagonal) / (rows * (rows - 1))) / workers**2
