"""The command `timeline`: simulate the first updates of one policy of a study, and show what each worker does."""

from pathlib import Path
from typing import Annotated, Any

import typer

import clustersim
from clustersim.cli.errors import plain_errors
from clustersim.cli.options import Pictures, Script, Seed, folder_path, whole_number_from
from clustersim.studies.formats import Format
from clustersim.terminal import console_for_tables

__all__ = ["timeline"]


def _worker_numbers(text: str) -> list[int]:
    """Parse numbers of workers and ranges of them."""
    numbers: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            numbers += range(int(first), int(last if dash else first) + 1)
    except ValueError:
        numbers = []
    if not numbers:
        raise typer.BadParameter(f"{text!r}: expected numbers of workers, such as 0,3,7 or 0-9")
    return numbers


_Out = Annotated[Path, typer.Option(parser=folder_path, metavar="FOLDER", help="Folder for the picture and the trace.")]
_Policy = Annotated[str, typer.Option(metavar="LABEL", help="Label of the policy in the study.")]
_Variant = Annotated[str | None, typer.Option(metavar="LABEL", help="Label of the variant, if the study has several.")]
_Updates = Annotated[
    int, typer.Option(parser=whole_number_from(1), metavar="N", help="Updates to show, from the first one.")
]
_Replication = Annotated[
    int, typer.Option(parser=whole_number_from(0), metavar="R", help="Number of the replication, from 0.")
]
_WorkerList = Annotated[
    Any,
    typer.Option(
        parser=_worker_numbers,
        metavar="LIST",
        help="Workers to draw, such as 0,3,7 or 0-9; the trace has all.  [default: all, or 60 of them]",
    ),
]


def timeline(
    script: Script,
    out: _Out,
    policy: _Policy,
    variant: _Variant = None,
    updates: _Updates = 20,
    seed: Seed = 0,
    replication: _Replication = 0,
    workers: _WorkerList = None,
    format_: Pictures = Format.PNG,
) -> None:
    """Show what each worker does in the first updates of one policy: receiving, computing, sending, wasted work, idle.

    The run is that of the study with the same seed and replication. It goes on for as many updates again, so that the
    fates of late messages are known. FOLDER gets a picture, timeline.png, and a trace, timeline.json, which
    https://ui.perfetto.dev and chrome://tracing open.

    Example: clustersim timeline adaptive_linear --policy "adaptive k" --updates 30 --out results/timeline
    """
    from clustersim.scripts import find_script, load_study
    from clustersim.studies.single import single_run
    from clustersim.tables import print_paths

    with plain_errors():
        study = load_study(find_script(script))
        run = single_run(study, policy, variant, updates=2 * updates, seed=seed, replication=replication)
        sheet = clustersim.plots.timeline(run, updates, workers=workers)
        picture = clustersim.plots.save(sheet, out / f"timeline.{format_.value}")
        trace = run.save_timeline(out / "timeline.json", updates)
        console = console_for_tables()
        if int(run.totals["updates"]) < updates:
            console.print(f"The run ends after {run.totals['updates']} updates: {run.totals['reason']}.")
        print_paths(console, [picture])
        console.print(f"Trace: {trace}", soft_wrap=True, markup=False, highlight=False)
