"""What all problems share whose rows are one matrix: its size, its norms and the digests that identify it.

Checked arrays flow in from a problem's constructor; `describe` flows out to the hash of a study's configuration.
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
    """A problem on the rows of the matrix `X`, dense or CSR, which never changes."""

    X: Matrix

    @property
    def rows(self) -> int:
        """Number m of training rows."""
        return int(self.X.shape[0])

    def row_norms_squared(self) -> Floats:
        """Squared norm of each row of `X`, its bias column included; shape (rows,)."""
        return squared_norms(self.X)

    def describe(self) -> dict[str, Any]:
        """Return class, hyper-parameters, shape and digests of the arrays as plain JSON values."""
        return dict(self._description)

    @abstractmethod
    def _arrays(self) -> Mapping[str, Matrix | NDArray[Any]]:
        """The arrays that identify the problem, by name."""

    def _parameters(self) -> Mapping[str, Any]:
        """The hyper-parameters, as plain JSON values."""
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
