"""Amazon Employee Access: who was granted which resource; nine columns of categories and their pairs, one-hot.

Kaggle's ``train.csv`` (or what OpenML serves of it) flows in, a `Dataset` of sparse rows flows out. The rows must not
be shipped, so the package holds none of them; `clustersim.datasets.amazon_like` stands in for them.
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
    """Read Amazon Employee Access from a file of your own, Kaggle's ``train.csv``; a fifth are test rows.

    Parameters
    ----------
    path : str or path
        A file of comma-separated whole numbers under a line of names, among them ACTION (1 granted, 0 refused),
        RESOURCE, MGR_ID, ROLE_ROLLUP_1, ROLE_ROLLUP_2, ROLE_DEPTNAME, ROLE_TITLE, ROLE_FAMILY_DESC, ROLE_FAMILY and
        ROLE_CODE. Other columns are left out.
    seed : int, default 0
        Which rows are test rows, and the order of all.

    Returns
    -------
    Dataset
        Sparse rows with 44 ones: one for each of the nine columns, one for each of 34 pairs of them (see Notes), and
        the bias. Labels are ACTION.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, lacks a column, or holds something else than whole numbers.

    Notes
    -----
    The ErasureHead paper prints the result, 26,215 training rows of dimension 241,915, and not how it was made. The
    authors' public code takes the nine columns, all pairs but (ROLE_ROLLUP_1, ROLE_ROLLUP_2) and (ROLE_TITLE,
    ROLE_FAMILY), no triples, and a column of ones; that is done here. It identifies pairs by their hash, so a collision
    there would make a column fewer than here. ``LogisticRegression(data.X, data.y, bias=False)`` has that dimension.

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
    """Encode columns of categories, and labels 0 and 1, named as in Kaggle's file."""
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
    """The nine columns and 34 pairs of them, numbered densely from 0; `codes` are columns of numbers from 0.

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
    """Every column of the file by its name, or what is wrong with the file."""
    lines = _lines(path)
    header = [name.strip(' "') for name in lines[0].split(",")] if lines else []
    missing = [name for name in (_TARGET, *COLUMNS) if name not in header]
    if missing:
        raise _complaint(path, f"lacks the column {', '.join(missing)}")
    if len(lines) == 1:
        raise _complaint(path, "holds no rows")
    try:
        table = np.loadtxt(lines[1:], dtype=np.int64, delimiter=",", comments=None, quotechar='"', ndmin=2)
    except ValueError as error:
        raise _complaint(path, f"holds something else than whole numbers ({error})") from error
    if table.shape[1] != len(header):
        raise _complaint(path, f"names {len(header)} columns and has {table.shape[1]}")
    columns = dict(zip(header, table.T, strict=True))
    if not np.isin(columns[_TARGET], (0, 1)).all():
        raise _complaint(path, f"holds labels other than 0 and 1 in {_TARGET}")
    return columns


def _lines(path: str | PathLike[str]) -> list[str]:
    """The lines of the file that are not blank."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _complaint(path, f"cannot be read ({error.strerror})") from error
    except (TypeError, ValueError) as error:
        raise _complaint(path, f"cannot be read ({error})") from error
    return [line for line in text.splitlines() if line.strip()]


def _complaint(path: Any, fault: str) -> ConfigurationError:
    """Word an error about the file."""
    name = str(path) if isinstance(path, PathLike) else path
    return ConfigurationError(f"path = {shown(name)}: {fault}; {_REMEDY}")
