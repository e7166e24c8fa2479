"""Descriptions of the user's classes: their bases, their fields, and their methods and attributes.

A class is described by its members at the time of use. So the results of decorators, computed attributes and classes
made by functions are described as they are. Members that Python and the standard library put into every class are left
out.

`clustersim.studies.reachable_code` passes classes in and gets plain JSON back.
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

__all__ = ["SetUp", "describe_class"]

_AUTOMATIC = {  # members that Python and the standard library put into classes
    "__abstractmethods__", "__annotate__", "__annotate_func__", "__annotations__", "__annotations_cache__",
    "__conditional_annotations__", "__dataclass_fields__", "__dataclass_params__", "__dict__", "__doc__",
    "__firstlineno__", "__match_args__", "__module__", "__non_callable_proto_members__", "__orig_bases__",
    "__parameters__", "__protocol_attrs__", "__qualname__", "__slotnames__", "__static_attributes__", "__type_params__",
    "__weakref__", "_abc_impl",
}  # fmt: skip

SetUp = tuple[dict[str, Any], list[ast.stmt]]
"""The globals in which statements are executed, and the statements, which give a variable its value."""


def describe_class(
    kind: type, describe: Callable[[Any], Json], describe_attribute: Callable[[str, Any, SetUp], Json]
) -> Json:
    """Describe one of the user's classes.

    Parameters
    ----------
    kind : type
        The class.
    describe : callable
        Describes any value.
    describe_attribute : callable
        Describes an attribute, given its name, its value and the statements that set it up.
    """
    description: dict[str, Json] = {"bases": [describe(base) for base in kind.__bases__ if base is not object]}
    if is_users(type(kind)):
        description["metaclass"] = describe(type(kind))
    if dataclasses.is_dataclass(kind) and "__dataclass_fields__" in vars(kind):
        description["fields"] = [_field(part, describe) for part in dataclasses.fields(kind)]
    if issubclass(kind, Enum):
        description["values"] = {str(member): describe(member.value) for member in kind}
    generated = [name for name in sorted(vars(kind)) if _is_generated(kind, name)]
    if generated:
        description["made by dataclass"] = [*generated]
    members: dict[str, Json] = {}
    for name in sorted(vars(kind).keys() - _AUTOMATIC - set(generated)):
        member = vars(kind)[name]
        if functions := _functions(member):
            methods = [describe(function) for function in functions]
            members[name] = methods[0] if isinstance(member, FunctionType) else {type(member).__name__: methods}
        elif not issubclass(kind, Enum) and not isinstance(member, MemberDescriptorType | GetSetDescriptorType):
            members[name] = describe_attribute(name, member, _set_up(kind, name))
    return {**description, "members": members}


def _field(part: "dataclasses.Field[Any]", describe: Callable[[Any], Json]) -> Json:
    """Describe a field of a dataclass; a plain default is an attribute of the class, described elsewhere."""
    if isinstance(part.default_factory, type(dataclasses.MISSING)):  # not `is`, because pickling copies the marker
        return part.name
    return {part.name: describe(part.default_factory)}


def _functions(member: Any) -> list[Any]:
    """Return the functions of a method, property or similar; [] for other members."""
    if isinstance(member, FunctionType):
        return [member]
    if isinstance(member, property):
        return [function for function in (member.fget, member.fset, member.fdel) if function is not None]
    if isinstance(member, staticmethod | classmethod):
        return [member.__func__]
    return [member.func] if isinstance(member, functools.cached_property) else []


def _is_generated(kind: type, name: str) -> bool:
    """Return whether ``dataclass`` has generated a method."""
    function = vars(kind)[name]
    if not name.startswith("__") or not isinstance(function, FunctionType) or not dataclasses.is_dataclass(kind):
        return False
    if function.__globals__.get("__name__") == "reprlib":  # it wraps the generated __repr__ from Python 3.12 on
        wrapped = getattr(function, "__wrapped__", None)
        function = wrapped if isinstance(wrapped, FunctionType) else function
    if is_users(function):
        return source_of(function.__code__, function.__globals__) is None
    return function.__globals__.get("__name__") == "dataclasses"


def _set_up(kind: type, name: str) -> SetUp:
    """Find the statements of a class that set up an attribute; the class is found by the text of its methods."""
    for member in vars(kind).values():
        for function in _functions(member):
            source = source_of(function.__code__, function.__globals__) if isinstance(function, FunctionType) else None
            if source and source.scopes and isinstance(source.scopes[-1], ast.ClassDef):
                return whole_namespace(function.__globals__), bindings(source.scopes[-1], name)
    return {}, []
