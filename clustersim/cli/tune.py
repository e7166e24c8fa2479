"""The command `tune`: find the step size that suits each policy of a study, on runs that the comparison never uses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clustersim.cli.errors import plain_errors, resumable
from clustersim.cli.options import Dask, Jobs, Mpi, Out, Script, Seed, a_number, whole_number_from
from clustersim.errors import ConfigurationError
from clustersim.studies.files import slug
from clustersim.terminal import console_for_tables

if TYPE_CHECKING:
    from clustersim.studies import Study

__all__ = ["tune", "with_tuned_steps"]


def _step_sizes(text: str) -> list[float]:
    """Parse a list of numbers."""
    if numbers := [a_number(part.strip()) for part in text.split(",") if part.strip()]:
        return numbers
    raise typer.BadParameter(f"{text!r}: expected numbers separated by commas, such as 0.001,0.01,0.1")


_StepSizes = Annotated[
    Any,
    typer.Option(
        parser=_step_sizes, metavar="LIST", help="Step sizes to try, separated by commas, such as 0.001,0.01,0.1."
    ),
]
_Target = Annotated[
    float | None,
    typer.Option(
        parser=a_number,
        metavar="VALUE",
        help="Pick the step size that reaches this value of the metric first.  [default: the one whose runs settle "
        "at the best value]",
    ),
]
_Replications = Annotated[
    int, typer.Option(parser=whole_number_from(1), metavar="N", help="Runs of each policy with each step size.")
]


def tune(
    script: Script,
    step_size: _StepSizes,
    target: _Target = None,
    replications: _Replications = 3,
    out: Out = None,
    jobs: Jobs = None,
    dask: Dask = None,
    mpi: Mpi = False,
    seed: Seed = 0,
) -> None:
    """Find the step size that suits each policy of a study.

    Every policy runs with every step size, with random numbers that the comparison never uses. The picked step sizes
    are written to tuning.json in the results folder (by default results/NAME-tuning). Then
    `clustersim run SCRIPT --tuned DIR` compares the policies, each with its own step size.

    Example: clustersim tune my_script.py --step-size 0.003,0.03,0.3 --target 0.05
    """
    from clustersim.cli.workers import Workers
    from clustersim.progress import display
    from clustersim.scripts import find_script, load_study
    from clustersim.studies.tuning_file import write_tuning
    from clustersim.tables import tuning_table

    with plain_errors():
        study = load_study(find_script(script))
        folder = out or Path("results") / slug(f"{study.name}-tuning")
        runs = len(study.policies) * len(step_size) * replications
        with resumable(folder), Workers(jobs, dask, mpi).executor(runs) as executor, display() as progress:
            tuning = study.tune(
                step_size,
                target,
                replications=replications,
                out=folder,
                seed=seed,
                executor=executor,
                progress=progress,
            )
        write_tuning(folder, study.name, tuning)
        console = console_for_tables()
        console.print(tuning_table(tuning.table))
        for remark in tuning.remarks():
            console.print(remark, markup=False, highlight=False)
        console.print(
            f"Compare the policies with these step sizes: clustersim run {script} --tuned {folder}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def with_tuned_steps(study: "Study", folder: Path | None) -> "Study":
    """Return the study with the step sizes that `tune` has written to a folder; without a folder, the study itself.

    Raises
    ------
    ConfigurationError
        If there are none, or they are for another study.
    """
    from clustersim.studies.tuning import tuned_study
    from clustersim.studies.tuning_file import read_tuning

    if folder is None:
        return study
    tuning = read_tuning(folder)
    if tuning is None:
        raise ConfigurationError(f"{folder}: there is no tuning in it; run `clustersim tune` first")
    if tuning.study != study.name or tuning.step_sizes.keys() != study.policies.keys():
        raise ConfigurationError(
            f"{folder} is about the study {tuning.study!r} with the policies {[*tuning.step_sizes]}; expected "
            f"{study.name!r} with {[*study.policies]}: run `clustersim tune` again"
        )
    return tuned_study(study, tuning.step_sizes)
