"""Checks of a study's arguments, before anything is run.

Data flows in from `clustersim.studies.study`; what is wrong flows out as `ConfigurationError`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from clustersim.engine import Cluster, Until, settle
from clustersim.errors import ConfigurationError
from clustersim.optimizers import Optimizer
from clustersim.problems import Problem
from clustersim.protocol import Policy
from clustersim.streams import Streams
from clustersim.studies.origin import users_errors
from clustersim.studies.results import RunKey

__all__ = [
    "MOST_REPLICATIONS",
    "SETTING",
    "check_fit",
    "check_metric",
    "check_overrides",
    "expect",
    "labelled",
    "with_article",
]

MOST_REPLICATIONS = 100_000  # no study needs more, and a damaged folder may claim any number
SETTING: dict[str, type] = {"problem": Problem, "cluster": Cluster, "optimizer": Optimizer, "until": Until}


def expect(name: str, value: Any, kind: type) -> None:
    """Check a type, and say so when somebody hands over a class instead of an object."""
    if isinstance(value, type) and issubclass(value, kind):
        raise ConfigurationError(f"{name} = {value.__name__}: expected an object; write {value.__name__}(...)")
    if not isinstance(value, kind):
        word = with_article("text" if kind is str else kind.__name__)
        raise ConfigurationError(f"{name} = {value!r}: expected {word}")


def with_article(noun: str) -> str:
    """Put the indefinite article before the name of a class.

    Examples
    --------
    >>> with_article("Optimizer"), with_article("Policy")
    ('an Optimizer', 'a Policy')
    """
    return f"an {noun}" if noun[0] in "AEIOUaeiou" else f"a {noun}"


def labelled(name: str, value: Any, *, empty: bool = False, blank: bool = False) -> Mapping[str, Any]:
    """Check a mapping from labels: whether it may be `empty`, and whether a label may be `blank`."""
    if not isinstance(value, Mapping) or not (value or empty):
        some = "" if empty else ", with at least one entry"
        raise ConfigurationError(f"{name} = {value!r}: expected a mapping from labels{some}")
    for label in value:
        if not isinstance(label, str) or label != label.strip() or not label.isprintable() or not (label or blank):
            raise ConfigurationError(f"{name}: label {label!r}: expected one line of text without blanks around it")
    return value


def check_overrides(name: str, overrides: Any, policies: Mapping[str, Policy]) -> None:
    """Check what a variant changes; it may change policies, but not add any."""
    for part, value in labelled(name, overrides, empty=True).items():
        where = f"{name}[{part!r}]"
        if part == "policies":
            for label, policy in labelled(where, value, empty=True).items():
                if label not in policies:
                    raise ConfigurationError(f"{where}[{label!r}]: expected one of the study's policies, {[*policies]}")
                expect(f"{where}[{label!r}]", policy, Policy)
        elif part in SETTING:
            expect(where, value, SETTING[part])
        else:
            raise ConfigurationError(f"{where}: expected overrides of {', '.join(SETTING)}, policies only")


def check_fit(
    setting: Mapping[str, Any], policies: Mapping[str, Policy], seed: int, variant: str, pending: Iterable[RunKey]
) -> None:
    """Let every policy see the cluster, so that a k beyond its workers is found before anything is run.

    A placement that is drawn at random is tried for every replication that is to be run: it may be possible in one, and
    impossible in another.
    """
    replications: dict[str, list[int]] = {label: [] for label in policies}
    for key in pending:
        if key.variant == variant and key.replication:
            replications[key.policy].append(key.replication)
    for label, policy in policies.items():
        if _fits(setting, policy, seed, RunKey(variant, label, 0)):
            for replication in replications[label]:
                _fits(setting, policy, seed, RunKey(variant, label, replication))


def _fits(setting: Mapping[str, Any], policy: Policy, seed: int, key: RunKey) -> bool:
    """Set up one run; returns whether another replication may be set up differently."""
    streams = _WatchedStreams(seed, key.replication)
    try:
        with users_errors("it failed"):
            policy.begin(settle(setting["problem"], setting["cluster"], policy, streams))
    except ConfigurationError as error:
        where = f"variant {key.variant!r}, " if key.variant else ""
        which = f", replication {key.replication}" if key.replication else ""
        remedy = "; choose another seed, or less that is left to chance" if key.replication else ""
        raise ConfigurationError(f"{where}policy {key.policy!r}{which}: {error}{remedy}") from error
    return streams.drawn


class _WatchedStreams(Streams):
    """Streams that know whether anything has been drawn from a generator that they have given out."""

    def __init__(self, seed: int, replication: int) -> None:
        super().__init__(seed, replication)
        self._given: list[tuple[np.random.Generator, str]] = []

    def generator(self, purpose: str) -> np.random.Generator:
        """See `Streams.generator`."""
        given = super().generator(purpose)
        self._given.append((given, str(given.bit_generator.state)))
        return given

    @property
    def drawn(self) -> bool:
        """Whether some generator is not in the state in which it was given out."""
        return any(str(given.bit_generator.state) != before for given, before in self._given)


def check_metric(metric: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Check before anything is run that every variant's problem measures the metric."""
    for variant, setting in settings.items():
        problem: Problem = setting["problem"]
        if metric == "error" and type(problem).has_optimum is Problem.has_optimum:
            where = f" in variant {variant!r}" if variant else ""
            raise ConfigurationError(
                f"metric = 'error': {problem!r} never knows its optimum{where}; give metric='loss' or another"
            )
        if metric in ("error", "loss"):  # whether a problem has an optimum may only be known once it is solved
            continue
        with users_errors("the metrics of the problem failed"):
            known = ("error", "loss", *problem.metrics(problem.initial_model()))
        if metric not in known:
            where = f" in variant {variant!r}" if variant else ""
            wants_test = metric.endswith(("accuracy", "auc"))
            hint = (
                "; the problem has no test rows: give it test=(X, y)"
                if wants_test and not any(name.startswith("test_") for name in known)
                else ""
            )
            raise ConfigurationError(f"metric = {metric!r}: expected one of {', '.join(known)}{where}{hint}")
