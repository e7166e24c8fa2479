"""Tuning: the step size that suits each policy, found on runs that the comparison never uses.

A `clustersim.Study` comes in, and a `Tuning` goes out: a table of what every step size gave, the step size picked for
each policy, and the study with these.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from clustersim.checks import number
from clustersim.errors import ConfigurationError
from clustersim.optimizers import Optimizer
from clustersim.protocol import Policy
from clustersim.studies.own_optimizer import With, optimizer_for, plain_policy
from clustersim.studies.results import Results, lower_is_better
from clustersim.studies.sweeps import Variant
from clustersim.studies.targets import settled

if TYPE_CHECKING:
    from clustersim.studies.study import Study

__all__ = ["Tuning", "tune", "tuned_study", "tuning_seed", "tuning_study"]


@dataclass(frozen=True, eq=False)
class Tuning:
    """The outcome of `Study.tune`.

    Attributes
    ----------
    table : DataFrame
        One row for each policy and step size: policy, step_size, replications, reached (how many runs reached the
        target), failed, time (the median time to the target, in seconds, where a run that never reached it counts as
        infinite), value (the median of the values at which the runs settled), and picked.
    step_sizes : dict of str to float
        The picked step size of each policy.
    study : Study
        The study in which every policy has its picked step size.
    results : Results
        The runs of the tuning.
    target : float or None
        The target, if there was one.
    seed : int
        The seed of the comparison, from which that of the tuning runs was derived.
    """

    table: pd.DataFrame = field(repr=False)
    step_sizes: dict[str, float]
    study: "Study" = field(repr=False)
    results: Results = field(repr=False)
    target: float | None = None
    seed: int = 0

    def remarks(self) -> list[str]:
        """Say for which policies a step size outside of those tried may be better."""
        sizes = sorted(self.table["step_size"].unique().tolist())
        ends = {sizes[0]: "smallest", sizes[-1]: "largest"} if len(sizes) > 1 else {}
        return [
            f"{policy}: the picked step size, {size:g}, is the {ends[size]} one tried; try others beyond it."
            for policy, size in self.step_sizes.items()
            if size in ends
        ]


def tune(
    study: "Study", step_sizes: Sequence[float], target: float | None, replications: int, seed: int, **how: Any
) -> Tuning:
    """Do the work of `Study.tune`; `how` are the further arguments of `Study.run`."""
    if target is not None:
        number("target", target, finite=True)
    sizes = _checked(step_sizes)
    results = tuning_study(study, sizes, replications).run(seed=tuning_seed(seed), **how)
    values, times = _settled(results), _times(results, target)
    rows = []
    for label in study.policies:
        mine = [_row(results, label, size, values, times) for size in sizes]
        best = min(range(len(mine)), key=lambda place: _rank(mine[place], study.metric))
        rows += [row | {"picked": place == best} for place, row in enumerate(mine)]
    table = pd.DataFrame(rows)
    picked = {row["policy"]: float(row["step_size"]) for row in rows if row["picked"]}
    return Tuning(table, picked, tuned_study(study, picked), results, target, int(seed))


def tuned_study(study: "Study", step_sizes: Mapping[str, float]) -> "Study":
    """Return the study in which each policy has its own step size.

    A variant with policies or an optimiser of its own keeps these; the labels of its policies say which step sizes they
    get.
    """
    variants = {label: _tuned_variant(study, overrides, step_sizes) for label, overrides in study.variants.items()}
    return replace(study, policies=_tuned(study.policies, study.optimizer, step_sizes), variants=variants)


def _tuned_variant(study: "Study", overrides: Mapping[str, Any], step_sizes: Mapping[str, float]) -> Mapping[str, Any]:
    """Return the settings of a variant with the step sizes; unchanged if it has neither policies nor an optimiser."""
    if not overrides.keys() & {"policies", "optimizer"}:
        return overrides
    own: Mapping[str, Policy | With] = overrides.get("policies", {})
    policies = {**study.policies, **own} if "optimizer" in overrides else own
    tuned = _tuned(policies, overrides.get("optimizer", study.optimizer), step_sizes)
    swept = overrides.swept if isinstance(overrides, Variant) else {}
    return Variant({**overrides, "policies": tuned}, swept)


def _tuned(
    policies: Mapping[str, Policy | With], usual: Optimizer, step_sizes: Mapping[str, float]
) -> dict[str, Policy | With]:
    """Return the policies, each with an optimiser with its step size."""
    return {label: _with_step(entry, usual, step_sizes[label]) for label, entry in policies.items()}


def tuning_seed(seed: int) -> int:
    """Return the seed of the tuning runs: another one than the study's, but determined by it.

    Examples
    --------
    >>> tuning_seed(0) == tuning_seed(0) != tuning_seed(1)
    True
    """
    return int.from_bytes(hashlib.sha256(f"tuning {seed}".encode()).digest()[:6])


def tuning_study(study: "Study", step_sizes: Sequence[float], replications: int) -> "Study":
    """Return the study of all policies with all step sizes."""
    policies = {
        _label(label, size): _with_step(entry, study.optimizer, size)
        for label, entry in study.policies.items()
        for size in step_sizes
    }
    return replace(
        study,
        name=f"{study.name}-tuning",
        policies=policies,
        variants={"": {}},
        claims=(),
        figures={},
        replications=replications,
        notes="Runs that pick a step size for each policy. The comparison does not use them.",
    )


def _checked(step_sizes: Sequence[float]) -> list[float]:
    """Check the step sizes."""
    if isinstance(step_sizes, str) or not np.iterable(step_sizes) or not len(step_sizes):
        raise ConfigurationError(f"step_size = {step_sizes!r}: expected a list of step sizes, such as [0.01, 0.1]")
    sizes = [number("step_size", size, above=0.0, finite=True) for size in step_sizes]
    if len(set(sizes)) < len(sizes):
        raise ConfigurationError(f"step_size = {step_sizes!r}: expected each step size once")
    return sizes


def _with_step(entry: Policy | With, usual: Optimizer, step_size: float) -> With:
    """Return the policy with this step size; the optimiser is otherwise as before."""
    optimizer: Any = optimizer_for(entry, usual)
    if not hasattr(optimizer, "step_size"):
        raise ConfigurationError(f"{optimizer!r}: it has no step_size to tune; give the policy its optimiser by hand")
    return With(plain_policy(entry), optimizer=replace(optimizer, step_size=step_size))


def _label(policy: str, step_size: float) -> str:
    """Return the label of a policy with a step size; the size is in short if it loses nothing."""
    short = f"{step_size:g}"
    return f"{policy}, step size {short if float(short) == step_size else repr(step_size)}"


def _settled(results: Results) -> dict[str, list[float]]:
    """Return the values at which the finished runs settle, by label."""
    return {
        label: [settled(results.values(results.metric, run), run["time"]) for run in runs]
        for _, label, runs in results.series()
    }


def _times(results: Results, target: float | None) -> dict[str, list[float]]:
    """Return the times to the target by label, infinite for runs that never reach it; empty without a target."""
    if target is None:
        return {}
    spent = results.time_to_target(target)
    return {str(label): times.fillna(np.inf).tolist() for label, times in spent.groupby("policy")["time"]}


def _row(
    results: Results, policy: str, step_size: float, values: Mapping[str, list[float]], times: Mapping[str, list[float]]
) -> dict[str, Any]:
    """Summarise the runs of a policy with one step size; a failed run never reaches the target and settles nowhere."""
    label = _label(policy, step_size)
    finished, failed = values.get(label, []), int((results.failures["policy"] == label).sum())
    runs = len(finished) + failed
    worst = np.inf if lower_is_better(results.metric) else -np.inf
    return {
        "policy": policy,
        "step_size": step_size,
        "replications": runs,
        "failed": failed,
        "reached": int(np.isfinite(times[label]).sum()) if times else None,
        "time": _median(times[label] if times else [np.inf] * runs, np.inf),
        "value": _median([*finished, *[worst] * failed], worst),
    }


def _median(values: Sequence[float], worst: float) -> float:
    """Return the median; of an even number of values, the middle one that is nearer to the worst."""
    if not len(values):
        return float("nan")
    ordered = np.sort(values)
    return float(ordered[len(values) // 2 if worst > 0.0 else (len(values) - 1) // 2])


def _rank(row: dict[str, Any], metric: str) -> tuple[float, float]:
    """Return what decides between step sizes: the time to the target, and then the value at which the runs settle."""
    value = row["value"] if lower_is_better(metric) else -row["value"]
    return row["time"], value if np.isfinite(value) else np.inf
