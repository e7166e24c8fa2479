"""Values that make no sense as most arguments, and plain twins of those that do in a strange dress."""

import enum
import itertools
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy import sparse

import clustersim as cs


class Unprintable:
    """A value that cannot even be shown."""

    def __repr__(self):
        raise RuntimeError("no")


class Word(str):
    """A word of a type of its own."""


class Two(enum.IntEnum):
    """A whole number of a type of its own."""

    TWO = 2


class Real(float):
    """A number of a type of its own."""


NONSENSE = {
    "None": lambda: None,
    "True": lambda: True,
    "False": lambda: False,
    "word": lambda: "text",
    "no word": lambda: "",
    "digit": lambda: "2",
    "bytes": lambda: b"2",
    "bytearray": lambda: bytearray(b"12"),
    "memoryview": lambda: memoryview(b"12"),
    "nan": lambda: math.nan,
    "inf": lambda: math.inf,
    "-inf": lambda: -math.inf,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2": lambda: 2,
    "3": lambda: 3,
    "0.5": lambda: 0.5,
    "1e-320": lambda: 1e-320,
    "1e-300": lambda: 1e-300,
    "1e15": lambda: 1e15,
    "1e300": lambda: 1e300,
    "1e308": lambda: 1e308,
    "-1e308": lambda: -1e308,
    "400 digits": lambda: 10**400,
    "-400 digits": lambda: -(10**400),
    "5000 digits": lambda: 10**5000,
    "2**63": lambda: 2**63,
    "2**64": lambda: 2**64,
    "complex": lambda: 1 + 2j,
    "Decimal": lambda: Decimal("0.5"),
    "huge Fraction": lambda: Fraction(10**400, 3),
    "np nan": lambda: np.float32(np.nan),
    "np longdouble": lambda: np.longdouble("1e4000"),
    "np complex": lambda: np.complex64(1),
    "np bytes": lambda: np.bytes_(b"2"),
    "np datetime": lambda: np.datetime64("2020-01-01"),
    "np void": lambda: np.zeros(1, dtype=[("a", int)])[0],
    "0-d text": lambda: np.array("2"),
    "0-d object": lambda: np.array(None),
    "no array": lambda: np.array([]),
    "nan array": lambda: np.array([1.0, np.nan]),
    "inf array": lambda: np.array([np.inf, 1.0]),
    "text array": lambda: np.array(["1", "2"]),
    "object array": lambda: np.array([1, "2"], dtype=object),
    "text in objects": lambda: np.array([["1", "2"], ["3", "4"]], dtype=object),
    "bool array": lambda: np.array([True, False]),
    "complex array": lambda: np.array([1j, 2.0]),
    "masked array": lambda: np.ma.array([1.0, 2.0], mask=[True, False]),
    "3-d array": lambda: np.ones((2, 2, 2)),
    "matrix": lambda: np.ones((3, 2)),
    "negative array": lambda: np.array([-1.0, 2.0]),
    "falling array": lambda: np.array([2.0, 1.0]),
    "list": lambda: [1, 2],
    "no list": list,
    "ragged": lambda: [[1.0], [1.0, 2.0]],
    "words": lambda: ["1", "2"],
    "mixed": lambda: [1, None, "x"],
    "nans": lambda: [math.nan],
    "huge list": lambda: [10**400, 1],
    "nested": lambda: [[[1]]],
    "tuple": lambda: (1.0, 2.0),
    "no tuple": tuple,
    "dict": lambda: {1: 2},
    "set": lambda: {1, 2},
    "range": lambda: range(1, 3),
    "iterator": lambda: iter([1, 2]),
    "endless": itertools.count,
    "object": object,
    "unprintable": Unprintable,
    "type": lambda: int,
    "function": lambda: lambda t: 0.1 / t,
    "bad function": lambda: lambda: 1,
    "lying function": lambda: lambda t: "x",
    "Ellipsis": lambda: ...,
    "Series": lambda: pd.Series([1.0, 2.0]),
    "frame": lambda: pd.DataFrame({"a": ["1", "2"]}),
    "sparse": lambda: sparse.eye_array(2, format="csr"),
    "sparse complex": lambda: sparse.csr_array(np.array([[1j, 0.0]])),
    "model": lambda: cs.Exponential(1.0),
    "replay": lambda: cs.Replay([[1.0, 2.0, 3.0]]),
    "never": lambda: cs.Constant(1e99),
    "heavy": lambda: cs.Weibull(1.0, 0.02),
    "link": lambda: cs.Link(latency=0.1, bandwidth=1e-300),
    "policy": lambda: cs.FastestK(2),
    "rule": lambda: cs.waits.Deadline(1e-300),
    "placement": lambda: cs.placements.BlockDesign(7),
    "decoder": lambda: cs.decoders.Unbiased(0.9),
    "optimizer": lambda: cs.SGD(1e300),
    "until": lambda: cs.Until(error=1e-300, updates=3),
}
"""Makers of values, by name."""

TWINS = {
    "np int8": (lambda: np.int8(2), 2),
    "np int16": (lambda: np.int16(3), 3),
    "np uint8": (lambda: np.uint8(1), 1),
    "np int64": (lambda: np.int64(2), 2),
    "np float16": (lambda: np.float16(0.5), 0.5),
    "np float32": (lambda: np.float32(0.25), 0.25),
    "np float64": (lambda: np.float64(2.0), 2.0),
    "np longdouble": (lambda: np.longdouble(0.5), 0.5),
    "np bool": (lambda: np.True_, True),
    "np word": (lambda: np.str_("restart"), "restart"),
    "0-d whole": (lambda: np.array(2), 2),
    "0-d real": (lambda: np.array(0.5), 0.5),
    "Fraction": (lambda: Fraction(1, 2), 0.5),
    "-0.0": (lambda: -0.0, 0.0),
    "own word": (lambda: Word("none"), "none"),
    "own whole": (lambda: Two.TWO, 2),
    "own real": (lambda: Real(0.5), 0.5),
    "array": (lambda: np.array([1, 2]), [1, 2]),
    "fractions": (lambda: [Fraction(1, 2), 1], [0.5, 1]),
    "small array": (lambda: np.array([1, 2], dtype=np.int8), [1, 2]),
    "series": (lambda: pd.Series([0.5, 1.0]), [0.5, 1.0]),
}
"""Makers of values with what they are in plain types: both are refused, or both make the same."""
