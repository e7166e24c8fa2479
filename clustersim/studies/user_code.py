"""The distinction between the user's code (a scenario script, a notebook) and the code of libraries.

The user's functions and classes belong to the configuration of a study by their text, those of a library by their name.
An error from the user's code is reported with the user's file and line. The scenarios that come with clustersim count
as the user's code. The module of a function or class decides whose it is, because pickling loses the file name of
compiled code.

`clustersim.studies.reachable_code`, `clustersim.studies.jobs` and the command line ask about file names,
functions, classes, modules and exceptions.
"""

import functools
import linecache
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, FunctionType, ModuleType, TracebackType

from clustersim.errors import ClusterSimError, ConfigurationError
from clustersim.studies.sources import source_of

__all__ = ["describe_error", "first_line", "is_users", "is_users_file", "place_in_users_code", "users_errors"]

_INSTALLED = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_SHARED = {"site-packages", "dist-packages"}  # folders of packages that are installed for a user or for the system
_OURS = Path(__file__).resolve().parents[1]


@functools.lru_cache(maxsize=10_000)
def is_users_file(name: str) -> bool:
    """Return whether a file belongs neither to Python, nor to an installed package, nor to clustersim.

    The scenarios of clustersim count as the user's.

    Parameters
    ----------
    name : str
        The file name in a code object; a cell of a notebook has a name of its own.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_users_file("/home/me/scenario.py"), is_users_file(linecache.__file__), is_users_file(__file__)
    (True, False, False)
    """
    if name.startswith("<"):
        return name.startswith(("<ipython", "<stdin", "<string"))
    path = Path(name).resolve()
    if path.is_relative_to(_OURS):
        return path.is_relative_to(_OURS / "scenarios")
    if not _SHARED.isdisjoint(path.parts) or any(path.is_relative_to(folder) for folder in _INSTALLED):
        return False
    searched = set(sys.path)
    return not any(str(folder) in searched and _holds_packages(folder) for folder in path.parents)


@functools.cache
def _holds_packages(folder: Path) -> bool:
    """Return whether packages have been installed into a folder, as by ``pip install --target``."""
    return any(folder.glob("*.dist-info"))


def is_users(thing: FunctionType | type | ModuleType) -> bool:
    """Return whether a function, a class or a module is the user's own.

    Parameters
    ----------
    thing : function, class or module
        Code of a running script or of a notebook is the user's; for other modules, the file decides.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_users(Path), is_users(linecache), is_users(users_errors)
    (False, False, False)
    """
    if isinstance(thing, FunctionType):  # not __module__, which functools.wraps copies to a library's wrapper
        name, file = thing.__globals__.get("__name__"), thing.__globals__.get("__file__")
    else:
        name, file = (thing.__name__, None) if isinstance(thing, ModuleType) else (thing.__module__, None)
    if name in ("__main__", "__mp_main__", "builtins"):
        return bool(name != "builtins")
    loaded = sys.modules.get
    module = thing if isinstance(thing, ModuleType) else loaded(str(name)) or loaded(str(name).split(".")[0])
    if file := file or getattr(module, "__file__", None):
        return is_users_file(str(file))
    if folders := getattr(module, "__path__", None):  # a package without a file of its own
        return any(is_users_file(str(folder)) for folder in folders)
    origin = getattr(getattr(module, "__spec__", None), "origin", None)
    return origin not in ("built-in", "frozen")  # otherwise the user has made the module by hand


def place_in_users_code(error: BaseException) -> str | None:
    """Return the innermost line of the user's own code in the traceback of an error, or None if there is none.

    Examples
    --------
    >>> place_in_users_code(ValueError("never raised")) is None
    True
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    place = None
    step: TracebackType | None = error.__traceback__
    while step is not None:
        name = _file_of(step.tb_frame)
        if is_users_file(name) and name != "<string>":  # the file name of methods that dataclasses generate
            place = f"{name}, line {step.tb_lineno}"
            text = linecache.getline(name, step.tb_lineno).strip()
            place += f" ({text})" if text else ""
        step = step.tb_next
    return place


def _file_of(frame: FrameType) -> str:
    """Return the file of the code of a frame; if pickling has lost it, the file of the module."""
    code, namespace = frame.f_code, frame.f_globals
    if not code.co_filename.startswith("<dynamic"):
        return code.co_filename
    if source := source_of(code, namespace):
        return source.file
    return str(namespace.get("__file__", code.co_filename))


def first_line(error: BaseException) -> str:
    """Return the name of an error and the first line of its message, as Python prints them below a traceback.

    Examples
    --------
    >>> first_line(KeyError("loss"))
    "KeyError: 'loss'"
    """
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    lines = text.strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def describe_error(error: BaseException) -> str:
    """Describe an error in one line: its message and, if there is one, the place in the user's code.

    Examples
    --------
    >>> describe_error(ValueError("never raised"))
    'ValueError: never raised'
    """
    place = place_in_users_code(error)
    message = str(error) if isinstance(error, ClusterSimError) else first_line(error)
    return f"{place}: {message}" if place else message


@contextmanager
def users_errors(what: str) -> Iterator[None]:
    """Turn an error of the user's own code into a `ConfigurationError` with `what` failed, the file and the line.

    Raises
    ------
    ConfigurationError
        Instead of an error from the user's code; other errors pass unchanged.
    """
    try:
        yield
    except Exception as error:
        if place_in_users_code(error) is None:
            raise
        raise ConfigurationError(f"{what}: {describe_error(error)}") from error
