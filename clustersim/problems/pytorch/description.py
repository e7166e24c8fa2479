"""Descriptions of modules and loss functions in plain JSON values, which distinguish a study's stored runs.

`TorchProblem.describe` passes in a module and a loss and receives their descriptions. The printed form of a module does
not show its `forward`. So classes and functions from outside torch are also described by their compiled code, which
stays the same when they have been pickled. A study also describes their source text.
"""

import functools
import hashlib
import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from clustersim.errors import ConfigurationError
from clustersim.problems.data import digest
from clustersim.problems.pytorch.library import load_torch

__all__ = ["describe_loss", "describe_module", "tensor_digest"]

_PLAIN = (bool, int, float, str, type(None))


def tensor_digest(tensor: Any) -> str:
    """Return the SHA-256 of shape, type and entries, in hexadecimal."""
    torch = load_torch()
    known = not tensor.is_floating_point() or tensor.dtype in (torch.float32, torch.float64)
    return digest((tensor if known else tensor.double()).detach().cpu().numpy())


def describe_module(module: Any) -> dict[str, Any]:
    """Return the printed form of a module, a digest of its numbers, and digests of the classes from outside torch."""
    total = hashlib.sha256()
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        total.update(f"{name} {tensor.dtype} {tensor.requires_grad} {tensor_digest(tensor)}\n".encode())
    for name, part in module.named_modules():
        total.update(f"{name} {_attributes(part)}\n".encode())
    kinds = {type(part) for part in module.modules() if type(part).__module__.split(".")[0] != "torch"}
    return {
        "prints": str(module),
        "sha256": total.hexdigest(),
        "classes": sorted([kind.__qualname__, _code_digest(kind)] for kind in kinds),
    }


def describe_loss(loss: str | Callable[..., Any]) -> Any:
    """Describe a loss by its name, its module or its function, including closed-over values and plain global values."""
    return _description(loss)


def _attributes(part: Any) -> dict[str, Any]:
    """Return the plain attributes of a module, which `forward` may use although they are not printed."""
    return {name: value for name, value in sorted(vars(part).items()) if name[0] != "_" and _is_plain(value)}


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, a string, None, or a sequence of these."""
    return isinstance(value, _PLAIN) or (isinstance(value, list | tuple) and all(map(_is_plain, value)))


def _description(thing: Any) -> Any:
    """Return plain JSON values for any value that a loss may consist of."""
    torch = load_torch()
    describers: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
        (_PLAIN, lambda value: value),
        ((list, tuple), lambda items: [_description(item) for item in items]),
        (dict, lambda items: {str(key): _description(item) for key, item in items.items()}),
        (np.ndarray, digest),
        (torch.Tensor, tensor_digest),
        (torch.nn.Module, describe_module),
        (functools.partial, lambda part: {"partial": _description([part.func, part.args, part.keywords])}),
        (FunctionType, _function),
    )
    for kind, describe in describers:
        if isinstance(thing, kind):
            return describe(thing)
    if " at 0x" not in repr(thing):
        return repr(thing)
    raise ConfigurationError(
        f"loss: {thing!r} cannot be described, so stored runs could not be distinguished; make the loss a function, a "
        "functools.partial of one, or a torch.nn.Module, of plain values"
    )


def _function(function: FunctionType) -> dict[str, Any]:
    """Describe a function by its name, its code, its defaults, and the outer values that it refers to."""
    outer = inspect.getclosurevars(function)
    plain = {name: value for name, value in outer.globals.items() if _is_plain(value)}
    return {
        "function": function.__qualname__,
        "sha256": _code_digest(function),
        "defaults": _description([function.__defaults__, function.__kwdefaults__]),
        "refers to": _description({**plain, **outer.nonlocals}),
    }


def _code_digest(thing: Any) -> str:
    """Return a digest of the code of a function, or of a class and its base classes from outside torch."""
    if isinstance(thing, FunctionType):
        return hashlib.sha256(_code_text(thing.__code__).encode()).hexdigest()
    lineage = [kind for kind in thing.__mro__ if kind.__module__.split(".")[0] not in ("torch", "builtins")]
    members = sorted(((name, item) for kind in lineage for name, item in vars(kind).items()), key=lambda pair: pair[0])
    lines = [f"{name} {item!r}" for name, item in members if name[:2] != "__" and _is_plain(item)]
    lines += [f"{name} {_code_text(item.__code__)}" for name, item in members if isinstance(item, FunctionType)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _code_text(code: CodeType) -> str:
    """Return compiled code as text, nested functions included."""
    return f"{code.co_code.hex()} {code.co_names} {[_constant(value) for value in code.co_consts]}"


def _constant(value: Any) -> str:
    """Return a constant of compiled code as text; sets are sorted, because their order varies between processes."""
    if isinstance(value, frozenset):
        return f"{sorted(map(repr, value))}"
    return _code_text(value) if isinstance(value, CodeType) else repr(value)
