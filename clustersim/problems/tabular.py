"""Base class of problems whose rows form one matrix: its size, its row norms and the digests that identify it.

The constructor of a problem sets the checked arrays. `describe` goes into the hash of a study's configuration.
"""

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from clustersim.problems.base import Floats, Problem
from clustersim.problems.data import Matrix, digest, squared_norms

__all__ = ["TabularProblem"]


class TabularProblem(Problem):
    """A problem on the rows of a matrix `X`, dense or CSR, that never changes."""

    X: Matrix

    @property
    def rows(self) -> int:
        """Number m of training rows."""
        return int(self.X.shape[0])

    def row_norms_squared(self) -> Floats:
        """Return the squared norm of each row of `X`, column of ones included; shape (rows,)."""
        return squared_norms(self.X)

    def describe(self) -> dict[str, Any]:
        """Return class, hyper-parameters, shape and digests of the arrays as plain JSON values."""
        return dict(self._description)

    @abstractmethod
    def _arrays(self) -> Mapping[str, Matrix | NDArray[Any]]:
        """Return the arrays that identify the problem, by name."""

    def _parameters(self) -> Mapping[str, Any]:
        """Return the hyper-parameters as plain JSON values."""
        return {}

    @cached_property
    def _description(self) -> dict[str, Any]:
        return {
            "class": type(self).__name__,
            "rows": self.rows,
            "dimension": self.dimension,
            **self._parameters(),
            **{f"{name}_sha256": digest(array) for name, array in self._arrays().items()},
        }
