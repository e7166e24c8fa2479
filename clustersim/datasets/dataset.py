"""What a data set is, and the steps that all of them share: read, split, standardise, freeze.

Files inside the package flow in; read-only arrays, or sparse rows, flow out to the functions that name a data set.
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
TEST = 0.2  # the share of test rows, as in the ErasureHead paper


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test rows, and where they come from; its arrays are read-only.

    Parameters
    ----------
    name : str
        Name of the set.
    X, test_X : ndarray or scipy.sparse.csr_array of float64, shape (rows, features)
        Training and test rows; sparse where they are one-hot.
    y, test_y : ndarray, shape (rows,)
        Labels (int64) or targets (float64).
    source : str
        Who made it, and through whom it got here.
    licence : str
        The terms of use.
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
        """The test rows with their labels or targets, as problems take them."""
        return self.test_X, self.test_y

    def __repr__(self) -> str:
        (rows, features), tests = self.X.shape, len(self.test_y)
        return f"Dataset({self.name!r}, {rows} + {tests} test rows, {features} features)"


def read(file: str) -> dict[str, NDArray[Any]]:
    """Read all arrays of a file that comes with the package."""
    path = resources.files("clustersim.datasets") / "data" / file
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return dict(arrays)


def split(rows: int, test: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Shuffle 0 .. rows - 1 and cut off the share `test` of them for testing, rounded up as scikit-learn does.

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
