"""Analysis of the syntax of functions: plain text, imports, and changes to variables outside the function.

Parsed Python comes in from `clustersim.studies.sources`; `clustersim.studies.reachable_code` uses the results.
"""

import ast
import copy
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["CHANGING", "Changes", "bindings", "changes", "imports", "names_in", "text_of"]

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
CHANGING = {  # methods of lists, sets, dicts, deques and arrays that change them
    "add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "fill", "insert", "pop", "popitem",
    "popleft", "put", "remove", "resize", "reverse", "rotate", "setdefault", "sort", "update", "__setitem__",
    "__delitem__",
}  # fmt: skip


def text_of(node: ast.AST) -> list[str]:
    """Return the lines of a piece of Python without comments, layout and docstrings.

    Examples
    --------
    >>> text_of(ast.parse("lambda x  : (2*x)  # twice"))
    ['lambda x: 2 * x']
    """
    bare = copy.deepcopy(node)
    for part in ast.walk(bare):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first = part.body[0] if part.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and _is_text(first.value.value):
                part.body[:1] = [] if part.body[1:] else [ast.Pass()]
    return [line for line in ast.unparse(bare).splitlines() if line.strip()]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


class Changes(NamedTuple):
    """The changes that code makes outside itself. A path is the name of a variable, followed by names of attributes.

    Attributes
    ----------
    rebound : set of tuple of str
        Variables of the module and attributes that are set or deleted.
    changed : set of tuple of str
        Containers in which items are set or deleted.
    calls : set of tuple
        Pairs of a path and the name of a method that is called on it.
    """

    rebound: set[tuple[str, ...]]
    changed: set[tuple[str, ...]]
    calls: set[tuple[tuple[str, ...], str]]


def changes(node: ast.AST) -> Changes:
    """Find what a function changes.

    Examples
    --------
    >>> changes(ast.parse("CACHE[x] = helper.table.pop(x)"))
    Changes(rebound=set(), changed={('CACHE',)}, calls={(('helper', 'table'), 'pop')})
    """
    found = Changes(set(), set(), set())
    parts = list(ast.walk(node))
    declared = {name for part in parts if isinstance(part, ast.Global) for name in part.names}
    for part in parts:
        if isinstance(part, ast.Name) and part.id in declared and not isinstance(part.ctx, ast.Load):
            found.rebound.add((part.id,))
        elif isinstance(part, ast.Attribute) and not isinstance(part.ctx, ast.Load):
            found.rebound.add(_path(part))
        elif isinstance(part, ast.Subscript) and not isinstance(part.ctx, ast.Load):
            found.changed.add(_path(part))
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            found.calls.add((_path(part.func.value), part.func.attr))
        elif isinstance(part, ast.Call):
            found.calls.add((_path(part.func), "__call__"))
    return found


def _path(node: ast.AST) -> tuple[str, ...]:
    """Return the path of an expression; an expression that is neither a name nor an attribute has the empty name."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (*_path(node.value), node.attr)
    return _path(node.value) if isinstance(node, ast.Subscript) else ("",)


def imports(node: ast.AST) -> Iterator[tuple[int, str, tuple[tuple[str, str], ...]]]:
    """Yield the imports in a piece of Python: levels up, module, and pairs of imported and local names.

    Examples
    --------
    >>> list(imports(ast.parse("from ..helper import rate as own")))
    [(2, 'helper', (('rate', 'own'),))]
    """
    for part in ast.walk(node):
        if isinstance(part, ast.ImportFrom):
            yield part.level, part.module or "", tuple((alias.name, alias.asname or alias.name) for alias in part.names)
        elif isinstance(part, ast.Import):
            yield from ((0, alias.name, ()) for alias in part.names)


def bindings(scope: ast.AST, name: str) -> list[ast.stmt]:
    """Return the statements of a module, class or function that set or change a variable, in their order."""
    return [statement for statement in _statements(getattr(scope, "body", [])) if _binds(statement, name)]


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements one by one, including those under ``if``, ``try`` and ``with``."""
    for statement in body:
        if isinstance(statement, ast.If | ast.Try | ast.With):
            yield from _statements(statement.body)
            for handler in getattr(statement, "handlers", []):
                yield from _statements(handler.body)
            yield from _statements(getattr(statement, "orelse", []))
            yield from _statements(getattr(statement, "finalbody", []))
        else:
            yield statement


def _binds(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return statement.name == name
    stored = {p.id for p in _own(statement) if isinstance(p, ast.Name) and not isinstance(p.ctx, ast.Load)}
    found = changes(statement)
    return name in stored or (name,) in found.changed or any(((name,), method) in found.calls for method in CHANGING)


def _own(statement: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a statement that belong to its own scope."""
    pending = [statement]
    while pending:
        yield (part := pending.pop())
        pending += [child for child in ast.iter_child_nodes(part) if not isinstance(child, _SCOPES)]


def names_in(nodes: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """Return the names of the variables and of the attributes that pieces of Python read."""
    parts = [part for node in nodes for part in ast.walk(node)]
    names = {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
    return names, {part.attr for part in parts if isinstance(part, ast.Attribute)}
