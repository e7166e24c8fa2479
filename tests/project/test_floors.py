"""Imports only go down, and a policy cannot reach a clock: the guard on the shape of the code."""

import ast
from functools import cache
from pathlib import Path

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


@cache
def tree(path):
    return ast.parse(path.read_text())


@cache
def imports(path):
    """Every module that a file imports, in full."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            if node.module == "clustersim":
                found += [f"clustersim.{alias.name}" for alias in node.names]
            else:
                found.append(node.module)
    return found


def roots(path):
    """The top-level packages that a file imports."""
    return {name.split(".")[0] for name in imports(path)}


def test_every_module_is_looked_at():
    assert len(MODULES) > 250
    assert {floor(path) for path in MODULES} == set(range(ROOF + 1))


def test_imports_go_down():
    upwards = [
        f"{path.relative_to(PACKAGE)} on floor {floor(path)} imports {name}"
        for path in MODULES
        for name in imports(path)
        if name.startswith("clustersim.") and name != "clustersim.__version__"
        if FLOORS[name.split(".")[1]] > floor(path)
    ]
    assert not upwards


def test_only_the_engine_knows_simpy():
    assert {part(path) for path in MODULES if "simpy" in roots(path)} == {"engine"}


def test_policies_have_no_clock():
    clockless = [path for path in MODULES if floor(path) in (2, 3)]
    assert not {path.name: roots(path) & CLOCKS for path in clockless if roots(path) & CLOCKS}
    generators = [
        path.name
        for path in clockless
        if {"numpy.random", "clustersim.streams"} & set(imports(path)) or "np.random" in path.read_text()
    ]
    assert not generators, "a policy makes no generator of its own"


def test_explicit_names():
    for path in MODULES:
        body = tree(path).body
        froms = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)]
        assert not [node for node in froms if any(alias.name == "*" for alias in node.names)], path
        assigned = {t.id for n in body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
        assert "__all__" in assigned, path


def test_no_global_random_state_and_no_reading_of_code():
    for path in MODULES:
        allowed = {"Generator", "Philox", "SeedSequence"}
        if path.name == "demands.py":
            allowed |= {"get_state"}  # it checks that nobody uses the global state
        for called in (ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)):
            assert called not in {"eval", "exec", "pickle.load"}, f"{path}: {called}"
            assert not called.startswith("np.random.") or called.split(".")[2] in allowed, f"{path}: {called}"
