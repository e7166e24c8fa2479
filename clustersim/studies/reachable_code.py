"""The user's own code that a thing reaches: told once each, in a table, by text and by what it refers to.

A function reaches the globals that it names, those in its nested functions included, the variables that it closes over,
its defaults, its attributes and what it wraps; of a user's module the attributes whose names occur in it. A class
reaches its bases and its members. Of a library's code only the name is told: the versions in the manifest stand for it.

A variable is told by its value. There are two exceptions. What the reached code itself changes, such as a cache or a
counter, differs from run to run; and some things, such as locks, open files and random generators, cannot be told.
Both are told by their type and by the statements that set them up, with the names in those. Loggers are told by their
type alone, studies and results not at all: a study's parts are described anyway.

Data flows in from `clustersim.studies.configuration`, through `clustersim.studies.descriptions`, and out as plain JSON.
"""

import functools
import io
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Set
from concurrent.futures import Executor
from random import Random
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from clustersim.errors import ConfigurationError
from clustersim.studies.classes import SetUp, tell_class
from clustersim.studies.descriptions import Inside, state_of
from clustersim.studies.introspection import (
    defaults,
    identity,
    is_importable,
    lines,
    own_names,
    statements,
    users_module,
)
from clustersim.studies.plain_json import Json, canonical
from clustersim.studies.side_effects import Mark, marks_of
from clustersim.studies.sources import Source, compiled, source_of, uses, whole_namespace
from clustersim.studies.syntax import bindings, imports, names_in
from clustersim.studies.user_code import is_users

__all__ = ["Reached"]

_CHANGING = (io.IOBase, Executor, Random, np.random.Generator, np.random.BitGenerator, np.random.RandomState, Iterator)


class Reached:
    """Tells things, and collects the user's code behind them.

    Parameters
    ----------
    marks : set of Mark, optional
        What the reached code is known to change.
    above : tuple of int, optional
        Identities of what the thing is part of.

    Attributes
    ----------
    table : dict
        The user's code, by kind and name.
    found : set of Mark
        What the reached code changes, as far as it has been met.
    """

    def __init__(self, marks: Set[Mark] = frozenset(), above: tuple[int, ...] = ()) -> None:
        self.table: dict[str, Json] = {}
        self.found: set[Mark] = set()
        self._marks = marks
        self._above = above
        self._labels: dict[object, str] = {}
        self._taken: Counter[tuple[str, str]] = Counter()
        self._pending: deque[tuple[str, Callable[[], Json]]] = deque()

    def tell(self, thing: object) -> Json:
        """Tell a thing, and complete the table."""
        told = Inside(self, self._above)(thing)
        while self._pending:
            label, tell = self._pending.popleft()
            self.table[label] = tell()
        return told

    def ordered(self, items: Set[Any], above: tuple[int, ...]) -> list[Any]:
        """Bring the items of a set into an order that is the same in every process."""

        def text(item: Any) -> str:
            alone = Reached(self._marks, above)
            return canonical([alone.tell(item), alone.table])

        plain = all(isinstance(item, str | int | float | None) for item in items)
        return sorted(items, key=repr if plain else text)

    def _refer(self, noun: str, name: str, key: object, tell: Callable[[], Json]) -> dict[str, Json]:
        """Refer to a part of the table, which is told later if it has not been yet."""
        if key not in self._labels:
            plain = re.sub(r"<(locals|listcomp|setcomp|dictcomp|genexpr)>\.", "", name)
            self._taken[noun, plain] += 1
            number = self._taken[noun, plain]
            self._labels[key] = plain if number == 1 else f"{plain} ({number})"
            self._pending.append((f"{noun} {self._labels[key]}", tell))
        return {noun: self._labels[key]}

    # --- functions -----------------------------------------------------------------------------------------------

    def function(self, function: FunctionType) -> dict[str, Json]:
        """Tell a function by its name, and enter it into the table if it is the user's."""
        if is_users(function):
            tell = functools.partial(self._function, function)
            return self._refer("function", function.__code__.co_qualname, identity(function), tell)
        name = f"{function.__globals__.get('__name__')}.{function.__code__.co_qualname}"  # its own, not what it wraps
        if not function.__closure__ and not hasattr(function, "__wrapped__"):
            return {"function": name}
        if is_importable(function):
            return {"function": f"{function.__module__}.{function.__qualname__}"}
        return self._refer("function", name, id(function), functools.partial(self._wrapper, function))

    def _wrapper(self, function: FunctionType) -> Json:
        """Tell what a library's function holds of the user's, such as one that a library's decorator has made."""
        if registry := getattr(function, "registry", None):  # of functools.singledispatch, which also keeps a cache
            return {"registry": self._leniently(registry)}
        wrapped = getattr(function, "__wrapped__", None)
        return {"refers to": self._closure(function, None), "wraps": self._leniently(wrapped)}

    def _function(self, function: FunctionType) -> Json:
        code = function.__code__
        source = source_of(code, function.__globals__)
        told: dict[str, Json] = {"text": [*source.lines]} if source else {"compiled": compiled(code)}
        if source:
            self.found |= marks_of(function, source)
        if given := defaults(function):
            told["defaults"] = {name: self._leniently(value) for name, value in given.items()}
        refers = self._closure(function, source)
        names, attributes = uses(code)
        for name in sorted(names - refers.keys()):
            refers |= self._global(name, function.__globals__, attributes)
        for level, module, parts in imports(source.node) if source else ():
            refers |= self._imported(level, module, parts, function.__globals__, attributes)
        if refers:
            told["refers to"] = refers
        own = {name: vars(function)[name] for name in sorted(vars(function))}
        if id(function) in self._marks:  # such as a counter of its calls
            own = {name: value for name, value in own.items() if name == "__wrapped__"}
        if own:
            told["attributes"] = {name: self._leniently(value) for name, value in own.items()}
        return told

    def _closure(self, function: FunctionType, source: Source | None) -> dict[str, Json]:
        """The variables that a function closes over; one that it changes by the statements that set it up."""
        told: dict[str, Json] = {}
        for name, cell in sorted(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)):
            try:
                value = cell.cell_contents
            except ValueError:  # not set yet
                continue
            if name == "__class__":
                continue
            scope = source.scopes[-1] if source and source.scopes else None
            found = [] if scope is None else bindings(scope, name)
            told[name] = self._lasting(value, id(value) in self._marks, (whole_namespace(function.__globals__), found))
        return told

    # --- variables of modules ------------------------------------------------------------------------------------

    def _global(self, name: str, namespace: dict[str, Any], attributes: Set[str]) -> dict[str, Json]:
        """Tell a variable that code names, under its name; of a user's module what the code may take from it."""
        if name not in namespace or name.startswith("__"):
            return {}
        value = namespace[name]
        if isinstance(value, ModuleType) and is_users(value):
            return self._attributes(name, value, attributes, ()) or {name: self.module(value)}
        if type(value).__module__.startswith("clustersim.studies."):  # a study or results
            return {}
        return {name: self._variable(value, namespace, name)}

    def _attributes(
        self, name: str, module: ModuleType, attributes: Set[str], above: tuple[int, ...]
    ) -> dict[str, Json]:
        """Tell what code takes from a user's module, and from the modules in it."""
        told: dict[str, Json] = {}
        for attribute in sorted(attributes & vars(module).keys()):
            value = vars(module)[attribute]
            if not isinstance(value, ModuleType):
                found = self._global(attribute, vars(module), attributes)
                told |= {f"{name}.{attribute}": item for item in found.values()}
            elif is_users(value) and id(value) not in above:
                path = f"{name}.{attribute}"
                told |= self._attributes(path, value, attributes, (*above, id(module))) or {path: self.module(value)}
        return told

    def _imported(
        self, level: int, name: str, parts: tuple[tuple[str, str], ...], namespace: dict[str, Any], attributes: Set[str]
    ) -> dict[str, Json]:
        """Tell what a function imports when it is called, if it is the user's."""
        module = users_module("." * level + name, namespace)
        if module is None:
            return {}
        if not parts:
            return self._attributes(name, module, attributes, ())
        told: dict[str, Json] = {}
        for part, _ in parts:
            if part in vars(module):
                found = self._global(part, vars(module), attributes)
            else:
                inner = users_module(f"{module.__name__}.{part}", namespace)
                found = self._attributes(part, inner, attributes, ()) if inner else {}
            told |= {f"{module.__name__}.{name}": item for name, item in found.items()}
        return told

    def _variable(self, value: Any, namespace: dict[str, Any], name: str) -> Json:
        """Tell a variable by its value, or by the statements that set it up."""
        module = str(namespace.get("__name__"))
        changed = (module, name) in self._marks or (id(value) in self._marks and not isinstance(value, FunctionType))
        if not changed and (told := self._tried(value)):
            return told[0]
        return self._refer("global", name, (module, name), lambda: self._set_up(value, statements(namespace, name)))

    def _tried(self, value: Any) -> list[Json]:
        """The value in a list, which is empty if it cannot be told."""
        try:
            return [] if isinstance(value, _CHANGING) else [Inside(self, self._above)(value)]
        except ConfigurationError:
            return []

    def _leniently(self, value: Any) -> Json:
        """Tell a value, by its type alone if nothing better can be told."""
        told = self._tried(value)
        return told[0] if told else self.kind(type(value))

    def _lasting(self, value: Any, changed: bool, set_up: SetUp) -> Json:
        """Tell what a function closes over, or an attribute of a class, as variables are told."""
        told = [] if changed and set_up[1] else self._tried(value)
        return told[0] if told else self._set_up(value, set_up)

    def _set_up(self, value: Any, set_up: SetUp) -> Json:
        """Tell a value by its type, the statements that set it up, and what these refer to."""
        namespace, found = set_up
        told = self.kind(type(value))
        if found:
            told["text"] = lines(found)
        names, attributes = names_in(found)
        refers: dict[str, Json] = {}
        for name in sorted(names):
            refers |= self._global(name, namespace, attributes)
        return {**told, "refers to": refers} if refers else told

    # --- classes and modules -------------------------------------------------------------------------------------

    def kind(self, kind: type) -> dict[str, Json]:
        """Tell a class by its name, and enter it into the table if it is the user's."""
        if not is_users(kind):
            return {"class": kind.__qualname__}
        return self._refer("class", kind.__qualname__, id(kind), functools.partial(self._class, kind))

    def _class(self, kind: type) -> Json:
        def attribute(name: str, value: Any, set_up: SetUp) -> Json:
            changed = id(value) in self._marks or ("attribute", name) in self._marks
            return self._lasting(value, changed, set_up)

        return tell_class(kind, self._leniently, attribute)

    def module(self, module: ModuleType) -> dict[str, Json]:
        """Tell a library's module by its name, and enter a user's as a whole."""
        if not is_users(module):
            return {"module": module.__name__}
        name = "script" if module.__name__.startswith("_") else module.__name__
        return self._refer("module", name, id(module), functools.partial(self._module, module))

    def _module(self, module: ModuleType) -> Json:
        told: dict[str, Json] = {}
        for name in sorted(own_names(module)):
            told |= self._global(name, vars(module), frozenset())
        return told

    def visit(self, thing: object) -> None:
        """Enter the code behind what an object holds that tells its values itself."""
        seen: set[int] = set()
        pending: list[object] = [thing]
        while pending:
            part = pending.pop()
            if id(part) in seen or isinstance(part, ModuleType | np.ndarray | str | float | int | None):
                continue
            seen.add(id(part))
            if isinstance(part, FunctionType | type | functools.partial):
                self._leniently(part)
            elif isinstance(part, list | tuple):
                pending += part
            elif isinstance(part, dict):
                pending += part.values()
            else:
                self.kind(type(part))
                pending += state_of(part).values()
