"""What `TorchProblem` trains on: rows and targets as tensors, checked so that bad ones are refused with a message.

Arrays, tensors and data sets of torch flow in; private tensors flow out, cut into micro-batches.
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
    X, y : torch.Tensor
        Of one length; any further shape.
    """

    X: Any
    y: Any

    def __len__(self) -> int:
        return int(self.X.shape[0])

    @property
    def has_labels(self) -> bool:
        """Whether the targets are one whole number a row."""
        return self.y.ndim == 1 and not self.y.is_floating_point()

    def to(self, device: str) -> "Rows":
        """The same rows on a device."""
        return Rows(self.X.to(device), self.y.to(device))

    def parts(self, size: int, chosen: NDArray[np.intp] | None = None) -> Iterator[tuple[slice, Any, Any]]:
        """Yield the chosen rows, all if None, `size` at a time: their positions, the rows, their targets."""
        count = len(self) if chosen is None else len(chosen)
        torch = load_torch()
        picked = None if chosen is None else torch.tensor(chosen, dtype=torch.int64, device=self.X.device)
        for start in range(0, count, size):
            part = slice(start, min(start + size, count))
            at = part if picked is None else picked[part]
            yield part, self.X[at], self.y[at]


def read_rows(X: Any, y: Any, dtype: Any, loss: Any, name: str = "") -> Rows:
    """Check rows and targets, and return a copy of them as tensors.

    Floating-point numbers take the type of the parameters, `dtype`; whole numbers stay whole, except for the loss
    "squared".

    Parameters
    ----------
    X : array_like, torch.Tensor or torch.utils.data.Dataset
        The rows, or with y None a data set of pairs.
    y : array_like, torch.Tensor or None
        The targets.
    dtype : torch.dtype
        The type of the parameters.
    loss : str or callable
        "cross-entropy" wants whole numbers, "squared" floating-point ones.
    name : str
        What messages put before X and y.

    Raises
    ------
    ConfigurationError
        If rows or targets are empty, ragged, not numeric, not finite, or do not fit each other or the loss.
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
    """Refuse test rows of another shape than the training rows."""
    for letter, tensor, other in (("X", test.X, training.X), ("y", test.y, training.y)):
        if tensor.shape[1:] != other.shape[1:] or tensor.dtype != other.dtype:
            raise ConfigurationError(
                f"test {letter} of shape {tuple(tensor.shape)} and type {tensor.dtype}: expected rows as in training, "
                f"of shape {tuple(other.shape[1:])} and type {other.dtype}"
            )


def _items(dataset: Any, name: str) -> tuple[Any, Any]:
    """Rows and targets of a data set of torch, each item read once."""
    torch = load_torch()
    remedy = "give arrays X and y, or a torch.utils.data.Dataset of pairs (x, y) as X"
    if not isinstance(dataset, torch.utils.data.Dataset) or not hasattr(dataset, "__len__"):
        raise ConfigurationError(f"{name}y = None, X of type {type(dataset).__name__}: {remedy}, one that has a length")
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
    """A private copy on the CPU: `dtype` if the values are floating-point, else int64."""
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
                f"{name}: expected finite numbers, got others in row {int(finite.int().argmin())} "
                f"({int((~finite).sum())} rows in all); fill or drop them"
            )
    return tensor.to(device="cpu", dtype=torch.int64 if whole else dtype, copy=True).contiguous()


def _array(values: Any, name: str) -> NDArray[Any]:
    """Anything array-like, in a type that torch knows."""
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
    """Class numbers: whole, and at least 0."""
    torch = load_torch()
    whole = targets.to(torch.int64)
    if not bool((whole == targets).all()) or int(whole.min()) < 0:
        raise ConfigurationError(
            f"{name}: expected class numbers 0, 1, ... for the loss 'cross-entropy', got others; number the classes "
            "with numpy.unique(y, return_inverse=True)[1], or use loss='squared' for numeric targets"
        )
    return whole
