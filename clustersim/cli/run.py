"""The command `run`: carry out a study, print its comparison and claims, and draw its figures."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import clustersim
from clustersim.cli.errors import raise_all, resumable
from clustersim.cli.options import (
    Dask,
    Jobs,
    Messages,
    Mpi,
    Out,
    Pictures,
    Quick,
    Replications,
    RetryFailed,
    Seed,
    Tuned,
)
from clustersim.cli.tune import with_tuned_steps
from clustersim.cli.workers import Workers
from clustersim.errors import FailedRunsWarning
from clustersim.progress import display
from clustersim.studies import Results, Study
from clustersim.studies.claims import judged
from clustersim.studies.files import slug
from clustersim.studies.pictures import Format
from clustersim.tables import (
    claims_table,
    console_for_tables,
    failed_runs,
    print_comparison,
    print_left_out,
    print_notes,
    print_paths,
    print_runs,
)

__all__ = ["RUN", "RunOptions", "run_study"]

RUN = """Run a study, store every run, print a comparison of its policies, and draw its figures.

The comparison shows the time and communication that each policy needs to reach a target error. If the study makes
claims, their verdicts follow. The figures are written to the folder `figures` inside the results folder.

A finished run is never computed twice. After Ctrl-C, the same command continues where it stopped; a larger
--replications only adds runs. The same seed gives the same results, byte for byte, whatever the number of jobs.

A run that fails does not end the study: the other runs continue. The failure is stored, and shown with its reason.

Exit code: 0 if the study was carried out, even if a claim does not hold; 1 if a run or a figure failed, or a claim
could not be measured (everything else is printed first) or if an argument is unusable; 2 for wrong usage.

Examples:

* {0} --quick

* {0} --replications 20 --jobs 4 --out results/mine
"""


@dataclass(frozen=True)
class RunOptions:
    """The options of the command `run`, and of a script that is run directly, see `clustersim.cli.options`."""

    out: Out = None
    replications: Replications = None
    jobs: Jobs = None
    dask: Dask = None
    mpi: Mpi = False
    tuned: Tuned = None
    seed: Seed = 0
    quick: Quick = False
    retry_failed: RetryFailed = False
    messages: Messages = False
    format_: Pictures = Format.PNG

    @property
    def workers(self) -> Workers:
        """Where the runs are computed."""
        return Workers(self.jobs, self.dask, self.mpi)


def run_study(study: Study, options: RunOptions) -> None:
    """Run a study, and print and draw its results: for `clustersim run` and for scripts that are run directly."""
    study = _adapted(study, options)
    folder = options.out or Path("results") / slug(study.name)
    results = _carried_out(study, folder, options)
    console = console_for_tables()
    print_runs(console, results)
    print_comparison(console, results)
    verdicts = judged(study.claims, results)
    if verdicts:
        console.print(claims_table(verdicts))
    print_notes(console, results)
    failures = [f"claim {v.claim.statement!r} failed: {v.failure}" for v in verdicts if v.failure]
    left_out = list[str]()
    paths = clustersim.plots.draw(
        results, folder / "figures", options.format_, study.figures, failures=failures, left_out=left_out
    )
    console.print(f"Results: {folder}", soft_wrap=True, markup=False, highlight=False)
    print_paths(console, paths)
    print_left_out(console, left_out)
    raise_all(failures + failed_runs(results))


def _adapted(study: Study, options: RunOptions) -> Study:
    """Return the study with the step sizes, the size and the number of replications that the options ask for."""
    study = with_tuned_steps(study, options.tuned)
    if options.quick:
        study = study.quick()
    if options.replications is None:
        return study
    return replace(study, replications=min(2, options.replications) if options.quick else options.replications)


def _carried_out(study: Study, folder: Path, options: RunOptions) -> Results:
    """Carry out the runs that are not stored yet."""
    runs = len(study.variants) * len(study.policies) * study.replications
    with (
        resumable(folder),
        options.workers.executor(runs) as executor,
        display() as progress,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", FailedRunsWarning)  # the failed runs are printed later
        return study.run(
            folder, options.seed, executor, progress, retry_failed=options.retry_failed, messages=options.messages
        )
