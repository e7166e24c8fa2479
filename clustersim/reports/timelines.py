"""Timelines: what the workers did in the first updates of one replication, as a picture for each policy."""

import base64

from clustersim.errors import ClusterSimError
from clustersim.plots import picture, timeline
from clustersim.reports.curves import charted_variants
from clustersim.reports.facts import Facts
from clustersim.reports.markup import note, paragraph, text
from clustersim.studies import Study
from clustersim.studies.single import single_run

__all__ = ["timelines"]

_UPDATES, _MOST_PICTURES = 20, 6


def timelines(facts: Facts) -> str:
    """Return the timelines of the first replication of each policy; empty if the script is not known."""
    if facts.study is None or facts.manifest is None:
        return ""
    study, seed = facts.study, int(facts.manifest.configuration["seed"])
    variant = next((label for label in charted_variants(facts.results) if label in study.variants), None)
    policies = [label for label in facts.results.policies if label in study.policies]
    if variant is None:
        return ""
    where = f", variant {variant}" if variant else ""
    intro = (
        f"The first {_UPDATES} updates of the first replication{where}, simulated again with the same seed. A worker "
        "is idle where it has no thick bar; pale and hatched bars are wasted work."
    )
    pictures, remarks = list[str](), list[str]()
    for label in policies[:_MOST_PICTURES]:
        try:
            pictures.append(_picture(study, label, variant, seed, opened=not pictures))
        except ClusterSimError as error:
            remarks.append(f"There is no timeline of {label}: {error}.")
    if len(policies) > _MOST_PICTURES:
        remarks.append(
            f"These are {_MOST_PICTURES} of {len(policies)} policies; `clustersim timeline` draws any of them."
        )
    return "\n".join([paragraph(intro), *pictures, note(remarks)])


def _picture(study: Study, policy: str, variant: str, seed: int, *, opened: bool) -> str:
    """Return the picture of one policy, which the reader can open and close."""
    run = single_run(study, policy, variant, updates=2 * _UPDATES, seed=seed)
    content = base64.b64encode(picture(timeline(run, _UPDATES), "svg")).decode()
    about = f"Timeline of {policy}: a row for each worker with bars for its tasks, and a vertical line for each update."
    image = f'<img src="data:image/svg+xml;base64,{content}" alt="{text(about)}">'
    return f"<details{' open' if opened else ''}><summary>{text(policy)}</summary>{image}</details>"
