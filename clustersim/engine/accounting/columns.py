"""Names of columns: those that every history has, and those that a problem's metrics may not take.

Data flows in from `Problem.metrics`, and out, checked, to the `HistoryRecorder` and to the checks of a study.
"""

import reprlib
from collections.abc import Mapping
from numbers import Real
from typing import Any

from clustersim.engine.accounting.ledger import Ledger
from clustersim.errors import ConfigurationError
from clustersim.ticks import Ticks

__all__ = ["BOOKKEEPING", "KEYS", "RESERVED", "SUMS", "checked_metrics"]

KEYS = ("variant", "policy", "replication")
"""What tells one run of a study from another."""

SUMS = {way: (f"uplink_{way}", f"downlink_{way}") for way in ("messages", "vectors", "bytes")}
"""Uplink and downlink together, and what they are made of."""

BOOKKEEPING = (
    "time",
    "update",
    "k",
    *(c for parts in SUMS.values() for c in parts),
    "compute_wasted",
    "mean_staleness",
)
"""The columns of every history beside the error and the loss."""

_TOTALS = ("updates", "reason", *Ledger().totals(0, 0, 0, Ticks(1.0)))
_TABLES = ("mean", "low", "high", "average", "replications", "seed", "target", "reached", "at_start", "ratio")
RESERVED = frozenset((*KEYS, *SUMS, *BOOKKEEPING, "error", "loss", *_TOTALS, *_TABLES))
"""Names that mean something else in a history, in totals or in the tables made of them."""


def checked_metrics(metrics: Any) -> dict[str, float]:
    """Return what a problem measures, as floats, or say what is wrong with it.

    Parameters
    ----------
    metrics : mapping of str to real number
        The answer of `Problem.metrics`. NaN and infinite values are numbers here: they say that nothing can be told.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ConfigurationError
        If it is no mapping, a name is reserved or not to be printed, or a value is no real number.

    Examples
    --------
    >>> checked_metrics({"test_accuracy": 1})
    {'test_accuracy': 1.0}
    >>> checked_metrics({"time": 3.0})
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: metrics: the name 'time' is taken by a column of clustersim's own; choose another, such as 'my_time'
    """  # noqa: E501 - the message is one line
    if not isinstance(metrics, Mapping):
        raise ConfigurationError(f"metrics = {reprlib.repr(metrics)}: expected a mapping from names to numbers")
    return {_checked_name(name): _checked_value(name, value) for name, value in metrics.items()}


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or name != name.strip() or not name or not name.isprintable():
        told = reprlib.repr(name)
        raise ConfigurationError(f"metrics: name {told}: expected one line of text without blanks around it")
    if name in RESERVED:
        raise ConfigurationError(
            f"metrics: the name {name!r} is taken by a column of clustersim's own; choose another, such as 'my_{name}'"
        )
    return str(name)


def _checked_value(name: str, value: Any) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError
        return float(value)
    except (TypeError, OverflowError, ValueError):
        told = reprlib.repr(value)
        raise ConfigurationError(f"metrics[{name!r}] = {told}: expected a real number, such as a float") from None
