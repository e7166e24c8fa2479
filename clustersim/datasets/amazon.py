"""Amazon Employee Access: requests for resources, as nine columns of categories and their pairs, one-hot.

`amazon_from_csv` reads Kaggle's ``train.csv``, and `amazon_from` takes the same columns from OpenML. Both return a
`Dataset` of sparse rows. The licence does not allow redistribution, so the package contains no rows;
`clustersim.datasets.amazon_like` is a synthetic substitute.
"""

from collections.abc import Mapping
from itertools import combinations
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import shown
from clustersim.datasets.dataset import Dataset
from clustersim.datasets.onehot import one_hot_dataset
from clustersim.errors import ConfigurationError

__all__ = ["COLUMNS", "Codes", "amazon_from", "amazon_from_csv", "with_pairs"]

Codes = NDArray[np.int64]

# fmt: off
COLUMNS = (
    "RESOURCE", "MGR_ID", "ROLE_ROLLUP_1", "ROLE_ROLLUP_2", "ROLE_DEPTNAME", "ROLE_TITLE",
    "ROLE_FAMILY_DESC", "ROLE_FAMILY", "ROLE_CODE",
)
# fmt: on
_UNPAIRED = (("ROLE_ROLLUP_1", "ROLE_ROLLUP_2"), ("ROLE_TITLE", "ROLE_FAMILY"))
_TARGET = "ACTION"
_REMEDY = "give train.csv of Kaggle's amazon-employee-access-challenge (its test.csv has no ACTION)"


def amazon_from_csv(path: str | PathLike[str], *, seed: int = 0) -> Dataset:
    """Read Amazon Employee Access from a file that you provide, Kaggle's ``train.csv``; a fifth are test rows.

    Parameters
    ----------
    path : str or path
        A file of comma-separated whole numbers with a header line. The columns must include ACTION (1 granted, 0
        refused), RESOURCE, MGR_ID, ROLE_ROLLUP_1, ROLE_ROLLUP_2, ROLE_DEPTNAME, ROLE_TITLE, ROLE_FAMILY_DESC,
        ROLE_FAMILY and ROLE_CODE. Other columns are ignored.
    seed : int, default 0
        Seed of the order of the rows and of the choice of test rows.

    Returns
    -------
    Dataset
        Sparse rows with 44 ones: one for each of the nine columns, one for each of 34 pairs of them (see Notes), and
        the bias. Labels are ACTION.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, lacks a column, or contains anything but whole numbers.

    Notes
    -----
    The ErasureHead paper reports the result, 26,215 training rows of dimension 241,915, but not the encoding. This
    function follows the authors' public code: nine columns, all pairs except (ROLE_ROLLUP_1, ROLE_ROLLUP_2) and
    (ROLE_TITLE, ROLE_FAMILY), no triples, and a column of ones. Their code identifies pairs by hash, so that each
    collision would give one column fewer than here. ``LogisticRegression(data.X, data.y, bias=False)`` has the paper's
    dimension.

    References
    ----------
    "Amazon.com - Employee Access Challenge", Kaggle, 2013. Wang, Charles and Papailiopoulos, "ErasureHead", 2019,
    Table 1.

    Examples
    --------
    >>> amazon_from_csv("no/train.csv")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: path = 'no/train.csv': cannot be read (No such file or directory); give ...
    """
    return amazon_from(_read(path), seed=seed, source=f"Kaggle amazon-employee-access-challenge: {Path(path).name}")


def amazon_from(table: Mapping[str, NDArray[Any]], *, seed: int, source: str) -> Dataset:
    """Encode a table of categories and labels 0 and 1, whose columns have the names of Kaggle's file."""
    codes = np.column_stack([np.unique(table[name], return_inverse=True)[1] for name in COLUMNS])
    return one_hot_dataset(
        "amazon",
        with_pairs(codes),
        table[_TARGET].astype(np.int64),
        seed=seed,
        source=source,
        licence="the rules of Kaggle's competition: not to be passed on",
    )


def with_pairs(codes: Codes) -> list[Codes]:
    """Return the nine columns and 34 pairs of them, as category numbers counted densely from 0.

    Parameters
    ----------
    codes : ndarray of int, shape (rows, 9)
        Category numbers, at least 0, in the order of `COLUMNS`.

    Returns
    -------
    list of ndarray of int, shape (rows,)

    Examples
    --------
    >>> columns = with_pairs(np.array([[0] * 9, [1] * 9, [0] * 9]))
    >>> len(columns), {tuple(column.tolist()) for column in columns}
    (43, {(0, 1, 0)})
    """
    columns = dict(zip(COLUMNS, codes.T, strict=True))
    pairs = [pair for pair in combinations(COLUMNS, 2) if pair not in _UNPAIRED]
    joint = [columns[one] * (columns[other].max() + 1) + columns[other] for one, other in pairs]
    return [np.unique(column, return_inverse=True)[1] for column in (*codes.T, *joint)]


def _read(path: str | PathLike[str]) -> dict[str, Codes]:
    """Return the columns of the file by name; raise an error if the file is invalid."""
    lines = _lines(path)
    header = [name.strip(' "') for name in lines[0].split(",")] if lines else []
    missing = [name for name in (_TARGET, *COLUMNS) if name not in header]
    if missing:
        raise _complaint(path, f"lacks the column {', '.join(missing)}")
    if len(lines) == 1:
        raise _complaint(path, "contains no rows")
    try:
        table = np.loadtxt(lines[1:], dtype=np.int64, delimiter=",", comments=None, quotechar='"', ndmin=2)
    except ValueError as error:
        raise _complaint(path, f"contains something other than whole numbers ({error})") from error
    if table.shape[1] != len(header):
        raise _complaint(path, f"has {len(header)} column names but {table.shape[1]} columns")
    columns = dict(zip(header, table.T, strict=True))
    if not np.isin(columns[_TARGET], (0, 1)).all():
        raise _complaint(path, f"contains labels other than 0 and 1 in {_TARGET}")
    return columns


def _lines(path: str | PathLike[str]) -> list[str]:
    """Return the lines of the file that are not blank."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _complaint(path, f"cannot be read ({error.strerror})") from error
    except (TypeError, ValueError) as error:
        raise _complaint(path, f"cannot be read ({error})") from error
    return [line for line in text.splitlines() if line.strip()]


def _complaint(path: Any, fault: str) -> ConfigurationError:
    """Return an error about the file."""
    name = str(path) if isinstance(path, PathLike) else path
    return ConfigurationError(f"path = {shown(name)}: {fault}; {_REMEDY}")
