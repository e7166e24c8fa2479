"""A synthetic substitute for Amazon Employee Access, with the same shape as the data of the ErasureHead paper.

`amazon_like` draws all rows at random and returns a `Dataset` of sparse rows. It uses no row of the real data set.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from clustersim.arrays import first_occurrences
from clustersim.datasets.amazon import Codes, with_pairs
from clustersim.datasets.dataset import Dataset, Floats
from clustersim.datasets.onehot import one_hot_dataset
from clustersim.streams import Streams

__all__ = ["amazon_like"]

_ROWS = 32_769  # 26,215 training rows and 6,554 test rows
_WIDTH = 241_915 - 1  # the paper's dimension without the bias
_GRANTED = 0.942  # fraction of positive labels
# numbers of distinct values of the columns of the real data set, from published analyses
_RESOURCES, _MANAGERS, _DEPARTMENTS, _TITLES, _DESCRIPTIONS, _FAMILIES = 7_518, 4_243, 449, 343, 2_358, 67
_ROLLUPS_1, _ROLLUPS_2 = 128, 177


def amazon_like(*, seed: int = 0) -> Dataset:
    r"""Draw 32,769 random requests that stand in for Amazon Employee Access, one-hot with pairs; a fifth are test rows.

    Labels are drawn from a sparse logistic model on the nine columns,
    :math:`P(y = 1) = 1 / (1 + e^{-b - \sum_j v_j(x_j)})`. One category in five has an effect
    :math:`v_j \sim N(0, 2^2)`, and the others have none. The bias b is chosen such that 94.2 % of the labels are 1.

    Parameters
    ----------
    seed : int, default 0
        Seed of all random draws and of the choice of test rows.

    Returns
    -------
    Dataset
        26,215 training and 6,554 test rows. The rows are sparse, with 44 ones in 241,915 columns, of which the last is
        the bias: use ``LogisticRegression(data.X, data.y, bias=False)``. Labels are 0 (refused) and 1 (granted).

    Notes
    -----
    *Properties shared with the real data set*: the numbers of rows and columns; the fraction of ones; the number of
    distinct values of each of the nine columns. A few values occur in many rows, and most values in few rows. The title
    determines family and code, the department determines both roll-ups, and most managers lead one department and one
    title. Requests of one department are mostly for the same resources. Pairs are encoded by the rule of
    `amazon_from_csv`.

    *Differences*: no row is real, and frequencies follow power laws that were not fitted to the data. Success of a
    request follows the model above, without effects of pairs. So areas under the curve, and times to reach them, do not
    carry over to the real data set. The eight pairs with RESOURCE are hashed into about 6 % fewer columns than they
    have values, which makes the number of columns the same for every seed.

    References
    ----------
    Wang, Charles and Papailiopoulos, "ErasureHead", 2019, Table 1.

    Examples
    --------
    >>> data = amazon_like()
    >>> data
    Dataset('amazon_like', 26215 + 6554 test rows, 241915 features)
    >>> int(data.X[[0]].sum()), round(float(data.y.mean()), 2)
    (44, 0.94)
    """
    streams = Streams(seed)
    codes = _requests(streams.generator("amazon-like requests"))
    return one_hot_dataset(
        "amazon_like",
        _hashed(with_pairs(codes)),
        _labels(streams.generator("amazon-like labels"), codes),
        seed=seed,
        source="synthetic: drawn by clustersim in the likeness of Kaggle's amazon-employee-access-challenge",
        licence="CC0 1.0",
    )


def _requests(draw: np.random.Generator) -> Codes:
    """Draw nine columns of category numbers, in the order of `COLUMNS` of the real set; every category occurs."""
    manager = _covering(draw, _ROWS, _MANAGERS, tail=0.5)
    department_of = _covering(draw, _MANAGERS, _DEPARTMENTS, tail=0.8)
    title_of = _covering(draw, _MANAGERS, _TITLES, tail=1.0)
    description_of = _covering(draw, _MANAGERS, _DESCRIPTIONS, tail=0.7)
    department = department_of[_lenders(draw, manager, 0.02)]
    title = title_of[_lenders(draw, manager, 0.05)]
    description = description_of[_lenders(draw, manager, 0.05)]
    rollup_2 = _covering(draw, _DEPARTMENTS, _ROLLUPS_2, tail=0.8)[department]
    rollup_1 = _covering(draw, _ROLLUPS_2, _ROLLUPS_1, tail=0.5)[rollup_2]
    family = _covering(draw, _TITLES, _FAMILIES, tail=0.7)[title]
    code = draw.permutation(_TITLES)[title]
    resource = _resources(draw, manager, department_of)
    return np.column_stack([resource, manager, rollup_1, rollup_2, department, title, description, family, code])


def _covering(draw: np.random.Generator, size: int, kinds: int, tail: float) -> Codes:
    """Draw categories 0 .. kinds - 1 in random order, each at least once; further draws have weights (r + 1)^-tail."""
    weights = np.arange(1.0, kinds + 1.0) ** -tail
    rest = draw.choice(kinds, size=size - kinds, p=weights / weights.sum())
    return draw.permutation(np.concatenate([np.arange(kinds), rest]))


def _lenders(draw: np.random.Generator, manager: Codes, share: float) -> Codes:
    """Return the manager whose attribute each row takes: another manager for a fraction `share` of the rows.

    The first row of each manager keeps its own manager, so that every category occurs.
    """
    other = draw.random(len(manager)) < share
    other[first_occurrences(manager, int(manager.max()) + 1)] = False
    return np.where(other, draw.permutation(manager), manager)


def _resources(draw: np.random.Generator, manager: Codes, department_of: Codes) -> Codes:
    """Draw a resource for each row: rows and resources get places on a line and are matched in this order.

    Managers are placed near their department, and about a fifth of the rows anywhere. Matching in order preserves the
    frequency of every resource.
    """
    of_manager = draw.random(_DEPARTMENTS)[department_of] + 0.02 * draw.standard_normal(_MANAGERS)
    anywhere = draw.random(len(manager)) < 0.22
    place = np.where(anywhere, draw.random(len(manager)), of_manager[manager])
    wanted = _covering(draw, len(manager), _RESOURCES, tail=0.8)
    resource = np.empty_like(wanted)
    resource[np.lexsort([draw.random(len(manager)), place])] = wanted[np.argsort(draw.random(_RESOURCES)[wanted])]
    return resource


def _hashed(columns: list[Codes]) -> list[Codes]:
    """Merge categories of the pairs with RESOURCE, evenly, so that the total width is that of the paper.

    Without this, there are about 7,200 categories too many. This surplus varies by about 1,100 between seeds, so it is
    positive for every seed.
    """
    surplus = sum(_kinds(column) for column in columns) - _WIDTH
    single, pairs, others = columns[:9], columns[9:17], columns[17:]
    folded = [column % (_kinds(column) - (surplus + turn) // 8) for turn, column in enumerate(pairs)]
    return [*single, *folded, *others]


def _kinds(column: Codes) -> int:
    """Return the number of categories, which are numbered densely from 0."""
    return int(column.max()) + 1


def _labels(draw: np.random.Generator, codes: Codes) -> NDArray[np.int64]:
    """Draw the labels from the sparse logistic model."""
    score: Floats = np.zeros(len(codes))
    for column in codes.T:
        kinds = _kinds(column)
        effects = np.where(draw.random(kinds) < 0.2, 2.0 * draw.standard_normal(kinds), 0.0)
        score += effects[column]
    bias = brentq(lambda b: float(expit(b + score).mean()) - _GRANTED, -100.0, 100.0)
    return (draw.random(len(codes)) < expit(bias + score)).astype(np.int64)
