"""The command `merge`: join results folders of one study that were made on several machines."""

from pathlib import Path
from typing import Annotated

import typer

from clustersim.cli.errors import plain_errors
from clustersim.cli.options import folder_path
from clustersim.terminal import console_for_tables

__all__ = ["merge"]


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Results folders to join.", metavar="DIR...")],
    out: Annotated[Path, typer.Option(parser=folder_path, help="Folder for all their runs.", metavar="DIR")],
) -> None:
    """Join results folders of one study that were made on several machines.

    The folders may contain other policies, variants or replications of the study. If they contradict each other, for
    example in the seed or in the settings of a policy, the difference is printed and nothing is written.

    Example: clustersim merge results/machine-1 results/machine-2 --out results/all
    """
    from clustersim.studies.merging import merge as join
    from clustersim.tables import print_missing

    with plain_errors():
        results = join(folders, out)
        console = console_for_tables()
        runs = len(results.totals) + len(results.failures)
        console.print(f"{runs} runs are now in {out}.", markup=False, highlight=False, soft_wrap=True)
        print_missing(console, results)
