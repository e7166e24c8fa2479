"""Inspection of the user's functions and modules: defaults, identity, set-up statements, imports.

`clustersim.studies.reachable_code` uses these functions.
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from types import FunctionType, ModuleType
from typing import Any

from clustersim.studies.classes import SetUp
from clustersim.studies.plain_json import Json
from clustersim.studies.sources import trees_of, whole_namespace
from clustersim.studies.syntax import bindings, imports, text_of
from clustersim.studies.user_code import is_users, is_users_file

__all__ = ["defaults", "identity", "is_importable", "lines", "own_names", "statements", "users_module"]


def identity(function: FunctionType) -> object:
    """Return a key that is equal for a function and for its copies made by pickling."""
    given = defaults(function)
    plain = all(value is None or isinstance(value, bool | int | float | str) for value in given.values())
    if function.__closure__ or not plain or vars(function):
        return id(function)
    return function.__globals__.get("__name__"), function.__code__, repr(given)


def is_importable(function: FunctionType) -> bool:
    """Return whether a function can be imported by its name from a library's module."""
    module = sys.modules.get(function.__module__)
    if module is None or is_users(module):
        return False
    found: object = module
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function


def defaults(function: FunctionType) -> dict[str, Any]:
    """Return the default values of the parameters of a function, by name."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    values = function.__defaults__ or ()
    named = dict(zip(names[len(names) - len(values) :], values, strict=True))
    return dict(sorted((named | (function.__kwdefaults__ or {})).items()))


def lines(statements: Iterable[ast.AST]) -> list[Json]:
    """Return the text of statements, as lines."""
    return [line for statement in statements for line in text_of(statement)]


def statements(namespace: dict[str, Any], name: str, above: tuple[int, ...] = ()) -> SetUp:
    """Find the statements that set up a global, and the globals of the module that contains them."""
    namespace = whole_namespace(namespace)
    if id(namespace) in above:  # modules that import each other
        return namespace, []
    for tree in trees_of(namespace):
        if found := bindings(tree, name):
            return namespace, found
        for level, module, parts in imports(tree):
            for theirs in (theirs if own != "*" else name for theirs, own in parts if own in (name, "*")):
                home = users_module("." * level + module, namespace)
                set_up = statements(vars(home), theirs, (*above, id(namespace))) if home else (namespace, [])
                if set_up[1]:
                    return set_up
    return namespace, []


def own_names(module: ModuleType) -> set[str]:
    """Return the variables of a module, without submodules that other modules have imported."""
    imported = {own for tree in trees_of(vars(module)) for _, _, parts in imports(tree) for _, own in parts}
    parts = {
        name for name, value in vars(module).items()
        if isinstance(value, ModuleType) and value.__name__ == f"{module.__name__}.{name}"
    }  # fmt: skip
    return vars(module).keys() - (parts - imported)


def users_module(name: str, namespace: dict[str, Any]) -> ModuleType | None:
    """Return the user's module of this name, importing it if necessary; None if it is a library's or does not exist."""
    try:
        name = importlib.util.resolve_name(name, namespace.get("__package__"))
        return importlib.import_module(name) if _is_users_name(name) else None
    except Exception:  # the import then also fails when the function is called
        return None


def _is_users_name(name: str) -> bool:
    """Return whether a module is the user's, without importing it."""
    if name in sys.modules:
        return is_users(sys.modules[name])
    top = name.split(".", maxsplit=1)[0]
    if top not in (name, "clustersim") and not _is_users_name(top):
        return False
    spec = importlib.util.find_spec(name)
    places = [spec.origin] if spec and spec.has_location else (spec and spec.submodule_search_locations) or []
    return any(place is not None and is_users_file(place) for place in places)
