"""The command `report`: a stored study as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from clustersim.cli.errors import plain_errors
from clustersim.cli.options import Baseline, Folder, Metric, ScriptOfResults, Target, folder_path
from clustersim.terminal import console_for_tables

__all__ = ["report"]

_File = Annotated[
    Path | None,
    typer.Option(parser=folder_path, metavar="FILE", help="The file to write.  [default: report.html in DIR]"),
]
_TunedFolder = Annotated[
    Path | None,
    typer.Option(
        parser=folder_path,
        metavar="TUNING",
        help="Folder that `clustersim tune` has made.  [default: DIR or DIR-tuning, if there is one]",
    ),
]


def report(
    folder: Folder,
    out: _File = None,
    target: Target = None,
    metric: Metric = None,
    baseline: Baseline = None,
    script: ScriptOfResults = None,
    tuned: _TunedFolder = None,
) -> None:
    """Write a report of a stored study: one HTML page with interactive charts, which can be sent and needs no network.

    It says in plain words which policy is ahead and how sure that is, and shows the curves, the comparison, the claims,
    a timeline of each policy, what was run, and how to reproduce it. It needs plotly: pip install 'clustersim[report]'.

    Example: clustersim report results/adaptive-mnist --out report.html
    """
    from clustersim.reports import report as write
    from clustersim.scripts import study_of
    from clustersim.studies import load_results

    with plain_errors():
        results = load_results(folder)
        study, name = study_of(results, script)
        path = write(
            folder, out or folder / "report.html", target=target, metric=metric, baseline=baseline, study=study,
            tuned=tuned, script=name,
        )  # fmt: skip
        console = console_for_tables()
        console.print(f"Report: {path}", markup=False, highlight=False, soft_wrap=True)
        if study is None:
            console.print("It has neither claims nor timelines; to show them, add --script SCRIPT.")
