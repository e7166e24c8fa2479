"""Names of columns: those that every history has, and those that a problem's metrics must not use.

Metrics flow in from `Problem.metrics`. They are checked and flow out to the `HistoryRecorder` and to the checks of a
study.
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
"""The columns that identify a run of a study."""

SUMS = {way: (f"uplink_{way}", f"downlink_{way}") for way in ("messages", "vectors", "bytes")}
"""Columns that are the sum of uplink and downlink, and the names of both terms."""

BOOKKEEPING = (
    "time",
    "update",
    "k",
    *(c for parts in SUMS.values() for c in parts),
    "compute_wasted",
    "mean_staleness",
)
"""The columns of every history other than the error and the loss."""

_TOTALS = ("updates", "reason", *Ledger().totals(0, 0, 0, Ticks(1.0)))
_TABLES = ("mean", "low", "high", "average", "replications", "seed", "target", "reached", "at_start", "ratio")
RESERVED = frozenset((*KEYS, *SUMS, *BOOKKEEPING, "error", "loss", *_TOTALS, *_TABLES))
"""Names that already have a meaning in a history, in totals or in the tables made from them."""


def checked_metrics(metrics: Any) -> dict[str, float]:
    """Check the metrics of a problem and return them as floats.

    Parameters
    ----------
    metrics : mapping of str to real number
        The result of `Problem.metrics`. NaN and infinite values are allowed; they stand for an unknown value.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ConfigurationError
        If `metrics` is not a mapping, a name is reserved or not printable, or a value is not a real number.

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
        shown = reprlib.repr(name)
        raise ConfigurationError(f"metrics: name {shown}: expected one line of text without blanks around it")
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
        shown = reprlib.repr(value)
        raise ConfigurationError(f"metrics[{name!r}] = {shown}: expected a real number, such as a float") from None
