"""Checks of the arguments of a study, before any run starts.

`clustersim.studies.study` passes its arguments in; unusable ones raise `ConfigurationError`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from clustersim.cluster import Cluster
from clustersim.engine import make_setting
from clustersim.engine.accounting.columns import checked_metrics
from clustersim.engine.setup import check_watched
from clustersim.errors import ConfigurationError
from clustersim.optimizers import Optimizer
from clustersim.problems import Problem, TimingOnly
from clustersim.protocol import Policy
from clustersim.streams import Streams
from clustersim.studies.own_optimizer import With, plain_policy
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
    "expect_policy",
    "labelled",
    "with_article",
]

MOST_REPLICATIONS = 100_000  # no study needs more, and a damaged folder may name any number
SETTING: dict[str, type] = {"problem": Problem, "cluster": Cluster, "optimizer": Optimizer, "until": Until}


def expect(name: str, value: Any, kind: type) -> None:
    """Check the type of an argument; a class in place of an object gets an error message of its own."""
    if isinstance(value, type) and issubclass(value, kind):
        raise ConfigurationError(f"{name} = {value.__name__}: expected an object; write {value.__name__}(...)")
    if not isinstance(value, kind):
        word = with_article("text" if kind is str else kind.__name__)
        raise ConfigurationError(f"{name} = {value!r}: expected {word}")


def expect_policy(name: str, value: Any) -> None:
    """Check that an entry of a study is a policy, or one with an optimiser of its own."""
    if not isinstance(value, With):
        expect(name, value, Policy)


def with_article(noun: str) -> str:
    """Put the indefinite article in front of a noun, such as the name of a class.

    Examples
    --------
    >>> with_article("Optimizer"), with_article("Policy")
    ('an Optimizer', 'a Policy')
    """
    return f"an {noun}" if noun[0] in "AEIOUaeiou" else f"a {noun}"


def labelled(name: str, value: Any, *, empty: bool = False, blank: bool = False) -> Mapping[str, Any]:
    """Check a mapping from labels; it may be empty if `empty`, and a label may be "" if `blank`."""
    if not isinstance(value, Mapping) or not (value or empty):
        some = "" if empty else ", with at least one entry"
        raise ConfigurationError(f"{name} = {value!r}: expected a mapping from labels{some}")
    for label in value:
        if not isinstance(label, str) or label != label.strip() or not label.isprintable() or not (label or blank):
            raise ConfigurationError(f"{name}: label {label!r}: expected one line of text without spaces around it")
    return value


def check_overrides(name: str, overrides: Any, policies: Mapping[str, Policy | With]) -> None:
    """Check the settings that a variant overrides; it may replace policies, but not add any."""
    for part, value in labelled(name, overrides, empty=True).items():
        where = f"{name}[{part!r}]"
        if part == "policies":
            for label, policy in labelled(where, value, empty=True).items():
                if label not in policies:
                    raise ConfigurationError(f"{where}[{label!r}]: expected one of the study's policies, {[*policies]}")
                expect_policy(f"{where}[{label!r}]", policy)
        elif part in SETTING:
            expect(where, value, SETTING[part])
        else:
            raise ConfigurationError(f"{where}: a variant can override only {', '.join(SETTING)} and policies")


def check_fit(
    setting: Mapping[str, Any],
    policies: Mapping[str, Policy | With],
    seed: int,
    variant: str,
    further: Iterable[RunKey],
) -> None:
    """Begin every policy on the cluster of a variant, so that errors such as a k above its workers are found at once.

    A placement that uses random numbers is also tried for the `further` replications of the variant that will run: it
    may be possible in one and impossible in another.
    """
    replications: dict[str, list[RunKey]] = {label: [] for label in policies}
    for key in further:
        replications[key.policy].append(key)
    for label, policy in policies.items():
        plain = plain_policy(policy)
        if _fits(setting, plain, seed, RunKey(variant, label, 0)):
            for key in replications[label]:
                _fits(setting, plain, seed, key)


def _fits(setting: Mapping[str, Any], policy: Policy, seed: int, key: RunKey) -> bool:
    """Set up one run; return whether that used random numbers, so that another replication may differ."""
    streams = _WatchedStreams(seed, key.replication)
    try:
        with users_errors("it failed"):
            own = unpack(pack(policy))  # a copy, as in a run: changes to itself stay out of its description
            check_watched(setting["until"], setting["problem"])
            own.begin(make_setting(setting["problem"], setting["cluster"], own, streams))
    except ConfigurationError as error:
        where = f"variant {key.variant!r}, " if key.variant else ""
        which = f", replication {key.replication}" if key.replication else ""
        remedy = "; choose another seed, or a placement with less randomness" if key.replication else ""
        raise ConfigurationError(f"{where}policy {key.policy!r}{which}: {error}{remedy}") from error
    return streams.used


class _WatchedStreams(Streams):
    """Streams that detect whether any of their generators has been used."""

    def __init__(self, seed: int, replication: int) -> None:
        super().__init__(seed, replication)
        self._generators: list[tuple[np.random.Generator, str]] = []

    def generator(self, purpose: str) -> np.random.Generator:
        """See `Streams.generator`."""
        generator = super().generator(purpose)
        self._generators.append((generator, str(generator.bit_generator.state)))
        return generator

    @property
    def used(self) -> bool:
        """Whether the state of some generator has changed since it was handed out."""
        return any(str(generator.bit_generator.state) != before for generator, before in self._generators)


def check_figures(figures: Any, variants: Iterable[str], metric: str) -> None:
    """Check a study's own figures: none may have the name of a standard figure of such a study.

    The metrics of the problem are not known here. If a figure has the name of the standard figure of such a metric, its
    file name gets a short hash when it is drawn.

    Raises
    ------
    ConfigurationError
        If `figures` is not a mapping from labels to functions, or has a name of a standard figure.
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
                f"figures[{label!r}]: {name!r} is the name of a standard figure; expected another name, "
                f"such as 'my {label}'"
            )


def check_metric(metric: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Check that the problem of every variant measures the metric, and that the names of its metrics are usable.

    Metrics are computed only if necessary, because they may need the optimum of the problem, which can take long. The
    problems of clustersim have usable names, so theirs are computed only if `metric` is neither error nor loss.
    """
    for variant, setting in settings.items():
        problem: Problem = setting["problem"]
        where = f" in variant {variant!r}" if variant else ""
        if metric == "update":
            continue
        other = "update" if isinstance(problem, TimingOnly) else "loss"
        if metric == "error" and type(problem).has_optimum is Problem.has_optimum:
            raise ConfigurationError(
                f"metric = 'error': {problem!r} does not know its optimum{where}; choose metric={other!r} or another"
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
    """Return advice on a missing metric, if there is any."""
    needs_test_rows = metric.endswith(("accuracy", "auc")) and not any(name.startswith("test_") for name in known)
    return "; the problem has no test rows: give it test=(X, y)" if needs_test_rows else ""
