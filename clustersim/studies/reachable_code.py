"""The user's own code that an object reaches, described in a table by its text and by what it refers to.

A function reaches the globals that it names (also in nested functions), the variables of its closure, its defaults, its
attributes and the function that it wraps. Of a user's module it reaches the attributes whose names occur in the
function. A class reaches its bases and its members. Code of a library is described by name only; the versions in the
manifest identify it.

A variable is described by its value, with two exceptions. A variable that the reached code itself changes, such as a
cache or a counter, differs from run to run. And some objects, such as locks, open files and random generators, cannot
be described. In both cases the description has the type, the statements that set up the variable, and the names in
those statements. Loggers are described by their type alone. Studies and results are left out, because the parts of a
study are described anyway.

`clustersim.studies.configuration` passes objects in; `clustersim.studies.descriptions` describes their values; plain
JSON goes out.
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
from clustersim.studies.classes import SetUp, describe_class
from clustersim.studies.descriptions import Describer, state_of
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

# Objects of these types change when they are used, so they are never described by value.
_CHANGING = (io.IOBase, Executor, Random, np.random.Generator, np.random.BitGenerator, np.random.RandomState, Iterator)


class Reached:
    """Describes objects, and collects the descriptions of the user's code that they reach.

    Parameters
    ----------
    marks : set of Mark, optional
        The variables and objects that the reached code is known to change.
    above : tuple of int, optional
        Identities of the enclosing objects.

    Attributes
    ----------
    table : dict
        Descriptions of the user's code, by kind and name.
    found : set of Mark
        The variables and objects that the code reached so far changes.
    """

    def __init__(self, marks: Set[Mark] = frozenset(), above: tuple[int, ...] = ()) -> None:
        self.table: dict[str, Json] = {}
        self.found: set[Mark] = set()
        self._marks = marks
        self._above = above
        self._labels: dict[object, str] = {}
        self._taken: Counter[tuple[str, str]] = Counter()
        self._pending: deque[tuple[str, Callable[[], Json]]] = deque()

    def describe(self, thing: object) -> Json:
        """Describe an object, and complete the table."""
        description = Describer(self, self._above)(thing)
        while self._pending:
            label, describe = self._pending.popleft()
            self.table[label] = describe()
        return description

    def ordered(self, items: Set[Any], above: tuple[int, ...]) -> list[Any]:
        """Sort the items of a set into an order that is the same in every process."""

        def text(item: Any) -> str:
            alone = Reached(self._marks, above)
            return canonical([alone.describe(item), alone.table])

        plain = all(isinstance(item, str | int | float | None) for item in items)
        return sorted(items, key=repr if plain else text)

    def _refer(self, noun: str, name: str, key: object, describe: Callable[[], Json]) -> dict[str, Json]:
        """Refer to an entry of the table; a new entry is described later."""
        if key not in self._labels:
            plain = re.sub(r"<(locals|listcomp|setcomp|dictcomp|genexpr)>\.", "", name)
            self._taken[noun, plain] += 1
            number = self._taken[noun, plain]
            self._labels[key] = plain if number == 1 else f"{plain} ({number})"
            self._pending.append((f"{noun} {self._labels[key]}", describe))
        return {noun: self._labels[key]}

    # --- functions -----------------------------------------------------------------------------------------------

    def function(self, function: FunctionType) -> dict[str, Json]:
        """Describe a function by its name; if it is the user's, enter it into the table."""
        if is_users(function):
            describe = functools.partial(self._function, function)
            return self._refer("function", function.__code__.co_qualname, identity(function), describe)
        name = (
            f"{function.__globals__.get('__name__')}.{function.__code__.co_qualname}"  # its own, not the wrapped one's
        )
        if not function.__closure__ and not hasattr(function, "__wrapped__"):
            return {"function": name}
        if is_importable(function):
            return {"function": f"{function.__module__}.{function.__qualname__}"}
        return self._refer("function", name, id(function), functools.partial(self._wrapper, function))

    def _wrapper(self, function: FunctionType) -> Json:
        """Describe the user's code inside a library's function, such as a function made by a decorator."""
        if registry := getattr(
            function, "registry", None
        ):  # made by functools.singledispatch, which also keeps a cache
            return {"registry": self._leniently(registry)}
        wrapped = getattr(function, "__wrapped__", None)
        return {"refers to": self._closure(function, None), "wraps": self._leniently(wrapped)}

    def _function(self, function: FunctionType) -> Json:
        """Describe one of the user's functions: text, defaults, attributes and what it refers to."""
        code = function.__code__
        source = source_of(code, function.__globals__)
        description: dict[str, Json] = {"text": [*source.lines]} if source else {"compiled": compiled(code)}
        if source:
            self.found |= marks_of(function, source)
        if given := defaults(function):
            description["defaults"] = {name: self._leniently(value) for name, value in given.items()}
        refers = self._closure(function, source)
        names, attributes = uses(code)
        for name in sorted(names - refers.keys()):
            refers |= self._global(name, function.__globals__, attributes)
        for level, module, parts in imports(source.node) if source else ():
            refers |= self._imported(level, module, parts, function.__globals__, attributes)
        if refers:
            description["refers to"] = refers
        own = {name: vars(function)[name] for name in sorted(vars(function))}
        if id(function) in self._marks:  # such as a function that counts its calls
            own = {name: value for name, value in own.items() if name == "__wrapped__"}
        if own:
            description["attributes"] = {name: self._leniently(value) for name, value in own.items()}
        return description

    def _closure(self, function: FunctionType, source: Source | None) -> dict[str, Json]:
        """Describe the closure of a function; a variable that the code changes by the statements that set it up."""
        description: dict[str, Json] = {}
        for name, cell in sorted(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)):
            try:
                value = cell.cell_contents
            except ValueError:  # not set yet
                continue
            if name == "__class__":
                continue
            scope = source.scopes[-1] if source and source.scopes else None
            found = [] if scope is None else bindings(scope, name)
            description[name] = self._lasting(
                value, id(value) in self._marks, (whole_namespace(function.__globals__), found)
            )
        return description

    # --- variables of modules ------------------------------------------------------------------------------------

    def _global(self, name: str, namespace: dict[str, Any], attributes: Set[str]) -> dict[str, Json]:
        """Describe a global by name; of a user's module, describe the attributes that the code may use."""
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
        """Describe the attributes that code uses of a user's module and of the modules in it."""
        description: dict[str, Json] = {}
        for attribute in sorted(attributes & vars(module).keys()):
            value = vars(module)[attribute]
            if not isinstance(value, ModuleType):
                found = self._global(attribute, vars(module), attributes)
                description |= {f"{name}.{attribute}": item for item in found.values()}
            elif is_users(value) and id(value) not in above:
                path = f"{name}.{attribute}"
                description |= self._attributes(path, value, attributes, (*above, id(module))) or {
                    path: self.module(value)
                }
        return description

    def _imported(
        self, level: int, name: str, parts: tuple[tuple[str, str], ...], namespace: dict[str, Any], attributes: Set[str]
    ) -> dict[str, Json]:
        """Describe an import inside a function, if the imported module is the user's."""
        module = users_module("." * level + name, namespace)
        if module is None:
            return {}
        if not parts:
            return self._attributes(name, module, attributes, ())
        description: dict[str, Json] = {}
        for part, _ in parts:
            if part in vars(module):
                found = self._global(part, vars(module), attributes)
            else:
                inner = users_module(f"{module.__name__}.{part}", namespace)
                found = self._attributes(part, inner, attributes, ()) if inner else {}
            description |= {f"{module.__name__}.{name}": item for name, item in found.items()}
        return description

    def _variable(self, value: Any, namespace: dict[str, Any], name: str) -> Json:
        """Describe a variable by its value, or by the statements that set it up."""
        module = str(namespace.get("__name__"))
        changed = (module, name) in self._marks or (id(value) in self._marks and not isinstance(value, FunctionType))
        if not changed and (found := self._tried(value)):
            return found[0]
        return self._refer("global", name, (module, name), lambda: self._set_up(value, statements(namespace, name)))

    def _tried(self, value: Any) -> list[Json]:
        """Return a list with the description of a value; it is empty if the value cannot be described."""
        try:
            return [] if isinstance(value, _CHANGING) else [Describer(self, self._above)(value)]
        except ConfigurationError:
            return []

    def _leniently(self, value: Any) -> Json:
        """Describe a value, or only its type if the value cannot be described."""
        found = self._tried(value)
        return found[0] if found else self.kind(type(value))

    def _lasting(self, value: Any, changed: bool, set_up: SetUp) -> Json:
        """Describe a variable of a closure, or an attribute of a class, in the same way as globals."""
        found = [] if changed and set_up[1] else self._tried(value)
        return found[0] if found else self._set_up(value, set_up)

    def _set_up(self, value: Any, set_up: SetUp) -> Json:
        """Describe a value by its type, the statements that set it up, and what these refer to."""
        namespace, found = set_up
        description = self.kind(type(value))
        if found:
            description["text"] = lines(found)
        names, attributes = names_in(found)
        refers: dict[str, Json] = {}
        for name in sorted(names):
            refers |= self._global(name, namespace, attributes)
        return {**description, "refers to": refers} if refers else description

    # --- classes and modules -------------------------------------------------------------------------------------

    def kind(self, kind: type) -> dict[str, Json]:
        """Describe a class by its name; if it is the user's, enter it into the table."""
        if not is_users(kind):
            return {"class": kind.__qualname__}
        return self._refer("class", kind.__qualname__, id(kind), functools.partial(self._class, kind))

    def _class(self, kind: type) -> Json:
        def attribute(name: str, value: Any, set_up: SetUp) -> Json:
            changed = id(value) in self._marks or ("attribute", name) in self._marks
            return self._lasting(value, changed, set_up)

        return describe_class(kind, self._leniently, attribute)

    def module(self, module: ModuleType) -> dict[str, Json]:
        """Describe a module by its name; if it is the user's, enter all of it into the table."""
        if not is_users(module):
            return {"module": module.__name__}
        name = "script" if module.__name__.startswith("_") else module.__name__
        return self._refer("module", name, id(module), functools.partial(self._module, module))

    def _module(self, module: ModuleType) -> Json:
        description: dict[str, Json] = {}
        for name in sorted(own_names(module)):
            description |= self._global(name, vars(module), frozenset())
        return description

    def visit(self, thing: object) -> None:
        """Enter the code that an object with its own method `describe` reaches into the table."""
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
