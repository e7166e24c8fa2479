"""The base class of named schemes, each of which is a composition of a placement, a wait rule and a decoder.

`Composition.compose` returns the policy that does the work. The parts check the parameters and store them in plain
types; the scheme stores the plain types too, so that equal schemes print alike.
"""

from abc import abstractmethod
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

import numpy as np

from clustersim.checks import store
from clustersim.protocol import Policy, PolicyState, Setting, Work

__all__ = ["Composition"]


class Composition(Policy):
    """Base class of named schemes: frozen dataclasses whose parameters are checked by the parts that they compose.

    Examples
    --------
    A scheme of your own defines its parameters and `compose`:

    >>> from dataclasses import dataclass
    >>> import clustersim as cs
    >>> @dataclass(frozen=True)
    ... class HalfOfThem(Composition):
    ...     batch: int
    ...     def compose(self):
    ...         return cs.Synchronous(cs.waits.Fraction(0.5), batch=self.batch)
    >>> HalfOfThem(np.int8(8))
    HalfOfThem(batch=8)
    """

    def __post_init__(self) -> None:
        self.compose()
        store(self, **_plain(self))

    @abstractmethod
    def compose(self) -> Policy:
        """Return the policy that carries the scheme out, and raise `ConfigurationError` for bad parameters."""

    @property
    def work(self) -> Work:
        """What the workers compute in a task."""
        return self.compose().work

    def begin(self, setting: Setting) -> PolicyState:
        """Begin a run; raises `ConfigurationError` if the hyper-parameters do not fit the cluster."""
        return self.compose().begin(setting)


def _plain(scheme: Any) -> dict[str, Any]:
    """Return the words and numbers among the parameters, which `compose` has checked, in the plain declared types.

    Examples
    --------
    >>> from clustersim import FastestK
    >>> FastestK(np.int8(3), warm_up=2)
    FastestK(k=3, warm_up=2.0)
    """
    plain: dict[str, Any] = {}
    for part in fields(scheme):
        value = getattr(scheme, part.name)
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value[()]
        if isinstance(value, str):
            plain[part.name] = str(value)
        elif isinstance(value, bool | np.bool_):
            plain[part.name] = bool(value)
        elif isinstance(value, Real) and "float" in str(part.type):
            plain[part.name] = float(value) + 0.0  # -0.0 becomes 0.0
        elif isinstance(value, Integral):
            plain[part.name] = int(value)
    return plain
