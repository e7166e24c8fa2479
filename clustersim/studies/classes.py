"""The user's classes in a description: their bases, their fields, and each method and attribute that they have.

A class is told by what it holds when it is used, so that decorators, computed attributes and classes made by functions
are told as they are. What Python and the standard library put into every class is left out.

Data flows in from `clustersim.studies.reachable_code`, and back as plain JSON.
"""

import ast
import dataclasses
import functools
from collections.abc import Callable
from enum import Enum
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from clustersim.studies.plain_json import Json
from clustersim.studies.sources import source_of, whole_namespace
from clustersim.studies.syntax import bindings
from clustersim.studies.user_code import is_users

__all__ = ["SetUp", "tell_class"]

_MADE = {  # what Python and the standard library put into classes
    "__abstractmethods__", "__annotate__", "__annotate_func__", "__annotations__", "__annotations_cache__",
    "__conditional_annotations__", "__dataclass_fields__", "__dataclass_params__", "__dict__", "__doc__",
    "__firstlineno__", "__match_args__", "__module__", "__non_callable_proto_members__", "__orig_bases__",
    "__parameters__", "__protocol_attrs__", "__qualname__", "__slotnames__", "__static_attributes__", "__type_params__",
    "__weakref__", "_abc_impl",
}  # fmt: skip

SetUp = tuple[dict[str, Any], list[ast.stmt]]
"""Statements that give a variable its value, and the globals in which they are run."""


def tell_class(kind: type, tell: Callable[[Any], Json], tell_attribute: Callable[[str, Any, SetUp], Json]) -> Json:
    """Tell one of the user's classes.

    Parameters
    ----------
    kind : type
    tell : callable
        Tells any value.
    tell_attribute : callable
        Tells an attribute, given its name, its value and the statements that set it up.
    """
    told: dict[str, Json] = {"bases": [tell(base) for base in kind.__bases__ if base is not object]}
    if is_users(type(kind)):
        told["metaclass"] = tell(type(kind))
    if dataclasses.is_dataclass(kind) and "__dataclass_fields__" in vars(kind):
        told["fields"] = [_field(part, tell) for part in dataclasses.fields(kind)]
    if issubclass(kind, Enum):
        told["values"] = {str(member): tell(member.value) for member in kind}
    generated = [name for name in sorted(vars(kind)) if _is_generated(kind, name)]
    if generated:
        told["made by dataclass"] = [*generated]
    members: dict[str, Json] = {}
    for name in sorted(vars(kind).keys() - _MADE - set(generated)):
        member = vars(kind)[name]
        if behind := _functions(member):
            methods = [tell(function) for function in behind]
            members[name] = methods[0] if isinstance(member, FunctionType) else {type(member).__name__: methods}
        elif not issubclass(kind, Enum) and not isinstance(member, MemberDescriptorType | GetSetDescriptorType):
            members[name] = tell_attribute(name, member, _set_up(kind, name))
    return {**told, "members": members}


def _field(part: "dataclasses.Field[Any]", tell: Callable[[Any], Json]) -> Json:
    """A field of a dataclass; its plain default is an attribute of the class anyway."""
    if isinstance(part.default_factory, type(dataclasses.MISSING)):  # picklers copy that mark
        return part.name
    return {part.name: tell(part.default_factory)}


def _functions(member: Any) -> list[Any]:
    """The functions behind a method, however it is wrapped; none if it is no method."""
    if isinstance(member, FunctionType):
        return [member]
    if isinstance(member, property):
        return [function for function in (member.fget, member.fset, member.fdel) if function is not None]
    if isinstance(member, staticmethod | classmethod):
        return [member.__func__]
    return [member.func] if isinstance(member, functools.cached_property) else []


def _is_generated(kind: type, name: str) -> bool:
    """Whether a method has been written by ``dataclass``."""
    function = vars(kind)[name]
    if not name.startswith("__") or not isinstance(function, FunctionType) or not dataclasses.is_dataclass(kind):
        return False
    if function.__globals__.get("__name__") == "reprlib":  # which guards what ``dataclass`` writes, from Python 3.12 on
        wrapped = getattr(function, "__wrapped__", None)
        function = wrapped if isinstance(wrapped, FunctionType) else function
    if is_users(function):
        return source_of(function.__code__, function.__globals__) is None
    return function.__globals__.get("__name__") == "dataclasses"


def _set_up(kind: type, name: str) -> SetUp:
    """The statements of a class that set up an attribute; the class is found by the text of its methods."""
    for member in vars(kind).values():
        for function in _functions(member):
            source = source_of(function.__code__, function.__globals__) if isinstance(function, FunctionType) else None
            if source and source.scopes and isinstance(source.scopes[-1], ast.ClassDef):
                return whole_namespace(function.__globals__), bindings(source.scopes[-1], name)
    return {}, []
