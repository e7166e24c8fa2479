"""Scenario scripts: loading the study that one builds, and telling what it is about without running it.

Data flows in as paths from the command line, and out as `clustersim.studies.Study`.
"""

import ast
import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import cloudpickle

from clustersim.errors import ConfigurationError
from clustersim.studies import Study
from clustersim.studies.arguments import with_article
from clustersim.studies.origin import first_line, users_errors
from clustersim.studies.signals import Stopped

__all__ = ["about", "find_scripts", "load_study", "loading"]

_loading = False


def loading() -> bool:
    """Whether a script is being loaded right now: then it must build its study, not run it."""
    return _loading


def load_study(script: Path) -> Study:
    """Run a scenario script's top level under a private module name and take its variable `study`.

    Raises
    ------
    ConfigurationError
        If there is no such script, it fails (the message says where), or it builds no study.
    """
    if not script.is_file():
        what = "it is a folder" if script.is_dir() else "there is no such file"
        raise ConfigurationError(f"{script}: {what}; expected a scenario script (`clustersim list` shows some)")
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
