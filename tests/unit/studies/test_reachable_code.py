"""The user's code in a description: whatever can be reached counts, and nothing else does."""

import collections
import dataclasses
import json
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from loaded import PRINT, load, output
from reaching import FILES, SCRIPT

import clustersim as cs
from clustersim.scripts import load_study
from clustersim.studies.configuration import canonical, describe, differences

NUMBERS = sorted({number for text in FILES.values() for number in re.findall(r"\d{3}", text)})
NAMES = {
    "487": "function defaults: defaults.given is 487",
    "101": "function plain: RATE is 101", "103": "function nested: TABLE.a is 103", "127": "function plain: text",
    "131": "function deeper: text", "149": "function doubling.wrapper: text", "151": "function decorated: text",
    "157": "factor is 157", "163": "function by_factory: text", "167": "function cached: text",
    "179": "function _: text", "191": "function Meta.made: text", "193": "class Base: members.shift is 193",
    "211": "function Base.parent: text", "223": "class Rule: members.weight is 223",
    "227": "text differs, first in 'lambda: [227]'", "233": "function Rule.prop: text",
    "251": "function Rule.kept: text", "257": "function Rule.wrapped: text", "263": "function Rule.remembered: text",
    "271": "function State.step: text differs, first in 'return min(271, t)", "281": "class Colour: values",
    "313": "function Held.held: text", "401": "function through_modules: helper.OFFSET is 401",
    "409": "imported is 409", "419": "function twice: inside is 419", "421": "function twice: text",
    "433": "function lazy: late.late_rate is 433", "439": "function thrice: text", "443": "function later: text",
    "449": "function anything: text",
}  # fmt: skip


def described(folder, **changes):
    return describe(load(folder, {**FILES, **changes}).thing)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return described(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("numbers", [NUMBERS[i::21] for i in range(21)], ids="-".join)
def test_whatever_can_be_reached_counts(tmp_path, plain, numbers):
    changes = dict(FILES)
    for number in numbers:  # far apart, so that none hides another one
        changes = {file: text.replace(number, "997") for file, text in changes.items()}
    found = differences(plain, described(tmp_path, **changes), "policy 'own':")
    assert all(words.startswith("policy 'own': ") for words in found)
    for number in numbers:
        assert any(NAMES.get(number, number) in words for words in found), (number, found)


UNREACHED = {
    "comment": ("script.py", "    return RATE", "    # of course\n    return RATE"),
    "layout": ("script.py", "RATE * t + 127", "(RATE*t) + (\n        127)"),
    "docstring": ("script.py", '    """Twice."""\n', '    """Thrice."""\n'),
    "no docstring": ("script.py", '    """Twice."""\n', ""),
    "function": ("script.py", "def unreached(t):\n    return 1", "def unreached(t):\n    return 2"),
    "global": ("script.py", "UNUSED = 1", "UNUSED = 2"),
    "global with the name of a local variable": ("script.py", "wide = 2", "wide = 3"),
    "new function": ("script.py", "def unreached", "def another():\n    return 1\n\n\ndef unreached"),
    "function of a module": ("helper.py", "def unreached(t):\n    return 1", "def unreached(t):\n    return 2"),
    "function of a module of a package": ("package/inner.py", "    return 1", "    return 2"),
    "global of a module": ("helper.py", "SPARE = 1", "SPARE = 2"),
    "global of a package": ("package/__init__.py", "spare = 1", "spare = 2"),
    "global of a module that is imported late": ("late.py", "spare = 1", "spare = 2"),
    "lines above": ("script.py", "import dataclasses", "\n\n\nimport dataclasses"),
    "order": ("script.py", "RATE = 101\n", "", "UNUSED = 1", "RATE = 101\nUNUSED = 1"),
}


@pytest.mark.parametrize("change", UNREACHED.values(), ids=UNREACHED.keys())
def test_nothing_else_counts(tmp_path, plain, change):
    file, *pairs = change
    text = FILES[file]
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    assert differences(plain, described(tmp_path, **{file: text})) == []


def test_a_description_holds_no_name_of_a_script_no_place_and_no_library_code(tmp_path, plain):
    text = canonical(plain)
    assert not re.search(r"__main__|_loaded_|_clustersim|0x|site-packages|/tmp|copy\d", text)
    assert len(text) < 20_000, "everything is told once"
    assert "singledispatch.dispatch" not in text
    assert json.loads(text) == plain


def test_it_is_the_same_in_every_process_and_however_the_script_is_loaded(tmp_path, plain):
    module = load(tmp_path, FILES)
    script = Path(module.__file__)
    script.write_text(SCRIPT + PRINT.format(thing="thing"))
    as_main = [output(script, PYTHONHASHSEED=seed) for seed in ("0", "1")]
    assert set(as_main) == {canonical(plain) + "\n"}
    script.write_text(SCRIPT + "\nimport clustersim as cs\n" + STUDY.format(step="plain"))
    first, study = (load_study(script) for _ in range(2))
    twice = describe([first.optimizer, study.optimizer])
    script.write_text(script.read_text() + PRINT.format(thing="study.optimizer"))
    once = json.loads(output(script))
    assert twice["value"][0] == {name: value for name, value in once.items() if name != "user's code"}
    assert twice["user's code"]["function plain"] == once["user's code"]["function plain"]
    assert describe(module.thing) == plain, "the text of what runs, not of what the file has become"


STUDY = """
study = cs.Study(
    name="small",
    problem=cs.LeastSquares.synthetic(rows=40, features=2, design="gaussian", seed=7),
    cluster=cs.Cluster(workers=4, compute=cs.Exponential(mean=1.0)),
    policies={{"k = 1": cs.FastestK(1)}},
    optimizer=cs.SGD({step}),
    until=cs.Until(updates=10),
    replications=2,
)
"""


# --- what differs from run to run -----------------------------------------------------------------------------------

CHANGING = """
import functools
import io
import itertools
import logging
import random
import threading
import weakref

import numpy as np

import helper
from helper import START, shared

CACHE = {}
NAMES = []
COUNT = START
SEED = 3
LOCK = threading.Lock()
RNG = np.random.default_rng(SEED)
DICE = random.Random(5)
NUMBERS = itertools.count(7)
WEAK = weakref.WeakSet()
LOG = logging.getLogger("own")
HANDLE = io.StringIO("abc")


class Recorder:
    def __init__(self, size):
        self.size, self.seen = size, []

    def note(self, t):
        self.seen.append(t)


RECORDER = Recorder(11)


def memo(f):
    kept = {}

    def wrapper(t):
        if t not in kept:
            kept[t] = f(t)
        return kept[t]

    return wrapper


class Memo:
    def __init__(self, f):
        functools.update_wrapper(self, f)
        self.f, self.kept = f, {}

    def __call__(self, t):
        self.kept[t] = self.f(t)
        return self.kept[t]


@memo
def slow(t):
    return t


@Memo
def slower(t):
    return 2 * t


@functools.lru_cache
def kept(t):
    return t


@functools.singledispatch
def dispatched(t):
    return t


class Sum:
    def __init__(self, first):
        self.first = first

    def add(self, t):
        return self.first + t


def total(first):
    return Sum(first)


SUM = total(int("17"))


class Rule:
    made = 0
    seen = {}
    setting = {"a": 1}

    def __call__(self, t):
        type(self).made += 1
        self.seen[t] = t
        return step(t) + self.value

    @functools.cached_property
    def value(self):
        return 13


def remember(where, what):
    where.add(what)


def step(t):
    global COUNT
    remember(WEAK, RECORDER)
    COUNT += 1
    step.calls += 1
    CACHE[t] = t
    NAMES.append(t)
    helper.table[t] = t
    helper.total += t
    shared.add(t)
    RECORDER.note(t)
    LOG.info("step %s", t)
    with LOCK:
        dispatched(t), SUM.add(t)
        return slow(t) + slower(t) + kept(t) + RNG.normal() + DICE.random() + next(NUMBERS) + len(HANDLE.readline())


step.calls = 0
thing = Rule()
"""
CHANGING_FILES = {"script.py": CHANGING, "helper.py": "table = {}\ntotal = 0\nshared = set()\nSTART = 0\n"}


def test_what_the_code_itself_changes_does_not_count(tmp_path):
    module = load(tmp_path, CHANGING_FILES)
    before = describe(module.thing)
    for t in range(1, 4):
        module.thing(t)
    assert differences(before, describe(module.thing)) == []
    assert differences(before, describe(load(tmp_path, CHANGING_FILES).thing)) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("CACHE = {}", "CACHE = {1: 2}", "global CACHE: text differs, first in 'CACHE = {}' in the folder"),
        ("COUNT = START", "COUNT = START + 1", "global COUNT: text"),
        ("SEED = 3", "SEED = 4", "global RNG: SEED is 3 in the folder, 4 now"),
        ('int("17")', 'int("18")', "SUM.state.first is 17 in the folder, 18 now"),
        ("Random(5)", "Random(6)", "global DICE: text"),
        ("count(7)", "count(8)", "global NUMBERS: text"),
        ("Recorder(11)", "Recorder(12)", "global RECORDER: text"),
        ("self.seen.append(t)", "self.seen.append(2 * t)", "function Recorder.note: text"),
        ("return 2 * t", "return 3 * t", "global slower: text"),
        ("kept = {}", "kept = {1: 1}", "function memo.wrapper: kept.text"),
        ("made = 0", "made = 1", "class Rule: members.made.text"),
        ('setting = {"a": 1}', 'setting = {"a": 2}', "class Rule: members.setting.a is 1"),
        ("return 13", "return 14", "function Rule.value: text"),
    ],
)
def test_how_it_is_set_up_counts(tmp_path, old, new, words):
    assert old in CHANGING
    before = describe(load(tmp_path, CHANGING_FILES).thing)
    after = describe(load(tmp_path, {**CHANGING_FILES, "script.py": CHANGING.replace(old, new)}).thing)
    found = differences(before, after)
    assert any(words in sentence for sentence in found), found


def test_how_a_variable_of_another_module_is_set_up_counts(tmp_path):
    before = describe(load(tmp_path, CHANGING_FILES).thing)
    files = {**CHANGING_FILES, "helper.py": "table = {1: 1}\ntotal = 0\nshared = {2}\nSTART = 1\n"}
    found = " ".join(differences(before, describe(load(tmp_path, files).thing)))
    assert "global table: text" in found
    assert "global shared: text" in found
    assert "global COUNT: START is 0 in the folder, 1 now" in found


def test_a_study_and_results_that_a_function_names_do_not_count(tmp_path):
    text = "import clustersim as cs\nresults = None\n\n\ndef step(t):\n    return 1e-5 if results or study else 1.0\n"
    module = load(tmp_path, {"script.py": text + STUDY.format(step="step")})
    module.results = module.study.run()
    first = describe(module.study.optimizer)
    module.results = module.study.run(seed=2)
    assert describe(module.study.optimizer) == first
    assert first["user's code"] == {
        "function step": {"text": ["def step(t):", "    return 1e-05 if results or study else 1.0"]}
    }


def test_a_change_by_a_setter_that_no_run_calls_counts(tmp_path):
    """The script itself calls it, to choose a value."""
    text = "RATE = None\ndef choose(rate):\n    global RATE\n    RATE = rate\ndef thing(t):\n    return RATE * t\n"
    texts = [describe(load(tmp_path, {"script.py": text + f"choose({rate})\n"}).thing) for rate in (1, 2)]
    assert differences(*texts) == ["function thing: RATE is 1 in the folder, 2 now"]


# --- values ---------------------------------------------------------------------------------------------------------


def test_an_enormous_global_is_told_briefly(tmp_path):
    text = "import numpy as np\nimport pandas as pd\n\nARRAY = np.arange(60_000)\nTEXT = 'abc' * 100_000\n"
    text += "WORDS = {str(n): n for n in range(60_000)}\nNUMBERS = list(range(60_000))\n"
    text += "ROWS = [[n] for n in range(2_000)]\nFRAME = pd.DataFrame({'a': ARRAY, 'b': 'x'})\n"
    text += "def thing(t):\n    return WORDS, NUMBERS, ROWS, ARRAY, FRAME, TEXT\n"
    module = load(tmp_path, {"script.py": text})
    first = describe(module.thing)
    assert len(canonical(first)) < 2500
    module.WORDS["7"] = module.NUMBERS[7] = module.ROWS[7][0] = module.ARRAY[7] = -1
    module.FRAME.loc[30_000, "b"], module.TEXT = "y", module.TEXT + "d"
    assert len(differences(first, describe(module.thing))) >= 6


def test_things_that_hold_one_another_are_told_once():
    shared = [1]
    for _ in range(28):
        shared = [shared, shared]
    with pytest.raises(cs.ConfigurationError, match=r"list contains too many values.*describe\(\)"):
        describe(shared)


class Rate(float):
    def doubled(self):
        return 2 * self


def test_values_of_the_users_own_kinds_tell_their_class():
    told = describe([Rate(0.5), np.vectorize(lambda t: t + 1), {1: "a", "1": "b"}, str.lower, bytes.lower])
    assert told["value"][0] == {"class": "Rate", "value": 0.5}
    assert "function Rate.doubled" in told["user's code"]
    assert "t + 1" in canonical(told)
    assert sorted(map(str, told["value"][2]["entries"])) == ["['1', 'b']", "[1, 'a']"]
    assert told["value"][3] != told["value"][4]


class Penalised(cs.LeastSquares):
    def __init__(self, X, y, extra):
        super().__init__(X, y)
        self.extra = extra


class Tuned(cs.FastestK):
    def __init__(self, k, extra):
        super().__init__(k)
        object.__setattr__(self, "extra", extra)


@dataclasses.dataclass
class Drawn:
    seed: dataclasses.InitVar[int]
    table: np.ndarray = dataclasses.field(init=False)

    def __post_init__(self, seed):
        self.table = np.random.default_rng(seed).random(3)


def masked(mask):
    return np.ma.MaskedArray([1.0, 2.0], mask=[False, mask])


ROWS, TARGETS = np.eye(3), np.ones(3)


@pytest.mark.parametrize(
    "make",
    [
        lambda number: Penalised(ROWS, TARGETS, number), lambda number: Tuned(2, number), Drawn, random.Random,
        lambda number: collections.deque([np.full(5000, number)]), lambda number: masked(number == 1),
        lambda number: [number, *range(70), 2**70], lambda number: re.compile(f"{number}"),
    ],
    ids=["describe", "dataclass", "no argument", "generator", "deque", "mask", "huge", "C"],
)  # fmt: skip
def test_what_the_users_classes_add_and_what_objects_hold_inside_counts(make):
    assert describe(make(1)) == describe(make(1))
    assert describe(make(1)) != describe(make(2))


def test_a_run_leaves_the_description_of_a_users_problem_as_it_is():
    problem = Penalised(ROWS, TARGETS, 1.0)
    before = describe(problem)
    problem.evaluate(problem.initial_model())
    assert problem.optimum is not None
    assert describe(problem) == before


def test_what_cannot_be_told_by_its_attributes_is_refused():
    with pytest.raises(cs.ConfigurationError, match="different numbers in every run"):
        describe(random.SystemRandom())


def test_imports_of_the_same_name_are_told_apart(tmp_path):
    text = "def plain(t):\n    from first import rate as a\n    from second import rate as b\n    return a(t) + b(t)\n"
    files = {"script.py": text + "thing = plain\n", "second.py": "def rate(t):\n    return 2.0\n"}
    told = []
    for number in (3.0, 5.0):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        for name, content in {**files, "first.py": f"def rate(t):\n    return {number}\n"}.items():
            (folder / name).write_text(content)
        (folder / "tell.py").write_text(
            "import sys; from pathlib import Path; from clustersim.studies.configuration import describe\n"
            "from clustersim.studies.plain_json import canonical; import script\n"
            "print(canonical(describe(script.thing)))\n"
        )
        told.append(output(folder / "tell.py"))
    assert told[0] != told[1]


# --- the README's policy, from end to end ----------------------------------------------------------------------------

README = (Path(__file__).parents[3] / "README.md").read_text()
GROWING = next(
    block for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL) if "class GrowingState" in block
)
RUN = """
import sys

study = cs.Study(
    name="growing",
    problem=cs.LeastSquares.synthetic(rows=40, features=2, design="gaussian", seed=7),
    cluster=cs.Cluster(workers=6, compute=cs.Exponential(mean=1.0)),
    policies={"growing": policy},
    optimizer=cs.SGD(1e-5),
    until=cs.Until(updates=10),
    replications=1,
)
for _ in range(2):
    try:
        study.run(sys.argv[1])
    except cs.ResultsError as error:
        print(error)
"""


def test_the_policy_of_the_readme_is_not_mistaken_for_a_changed_one(tmp_path, monkeypatch, capsys):
    """In a process of its own, twice in this one, and in another one after a change."""
    script, out = tmp_path / "growing.py", tmp_path / "out"
    text = "import clustersim as cs\n" + GROWING.replace("cs.conformance.check_policy(policy)", "") + RUN
    script.write_text(text)
    assert output(script, out) == "", "twice in a process, and nothing is refused"
    layout = text.replace("1 + updated", "1 +   updated").replace("import sys", "import sys  # comment")
    monkeypatch.setattr(sys, "argv", ["script.py", str(out)])
    load(tmp_path, {"script.py": layout})
    assert capsys.readouterr().out == ""
    script.write_text(text.replace("1 + updated", "5 + updated"))
    told = output(script, out)
    assert "policy 'growing': function GrowingState.opened: text differs, first in 'self.k = min(" in told
    assert "1 + updated.version" in told
    assert "5 + updated.version" in told
