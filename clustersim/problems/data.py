"""Checks of training data: invalid rows, targets and labels raise a `ConfigurationError`.

The problems pass in the user's X and y. They receive C-contiguous float64 rows (or CSR rows), targets, class numbers
and digests. Checked arrays are private, read-only copies: problems cache optima and digests, so their data must never
change.
"""

import hashlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats

__all__ = [
    "LARGEST",
    "Matrix",
    "check_labels",
    "check_rows",
    "check_targets",
    "check_test",
    "digest",
    "frozen",
    "squared_norms",
    "take_rows",
]

# ndarray or scipy.sparse.csr_array of float64, shape (rows, features). The type stubs cannot multiply such a union.
Matrix: TypeAlias = Any

LARGEST = 1e100
"""Largest accepted absolute value of an entry, and of a ridge; sums of squares of larger ones overflow."""


def check_rows(X: Any, name: str = "X", features: int | None = None) -> Matrix:
    """Return a read-only copy of X as C-contiguous float64, or as CSR if X is sparse.

    Parameters
    ----------
    X : array_like or sparse matrix, shape (rows, features)
        Finite numbers.
    name : str
        The name of X in error messages.
    features : int, optional
        The required number of columns.

    Raises
    ------
    ConfigurationError
        If X is empty, ragged, not two-dimensional, not numeric, or contains NaN, infinity or entries beyond `LARGEST`.

    Examples
    --------
    >>> check_rows([[1, 2], [3, float("nan")]])
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: X: expected finite numbers, got nan in row 1 (1 in all); fill or drop them
    """
    matrix = _sparse_rows(X, name) if sparse.issparse(X) else _dense(X, name, "pad or drop rows")
    if matrix.ndim != 2:
        raise ConfigurationError(
            f"{name} of shape {matrix.shape}: expected two dimensions, rows and features; "
            f"use {name}.reshape(-1, 1) for a single feature"
        )
    if 0 in matrix.shape:
        raise ConfigurationError(
            f"{name} of shape {matrix.shape}: expected at least one row and one feature; the data set is empty"
        )
    if features is not None and matrix.shape[1] != features:
        raise ConfigurationError(
            f"{name} of shape {matrix.shape}: expected {features} features, as many as the training rows have"
        )
    _finite(matrix, name)
    return matrix


def check_targets(y: Any, rows: int, name: str = "y") -> Floats:
    """Return a read-only copy of the numeric targets, one for each row.

    Raises
    ------
    ConfigurationError
        If y is not one finite number for each row.
    """
    targets = _dense(y, name, "give one number for each row")
    _one_each(targets, rows, name)
    _finite(targets, name)
    return targets


def check_labels(y: Any, rows: int, name: str = "y", fewest: int = 2) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the distinct labels, sorted, and the class number of each row.

    Raises
    ------
    ConfigurationError
        If y is not one label for each row (whole numbers, booleans or strings), or has fewer than `fewest` distinct
        labels.

    Examples
    --------
    >>> check_labels(["cat", "dog", "cat"], rows=3)[1].tolist()
    [0, 1, 0]
    """
    values = _labels(y, name)
    _one_each(values, rows, name)
    classes, codes = np.unique(values, return_inverse=True)
    if len(classes) < fewest:
        raise ConfigurationError(
            f"{name}: expected {fewest} or more distinct labels, got only {classes.tolist()}; add rows of other classes"
        )
    codes = codes.astype(np.intp, copy=False)
    codes.setflags(write=False)
    return classes, codes


def check_test(test: Any, features: int) -> tuple[Matrix, Any]:
    """Split `test` into checked test rows and unchecked test targets.

    Raises
    ------
    ConfigurationError
        If `test` is not a pair, or its rows do not have the same number of features as the training rows.
    """
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise ConfigurationError(f"test = {type(test).__name__}: expected a pair (X, y) of test rows and their targets")
    return check_rows(test[0], "test X", features), test[1]


def frozen(X: Matrix) -> Matrix:
    """Make X read-only, in place, and return it."""
    for part in (X,) if isinstance(X, np.ndarray) else (X.data, X.indices, X.indptr):
        part.setflags(write=False)
    return X


def take_rows(X: Matrix, rows: NDArray[np.intp] | None) -> Matrix:
    """Return the rows with the given numbers; for None, X itself, not a copy."""
    if rows is None:
        return X
    return X.take(rows, axis=0) if isinstance(X, np.ndarray) else X[rows]  # take is faster than indexing


def squared_norms(X: Matrix) -> Floats:
    """Return the squared Euclidean norm of each row, shape (rows,)."""
    if isinstance(X, np.ndarray):
        return np.asarray(np.einsum("ij,ij->i", X, X))
    return np.asarray(X.multiply(X).sum(axis=1)).ravel()


def digest(array: Matrix | NDArray[Any]) -> str:
    """Return the SHA-256 of shape, type and entries, in hexadecimal; it is the same on every machine.

    Examples
    --------
    >>> digest(np.zeros(2))[:12] != digest(np.zeros(3))[:12]
    True
    """
    if isinstance(array, np.ndarray):
        kind = array.dtype.newbyteorder("<")
        parts = [np.ascontiguousarray(array, dtype=kind)]
        header = f"dense {array.shape} {kind.str}"
    else:
        parts = [array.data.astype("<f8"), array.indices.astype("<i8"), array.indptr.astype("<i8")]
        header = f"csr {array.shape}"
    total = hashlib.sha256(header.encode())
    for part in parts:
        total.update(part.tobytes())
    return total.hexdigest()


def _sparse_rows(X: Any, name: str) -> Matrix:
    """Return a canonical CSR copy: duplicates summed, columns sorted."""
    if X.dtype.kind not in "biuf":
        raise ConfigurationError(f"{name} of type {X.dtype}: expected real numbers; encode categories first")
    matrix = sparse.csr_array(X, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    return frozen(matrix)


def _dense(values: Any, name: str, remedy: str) -> Floats:
    """Return a C-contiguous float64 copy of an array_like."""
    try:
        raw = np.asarray(values)
    except ValueError:
        raise ConfigurationError(
            f"{name}: expected rows of one length, got ragged rows{_ragged(values)}; {remedy}"
        ) from None
    if raw.dtype.kind not in "biufO":
        raise ConfigurationError(f"{name} of type {raw.dtype}: expected real numbers; encode categories first")
    try:
        if raw.dtype.kind == "O" and any(isinstance(entry, str | bytes) for entry in raw.flat):
            raise TypeError
        with np.errstate(over="ignore"):  # long doubles may overflow to infinity, which `_finite` refuses later
            copy = np.array(raw, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError):
        raise ConfigurationError(
            f"{name}: expected real numbers only; encode categories and fill missing values"
        ) from None
    dense: Floats = frozen(copy)
    return dense


def _ragged(values: Any) -> str:
    """Name the first row whose length differs from that of row 0; return "" if the rows have no lengths."""
    try:
        lengths = [len(row) for row in values]
        different = next(i for i, length in enumerate(lengths) if length != lengths[0])
    except (TypeError, StopIteration):
        return ""
    return f" (row 0 has {lengths[0]} entries, row {different} has {lengths[different]})"


def _finite(array: Matrix, name: str) -> None:
    """Refuse NaN, infinity and numbers whose squares overflow, and name the row of the first one."""
    entries = array if isinstance(array, np.ndarray) else array.data
    good = np.abs(entries) <= LARGEST  # false for NaN
    if good.all():
        return
    first = int(np.argmin(good.ravel()))
    if isinstance(array, np.ndarray):
        row = first // (array.shape[1] if array.ndim == 2 else 1)
    else:
        row = int(np.searchsorted(array.indptr, first, side="right")) - 1
    value = entries.ravel()[first]
    expected, remedy = ("finite numbers", "fill or drop them")
    if np.isfinite(value):
        expected, remedy = (f"numbers up to {LARGEST:g}, whose squares do not overflow", "scale them")
    raise ConfigurationError(
        f"{name}: expected {expected}, got {value} in row {row} ({int((~good).sum())} in all); {remedy}"
    )


def _one_each(values: NDArray[Any], rows: int, name: str) -> None:
    """Check that there is one value for each row."""
    if values.ndim != 1:
        raise ConfigurationError(
            f"{name} of shape {values.shape}: expected one dimension, one value for each row; use {name}.ravel()"
        )
    if len(values) != rows:
        raise ConfigurationError(f"{name}: expected {rows} values, one for each row, got {len(values)}")


def _labels(y: Any, name: str) -> NDArray[Any]:
    """Return labels as integers, booleans or strings; floats must be whole numbers and become integers."""
    try:
        values = np.asarray(y)
    except ValueError:
        raise ConfigurationError(f"{name}: expected one label for each row, got nested sequences") from None
    if values.dtype.kind == "O":
        values = np.asarray(values.tolist())
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            values = values.astype(np.float64)
        _finite(values, name)
        if not (np.isfinite(values) & (values == np.floor(values))).all():
            raise ConfigurationError(
                f"{name}: expected labels (whole numbers, booleans or strings), got numbers that are not whole; "
                "use LeastSquares for numeric targets"
            )
        values = values.astype(np.int64)
    if values.dtype.kind not in "biuU":
        raise ConfigurationError(
            f"{name} of type {values.dtype}: expected labels that are whole numbers, booleans or strings"
        )
    return values
