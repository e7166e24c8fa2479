"""The text of functions: found by their compiled code, whatever has become of the names of their files.

A source file is read and parsed once, and each function in it is noted under what the compiler makes of it. A function
that runs is looked up by its own compiled code. So the text that is found is always the text of the code that runs,
even if the file has been edited since, or if a pickler has made the code forget where it comes from.

Data flows in as functions, and out to `clustersim.studies.reachable_code` and `clustersim.studies.user_code`.
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

__all__ = ["Source", "Uses", "compiled", "noted_file", "source_of", "trees_of", "uses", "whole_namespace"]

_Key = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Source:
    """Where a function is written.

    Attributes
    ----------
    file : str
        Name of the file, or of a notebook's cell.
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
        """Its text, without comments, layout and docstrings."""
        return text_of(self.node)


class _File:
    """All that a file has said in this process; what it said before it was edited stays known."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.functions: dict[_Key, Source] = {}
        self.tree = ast.Module([], [])
        self._text: str | None = None

    def read(self, namespace: dict[str, Any]) -> bool:
        """Read the file if it has not been read yet or says something else now; whether there was anything new."""
        linecache.checkcache(self.name)
        text = "".join(linecache.getlines(self.name, namespace))
        if text == self._text:
            return False
        self._text = text
        try:
            with warnings.catch_warnings(action="ignore"):  # Python has given them when it ran the file
                self.tree = ast.parse(text)
                code = compile(text, self.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError):  # no Python, such as a README's code block
            return False
        written = _written(self.tree)
        for part in _parts(code):
            if found := _matching(part, written.get((part.co_firstlineno, part.co_name), [])):
                self.functions[_key(part)] = Source(self.name, *found)
        return True


_files: dict[str, _File] = {}

_Written = tuple[ast.AST, tuple[ast.AST, ...]]


def _written(tree: ast.Module) -> dict[tuple[int, str], list[_Written]]:
    """All functions of a file, with what is around them, by first line and name."""
    found: dict[tuple[int, str], list[_Written]] = {}

    pending: list[_Written] = [(tree, ())]
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


def _matching(code: CodeType, written: list[_Written]) -> _Written | None:
    """Which of the functions that begin on one line is the one with this code; of lambdas, by columns or by content."""
    if len(written) < 2:
        return written[0] if written else None
    spots = {(place[0], place[2]) for place in code.co_positions() if place[2]}
    lambdas = [(node, scopes) for node, scopes in written if isinstance(node, ast.Lambda)]
    for node, scopes in lambdas:
        if (node.body.lineno, node.body.col_offset) in spots:
            return node, scopes
    # Python 3.12 tells no columns of a lambda that only returns a constant
    return next((pair for pair in lambdas if _alone(pair[0]) == compiled(code)), None)


def _alone(node: ast.Lambda) -> str:
    """Digest of what the compiler makes of a lambda by itself."""
    inner = next(_parts(compile(ast.Expression(node), "<alone>", "eval", dont_inherit=True)))
    return compiled(inner)


def _parts(code: CodeType) -> Iterator[CodeType]:
    """Code objects within a code object, however deep."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _parts(constant)


def _key(code: CodeType) -> _Key:
    return code.co_qualname, compiled(code)


@functools.lru_cache(maxsize=10_000)
def compiled(code: CodeType) -> str:
    """Digest of compiled code, nested functions included; neither file nor lines count."""
    told = (
        code.co_code.hex(), code.co_exceptiontable.hex(), code.co_names, code.co_varnames, code.co_freevars,
        code.co_cellvars, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & 0x0C,
        _constants(code.co_consts),
    )  # fmt: skip
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _constants(constant: Any) -> str:
    """Constants of compiled code as text; sets, whose order varies from process to process, sorted."""
    if isinstance(constant, CodeType):
        return compiled(constant)
    if isinstance(constant, tuple):
        return f"({', '.join(_constants(item) for item in constant)})"
    if isinstance(constant, frozenset):
        return f"{{{', '.join(sorted(_constants(item) for item in constant))}}}"
    return repr(constant)


def _candidates(code: CodeType, namespace: dict[str, Any]) -> Iterator[_File]:
    """The files in which a function may be written, the likeliest first."""
    names = [code.co_filename, namespace.get("__file__")]
    known = [name for name in dict.fromkeys(names) if isinstance(name, str) and not name.startswith("<dynamic")]
    if "__file__" not in namespace:  # a notebook or an interactive session: the latest cell first
        known += [name for name in reversed(_cells()) if name not in known]
    for name in known:
        yield _files.setdefault(name, _File(name))


def _cells() -> list[str]:
    """Texts that are no files, such as a notebook's cells, in the order in which they were entered."""
    return [name for name, entry in linecache.cache.items() if len(entry) == 4 and entry[1] is None]


def source_of(code: CodeType, namespace: dict[str, Any]) -> Source | None:
    """Find the text of compiled code.

    Parameters
    ----------
    code : CodeType
        A function's code.
    namespace : dict
        The function's globals.

    Returns
    -------
    Source or None
        None where no text is to be had that makes this code.
    """
    key = _key(code)
    for file in _candidates(code, namespace):
        if key in file.functions or (file.read(namespace) and key in file.functions):
            return file.functions[key]
    return None


def whole_namespace(namespace: dict[str, Any]) -> dict[str, Any]:
    """All variables of the module to which a function's globals belong: a pickler copies only those that are named."""
    module = None if "__spec__" in namespace else sys.modules.get(str(namespace.get("__name__")))
    return namespace if module is None else vars(module)


def noted_file(code: CodeType) -> str | None:
    """The file in which code is written that has forgotten it, if that file has been read before."""
    key = _key(code)
    return next((file.name for file in _files.values() if key in file.functions), None)


def trees_of(namespace: dict[str, Any]) -> Iterator[ast.Module]:
    """The parsed text of a module; of a notebook its cells, the latest first."""
    own = namespace.get("__file__")
    for name in [own] if isinstance(own, str) else reversed(_cells()):
        file = _files.setdefault(name, _File(name))
        file.read(namespace)
        yield file.tree


class Uses(NamedTuple):
    """Names that code uses: those of globals, and those that may be attributes of a module."""

    names: frozenset[str]
    attributes: frozenset[str]


@functools.lru_cache(maxsize=10_000)
def uses(code: CodeType) -> Uses:
    """The names in a function's code and in all functions, classes and comprehensions within it."""
    names: set[str] = set()
    attributes: set[str] = set()
    for part in (code, *_parts(code)):
        names |= {step.argval for step in dis.get_instructions(part) if step.opname in _LOADS}
        attributes.update(part.co_names)
        attributes |= {text for text in part.co_consts if isinstance(text, str) and text.isidentifier()}  # getattr
    return Uses(frozenset(names), frozenset(attributes))


_LOADS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
