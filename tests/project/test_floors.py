"""Imports only go down, and a policy cannot reach a clock: the guard on the shape of the code."""

import ast
from pathlib import Path

import pytest

import clustersim

PACKAGE = Path(clustersim.__file__).parent
FLOORS = {
    "arrays": 0, "atomic_files": 0, "checks": 0, "complaints": 0, "draw_cache": 0, "errors": 0, "interrupts": 0,
    "streams": 0, "threads": 0, "ticks": 0,
    "latency": 1, "links": 1, "problems": 1, "datasets": 1, "placements": 1, "decoders": 1,
    "optimizers": 1, "schedules": 1, "theory": 1,
    "protocol": 2, "cluster": 2, "until": 2, "evaluations": 2,
    "waits": 3, "policies": 3,
    "engine": 4,
    "studies": 5, "conformance": 5,
    "comparison_export": 6, "comparison_tables": 6, "numerals": 6,
    "plots": 6, "reports": 6, "tables": 6, "progress": 6, "cli": 6, "scripts": 6, "terminal": 6,
}  # fmt: skip
ROOF = max(FLOORS.values()) + 1  # the package's own __init__ and __main__ see everything
CLOCKS = {"simpy", "time", "random", "secrets", "datetime", "threading", "asyncio", "multiprocessing", "socket", "os"}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if PACKAGE / "scenarios" not in path.parents)


def part(path):
    """The first name below clustersim: the file or package that a module belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def floor(path):
    return ROOF if part(path) in ("__init__", "__main__") else FLOORS[part(path)]


def imports(path):
    """Every module that a file imports, in full."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            if node.module == "clustersim":
                yield from (f"clustersim.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    for name in imports(path):
        if name.startswith("clustersim.") and name != "clustersim.__version__":
            below = name.split(".")[1]
            assert FLOORS[below] <= floor(path), f"{path.name} on floor {floor(path)} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_engine_knows_simpy(path):
    known = {name.split(".")[0] for name in imports(path)}
    assert "simpy" not in known or part(path) == "engine"


@pytest.mark.parametrize("path", [p for p in MODULES if floor(p) in (2, 3)], ids=lambda path: path.name)
def test_policies_have_no_clock(path):
    known = {name.split(".")[0] for name in imports(path)}
    assert not known & CLOCKS
    assert not {"numpy.random", "clustersim.streams"} & set(imports(path)), "a policy makes no generator of its own"
    assert "np.random" not in path.read_text(), "a policy makes no generator of its own"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_explicit_names(path):
    tree = ast.parse(path.read_text())
    stars = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and any(a.name == "*" for a in n.names)]
    assert not stars
    assigned = {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    assert "__all__" in assigned


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_global_random_state_and_no_reading_of_code(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"eval", "exec", "pickle.load"}, called
            allowed = {"Generator", "Philox", "SeedSequence"}
            if path.name == "demands.py":
                allowed |= {"get_state"}  # it checks that nobody uses the global state
            assert not called.startswith("np.random.") or called.split(".")[2] in allowed
