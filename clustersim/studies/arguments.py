"""Checks of a study's arguments, before anything is run.

Data flows in from `clustersim.studies.study`; what is wrong flows out as `ConfigurationError`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from clustersim.cluster import Cluster
from clustersim.engine import make_setting
from clustersim.engine.accounting.columns import checked_metrics
from clustersim.errors import ConfigurationError
from clustersim.optimizers import Optimizer
from clustersim.problems import Problem
from clustersim.protocol import Policy
from clustersim.streams import Streams
from clustersim.studies.packing import pack, unpack
from clustersim.studies.pictures import own_names, standard_names
from clustersim.studies.results import RunKey
from clustersim.studies.user_code import users_errors
from clustersim.until import Until

__all__ = [
    "MOST_REPLICATIONS",
    "SETTING",
    "check_figures",
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
            own = unpack(pack(policy))  # as in a run: what it may note in itself stays out of its description
            own.begin(make_setting(setting["problem"], setting["cluster"], own, streams))
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


def check_figures(figures: Any, variants: Iterable[str], metric: str) -> None:
    """Check a study's own figures, and that none has the name of a figure that every such study gets.

    The metrics of a problem are not known here. A figure that turns out to be called like one of theirs is told apart
    when it is drawn: its file name ends with a short hash then.

    Raises
    ------
    ConfigurationError
        If it is no mapping from labels to functions, or such a name is taken.
    """
    ways, columns = ("time", "uplink_vectors", "vectors"), ("error", "loss", "k")
    pairs = dict.fromkeys([*((metric, way) for way in ways), *((column, "time") for column in columns)])
    taken = {*standard_names(["", *variants], pairs).values()}
    for label, draw in labelled("figures", figures, empty=True).items():
        if not callable(draw):
            raise ConfigurationError(f"figures[{label!r}] = {draw!r}: expected a function of the results")
        (name,) = own_names([label], ()).values()
        if name in taken:
            raise ConfigurationError(
                f"figures[{label!r}]: {name!r} is the name of a figure that every study gets; expected another name, "
                f"such as 'my {label}'"
            )


def check_metric(metric: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Check before anything is run that every variant's problem measures the metric, and under which names it does.

    A problem is not asked for nothing: its metrics may need its optimum, which can take long to compute. So those of
    clustersim's own problems, whose names are known to be free, are only looked at for a metric among them.
    """
    for variant, setting in settings.items():
        problem: Problem = setting["problem"]
        where = f" in variant {variant!r}" if variant else ""
        if metric == "error" and type(problem).has_optimum is Problem.has_optimum:
            raise ConfigurationError(
                f"metric = 'error': {problem!r} never knows its optimum{where}; give metric='loss' or another"
            )
        if metric in ("error", "loss") and type(problem).metrics.__module__.startswith("clustersim."):
            continue
        with users_errors("the metrics of the problem failed"):
            measured = problem.metrics(problem.initial_model())
        try:
            known = ("error", "loss", *checked_metrics(measured))
        except ConfigurationError as error:
            raise ConfigurationError(f"{error}{where}") from None
        if metric not in known:
            raise ConfigurationError(
                f"metric = {metric!r}: expected one of {', '.join(known)}{where}{_hint(metric, known)}"
            )


def _hint(metric: str, known: Iterable[str]) -> str:
    """What a metric may want for."""
    wants_test = metric.endswith(("accuracy", "auc")) and not any(name.startswith("test_") for name in known)
    return "; the problem has no test rows: give it test=(X, y)" if wants_test else ""
