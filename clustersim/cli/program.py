"""The program `clustersim` and its commands, and `main`, which scripts and the installed program call."""

import multiprocessing
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import clustersim
from clustersim.cli.errors import plain_errors
from clustersim.cli.listing import scripts_table
from clustersim.cli.merge import merge
from clustersim.cli.option_lists import taking
from clustersim.cli.options import LOOK, Script
from clustersim.cli.report import report
from clustersim.cli.run_options import RUN, RunOptions
from clustersim.cli.stored import compare, plot
from clustersim.cli.timeline import timeline
from clustersim.cli.tune import tune
from clustersim.errors import ConfigurationError
from clustersim.scripts import about, find_script, find_scripts, load_study, loading, shipped
from clustersim.terminal import console_for_tables, prepare_streams

if TYPE_CHECKING:
    from clustersim.studies import Study

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

* clustersim report results/mine --out report.html

* clustersim timeline adaptive_linear --policy "adaptive k" --out results/timeline
"""

app = typer.Typer(name="clustersim", help=_EXAMPLES, no_args_is_help=True, **LOOK)


def main(study: "Study | None" = None) -> None:
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


def _single(study: "Study") -> typer.Typer:
    """Build the command line of one scenario script."""
    single = typer.Typer(**LOOK)
    script = Path(sys.argv[0]).name

    @single.command(help=RUN.format(f"python {script}"))
    @taking(RunOptions)
    def run_this(options: RunOptions) -> None:
        from clustersim.cli.run import run_study
        from clustersim.studies import Study

        with plain_errors():
            if not isinstance(study, Study):
                raise ConfigurationError(f"main({study!r}): expected a clustersim.Study; pass the study of the script")
            run_study(study, options)

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


@app.command(help=RUN.format("clustersim run adaptive_mnist"))
@taking(RunOptions)
def run(script: Script, options: RunOptions) -> None:
    """Run the study of a scenario script."""
    with plain_errors():
        path = find_script(script)
    from clustersim.cli.run import run_study

    with plain_errors():
        run_study(load_study(path), options)


@app.command(name="list")
def list_(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of scripts.  [default: the scenarios that come with clustersim]", metavar="DIR"),
    ] = None,
) -> None:
    """List the scenarios that come with clustersim, or the scripts in a folder, with the question that each answers.

    The question is the first line of the script's docstring. No script is run.

    Examples: clustersim list; clustersim list myfolder_path
    """
    with plain_errors():
        scripts = {str(path): path for path in find_scripts(folder)} if folder else shipped()
        if not scripts:
            raise ConfigurationError(f"{folder}: there are no scenario scripts (*.py) in it; choose another folder")
        console_for_tables().print(scripts_table((name, about(path)) for name, path in scripts.items()))


app.command()(compare)
app.command()(plot)
app.command()(merge)
app.command()(tune)
app.command()(timeline)
app.command()(report)
