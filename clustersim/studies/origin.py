"""Whose code it is: the user's (a scenario script, a notebook), or a library's.

The user's functions and classes belong to a study's configuration by their text, a library's by their name; and an
error that comes out of the user's code is reported with the user's file and line. Data flows in as file names and
exceptions, and out to `clustersim.studies.configuration`, `clustersim.studies.execution` and the command line.
"""

import linecache
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from clustersim.errors import ClusterSimError, ConfigurationError

__all__ = ["first_line", "is_users_file", "place_in_users_code", "tell", "users_errors"]

_INSTALLED = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_OURS = str(Path(__file__).resolve().parents[1])
_SCENARIOS = str(Path(_OURS) / "scenarios")  # where they are installed; they count as a user's scripts do


def is_users_file(name: str) -> bool:
    """Whether the file belongs neither to Python, nor to an installed package, nor to clustersim.

    Parameters
    ----------
    name : str
        What a code object calls its file; a notebook's cell has a name of its own.

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
    if path.is_relative_to(_SCENARIOS):
        return True
    return not any(path.is_relative_to(folder) for folder in (*_INSTALLED, _OURS))


def place_in_users_code(error: BaseException) -> str | None:
    """The innermost line of the user's own code that an error passed through, or None if there is none.

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
        name = step.tb_frame.f_code.co_filename
        if is_users_file(name) and name != "<string>":  # so the methods that dataclasses generate are called
            place = f"{name}, line {step.tb_lineno}"
            text = linecache.getline(name, step.tb_lineno).strip()
            place += f" ({text})" if text else ""
        step = step.tb_next
    return place


def first_line(error: BaseException) -> str:
    """Name an error and give the first line of its message, as Python prints it under a traceback.

    Examples
    --------
    >>> first_line(KeyError("loss"))
    "KeyError: 'loss'"
    """
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    lines = text.strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def tell(error: BaseException) -> str:
    """Tell an error in one line: where in the user's code, if it passed through there, and what.

    Examples
    --------
    >>> tell(ValueError("never raised"))
    'ValueError: never raised'
    """
    place = place_in_users_code(error)
    told = str(error) if isinstance(error, ClusterSimError) else first_line(error)
    return f"{place}: {told}" if place else told


@contextmanager
def users_errors(what: str) -> Iterator[None]:
    """Turn an error of the user's own code into one that says what failed, and in which file and line.

    Raises
    ------
    ConfigurationError
        In place of an error that came out of the user's code; other errors pass.
    """
    try:
        yield
    except Exception as error:
        if place_in_users_code(error) is None:
            raise
        raise ConfigurationError(f"{what}: {tell(error)}") from error
