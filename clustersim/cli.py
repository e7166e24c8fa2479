"""The command line: run a scenario script, list scripts, compare and plot what is stored.

Everything that goes wrong by a user's mistake ends in one line on stderr and an exit code that is not 0: 1 for the
mistake, 2 for a wrong use of the command line, 130 for Ctrl-C, 143 for SIGTERM. Data flows in as arguments, through
`clustersim.studies`, and out as tables, pictures and results folders.
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

_EXAMPLES = """Compare straggler policies by simulation: error, wall-clock time and communication.

Examples:

* clustersim list

* clustersim run adaptive_mnist --quick

* clustersim run my_script.py --out results/mine --replications 20

* clustersim compare results/mine --target 0.05

* clustersim plot results/mine --format pdf
"""
_RUN = """Run a study, store every run, and print a comparison, the verdicts on its claims, and the pictures drawn.

A finished run is never computed twice: after Ctrl-C the same command goes on where it stopped, and a larger
--replications only adds runs. The same seed gives the same bytes, whatever the number of jobs.

A run that fails does not end the study: the others are done, and the failure is stored and shown, with its reason.

The exit code is 0 when the study has been carried out, also if a claim does not hold: that is a finding. A run that
fails, a claim that cannot be measured, or a figure that fails, makes it 1, after all else has been printed.

Examples:

* {0} --quick

* {0} --replications 20 --jobs 4 --out results/mine
"""


def _at_least(low: int) -> Callable[[str], int]:
    """A reader of whole numbers whose complaint names the value."""

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
    """A reader of targets whose complaint names the value."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected a number, such as 0.01") from None


def _folder(text: str) -> Path:
    """The path of a folder that an option names; an empty one is most likely a variable of the shell, not set."""
    if not text:
        raise typer.BadParameter("it is empty; expected the path of a folder")
    return Path(text)


Out = Annotated[
    Path | None,
    typer.Option(parser=_folder, help="Results folder.  [default: results/NAME of the study]", metavar="DIR"),
]
Replications = Annotated[
    int | None,
    typer.Option(
        parser=_at_least(1),
        metavar="N",
        help="Runs of each policy, each with other random numbers.  [default: as the script says]",
    ),
]
Jobs = Annotated[
    int | None, typer.Option(parser=_at_least(1), metavar="N", help="Processes to use.  [default: the number of CPUs]")
]
Seed = Annotated[int, typer.Option(parser=_at_least(0), metavar="S", help="Seed of all random numbers.")]
Quick = Annotated[
    bool,
    typer.Option("--quick", help="A first look: 2 replications at most, a tenth of the horizon, results/NAME-quick."),
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Try again the runs that failed before and whose failure is stored.")
]
Pictures = Annotated[Format, typer.Option("--format", help="Kind of picture files.")]
Folder = Annotated[Path, typer.Argument(help="Results folder of a study, as `run` made it.", metavar="DIR")]

_LOOK: dict[str, Any] = {
    "add_completion": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "markdown",
}
app = typer.Typer(name="clustersim", help=_EXAMPLES, no_args_is_help=True, **_LOOK)


def main(study: Study | None = None) -> None:
    """Run the command line: all of it, or only `run` for the study that a scenario script has built.

    A script ends with ``if __name__ == "__main__": cs.main(study)``; then ``python SCRIPT`` does the same as
    ``clustersim run SCRIPT``, with the same options.

    Parameters
    ----------
    study : Study, optional
        What to run; without it the arguments say what to do.
    """
    if loading() or multiprocessing.parent_process() is not None:
        return  # the script is being loaded, by `clustersim run` or by a process of the pool; it is not to run now
    prepare_streams()
    try:
        try:
            _single(study)() if study is not None else app(prog_name=_program())
        finally:
            sys.stdout.flush()  # here, where it can still be told that there is no room for it
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python flushes once more when it ends
        with suppress(OSError):
            typer.echo(f"Error: {error.filename or 'the output'}: {error.strerror or error}", err=True)
        sys.exit(1)


def _program() -> str:
    """How the program was called."""
    return "python -m clustersim" if Path(sys.argv[0]).name == "__main__.py" else "clustersim"


def _single(study: Study) -> typer.Typer:
    """The command line of one scenario script."""
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
                raise ConfigurationError(f"main({study!r}): expected a clustersim.Study")
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
    """Options of the program as a whole."""


@app.command(help=_RUN.format("clustersim run adaptive_mnist"))
def run(
    script: Annotated[
        str,
        typer.Argument(
            help="A Python script that builds a `study`, or a scenario of `clustersim list`.", metavar="SCRIPT"
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
        typer.Argument(help="Where to look for scripts.  [default: the scenarios of clustersim]", metavar="DIR"),
    ] = None,
) -> None:
    """List the scenarios that come with clustersim, or the scripts of a folder, and the question that each answers.

    No script is run for it. Examples: clustersim list; clustersim list my_folder
    """
    with _plain_errors():
        scripts = {str(path): path for path in find_scripts(folder)} if folder else shipped()
        if not scripts:
            raise ConfigurationError(f"{folder}: there are no scenario scripts (*.py) in it; expected a folder of them")
        console_for_tables().print(scripts_table((name, about(path)) for name, path in scripts.items()))


@app.command(name="compare")
def compare_(
    folder: Folder,
    target: Annotated[
        float | None,
        typer.Option(
            parser=_value,
            metavar="VALUE",
            help="Value to reach.  [default: the best at which some policy settles in every replication]",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="error, loss or a metric of the problem.  [default: the study's]", metavar="METRIC"),
    ] = None,
) -> None:
    """Compare the policies of a stored study: time, messages and bytes to a target, with 95 % intervals.

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
            help="Script whose own figures are drawn too.  [default: the scenario of the same name as the study]",
        ),
    ] = None,
) -> None:
    """Draw the figures of a stored study into DIR/figures: the standard ones, and those of its script.

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
            console.print("The standard figures; --script SCRIPT draws those of the study's script too.")
        _raise_all(failures)


def _raise_all(failures: list[str]) -> None:
    """Report what went wrong beside what has been done, one line each."""
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
    """What `run` does, and what a script does by itself."""
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
        warnings.simplefilter("ignore", FailedRunsWarning)  # they are told below
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
    """Print a mistake of the user's in one line instead of a traceback; heed Ctrl-C and SIGTERM."""
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
    """On Ctrl-C or SIGTERM say what is stored and how to go on."""
    try:
        yield
    except KeyboardInterrupt as error:
        stored = len(list((folder / "runs").glob("*.parquet")))
        typer.echo(
            f"Interrupted: {stored} finished runs are stored in {folder}; the same command goes on from there.",
            err=True,
        )
        raise typer.Exit(error.code if isinstance(error, Stopped) else 130) from None


def _cpus() -> int:
    """The number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
