"""Helpers of the tests of one-hot data sets: look at the rows behind the columns, and train on them."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.metrics import roc_auc_score

import clustersim as cs

__all__ = ["area", "assert_one_hot", "categories", "stacked"]


def stacked(data: Any) -> Any:
    """All rows, the training rows first."""
    return sparse.vstack([data.X, data.test_X], format="csr")


def categories(X: Any) -> Any:
    """Row by row, the column of X in which each original column has its one; the last is the bias."""
    return X.indices.reshape(X.shape[0], -1)


def assert_one_hot(data: Any, *, train: int, test: int, features: int, ones: int) -> None:
    """Hold rows, columns, types and the ones of each row against what is documented."""
    for X, y, rows in ((data.X, data.y, train), (data.test_X, data.test_y, test)):
        assert isinstance(X, sparse.csr_array)
        assert X.dtype == np.float64
        assert X.shape == (rows, features)
        assert y.shape == (rows,)
        assert (X.data == 1.0).all()
        assert (np.diff(X.indptr) == ones).all()
        assert (categories(X)[:, -1] == features - 1).all()  # the bias
        assert not any(array.flags.writeable for array in (X.data, X.indices, X.indptr, y))
    assert repr(data) == f"Dataset({data.name!r}, {train} + {test} test rows, {features} features)"
    assert (stacked(data).sum(axis=0) > 0).all()  # no column is a category that no row has


def area(data: Any, *, steps: int, step_size: float) -> float:
    """Test AUC after full gradients with Nesterov's momentum and a ridge of 1/m, as the paper's authors train."""
    problem = cs.LogisticRegression(data.X, data.y, bias=False)
    assert problem.dimension == data.X.shape[1]
    w = ahead = np.zeros(problem.dimension)
    for t in range(1, steps + 1):
        gradient = problem.gradient(ahead, None, 1.0 / problem.rows) + ahead / problem.rows
        previous, w = w, ahead - step_size * gradient
        ahead = w + (t - 1) / (t + 2) * (w - previous)
    test_X, test_y = data.test
    return float(roc_auc_score(test_y, test_X @ w))
