"""What all conformance checks share: the error, demands in one line, and laws that every part of the package keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np

from clustersim.errors import ClusterSimError
from clustersim.studies.configuration import describe
from clustersim.studies.packing import pack, unpack

__all__ = ["BOUND", "ConformanceError", "check_value", "demand", "leaves_global_randomness_alone"]

BOUND = 5.0
"""Standard errors by which a mean of draws may miss its expectation: a correct part does once in two million times."""


class ConformanceError(ClusterSimError, AssertionError):
    """A part breaks a law; the message says which."""


def demand(law: bool, complaint: str) -> None:
    """Raise a `ConformanceError` unless a law holds."""
    if not law:
        raise ConformanceError(complaint)


def check_value(part: Any) -> None:
    """Demand a frozen dataclass that compares, hashes, prints and pickles by its hyper-parameters."""
    if not is_dataclass(part) or isinstance(part, type):
        raise ConformanceError(f"{part!r} is not a dataclass")
    demand(type(part).__dataclass_params__.frozen, f"{part!r} is not frozen: use @dataclass(frozen=True)")  # type: ignore[attr-defined]
    copy = replace(part)
    demand(copy == part, f"{part!r} does not equal its copy")
    demand(hash(copy) == hash(part), f"{part!r} and its copy have different hashes")
    check_pickles(part)
    demand(type(part).__name__ in repr(part), f"{part!r} does not print its name")


def check_pickles(part: Any) -> None:
    """Demand that a part can be sent to another process, as studies do."""
    try:
        copy = unpack(pack(part))
    except Exception as error:  # whatever the part's own pickling raises
        remedy = "hold plain values instead of open files, locks, generators and the like"
        raise ConformanceError(f"{part!r} cannot be sent to another process ({error}); {remedy}") from error
    demand(describe(copy) == describe(part), f"{part!r} arrives in another process as {copy!r}, which is not the same")


@contextmanager
def leaves_global_randomness_alone(part: object) -> Iterator[None]:
    """Demand that nothing draws from NumPy's global generator meanwhile."""
    before = np.random.get_state(legacy=False)  # noqa: NPY002 - to see that nobody uses it
    yield
    after = np.random.get_state(legacy=False)  # noqa: NPY002
    same = before["state"]["pos"] == after["state"]["pos"] and bool(
        np.array_equal(before["state"]["key"], after["state"]["key"])
    )
    demand(same, f"{part!r} draws from NumPy's global random state; use the generator or the uniforms that it is given")
