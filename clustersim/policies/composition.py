"""Named schemes: each says of what parts it is composed, and nothing else.

Its parts check its parameters and keep them in plain types, and so does the scheme: equal schemes print alike.
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
    """A named scheme: it says of what it is composed, and nothing else. Its parts check its parameters."""

    def __post_init__(self) -> None:
        self.compose()
        store(self, **_plain(self))

    @abstractmethod
    def compose(self) -> Policy:
        """The scheme as placement, wait rule, decoder and what else it is made of."""

    @property
    def work(self) -> Work:
        """What the workers compute in a task."""
        return self.compose().work

    def begin(self, setting: Setting) -> PolicyState:
        """Begin a run; raises `ConfigurationError` if the hyper-parameters do not fit the cluster."""
        return self.compose().begin(setting)


def _plain(scheme: Any) -> dict[str, Any]:
    """Words and numbers among the parameters, which the parts have checked, in the plain types that are declared.

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
            plain[part.name] = float(value) + 0.0  # no zero is negative
        elif isinstance(value, Integral):
            plain[part.name] = int(value)
    return plain
