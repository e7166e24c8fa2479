"""One-hot encoding: a column for each distinct value of each column, and one for the bias.

The modules of the individual data sets pass in columns of categories and receive a `Dataset` of sparse rows.
"""

import importlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clustersim.datasets.dataset import TEST, Dataset, split
from clustersim.problems.data import Matrix

__all__ = ["one_hot", "one_hot_dataset"]


def one_hot(columns: Iterable[NDArray[Any]]) -> Matrix:
    """Encode numeric columns, with a separate output column for each value, and add a column of ones.

    Parameters
    ----------
    columns : iterable of ndarray, shape (rows,)
        Whole or real numbers; equal numbers are the same category.

    Returns
    -------
    scipy.sparse.csr_array of float64
        A row contains a one for each column, and a last one for the bias.

    Examples
    --------
    >>> one_hot([np.array([7, 5, 7]), np.array([0.5, 1.5, 2.5])]).toarray().astype(int).tolist()
    [[0, 1, 1, 0, 0, 1], [1, 0, 0, 1, 0, 1], [0, 1, 0, 0, 1, 1]]
    """
    encoders = importlib.import_module("sklearn.preprocessing")  # imported only when needed, because it is slow
    first, *others = columns
    table = np.column_stack([first, *others, np.ones_like(first)])  # the column of ones becomes the bias
    return sparse.csr_array(encoders.OneHotEncoder(dtype=np.float64).fit_transform(table))


def one_hot_dataset(
    name: str, columns: Iterable[NDArray[Any]], y: NDArray[Any], *, seed: int, source: str, licence: str
) -> Dataset:
    """Encode all rows, so that all categories of test rows are known, and split them as in the other encodings."""
    X = one_hot(columns)
    train, test = split(len(y), TEST, seed)
    return Dataset(name=name, X=X[train], y=y[train], test_X=X[test], test_y=y[test], source=source, licence=licence)
