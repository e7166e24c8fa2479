"""Studies: several policies on one problem and cluster, many replications each, stored and compared.

Data flows in from scenario scripts and notebooks, through `clustersim.studies.execution`, and out as `Results`.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import clustersim
from clustersim.checks import integer
from clustersim.cluster import Cluster
from clustersim.errors import ConfigurationError, FailedRunsWarning
from clustersim.optimizers import Optimizer
from clustersim.problems import Problem
from clustersim.protocol import Policy
from clustersim.studies.arguments import (
    MOST_REPLICATIONS,
    SETTING,
    check_figures,
    check_fit,
    check_metric,
    check_overrides,
    expect,
    labelled,
)
from clustersim.studies.claims import Claim
from clustersim.studies.configuration import describe
from clustersim.studies.execution import Progress, Task, carry_out
from clustersim.studies.files import slug
from clustersim.studies.manifest import Manifest, numerics, overridden
from clustersim.studies.packing import pack
from clustersim.studies.results import Results, RunKey
from clustersim.studies.store import Store
from clustersim.studies.user_code import users_errors
from clustersim.until import Until

__all__ = ["Study"]


@dataclass(frozen=True, eq=False)
class Study:
    """Which policies are compared, on what, and how often.

    Every run is seeded by (seed, replication) alone, so all policies and variants meet the same stragglers (common
    random numbers) and can be compared pair by pair.

    Parameters
    ----------
    name : str
        Names the study and its default folder.
    problem : Problem
        What is minimised.
    cluster : Cluster
        The workers and their links.
    policies : mapping of str to Policy
        By label; plots and tables keep the order.
    optimizer : Optimizer
        Such as ``cs.SGD(0.05)``.
    until : Until
        When a run ends.
    replications : int, default 10
        Runs of each policy and variant, with different random numbers.
    evaluate_every : int, default 10
        Updates between two rows of the history.
    metric : str, default "error"
        What plots and tables show: error, loss, or a metric of the problem such as test_accuracy.
    claims : sequence of Claim
        What the results should show.
    variants : mapping of str to mapping
        By label, what differs from the study: any of problem, cluster, optimizer, until, and ``policies``, a mapping
        that replaces some of the study's policies under the same labels.
    figures : mapping of str to callable
        By file name, functions of the results that return a matplotlib ``Figure``: drawn beside the standard ones.
    notes : str
        Printed under tables and plots.

    Raises
    ------
    ConfigurationError
        If an argument is unusable.

    Examples
    --------
    >>> import clustersim as cs
    >>> from clustersim.studies import Study
    >>> study = Study(
    ...     name="demo",
    ...     problem=cs.LeastSquares.synthetic(rows=40, features=2, design="gaussian", seed=7),
    ...     cluster=cs.Cluster(workers=4, compute=cs.Exponential(mean=1.0)),
    ...     policies={"k = 1": cs.FastestK(1), "k = 4": cs.FastestK(4)},
    ...     optimizer=cs.SGD(1e-5),
    ...     until=cs.Until(updates=20),
    ...     replications=2,
    ... )
    >>> results = study.run(seed=1)
    >>> results.totals["updates"].tolist()
    [20, 20, 20, 20]
    """

    name: str
    problem: Problem
    cluster: Cluster
    policies: Mapping[str, Policy]
    optimizer: Optimizer
    until: Until
    replications: int = 10
    evaluate_every: int = 10
    metric: str = "error"
    claims: Sequence[Claim] = ()
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"": {}})
    figures: Mapping[str, Callable[[Results], Any]] = field(default_factory=dict)
    notes: str = ""

    def __post_init__(self) -> None:
        name: Any = self.name
        if not isinstance(name, str) or not slug(name):
            raise ConfigurationError(f"name = {name!r}: expected a text with at least one letter or digit")
        integer("replications", self.replications, low=1, high=MOST_REPLICATIONS)
        integer("evaluate_every", self.evaluate_every, low=1)
        expect("metric", self.metric, str)
        expect("notes", self.notes, str)
        for part, kind in SETTING.items():
            expect(part, getattr(self, part), kind)
        for label, policy in labelled("policies", self.policies).items():
            expect(f"policies[{label!r}]", policy, Policy)
        for label, overrides in labelled("variants", self.variants, blank=True).items():
            check_overrides(f"variants[{label!r}]", overrides, self.policies)
        if not isinstance(self.claims, Sequence) or isinstance(self.claims, str):
            raise ConfigurationError(f"claims = {self.claims!r}: expected a list of claims, [] if there are none")
        for number, claim in enumerate(self.claims):
            expect(f"claims[{number}]", claim, Claim)
        check_figures(self.figures, self.variants, self.metric)

    def run(
        self,
        out: str | Path | None = None,
        seed: int = 0,
        executor: Executor | None = None,
        progress: Progress | None = None,
        *,
        retry_failed: bool = False,
    ) -> Results:
        """Do the runs that are not stored yet, and return the results of all.

        A run that fails, because the model diverges or the user's own code raises an error, does not end the study: the
        others are done, and a `FailedRunsWarning` says how many failed. `Results.failures` tells which, and why.

        Parameters
        ----------
        out : str or Path, optional
            Results folder. A finished run in it is never computed twice, so an interrupted study goes on where it
            stopped, and more replications or policies just add runs. Without it the results are kept in memory.
        seed : int, default 0
            The seed of all random numbers.
        executor : Executor, optional
            Any `concurrent.futures.Executor`; in this process if not given. The results are the same.
        progress : callable, optional
            Called with (runs that are over, all runs, `RunKey`) at the start, with None for the key, and after each
            run. If it has a method ``under_way``, that is called about twice a second with what is done of the runs
            under way, as a number of runs, wherever that is known.
        retry_failed : bool, default False
            Try again the runs that have failed before and whose failure is stored in `out`.

        Returns
        -------
        Results

        Raises
        ------
        ResultsError
            If `out` belongs to another configuration, is damaged, or another study is running in it; nothing in it is
            changed then.
        ConfigurationError
            If an argument is unusable.
        FailedRunsError
            If all runs fail.
        """
        integer("seed", seed, low=0)
        if out is not None and not isinstance(out, str | Path):
            raise ConfigurationError(f"out = {out!r}: expected the path of a folder")
        if executor is not None:
            expect("executor", executor, Executor)
        if progress is not None and not callable(progress):
            raise ConfigurationError(f"progress = {progress!r}: expected a function of (finished runs, all runs, key)")
        expect("retry_failed", retry_failed, bool)
        with users_errors("describing the study failed"):
            manifest = self._manifest(seed)
        keys = [*manifest.runs()]
        store = Store.join(None if out is None else Path(out), manifest)
        self._check(seed, pending := store.pending(keys, retry_failed=retry_failed))
        with store.held(changing=bool(pending)) as store:
            pending = store.pending(keys, retry_failed=retry_failed)  # again: another study may just have ended
            reused = len(keys) - len(pending)
            self._carry_out(pending, store, executor, _Count(reused, len(keys), progress))
            results = replace(store.results(keys, self.variants, self.policies), reused=reused)
        if failed := len(results.failures):
            warnings.warn(f"{failed} of {len(keys)} runs failed; see failures", FailedRunsWarning, stacklevel=2)
        return results

    def _check(self, seed: int, pending: Sequence[RunKey]) -> None:
        """Find before anything is run what would fail in every run, or in one."""
        check_metric(self.metric, {variant: self._setting(variant) for variant in self.variants})
        for variant in self.variants:
            check_fit(self._setting(variant), self._policies(variant), seed, variant, pending)

    def _carry_out(self, pending: Sequence[RunKey], store: Store, executor: Executor | None, count: "_Count") -> None:
        """Do the runs and store what comes of each."""
        count.tell(None)
        with closing(carry_out(self._tasks(pending, store.manifest), executor, count.watch)) as over:
            for key, outcome in over:
                store.add(key, outcome)
                count.done += 1
                count.tell(key)

    def quick(self) -> "Study":
        """A small version to look at first: two replications at most, a tenth of the horizon.

        Returns
        -------
        Study
            Its name ends in "-quick". It keeps the study's figures, but neither its claims nor its notes, which speak
            of the whole study.
        """
        variants = {
            label: {name: _tenth(value) if name == "until" else value for name, value in overrides.items()}
            for label, overrides in self.variants.items()
        }
        return replace(
            self,
            name=f"{self.name}-quick",
            replications=min(2, self.replications),
            until=_tenth(self.until),
            variants=variants,
            claims=(),
            notes="A quick look: fewer replications and a tenth of the horizon; "
            "claims and notes are for the whole study.",
        )

    def _setting(self, variant: str) -> dict[str, Any]:
        """Problem, cluster, optimiser and horizon of a variant."""
        overrides = self.variants[variant]
        return {name: overrides.get(name, getattr(self, name)) for name in SETTING}

    def _policies(self, variant: str) -> dict[str, Policy]:
        """The policies of a variant."""
        return {**self.policies, **self.variants[variant].get("policies", {})}

    def _manifest(self, seed: int) -> Manifest:
        """What is to be run, described."""
        configuration = {
            "clustersim": clustersim.__version__,
            "numerics": numerics(),
            "seed": int(seed),
            "evaluate_every": int(self.evaluate_every),
            "variants": {label: describe(self._setting(label)) for label in self.variants},
            "policies": {label: describe(policy) for label, policy in self.policies.items()},
            "exceptions": {
                overridden(variant, label): describe(policy)
                for variant, overrides in self.variants.items()
                for label, policy in overrides.get("policies", {}).items()
            },
        }
        return Manifest(self.name, self.metric, self.notes, int(self.replications), configuration)

    def _tasks(self, keys: Sequence[RunKey], manifest: Manifest) -> Iterator[Task]:
        """The runs as bytes; a problem, which may be large, is turned into bytes once for all variants that have it."""
        variant, problem, packed, setting = None, None, b"", b""
        for key in keys:
            if key.variant != variant:
                variant = key.variant
                parts = self._setting(variant)
                if parts["problem"] is not problem:
                    problem = parts["problem"]
                    _prepare(problem)
                    packed = pack(problem)
                setting = pack(tuple(parts[name] for name in SETTING if name != "problem"))
            seed = manifest.configuration["seed"]
            run = (self._policies(key.variant)[key.policy], seed, int(self.evaluate_every), manifest.run_hash(key))
            yield Task(key, packed, setting, pack(run))


@dataclass
class _Count:
    """How many runs are over, and whoever wants to know."""

    done: int
    runs: int
    progress: Progress | None

    def tell(self, key: RunKey | None) -> None:
        """Say which run is over."""
        if self.progress is not None:
            self.progress(self.done, self.runs, key)

    @property
    def watch(self) -> Callable[[float], None] | None:
        """Whom to tell what is done of the runs under way."""
        return getattr(self.progress, "under_way", None)


def _prepare(problem: Problem) -> None:
    """Let a problem compute once, for all processes, what every evaluation needs: its optimum above all.

    A problem that fails at this says so in each of its runs.
    """
    with suppress(Exception):
        problem.evaluate(problem.initial_model())


def _tenth(until: Until) -> Until:
    """A tenth of the horizon's time, updates and epochs."""
    time = None if until.time is None else until.time / 10.0
    updates = None if until.updates is None else max(1, until.updates // 10)
    epochs = None if until.epochs is None else until.epochs / 10.0
    return replace(until, time=time, updates=updates, epochs=epochs)
