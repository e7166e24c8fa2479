"""`Dataset`, and the steps that all data sets share: read, split, standardise.

The functions read files inside the package and return arrays. The modules of the individual data sets use them.
"""

import math
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.problems.data import Matrix, frozen
from clustersim.streams import Streams

__all__ = ["TEST", "Dataset", "Floats", "read", "split", "standardised"]

Floats = NDArray[np.float64]
TEST = 0.2  # the fraction of test rows, as in the ErasureHead paper


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training rows, test rows and their origin; the arrays become read-only.

    Parameters
    ----------
    name : str
        Name of the data set.
    X : ndarray or scipy.sparse.csr_array of float64, shape (rows, features)
        Training rows; sparse if they are one-hot.
    y : ndarray, shape (rows,)
        Labels (int64) or targets (float64) of the training rows.
    test_X : ndarray or scipy.sparse.csr_array of float64, shape (test rows, features)
        Test rows; sparse if they are one-hot.
    test_y : ndarray, shape (test rows,)
        Labels (int64) or targets (float64) of the test rows.
    source : str
        The creators of the data, and the source of this copy.
    licence : str
        The terms of use.

    Examples
    --------
    >>> import clustersim as cs
    >>> data = cs.datasets.mnist(train=80)
    >>> data
    Dataset('mnist', 80 + 420 test rows, 784 features)
    >>> problem = cs.SoftmaxRegression(data.X, data.y, test=data.test)
    >>> sorted(problem.metrics(problem.initial_model()))
    ['test_accuracy']
    """

    name: str
    X: Matrix
    y: NDArray[Any]
    test_X: Matrix  # noqa: N815 - X is the field's name for rows
    test_y: NDArray[Any]
    source: str
    licence: str

    def __post_init__(self) -> None:
        for array in (self.X, self.y, self.test_X, self.test_y):
            frozen(array)

    @property
    def test(self) -> tuple[Matrix, NDArray[Any]]:
        """The pair (test_X, test_y), as the parameter `test` of problems."""
        return self.test_X, self.test_y

    def __repr__(self) -> str:
        (rows, features), tests = self.X.shape, len(self.test_y)
        return f"Dataset({self.name!r}, {rows} + {tests} test rows, {features} features)"


def read(file: str) -> dict[str, NDArray[Any]]:
    """Read all arrays of a file inside the package, by name."""
    path = resources.files("clustersim.datasets") / "data" / file
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return dict(arrays)


def split(rows: int, test: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Shuffle 0 .. rows - 1 and split the numbers into training and test rows.

    Parameters
    ----------
    rows : int
        Number of rows.
    test : float
        Fraction of test rows; their number is rounded up, as in scikit-learn.
    seed : int
        Seed of the shuffle.

    Returns
    -------
    tuple of ndarray of int
        The numbers of the training rows and of the test rows.

    Examples
    --------
    >>> train, test = split(rows=10, test=0.2, seed=0)
    >>> len(train), len(test), sorted([*train.tolist(), *test.tolist()]) == list(range(10))
    (8, 2, True)
    """
    order = Streams(seed).generator("data split").permutation(rows)
    cut = rows - math.ceil(test * rows)
    return order[:cut], order[cut:]


def standardised(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Shift and scale each column so that the training rows have mean 0 and standard deviation 1.

    Examples
    --------
    >>> train, test = standardised(np.array([[1.0], [3.0]]), np.array([[4.0]]))
    >>> train.tolist(), test.tolist()
    ([[-1.0], [1.0]], [[2.0]])
    """
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    return (train - mean) / deviation, (test - mean) / deviation
