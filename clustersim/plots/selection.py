"""The choice of what a figure shows: policies, variants, and at most six panels on a page.

`Results` and the user's choice come in. Results with fewer runs go out, with sentences about what is left out.
"""

import math
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from clustersim.checks import integer
from clustersim.errors import ConfigurationError
from clustersim.studies import Results

__all__ = ["MOST_CURVES", "MOST_PANELS", "Selection", "listed", "select", "shown_variants"]

MOST_PANELS = 6
"""The number of panels on a page."""
MOST_PAGES = 2
MOST_CURVES = 12
"""The number of curves in a panel, unless the user names more policies."""


@dataclass(frozen=True)
class Selection:
    """What is shown of a study.

    Attributes
    ----------
    results : Results
        The results, without the policies that are not shown. Policies keep their places, and so their colours.
    variants : tuple of str
        The variants, each in a panel of its own.
    remarks : tuple of str
        Sentences about what is left out.
    """

    results: Results
    variants: tuple[str, ...]
    remarks: tuple[str, ...] = field(default=())

    @property
    def pages(self) -> int:
        """The number of pages."""
        return max(1, math.ceil(len(self.variants) / MOST_PANELS))

    def page(self, place: int) -> "Selection":
        """Return a page; `place` counts from 1.

        Raises
        ------
        ConfigurationError
            If there is no such page.
        """
        integer("page", place, low=1)
        if place > self.pages:
            raise ConfigurationError(f"page = {place}: expected at most {self.pages}, the number of pages")
        if self.pages == 1:
            return self
        first = (place - 1) * MOST_PANELS
        remarks = (*self.remarks, f"Page {place} of {self.pages}.")
        return replace(self, variants=self.variants[first : first + MOST_PANELS], remarks=remarks)


def select(results: Results, policies: Iterable[str] | None = None, variants: Iterable[str] | None = None) -> Selection:
    """Choose what to show: what the user has named, else all policies and variants unless there are many.

    Of more than twelve variants, six are shown, evenly spaced; of more than twelve policies in a variant, twelve.

    Raises
    ------
    ConfigurationError
        If there is no such policy or variant.
    """
    remarks = []
    shown = shown_variants(results)
    if variants is not None:
        shown = _labels("variants", variants, results.variants)
    elif len(shown) > MOST_PAGES * MOST_PANELS:
        remarks.append(f"{MOST_PANELS} of {len(shown)} variants are shown, evenly spaced.")
        shown = _spaced(shown, MOST_PANELS)
    runs = _policies_with_runs(results)
    if policies is not None:
        named = _labels("policies", policies, results.policies)
        dropped = {
            (variant, policy) for variant in results.variants for policy in results.policies if policy not in named
        }
    else:
        found = {variant: runs.get(variant, []) for variant in shown}
        dropped = {(v, policy) for v, some in found.items() for policy in {*some} - {*_spaced(some, MOST_CURVES)}}
        if dropped:
            most = max(map(len, found.values()))
            remarks.append(f"{MOST_CURVES} of {most} policies are shown, evenly spaced.")
    return Selection(_without(results, dropped), tuple(shown), tuple(remarks))


def shown_variants(results: Results) -> list[str]:
    """Return the variants with runs; if there are none, the first variant, whose panel stays empty."""
    runs = _policies_with_runs(results)
    return [variant for variant in results.variants if variant in runs] or [*results.variants[:1]]


def _policies_with_runs(results: Results) -> dict[str, list[str]]:
    """Return the policies with runs, finished or failed, of each variant."""
    tables = [table[["variant", "policy"]] for table in (results.frame, results.failures) if len(table)]
    if not tables:
        return {}
    pairs = {*pd.concat(tables).drop_duplicates().itertuples(index=False, name=None)}
    found = {v: [p for p in results.policies if (v, p) in pairs] for v in results.variants}
    return {variant: policies for variant, policies in found.items() if policies}


def _without(results: Results, dropped: set[tuple[str, str]]) -> Results:
    """Leave out the runs of some pairs of variant and policy."""
    if not dropped:
        return results

    def rows(table: pd.DataFrame) -> pd.DataFrame:
        return table if table.empty else table[~pd.MultiIndex.from_frame(table[["variant", "policy"]]).isin(dropped)]

    missing = tuple(key for key in results.missing if (key.variant, key.policy) not in dropped)
    frame, totals, failures = map(rows, (results.frame, results.totals, results.failures))
    return replace(results, missing=missing, frame=frame, totals=totals, failures=failures)


def listed(name: str, given: Any) -> list[Any]:
    """Return one text as a list, and several of them too.

    Raises
    ------
    ConfigurationError
        If it is neither.
    """
    if not isinstance(given, str) and not np.iterable(given):
        raise ConfigurationError(f"{name} = {reprlib.repr(given)}: expected a text, or several of them")
    return [given] if isinstance(given, str) else [*given]


def _labels(name: str, given: Any, known: Sequence[str]) -> list[str]:
    """Check labels that a user has named, and return them in the order of the study."""
    labels = listed(name, given)
    wrong = reprlib.repr(given) if not labels else next((repr(one) for one in labels if one not in known), "")
    if not labels or wrong:
        some = ", ".join(map(repr, known[:20])) + (", ..." if len(known) > 20 else "")
        raise ConfigurationError(f"{name}: {wrong}: expected one or more of {some}")
    return [one for one in known if one in labels]


def _spaced(labels: Sequence[str], most: int) -> list[str]:
    """Choose some labels that are evenly spaced, the first and the last among them."""
    places = np.linspace(0, len(labels) - 1, min(len(labels), most))
    return [labels[round(place)] for place in places.tolist()]
