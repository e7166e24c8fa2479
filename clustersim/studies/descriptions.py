"""Descriptions of values as plain JSON, so that two configurations can be compared and hashed.

Problems, clusters, policies, optimisers and their parts come in through `clustersim.studies.reachable_code`; plain JSON
goes back to it. Equal values have equal descriptions, in every process and on every day: no addresses, no times and no
names of scripts occur. Functions, classes and modules are described by the caller's `Code`.
"""

import dis
import functools
import hashlib
import json
import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from random import Random
from types import BuiltinMethodType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

import numpy as np
import pandas as pd
from scipy import sparse

from clustersim.errors import ConfigurationError
from clustersim.studies.own_optimizer import With
from clustersim.studies.plain_json import Json, canonical, digest
from clustersim.studies.user_code import is_users

__all__ = ["Code", "Describer", "state_of"]

_LONG = 64  # longer containers are described by their hash, as arrays are
_LONG_TEXT = 1000
_DEEP = 30
_MANY = 200_000  # values in one description; more occur only if objects refer to one another in ever new ways


class Code(Protocol):
    """Describes functions, classes and modules, by the names that the user's code gets in a description."""

    def function(self, function: FunctionType) -> dict[str, Json]:
        """Describe a function."""

    def kind(self, kind: type) -> dict[str, Json]:
        """Describe a class."""

    def module(self, module: ModuleType) -> dict[str, Json]:
        """Describe a module."""

    def visit(self, thing: object) -> None:
        """Record the code that an object with its own method `describe` reaches."""

    def ordered(self, items: Set[Any], above: tuple[int, ...]) -> Iterable[Any]:
        """Sort the items of a set into an order that is the same in every process."""


@dataclass
class _Budget:
    """The number of values that may still be described."""

    left: int = _MANY


@dataclass(frozen=True)
class Describer:
    """Describes values; `above` contains the identities of the enclosing objects, so that cycles end."""

    code: Code
    above: tuple[int, ...] = ()
    budget: _Budget = field(default_factory=_Budget)

    def __call__(self, thing: Any) -> Json:
        """Describe a value.

        Raises
        ------
        ConfigurationError
            If no description of it would stay the same from run to run.
        """
        kind: type = type(thing)
        if thing is None or kind is bool or kind is int:
            return thing  # type: ignore[no-any-return]
        if isinstance(thing, FunctionType):
            return self.code.function(thing)
        if isinstance(thing, type | ModuleType):
            return self.code.kind(thing) if isinstance(thing, type) else self.code.module(thing)
        if id(thing) in self.above:
            return "(itself)"
        self.budget.left -= 1
        if len(self.above) > _DEEP or self.budget.left < 0:
            how = "contains too many values" if self.budget.left < 0 else "is nested too deeply"
            raise ConfigurationError(
                f"{kind.__name__} {how} to be described; give it a method describe() that returns plain values"
            )
        describe = Describer(self.code, (*self.above, id(thing)), self.budget)
        method = _method_for(kind)
        if method is None:
            return _object(thing, describe)
        description = method(thing, describe)
        return {**self.code.kind(kind), "value": description} if is_users(kind) else description


def _text(value: str, describe: Describer) -> Json:  # noqa: ARG001 - all methods have the same signature
    if len(value) <= _LONG_TEXT:
        return str(value)
    return {"text": len(value), "sha256": hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()}


def _number(value: Any, describe: Describer) -> Json:  # noqa: ARG001
    """Describe a number; infinities and NaN by name, because JSON lacks them."""
    plain: bool | int | float = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float):
        if not math.isfinite(plain):
            return str(float(plain))
        return int(plain) if plain.is_integer() else float(plain)  # 1 and 1.0 are the same configuration
    return plain


def _enum(value: Enum, describe: Describer) -> Json:
    """Describe a member by its name and, if the class is the user's, also by its value."""
    return [str(value), describe(value.value)] if is_users(type(value)) else str(value)


def _mapping(value: Mapping[Any, Any], describe: Describer) -> Json:
    if len(value) > _LONG and (description := _quick(value)):
        return {"mapping": len(value), "sha256": description}
    if all(isinstance(key, str) for key in value):
        items: Json = {str(key): describe(item) for key, item in value.items()}
    else:
        items = {"entries": sorted(([describe(key), describe(item)] for key, item in value.items()), key=canonical)}
    return items if len(value) <= _LONG else {"mapping": len(value), "sha256": digest(items)}


def _sequence(value: Sequence[Any], describe: Describer) -> Json:
    if len(value) <= _LONG:
        return [describe(item) for item in value]
    if all(isinstance(item, int | float) for item in value) and not (numbers := np.asarray(value)).dtype.hasobject:
        return _array(numbers, describe)
    return {"sequence": len(value), "sha256": _quick(value) or digest([describe(item) for item in value])}


def _quick(value: Any) -> str | None:
    """Return the hash of a container of plain values, or None if it contains other values."""
    try:
        return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    except (TypeError, ValueError, RecursionError):
        return None


def _set(value: Set[Any], describe: Describer) -> Json:
    description: list[Json] = [describe(item) for item in describe.code.ordered(value, describe.above)]
    return description if len(description) <= _LONG else {"set": len(description), "sha256": digest(description)}


def _array(value: Any, describe: Describer) -> Json:
    """Describe an array by shape, type and content."""
    if value.dtype.hasobject:
        return {"array": describe(value.tolist())}
    content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    return {"array": str(value.dtype), "shape": list(value.shape), "sha256": content}


def _sparse(value: Any, describe: Describer) -> Json:
    rows = sparse.csr_array(value)
    return {"sparse": [describe(part) for part in (rows.data, rows.indices, rows.indptr)], "shape": list(rows.shape)}


def _table(value: pd.DataFrame | pd.Series | pd.Index, describe: Describer) -> Json:
    """Describe a table of pandas by its columns; a single column or an index is described as a table too."""
    frame = value if isinstance(value, pd.DataFrame) else value.to_frame()
    names = frame.columns.tolist()
    columns = [describe(frame.iloc[:, place].to_numpy()) for place in range(len(names))]
    index = None if isinstance(value, pd.Index) else describe(frame.index.to_numpy())
    return {"table": describe(names), "columns": columns, "index": index}


def _partial(value: functools.partial[Any], describe: Describer) -> Json:
    return {"partial": describe(value.func), "args": describe(value.args), "keywords": describe(value.keywords)}


def _method(value: Any, describe: Describer) -> Json:
    """Describe a bound method; a function of a module written in C is bound to that module."""
    if value.__self__ is None or isinstance(value.__self__, ModuleType):
        return {"function": f"{value.__module__}.{value.__qualname__}"}
    description: dict[str, Json] = {"method": value.__name__, "of": describe(value.__self__)}
    function = getattr(value, "__func__", None)
    if isinstance(function, FunctionType) and is_users(function):
        description["function"] = describe(function)
    return description


def _random(value: Random, describe: Describer) -> Json:
    """Describe a random generator by its state; runs do not change it, because they have copies."""
    try:
        return {"generator": type(value).__name__, "state": describe(value.getstate())}
    except NotImplementedError as error:  # raised by the generator of the operating system
        raise ConfigurationError(f"{value!r} gives different numbers in every run; use random.Random(seed)") from error


def _object(thing: Any, describe: Describer) -> Json:
    """Describe any other object by its own method, its fields or its state; a function in C by its name."""
    kind = type(thing)
    description = describe.code.kind(kind)
    if kind.__module__.startswith("clustersim.studies.") and kind is not With:  # a study or results do not affect runs
        return description
    ours = kind.__module__.split(".")[0] == "clustersim"
    itself = callable(getattr(thing, "describe", None)) and (ours or is_users(kind))
    if itself or is_dataclass(thing):
        description |= _by_its_class(thing, describe, "describe" if itself else "__dataclass_fields__")
    elif hasattr(thing, "dist") and hasattr(thing, "kwds"):  # a frozen scipy.stats distribution
        description |= {"distribution": thing.dist.name, "args": describe(thing.args), "keywords": describe(thing.kwds)}
    elif callable(thing) and hasattr(thing, "__name__") and not is_users(kind):
        description["function"] = _stand_in(thing, describe)
    elif state := state_of(thing):
        description["state"] = describe(state)
    elif hasattr(thing, "__dict__") and (is_users(kind) or _is_empty(thing)):
        pass
    elif " at 0x" not in repr(thing) and not hasattr(thing, "__dict__"):
        description["repr"] = repr(thing)
    else:
        raise ConfigurationError(
            f"{thing!r} cannot be described, so stored runs could not be told apart; give {kind.__name__} a "
            "method describe() that returns plain values"
        )
    return description


def _by_its_class(thing: Any, describe: Describer, source: str) -> dict[str, Json]:
    """Describe an object by its method `describe` or its fields (the `source`), and what a user's class adds to it."""
    if source == "describe":
        description: dict[str, Json] = {"describes itself as": describe(thing.describe())}
        describe.code.visit(thing)
    else:
        description = {field.name: describe(getattr(thing, field.name)) for field in fields(thing) if field.init}
    added = _added(thing, source)
    return {**description, "and has": describe(added)} if added else description


def _added(thing: Any, source: str) -> dict[str, Any]:
    """Return the attributes that a user's class adds to those of the library's class that defines `source`."""
    kinds = type(thing).__mro__
    owner = next((place for place, kind in enumerate(kinds) if source in vars(kind)), len(kinds))
    if source == "__dataclass_fields__":
        covered = {field.name for field in fields(thing) if field.init}
    elif owner < len(kinds) and is_users(kinds[owner]):
        return {}  # the user's own method decides what counts
    else:
        covered = set()
    if not any(map(is_users, kinds)):
        return {}
    known = covered.union(*(_sets(kind) for kind in kinds if not is_users(kind)))
    return {name: value for name, value in state_of(thing).items() if name not in known}


@functools.cache
def _sets(kind: type) -> frozenset[str]:
    """Return the names of the attributes that the methods of a class set, and of its slots and fields."""
    functions = (getattr(member, "__func__", member) for member in vars(kind).values())
    codes = (function.__code__ for function in functions if isinstance(function, FunctionType))
    found = {step.argval for code in codes for step in dis.get_instructions(code) if step.opname == "STORE_ATTR"}
    return frozenset(found | {*_names(vars(kind).get("__slots__", ()))} | {*vars(kind).get("__dataclass_fields__", ())})


def _is_empty(thing: Any) -> bool:
    """Return whether an object without attributes has no other state either, as objects written in C may have."""
    try:
        make, arguments, *state = thing.__reduce_ex__(2)  # how it would be pickled
    except Exception:
        return False
    return make.__name__ == "__newobj__" and len(arguments) == 1 and not any(state)


def _stand_in(thing: Any, describe: Describer) -> Json:
    """Describe a callable object of a library by the user's function in it, or else by its own name."""
    if wrapped := getattr(thing, "__wrapped__", None):  # such as a result of functools.lru_cache
        return describe(wrapped)
    if any(isinstance(value, FunctionType) for value in getattr(thing, "__dict__", {}).values()):  # numpy.vectorize
        return describe({name: value for name, value in state_of(thing).items() if name[0] != "_"})
    return f"{getattr(thing, '__module__', None)}.{getattr(thing, '__qualname__', thing.__name__)}"


def state_of(thing: Any) -> dict[str, Any]:
    """Return the attributes of an object without those of `functools.cached_property`, which may or may not be set."""
    slots = [name for kind in type(thing).__mro__ for name in _names(vars(kind).get("__slots__", ()))]
    state = {name: getattr(thing, name) for name in slots if name[:2] != "__" and hasattr(thing, name)}
    state |= getattr(thing, "__dict__", {})
    cached = (name for name in state if isinstance(getattr(type(thing), name, None), functools.cached_property))
    ignored = {"__module__", "__name__", "__qualname__", "__doc__", *cached}  # functools.update_wrapper copies those
    return {name: value for name, value in state.items() if name not in ignored}


def _names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


@functools.lru_cache(maxsize=1000)
def _method_for(kind: type) -> Callable[[Any, Describer], Json] | None:
    """Return the function that describes the values of a class; None if they are not plain values."""
    return next((method for kinds, method in _METHODS if issubclass(kind, kinds)), None)


_METHODS: tuple[tuple[Any, Callable[[Any, Describer], Json]], ...] = (
    (Enum, _enum),
    (str, _text),
    (int | float | np.integer | np.floating | np.bool_, _number),
    (bytes | bytearray, lambda value, describe: hashlib.sha256(value).hexdigest()),  # noqa: ARG005
    (PurePath, lambda value, describe: value.as_posix()),  # noqa: ARG005
    (logging.Logger, lambda value, describe: {"class": "Logger"}),  # noqa: ARG005 - logging changes no number
    (WeakKeyDictionary | WeakValueDictionary | WeakSet, lambda value, describe: {"class": type(value).__name__}),  # noqa: ARG005
    (Mapping, _mapping),
    (list | tuple | deque, _sequence),
    (Set, _set),
    (
        np.ma.MaskedArray,
        lambda value, describe: {"masked": describe(value.data), "mask": describe(np.ma.getmaskarray(value))},
    ),
    (np.ndarray, _array),
    (sparse.spmatrix | sparse.sparray, _sparse),
    (pd.DataFrame | pd.Series | pd.Index, _table),
    (functools.partial, _partial),
    (Random, _random),
    (MethodType | BuiltinMethodType | MethodWrapperType, _method),
)
