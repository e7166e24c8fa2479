"""Scenario scripts: finding one by name or path, loading the study that it builds, telling what it is about.

Data flows in as paths from the command line, and out as `clustersim.studies.Study`.
"""

import ast
import difflib
import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import cloudpickle

from clustersim.errors import ConfigurationError
from clustersim.studies import Results, Study
from clustersim.studies.arguments import with_article
from clustersim.studies.signals import Stopped
from clustersim.studies.user_code import first_line, users_errors

__all__ = ["about", "find_script", "find_scripts", "load_study", "loading", "shipped", "shipped_study"]

_PACKAGE = Path(__file__).resolve().parent
_loading = False


def loading() -> bool:
    """Whether a script is being loaded right now: then it must build its study, not run it."""
    return _loading


def shipped() -> dict[str, Path]:
    """The scenarios that come with clustersim, by name: inside the package, or beside it in a copy of the sources.

    Examples
    --------
    >>> shipped()["adaptive_mnist"].name
    'adaptive_mnist.py'
    """
    folder = _PACKAGE / "scenarios"
    return {path.stem: path for path in find_scripts(folder if folder.is_dir() else _PACKAGE.parent / "scenarios")}


def find_script(text: str) -> Path:
    """Find a scenario script by its path or, if there is no such file, the one of that name that comes with clustersim.

    Parameters
    ----------
    text : str
        A path, or a name such as ``adaptive_mnist``, ``adaptive_mnist.py`` or ``adaptive-mnist``.

    Raises
    ------
    ConfigurationError
        If there is neither; the message names what looks like it.

    Examples
    --------
    >>> find_script("adaptive_mnist").name
    'adaptive_mnist.py'
    """
    path, scripts = Path(text), shipped()
    name = text.removesuffix(".py").replace("-", "_")
    if os.path.isfile(text):  # False also for what cannot be a path
        return path
    if name in scripts:
        return scripts[name]
    if os.path.isdir(text):
        raise ConfigurationError(
            f"{text}: it is a folder; expected a scenario script (`clustersim list {text}` shows those in it)"
        )
    beside = {other.stem: str(other) for other in find_scripts(path.parent)} if os.path.isdir(path.parent) else {}
    known = beside | {other: other for other in scripts if other not in beside}
    near = difflib.get_close_matches(path.stem.replace("-", "_"), known, n=1)
    hint = f"did you mean {known[near[0]]}?" if near else "expected a scenario script (`clustersim list` shows some)"
    raise ConfigurationError(f"{text}: there is no such file; {hint}")


def shipped_study(results: Results) -> Study | None:
    """The study of the shipped scenario that such results come from, or None if there is none.

    The name finds the script, and the labels of policies and variants must be among those of its study.
    """
    script = shipped().get(results.name.removesuffix("-quick").replace("-", "_"))
    study = load_study(script) if script else None
    if study and set(results.policies) <= {*study.policies} and set(results.variants) <= {*study.variants}:
        return study
    return None


def load_study(script: Path) -> Study:
    """Run a scenario script's top level under a private module name and take its variable `study`.

    Raises
    ------
    ConfigurationError
        If it is no script, it fails (the message says where), or it builds no study.
    """
    if script.suffix != ".py":
        raise ConfigurationError(f"{script}: expected a Python script, whose name ends in .py")
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
    raise ConfigurationError(f"{script} builds no study: expected a variable named study, a clustersim.Study{hint}")


def _load(script: Path) -> ModuleType:
    """Import a script as a module that crosses to other processes by value."""
    global _loading  # noqa: PLW0603 - the script itself asks, through cs.main, while it is loaded
    path = script.resolve()
    name = f"_clustersim_script_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{script}: Python cannot load it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if str(path.parent) not in sys.path:  # where `python script.py` would look for the modules beside it
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
    """Refuse a file that Python's import machinery would stumble over."""
    if b"\0" in script.read_bytes():
        raise ConfigurationError(f"{script} holds NUL bytes; expected a Python script, saved as plain text (UTF-8)")


def find_scripts(folder: Path) -> list[Path]:
    """The Python scripts of a folder, by name; those whose name begins with "_" are left out.

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
    """The first line of a script's docstring; the script is read, not run."""
    try:
        docstring = ast.get_docstring(ast.parse(script.read_bytes()))
    except (OSError, SyntaxError, ValueError) as error:
        return f"(cannot be read: {first_line(error)})"
    return docstring.splitlines()[0] if docstring else "(no docstring)"
