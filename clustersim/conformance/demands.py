"""What all conformance checks share: the error, demands in one line, and laws that every part of the package keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np

from clustersim.checks import shown
from clustersim.errors import ClusterSimError
from clustersim.studies.configuration import describe
from clustersim.studies.packing import pack, unpack

__all__ = ["BOUND", "ConformanceError", "array_of", "check_value", "demand", "leaves_global_randomness_alone", "real"]

BOUND = 5.0
"""Standard errors by which a mean of draws may miss its expectation: a correct part does once in two million times."""


class ConformanceError(ClusterSimError, AssertionError):
    """A part breaks a law; the message says which.

    Examples
    --------
    A decoder that is not a frozen dataclass:

    >>> import clustersim as cs
    >>> class Halves(cs.decoders.Decoder):
    ...     def weights(self, assignment, workers):
    ...         return 0.5
    ...     def __repr__(self):
    ...         return "Halves()"
    >>> try:
    ...     cs.conformance.check_decoder(Halves())
    ... except cs.conformance.ConformanceError as error:
    ...     print(error)
    Halves() is not a dataclass
    """


def demand(law: bool, complaint: str) -> None:
    """Raise a `ConformanceError` unless a law holds."""
    if not law:
        raise ConformanceError(complaint)


def real(value: Any, what: str) -> float:
    """Demand a single real number of any type, and return it as a float; `what` names the call that returned it."""
    try:
        single = np.ndim(value) == 0 and not np.iscomplexobj(value) and not isinstance(value, str)
        return float(value) if single else float("none")
    except (TypeError, ValueError):
        raise ConformanceError(f"{what} returns {shown(value)}: expected a number") from None


def array_of(value: Any, shape: tuple[int, ...], what: str) -> None:
    """Demand an array of this shape; `what` names the call that returned it."""
    demand(
        isinstance(value, np.ndarray) and value.shape == shape,
        f"{what} returns {shown(value)}: expected an array of shape {shape}",
    )


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
        raise ConformanceError(f"{shown(part)} cannot be sent to another process ({error}); {remedy}") from error
    demand(
        describe(copy) == describe(part),
        f"{shown(part)} arrives in another process as {shown(copy)}, which is not the same",
    )


@contextmanager
def leaves_global_randomness_alone(part: object) -> Iterator[None]:
    """Demand that nothing draws from NumPy's global generator meanwhile."""
    before = np.random.get_state(legacy=False)  # noqa: NPY002 - to see that nobody uses it
    yield
    after = np.random.get_state(legacy=False)  # noqa: NPY002
    same = before["state"]["pos"] == after["state"]["pos"] and bool(
        np.array_equal(before["state"]["key"], after["state"]["key"])
    )
    demand(
        same,
        f"{shown(part)} draws from NumPy's global random state; use the generator or the uniforms that it is given",
    )
