"""The options and arguments that several commands share, and the parsers of their values.

Text comes in from the command line, and checked values go out. An error message names the text.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from clustersim.studies.formats import Format

__all__ = [
    "LOOK",
    "Baseline",
    "Dask",
    "Folder",
    "Jobs",
    "Messages",
    "Metric",
    "Mpi",
    "Out",
    "Pictures",
    "Quick",
    "Replications",
    "RetryFailed",
    "Script",
    "ScriptOfResults",
    "Seed",
    "Target",
    "Tuned",
    "a_number",
    "folder_path",
    "whole_number_from",
]


def whole_number_from(low: int) -> Callable[[str], int]:
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


def a_number(text: str) -> float:
    """Parse a target; the error message names the value."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected a number, such as 0.01") from None


def folder_path(text: str) -> Path:
    """Parse the path of a folder; an empty one is most likely an unset shell variable."""
    if not text:
        raise typer.BadParameter("it is empty; expected the path of a folder (is a shell variable unset?)")
    return Path(text)


Out = Annotated[
    Path | None,
    typer.Option(
        parser=folder_path, help="Results folder.  [default: results/NAME, with the study's name]", metavar="DIR"
    ),
]
Replications = Annotated[
    int | None,
    typer.Option(
        parser=whole_number_from(1),
        metavar="N",
        help="Runs of each policy, each with different random numbers.  [default: as the script says]",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        parser=whole_number_from(1), metavar="N", help="Processes that run in parallel.  [default: the number of CPUs]"
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Run on the dask cluster whose scheduler has this address, such as tcp://10.0.0.5:8786, in place of "
        "processes on this machine.",
    ),
]
Mpi = Annotated[
    bool,
    typer.Option("--mpi", help="Run on the processes of mpiexec, in place of processes on this machine."),
]
Tuned = Annotated[
    Path | None,
    typer.Option(
        parser=folder_path,
        metavar="DIR",
        help="Folder that `clustersim tune` has made: each policy runs with the step size that it picked.",
    ),
]
Seed = Annotated[
    int, typer.Option(parser=whole_number_from(0), metavar="S", help="Seed of all random numbers, a whole number.")
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
Messages = Annotated[
    bool,
    typer.Option(
        "--messages", help="Store the message table of every run too, from which `cs.load_run` makes timelines."
    ),
]
Target = Annotated[
    float | None,
    typer.Option(
        parser=a_number,
        metavar="VALUE",
        help="Value that the runs are to reach, such as 0.05.  [default: the best value at which some policy settles "
        "in every replication]",
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        metavar="METRIC",
        help="error, loss or a metric of the problem, such as test_accuracy.  [default: the metric of the study]",
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option(
        metavar="LABEL",
        help="Policy that the times of the others are divided by. Choose it before you look at the table.  [default: "
        "the first policy of the study]",
    ),
]
ScriptOfResults = Annotated[
    str | None,
    typer.Option(
        "--script",
        metavar="SCRIPT",
        help="Script of the study, by path or scenario name, for its figures, claims and timelines.  [default: the "
        "scenario that has the study's name, if there is one]",
    ),
]
Pictures = Annotated[Format, typer.Option("--format", help="File format of the figures.")]
Folder = Annotated[Path, typer.Argument(help="Results folder that `clustersim run` has made.", metavar="DIR")]
Script = Annotated[
    str,
    typer.Argument(
        help="Path of a Python script that assigns a `clustersim.Study` to the variable `study`, or name of a "
        "scenario from `clustersim list`.",
        metavar="SCRIPT",
    ),
]

LOOK: dict[str, Any] = {
    "add_completion": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "markdown",
}
