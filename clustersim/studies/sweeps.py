"""Sweeps: the variants of a study over a grid of values, such as every number of workers with every probability.

`grid` makes the variants for `clustersim.Study`. The swept values become columns of the results, so that
`Results.pivot`, `clustersim.plots.heatmap` and `clustersim.plots.lines` can lay them out.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from clustersim.engine.accounting import columns
from clustersim.errors import ConfigurationError
from clustersim.studies.user_code import users_errors

__all__ = ["Scalar", "Variant", "column_of", "grid", "swept_values", "with_swept"]

Scalar = bool | int | float | str
_TAKEN = columns.RESERVED - {"k"}


@dataclass(frozen=True, eq=False)
class Variant(Mapping[str, Any]):
    """A variant of a study: the settings in which it differs, and the values of the sweep that it stands for.

    Parameters
    ----------
    overrides : mapping
        The settings that differ from the study's, as for ``Study(variants=...)``.
    swept : mapping of str to bool, int, float or str
        The values of the swept parameters; they become columns of the results.

    Examples
    --------
    >>> variant = Variant({"until": 5.0}, {"p": 0.1})
    >>> variant["until"], variant.swept["p"]
    (5.0, 0.1)
    """

    overrides: Mapping[str, Any]
    swept: Mapping[str, Scalar] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """Return an overridden setting."""
        return self.overrides[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the overridden settings."""
        return iter(self.overrides)

    def __len__(self) -> int:
        """Return the number of overridden settings."""
        return len(self.overrides)


def grid(build: Callable[..., Mapping[str, Any]], /, **values: Any) -> dict[str, Variant]:
    """Make a variant of a study for every combination of the given values.

    Parameters
    ----------
    build : callable
        ``build(p=..., workers=...)`` returns what a variant overrides: a mapping with any of problem, cluster,
        optimizer, until and policies.
    **values : sequence or mapping
        For each parameter of `build`, its values: numbers or texts. For other objects, give a mapping from a label to
        the object: `build` gets the object, and the results show the label.

    Returns
    -------
    dict of str to Variant
        The variants by label, such as ``"p = 0.1, workers = 10"``; the last parameter varies fastest. Give them to
        ``Study(variants=...)``. In the results, each parameter is a column with its values. A parameter named k is the
        column ``swept_k`` in tables that have a column k already, the number of messages that a policy waits for.

    Raises
    ------
    ConfigurationError
        If `build` fails or does not return a mapping, a parameter has no values or one that occurs twice, or its name
        is that of another column of the results.

    Examples
    --------
    >>> import clustersim as cs
    >>> def build(p, workers):
    ...     return {"cluster": cs.Cluster(workers, cs.BernoulliStraggler(p), scaling="none")}
    >>> variants = cs.grid(build, p=[0.1, 0.3], workers=[10, 20])
    >>> [*variants]
    ['p = 0.1, workers = 10', 'p = 0.1, workers = 20', 'p = 0.3, workers = 10', 'p = 0.3, workers = 20']
    >>> variants["p = 0.3, workers = 10"].swept
    {'p': 0.3, 'workers': 10}
    """
    if not callable(build):
        raise ConfigurationError(f"build = {build!r}: expected a function that returns what a variant overrides")
    if not values:
        raise ConfigurationError("grid(): expected at least one parameter with its values, such as p=[0.1, 0.3]")
    axes = {name: _axis(name, axis) for name, axis in values.items()}
    variants = {}
    for point in product(*(axis.items() for axis in axes.values())):
        swept = {name: value for name, (value, _) in zip(axes, point, strict=True)}
        label = ", ".join(f"{name} = {value}" for name, value in swept.items())
        with users_errors(f"build failed for {label}"):
            overrides = build(**{name: thing for name, (_, thing) in zip(axes, point, strict=True)})
        if not isinstance(overrides, Mapping):
            raise ConfigurationError(
                f"build returned {overrides!r} for {label}: expected a mapping of the settings that differ, such as "
                '{"cluster": ...}'
            )
        variants[label] = Variant(overrides, swept)
    return variants


def column_of(name: str, existing: Container[str]) -> str:
    """Return the name of a swept parameter's column in a table that has these columns already.

    Examples
    --------
    >>> column_of("p", ["k"]), column_of("k", ["k"])
    ('p', 'swept_k')
    """
    return f"swept_{name}" if name in existing else name


def with_swept(table: pd.DataFrame, swept: Mapping[str, Mapping[str, Scalar]], place: int) -> pd.DataFrame:
    """Insert the columns of the swept values at a place in a table that has a column variant.

    A variant without a value has None there, or NaN if the other values are numbers.
    """
    names = dict.fromkeys(name for values in swept.values() for name in values)
    taken = set(table.columns)
    codes, labels = pd.factorize(table["variant"])
    for offset, name in enumerate(names):
        values = pd.Series([swept.get(str(label), {}).get(name) for label in labels])
        table.insert(place + offset, column_of(name, taken), values.take(codes).array)
    return table


def swept_values(variants: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Scalar]]:
    """Return the swept values of those variants that have any, by label."""
    return {label: dict(v.swept) for label, v in variants.items() if isinstance(v, Variant) and v.swept}


def _axis(name: str, values: Any) -> dict[Scalar, Any]:
    """Check the values of one parameter; return the objects for `build` by the value that the results show."""
    if name in _TAKEN:
        raise ConfigurationError(
            f"{name} = {values!r}: the results have a column {name!r} already; choose another name"
        )
    if isinstance(values, str) or not (isinstance(values, Mapping) or np.iterable(values)):
        raise ConfigurationError(f"{name} = {values!r}: expected a list of values, such as {name}=[{values!r}]")
    things = values if isinstance(values, Mapping) else [(value, value) for value in values]
    axis: dict[Scalar, Any] = {}
    for given, thing in things.items() if isinstance(things, Mapping) else things:
        value = _scalar(name, given)
        if value in axis:
            raise ConfigurationError(f"{name}: {value!r} occurs twice; give each value once")
        axis[value] = thing
    if not axis:
        raise ConfigurationError(f"{name} = {values!r}: expected at least one value")
    return axis


def _scalar(name: str, value: Any) -> Scalar:
    """Return a value as a plain bool, int, float or str."""
    plain = value.item() if isinstance(value, np.generic) else value
    finite = not isinstance(plain, float) or np.isfinite(plain)
    if isinstance(plain, bool | int | float) and finite:
        return plain
    if isinstance(plain, str) and plain == plain.strip() and plain.isprintable() and plain:
        return plain
    raise ConfigurationError(
        f"{name}: value {value!r}: expected a finite number or one line of text; for other objects give a mapping from "
        f"labels, such as {name}={{'label': object}}"
    )
