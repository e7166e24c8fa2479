"""Picklers: code keeps its file, classes stay as they are, and what other picklers do to code changes nothing."""

import functools
import json
import linecache
import pickle
import sys
import types
from pathlib import Path

import cloudpickle
import nbformat
import pytest
from loaded import PRINT, load, output
from nbclient import NotebookClient
from reaching import FILES, SCRIPT

import clustersim
from clustersim.studies.configuration import canonical, describe
from clustersim.studies.packing import pack, unpack
from clustersim.studies.user_code import describe_error, is_users, is_users_file

# --- other picklers -------------------------------------------------------------------------------------------------

MANGLED = """
import cloudpickle

before = canonical(describe(thing))
cloudpickle.loads(cloudpickle.dumps(thing))
assert forgets(thing) or not {newest}, "the pickler has done its work"
after = canonical(describe(thing))
again = canonical(describe(cloudpickle.loads(cloudpickle.dumps(thing))))
print(before == after == again)
"""
NEWEST = "dynamic-code" in Path(cloudpickle.cloudpickle.__file__).read_text()
FORGETS = (
    "\n\ndef forgets(thing):\n    return type(thing['objects'][0]).begin.__code__.co_filename == '<dynamic-code>'\n"
)


def test_a_script_that_another_pickler_has_carried_is_described_as_before(tmp_path):
    script = Path(load(tmp_path, FILES).__file__)
    text = SCRIPT.replace("dispatched, lazy", "lazy").replace("@functools.cached_property", "@property")  # unpicklable
    script.write_text(text + FORGETS + PRINT.format(thing="1") + MANGLED.format(newest=NEWEST))
    assert output(script).splitlines()[-1] == "True"


BROKEN = """
import clustersim as cs
from clustersim.errors import ClusterSimError


class Broken(cs.Optimizer):
    def begin(self, w0):
        return self

    def step(self, w, gradient, update_number):
        return w - 1 / (update_number - 1)


study = cs.Study(
    name="small",
    problem=cs.LeastSquares.synthetic(rows=40, features=2, design="gaussian", seed=7),
    cluster=cs.Cluster(workers=4, compute=cs.Exponential(mean=1.0)),
    policies={"k = 1": cs.FastestK(1)},
    optimizer=Broken(),
    until=cs.Until(updates=10),
    replications=1,
)


def main():
    import sys

    import cloudpickle
    from clustersim.studies import process_pool

    cloudpickle.loads(cloudpickle.dumps(study.optimizer))
    with process_pool(int(sys.argv[1])) as pool:
        try:
            study.run(executor=pool)
        except ClusterSimError as error:
            print(error)


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_place_of_an_error_is_told_in_a_script_that_another_pickler_has_carried(tmp_path, jobs):
    script = tmp_path / "broken.py"
    script.write_text(BROKEN)
    line = BROKEN[: BROKEN.index("return w - ")].count("\n") + 1
    told = output(script, jobs)
    assert f"{script}, line {line} (return w - 1 / (update_number - 1)): ZeroDivisionError" in told


# --- packing --------------------------------------------------------------------------------------------------------

PACKED = """
import pickle

import cloudpickle

from clustersim.studies.packing import pack, unpack

RATE = [1]


class Own:
    seen = RATE

    def rate(self):
        return RATE

    def fail(self):
        return [1 / 0 for _ in range(1)]


method = Own.rate
copy = unpack(pack(Own()))
RATE.append(2)
print(type(copy) is Own, Own.rate is method, copy.rate(), copy.seen)
{before}
with open({file!r}, "wb") as sink:
    sink.write(pack([Own(), lambda: 1 / 0]))
"""


@pytest.mark.parametrize("before", ["", "cloudpickle.loads(cloudpickle.dumps(Own))", "describe(Own)"])
def test_a_class_stays_as_it_is_and_code_keeps_its_file(tmp_path, before):
    script, file = tmp_path / "packed.py", tmp_path / "packed"
    if before == "describe(Own)":
        before = "from clustersim.studies.configuration import describe\ndescribe([Own, Own.fail])\n"
        before += "cloudpickle.loads(cloudpickle.dumps(Own))"
    script.write_text(PACKED.format(before=before, file=str(file)))
    assert output(script) == "True True [1, 2] [1, 2]\n"
    own, function = unpack(file.read_bytes())
    for call, text in ((own.fail, "return [1 / 0 for"), (function, "sink.write(pack([Own(), lambda: 1 / 0]))")):
        with pytest.raises(ZeroDivisionError) as caught:
            call()
        line = script.read_text()[: script.read_text().index(text)].count("\n") + 1
        assert describe_error(caught.value).startswith(f"{script}, line {line} ({text}")
    assert own.rate() == [1, 2]


def test_a_class_of_another_process_takes_up_what_has_changed_there(tmp_path):
    """As in a worker that serves a notebook for hours."""
    script, files = tmp_path / "changing.py", [tmp_path / "one", tmp_path / "two"]
    text = "from pathlib import Path\nfrom clustersim.studies.packing import pack\nclass Own:\n    rate = 1\n"
    text += f"Path({str(files[0])!r}).write_bytes(pack(Own()))\nOwn.rate = 2\n"
    text += f"Path({str(files[1])!r}).write_bytes(pack(Own()))\n"
    script.write_text(text)
    output(script)
    first = unpack(files[0].read_bytes())
    second = unpack(files[1].read_bytes())
    assert type(first) is type(second)
    assert first.rate == second.rate == 2


def test_plain_pickle_reads_what_is_packed():
    rate = 3
    assert pickle.loads(pack(lambda t: rate * t))(2) == 6  # noqa: S301


# --- notebooks ------------------------------------------------------------------------------------------------------

CELL = """
RATE = 3


class Rule:
    def begin(self, t):
        return RATE * helper(t)


def helper(t):
    return 1 / t


def scaled(factor):
    return lambda t: factor * Rule().begin(t)
"""


@pytest.fixture
def cell(monkeypatch):
    """A cell that has been run as a notebook runs it: no file, its text in the line cache."""

    def run(text, name):
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), module.__dict__)  # noqa: S102 - our own text

    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    before = dict(linecache.cache)
    module.run = run
    run(CELL, "/tmp/ipykernel_1/101.py")  # noqa: S108
    yield module
    linecache.cache.clear()
    linecache.cache.update(before)


def test_a_cell_that_another_pickler_has_carried_is_described_as_before(cell):
    thing = [cell.Rule(), cell.scaled(2)]
    before = describe(thing)
    assert before["user's code"]["function Rule.begin"]["text"] == [
        "def begin(self, t):",
        "    return RATE * helper(t)",
    ]
    cloudpickle.loads(cloudpickle.dumps(thing))
    assert describe(thing) == before
    cell.run(CELL, "/tmp/ipykernel_1/101.py")  # noqa: S108 - the cell is run again
    assert describe([cell.Rule(), cell.scaled(2)]) == before
    cell.run(CELL.replace("1 / t", "2 / t"), "/tmp/ipykernel_1/102.py")  # noqa: S108
    assert describe([cell.Rule(), cell.scaled(2)]) != before


def test_the_place_of_an_error_in_a_cell_is_told_after_another_pickler(cell):
    rule = cloudpickle.loads(cloudpickle.dumps(cell.Rule()))
    with pytest.raises(ZeroDivisionError) as caught:
        rule.begin(0)
    assert describe_error(caught.value).startswith("/tmp/ipykernel_1/101.py, line 11 (return 1 / t): ")  # noqa: S108


CALL = """
import sys
from pathlib import Path

from clustersim.studies.user_code import describe_error
from clustersim.studies.packing import unpack

try:
    unpack(Path(sys.argv[1]).read_bytes()).begin(0)
except ZeroDivisionError as error:
    print(describe_error(error))
"""


@pytest.mark.parametrize("carried", [False, True])
def test_the_place_of_an_error_in_a_cell_is_told_in_another_process(cell, tmp_path, carried):
    rule = cell.Rule()
    if carried:
        describe(rule)
        cloudpickle.loads(cloudpickle.dumps(rule))
    (tmp_path / "packed").write_bytes(pack(rule))
    (tmp_path / "script.py").write_text(CALL)
    assert output(tmp_path / "script.py", tmp_path / "packed").startswith("/tmp/ipykernel_1/101.py, line 11: ")  # noqa: S108


NOTEBOOK = [
    """
import cloudpickle
import clustersim as cs

SCALE = 1.0


class Own(cs.latency.LatencyModel):
    def quantile(self, u):
        return SCALE * (1 + u)
""",
    """
%matplotlib inline
study = cs.Study(
    name="notebook",
    problem=cs.LeastSquares.synthetic(rows=40, features=2, design="gaussian", seed=7),
    cluster=cs.Cluster(workers=4, compute=Own()),
    policies={"k = 1": cs.FastestK(1)},
    optimizer=cs.SGD(lambda t: 1e-5),
    until=cs.Until(updates=10),
    replications=2,
)
first = study.run("out")
""",
    """
SCALE = 2.0
try:
    study.run("out")
except cs.ResultsError as error:
    print(error)
SCALE = 1.0
""",
    """
before = Own.quantile
assert study.run("out").frame.equals(first.frame)
cloudpickle.loads(cloudpickle.dumps(study.cluster))
assert Own.quantile is not before, "the pickler has replaced it"
assert study.run("out").frame.equals(first.frame)
""",
]


def test_a_notebook_goes_on_in_its_folder_and_is_refused_after_a_change(tmp_path):
    cells = [nbformat.v4.new_code_cell(text.strip()) for text in NOTEBOOK]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    (shown,) = [out for out in cells[2]["outputs"] if out["output_type"] == "stream"]
    assert "function Own.quantile: SCALE is 1 in the folder, 2 now" in shown["text"]


GLOBAL = """
import clustersim as cs

SCALE = 1.0


class Own(cs.latency.LatencyModel):
    def quantile(self, u):
        return SCALE * (1 + u)


def study():
    return cs.Study(
        name="global",
        problem=cs.LeastSquares.synthetic(rows=40, features=2, design="gaussian", seed=7),
        cluster=cs.Cluster(workers=4, compute=Own()),
        policies={"k = 1": cs.FastestK(1)},
        optimizer=cs.SGD(1e-5),
        until=cs.Until(updates=10),
        replications=1,
    )


first = study().run().frame["time"].iloc[-1]
SCALE = 2.0
print(study().run().frame["time"].iloc[-1] / first)
"""


def test_a_run_sees_a_global_that_has_changed_since_the_last_run(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(GLOBAL)
    assert float(output(script)) == pytest.approx(2.0)


# --- whose code it is -----------------------------------------------------------------------------------------------


def test_whose_files_these_are():
    package = Path(clustersim.__file__).parent
    users = [
        package / "scenarios" / "mine.py",
        package / "scenarios" / "_shared.py",
        Path(__file__),
        "/home/me/project/x.py",
    ]
    theirs = [package / "engine" / "loop.py", package / "cli.py", linecache.__file__, pytest.__file__]
    theirs += ["/home/me/.local/lib/python3.11/site-packages/own.py", "/usr/lib/python3/dist-packages/own.py"]
    assert [name for name in users if not is_users_file(str(name))] == []
    assert [name for name in theirs if is_users_file(str(name))] == []


def test_a_folder_into_which_packages_are_installed_is_not_the_users(tmp_path, monkeypatch):
    """As on a cluster, where they lie in a folder that PYTHONPATH names."""
    for folder in ("libraries/own-1.0.dist-info", "libraries/own", "mine/own"):
        (tmp_path / folder).mkdir(parents=True)
        monkeypatch.syspath_prepend(str(tmp_path / folder.split("/")[0]))
    assert not is_users_file(str(tmp_path / "libraries" / "own" / "code.py"))
    assert is_users_file(str(tmp_path / "mine" / "own" / "code.py"))


def test_whose_functions_classes_and_modules_these_are():
    made = types.ModuleType("made by hand")
    namespace = {"__name__": "nowhere"}
    exec("def own():\n    pass\nclass Own:\n    pass", namespace)  # noqa: S102 - our own text
    wrapped = functools.wraps(test_whose_files_these_are)(functools.partial(print))
    own = [test_whose_files_these_are, sys.modules[__name__], made, namespace["own"], namespace["Own"], load]
    theirs = [pytest, sys, math := sys.modules["math"], Path, int, type(wrapped), json.dumps, describe, type(math)]
    assert [thing for thing in own if not is_users(thing)] == []
    assert [thing for thing in theirs if is_users(thing)] == []


def test_a_scenario_of_the_package_is_told_by_its_text(tmp_path, monkeypatch):
    """And an error in it by its place, though it lies within clustersim."""
    place = Path(clustersim.__file__).parent / "scenarios" / "invented.py"
    text = "def step(t):\n    return 1 / t\n"
    module = types.ModuleType("clustersim.scenarios.invented")
    module.__file__ = str(place)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(linecache.cache, str(place), (len(text), None, text.splitlines(keepends=True), str(place)))
    exec(compile(text, str(place), "exec"), module.__dict__)  # noqa: S102 - our own text
    assert describe(module.step)["user's code"]["function step"]["text"] == ["def step(t):", "    return 1 / t"]
    with pytest.raises(ZeroDivisionError) as caught:
        module.step(0)
    assert describe_error(caught.value) == f"{place}, line 2 (return 1 / t): ZeroDivisionError: division by zero"


def test_a_warning_of_the_users_text_is_not_given_again(tmp_path):
    """Warnings are errors in these tests."""
    module = types.ModuleType("warned")
    module.__file__ = str(tmp_path / "warned.py")
    text = "def thing(t):\n    return t is 1\n"
    Path(module.__file__).write_text(text)
    with pytest.warns(SyntaxWarning):
        exec(compile(text, module.__file__, "exec"), module.__dict__)  # noqa: S102 - our own text
    assert describe(module.thing)["user's code"]["function thing"]["text"] == ["def thing(t):", "    return t is 1"]


def test_a_file_that_is_edited_while_its_code_runs_is_not_taken_for_it(tmp_path):
    module = load(tmp_path, {"script.py": "def thing(t):\n    return 1 / t\n"})
    Path(module.__file__).write_text("def thing(t):\n    return 2 / t\n")
    told = describe(module.thing)["user's code"]["function thing"]
    assert list(told) == ["compiled"], "the text that is there now is not that of what runs"
    module.__loader__.exec_module(module)
    assert "return 2 / t" in canonical(describe(module.thing))
