"""Scenario scripts: find one by name or path, load its study, and read what it is about.

Paths come in from the command line, and `clustersim.studies.Study` objects go out.
"""

import ast
import difflib
import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from clustersim.errors import ConfigurationError
from clustersim.studies.signals import Stopped
from clustersim.studies.user_code import first_line, users_errors

if TYPE_CHECKING:
    from clustersim.studies import Results, Study

__all__ = ["about", "find_script", "find_scripts", "load_study", "loading", "shipped", "study_of"]

_PACKAGE = Path(__file__).resolve().parent
_loading = False


def loading() -> bool:
    """Return whether a script is being loaded. If so, it must build its study but not run it."""
    return _loading


def shipped() -> dict[str, Path]:
    """Return the scenarios that come with clustersim, by name.

    They are inside an installed package, or next to the package in a copy of the sources.

    Examples
    --------
    >>> shipped()["adaptive_mnist"].name
    'adaptive_mnist.py'
    """
    folder = _PACKAGE / "scenarios"
    return {path.stem: path for path in find_scripts(folder if folder.is_dir() else _PACKAGE.parent / "scenarios")}


def find_script(text: str) -> Path:
    """Find a scenario script by its path or, if there is no such file, by the name of a shipped scenario.

    Parameters
    ----------
    text : str
        A path, or a name such as ``adaptive_mnist``, ``adaptive_mnist.py`` or ``adaptive-mnist``.

    Raises
    ------
    ConfigurationError
        If there is neither; the message suggests a similar name.

    Examples
    --------
    >>> find_script("adaptive_mnist").name
    'adaptive_mnist.py'
    """
    path, scripts = Path(text), shipped()
    name = text.removesuffix(".py").replace("-", "_")
    if os.path.isfile(text):  # False also for text that cannot be a path
        return path
    if name in scripts:
        return scripts[name]
    if os.path.isdir(text):
        raise ConfigurationError(
            f"{text}: it is a folder; expected a scenario script (`clustersim list {text}` lists those in it)"
        )
    neighbours = {other.stem: str(other) for other in find_scripts(path.parent)} if os.path.isdir(path.parent) else {}
    known = neighbours | {other: other for other in scripts if other not in neighbours}
    near = difflib.get_close_matches(path.stem.replace("-", "_"), known, n=1)
    hint = (
        f"did you mean {known[near[0]]}?"
        if near
        else "expected a scenario script (`clustersim list` lists the shipped ones)"
    )
    raise ConfigurationError(f"{text}: there is no such file; {hint}")


def study_of(results: "Results", script: str | None = None) -> "tuple[Study | None, str]":
    """Return the study that produced the results, and its script as it is typed in a command.

    Parameters
    ----------
    results : Results
        The results.
    script : str, optional
        The script, by path or scenario name. Without it, the name of the results finds a shipped scenario; the labels
        of policies and variants must be among those of its study.

    Returns
    -------
    study : Study or None
        None if no script is given and no shipped scenario fits.
    script : str
        Empty if there is no study.

    Raises
    ------
    ConfigurationError
        If the script cannot be found or loaded.
    """
    if script is not None:
        return load_study(find_script(script)), script
    name = results.name.removesuffix("-quick").replace("-", "_")
    study = load_study(shipped()[name]) if name in shipped() else None
    if study and set(results.policies) <= {*study.policies} and set(results.variants) <= {*study.variants}:
        return study, name
    return None, ""


def load_study(script: Path) -> "Study":
    """Execute a scenario script under a private module name, and return its variable `study`.

    Raises
    ------
    ConfigurationError
        If the file is not a Python script, fails (the message says where), or builds no study.
    """
    if script.suffix != ".py":
        raise ConfigurationError(f"{script}: expected a Python script with a name that ends in .py")
    from clustersim.studies import Study  # noqa: PLC0415 - takes a second, and lists of scripts do without
    from clustersim.studies.arguments import with_article  # noqa: PLC0415

    module = _load(script)
    study = getattr(module, "study", None)
    if isinstance(study, Study):
        return study
    if study is not None:
        raise ConfigurationError(
            f"{script}: its variable study is {with_article(type(study).__name__)}; expected a clustersim.Study"
        )
    others = [name for name, value in vars(module).items() if isinstance(value, Study)]
    hint = f"; rename {others[0]}" if others else ""
    raise ConfigurationError(
        f"{script} builds no study: expected a variable named study that is a clustersim.Study{hint}"
    )


def _load(script: Path) -> ModuleType:
    """Import a script as a module that is pickled by value, so that other processes need not import it."""
    import cloudpickle  # noqa: PLC0415 - as above

    global _loading  # noqa: PLW0603 - the script reads it, through cs.main, while it is loaded
    path = script.resolve()
    name = f"_clustersim_script_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{script}: Python cannot load it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if str(path.parent) not in sys.path:  # as `python script.py` does, for modules in the same folder
        sys.path.insert(0, str(path.parent))
    _loading = True
    try:
        with users_errors(f"{script} failed"):
            _check_text(script)
            spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, SystemExit | KeyboardInterrupt) and not isinstance(error, Stopped):
            raise ConfigurationError(f"{script} ended itself before it built a study") from error
        raise
    finally:
        _loading = False
    cloudpickle.register_pickle_by_value(module)
    return module


def _check_text(script: Path) -> None:
    """Refuse a file with NUL bytes, on which Python's import system fails with an unclear error."""
    if b"\0" in script.read_bytes():
        raise ConfigurationError(f"{script} contains NUL bytes; expected a Python script, saved as plain text (UTF-8)")


def find_scripts(folder: Path) -> list[Path]:
    """Return the Python scripts in a folder, sorted by name, without those whose name begins with "_".

    Raises
    ------
    ConfigurationError
        If there is no such folder.
    """
    if not folder.is_dir():
        what = "it is a file" if folder.exists() else "there is no such folder"
        raise ConfigurationError(f"{folder}: {what}; expected a folder of scenario scripts")
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def about(script: Path) -> str:
    """Return the first line of a script's docstring. The script is read, not run."""
    try:
        docstring = ast.get_docstring(ast.parse(script.read_bytes()))
    except (OSError, SyntaxError, ValueError) as error:
        return f"(cannot be read: {first_line(error)})"
    return docstring.splitlines()[0] if docstring else "(no docstring)"
