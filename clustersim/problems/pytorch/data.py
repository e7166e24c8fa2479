"""Training data of `TorchProblem`: rows and targets as checked tensors.

`read_rows` takes arrays, tensors or torch data sets and returns private tensors as `Rows`. `Rows.parts` cuts them into
micro-batches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.errors import ConfigurationError
from clustersim.problems.pytorch.library import load_torch

__all__ = ["Rows", "read_rows", "same_shape"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows and their targets, which never change.

    Parameters
    ----------
    X : torch.Tensor, shape (rows, ...)
        The rows.
    y : torch.Tensor, shape (rows, ...)
        The targets.
    """

    X: Any
    y: Any

    def __len__(self) -> int:
        return int(self.X.shape[0])

    @property
    def has_labels(self) -> bool:
        """Whether the targets are one whole number for each row."""
        return self.y.ndim == 1 and not self.y.is_floating_point()

    def to(self, device: str) -> "Rows":
        """Return the same rows on the given device."""
        return Rows(self.X.to(device), self.y.to(device))

    def parts(self, size: int, chosen: NDArray[np.intp] | None = None) -> Iterator[tuple[slice, Any, Any]]:
        """Yield positions, rows and targets of the chosen rows (None: all rows), at most `size` at a time."""
        count = len(self) if chosen is None else len(chosen)
        torch = load_torch()
        picked = None if chosen is None else torch.tensor(chosen, dtype=torch.int64, device=self.X.device)
        for start in range(0, count, size):
            part = slice(start, min(start + size, count))
            at = part if picked is None else picked[part]
            yield part, self.X[at], self.y[at]


def read_rows(X: Any, y: Any, dtype: Any, loss: Any, name: str = "") -> Rows:
    """Check rows and targets, and return a copy of them as tensors.

    Floating-point numbers are converted to the type of the parameters, `dtype`. Whole numbers become int64, except that
    targets for the loss "squared" are converted to `dtype`, too.

    Parameters
    ----------
    X : array_like or torch.Tensor, shape (rows, ...), or torch.utils.data.Dataset
        The rows; if y is None, a data set of pairs (x, y).
    y : array_like or torch.Tensor, shape (rows, ...), or None
        The targets.
    dtype : torch.dtype
        The type of the parameters.
    loss : str or callable
        The loss: "cross-entropy" requires whole numbers as targets, "squared" requires numbers.
    name : str
        The prefix of X and y in error messages.

    Returns
    -------
    Rows
        The rows and their targets, on the CPU.

    Raises
    ------
    ConfigurationError
        If rows or targets are empty, ragged, not numeric or not finite, or do not fit each other or the loss.
    """
    if y is None:
        X, y = _items(X, name)
    rows, targets = _tensor(X, f"{name}X", dtype), _tensor(y, f"{name}y", dtype)
    if len(rows) != len(targets):
        raise ConfigurationError(f"{name}y: expected {len(rows)} targets, one for each row, got {len(targets)}")
    if loss == "cross-entropy":
        targets = _classes(targets, f"{name}y")
    elif loss == "squared":
        targets = targets.to(dtype)
    return Rows(rows, targets)


def same_shape(test: Rows, training: Rows) -> None:
    """Check that test rows and their targets have the shape and the type of the training rows and targets."""
    for letter, tensor, other in (("X", test.X, training.X), ("y", test.y, training.y)):
        if tensor.shape[1:] != other.shape[1:] or tensor.dtype != other.dtype:
            raise ConfigurationError(
                f"test {letter} of shape {tuple(tensor.shape)} and type {tensor.dtype}: expected rows as in training, "
                f"of shape {tuple(other.shape[1:])} and type {other.dtype}"
            )


def _items(dataset: Any, name: str) -> tuple[Any, Any]:
    """Return rows and targets of a torch data set; each item is read once."""
    torch = load_torch()
    remedy = "give arrays X and y, or a torch.utils.data.Dataset of pairs (x, y) as X"
    if not isinstance(dataset, torch.utils.data.Dataset) or not hasattr(dataset, "__len__"):
        raise ConfigurationError(
            f"{name}y = None, X of type {type(dataset).__name__}: {remedy}; the data set must have a length"
        )
    try:
        pairs = [(torch.as_tensor(x), torch.as_tensor(y)) for x, y in (dataset[i] for i in range(len(dataset)))]
        if not pairs:
            raise ConfigurationError(f"{name}X: expected at least one row; the data set is empty")
        return torch.stack([x for x, _ in pairs]), torch.stack([y for _, y in pairs])
    except (TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            f"{name}X: the items of {type(dataset).__name__} are not pairs (x, y) of numbers, all of one shape "
            f"({error}); {remedy}"
        ) from error


def _tensor(values: Any, name: str, dtype: Any) -> Any:
    """Return a private copy on the CPU: of type `dtype` if the values are floating-point numbers, else int64."""
    torch = load_torch()
    if isinstance(values, torch.Tensor):
        if values.is_complex():
            raise ConfigurationError(f"{name} of type {values.dtype}: expected real numbers")
        whole, tensor = not values.is_floating_point(), values.detach()
    else:
        array = _array(values, name)
        whole, tensor = array.dtype.kind != "f", torch.tensor(array)
    if tensor.ndim == 0 or 0 in tensor.shape:
        raise ConfigurationError(
            f"{name} of shape {tuple(tensor.shape)}: expected at least one row, and rows with entries; "
            "the first axis counts the rows"
        )
    if not whole:
        finite = torch.isfinite(tensor).reshape(len(tensor), -1).all(dim=1)
        if not finite.all():
            raise ConfigurationError(
                f"{name}: expected finite numbers, got NaN or infinity in row {int(finite.int().argmin())} "
                f"({int((~finite).sum())} rows in all); fill or drop them"
            )
    return tensor.to(device="cpu", dtype=torch.int64 if whole else dtype, copy=True).contiguous()


def _array(values: Any, name: str) -> NDArray[Any]:
    """Return an array_like as an array of a type that torch supports."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise ConfigurationError(f"{name}: expected rows of one shape, got ragged rows; pad or drop rows") from None
    if array.dtype.kind not in "biuf":
        raise ConfigurationError(
            f"{name} of type {array.dtype}: expected real numbers; give class numbers for labels "
            "(numpy.unique(y, return_inverse=True)[1]) and toarray() of sparse rows"
        )
    if array.dtype.kind == "f":
        return np.array(array, dtype=np.float32 if array.dtype == np.float32 else np.float64, order="C")
    return np.array(array, dtype=np.int64, order="C")


def _classes(targets: Any, name: str) -> Any:
    """Return the targets as int64 class numbers; refuse targets that are not whole or are less than 0."""
    torch = load_torch()
    whole = targets.to(torch.int64)
    if not bool((whole == targets).all()) or int(whole.min()) < 0:
        raise ConfigurationError(
            f"{name}: expected class numbers 0, 1, ... for the loss 'cross-entropy', got others; number the classes "
            "with numpy.unique(y, return_inverse=True)[1], or use loss='squared' for numeric targets"
        )
    return whole
