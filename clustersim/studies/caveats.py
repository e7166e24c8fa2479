"""Remarks on a comparison, in whole sentences: what its numbers cannot say.

Rows of the table come in from `clustersim.studies.comparing`; sentences go out, which `clustersim.tables` prints.
"""

import math

import numpy as np
import pandas as pd

from clustersim.studies.default_target import runs_that_leave
from clustersim.studies.display_text import in_variant, named
from clustersim.studies.paired import CLAIMS_ERROR, holm
from clustersim.studies.results import Results
from clustersim.studies.statistics import FEWEST_FOR_A_MEDIAN

__all__ = ["remarks_on", "remarks_on_all"]


def remarks_on(results: Results, table: pd.DataFrame, metric: str) -> list[str]:
    """Make the remarks on one variant: targets that the first model meets, and runs that leave them.

    Parameters
    ----------
    results : Results
        The results of the variant.
    table : DataFrame
        Its rows of the comparison.
    metric : str
        The column that is compared.
    """
    rows, variant = table.to_dict("records"), str(table["variant"].iloc[0])
    where, leaving = in_variant(variant), runs_that_leave(results, rows[0]["target"], metric)
    remarks = [
        f"The first model already meets the target in {row['at_start']} of {row['replications']} runs of "
        f"{named(row['policy'])}{where}: a time of 0 says nothing about the policy."
        for row in rows
        if row["at_start"]
    ]
    if leaving:
        remarks.append(
            f"The first model meets the target, but runs of {named(*leaving)}{where} move away from it and do not "
            "return: they count as not having reached it."
        )
    return remarks


def remarks_on_all(table: pd.DataFrame) -> list[str]:
    """Make the remarks on the whole table: useless baselines, too few replications, values that dominate."""
    return [*_baselines(table), *_few(table), *_cannot_decide(table), *_heavy_tails(table)]


def _baselines(table: pd.DataFrame) -> list[str]:
    """Name the baselines that have no runs, or never reach the target though another policy does."""
    absent, never = dict[str, list[str]](), dict[str, list[str]]()
    for variant, rows in table.groupby("variant", sort=False):
        baseline = str(rows["baseline"].iloc[0])
        reached = rows["reached"][rows["policy"] == baseline]
        if reached.empty:
            absent.setdefault(baseline, []).append(str(variant))
        elif rows["reached"].any() and not reached.any():
            never.setdefault(baseline, []).append(str(variant))
    return [
        f"There are no runs of the baseline {named(baseline)}{_places(table, variants)}, so there are no ratios."
        for baseline, variants in absent.items()
    ] + [
        f"The baseline {named(baseline)} never reaches the target{_places(table, variants)}; choose another one."
        for baseline, variants in never.items()
    ]


def _places(table: pd.DataFrame, variants: list[str]) -> str:
    """Say in which variants, or in how many of them."""
    if len(variants) == 1:
        return in_variant(variants[0])
    return f" in {len(variants)} of {table['variant'].nunique()} variants"


def _few(table: pd.DataFrame) -> list[str]:
    """Say that there are too few replications for an interval."""
    count = int(table["replications"].max())
    if not (table["reached"] > 0).any() or count >= FEWEST_FOR_A_MEDIAN:
        return []
    if count == 1:
        return ["There is only one replication, so there are no intervals."]
    text = (
        f"There are only {count} replications; a 95 % interval of a median needs at least {FEWEST_FOR_A_MEDIAN}, "
        "whatever the law of the times is."
    )
    return [text]


def _cannot_decide(table: pd.DataFrame) -> list[str]:
    """Say that no sign test could have led to a claim, even if all of its pairs agreed."""
    signs = table["method"] == "sign"
    at_best = holm(table["p"].where(~signs, 2.0 ** (1.0 - table["replications"])))
    if not signs.any() or (at_best[signs] <= CLAIMS_ERROR).any():
        return []
    undecided = int((at_best > CLAIMS_ERROR).sum())
    needed = 1 + math.ceil(math.log2(undecided / CLAIMS_ERROR))
    text = (
        f"Where runs are censored, no difference from the baseline can be claimed with so few replications: "
        f"{undecided} {'comparison needs' if undecided == 1 else 'comparisons need'} at least {needed}."
    )
    return [text]


def _heavy_tails(table: pd.DataFrame) -> list[str]:
    """Name the policies of which one time exceeds all the others together."""
    several = (table["reached"] == table["replications"]) & (table["replications"] >= FEWEST_FOR_A_MEDIAN)
    others = table["time_mean"] * table["replications"] - table["time_end"]
    policies = table["policy"][several & (table["time_end"] > others)].drop_duplicates().tolist()
    if not policies or not np.isfinite(table["time_end"]).any():
        return []
    text = (
        f"One run of {named(*policies)} took longer than all the others together, so the variance of the times may be "
        "infinite: use medians, as here, and no means."
    )
    return [text]
