"""Checks of a `TorchProblem`'s module, loss and device.

`TorchProblem` passes in what the user gave. It receives a private copy of the module in evaluation mode, and a function
of outputs and targets that returns the loss of each row.
"""

import copy
from collections.abc import Callable
from typing import Any

from clustersim.checks import choice
from clustersim.errors import ConfigurationError
from clustersim.problems.pytorch.library import load_torch, seeded

__all__ = ["check_device", "private_module", "row_losses", "settle_lazy", "trainable"]


def check_device(device: str) -> str:
    """Return the device if it can be used.

    Raises
    ------
    ConfigurationError
        If the device is unknown, or if it is a GPU and torch finds none.
    """
    choice("device", device, ("cpu", "cuda"))
    if device == "cuda" and not load_torch().cuda.is_available():
        raise ConfigurationError("device = 'cuda': torch finds no GPU here; use device='cpu'")
    return device


def private_module(module: Any) -> Any:
    """Return a copy of a module, on the CPU and in evaluation mode.

    Raises
    ------
    ConfigurationError
        If it is not a module, cannot be copied, or has no parameters to train. Also if the outputs of a layer for a row
        would depend on other rows, on random numbers, or on whether the module is in training mode.
    """
    if not isinstance(module, load_torch().nn.Module):
        raise ConfigurationError(f"module of type {type(module).__name__}: expected a torch.nn.Module")
    try:
        own = copy.deepcopy(module)
    except (RuntimeError, TypeError) as error:
        raise ConfigurationError(f"module: {type(module).__name__} cannot be copied ({error})") from error
    parameters = trainable(own)
    if not parameters or not all(parameter.is_floating_point() for parameter in parameters):
        raise ConfigurationError(
            f"module: {type(module).__name__} has {len(parameters)} parameters that require a gradient; expected one "
            "or more, all of them real floating-point numbers"
        )
    for name, layer in own.named_modules():
        _check_layer(name or type(layer).__name__, layer)
    return own.cpu().eval()


def trainable(module: Any) -> list[Any]:
    """Return the parameters that require a gradient, in the module's order."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def settle_lazy(module: Any, X: Any, seed: int) -> None:
    """Initialise lazy layers: they take their shapes from the rows and draw their first parameters with the seed."""
    torch = load_torch()
    if any(torch.nn.parameter.is_lazy(tensor) for tensor in [*module.parameters(), *module.buffers()]):
        with seeded(seed), torch.no_grad():
            module(X)


def row_losses(loss: str | Callable[[Any, Any], Any], device: str) -> Callable[[Any, Any], Any]:
    """Return the function of outputs and targets that returns one loss for each row.

    Raises
    ------
    ConfigurationError
        If the loss is unknown.
    """
    if isinstance(loss, load_torch().nn.Module):
        own: Callable[[Any, Any], Any] = copy.deepcopy(loss).to(device).eval()
        return own
    if callable(loss):
        return loss
    choice("loss", loss, tuple(_LOSSES))
    return _LOSSES[loss]


def _check_layer(name: str, layer: Any) -> None:
    """Refuse a layer that evaluation mode would silently change, or whose output depends on more than one row."""
    layers = load_torch().nn.modules
    if isinstance(layer, layers.batchnorm._BatchNorm) and not layer.track_running_stats:
        raise ConfigurationError(
            f"module: layer {name!r} ({type(layer).__name__}) normalises with the other rows of a batch, so a row has "
            "no gradient of its own; use GroupNorm or LayerNorm instead"
        )
    rate = layer.p if isinstance(layer, layers.dropout._DropoutNd) else getattr(layer, "dropout", None)
    drops = isinstance(rate, float) and rate > 0.0
    normalises = getattr(layer, "track_running_stats", False) is True
    if layer.training and (drops or normalises or isinstance(layer, layers.activation.RReLU)):
        raise ConfigurationError(
            f"module: layer {name!r} ({type(layer).__name__}) is in training mode, in which a row's outputs depend on "
            f"{'the other rows of a batch' if normalises else 'random numbers'}; remove it (GroupNorm and LayerNorm "
            "normalise each row by itself), or call module.eval() first to train with the layer in evaluation mode"
        )


def _cross_entropy(outputs: Any, targets: Any) -> Any:
    """Return minus the logarithm of the softmax of each row's class; the mean of these if a row has several targets."""
    losses = load_torch().nn.functional.cross_entropy(outputs, targets, reduction="none")
    return losses.reshape(len(losses), -1).mean(dim=1)


def _squared(outputs: Any, targets: Any) -> Any:
    """Return half the squared distance of outputs and targets for each row."""
    outputs, targets = outputs.reshape(len(outputs), -1), targets.reshape(len(targets), -1)
    if outputs.shape != targets.shape:  # torch would broadcast one of them
        raise ConfigurationError(
            f"module: {outputs.shape[1]} outputs for each row, expected {targets.shape[1]}, the number of entries of a "
            "target; change the last layer of the module, or the targets"
        )
    return 0.5 * (outputs - targets).square().sum(dim=1)


_LOSSES: dict[str, Callable[[Any, Any], Any]] = {"cross-entropy": _cross_entropy, "squared": _squared}
