"""Modules and loss functions in plain JSON values, so that a study's stored runs can be told apart.

`TorchProblem.describe` hands them in and takes their words out. What a module prints of itself does not tell its
`forward`, so classes and functions that are not torch's own are told by their compiled code too, which stays the same
when a pickler has carried it; a study tells their text besides.
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

__all__ = ["loss_words", "module_words", "tensor_digest"]

_PLAIN = (bool, int, float, str, type(None))


def tensor_digest(tensor: Any) -> str:
    """SHA-256 of shape, type and entries."""
    torch = load_torch()
    known = not tensor.is_floating_point() or tensor.dtype in (torch.float32, torch.float64)
    return digest((tensor if known else tensor.double()).detach().cpu().numpy())


def module_words(module: Any) -> dict[str, Any]:
    """What a module prints of itself, a digest of its numbers, and the code of classes that are not torch's own."""
    told = hashlib.sha256()
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        told.update(f"{name} {tensor.dtype} {tensor.requires_grad} {tensor_digest(tensor)}\n".encode())
    for name, part in module.named_modules():
        told.update(f"{name} {_attributes(part)}\n".encode())
    kinds = {type(part) for part in module.modules() if type(part).__module__.split(".")[0] != "torch"}
    return {
        "prints": str(module),
        "sha256": told.hexdigest(),
        "classes": sorted([kind.__qualname__, _code_digest(kind)] for kind in kinds),
    }


def loss_words(loss: str | Callable[..., Any]) -> Any:
    """A loss by its name, its module or its function, with what the function closes over and plain outer values."""
    return _words(loss)


def _attributes(part: Any) -> dict[str, Any]:
    """The plain attributes of a module, which `forward` may use though nothing prints them."""
    return {name: value for name, value in sorted(vars(part).items()) if name[0] != "_" and _is_plain(value)}


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, a word, or a sequence of them."""
    return isinstance(value, _PLAIN) or (isinstance(value, list | tuple) and all(map(_is_plain, value)))


def _words(thing: Any) -> Any:
    """Plain JSON values for whatever a loss may be made of."""
    torch = load_torch()
    tellers: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
        (_PLAIN, lambda value: value),
        ((list, tuple), lambda items: [_words(item) for item in items]),
        (dict, lambda items: {str(key): _words(item) for key, item in items.items()}),
        (np.ndarray, digest),
        (torch.Tensor, tensor_digest),
        (torch.nn.Module, module_words),
        (functools.partial, lambda part: {"partial": _words([part.func, part.args, part.keywords])}),
        (FunctionType, _function),
    )
    for kind, tell in tellers:
        if isinstance(thing, kind):
            return tell(thing)
    if " at 0x" not in repr(thing):
        return repr(thing)
    raise ConfigurationError(
        f"loss: {thing!r} cannot be described, so stored runs could not be told apart; make the loss a function, a "
        "functools.partial of one, or a torch.nn.Module, of plain values"
    )


def _function(function: FunctionType) -> dict[str, Any]:
    """A function by its name, its code, its defaults, and the outer values that it names."""
    outer = inspect.getclosurevars(function)
    plain = {name: value for name, value in outer.globals.items() if _is_plain(value)}
    return {
        "function": function.__qualname__,
        "sha256": _code_digest(function),
        "defaults": _words([function.__defaults__, function.__kwdefaults__]),
        "refers to": _words({**plain, **outer.nonlocals}),
    }


def _code_digest(thing: Any) -> str:
    """Digest of the code of a function, or of those of a class and what it inherits outside torch."""
    if isinstance(thing, FunctionType):
        return hashlib.sha256(_code_text(thing.__code__).encode()).hexdigest()
    lineage = [kind for kind in thing.__mro__ if kind.__module__.split(".")[0] not in ("torch", "builtins")]
    members = sorted(((name, item) for kind in lineage for name, item in vars(kind).items()), key=lambda pair: pair[0])
    words = [f"{name} {item!r}" for name, item in members if name[:2] != "__" and _is_plain(item)]
    words += [f"{name} {_code_text(item.__code__)}" for name, item in members if isinstance(item, FunctionType)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _code_text(code: CodeType) -> str:
    """Compiled code, nested functions included."""
    return f"{code.co_code.hex()} {code.co_names} {[_constant(value) for value in code.co_consts]}"


def _constant(value: Any) -> str:
    """A constant in compiled code; sets, whose order differs from process to process, sorted."""
    if isinstance(value, frozenset):
        return f"{sorted(map(repr, value))}"
    return _code_text(value) if isinstance(value, CodeType) else repr(value)
