"""Checks of training data, so that bad rows are refused with a message instead of trained on.

Whatever the user calls X and y flows in; C-contiguous float64 rows (or CSR rows), targets, class numbers and digests
flow out to the problems. Checked arrays are private, read-only copies: optima and digests are cached, so the data must
not change behind them.
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

# ndarray or scipy.sparse.csr_array of float64, shape (rows, features); products of that union have no type in the stubs
Matrix: TypeAlias = Any

LARGEST = 1e100
"""Entries beyond it make sums of squares overflow, and so does a ridge."""


def check_rows(X: Any, name: str = "X", features: int | None = None) -> Matrix:
    """Return a read-only copy of X as C-contiguous float64, or as CSR if X is sparse.

    Parameters
    ----------
    X : array_like or sparse matrix, shape (rows, features)
        Finite numbers.
    name : str
        What messages call it.
    features : int, optional
        The number of columns that it must have.

    Raises
    ------
    ConfigurationError
        If X is empty, ragged, not two-dimensional, not numeric, or holds NaN or infinity.

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
        If y is not one finite number a row.
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
        If y is not one label a row (whole numbers, booleans or strings), or has fewer than `fewest` distinct labels.

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
    """Split `test` into checked test rows and raw test targets.

    Raises
    ------
    ConfigurationError
        If `test` is not a pair, or its rows do not fit the training rows.
    """
    if not isinstance(test, (tuple, list)) or len(test) != 2:
        raise ConfigurationError(f"test = {type(test).__name__}: expected a pair (X, y) of test rows and their targets")
    return check_rows(test[0], "test X", features), test[1]


def frozen(X: Matrix) -> Matrix:
    """X itself, from now on read-only."""
    for part in (X,) if isinstance(X, np.ndarray) else (X.data, X.indices, X.indptr):
        part.setflags(write=False)
    return X


def take_rows(X: Matrix, rows: NDArray[np.intp] | None) -> Matrix:
    """The rows of these numbers; X itself, not a copy, for None."""
    if rows is None:
        return X
    return X.take(rows, axis=0) if isinstance(X, np.ndarray) else X[rows]  # take is faster than an index


def squared_norms(X: Matrix) -> Floats:
    """Squared Euclidean norm of each row."""
    if isinstance(X, np.ndarray):
        return np.asarray(np.einsum("ij,ij->i", X, X))
    return np.asarray(X.multiply(X).sum(axis=1)).ravel()


def digest(array: Matrix | NDArray[Any]) -> str:
    """SHA-256 of shape, type and entries; the same on every machine.

    Examples
    --------
    >>> digest(np.zeros(2))[:12] != digest(np.zeros(3))[:12]
    True
    """
    if isinstance(array, np.ndarray):
        kind = array.dtype.newbyteorder("<")
        parts = [np.ascontiguousarray(array, dtype=kind)]
        word = f"dense {array.shape} {kind.str}"
    else:
        parts = [array.data.astype("<f8"), array.indices.astype("<i8"), array.indptr.astype("<i8")]
        word = f"csr {array.shape}"
    total = hashlib.sha256(word.encode())
    for part in parts:
        total.update(part.tobytes())
    return total.hexdigest()


def _sparse_rows(X: Any, name: str) -> Matrix:
    """A canonical CSR copy: duplicates summed, columns in order."""
    if X.dtype.kind not in "biuf":
        raise ConfigurationError(f"{name} of type {X.dtype}: expected real numbers; encode categories first")
    matrix = sparse.csr_array(X, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    return frozen(matrix)


def _dense(values: Any, name: str, remedy: str) -> Floats:
    """A C-contiguous float64 copy of anything array-like."""
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
        with np.errstate(over="ignore"):  # of longer floats; what is infinite is found later
            copy = np.array(raw, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError):
        raise ConfigurationError(
            f"{name}: expected real numbers only; encode categories, fill what is missing"
        ) from None
    dense: Floats = frozen(copy)
    return dense


def _ragged(values: Any) -> str:
    """Name the first row whose length differs, where lengths can be told."""
    try:
        lengths = [len(row) for row in values]
        odd = next(i for i, length in enumerate(lengths) if length != lengths[0])
    except (TypeError, StopIteration):
        return ""
    return f" (row 0 has {lengths[0]} entries, row {odd} has {lengths[odd]})"


def _finite(array: Matrix, name: str) -> None:
    """Refuse NaN, infinity and what would overflow, and say where the first one is."""
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
    """Refuse anything but one value for each row."""
    if values.ndim != 1:
        raise ConfigurationError(
            f"{name} of shape {values.shape}: expected one dimension, one value for each row; use {name}.ravel()"
        )
    if len(values) != rows:
        raise ConfigurationError(f"{name}: expected {rows} values, one for each row, got {len(values)}")


def _labels(y: Any, name: str) -> NDArray[Any]:
    """Labels as integers or strings; floats only where they are whole."""
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
