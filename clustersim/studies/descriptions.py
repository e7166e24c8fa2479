"""Values as plain JSON, so that two configurations can be compared and hashed.

Data flows in as problems, clusters, policies, optimisers and what they hold, through `tell`, and out to
`clustersim.studies.reachable_code`. Equal values are told equally, in every process and on every day:
no addresses, no times and no names of scripts occur. Functions and classes are told by the one who asks, the `Code`.
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
from clustersim.studies.plain_json import Json, canonical, digest
from clustersim.studies.user_code import is_users

__all__ = ["Code", "Inside", "state_of"]

_LONG = 64  # longer containers are told by their hash, as arrays are
_LONG_TEXT = 1000
_DEEP = 30
_MANY = 200_000  # values in one thing; more come of things that hold one another in ever new ways


class Code(Protocol):
    """Tells functions, classes and modules, by names that the user's code gets in a description."""

    def function(self, function: FunctionType) -> dict[str, Json]:
        """Tell a function."""

    def kind(self, kind: type) -> dict[str, Json]:
        """Tell a class."""

    def module(self, module: ModuleType) -> dict[str, Json]:
        """Tell a module."""

    def visit(self, thing: object) -> None:
        """Note the code behind an object that tells its values itself."""

    def ordered(self, items: Set[Any], above: tuple[int, ...]) -> Iterable[Any]:
        """Bring the items of a set into an order that is the same in every process."""


@dataclass
class _Budget:
    left: int = _MANY


@dataclass(frozen=True)
class Inside:
    """Tells values; `above` holds the identities of what they are part of, lest a circle never ends."""

    code: Code
    above: tuple[int, ...] = ()
    budget: _Budget = field(default_factory=_Budget)

    def __call__(self, thing: Any) -> Json:
        """Tell a value.

        Raises
        ------
        ConfigurationError
            If there is no description of it that would be the same tomorrow.
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
            how = "holds too many things" if self.budget.left < 0 else "is nested too deeply"
            raise ConfigurationError(
                f"{kind.__name__} {how} to be described; give it a method describe() of plain values"
            )
        inside = Inside(self.code, (*self.above, id(thing)), self.budget)
        tell = _teller(kind)
        if tell is None:
            return _object(thing, inside)
        told = tell(thing, inside)
        return {**self.code.kind(kind), "value": told} if is_users(kind) else told


def _text(value: str, inside: Inside) -> Json:  # noqa: ARG001 - all tellers are called alike
    if len(value) <= _LONG_TEXT:
        return str(value)
    return {"text": len(value), "sha256": hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()}


def _number(value: Any, inside: Inside) -> Json:  # noqa: ARG001
    """Tell a number; infinities and NaN by name, for JSON has none."""
    plain: bool | int | float = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float):
        if not math.isfinite(plain):
            return str(float(plain))
        return int(plain) if plain.is_integer() else float(plain)  # 1 and 1.0 are one configuration
    return plain


def _enum(value: Enum, inside: Inside) -> Json:
    """Tell a member by its name, and where the class is the user's by its value too."""
    return [str(value), inside(value.value)] if is_users(type(value)) else str(value)


def _mapping(value: Mapping[Any, Any], inside: Inside) -> Json:
    if len(value) > _LONG and (told := _quick(value)):
        return {"mapping": len(value), "sha256": told}
    if all(isinstance(key, str) for key in value):
        items: Json = {str(key): inside(item) for key, item in value.items()}
    else:
        items = {"entries": sorted(([inside(key), inside(item)] for key, item in value.items()), key=canonical)}
    return items if len(value) <= _LONG else {"mapping": len(value), "sha256": digest(items)}


def _sequence(value: Sequence[Any], inside: Inside) -> Json:
    if len(value) <= _LONG:
        return [inside(item) for item in value]
    if all(isinstance(item, int | float) for item in value) and not (numbers := np.asarray(value)).dtype.hasobject:
        return _array(numbers, inside)
    return {"sequence": len(value), "sha256": _quick(value) or digest([inside(item) for item in value])}


def _quick(value: Any) -> str | None:
    """The hash of a container of plain values, or None if there are others in it."""
    try:
        return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    except (TypeError, ValueError, RecursionError):
        return None


def _set(value: Set[Any], inside: Inside) -> Json:
    told: list[Json] = [inside(item) for item in inside.code.ordered(value, inside.above)]
    return told if len(told) <= _LONG else {"set": len(told), "sha256": digest(told)}


def _array(value: Any, inside: Inside) -> Json:
    """Tell an array by shape, type and content."""
    if value.dtype.hasobject:
        return {"array": inside(value.tolist())}
    content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    return {"array": str(value.dtype), "shape": list(value.shape), "sha256": content}


def _masked(value: Any, inside: Inside) -> Json:
    return {"masked": inside(value.filled()), "mask": inside(np.ma.getmaskarray(value))}


def _sparse(value: Any, inside: Inside) -> Json:
    rows = sparse.csr_array(value)
    return {"sparse": [inside(part) for part in (rows.data, rows.indices, rows.indptr)], "shape": list(rows.shape)}


def _table(value: pd.DataFrame | pd.Series | pd.Index, inside: Inside) -> Json:
    """Tell a table of pandas by its columns; one column or an index as a table too."""
    frame = value if isinstance(value, pd.DataFrame) else value.to_frame()
    names = frame.columns.tolist()
    columns = [inside(frame.iloc[:, place].to_numpy()) for place in range(len(names))]
    index = None if isinstance(value, pd.Index) else inside(frame.index.to_numpy())
    return {"table": inside(names), "columns": columns, "index": index}


def _partial(value: functools.partial[Any], inside: Inside) -> Json:
    return {"partial": inside(value.func), "args": inside(value.args), "keywords": inside(value.keywords)}


def _method(value: Any, inside: Inside) -> Json:
    """Tell a method that is bound to an object; a function of a module written in C is bound to that module."""
    if value.__self__ is None or isinstance(value.__self__, ModuleType):
        return {"function": f"{value.__module__}.{value.__qualname__}"}
    told: dict[str, Json] = {"method": value.__name__, "of": inside(value.__self__)}
    function = getattr(value, "__func__", None)
    if isinstance(function, FunctionType) and is_users(function):
        told["function"] = inside(function)
    return told


def _random(value: Random, inside: Inside) -> Json:
    """Tell a generator of random numbers by its state; what runs draw does not change it, for they have copies."""
    try:
        return {"generator": type(value).__name__, "state": inside(value.getstate())}
    except NotImplementedError as error:  # of the system's generator
        raise ConfigurationError(f"{value!r} gives other numbers in every run; use random.Random(seed)") from error


def _object(thing: Any, inside: Inside) -> Json:
    """Tell any other object: by its own words, by its fields, by its state, or by its name if it is a function in C."""
    kind = type(thing)
    told = inside.code.kind(kind)
    if kind.__module__.startswith("clustersim.studies."):  # a study or results, which change nothing
        return told
    ours = kind.__module__.split(".")[0] == "clustersim"
    itself = callable(getattr(thing, "describe", None)) and (ours or is_users(kind))
    if itself or is_dataclass(thing):
        told |= _own_words(thing, inside, "describe" if itself else "__dataclass_fields__")
    elif hasattr(thing, "dist") and hasattr(thing, "kwds"):  # a frozen scipy.stats distribution
        told |= {"distribution": thing.dist.name, "args": inside(thing.args), "keywords": inside(thing.kwds)}
    elif callable(thing) and hasattr(thing, "__name__") and not is_users(kind):
        told["function"] = _stand_in(thing, inside)
    elif state := state_of(thing):
        told["state"] = inside(state)
    elif hasattr(thing, "__dict__") and (is_users(kind) or _is_empty(thing)):
        pass
    elif " at 0x" not in repr(thing) and not hasattr(thing, "__dict__"):
        told["repr"] = repr(thing)
    else:
        raise ConfigurationError(
            f"{thing!r} cannot be described, so stored runs could not be told apart; give {kind.__name__} a "
            "method describe() that returns plain values"
        )
    return told


def _own_words(thing: Any, inside: Inside, words: str) -> dict[str, Json]:
    """Tell an object by its method `describe` or by its fields, and by what a user's class adds to that."""
    if words == "describe":
        told: dict[str, Json] = {"describes itself as": inside(thing.describe())}
        inside.code.visit(thing)
    else:
        told = {field.name: inside(getattr(thing, field.name)) for field in fields(thing) if field.init}
    added = _added(thing, words)
    return {**told, "and has": inside(added)} if added else told


def _added(thing: Any, words: str) -> dict[str, Any]:
    """The attributes that a user's class adds to those of a library's class, which tells its objects by `words`."""
    kinds = type(thing).__mro__
    owner = next((place for place, kind in enumerate(kinds) if words in vars(kind)), len(kinds))
    if words == "__dataclass_fields__":
        told = {field.name for field in fields(thing) if field.init}
    elif owner < len(kinds) and is_users(kinds[owner]):
        return {}  # its author has said what counts
    else:
        told = set()
    if not any(map(is_users, kinds)):
        return {}
    known = told.union(*(_sets(kind) for kind in kinds if not is_users(kind)))
    return {name: value for name, value in state_of(thing).items() if name not in known}


@functools.cache
def _sets(kind: type) -> frozenset[str]:
    """The names of the attributes that the methods of a class set, and those of its slots and fields."""
    functions = (getattr(member, "__func__", member) for member in vars(kind).values())
    codes = (function.__code__ for function in functions if isinstance(function, FunctionType))
    found = {step.argval for code in codes for step in dis.get_instructions(code) if step.opname == "STORE_ATTR"}
    return frozenset(found | {*_names(vars(kind).get("__slots__", ()))} | {*vars(kind).get("__dataclass_fields__", ())})


def _is_empty(thing: Any) -> bool:
    """Whether an object without attributes holds nothing else either, as those written in C may."""
    try:
        make, arguments, *state = thing.__reduce_ex__(2)  # how it would be pickled
    except Exception:
        return False
    return make.__name__ == "__newobj__" and len(arguments) == 1 and not any(state)


def _stand_in(thing: Any, inside: Inside) -> Json:
    """Tell a library's object that can be called: by the user's function in it, or by its own name."""
    if wrapped := getattr(thing, "__wrapped__", None):  # such as what functools.lru_cache makes
        return inside(wrapped)
    if any(isinstance(value, FunctionType) for value in getattr(thing, "__dict__", {}).values()):  # numpy.vectorize
        return inside({name: value for name, value in state_of(thing).items() if name[0] != "_"})
    return f"{getattr(thing, '__module__', None)}.{getattr(thing, '__qualname__', thing.__name__)}"


def state_of(thing: Any) -> dict[str, Any]:
    """The attributes of an object, save those kept by `functools.cached_property`, which come and go."""
    slots = [name for kind in type(thing).__mro__ for name in _names(vars(kind).get("__slots__", ()))]
    state = {name: getattr(thing, name) for name in slots if name[:2] != "__" and hasattr(thing, name)}
    state |= getattr(thing, "__dict__", {})
    cached = (name for name in state if isinstance(getattr(type(thing), name, None), functools.cached_property))
    dull = {"__module__", "__name__", "__qualname__", "__doc__", *cached}  # functools.update_wrapper copies those
    return {name: value for name, value in state.items() if name not in dull}


def _names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


@functools.lru_cache(maxsize=1000)
def _teller(kind: type) -> Callable[[Any, Inside], Json] | None:
    """What tells objects of a class, None if they are no plain values."""
    return next((tell for kinds, tell in _TELLERS if issubclass(kind, kinds)), None)


_TELLERS: tuple[tuple[Any, Callable[[Any, Inside], Json]], ...] = (
    (Enum, _enum),
    (str, _text),
    (int | float | np.integer | np.floating | np.bool_, _number),
    (bytes | bytearray, lambda value, inside: hashlib.sha256(value).hexdigest()),  # noqa: ARG005
    (PurePath, lambda value, inside: value.as_posix()),  # noqa: ARG005
    (logging.Logger, lambda value, inside: {"class": "Logger"}),  # noqa: ARG005 - what is logged makes no number
    (WeakKeyDictionary | WeakValueDictionary | WeakSet, lambda value, inside: {"class": type(value).__name__}),  # noqa: ARG005
    (Mapping, _mapping),
    (list | tuple | deque, _sequence),
    (Set, _set),
    (
        np.ma.MaskedArray,
        lambda value, inside: {"masked": inside(value.data), "mask": inside(np.ma.getmaskarray(value))},
    ),
    (np.ndarray, _array),
    (sparse.spmatrix | sparse.sparray, _sparse),
    (pd.DataFrame | pd.Series | pd.Index, _table),
    (functools.partial, _partial),
    (Random, _random),
    (MethodType | BuiltinMethodType | MethodWrapperType, _method),
)
