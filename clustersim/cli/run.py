"""The command `run`: carry out a study, print its comparison and claims, and draw its figures."""

import warnings
from dataclasses import replace
from pathlib import Path

import clustersim
from clustersim.cli.errors import raise_all, resumable
from clustersim.cli.workers import Workers
from clustersim.errors import FailedRunsWarning
from clustersim.progress import display
from clustersim.studies import Study
from clustersim.studies.claims import judged
from clustersim.studies.files import slug
from clustersim.studies.formats import Format
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


def run_study(
    study: Study,
    out: Path | None,
    replications: int | None,
    workers: Workers,
    seed: int,
    quick: bool,
    retry_failed: bool,
    messages: bool,
    format_: Format,
) -> None:
    """Run a study, and print and draw its results: for `clustersim run` and for scripts that are run directly."""
    if quick:
        study = study.quick()
    if replications is not None:
        study = replace(study, replications=min(2, replications) if quick else replications)
    runs = len(study.variants) * len(study.policies) * study.replications
    folder = out or Path("results") / slug(study.name)
    console = console_for_tables()
    with (
        resumable(folder),
        workers.executor(runs) as executor,
        display() as progress,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", FailedRunsWarning)  # reported below
        results = study.run(folder, seed, executor, progress, retry_failed=retry_failed, messages=messages)
    print_runs(console, results)
    print_comparison(console, results)
    verdicts = judged(study.claims, results)
    if verdicts:
        console.print(claims_table(verdicts))
    print_notes(console, results)
    failures = [f"claim {v.claim.statement!r} failed: {v.failure}" for v in verdicts if v.failure]
    left_out = list[str]()
    paths = clustersim.plots.draw(
        results, folder / "figures", format_, study.figures, failures=failures, left_out=left_out
    )
    console.print(f"Results: {folder}", soft_wrap=True, markup=False, highlight=False)
    print_paths(console, paths)
    print_left_out(console, left_out)
    raise_all(failures + failed_runs(results))
