"""The command line: run a scenario script, list scripts, compare and plot stored results.

A user's mistake ends in one line on stderr and a non-zero exit code: 1 for an unusable script, value or folder, 2 for
wrong usage of the command line, 130 for Ctrl-C, 143 for SIGTERM. Arguments come in, `clustersim.studies` does the work,
and tables, figures and results folders come out.
"""

import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

import clustersim
from clustersim.errors import ClusterSimError, ConfigurationError, FailedRunsWarning
from clustersim.progress import display
from clustersim.scripts import about, find_script, find_scripts, load_study, loading, shipped, shipped_study
from clustersim.studies import Study, load_results, process_pool
from clustersim.studies.claims import judged
from clustersim.studies.files import slug
from clustersim.studies.pictures import Format
from clustersim.studies.signals import Stopped, stoppable
from clustersim.tables import (
    claims_table,
    console_for_tables,
    failed_runs,
    print_comparison,
    print_missing,
    print_notes,
    print_paths,
    print_runs,
    scripts_table,
)
from clustersim.terminal import prepare_streams

__all__ = ["app", "main"]

_EXAMPLES = """Simulate distributed training with stragglers; compare policies by error, time and communication.

A *study* compares several policies on one problem and one simulated cluster. Each policy runs several times, with
different random numbers; each such run is a *replication*. A *scenario* is a Python script that defines a study.
`clustersim COMMAND -h` explains a command.

Examples, in the order in which a first session would use them:

* clustersim list

* clustersim run adaptive_mnist --quick

* clustersim run my_script.py --out results/mine --replications 20

* clustersim compare results/mine --target 0.05

* clustersim plot results/mine --format pdf
"""
_RUN = """Run a study, store every run, print a comparison of its policies, and draw its figures.

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


def _at_least(low: int) -> Callable[[str], int]:
    """Return a parser of whole numbers of at least `low`; its error message names the value."""

    def whole_number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low:
            raise typer.BadParameter(f"{text!r}: expected a whole number, at least {low}")
        return value

    return whole_number


def _value(text: str) -> float:
    """Parse a target; the error message names the value."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected a number, such as 0.01") from None


def _folder(text: str) -> Path:
    """Parse the path of a folder; an empty one is most likely an unset shell variable."""
    if not text:
        raise typer.BadParameter("it is empty; expected the path of a folder (is a shell variable unset?)")
    return Path(text)


Out = Annotated[
    Path | None,
    typer.Option(parser=_folder, help="Results folder.  [default: results/NAME, with the study's name]", metavar="DIR"),
]
Replications = Annotated[
    int | None,
    typer.Option(
        parser=_at_least(1),
        metavar="N",
        help="Runs of each policy, each with different random numbers.  [default: as the script says]",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        parser=_at_least(1), metavar="N", help="Processes that run in parallel.  [default: the number of CPUs]"
    ),
]
Seed = Annotated[
    int, typer.Option(parser=_at_least(0), metavar="S", help="Seed of all random numbers, a whole number.")
]
Quick = Annotated[
    bool,
    typer.Option(
        "--quick",
        help="Take a first look: at most 2 replications, a tenth of the simulated time (or updates, or epochs), and "
        "neither claims nor notes. Results go to results/NAME-quick.",
    ),
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Repeat the runs whose failure is stored in the results folder.")
]
Pictures = Annotated[Format, typer.Option("--format", help="File format of the figures.")]
Folder = Annotated[Path, typer.Argument(help="Results folder that `clustersim run` has made.", metavar="DIR")]

_LOOK: dict[str, Any] = {
    "add_completion": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "markdown",
}
app = typer.Typer(name="clustersim", help=_EXAMPLES, no_args_is_help=True, **_LOOK)


def main(study: Study | None = None) -> None:
    """Run the command line: the whole program, or only `run` for the study of a scenario script.

    A script ends with ``if __name__ == "__main__": cs.main(study)``; then ``python SCRIPT`` does the same as
    ``clustersim run SCRIPT``, with the same options.

    Parameters
    ----------
    study : Study, optional
        The study to run. Without it, the command-line arguments say what to do.
    """
    if loading() or multiprocessing.parent_process() is not None:
        return  # `clustersim run` or a process of the pool is loading the script, and must not run it
    prepare_streams()
    try:
        try:
            _single(study)() if study is not None else app(prog_name=_program())
        finally:
            sys.stdout.flush()  # here, where a full disk can still be reported
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # because Python flushes again at exit
        with suppress(OSError):
            typer.echo(f"Error: {error.filename or 'the output'}: {error.strerror or error}", err=True)
        sys.exit(1)


def _program() -> str:
    """Return the name under which the program was called."""
    return "python -m clustersim" if Path(sys.argv[0]).name == "__main__.py" else "clustersim"


def _single(study: Study) -> typer.Typer:
    """Build the command line of one scenario script."""
    single = typer.Typer(**_LOOK)
    script = Path(sys.argv[0]).name

    @single.command(help=_RUN.format(f"python {script}"))
    def run_this(
        out: Out = None,
        replications: Replications = None,
        jobs: Jobs = None,
        seed: Seed = 0,
        quick: Quick = False,
        retry_failed: RetryFailed = False,
        format_: Pictures = Format.PNG,
    ) -> None:
        with _plain_errors():
            if not isinstance(study, Study):
                raise ConfigurationError(f"main({study!r}): expected a clustersim.Study; pass the study of the script")
            _run(study, out, replications, jobs, seed, quick, retry_failed, format_)

    return single


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clustersim {clustersim.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Handle the options of the program as a whole."""


@app.command(help=_RUN.format("clustersim run adaptive_mnist"))
def run(
    script: Annotated[
        str,
        typer.Argument(
            help="Path of a Python script that assigns a `clustersim.Study` to the variable `study`, or name of a "
            "scenario from `clustersim list`.",
            metavar="SCRIPT",
        ),
    ],
    out: Out = None,
    replications: Replications = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    quick: Quick = False,
    retry_failed: RetryFailed = False,
    format_: Pictures = Format.PNG,
) -> None:
    """Run the study of a scenario script."""
    with _plain_errors():
        _run(load_study(find_script(script)), out, replications, jobs, seed, quick, retry_failed, format_)


@app.command(name="list")
def list_(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of scripts.  [default: the scenarios that come with clustersim]", metavar="DIR"),
    ] = None,
) -> None:
    """List the scenarios that come with clustersim, or the scripts in a folder, with the question that each answers.

    The question is the first line of the script's docstring. No script is run.

    Examples: clustersim list; clustersim list my_folder
    """
    with _plain_errors():
        scripts = {str(path): path for path in find_scripts(folder)} if folder else shipped()
        if not scripts:
            raise ConfigurationError(f"{folder}: there are no scenario scripts (*.py) in it; choose another folder")
        console_for_tables().print(scripts_table((name, about(path)) for name, path in scripts.items()))


@app.command(name="compare")
def compare_(
    folder: Folder,
    target: Annotated[
        float | None,
        typer.Option(
            parser=_value,
            metavar="VALUE",
            help="Value that the runs are to reach, such as 0.05.  [default: the best value at which some policy "
            "settles in every replication]",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="error, loss or a metric of the problem, such as test_accuracy.  [default: the metric of the study]",
            metavar="METRIC",
        ),
    ] = None,
) -> None:
    """Compare the policies of a stored study: time, vectors and bytes to reach a target, with 95 % intervals.

    The study may be unfinished; the comparison then covers the stored runs.

    Example: clustersim compare results/adaptive-mnist --target 0.05 --metric loss
    """
    with _plain_errors():
        results = load_results(folder)
        console = console_for_tables()
        print_comparison(console, results, target, metric)
        print_notes(console, results)


@app.command()
def plot(
    folder: Folder,
    format_: Pictures = Format.PNG,
    script: Annotated[
        str | None,
        typer.Option(
            metavar="SCRIPT",
            help="Script whose own figures are drawn too, by path or scenario name.  [default: the scenario that has "
            "the study's name, if there is one]",
        ),
    ] = None,
) -> None:
    """Draw the figures of a stored study into DIR/figures: the standard figures and those of its script.

    The stored runs are used; nothing is simulated again.

    Examples: clustersim plot results/adaptive-mnist --format pdf; clustersim plot results/mine --script my_script.py
    """
    with _plain_errors():
        results = load_results(folder)
        study = shipped_study(results) if script is None else load_study(find_script(script))
        failures: list[str] = []
        paths = clustersim.plots.draw(
            results, folder / "figures", format_, study.figures if study else None, failures=failures
        )
        console = console_for_tables()
        print_missing(console, results)
        print_paths(console, paths)
        if study is None:
            console.print(
                "These are the standard figures. To draw those of the study's script too, add --script SCRIPT."
            )
        _raise_all(failures)


def _raise_all(failures: list[str]) -> None:
    """Report all failures of an otherwise finished command, one line each."""
    if failures:
        raise ConfigurationError("\nError: ".join(failures))


def _run(
    study: Study,
    out: Path | None,
    replications: int | None,
    jobs: int | None,
    seed: int,
    quick: bool,
    retry_failed: bool,
    format_: Format,
) -> None:
    """Run a study, and print and draw its results: for `clustersim run` and for scripts that are run directly."""
    if quick:
        study = study.quick()
    if replications is not None:
        study = replace(study, replications=min(2, replications) if quick else replications)
    runs = len(study.variants) * len(study.policies) * study.replications
    processes = jobs or _cpus()
    folder = out or Path("results") / slug(study.name)
    console = console_for_tables()
    with (
        _resumable(folder),
        process_pool(min(processes, runs)) as executor,
        display() as progress,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", FailedRunsWarning)  # reported below
        results = study.run(folder, seed, executor, progress, retry_failed=retry_failed)
    print_runs(console, results)
    print_comparison(console, results)
    verdicts = judged(study.claims, results)
    if verdicts:
        console.print(claims_table(verdicts))
    print_notes(console, results)
    failures = [f"claim {v.claim.statement!r} failed: {v.failure}" for v in verdicts if v.failure]
    paths = clustersim.plots.draw(results, folder / "figures", format_, study.figures, failures=failures)
    console.print(f"Results: {folder}", soft_wrap=True, markup=False, highlight=False)
    print_paths(console, paths)
    _raise_all(failures + failed_runs(results))


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Print a user's mistake in one line instead of a traceback; stop on Ctrl-C and SIGTERM."""
    try:
        with stoppable():
            yield
    except KeyboardInterrupt as error:
        typer.echo("Interrupted.", err=True)
        raise typer.Exit(error.code if isinstance(error, Stopped) else 130) from None
    except ClusterSimError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """On Ctrl-C or SIGTERM, print what is stored and how to continue."""
    try:
        yield
    except KeyboardInterrupt as error:
        stored = len(list((folder / "runs").glob("*.parquet")))
        typer.echo(
            f"Interrupted: {stored} finished runs are stored in {folder}; run the same command to continue.",
            err=True,
        )
        raise typer.Exit(error.code if isinstance(error, Stopped) else 130) from None


def _cpus() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
