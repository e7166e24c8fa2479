"""Side effects of the user's functions: the globals, containers, objects and class attributes that they change.

Such variables differ from run to run, so their values are not part of the configuration of a study. The side effects
are read from the text of a function. A change is detected where the text changes the variable under its own name; a
change through another name of the same object is not detected.

`clustersim.studies.reachable_code` passes functions in and gets marks back.
"""

import ast
import inspect
from types import FunctionType, ModuleType
from typing import Any

from clustersim.studies.sources import Source, source_of, uses
from clustersim.studies.syntax import CHANGING, changes
from clustersim.studies.user_code import is_users

__all__ = ["Mark", "marks_of"]

Mark = int | tuple[str, str]
"""The identity of a changed object; the names of a module and a variable; or "attribute" and the name of one."""


def marks_of(function: FunctionType, source: Source) -> set[Mark]:
    """Find what a function changes outside itself.

    Parameters
    ----------
    function : FunctionType
        The function.
    source : Source
        Its text.

    Returns
    -------
    set of Mark
        The marks of the changed variables and objects.
    """
    known = _known(function)
    found = changes(source.node)
    marks = {_rebound(path, known, function) for path in found.rebound}
    marks |= {_changed(path, known) for path in found.changed}
    marks |= {_changed(path, known) for path, method in found.calls if _is_changed_by(_at(path, known), method)}
    return {mark for mark in marks if mark is not None}


def _known(function: FunctionType) -> dict[str, Any]:
    """Return the globals and closure variables that a function can reach, by name."""
    outer = {name: function.__globals__[name] for name in uses(function.__code__).names & function.__globals__.keys()}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            outer[name] = cell.cell_contents
        except ValueError:
            continue
    return outer


def _at(path: tuple[str, ...], known: dict[str, Any]) -> Any:
    """Return the object at the end of a path; None if the path begins inside the function."""
    thing = known.get(path[0])
    for name in path[1:]:
        thing = inspect.getattr_static(thing, name, None) if thing is not None else None
    return thing


def _changed(path: tuple[str, ...], known: dict[str, Any]) -> Mark | None:
    """Return the mark of a container in which an item is set."""
    if path[0] in known:
        thing = _at(path, known)
        return None if thing is None else id(thing)
    return ("attribute", path[-1]) if len(path) > 1 else None


def _rebound(path: tuple[str, ...], known: dict[str, Any], function: FunctionType) -> Mark | None:
    """Return the mark of a variable or an attribute that is set."""
    if len(path) == 1:
        return str(function.__globals__.get("__name__")), path[0]
    if path[0] == "self" and len(path) == 2:  # an attribute of the object, not of its class
        return None
    owner = _at(path[:-1], known)
    if isinstance(owner, ModuleType):
        return owner.__name__, path[-1]
    return id(owner) if owner is not None and not isinstance(owner, type) else ("attribute", path[-1])


def _is_changed_by(thing: Any, method: str) -> bool:
    """Return whether a method changes its object: judged by its text if it is the user's, else by its name."""
    function = getattr(type(thing), method, None)
    if not isinstance(function, FunctionType) or not is_users(function):
        return method in CHANGING
    source = source_of(function.__code__, function.__globals__)
    if source is None or not isinstance(source.node, ast.FunctionDef) or not source.node.args.args:
        return False
    found = changes(source.node)
    touched = found.rebound | found.changed | {path for path, called in found.calls if called in CHANGING}
    return any(path[0] == source.node.args.args[0].arg for path in touched)
