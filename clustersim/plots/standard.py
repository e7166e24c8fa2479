"""The standard figures of a study: overviews, panels of variants, and pictures of a sweep.

`Results` and the user's choice come in. Functions that draw go out by file name, with sentences about what is left out.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from clustersim.errors import ConfigurationError
from clustersim.plots.figures import changing_k, figure, overview
from clustersim.plots.selection import MOST_CURVES, MOST_PANELS, Selection, listed, select, shown_variants
from clustersim.plots.sweeps import heatmap, lines
from clustersim.studies import Results
from clustersim.studies.pictures import standard_names
from clustersim.studies.summaries import laid_out, summary

__all__ = ["not_drawn", "standard_figures"]

_MOST_MAPS = 6
Drawing = Callable[[], Figure]


def standard_figures(
    results: Results,
    *,
    average: str = "auto",
    policies: Iterable[str] | None = None,
    variants: Iterable[str] | None = None,
    x: str | Iterable[str] | None = None,
    y: str | Iterable[str] | None = None,
    width: float | None = None,
    titles: bool = False,
    notes: bool = False,
    style: str | Iterable[str] = "colour",
) -> dict[str, Drawing]:
    """Return functions that draw the standard figures of a study, by file name.

    - An overview of each variant, unless there are more than six variants.
    - The metric against time, uplink and all communication, and other metrics against time, with at most six panels a
      page. Names of further pages end with -2, -3 and so on.
    - The metric over the values of a sweep: lines over one parameter, or a heat map for each policy over two.

    File names consist of letters, digits, dots and dashes. Names that would be equal end with a short hash.

    Parameters
    ----------
    results : Results
        The results of a study.
    average : {"auto", "arithmetic", "geometric", "median"}, default "auto"
        The kind of average over the replications, as in `figure`.
    policies, variants
        What is shown, as in `figure`.
    x, y : str or iterable of str, optional
        Columns. If one of them is given, these figures are drawn and no others: each y against each x. The other is
        then the metric of the study, or time.
    width, titles, notes, style
        How it looks, as in `figure`.

    Returns
    -------
    dict of str to callable
        Functions without parameters that return a figure.

    Raises
    ------
    ConfigurationError
        If there is no such policy or variant.
    """
    variants = None if variants is None else listed("variants", variants)
    policies = None if policies is None else listed("policies", policies)
    shown = select(results, policies, variants)
    looks: dict[str, Any] = {"width": width, "titles": titles, "notes": notes, "style": style}
    options = looks | {"average": average, "policies": policies}
    drawings: dict[tuple[str, ...], Drawing] = {}
    texts: dict[tuple[str, ...], str] = {}
    if x is None and y is None:
        pairs = _pairs(results)
        overviews = shown.variants if _count(results, shown, variants) <= MOST_PANELS else ()
        drawings |= {(variant,): partial(overview, results, variant, **options) for variant in overviews}
        sweep = _of_sweep(results, policies, variants, {"width": width, "style": style})
        texts = {("sweep", text, ""): text for text in sweep}
    else:
        pairs, overviews, sweep = (
            [(b, a) for b in listed("y", y or results.metric) for a in listed("x", x or "time")],
            (),
            {},
        )
    for b, a in pairs:
        for page in range(1, shown.pages + 1):
            key = (b, a, str(page)) if page > 1 else (b, a)
            drawings[key] = partial(figure, results, b, a, variants=variants, page=page, **options)
    drawings |= {("sweep", text, ""): drawing for text, drawing in sweep.items()}
    names = standard_names(overviews, pairs, pages=shown.pages, more=texts)
    return {name: drawings[key] for key, name in names.items()}


def not_drawn(
    results: Results, *, policies: Iterable[str] | None = None, variants: Iterable[str] | None = None, **axes: Any
) -> list[str]:
    """Return sentences about what `standard_figures` leaves out of a large study.

    Parameters
    ----------
    results : Results
        The results of a study.
    policies, variants, **axes
        The choice, as `standard_figures` has got it.
    """
    variants = None if variants is None else listed("variants", variants)
    shown = select(results, policies, variants)
    sentences = [*shown.remarks]
    count = _count(results, shown, variants)
    if count > MOST_PANELS and not any(axes.values()):
        sentences.append(f"There are no overviews of single variants, because there are {count}.")
    if len(results.sweep) > 2:
        sentences.append("A sweep over more than two parameters has no standard figure; cs.plots.heatmap draws one.")
    if sentences:
        sentences.append("Choose what to see with policies and variants (--policies, --variants).")
    return sentences


def _count(results: Results, shown: Selection, variants: list[str] | None) -> int:
    """Return the number of variants that one would like to see."""
    return len(shown_variants(results)) if variants is None else len(shown.variants)


def _pairs(results: Results) -> list[tuple[str, str]]:
    """Return the columns of the standard figures, vertical and horizontal."""
    metric = results.metric
    others = [name for name in results.metrics if name != metric]
    against_time = ["k", *others] if changing_k(results) else others
    ways = ("time", "uplink_vectors", "vectors")
    return [*((metric, way) for way in ways), *((name, "time") for name in against_time)]


def _of_sweep(
    results: Results, policies: list[str] | None, variants: list[str] | None, looks: Mapping[str, Any]
) -> dict[str, Drawing]:
    """Return the drawings of the metric over a sweep, by what they show."""
    value, names = results.metric, results.sweep
    if not 1 <= len(names) <= 2 or results.frame.empty or value not in results.metrics or variants is not None:
        return {}
    kept = select(results, policies or results.policies, shown_variants(results)).results
    try:
        table = laid_out(summary(kept, value), [*names, "policy"])
    except ConfigurationError:
        return {}
    if not np.isfinite(table["value"].to_numpy(dtype=np.float64)).any():
        return {}
    shown = [str(policy) for policy in table["policy"].unique()]
    over = f"{value} over {' and '.join(names)}"
    if len(names) == 1:
        draw = lines if len(shown) <= MOST_CURVES else heatmap
        return {over: partial(draw, kept, names[0], value=value, **looks)}
    some = [policy for policy in shown if table.loc[table["policy"] == policy, "value"].notna().any()][:_MOST_MAPS]
    return {
        f"{over}, {policy}": partial(
            heatmap, kept, names[0], names[1], value, where={"policy": policy}, best=None, **looks
        )
        for policy in some
    }
