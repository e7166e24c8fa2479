"""A script and its modules that reach functions, classes and values in every way that there is."""

SCRIPT = '''
"""A script that reaches things in many ways; every number in it occurs once."""
import contextlib
import dataclasses
import enum
import functools
import typing

import numpy as np

import helper
import package.inner
from helper import imported, scale as scaling

RATE = 101
TABLE = {"a": 103, "b": [107, {"c": 109}]}
GIVEN = 487
LIMITS = frozenset({"x", "y", "z113"})
UNUSED = 1
wide = 2  # `local` has a variable of this name


def plain(t):
    """Twice."""
    return RATE * t + 127


def nested(t):
    def inner(s):
        return deeper(s)

    return [inner(s) + TABLE["a"] for s in range(t) if str(s) in LIMITS]


def deeper(t):
    return 131 * t


def local(t):
    wide = t
    return t.UNUSED + wide


def defaults(t, rate=137, *, shift=139, given=GIVEN):
    return rate * t + shift + given


def doubling(f):
    @functools.wraps(f)
    def wrapper(*args):
        return 149 * f(*args)

    return wrapper


def scaled(factor):
    def decorate(f):
        def wrapper(*args):
            return factor * f(*args)

        return wrapper

    return decorate


@doubling
def decorated(t):
    return 151 * t


@scaled(157)
def by_factory(t):
    return 163 * t


@functools.lru_cache
def cached(t):
    return 167 * t


@functools.singledispatch
def dispatched(t):
    return 173


@dispatched.register
def _(t: int):
    return 179


def lazy(t):
    from late import late_rate
    import package.late

    return late_rate * t + package.late.later(t)


def through_modules(t):
    return helper.twice(t) + package.inner.thrice(t) + helper.OFFSET + imported + scaling(t)


def escaping(t):
    return apply(package.whole, t)


def apply(module, t):
    return module.anything(t)


def marked(t):
    return marked.factor * t


marked.factor = 181


@contextlib.contextmanager
def opened(t):
    yield 457


@np.vectorize
def vectorized(t):
    return 461 * t


class Meta(type):
    def made(cls):
        return 191


class Base:
    shift = 193
    heights = [197, 199]

    def parent(self):
        return 211


@dataclasses.dataclass(frozen=True)
class Rule(Base, metaclass=Meta):
    period: int
    weight: int = 223
    made: list = dataclasses.field(default_factory=lambda: [227])
    kind = "k229"

    def begin(self, t):
        return State(self.period).step(t)

    @property
    def prop(self):
        return 233

    @staticmethod
    def fixed():
        return 239

    @classmethod
    def of(cls):
        return 241

    @functools.cached_property
    def kept(self):
        return 251

    @doubling
    def wrapped(self):
        return 257

    @functools.lru_cache
    def remembered(self):
        return 263

    part = functools.partialmethod(lambda self, t: 463, 467)
    generator = np.random.default_rng(479)

    def __call__(self, t):
        return super().parent() + 269

    def circle(self):
        return circle(self)


class State:
    def __init__(self, period):
        self.period = period

    def step(self, t):
        return min(271, t) + Colour.RED.value + Point().x


def circle(rule):
    return Rule(277)


class Colour(enum.Enum):
    RED = 281

    def shade(self):
        return 283


class Point(typing.NamedTuple):
    x: int = 293

    def norm(self):
        return 307


class Slots:
    __slots__ = ("rate",)

    def __init__(self, rate):
        self.rate = rate


class Table(dict):
    def __missing__(self, key):
        return 311


class Held:
    def held(self):
        return 313


class Own:
    """Describes itself, and does not mention the code that it holds."""

    def __init__(self, parts):
        self.parts = parts

    def describe(self):
        return "own"


def unreached(t):
    return 1


thing = {
    "functions": [plain, nested, local, defaults, decorated, by_factory, cached, dispatched, lazy, through_modules,
                  escaping, marked, opened, vectorized],
    "lambdas": [lambda t: 331, functools.partial(lambda t, s: 337, s=347), (349).__add__, (lambda t: 1 / t)],
    "objects": [Rule(353), Slots(359), Table(a=367), Own({"held": [Held()], "function": lambda t: 317}), Rule(1).begin,
                Colour.RED],
    "kind": Rule,
}
'''
HELPER = """
OFFSET = 401
SPARE = 1
imported = 409
inside = 419


def twice(t):
    return 421 * t + inside


def scale(t):
    return 431 * t


def unreached(t):
    return 1
"""
FILES = {
    "script.py": SCRIPT,
    "helper.py": HELPER,
    "late.py": "late_rate = 433\nspare = 1\n",
    "package/__init__.py": "from package import inner, whole\n\nspare = 1\n",
    "package/inner.py": "def thrice(t):\n    return 439 * t\n\n\ndef unreached(t):\n    return 1\n",
    "package/late.py": "def later(t):\n    return 443 * t\n",
    "package/whole.py": "def anything(t):\n    return 449 * t\n",
}
