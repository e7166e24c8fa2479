"""Studies: several policies on one problem and one cluster, with several replications each.

Scenario scripts and notebooks define a `Study`; `clustersim.studies.execution` carries out its runs,
`clustersim.studies.store` keeps them, and `Results` come out.
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
from clustersim.evaluations import Every, evaluation_rule
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
    expect_policy,
    labelled,
)
from clustersim.studies.claims import Claim
from clustersim.studies.configuration import describe
from clustersim.studies.execution import Progress, carry_out
from clustersim.studies.files import slug
from clustersim.studies.jobs import Job
from clustersim.studies.manifest import Manifest, numerics, overridden
from clustersim.studies.own_optimizer import With, optimizer_for, plain_policy
from clustersim.studies.packing import pack
from clustersim.studies.parcels import Parcel, Parcels
from clustersim.studies.results import Results, RunKey
from clustersim.studies.store import Store
from clustersim.studies.sweeps import Variant, swept_values
from clustersim.studies.tuning import Tuning, tune
from clustersim.studies.user_code import users_errors
from clustersim.until import Until

__all__ = ["Study"]


@dataclass(frozen=True, eq=False)
class Study:
    """A comparison of several policies on one problem and one cluster, with replications.

    The random numbers of a run depend only on the seed and the number of its replication. So all policies and variants
    meet the same stragglers (common random numbers), and can be compared pair by pair.

    Parameters
    ----------
    name : str
        The name of the study, and of its default results folder.
    problem : Problem
        The problem to train on.
    cluster : Cluster
        The workers and their links.
    policies : mapping of str to Policy or With
        The policies by label; plots and tables keep the order. ``cs.With(policy, optimizer=...)`` gives a policy an
        optimiser of its own.
    optimizer : Optimizer
        The optimiser, such as ``cs.SGD(0.05)``.
    until : Until
        When a run ends.
    replications : int, default 10
        Runs of each policy and variant, with different random numbers.
    evaluate_every : int or Every, optional
        When the models are evaluated, see `clustersim.simulate`. The automatic rule, which is the default, finds the
        time at which a run reaches a value within 2 %.
    metric : str, default "error"
        The column that plots and tables show: error, loss, or a metric of the problem such as test_accuracy.
    claims : sequence of Claim
        Claims to check on the results.
    variants : mapping of str to mapping
        By label, the settings in which a variant differs from the study: any of problem, cluster, optimizer, until, and
        ``policies``, a mapping that replaces some of the study's policies under the same labels. `clustersim.grid`
        makes the variants of a sweep.
    figures : mapping of str to callable
        By file name, functions of the results that return a matplotlib ``Figure``, drawn in addition to the standard
        figures.
    notes : str
        Remarks, printed under tables and plots.

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
    policies: Mapping[str, Policy | With]
    optimizer: Optimizer
    until: Until
    replications: int = 10
    evaluate_every: int | Every | None = None
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
        evaluation_rule("evaluate_every", self.evaluate_every)
        expect("metric", self.metric, str)
        expect("notes", self.notes, str)
        for part, kind in SETTING.items():
            expect(part, getattr(self, part), kind)
        for label, policy in labelled("policies", self.policies).items():
            expect_policy(f"policies[{label!r}]", policy)
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
        messages: bool = False,
    ) -> Results:
        """Carry out the runs that are not stored yet, and return the results of all runs.

        A run fails if the model diverges or the user's own code raises an error. The other runs of the study continue,
        and a `FailedRunsWarning` says how many failed. `Results.failures` lists them with the reasons.

        Parameters
        ----------
        out : str or Path, optional
            Results folder. A finished run in it is never computed twice. So an interrupted study continues where it
            stopped, and more replications or policies only add runs. Without it, the results are kept in memory.
        seed : int, default 0
            The seed of all random numbers.
        executor : Executor, optional
            Any `concurrent.futures.Executor`. Without it, the study runs in this process. The results are the same.
        progress : callable, optional
            Called as ``progress(done, runs, key)`` after each run: the number of runs that are over, the number of all
            runs, and the `RunKey` of the run. At the start it is called with None for the key. If it has a method
            ``under_way``, that is called about twice a second with the finished part of the runs in progress, as a
            number of runs, wherever it is known.
        retry_failed : bool, default False
            Repeat the runs whose failure is stored in `out`.
        messages : bool, default False
            Store the message table of every run in `out`, for `clustersim.load_run` and timelines. Finished runs
            without one are repeated, with the same results.

        Returns
        -------
        Results

        Raises
        ------
        ResultsError
            If `out` belongs to another configuration, is damaged, or another study is running in it; the folder then
            stays as it is.
        ConfigurationError
            If an argument is unusable.
        FailedRunsError
            If all runs fail.
        """
        integer("seed", seed, low=0)
        if out is not None and not isinstance(out, str | Path):
            raise ConfigurationError(f"out = {out!r}: expected the path of a folder, as a str or a Path")
        if executor is not None:
            expect("executor", executor, Executor)
        if progress is not None and not callable(progress):
            raise ConfigurationError(f"progress = {progress!r}: expected a function of (runs done, all runs, key)")
        expect("retry_failed", retry_failed, bool)
        expect("messages", messages, bool)
        if messages and out is None:
            raise ConfigurationError("messages = True: message tables are stored in a folder; give out as well")
        with users_errors("describing the study failed"):
            manifest = self.manifest(seed)
        keys = [*manifest.runs()]
        store = Store.join(None if out is None else Path(out), manifest)
        self._check(seed, pending := store.pending(keys, retry_failed=retry_failed, messages=messages))
        with store.exclusive(changing=bool(pending)) as store:
            # again, because another study may just have ended
            pending = store.pending(keys, retry_failed=retry_failed, messages=messages)
            reused = len(keys) - len(pending)
            count = _Count(reused, len(keys), progress)
            self._carry_out(pending, store, executor, count, messages=messages)
            results = replace(store.results(keys, self.variants, self.policies), reused=reused)
        if failed := len(results.failures):
            warnings.warn(f"{failed} of {len(keys)} runs failed; see Results.failures", FailedRunsWarning, stacklevel=2)
        return results

    def _check(self, seed: int, pending: Sequence[RunKey]) -> None:
        """Find errors that would make runs fail, before any run starts."""
        check_metric(self.metric, {variant: self.setting_of(variant) for variant in self.variants})
        further: dict[str, list[RunKey]] = {variant: [] for variant in self.variants}
        for key in pending:
            if key.replication:
                further[key.variant].append(key)
        for variant, keys in further.items():
            check_fit(self.setting_of(variant), self.policies_of(variant), seed, variant, keys)

    def _carry_out(
        self, pending: Sequence[RunKey], store: Store, executor: Executor | None, count: "_Count", *, messages: bool
    ) -> None:
        """Carry out the runs and store their outcomes."""
        count.report(None)
        with Parcels(shared=executor is not None) as parcels:
            jobs = self._jobs(pending, store.manifest, parcels, messages=messages)
            with closing(carry_out(jobs, len(pending), executor, parcels, count.watch)) as outcomes:
                for key, outcome in outcomes:
                    store.add(key, outcome)
                    count.done += 1
                    count.report(key)

    def tune(
        self,
        step_size: Sequence[float],
        target: float | None = None,
        *,
        replications: int = 3,
        out: str | Path | None = None,
        seed: int = 0,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Tuning:
        """Pick a step size for each policy, on runs that the comparison never uses.

        Every policy runs with every step size, on the problem and cluster of the study without its variants. The runs
        use random numbers of their own, so a comparison of the tuned policies is not biased by the choice.

        Parameters
        ----------
        step_size : sequence of float
            The step sizes to try.
        target : float, optional
            The step size that reaches this value of the metric first is picked, by the median over the runs. Without a
            target, or if no step size reaches it, the one whose runs settle at the best value is.
        replications : int, default 3
            Runs of each policy with each step size.
        out : str or Path, optional
            Results folder of the tuning runs; without it, they are kept in memory.
        seed : int, default 0
            The seed of the comparison. The seed of the tuning runs is derived from it.
        executor, progress
            As for `run`.

        Returns
        -------
        Tuning
            The picked step sizes, the table that they come from, and the study with the tuned policies.

        Raises
        ------
        ConfigurationError
            If there is no step size, one is not a positive number, or an optimiser has none.
        FailedRunsError
            If all runs fail, for instance because every step size is too large.

        Examples
        --------
        >>> import clustersim as cs
        >>> study = cs.Study(
        ...     name="demo",
        ...     problem=cs.LeastSquares.synthetic(rows=40, features=2, design="gaussian", seed=7),
        ...     cluster=cs.Cluster(workers=4, compute=cs.Exponential(mean=1.0)),
        ...     policies={"k = 4": cs.FastestK(4)},
        ...     optimizer=cs.SGD(1e-5),
        ...     until=cs.Until(updates=20),
        ... )
        >>> study.tune(step_size=[1e-6, 1e-5]).step_sizes
        {'k = 4': 1e-05}
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FailedRunsWarning)  # the table tells how many runs of a step size failed
            return tune(self, step_size, target, replications, seed, out=out, executor=executor, progress=progress)

    def quick(self) -> "Study":
        """Return a small version for a first look: at most two replications, and a tenth of the horizon.

        Returns
        -------
        Study
            A study whose name ends in "-quick". It keeps the figures, but neither claims nor notes, because these are
            about the whole study.
        """
        variants = {
            label: Variant(
                {name: _tenth(value) if name == "until" else value for name, value in overrides.items()},
                overrides.swept if isinstance(overrides, Variant) else {},
            )
            for label, overrides in self.variants.items()
        }
        return replace(
            self,
            name=f"{self.name}-quick",
            replications=min(2, self.replications),
            until=_tenth(self.until),
            variants=variants,
            claims=(),
            notes="A quick look: at most two replications and a tenth of the horizon. "
            "Claims and notes are left out, because they are about the whole study.",
        )

    def setting_of(self, variant: str) -> dict[str, Any]:
        """Return problem, cluster, optimiser and horizon of a variant."""
        overrides = self.variants[variant]
        return {name: overrides.get(name, getattr(self, name)) for name in SETTING}

    def policies_of(self, variant: str) -> dict[str, Policy | With]:
        """Return the policies of a variant, some with an optimiser of their own."""
        return {**self.policies, **self.variants[variant].get("policies", {})}

    def manifest(self, seed: int = 0) -> Manifest:
        """Return the description of the study that a results folder keeps.

        Parameters
        ----------
        seed : int, default 0
            The seed of all random numbers.

        Returns
        -------
        Manifest
        """
        configuration = {
            "clustersim": clustersim.__version__,
            "numerics": numerics(),
            "seed": int(seed),
            "evaluate_every": describe(self.evaluate_every),
            "variants": {label: describe(self.setting_of(label)) for label in self.variants},
            "policies": {label: describe(policy) for label, policy in self.policies.items()},
            "exceptions": {
                overridden(variant, label): describe(policy)
                for variant, overrides in self.variants.items()
                for label, policy in overrides.get("policies", {}).items()
            },
            "swept": swept_values(self.variants),
        }
        return Manifest(self.name, self.metric, self.notes, int(self.replications), configuration)

    def _jobs(self, keys: Sequence[RunKey], manifest: Manifest, parcels: Parcels, *, messages: bool) -> Iterator[Job]:
        """Yield the runs as jobs; what several runs share is packed once."""
        variant, problem, parcel = None, None, Parcel("", None, "", ())
        setting, policies, seed = b"", dict[str, bytes](), manifest.configuration["seed"]
        for key in keys:
            if key.variant != variant:
                variant = key.variant
                parts = self.setting_of(variant)
                if parts["problem"] is not problem:
                    problem = parts["problem"]
                    _prepare(problem)
                    parcel = parcels.make(problem)
                setting = pack((parts["cluster"], parts["until"], self.evaluate_every))
                policies = {
                    label: pack((plain_policy(entry), optimizer_for(entry, parts["optimizer"])))
                    for label, entry in self.policies_of(variant).items()
                }
            swept = manifest.swept.get(key.variant, {})
            yield Job(key, parcel, setting, policies[key.policy], seed, manifest.run_hash(key), swept, messages)


@dataclass
class _Count:
    """The number of runs that are over, and the callback that reports it."""

    done: int
    runs: int
    progress: Progress | None

    def report(self, key: RunKey | None) -> None:
        """Report that a run is over."""
        if self.progress is not None:
            self.progress(self.done, self.runs, key)

    @property
    def watch(self) -> Callable[[float], None] | None:
        """Return the callback for the finished part of the runs in progress, if there is one."""
        return getattr(self.progress, "under_way", None)


def _prepare(problem: Problem) -> None:
    """Let a problem compute what every evaluation needs, above all its optimum: once, before other processes get it.

    Errors are ignored here, because each run of the problem reports them.
    """
    with suppress(Exception):
        problem.evaluate(problem.initial_model())


def _tenth(until: Until) -> Until:
    """Return a tenth of the horizon: of its time, updates and epochs."""
    time = None if until.time is None else until.time / 10.0
    updates = None if until.updates is None else max(1, until.updates // 10)
    epochs = None if until.epochs is None else until.epochs / 10.0
    return replace(until, time=time, updates=updates, epochs=epochs)
