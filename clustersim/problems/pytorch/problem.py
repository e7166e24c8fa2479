"""Any PyTorch module as a problem: the parameters form one flat vector, and autograd computes the gradients.

The user gives a module and a data set. The engine receives losses, gradients and the initial model as NumPy arrays.
torch is an optional dependency and is loaded only when it is needed (`clustersim.problems.pytorch.library`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustersim.checks import integer
from clustersim.errors import ConfigurationError
from clustersim.problems.base import Floats, Problem
from clustersim.problems.pytorch.data import Rows, read_rows, same_shape
from clustersim.problems.pytorch.description import describe_loss, describe_module, tensor_digest
from clustersim.problems.pytorch.library import alone, load_torch, random_states, seeded
from clustersim.problems.pytorch.parts import check_device, private_module, row_losses, settle_lazy, trainable

__all__ = ["TorchProblem"]


class TorchProblem(Problem):
    r"""A `torch.nn.Module` on a data set: :math:`F(w) = \frac{1}{m} \sum_i \ell(\mathrm{module}_w(x_i), y_i)`.

    The flat w contains the parameters that require a gradient, in the order of ``module.parameters()``, in C order.

    Parameters
    ----------
    module : torch.nn.Module
        The network. The problem uses a private copy. Runs start at the parameters that the module has now.
    X : array_like or torch.Tensor, shape (rows, ...), or torch.utils.data.Dataset
        The rows; if y is None, a data set of pairs (x, y), each read once. Floating-point numbers are converted to the
        type of the parameters. Whole numbers stay whole, as an embedding layer requires.
    y : array_like or torch.Tensor, shape (rows, ...), optional
        The targets. One whole number for each row is a class number, unless the loss is "squared".
    loss : {"cross-entropy", "squared"} or callable, default "cross-entropy"
        The loss of each row: cross-entropy of the softmax, half the squared distance, or a function of (outputs,
        targets) that returns a tensor of shape (rows,), such as a loss of torch with ``reduction="none"``.
    test : tuple (X, y) or torch.utils.data.Dataset, optional
        Test rows and their targets. The history then has a column ``test_accuracy`` if targets are class numbers and
        a row has at least two outputs, else a column ``test_loss``.
    device : {"cpu", "cuda"}, default "cpu"
        The device that computes losses and gradients.
    batch : int, default 256
        Maximum number of rows computed at once, which limits the memory. It affects results only by rounding.
    seed : int, default 0
        Seed of the first parameters of lazy layers, such as ``LazyLinear``. The state of torch's own generators does
        not change.

    Raises
    ------
    ConfigurationError
        If torch is not installed, if there is no GPU, or if data and module do not fit each other. Also if a row's loss
        does not depend only on the parameters and the row (see Notes).

    Notes
    -----
    A gradient must be a sum over rows, because the engine assembles it from the rows of many workers. So the module
    always runs in evaluation mode, and buffers such as running statistics keep their initial values. Layers whose
    behaviour would silently change are refused: batch normalisation and dropout in training mode, and layers that draw
    random numbers. Use ``GroupNorm`` or ``LayerNorm`` instead and remove dropout. Or call ``module.eval()`` first, if
    the running statistics need not change.

    w is float64, but the arithmetic uses the module's own type: pass ``module.double()`` for full precision. During
    each call, torch runs on one thread, and on a GPU with repeatable algorithms; its settings are restored afterwards.
    Calls from several threads of one process wait for each other; separate processes run in parallel.

    Examples
    --------
    >>> import torch
    >>> problem = TorchProblem(torch.nn.Linear(1, 1, bias=False).double(), [[1.0], [2.0]], [1.0, 2.0], loss="squared")
    >>> problem.loss(np.zeros(1)), problem.gradient(np.zeros(1), None, 0.5).tolist()
    (1.25, [-2.5])
    """

    def __init__(
        self,
        module: Any,
        X: Any,
        y: Any = None,
        *,
        loss: str | Callable[[Any, Any], Any] = "cross-entropy",
        test: Any = None,
        device: str = "cpu",
        batch: int = 256,
        seed: int = 0,
    ) -> None:
        self.batch = integer("batch", batch, low=1)
        self.device = check_device(device)
        self._row_losses = row_losses(loss, device)
        self.loss_function = loss if isinstance(loss, str) else self._row_losses
        self._module = private_module(module)
        dtype = trainable(self._module)[0].dtype
        self._training = read_rows(X, y, dtype, loss)
        self._test = None if test is None else _test_rows(test, self._training, dtype, loss)
        with _explained(f"module: {type(module).__name__} fails on rows of shape {tuple(self._training.X.shape[1:])}"):
            settle_lazy(self._module, self._training.X[:2], integer("seed", seed, low=0, high=2**63 - 1))
        self._module, self._training = self._module.to(device), self._training.to(device)
        self._test = None if self._test is None else self._test.to(device)
        self._has_scores = self._try_out()

    def __repr__(self) -> str:
        loss = getattr(self.loss_function, "__name__", type(self.loss_function).__name__)
        name = self.loss_function if isinstance(self.loss_function, str) else loss
        kind = type(self._module).__name__
        return f"TorchProblem({kind} of {self.dimension} parameters, {self.rows} rows, loss={name!r})"

    @property
    def rows(self) -> int:
        """Number m of training rows."""
        return len(self._training)

    @property
    def dimension(self) -> int:
        """Number of parameters that require a gradient."""
        return sum(parameter.numel() for parameter in trainable(self._module))

    @cached_property
    def labels(self) -> NDArray[np.intp] | None:
        """Class number 0, 1, ... of each training row; None unless the targets are one whole number for each row."""
        if not self._training.has_labels:
            return None
        codes = np.unique(self._training.y.cpu().numpy(), return_inverse=True)[1].astype(np.intp)
        codes.setflags(write=False)
        return codes

    def initial_model(self) -> Floats:
        """Return the parameters that the module had when the problem was constructed."""
        flat = [parameter.detach().double().cpu().numpy().ravel() for parameter in trainable(self._module)]
        return np.concatenate(flat)

    def loss(self, w: Floats) -> float:
        """Return the mean loss over the training rows."""
        return self._totals(w, self._training)[0] / self.rows

    def metrics(self, w: Floats) -> dict[str, float]:
        """Return ``test_accuracy`` or ``test_loss``, if there are test rows."""
        if self._test is None:
            return {}
        loss, hits = self._totals(w, self._test)
        name, total = ("test_accuracy", hits) if self._has_scores else ("test_loss", loss)
        return {name: total / len(self._test)}

    def gradient(self, w: Floats, rows: NDArray[np.intp] | None, weights: float | Floats) -> Floats:
        """Return the weighted sum of the rows' gradients, computed `batch` rows at a time; zero weights are skipped."""
        each = np.asarray(weights, dtype=np.float64)
        if each.ndim and not each.all():
            present = np.flatnonzero(each)
            rows, each = present if rows is None else np.asarray(rows)[present], each[present]
        with alone(self.device) as torch, torch.enable_grad():
            total = torch.zeros(self.dimension, dtype=torch.float64, device=self.device)
            leaves = [leaf.requires_grad_() for leaf in self._parameters_at(w)]
            for part, X, y in self._training.parts(self.batch, rows):
                losses = self._row_losses(self._outputs(leaves, X), y)
                share = torch.tensor(each[part] if each.ndim else each, dtype=losses.dtype, device=self.device)
                slopes = torch.autograd.grad((share * losses).sum(), leaves, materialize_grads=True)
                total += torch.cat([slope.detach().reshape(-1).double() for slope in slopes])
            flat: Floats = total.cpu().numpy()
        return flat

    def describe(self) -> dict[str, Any]:
        """Return descriptions of module and loss, and digests of all arrays, as plain JSON values."""
        return dict(self._description)

    @cached_property
    def _description(self) -> dict[str, Any]:
        tensors = {"X": self._training.X, "y": self._training.y}
        if self._test is not None:
            tensors |= {"test_X": self._test.X, "test_y": self._test.y}
        return {
            "class": type(self).__name__,
            "torch": str(load_torch().__version__),
            "rows": self.rows,
            "dimension": self.dimension,
            "device": self.device,
            "batch": self.batch,
            "loss": describe_loss(self.loss_function),
            "module": describe_module(self._module),
            **{f"{name}_sha256": tensor_digest(tensor) for name, tensor in tensors.items()},
        }

    def _try_out(self) -> bool:
        """Compute the first rows to check module and loss, and return whether outputs are scores of classes."""
        X, y = self._training.X[:2], self._training.y[:2]
        w = self.initial_model()
        with alone(self.device) as torch, seeded(0), torch.no_grad():
            before = random_states(self.device)
            with _explained(f"module: {type(self._module).__name__} fails on rows of shape {tuple(X.shape[1:])}"):
                outputs = self._outputs(self._parameters_at(w), X)
                if self.loss_function == "cross-entropy":
                    _check_classes(outputs, [data.y for data in (self._training, self._test) if data is not None])
            with _explained(f"loss: {self.loss_function!r} fails on outputs of shape {tuple(outputs.shape)}"):
                self._check_losses(self._row_losses(outputs, y), len(X))
                self.gradient(w, np.arange(len(X)), 1.0)
            if random_states(self.device) != before:
                raise ConfigurationError(
                    f"module: {type(self._module).__name__} draws random numbers even in evaluation mode, so a row has "
                    "no gradient of its own; make it draw only if self.training is set, or not at all"
                )
        return self._training.has_labels and outputs.ndim == 2 and outputs.shape[1] > 1

    def _check_losses(self, losses: Any, rows: int) -> None:
        """Check that there is one loss for each row."""
        if tuple(losses.shape) != (rows,):
            raise ConfigurationError(
                f"loss: for {rows} rows {self.loss_function!r} returns a tensor of shape {tuple(losses.shape)}, "
                f"expected ({rows},), one loss for each row; use reduction='none', and sum or average the losses of a "
                "row that has several"
            )

    def _parameters_at(self, w: Floats) -> list[Any]:
        """Return the model w as tensors with the shapes and types of the parameters."""
        torch, parameters = load_torch(), trainable(self._module)
        pieces = torch.tensor(w, dtype=torch.float64, device=self.device).split([p.numel() for p in parameters])
        return [piece.to(p.dtype, copy=True).reshape(p.shape) for piece, p in zip(pieces, parameters, strict=True)]

    def _outputs(self, parameters: list[Any], X: Any) -> Any:
        """Return the module's outputs with the given parameters; changes that it makes to its buffers are discarded."""
        names = [name for name, parameter in self._module.named_parameters() if parameter.requires_grad]
        buffers = {name: buffer.clone() for name, buffer in self._module.named_buffers()}
        state = dict(zip(names, parameters, strict=True)) | buffers
        return load_torch().func.functional_call(self._module, state, (X,))

    def _totals(self, w: Floats, data: Rows) -> tuple[float, int]:
        """Return the sum of the rows' losses, and the number of test rows that are classified correctly."""
        loss, hits = 0.0, 0
        with alone(self.device) as torch, torch.no_grad():
            parameters = self._parameters_at(w)
            for _, X, y in data.parts(self.batch):
                outputs = self._outputs(parameters, X)
                loss += self._row_losses(outputs, y).sum(dtype=torch.float64).item()
                if data is self._test and self._has_scores:
                    hits += int((outputs.argmax(dim=1) == y).sum())
        return loss, hits


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn errors of torch into a `ConfigurationError` that says what failed."""
    try:
        yield
    except ConfigurationError:
        raise
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ConfigurationError(f"{what} ({reason}); make module, rows, targets and loss fit each other") from error


def _test_rows(test: Any, training: Rows, dtype: Any, loss: str | Callable[[Any, Any], Any]) -> Rows:
    """Return the test rows, checked against the training rows."""
    pair = test if isinstance(test, (tuple, list)) else (test, None)
    if len(pair) != 2:
        raise ConfigurationError(f"test of {len(pair)} items: expected a pair (X, y) of test rows and their targets")
    rows = read_rows(pair[0], pair[1], dtype, loss, "test ")
    same_shape(rows, training)
    return rows


def _check_classes(outputs: Any, targets: list[Any]) -> None:
    """Check that the module returns a score for every class in the targets."""
    largest = max(int(some.max()) for some in targets)
    scores = outputs.shape[1] if outputs.ndim > 1 else 0
    if scores <= largest:
        raise ConfigurationError(
            f"module: {scores} outputs for each row, expected {largest + 1} or more, a score for each of the classes "
            f"0 to {largest}; give its last layer more outputs, or number the classes without gaps"
        )
