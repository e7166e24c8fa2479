"""The source text of functions, found by their compiled code.

A source file is read and parsed once, and each function in it is recorded under a digest of its compiled code. The text
of a running function is looked up by its own compiled code. So the result is always the text of the code that runs,
even if the file has been edited since, or if pickling has lost the file name of the code.

`clustersim.studies.reachable_code` and `clustersim.studies.user_code` pass functions in.
"""

import ast
import dis
import functools
import hashlib
import linecache
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

from clustersim.studies.syntax import text_of

__all__ = ["Source", "Uses", "compiled", "remembered_file", "source_of", "trees_of", "uses", "whole_namespace"]

_Key = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Source:
    """The place and text of a function.

    Attributes
    ----------
    file : str
        The name of the file, or of a cell of a notebook.
    node : ast.AST
        The function, a ``def`` or a ``lambda``.
    scopes : tuple of ast.AST
        The functions and classes around it, outermost first.
    """

    file: str
    node: ast.AST
    scopes: tuple[ast.AST, ...]

    @functools.cached_property
    def lines(self) -> list[str]:
        """The text without comments, layout and docstrings."""
        return text_of(self.node)


class _File:
    """The functions of a file, including those of earlier versions that this process has read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.functions: dict[_Key, Source] = {}
        self.tree = ast.Module([], [])
        self._text: str | None = None

    def read(self, namespace: dict[str, Any]) -> bool:
        """Read the file if it is new or has changed; return whether there was anything new."""
        linecache.checkcache(self.name)
        text = "".join(linecache.getlines(self.name, namespace))
        if text == self._text:
            return False
        self._text = text
        try:
            with warnings.catch_warnings(action="ignore"):  # Python has shown them when it executed the file
                self.tree = ast.parse(text)
                code = compile(text, self.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError):  # not Python, such as a code block of a README
            return False
        definitions = _definitions(self.tree)
        for part in _parts(code):
            if found := _matching(part, definitions.get((part.co_firstlineno, part.co_name), [])):
                self.functions[_key(part)] = Source(self.name, *found)
        return True


_files: dict[str, _File] = {}

_Definition = tuple[ast.AST, tuple[ast.AST, ...]]


def _definitions(tree: ast.Module) -> dict[tuple[int, str], list[_Definition]]:
    """Return all functions of a file, with the functions and classes around them, by first line and name."""
    found: dict[tuple[int, str], list[_Definition]] = {}

    pending: list[_Definition] = [(tree, ())]
    while pending:
        node, scopes = pending.pop()
        inner = scopes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
            found.setdefault((first, name), []).append((node, scopes))
            inner = (*scopes, node)
        pending += [(child, inner) for child in ast.iter_child_nodes(node)]
    return found


def _matching(code: CodeType, definitions: list[_Definition]) -> _Definition | None:
    """Choose, from the functions that begin on one line, the one with this code: lambdas by column or by content."""
    if len(definitions) < 2:
        return definitions[0] if definitions else None
    spots = {(place[0], place[2]) for place in code.co_positions() if place[2]}
    lambdas = [(node, scopes) for node, scopes in definitions if isinstance(node, ast.Lambda)]
    for node, scopes in lambdas:
        if (node.body.lineno, node.body.col_offset) in spots:
            return node, scopes
    # Python 3.12 gives no columns for a lambda that only returns a constant
    return next((pair for pair in lambdas if _digest_of(pair[0]) == compiled(code)), None)


def _digest_of(node: ast.Lambda) -> str:
    """Return the digest of a lambda that is compiled on its own."""
    inner = next(_parts(compile(ast.Expression(node), "<alone>", "eval", dont_inherit=True)))
    return compiled(inner)


def _parts(code: CodeType) -> Iterator[CodeType]:
    """Yield the code objects within a code object, at any depth."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _parts(constant)


def _key(code: CodeType) -> _Key:
    return code.co_qualname, compiled(code)


@functools.lru_cache(maxsize=10_000)
def compiled(code: CodeType) -> str:
    """Return a digest of compiled code with its nested functions; file and line numbers do not matter."""
    content = (
        code.co_code.hex(), code.co_exceptiontable.hex(), code.co_names, code.co_varnames, code.co_freevars,
        code.co_cellvars, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & 0x0C,
        _constants(code.co_consts),
    )  # fmt: skip
    return hashlib.sha256(repr(content).encode()).hexdigest()


def _constants(constant: Any) -> str:
    """Return the constants of compiled code as text; sets are sorted, because their order varies between processes."""
    if isinstance(constant, CodeType):
        return compiled(constant)
    if isinstance(constant, tuple):
        return f"({', '.join(_constants(item) for item in constant)})"
    if isinstance(constant, frozenset):
        return f"{{{', '.join(sorted(_constants(item) for item in constant))}}}"
    return repr(constant)


def _candidates(code: CodeType, namespace: dict[str, Any]) -> Iterator[_File]:
    """Yield the files that may contain a function, the most likely first."""
    names = [code.co_filename, namespace.get("__file__")]
    known = [name for name in dict.fromkeys(names) if isinstance(name, str) and not name.startswith("<dynamic")]
    if "__file__" not in namespace:  # a notebook or an interactive session: the latest cell first
        known += [name for name in reversed(_cells()) if name not in known]
    for name in known:
        yield _files.setdefault(name, _File(name))


def _cells() -> list[str]:
    """Return the names of texts that are not files, such as cells of a notebook, in the order of their entry."""
    return [name for name, entry in linecache.cache.items() if len(entry) == 4 and entry[1] is None]


def source_of(code: CodeType, namespace: dict[str, Any]) -> Source | None:
    """Find the text of compiled code.

    Parameters
    ----------
    code : CodeType
        The code of a function.
    namespace : dict
        The globals of the function.

    Returns
    -------
    Source or None
        The place and text; None if no text that compiles to this code is available.
    """
    key = _key(code)
    for file in _candidates(code, namespace):
        if key in file.functions or (file.read(namespace) and key in file.functions):
            return file.functions[key]
    return None


def whole_namespace(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return all globals of the module of a function; pickling copies only those that the function names."""
    module = None if "__spec__" in namespace else sys.modules.get(str(namespace.get("__name__")))
    return namespace if module is None else vars(module)


def remembered_file(code: CodeType) -> str | None:
    """Return the file of code that has lost its file name, if that file has been read before."""
    key = _key(code)
    return next((file.name for file in _files.values() if key in file.functions), None)


def trees_of(namespace: dict[str, Any]) -> Iterator[ast.Module]:
    """Yield the parsed text of a module; for a notebook, its cells, the latest first."""
    own = namespace.get("__file__")
    for name in [own] if isinstance(own, str) else reversed(_cells()):
        file = _files.setdefault(name, _File(name))
        file.read(namespace)
        yield file.tree


class Uses(NamedTuple):
    """The names that code uses: names of globals, and names that may be attributes of a module."""

    names: frozenset[str]
    attributes: frozenset[str]


@functools.lru_cache(maxsize=10_000)
def uses(code: CodeType) -> Uses:
    """Return the names in the code of a function and in all functions, classes and comprehensions within it."""
    names: set[str] = set()
    attributes: set[str] = set()
    for part in (code, *_parts(code)):
        names |= {step.argval for step in dis.get_instructions(part) if step.opname in _LOADS}
        attributes.update(part.co_names)
        attributes |= {text for text in part.co_consts if isinstance(text, str) and text.isidentifier()}  # getattr
    return Uses(frozenset(names), frozenset(attributes))


_LOADS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
