"""The command `run`: carry out a study, print its comparison and claims, and draw its figures."""

import warnings
from dataclasses import replace
from pathlib import Path

import clustersim
from clustersim.cli.errors import raise_all, resumable
from clustersim.cli.run_options import RunOptions
from clustersim.cli.tune import with_tuned_steps
from clustersim.cli.workers import Workers
from clustersim.errors import FailedRunsWarning
from clustersim.progress import display
from clustersim.studies import Results, Study
from clustersim.studies.claims import judged
from clustersim.studies.files import slug
from clustersim.tables import (
    claims_table,
    failed_runs,
    print_comparison,
    print_left_out,
    print_notes,
    print_paths,
    print_runs,
)
from clustersim.terminal import console_for_tables

__all__ = ["run_study"]


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
        Workers(options.jobs, options.dask, options.mpi).executor(runs) as executor,
        display() as progress,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", FailedRunsWarning)  # the failed runs are printed later
        return study.run(
            folder, options.seed, executor, progress, retry_failed=options.retry_failed, messages=options.messages
        )
