"""Scripts of a few lines, loaded as a user's would be."""

import importlib.util
import itertools
import os
import subprocess
import sys

_numbers = itertools.count()
_places = []


def load(folder, files):
    """Write files into a fresh folder, and run ``script.py`` there; modules of earlier scripts are forgotten."""
    place = folder / f"copy{next(_numbers)}"
    for file, text in files.items():
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).write_text(text)
    sys.path[:] = [str(place), *(path for path in sys.path if path not in _places)]
    _places.append(str(place))
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(tuple(f"{path}/" for path in _places)):
            del sys.modules[name]
    importlib.invalidate_caches()
    spec = importlib.util.spec_from_file_location(f"_loaded_{next(_numbers)}", place / "script.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PRINT = """
from clustersim.studies.configuration import canonical, describe

print(canonical(describe({thing})))
"""


def output(*arguments, **environment):
    """What a Python process prints that must not fail."""
    command = [sys.executable, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})  # noqa: S603
    assert run.returncode == 0, run.stderr
    return run.stdout
