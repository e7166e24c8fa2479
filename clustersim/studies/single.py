"""One run of a study, with its message table.

A `Study` and the labels of a policy and a variant flow in; a `Run` flows out, for a timeline.
"""

import difflib
from collections.abc import Collection
from dataclasses import replace

from clustersim.checks import integer
from clustersim.engine import Run, simulate
from clustersim.errors import ConfigurationError
from clustersim.studies.display_text import enumerated, named
from clustersim.studies.own_optimizer import optimizer_for, plain_policy
from clustersim.studies.study import Study
from clustersim.studies.user_code import users_errors

__all__ = ["single_run"]

_LISTED = 12  # labels that an error message lists


def single_run(
    study: Study, policy: str, variant: str | None = None, *, updates: int, seed: int = 0, replication: int = 0
) -> Run:
    """Simulate the first updates of one policy of a study, and record every message.

    The run is the same as in the study, up to the last update.

    Parameters
    ----------
    study : Study
        The study.
    policy : str
        The label of the policy.
    variant : str, optional
        The label of the variant; not needed if there is only one.
    updates : int
        The number of updates. The run is shorter if the study's horizon ends it before.
    seed, replication : int
        The seed of the study, and the number of the replication.

    Returns
    -------
    Run

    Raises
    ------
    ConfigurationError
        If the study has no such policy or variant, if it has several variants and none is given, or if the user's code
        fails.

    Examples
    --------
    >>> import clustersim as cs
    >>> study = cs.Study(
    ...     name="demo",
    ...     problem=cs.LeastSquares.synthetic(rows=40, features=2, design="gaussian", seed=7),
    ...     cluster=cs.Cluster(workers=4, compute=cs.Exponential(mean=1.0)),
    ...     policies={"k = 1": cs.FastestK(1), "k = 4": cs.FastestK(4)},
    ...     optimizer=cs.SGD(1e-5),
    ...     until=cs.Until(updates=20),
    ... )
    >>> run = single_run(study, "k = 1", updates=3)
    >>> len(run.messages), len(run.updates)
    (12, 3)
    """
    label = _variant(study, variant)
    chosen = study.policies_of(label)[_among("policy", policy, study.policies)]
    setting = study.setting_of(label)
    setting["optimizer"] = optimizer_for(chosen, setting["optimizer"])
    most = integer("updates", updates, low=1)
    until = setting.pop("until")
    until = replace(until, updates=most if until.updates is None else min(most, until.updates))
    with users_errors(f"the run of {named(policy)} failed"):
        return simulate(
            **setting,
            policy=plain_policy(chosen),
            until=until,
            seed=seed,
            replication=replication,
            evaluate_every=study.evaluate_every,
            messages=True,
        )


def _variant(study: Study, variant: str | None) -> str:
    """Return the label of a variant of the study; the only one need not be named."""
    if variant is not None:
        return _among("variant", variant, study.variants)
    if len(study.variants) == 1:
        return next(iter(study.variants))
    raise ConfigurationError(
        f"the study has {len(study.variants)} variants: {_listed(study.variants)}; choose one of them (on the command "
        "line with --variant LABEL)"
    )


def _among(kind: str, label: str, labels: Collection[str]) -> str:
    """Return a label if it is among those of the study."""
    if label in labels:
        return label
    near = difflib.get_close_matches(label, labels, n=1, cutoff=0.5)
    hint = f"did you mean {named(near[0])}?" if near else f"choose among {_listed(labels)}"
    raise ConfigurationError(f"{kind} = {named(label)}: the study has no such {kind}; {hint}")


def _listed(labels: Collection[str]) -> str:
    """Return the first labels as text."""
    more = len(labels) - _LISTED
    return enumerated([named(label) for label in [*labels][:_LISTED]] + [f"{more} more"] * (more > 0))
