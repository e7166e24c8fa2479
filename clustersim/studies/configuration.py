"""What a study is made of, as plain JSON values, so that two configurations can be compared and hashed.

Data flows in as problems, clusters, policies, optimisers and the functions in them, and out to the manifest of a
results folder (`clustersim.studies.store`). The description of equal objects is equal, in every process and on every
day: it holds no addresses, no times and no module names of scripts.
"""

import ast
import functools
import hashlib
import inspect
import json
import linecache
import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from scipy import sparse

from clustersim.errors import ConfigurationError
from clustersim.studies.origin import is_users_file

__all__ = ["Json", "canonical", "describe", "differences", "digest"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_LONG = 64  # longer sequences of numbers are told by their hash, as arrays are
_DEEP = 30


def describe(thing: Any) -> Json:
    """Describe an object by plain JSON values, recursively.

    Dataclasses are told by class name and fields, objects with a method ``describe`` by what it returns, arrays by
    shape and sha256, the user's functions and classes by their text and by what they refer to, a library's by name.

    Parameters
    ----------
    thing : object
        Anything that a study may be made of.

    Returns
    -------
    None, bool, int, float, str, list or dict

    Raises
    ------
    ConfigurationError
        If there is no description of it that would be the same tomorrow.

    Examples
    --------
    >>> from fractions import Fraction
    >>> describe({"step": 0.5, "shards": (1, 2), "never": math.inf})
    {'step': 0.5, 'shards': [1, 2], 'never': 'inf'}
    >>> describe(np.zeros((2, 3)))["shape"]
    [2, 3]
    """
    return _describe(thing, ())


def _describe(thing: Any, above: tuple[int, ...]) -> Json:
    """Describe `thing`; `above` holds the identities of what it is part of, lest a circle never ends."""
    if thing is None or isinstance(thing, bool | str):
        return thing
    if isinstance(thing, int | float | np.integer | np.floating | np.bool_):
        return _number(thing)
    if id(thing) in above:
        return "(itself)"
    if len(above) > _DEEP:
        raise ConfigurationError(
            f"{type(thing).__name__} is nested too deeply to be described; give it a method describe() of plain values"
        )
    inside = functools.partial(_describe, above=(*above, id(thing)))
    for kinds, tell in _TELLERS:
        if isinstance(thing, kinds):
            return tell(thing, inside)
    return _object(thing, inside)


_Inside = Callable[[Any], Json]


def _number(value: Any) -> Json:
    """Tell a number; infinities and NaN by name, for JSON has none."""
    plain: bool | int | float = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float):
        if not math.isfinite(plain):
            return str(plain)
        return int(plain) if plain.is_integer() else plain  # 1 and 1.0 are one configuration
    return plain


def _mapping(value: Mapping[Any, Any], inside: _Inside) -> Json:
    return {str(key): inside(item) for key, item in value.items()}


def _sequence(value: Sequence[Any], inside: _Inside) -> Json:
    if len(value) > _LONG and all(isinstance(item, int | float) for item in value):
        return _array(np.asarray(value), inside)
    return [inside(item) for item in value]


def _array(value: Any, inside: _Inside) -> Json:
    """Tell an array by shape, type and content."""
    if value.dtype.hasobject:
        return {"array": inside(value.tolist())}
    content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    return {"array": str(value.dtype), "shape": list(value.shape), "sha256": content}


def _sparse(value: Any, inside: _Inside) -> Json:
    rows = sparse.csr_array(value)
    return {"sparse": [inside(part) for part in (rows.data, rows.indices, rows.indptr)], "shape": list(rows.shape)}


def _partial(value: functools.partial[Any], inside: _Inside) -> Json:
    return {"partial": inside(value.func), "args": inside(value.args), "keywords": inside(value.keywords)}


def _method(value: MethodType, inside: _Inside) -> Json:
    return {"method": value.__name__, "of": inside(value.__self__)}


def _class(value: type, inside: _Inside) -> Json:  # noqa: ARG001 - all tellers are called alike
    """Tell a class by its name, and the user's own by its text too."""
    told: dict[str, Json] = {"class": value.__qualname__}
    if text := _class_text(value):
        told["source"] = text
    return told


def _class_text(kind: type) -> str | None:
    """Text of a class that the user wrote; its methods' code where the text cannot be read; None for a library's."""
    functions = [item for item in vars(kind).values() if isinstance(item, FunctionType)]
    files = {function.__code__.co_filename for function in functions} - {"<string>"}  # what dataclasses generate
    if not any(is_users_file(name) for name in files):
        return None
    try:
        return ast.unparse(ast.parse(inspect.cleandoc(inspect.getsource(kind))))
    except (OSError, TypeError, SyntaxError):
        plain = {name: item for name, item in vars(kind).items() if isinstance(item, int | float | str)}
        return " ".join([*(_code_text(function.__code__) for function in functions), repr(plain)])


def _function(value: FunctionType, inside: _Inside) -> Json:
    """Tell the user's function by its text, its defaults and the outer values that it refers to."""
    if not is_users_file(value.__code__.co_filename):
        return {"function": f"{value.__module__}.{value.__qualname__}"}
    told: dict[str, Json] = {"function": value.__name__, "source": _function_text(value.__code__)}
    if value.__defaults__ or value.__kwdefaults__:
        told["defaults"] = inside([value.__defaults__, value.__kwdefaults__])
    if outer := dict(_outer_values(value)):
        told["refers to"] = inside(outer)
    return told


def _function_text(code: CodeType) -> str:
    """Text of a function without comments and layout; of all lambdas of its line, for a line can hold several."""
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    except SyntaxError:
        return _code_text(code)
    kinds = (ast.Lambda,) if code.co_name == "<lambda>" else (ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, kinds) and _first_line_of(node) == code.co_firstlineno
    ]
    return "; ".join(texts) or _code_text(code)


def _first_line_of(node: Any) -> int:
    """Where a function begins, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(decorator.lineno for decorator in decorators)]))


def _code_text(code: CodeType) -> str:
    """Stand-in for text that cannot be read: the compiled code."""
    constants = [_code_text(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return f"compiled {code.co_code.hex()} {code.co_names} {constants}"


def _outer_values(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Closure and module variables that a function's code names, modules left out; sorted by name."""
    found = dict(inspect.getclosurevars(function).nonlocals)
    for name in _names(function.__code__):
        if name in function.__globals__ and name not in found:
            found[name] = function.__globals__[name]
    for name in sorted(found):
        if not isinstance(found[name], ModuleType):
            yield name, found[name]


def _names(code: CodeType) -> set[str]:
    nested = (_names(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*nested)


def _object(thing: Any, inside: _Inside) -> Json:
    """Tell any other object: by its own words, by its fields, by its state, or by its name if it is a function in C."""
    told = _class(type(thing), inside)
    if not isinstance(told, dict):  # pragma: no cover - a class is always told by a mapping
        return told
    if callable(getattr(thing, "describe", None)):
        told["describes itself as"] = inside(thing.describe())
    elif is_dataclass(thing):
        told |= {field.name: inside(getattr(thing, field.name)) for field in fields(thing) if field.init}
    elif hasattr(thing, "dist") and hasattr(thing, "kwds"):  # a frozen scipy.stats distribution
        told |= {"distribution": thing.dist.name, "args": inside(thing.args), "keywords": inside(thing.kwds)}
    elif callable(thing) and hasattr(thing, "__name__"):
        told |= {"function": thing.__name__, "module": getattr(thing, "__module__", None)}
    elif hasattr(thing, "__dict__"):
        told["state"] = inside({name: value for name, value in vars(thing).items() if not _is_cached(thing, name)})
    elif " at 0x" not in repr(thing):
        told["repr"] = repr(thing)
    else:
        raise ConfigurationError(
            f"{thing!r} cannot be described, so stored runs could not be told apart; give {type(thing).__name__} a "
            "method describe() that returns plain values"
        )
    return told


def _is_cached(thing: Any, name: str) -> bool:
    """Whether an attribute is a result kept by `functools.cached_property`, which comes and goes."""
    return isinstance(getattr(type(thing), name, None), functools.cached_property)


_TELLERS: tuple[tuple[Any, Callable[[Any, _Inside], Json]], ...] = (
    (Enum, lambda value, inside: str(value)),  # noqa: ARG005 - all tellers are called alike
    (bytes, lambda value, inside: hashlib.sha256(value).hexdigest()),  # noqa: ARG005
    (PurePath, lambda value, inside: value.as_posix()),  # noqa: ARG005
    (Mapping, _mapping),
    (list | tuple, _sequence),
    (Set, lambda value, inside: sorted((inside(item) for item in value), key=canonical)),
    (np.ndarray, _array),
    (sparse.spmatrix | sparse.sparray, _sparse),
    (functools.partial, _partial),
    (MethodType, _method),
    (FunctionType, _function),
    (type, _class),
)


def canonical(value: Json) -> str:
    """The one JSON text of a description: keys sorted, no spaces.

    Examples
    --------
    >>> canonical({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Json) -> str:
    """The sha256 of the canonical text.

    Examples
    --------
    >>> digest({"a": 1})[:16]
    '015abd7f5cc57a2d'
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def differences(stored: Json, now: Json, path: str = "") -> list[str]:
    """Where two descriptions differ, in words, one sentence a place.

    Examples
    --------
    >>> differences({"workers": 50, "mean": 1.0}, {"workers": 40, "mean": 1.0}, "cluster")
    ['cluster.workers is 50 in the folder, 40 now']
    """
    if isinstance(stored, dict) and isinstance(now, dict):
        found: list[str] = []
        for key in dict.fromkeys([*stored, *now]):
            if key not in stored or key not in now:
                found.append(f"{path}.{key} is only {'in the folder' if key in stored else 'there now'}".lstrip("."))
            else:
                found += differences(stored[key], now[key], f"{path}.{key}".lstrip("."))
        return found
    if canonical(stored) == canonical(now):
        return []
    return [f"{path} is {_short(stored)} in the folder, {_short(now)} now"]


def _short(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:50]} ... ({digest(value)[:8]})"
