"""Dominance: which rows of a table of costs another row beats in everything.

A table comes in from `clustersim.studies.comparison_rows` or `clustersim.studies.pareto`; numbers of rows go out.
"""

from typing import Any

import numpy as np

__all__ = ["dominators"]


def dominators(costs: Any) -> list[int | None]:
    """Find, for each row, the first row that is nowhere greater and somewhere less.

    Parameters
    ----------
    costs : array_like of float, shape (m, q)
        Less is better. NaN means unknown and counts as infinite.

    Returns
    -------
    list of int or None
        The number of the dominating row; None for a row on the Pareto front.

    Examples
    --------
    >>> dominators([[1.0, 4.0], [2.0, 2.0], [2.0, 3.0]])
    [None, None, 1]
    """
    values = np.asarray(costs, dtype=np.float64)
    values = np.where(np.isnan(values), np.inf, values)
    found: list[int | None] = []
    for row in values:
        beaten = np.flatnonzero((values <= row).all(axis=1) & (values < row).any(axis=1))
        found.append(int(beaten[0]) if len(beaten) else None)
    return found
